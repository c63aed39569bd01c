//! Every path our programs touch, below one root, so that a test can move all of them at once.
//!
//! A plain value for any ring. Names come from init(8), inittab(5) and the Filesystem Hierarchy Standard.
#![forbid(unsafe_code)]

use crate::process::Pid;
use crate::runlevel::Runlevel;
use std::path::{Path, PathBuf};

/// The root below which all files are looked for; `/` except in tests.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Paths {
    root: PathBuf,
}

impl Default for Paths {
    fn default() -> Self {
        Self::new("/")
    }
}

impl Paths {
    /// Takes the root.
    pub fn new(root: impl Into<PathBuf>) -> Self {
        Self { root: root.into() }
    }

    /// Places an absolute path below the root.
    pub fn at(&self, absolute: impl AsRef<Path>) -> PathBuf {
        let path = absolute.as_ref();
        self.root.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// The table init works by: inittab(5).
    pub fn inittab(&self) -> PathBuf {
        self.at("/etc/inittab")
    }

    /// The directory whose `*.tab` files are read after inittab.
    pub fn inittab_directory(&self) -> PathBuf {
        self.at("/etc/inittab.d")
    }

    /// The script that, where it exists, runs every entry's process: initscript(5).
    pub fn initscript(&self) -> PathBuf {
        self.at("/etc/initscript")
    }

    /// What the administrator wants of init beside the table: init(8), FILES.
    pub fn init_settings(&self) -> PathBuf {
        self.at("/etc/default/init")
    }

    /// The program that keeps the output of entries: initctl(8).
    pub fn output_keeper(&self) -> PathBuf {
        self.at("/sbin/initctl")
    }

    /// The initctl FIFO.
    pub fn initctl(&self) -> PathBuf {
        self.at("/run/initctl")
    }

    /// One character: the current runlevel.
    pub fn runlevel(&self) -> PathBuf {
        self.at("/var/run/runlevel")
    }

    /// The state of PID 1 as text, replaced whenever it changes.
    pub fn init_state(&self) -> PathBuf {
        self.at("/run/init.state")
    }

    /// The folder of the boot record.
    pub fn boot_log(&self) -> PathBuf {
        self.at("/run/initlog")
    }

    /// The record of this boot: initlog(5).
    pub fn record(&self) -> PathBuf {
        self.at("/run/initlog/record")
    }

    /// The part of the record that has grown too long.
    pub fn older_record(&self) -> PathBuf {
        self.at("/run/initlog/record.1")
    }

    /// The folder of what scripts and entries have printed.
    pub fn kept_output(&self) -> PathBuf {
        self.at("/run/initlog/output")
    }

    /// The folder in which the records of several boots last.
    pub fn lasting_boot_log(&self) -> PathBuf {
        self.at("/var/log/initlog")
    }

    /// What the kernel tells this boot from every other by.
    pub fn boot_id(&self) -> PathBuf {
        self.at("/proc/sys/kernel/random/boot_id")
    }

    /// What is known of the last crash of PID 1.
    pub fn crash_report(&self) -> PathBuf {
        self.at("/run/initlog/crash")
    }

    /// First letter tells why SIGPWR was sent.
    pub fn power_status(&self) -> PathBuf {
        self.at("/var/run/powerstatus")
    }

    /// The older place of the power status.
    pub fn old_power_status(&self) -> PathBuf {
        self.at("/etc/powerstatus")
    }

    /// Who is logged in now: utmp(5).
    pub fn utmp(&self) -> PathBuf {
        self.at("/var/run/utmp")
    }

    /// The history of utmp: wtmp(5).
    pub fn wtmp(&self) -> PathBuf {
        self.at("/var/log/wtmp")
    }

    /// The process that waits to shut the machine down.
    pub fn shutdown_pid(&self) -> PathBuf {
        self.at("/var/run/shutdown.pid")
    }

    /// What that process waits for, for others to read.
    pub fn shutdown_scheduled(&self) -> PathBuf {
        self.at("/run/shutdown.scheduled")
    }

    /// The users of this machine: passwd(5).
    pub fn users(&self) -> PathBuf {
        self.at("/etc/passwd")
    }

    /// The folder for what lasts until the machine goes down.
    pub fn run(&self) -> PathBuf {
        self.at("/run")
    }

    /// Tells the next boot to check no file system.
    pub fn fastboot(&self) -> PathBuf {
        self.at("/fastboot")
    }

    /// Tells the next boot to check every file system.
    pub fn forcefsck(&self) -> PathBuf {
        self.at("/forcefsck")
    }

    /// The directory of the rc scripts.
    pub fn rc_scripts(&self) -> PathBuf {
        self.at("/etc/init.d")
    }

    /// The same where Red Hat places it.
    pub fn red_hat_rc_scripts(&self) -> PathBuf {
        self.at("/etc/rc.d/init.d")
    }

    /// Headers that count instead of those in the scripts: the administrator's, then the distribution's.
    pub fn header_overrides(&self) -> [PathBuf; 2] {
        ["/etc/insserv/overrides", "/usr/share/insserv/overrides"].map(|folder| self.at(folder))
    }

    /// Endings of file names that are no rc scripts.
    pub fn script_filters(&self) -> PathBuf {
        self.at("/etc/insserv/file-filters")
    }

    /// The directory of a runlevel's links, as Debian places it.
    pub fn rc_directory(&self, level: Runlevel) -> PathBuf {
        self.at(format!("/etc/rc{level}.d"))
    }

    /// The same where Red Hat places it.
    pub fn red_hat_rc_directory(&self, level: Runlevel) -> PathBuf {
        self.at(format!("/etc/rc.d/rc{level}.d"))
    }

    /// The script that starts the machine in Red Hat's layout, and in no other.
    pub fn red_hat_sysinit(&self) -> PathBuf {
        self.at("/etc/rc.d/rc.sysinit")
    }

    /// What the facilities in the headers of rc scripts stand for: insserv.conf(5).
    pub fn facilities(&self) -> PathBuf {
        self.at("/etc/insserv.conf")
    }

    /// Settings of the rc scripts.
    pub fn rc_defaults(&self) -> PathBuf {
        self.at("/etc/default/rcS")
    }

    /// How the administrator wants rc scripts to be run: rc(8).
    pub fn rc_settings(&self) -> PathBuf {
        self.at("/etc/default/rc")
    }

    /// The consoles the kernel writes to, the one behind /dev/console last.
    pub fn active_consoles(&self) -> PathBuf {
        self.at("/sys/class/tty/console/active")
    }

    /// The folder of the processes: proc(5).
    pub fn processes(&self) -> PathBuf {
        self.at("/proc")
    }

    /// The words the kernel was started with.
    pub fn kernel_words(&self) -> PathBuf {
        self.at("/proc/cmdline")
    }

    /// The folder of one process.
    pub fn process(&self, pid: Pid) -> PathBuf {
        self.at(format!("/proc/{pid}"))
    }

    /// The name of a process's command: proc(5), `comm`.
    pub fn command_name(&self, pid: Pid) -> PathBuf {
        self.at(format!("/proc/{pid}/comm"))
    }

    /// The program init replaces itself with.
    pub fn init(&self) -> PathBuf {
        self.at("/sbin/init")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_paths_follow_the_root() {
        let paths = Paths::new("/tmp/root");
        assert_eq!(paths.inittab(), Path::new("/tmp/root/etc/inittab"));
        assert_eq!(Paths::default().initctl(), Path::new("/run/initctl"));
    }
}

//! The end of the machine: reboot(2), and what is asked of the kernel and of init just before.

use std::ffi::CStr;
use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::reboot::{RebootMode, reboot, set_cad_enabled};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::process::Signal as Number;

const INIT: Pid = Pid::from_raw(1);

/// What the kernel is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Start again.
    Restart,
    /// Start the kernel that kexec loaded.
    Kexec,
    /// Stop, with the power on.
    Halt,
    /// Stop and switch the power off.
    PowerOff,
}

/// Ends the machine, or in a PID namespace the namespace. Only a failure returns.
pub(crate) fn end(how: End) -> io::Error {
    let mode = match how {
        End::Restart => RebootMode::RB_AUTOBOOT,
        End::Kexec => RebootMode::RB_KEXEC,
        End::Halt => RebootMode::RB_HALT_SYSTEM,
        End::PowerOff => RebootMode::RB_POWER_OFF,
    };
    match reboot(mode) {
        Ok(never) => match never {},
        Err(error) => error.into(),
    }
}

/// Restarts with a word for the firmware or the boot loader. Only a failure returns.
pub(crate) fn restart_with(word: &CStr) -> io::Error {
    // SAFETY: the fourth argument of this command is a NUL-terminated string the kernel only reads, and `word`
    // is one that lives across the call.
    unsafe {
        libc::syscall(
            libc::SYS_reboot,
            libc::LINUX_REBOOT_MAGIC1,
            libc::LINUX_REBOOT_MAGIC2,
            libc::LINUX_REBOOT_CMD_RESTART2,
            word.as_ptr(),
        )
    };
    io::Error::last_os_error()
}

/// Has Ctrl-Alt-Del restart the machine at once, which is all that can be done to one that is halted.
pub(crate) fn let_ctrl_alt_del_restart() -> io::Result<()> {
    Ok(set_cad_enabled(true)?)
}

/// Has Ctrl-Alt-Del send a signal to init.
pub(crate) fn let_ctrl_alt_del_ask_init() -> io::Result<()> {
    Ok(set_cad_enabled(false)?)
}

/// Has init start nothing any more.
pub(crate) fn pause_init() -> io::Result<()> {
    Ok(kill(INIT, Signal::SIGTSTP)?)
}

/// Has init go on.
pub(crate) fn resume_init() -> io::Result<()> {
    Ok(kill(INIT, Signal::SIGCONT)?)
}

/// Tells whether process 1 listens to a signal, which a container's init does to those by which `halt` tells it that all
/// is done. `process` is its folder in /proc; without one nothing is known, and it does not listen.
pub(crate) fn init_listens_to(process: &Path, signal: Number) -> bool {
    let status = super::files::read(&process.join("status"), 64 * 1024).unwrap_or_default();
    let status = String::from_utf8_lossy(&status);
    let mask = |name: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(name));
        line.and_then(|mask| u64::from_str_radix(mask.trim(), 16).ok())
    };
    let bit = u32::try_from(signal.0 - 1)
        .ok()
        .and_then(|shift| 1_u64.checked_shl(shift));
    let is_in = |name: &str| {
        let both = mask(name).zip(bit);
        both.is_some_and(|(mask, bit)| mask & bit != 0)
    };
    // Held back to be read from a descriptor, as ours does. One that is ignored may be held back besides.
    let listens = is_in("SigBlk:") && !is_in("SigIgn:");
    listens && status.lines().next() == Some("Name:\tinit")
}

/// Sends process 1 a signal of any number.
pub(crate) fn tell_init(signal: Number) -> io::Result<()> {
    // SAFETY: kill(2) touches no memory of ours.
    Errno::result(unsafe { libc::kill(INIT.as_raw(), signal.0) })?;
    Ok(())
}

/// Writes what the kernel still holds for the disks.
pub(crate) fn sync() {
    nix::unistd::sync();
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_init_that_holds_the_signal_back_listens_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let listens = |name: &str, held: &str, ignored: &str| {
            let text = format!("Name:\t{name}\nPid:\t1\nSigBlk:\t{held}\nSigIgn:\t{ignored}\n");
            std::fs::write(folder.path().join("status"), text).unwrap();
            init_listens_to(folder.path(), Number::HALT_NOW)
        };
        let (halt, other) = ("0000400000000000", "0000800000000000");
        assert!(listens("init", halt, other));
        assert!(!listens("init", other, other), "another signal");
        assert!(!listens("tini", halt, other), "another program");
        let all = "ffffffffffffffff";
        assert!(!listens("init", all, halt), "a machine's init that forks");
        let nowhere = folder.path().join("gone");
        assert!(!init_listens_to(&nowhere, Number::HALT_NOW));
    }
}

//! `halt`, `poweroff` and `reboot`: halt(8).
//!
//! In levels 0 and 6 they end the machine; rc scripts call them there as their last act. In any other level
//! they ask shutdown, so that services are stopped first.

mod args;

use std::ffi::OsStr;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use self::args::{Options, Switch, Wish};
use super::Invocation;
use super::takedown::Takedown;
use crate::paths::Paths;
use crate::process::{Pid, Signal};
use crate::sys;
use crate::sys::reboot::End;
use crate::utmp::Record;

/// Where shutdown is looked for.
const SHUTDOWN: [&str; 3] = ["/sbin/shutdown", "/etc/shutdown", "/bin/shutdown"];

/// How long a container's init may take to end everything, which begins with this program.
const PATIENCE: Duration = Duration::from_secs(5);

const HELP: &str = "  -f       go down at once, without shutdown and init
  -p       halt: switch the power off
  -k       reboot: start the kernel that kexec loaded
  -m WORD  reboot: hand a word to the firmware; implies -f
  -d       write no wtmp record
  -w       write the wtmp record and do nothing else
  -n       neither write the record nor sync
  -i       take the network interfaces down first
  -h       put the disks on standby first
  -t SEC   shutdown: time between TERM and KILL
  --help, --version
Outside levels 0 and 6, and without -f, shutdown is asked, which stops services.
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let name = &call.name;
    let options = match args::parse(name, &call.arguments) {
        Ok(Wish::Help) => {
            sys::print::text(&format!("{}\n{HELP}", usage(name)))?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Wish::Version) => {
            sys::print::text(&super::version_line(name))?;
            return Ok(ExitCode::SUCCESS);
        }
        Err(error) => {
            let usage = format!("{}\n{HELP}", usage(name));
            return Ok(super::usage::refuse(name, &error, &usage));
        }
        Ok(Wish::GoDown(options)) => options,
    };
    if !sys::identity::is_superuser() {
        anyhow::bail!("must be superuser.");
    }
    let paths = Paths::default();
    // Nothing we start or leave behind may hold a file system.
    std::env::set_current_dir("/").context("changing to /")?;
    if !options.is_forced() {
        let level = level_of_environment().or_else(|| {
            super::recorded_level::recorded(&paths.utmp(), &paths).map(|levels| levels.current)
        });
        if options.end == End::Kexec && level != Some(b'6') {
            anyhow::bail!(
                "-k works in runlevel 6 only.\n\
                 Load a kernel with kexec and call reboot without -k, where rc 6 does the rest;\n\
                 or use reboot -k -f, which stops no service and unmounts nothing."
            );
        }
        if !matches!(level, Some(b'0' | b'6')) {
            if level.is_none() {
                sys::print::error(&format!(
                    "{name}: WARNING: the runlevel is not known, so shutdown is asked to stop services first.\n\
                     {name}: use {name} -f to go down without it."
                ));
            }
            return ask_shutdown(&options, &paths);
        }
    }
    go_down(name, &options, &paths)
}

fn usage(name: &str) -> String {
    let own = match name {
        "reboot" => " [-k] [-m WORD]",
        "poweroff" => "",
        _ => " [-p]",
    };
    format!("usage: {name} [-n] [-w] [-d] [-f] [-h] [-i] [-t SEC]{own}")
}

/// Init gives its children both variables; RUNLEVEL alone may be anybody's.
fn level_of_environment() -> Option<u8> {
    std::env::var_os("INIT_VERSION")?;
    std::env::var_os("RUNLEVEL")?.as_bytes().first().copied()
}

fn ask_shutdown(options: &Options, paths: &Paths) -> anyhow::Result<ExitCode> {
    let words = options.for_shutdown();
    let mut failure = None;
    for path in SHUTDOWN {
        let error = sys::exec::replace(&paths.at(path), &words);
        // The first place where there is something says best what is wrong.
        if error.kind() != ErrorKind::NotFound || failure.is_none() {
            failure = Some(anyhow::Error::new(error).context(format!("running {path}")));
        }
    }
    failure.map_or(Ok(ExitCode::FAILURE), Err)
}

fn go_down(name: &str, options: &Options, paths: &Paths) -> anyhow::Result<ExitCode> {
    let warn = |what: &str, result: io::Result<()>| {
        if let Err(error) = result {
            sys::print::error(&format!("{name}: {what}: {}", super::reason(&error)));
        }
    };
    if !options.has(Switch::NoRecord) && !options.has(Switch::NoSync) {
        match sys::utmp::append(&paths.wtmp(), &Record::shutdown()) {
            // A machine without wtmp keeps no history, and one that is nearly down has its disks read-only.
            Err(error)
                if matches!(
                    error.kind(),
                    ErrorKind::NotFound | ErrorKind::ReadOnlyFilesystem
                ) => {}
            result => warn("writing the wtmp record", result),
        }
    }
    if !options.has(Switch::NoSync) {
        let mut takedown = Takedown::new(paths);
        takedown.sync();
        for line in &takedown.lines {
            sys::print::error(&format!("{name}: {line}"));
        }
    }
    if options.has(Switch::TakeInterfacesDown) {
        warn("taking interfaces down", take_interfaces_down(paths, &warn));
    }
    if options.has(Switch::StandDisksBy) {
        stand_disks_by(paths, &warn);
    }
    if options.has(Switch::RecordOnly) {
        return Ok(ExitCode::SUCCESS);
    }
    let error = match options.end {
        End::Restart | End::Kexec => {
            // The kernel first: some managers learn of a restart from it alone.
            let error = restart(name, options);
            tell_container(paths, Signal::RESTART_NOW);
            error
        }
        End::Halt | End::PowerOff => {
            let done = match options.end {
                End::Halt => Signal::HALT_NOW,
                _ => Signal::POWER_OFF_NOW,
            };
            tell_container(paths, done);
            stop(options.end)
        }
    };
    Err(anyhow::Error::new(error).context("the kernel refuses to go down"))
}

/// Tells the init of a container that all is done, and waits for the end that this brings. A machine's init does not
/// listen to that, and nothing happens.
fn tell_container(paths: &Paths, signal: Signal) {
    if let Some(init) = Pid::new(1)
        && sys::reboot::init_listens_to(&paths.process(init), signal)
        && sys::reboot::tell_init(signal).is_ok()
    {
        sys::poll::wait([None], Some(PATIENCE));
    }
}

fn restart(name: &str, options: &Options) -> io::Error {
    if options.end == End::Kexec {
        let error = sys::reboot::end(End::Kexec);
        sys::print::error(&format!("{name}: kexec: {}", super::reason(&error)));
    }
    if let Some(word) = &options.restart_word {
        let error = sys::reboot::restart_with(word);
        sys::print::error(&format!("{name}: -m: {}", super::reason(&error)));
    }
    sys::reboot::end(End::Restart)
}

/// Halts or powers off. Init is stopped from starting anything in the meantime; a container's kernel refuses the
/// preparations, which then do not matter.
fn stop(end: End) -> io::Error {
    drop(sys::reboot::let_ctrl_alt_del_restart());
    drop(sys::reboot::pause_init());
    let mut error = sys::reboot::end(end);
    if end == End::PowerOff {
        error = sys::reboot::end(End::Halt);
    }
    drop(sys::reboot::let_ctrl_alt_del_ask_init());
    drop(sys::reboot::resume_init());
    error
}

fn take_interfaces_down(paths: &Paths, warn: &dyn Fn(&str, io::Result<()>)) -> io::Result<()> {
    let mut names = sys::interfaces::names(&paths.at("/proc/net/dev"))?;
    // Compat: halt(8) takes traffic shapers down before what they shape.
    names.sort_by_key(|name| !name.starts_with("shaper"));
    for name in names {
        warn(&name, sys::interfaces::take_down(&name));
    }
    Ok(())
}

fn stand_disks_by(paths: &Paths, warn: &dyn Fn(&str, io::Result<()>)) {
    // Without sysfs or SCSI disks there is nothing to stop.
    for disk in sys::disks::managed(&paths.at("/sys/class/scsi_disk")).unwrap_or_default() {
        let device = paths.at("/dev").join(OsStr::new(&disk));
        warn(&disk, sys::disks::stand_by(&device));
    }
}

//! `shutdown`: announces the end, waits for it, and asks init for the runlevel that brings it (shutdown(8)).
//!
//! It stays in the foreground until the time comes; interrupting it, or `shutdown -c`, calls the end off.

mod allow;
mod announce;
mod args;
mod fastdown;
mod running;

use std::io::{self, ErrorKind};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use self::announce::Announcer;
use self::args::{Plan, Problem, Switch, Wish};
use super::{Invocation, reason, telinit};
use crate::initctl::{Assignment, Request};
use crate::paths::Paths;
use crate::schedule::{Countdown, Ending, Step, When};
use crate::sys;
use crate::sys::interrupt::{Interrupts, Waited};

/// Longest time between two looks at the clock, which may be set or have slept.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

const HELP: &str = "\
Usage:\t  shutdown [-akrhPHfFnc] [-t sec] time [warning message]

  -r  reboot                            -h  halt, with -P power off, with -H power on
  -c  cancel a running shutdown         -k  only warn
  -a  ask /etc/shutdown.allow           -n  go down without init
  -f  no file system check after it     -F  a file system check after it
  -q  fewer warnings                    -Q  none but the last one
  -t SEC  time between TERM and KILL    -i LEVEL  go to this runlevel
  -g TIME  the time as an option        --help, --version
Without -r, -h and -i the machine goes to runlevel 1, maintenance.
The time is now, +MINUTES, HOUR:MINUTE or +HOURS:MINUTES.
\t\t  ** the \"time\" argument is mandatory! (try \"now\") **
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let name = &call.name;
    let wish = args::parse(&call.arguments);
    match wish {
        Ok(Wish::Help) => {
            sys::print::text(HELP)?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Wish::Version) => {
            sys::print::text(&super::version_line(name))?;
            return Ok(ExitCode::SUCCESS);
        }
        _ => {}
    }
    // A set-uid shutdown starts programs that would otherwise fall back to the user's rights.
    sys::identity::become_effective_user().context("becoming root")?;
    if !sys::identity::is_superuser_for_good() {
        return Ok(refuse(name, "you must be root to do that!", Usage::Shown));
    }
    let paths = Paths::default();
    match wish {
        Ok(Wish::GoDown(plan)) => go_down(name, &plan, &paths),
        Ok(Wish::Cancel { message }) => cancel_running(&message, &paths),
        Ok(Wish::Help | Wish::Version) => Ok(ExitCode::SUCCESS),
        Err(Problem::Usage) => {
            sys::print::error(HELP.trim_end());
            Ok(ExitCode::FAILURE)
        }
        Err(Problem::HaltWithoutMinusH) => Ok(refuse(
            name,
            "-H and -P flags can only be used along with -h flag.",
            Usage::Shown,
        )),
        Err(Problem::BadLevel(level)) => {
            let text = format!("`{}': bad runlevel", level.to_string_lossy());
            Ok(refuse(name, &text, Usage::Left))
        }
        Err(Problem::WithoutInitElsewhere) => Ok(refuse(
            name,
            "can use \"-n\" for halt or reboot only.",
            Usage::Left,
        )),
    }
}

enum Usage {
    Shown,
    Left,
}

fn refuse(name: &str, text: &str, usage: Usage) -> ExitCode {
    sys::print::error(&format!("{name}: {text}"));
    if let Usage::Shown = usage {
        sys::print::error(HELP.trim_end());
    }
    ExitCode::FAILURE
}

/// `-c`: interrupts the shutdown that is waiting.
fn cancel_running(message: &[u8], paths: &Paths) -> anyhow::Result<ExitCode> {
    let Some(pid) = running::recorded(paths) else {
        anyhow::bail!("cannot find pid of running shutdown.");
    };
    // A shutdown that has already told init must not leave its mark on the next one.
    drop(set_halt_variable(None));
    if !running::is_shutdown(paths, pid) || sys::signalling::interrupt(pid).is_err() {
        anyhow::bail!("not running.");
    }
    if !message.is_empty() {
        Announcer::new(paths).broadcast(message);
    }
    Ok(ExitCode::SUCCESS)
}

fn go_down(name: &str, plan: &Plan, paths: &Paths) -> anyhow::Result<ExitCode> {
    let announcer = Announcer::new(paths);
    if plan.has(Switch::CheckAllowed) && !allow::is_somebody_allowed(paths) {
        announcer.tell_console(b"\rshutdown: no authorized users logged in.\r\n");
        return Ok(ExitCode::FAILURE);
    }
    if running::recorded(paths).is_some_and(|pid| running::is_shutdown(paths, pid)) {
        sys::print::error(&format!("\r{name}: already running.\r"));
        return Ok(ExitCode::FAILURE);
    }
    std::env::set_current_dir("/").context("changing to /")?;
    sys::process::use_the_usual_umask();
    // An interrupt must find somebody who tidies up, so it is held back before anything is written.
    let interrupts = Interrupts::hold().context("holding back interrupts")?;
    sys::interrupt::ignore_terminal().context("ignoring the terminal's signals")?;
    running::record(name, paths);
    for (switch, path) in [
        (Switch::FastBoot, paths.fastboot()),
        (Switch::ForceCheck, paths.forcefsck()),
    ] {
        if plan.has(switch) {
            warn(
                name,
                &path.display().to_string(),
                sys::files::write(&path, b""),
            );
        }
    }
    if count_down(name, plan, paths, &announcer, &interrupts)? == Waited::Interrupted {
        return call_off(paths);
    }
    announcer.warn(plan, 0);
    if plan.has(Switch::OnlyWarn) {
        return call_off(paths);
    }
    announcer.log(match plan.ending {
        Ending::HALT => "shutting down for system halt".to_owned(),
        Ending::REBOOT => "shutting down for system reboot".to_owned(),
        ending => format!("shutting down {ending}"),
    });
    if plan.has(Switch::WithoutInit) {
        return fastdown::run(name, plan, paths);
    }
    hand_over(name, plan, paths, &announcer, interrupts)
}

/// Waits until the time has come or somebody interrupts, and warns meanwhile.
fn count_down(
    name: &str,
    plan: &Plan,
    paths: &Paths,
    announcer: &Announcer<'_>,
    interrupts: &Interrupts,
) -> anyhow::Result<Waited> {
    let end = End::of(plan.when).context("reading the clock")?;
    let mut countdown = Countdown::new(plan.warnings);
    loop {
        let left = end.time_left().context("reading the clock")?;
        match countdown.next(left) {
            Step::Go => return Ok(Waited::TimeUp),
            Step::Warn { minutes } => announcer.warn(plan, minutes),
            Step::DenyLogins => {
                warn(name, "nologin", announce::deny_logins(plan, left, paths));
            }
            Step::Wait(wait) => {
                let waited = interrupts.wait_for_one(wait.min(LONGEST_WAIT));
                if waited.context("waiting")? == Waited::Interrupted {
                    return Ok(Waited::Interrupted);
                }
            }
        }
    }
}

/// When the machine goes down, on the clock the operator meant.
#[derive(Debug, Clone, Copy)]
enum End {
    /// So many minutes from now: setting the time of day changes nothing.
    SinceBoot(Duration),
    /// At a time of day: follows the clock on the wall.
    OnTheWall(Duration),
}

impl End {
    fn of(when: When) -> io::Result<Self> {
        let now = sys::calendar::now()?;
        let calendar = sys::calendar::local(now)?;
        let minutes = when.minutes_ahead(calendar.minute_of_day());
        let ahead = Duration::from_secs(u64::from(minutes) * 60);
        Ok(match when {
            When::At { .. } if minutes > 0 => {
                let full_minute = Duration::from_secs(now.as_secs())
                    .saturating_sub(Duration::from_secs(u64::from(calendar.second)));
                Self::OnTheWall(full_minute.saturating_add(ahead))
            }
            _ => Self::SinceBoot(sys::calendar::since_boot()?.saturating_add(ahead)),
        })
    }

    fn time_left(self) -> io::Result<Duration> {
        Ok(match self {
            Self::SinceBoot(end) => end.saturating_sub(sys::calendar::since_boot()?),
            Self::OnTheWall(end) => end.saturating_sub(sys::calendar::now()?),
        })
    }
}

/// Takes everything back and says so.
fn call_off(paths: &Paths) -> anyhow::Result<ExitCode> {
    for path in [
        announce::nologin(paths),
        paths.fastboot(),
        paths.forcefsck(),
        paths.shutdown_pid(),
    ] {
        // What cannot be removed could not be written either.
        drop(sys::files::remove(&path));
    }
    sys::print::text("\r\nShutdown cancelled.\r\n")?;
    Ok(ExitCode::SUCCESS)
}

/// Becomes the client that asks init for the runlevel.
fn hand_over(
    name: &str,
    plan: &Plan,
    paths: &Paths,
    announcer: &Announcer<'_>,
    interrupts: Interrupts,
) -> anyhow::Result<ExitCode> {
    for path in [paths.shutdown_pid(), announce::nologin(paths)] {
        warn(name, &path.display().to_string(), sys::files::remove(&path));
    }
    sys::reboot::sync();
    if let Err(error) = set_halt_variable(plan.halt) {
        let reasons: Vec<String> = error.chain().map(reason).collect();
        sys::print::error(&format!("{name}: INIT_HALT: {}", reasons.join(": ")));
    }
    let mut words = Vec::new();
    if let Some(grace) = &plan.grace {
        words.extend(["-t".into(), grace.clone()]);
    }
    words.push(char::from(plan.ending.0).to_string().into());
    // The mask would be inherited.
    drop(interrupts);
    let init = paths.init();
    let error = sys::exec::replace(&init, &words);
    drop(sys::files::remove(&paths.fastboot()));
    drop(sys::files::remove(&paths.forcefsck()));
    drop(set_halt_variable(None));
    announcer.log("shutdown failed".to_owned());
    Err(anyhow::Error::new(error).context(format!("running {}", init.display())))
}

/// Tells init what rc scripts are to do with the power; nothing unsets what was told before.
fn set_halt_variable(halt: Option<args::Halt>) -> anyhow::Result<()> {
    let assignment = Assignment {
        name: b"INIT_HALT".as_slice().into(),
        value: halt.map(|halt| halt.variable().into()),
    };
    telinit::send(&Request::SetEnvironment(vec![assignment]).encode()?)
}

/// Says what did not work and goes on. That the disks are read-only, or a file is gone already, is no news.
fn warn(name: &str, what: &str, result: io::Result<()>) {
    if let Err(error) = result
        && !matches!(
            error.kind(),
            ErrorKind::ReadOnlyFilesystem | ErrorKind::NotFound
        )
    {
        sys::print::error(&format!("{name}: {what}: {}", reason(&error)));
    }
}

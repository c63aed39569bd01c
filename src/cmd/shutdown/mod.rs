//! `shutdown`: announces the end, waits for it, and asks init for the runlevel that brings it (shutdown(8)).
//!
//! It stays in the foreground until the time comes; interrupting it, or `shutdown -c`, calls the end off.

mod allow;
mod announce;
mod args;
mod fastdown;
mod made;
mod operator;
mod running;

use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use self::announce::Announcer;
use self::args::{Plan, Problem, Switch, Wish};
use self::made::Made;
use self::operator::Operator;
use super::takedown::Takedown;
use super::{Invocation, reason, state, telinit};
use crate::initctl::{Assignment, Request};
use crate::paths::Paths;
use crate::process::Pid;
use crate::runlevel::Runlevel;
use crate::schedule::{Countdown, Earnest, End, Ending, Note, Step, When};
use crate::sys;
use crate::sys::interrupt::{Interrupts, Waited};
use crate::sys::pid_file::PidFile;

pub(super) use self::running::find as find_running;

/// How long init may take to begin with the runlevel it was asked for. It begins at once, unless it is stopped or
/// still reads its table.
const PATIENCE: Duration = Duration::from_secs(5);

const HELP: &str = "\
Usage:\t  shutdown [-akrhPHfFnc] [-t sec] time [warning message]

  -r  reboot                            -h  halt; with -P power off, with -H on
  -c  cancel a running shutdown         -k  only warn
  -a  ask /etc/shutdown.allow           -n  go down without init
  -f  no file system check after it     -F  a file system check after it
  -q  fewer warnings                    -Q  none but the last one
  -t SEC  time between TERM and KILL    -i LEVEL  go to this runlevel
  -g TIME  the time as an option        --show  say what is scheduled
  --help, --version
Without -r, -h and -i the machine goes to runlevel 1, maintenance.
The time is now, +MINUTES, HOUR:MINUTE or +HOURS:MINUTES.
\t\t  ** the \"time\" argument is mandatory! (try \"now\") **
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let name = &call.name;
    let paths = Paths::default();
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
        Ok(Wish::Show) => return show(name, &paths),
        _ => {}
    }
    let operator = operator::find(&paths);
    // A set-uid shutdown starts programs that would otherwise fall back to the user's rights.
    sys::identity::become_effective_user().context("becoming root")?;
    if !sys::identity::is_superuser_for_good() {
        return Ok(refuse(name, "you must be root to do that!", Usage::Shown));
    }
    match wish {
        Ok(Wish::GoDown(plan)) => go_down(name, &plan, operator, &paths),
        Ok(Wish::Cancel { message }) => cancel_running(&message, &paths),
        Ok(Wish::Help | Wish::Version | Wish::Show) => Ok(ExitCode::SUCCESS),
        Err(Problem::Usage(error)) => Ok(super::usage::refuse(name, &error, HELP)),
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

/// `--show`: says what is scheduled, to everybody who asks.
fn show(name: &str, paths: &Paths) -> anyhow::Result<ExitCode> {
    let Some(running) = running::find(paths) else {
        sys::print::error(&format!("{name}: nothing is scheduled."));
        return Ok(ExitCode::FAILURE);
    };
    sys::print::text(&running.describe().context("reading the clock")?)?;
    Ok(ExitCode::SUCCESS)
}

/// `-c`: interrupts the shutdown that is waiting.
fn cancel_running(message: &[u8], paths: &Paths) -> anyhow::Result<ExitCode> {
    let Some(pid) = running::recorded(paths) else {
        anyhow::bail!("cannot find pid of running shutdown.");
    };
    // A shutdown that has already told init must not leave its mark on the next one.
    drop(set_halt_variable(None));
    // First held, then looked at: otherwise the number could pass to a stranger in between.
    let is_interrupted = sys::signalling::hold(pid)
        .is_ok_and(|process| running::is_shutdown(paths, pid) && process.interrupt().is_ok());
    if !is_interrupted {
        anyhow::bail!("not running.");
    }
    if !message.is_empty() {
        Announcer::new(paths).broadcast(message);
    }
    Ok(ExitCode::SUCCESS)
}

fn go_down(name: &str, plan: &Plan, operator: Operator, paths: &Paths) -> anyhow::Result<ExitCode> {
    let announcer = Announcer::new(paths);
    if plan.has(Switch::CheckAllowed) && !allow::is_somebody_allowed(paths) {
        announcer.tell_console(b"\rshutdown: no authorized users logged in.\r\n");
        return Ok(ExitCode::FAILURE);
    }
    std::env::set_current_dir("/").context("changing to /")?;
    sys::process::use_the_usual_umask();
    // An interrupt must find somebody who tidies up, so it is held back before anything is written.
    let interrupts = Interrupts::hold().context("holding back interrupts")?;
    sys::interrupt::ignore_terminal().context("ignoring the terminal's signals")?;
    sys::interrupt::notice_children().context("asking for news of children")?;
    let pid_file = match running::become_it(paths) {
        Ok(Some(file)) => Some(file),
        Ok(None) => {
            sys::print::error(&format!("\r{name}: already running.\r"));
            return Ok(ExitCode::FAILURE);
        }
        Err(error) => {
            warn(
                name,
                &paths.shutdown_pid().display().to_string(),
                Err(error),
            );
            None
        }
    };
    let end = end_of(plan.when).context("reading the clock")?;
    let mut made = leave_files(name, plan, operator, end, paths);
    let waited = count_down(name, plan, end, paths, &announcer, &interrupts, &mut made)?;
    if waited == Waited::Interrupted {
        return call_off(pid_file, made, paths);
    }
    announcer.warn(plan, 0);
    if plan.has(Switch::OnlyWarn) {
        return call_off(pid_file, made, paths);
    }
    announcer.log(match plan.ending {
        Ending::HALT => "shutting down for system halt".to_owned(),
        Ending::REBOOT => "shutting down for system reboot".to_owned(),
        ending => format!("shutting down {ending}"),
    });
    for path in [paths.shutdown_scheduled(), paths.shutdown_pid()] {
        warn(name, &path.display().to_string(), sys::files::remove(&path));
    }
    drop(pid_file);
    if plan.has(Switch::WithoutInit) {
        return fastdown::run(name, plan, paths);
    }
    let nologin = announce::nologin(paths);
    warn(
        name,
        &nologin.display().to_string(),
        sys::files::remove(&nologin),
    );
    // A disk that does not answer must not keep init from being asked.
    let mut takedown = Takedown::new(paths);
    takedown.sync();
    for line in &takedown.lines {
        sys::print::error(&format!("{name}: {line}"));
    }
    // The mask would be inherited.
    drop(interrupts);
    hand_over(name, plan, paths, &announcer, made)
}

/// Leaves word of what is to come, for others to read and for the next boot.
fn leave_files(name: &str, plan: &Plan, operator: Operator, end: End, paths: &Paths) -> Made {
    let mut made = Made::default();
    let report = |path: PathBuf, result: io::Result<()>| {
        warn(name, &path.display().to_string(), result);
    };
    if let Some(pid) = Pid::new(std::process::id().cast_signed()) {
        let note = Note {
            pid,
            ending: plan.ending,
            end,
            earnest: if plan.has(Switch::OnlyWarn) {
                Earnest::OnlyWarns
            } else {
                Earnest::GoesDown
            },
            user: operator.name,
            terminal: operator.terminal,
            message: plan.message.clone(),
        };
        let path = paths.shutdown_scheduled();
        report(path.clone(), made.replace(path, &note.to_text()));
    }
    for (switch, path) in [
        (Switch::FastBoot, paths.fastboot()),
        (Switch::ForceCheck, paths.forcefsck()),
    ] {
        if plan.has(switch) {
            report(path.clone(), made.create(path, b""));
        }
    }
    made
}

/// Waits until the time has come or somebody interrupts, and warns meanwhile.
fn count_down(
    name: &str,
    plan: &Plan,
    end: End,
    paths: &Paths,
    announcer: &Announcer<'_>,
    interrupts: &Interrupts,
    made: &mut Made,
) -> anyhow::Result<Waited> {
    let mut countdown = Countdown::new(plan.warnings);
    loop {
        let left = end.time_left(running::clocks().context("reading the clock")?);
        match countdown.next(left) {
            Step::Go => return Ok(Waited::TimeUp),
            Step::Warn { minutes } => announcer.warn(plan, minutes),
            Step::DenyLogins => {
                let denied = announce::deny_logins(plan, left, paths, made);
                warn(name, "nologin", denied);
            }
            Step::Wait(wait) => {
                let waited = interrupts.wait_for_one(wait);
                if waited.context("waiting")? == Waited::Interrupted {
                    return Ok(Waited::Interrupted);
                }
            }
        }
    }
}

/// Returns when that is, counted from now.
fn end_of(when: When) -> io::Result<End> {
    let now = running::clocks()?;
    let calendar = sys::calendar::local(now.on_the_wall)?;
    let minutes = when.minutes_ahead(calendar.minute_of_day());
    let ahead = Duration::from_secs(u64::from(minutes) * 60);
    Ok(match when {
        When::At { .. } if minutes > 0 => {
            let full_minute = Duration::from_secs(now.on_the_wall.as_secs())
                .saturating_sub(Duration::from_secs(u64::from(calendar.second)));
            End::OnTheWall(full_minute.saturating_add(ahead))
        }
        _ => End::SinceBoot(now.since_boot.saturating_add(ahead)),
    })
}

/// Takes everything back and says so.
fn call_off(pid_file: Option<PidFile>, mut made: Made, paths: &Paths) -> anyhow::Result<ExitCode> {
    made.remove();
    if pid_file.is_some() {
        drop(sys::files::remove(&paths.shutdown_pid()));
    }
    drop(pid_file);
    sys::print::text("\r\nShutdown cancelled.\r\n")?;
    Ok(ExitCode::SUCCESS)
}

/// Has the client ask init for the runlevel, and looks whether init has taken it up.
fn hand_over(
    name: &str,
    plan: &Plan,
    paths: &Paths,
    announcer: &Announcer<'_>,
    mut made: Made,
) -> anyhow::Result<ExitCode> {
    // That there is no FIFO is the client's to say, who may know another way.
    let is_missing = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    if let Err(error) = set_halt_variable(plan.halt)
        && !error.downcast_ref().is_some_and(is_missing)
    {
        let reasons: Vec<String> = error.chain().map(reason).collect();
        sys::print::error(&format!("{name}: INIT_HALT: {}", reasons.join(": ")));
    }
    let mut words = Vec::new();
    if let Some(grace) = &plan.grace {
        words.extend(["-t".into(), grace.clone()]);
    }
    words.push(char::from(plan.ending.0).to_string().into());
    let init = paths.init();
    let phase = state::read(paths).map(|state| state.phase);
    // The letters a, b and c are no levels one could find init in, and an init of another kind leaves no state.
    let (Some(level), Ok(phase)) = (Runlevel::from_byte(plan.ending.0), phase) else {
        let error = sys::exec::replace(&init, &words);
        return Err(give_up(error, &init, &mut made, announcer));
    };
    match sys::exec::run_in_place(&init, &words) {
        Ok(status) if status.success() => {
            state::wait_until_taken(paths, level, phase, PATIENCE)?;
            Ok(ExitCode::SUCCESS)
        }
        // The client has said why.
        Ok(_) => {
            made.remove();
            announcer.log("shutdown failed".to_owned());
            Ok(ExitCode::FAILURE)
        }
        Err(error) => Err(give_up(error, &init, &mut made, announcer)),
    }
}

/// Takes back what was said to init and to the next boot, as there is no client to ask init with.
fn give_up(
    error: io::Error,
    init: &Path,
    made: &mut Made,
    announcer: &Announcer<'_>,
) -> anyhow::Error {
    made.remove();
    drop(set_halt_variable(None));
    announcer.log("shutdown failed".to_owned());
    anyhow::Error::new(error).context(format!("running {}", init.display()))
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

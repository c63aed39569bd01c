//! All services at once: `service --status-all` and `service --failed`.

use std::ffi::OsStr;
use std::io::IsTerminal;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::Context;

use super::script::{self, Answer, LIMIT};
use crate::cmd::services::Services;
use crate::cmd::{Invocation, recorded_level};
use crate::columns::aligned;
use crate::paths::Paths;
use crate::process::ExitStatus;
use crate::services::answer::{Listed, listed};
use crate::services::state::{Judgement, State};
use crate::sys;
use crate::sys::capture::Captured;

/// Lists the services: for people where standard output is a terminal, else as service(8) always does.
pub(super) fn status_all(call: &Invocation, services: &Services) -> anyhow::Result<()> {
    if std::io::stdout().is_terminal() {
        return table(call, services);
    }
    // Compat: a script is run from the root by service(8), and from here where it asks all of them.
    let folder = services.folder();
    sys::files::change_to(folder).with_context(|| folder.display().to_string())?;
    for name in services.executables().context("reading the rc scripts")? {
        let sign = sign(call, services, &name);
        let line = [b" [ ", sign.text(), b" ]  ", name.as_bytes()].concat();
        if sign == Listed::Unknown {
            sys::print::error_bytes(&line);
        } else {
            sys::print::bytes(&[&line[..], b"\n"].concat()).context("standard output")?;
        }
    }
    Ok(())
}

/// Runs the status action of one service and chooses its sign.
fn sign(call: &Invocation, services: &Services, name: &OsStr) -> Listed {
    let Ok(Captured { output, status, .. }) = script::run(&services.path(name)) else {
        return Listed::Stopped;
    };
    match status {
        Some(ExitStatus::Exited(code)) => listed(&output, code),
        Some(ExitStatus::Killed(signal)) => listed(&output, script::killed(signal)),
        None => {
            late(call, name);
            Listed::Unknown
        }
    }
}

fn late(call: &Invocation, name: &OsStr) {
    sys::print::error(&format!(
        "{}: {}: its status action has not ended within {} seconds",
        call.name,
        name.as_bytes().escape_ascii(),
        LIMIT.as_secs()
    ));
}

/// Prints the table. Scripts are asked only where nothing else tells.
fn table(call: &Invocation, services: &Services) -> anyhow::Result<()> {
    let mut rows = vec![["NAME", "STATE", "PID", "SINCE", "LEVELS"].map(str::to_owned)];
    for name in services.names().context("reading the rc scripts")? {
        let row = match services.script(&name) {
            Ok(script) => {
                let judgement = services.judge(&script);
                let word = match judgement.state {
                    State::Unknown if script.has_status => asked(call, services, &name),
                    _ => judgement.word(),
                };
                let pids: Vec<String> = judgement
                    .state
                    .processes()
                    .iter()
                    .map(ToString::to_string)
                    .collect();
                let since = services.since(&judgement).and_then(moment);
                [word.to_owned(), pids.join(","), since.unwrap_or_default()]
            }
            Err(_) => ["unknown".to_owned(), String::new(), String::new()],
        };
        let [state, pid, since] = row;
        rows.push([
            name.as_bytes().escape_ascii().to_string(),
            state,
            pid,
            since,
            services.levels(&name).to_string(),
        ]);
    }
    sys::print::text(&aligned(&rows)).context("standard output")
}

/// One word for what the script itself says.
fn asked(call: &Invocation, services: &Services, name: &OsStr) -> &'static str {
    match script::ask(&services.path(name)) {
        Ok(Answer::Given { status, .. }) => match status {
            // The LSB means both `it runs' and `all is well', and no process of it is known.
            ExitStatus::Exited(0) => "ok",
            ExitStatus::Exited(1 | 2) => "dead",
            ExitStatus::Exited(3) => "stopped",
            _ => "unknown",
        },
        Ok(Answer::NoSuchAction) | Err(_) => "unknown",
        Ok(Answer::Late) => {
            late(call, name);
            "unknown"
        }
    }
}

/// A point in time in few letters.
fn moment(time: Duration) -> Option<String> {
    Some(sys::calendar::local(time).ok()?.stamp())
}

/// Names the services that should run and do not, or whose last start failed. There being any is exit status 1.
pub(super) fn failed(call: &Invocation, services: &Services) -> anyhow::Result<ExitCode> {
    let level = recorded_level::current(&Paths::default());
    if level.is_none() {
        sys::print::error(&format!(
            "{}: the current runlevel is not known: only failed starts are listed",
            call.name
        ));
    }
    let mut any = false;
    for name in services.names().context("reading the rc scripts")? {
        let Ok(script) = services.script(&name) else {
            continue;
        };
        let judgement = services.judge(&script);
        let should_run = level.is_some_and(|level| services.levels(&name).should_run_in(level));
        if is_failed(&judgement, should_run) {
            any = true;
            let line = format!("{} {judgement}\n", name.as_bytes().escape_ascii());
            sys::print::text(&line).context("standard output")?;
        }
    }
    Ok(if any {
        ExitCode::FAILURE
    } else {
        ExitCode::SUCCESS
    })
}

fn is_failed(judgement: &Judgement, should_run: bool) -> bool {
    judgement.failure.is_some() || (should_run && judgement.is_trouble())
}

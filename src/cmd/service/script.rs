//! Running an rc script as service(8) does: from the root directory, with few variables, and as the words stand.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, anyhow};

use crate::cmd::{Invocation, reason};
use crate::process::{ExitStatus, Signal};
use crate::services::answer::{Reply, reply};
use crate::sys;
use crate::sys::capture::{Captured, capture};

/// How long a status action may take before nobody waits for it any more.
pub(super) const LIMIT: Duration = Duration::from_secs(10);
/// As much of what a status action says is looked at.
const MOST: usize = 1 << 20;
/// What shells return for a program that is there and cannot be run, and for one that is not there.
const CANNOT_RUN: u8 = 126;
const NOT_FOUND: u8 = 127;
/// What a shell adds to a signal's number to make an exit status of it.
const SIGNALLED: i32 = 128;
/// The variables a script gets; unset ones are passed on empty.
const VARIABLES: [&str; 17] = [
    "LANG",
    "LANGUAGE",
    "LC_ALL",
    "LC_ADDRESS",
    "LC_COLLATE",
    "LC_CTYPE",
    "LC_IDENTIFICATION",
    "LC_MEASUREMENT",
    "LC_MESSAGES",
    "LC_MONETARY",
    "LC_NAME",
    "LC_NUMERIC",
    "LC_PAPER",
    "LC_TELEPHONE",
    "LC_TIME",
    "PATH",
    "TERM",
];
/// Where programs are looked for if nothing says so: what Debian's shell has for that case.
const SEARCH_PATH: &str = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";

/// What came of asking a script for the status.
#[derive(Debug)]
pub(super) enum Answer {
    /// The script has said something.
    Given { output: Vec<u8>, status: ExitStatus },
    /// It does not know the action.
    NoSuchAction,
    /// It was killed when its time was over.
    Late,
}

fn environment() -> Vec<(OsString, OsString)> {
    let value = |name: &str| {
        let unset = if name == "PATH" { SEARCH_PATH } else { "" };
        std::env::var_os(name).unwrap_or_else(|| unset.into())
    };
    VARIABLES
        .iter()
        .map(|name| (name.into(), value(name)))
        .collect()
}

/// Becomes the script. Returns only where that fails.
pub(super) fn become_it(call: &Invocation, path: &Path, words: &[OsString]) -> ExitCode {
    let mut error = sys::exec::replace_with(path, words, &environment());
    if error.raw_os_error() == Some(libc::ENOEXEC) {
        // A script without `#!` is one for the shell, as execvp(3) has it.
        let mut all = vec![path.as_os_str().to_owned()];
        all.extend(words.iter().cloned());
        error = sys::exec::replace_with(Path::new("/bin/sh"), &all, &environment());
    }
    cannot_run(call, path, &error)
}

/// Says that a script cannot be run, and returns how that ends.
pub(super) fn cannot_run(call: &Invocation, path: &Path, error: &io::Error) -> ExitCode {
    ExitCode::from(why_not(call, path, error))
}

/// Says that a script cannot be run, and returns the exit status for that.
pub(in crate::cmd) fn why_not(call: &Invocation, path: &Path, error: &io::Error) -> u8 {
    let (why, code) = refusal(error);
    sys::print::error(&format!("{}: {}: {why}", call.name, path.display()));
    code
}

/// Says why a script cannot be run, and which exit status that is.
fn refusal(error: &io::Error) -> (String, u8) {
    match error.kind() {
        // The file was there a moment ago, so it is the interpreter of its first line that is not.
        io::ErrorKind::NotFound => ("its interpreter is missing".to_owned(), NOT_FOUND),
        _ => (reason(error), CANNOT_RUN),
    }
}

/// Runs a script to its end, however long that takes, and hears what it says. Whoever it leaves behind with its output
/// keeps it.
pub(in crate::cmd) fn run_and_hear(
    path: &Path,
    action: &OsStr,
) -> anyhow::Result<(Vec<u8>, ExitStatus)> {
    let heard = hear(path, action, Duration::MAX).map_err(|error| {
        let (why, _) = refusal(&error);
        anyhow!("{}: {why}", path.display())
    })?;
    if let Some(held) = heard.held {
        // Where no process can be had, the output ends here.
        sys::child::fork_and_call(|| {
            sys::process::lead_session();
            sys::background::let_go_of_standard_files().unwrap_or_default();
            held.drain().unwrap_or_default();
        })
        .map(drop)
        .unwrap_or_default();
    }
    let status = heard.status.context("it has been killed")?;
    Ok((heard.output, status))
}

/// Runs a script to its end and returns its exit status, as a shell counts.
pub(in crate::cmd) fn run_to_end(
    path: &Path,
    words: &[OsString],
    environment: &[(OsString, OsString)],
) -> io::Result<u8> {
    let status = sys::exec::run_with(path, words, environment).or_else(|error| {
        if error.raw_os_error() == Some(libc::ENOEXEC) {
            let mut all = vec![path.as_os_str().to_owned()];
            all.extend(words.iter().cloned());
            return sys::exec::run_with(Path::new("/bin/sh"), &all, environment);
        }
        Err(error)
    })?;
    Ok(match status {
        ExitStatus::Exited(code) => code,
        ExitStatus::Killed(signal) => killed(signal),
    })
}

/// Stops the service whatever comes of it, then starts it and ends as that does.
pub(super) fn full_restart(call: &Invocation, path: &Path) -> ExitCode {
    match run_to_end(path, &["stop".into()], &environment()) {
        Ok(_) => become_it(call, path, &["start".into()]),
        Err(error) => cannot_run(call, path, &error),
    }
}

/// Runs the status action of a script and hears what it says, for so long and no longer.
pub(super) fn ask(path: &Path) -> io::Result<Answer> {
    let Captured { output, status, .. } = run(path)?;
    Ok(match status {
        None => Answer::Late,
        Some(ExitStatus::Exited(code)) if reply(&output, code) == Reply::NoSuchAction => {
            Answer::NoSuchAction
        }
        Some(status) => Answer::Given { output, status },
    })
}

/// Runs the status action of a script.
pub(super) fn run(path: &Path) -> io::Result<Captured> {
    hear(path, OsStr::new("status"), LIMIT)
}

/// Runs a script and hears what it says.
fn hear(path: &Path, action: &OsStr, limit: Duration) -> io::Result<Captured> {
    let environment = environment();
    let environment: Vec<(&OsStr, &OsStr)> = environment
        .iter()
        .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
        .collect();
    match capture(path, &[action], &environment, limit, MOST) {
        Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
            let words = [path.as_os_str(), action];
            capture(Path::new("/bin/sh"), &words, &environment, limit, MOST)
        }
        captured => captured,
    }
}

/// Returns the exit status that a shell makes of a signal.
pub(in crate::cmd) fn killed(signal: Signal) -> u8 {
    u8::try_from(SIGNALLED.saturating_add(signal.0)).unwrap_or(u8::MAX)
}

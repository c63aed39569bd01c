//! Runs the steps of a plan and keeps a record of how they ended.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use anyhow::Context;

use super::tree::Tree;
use crate::process::ExitStatus;
use crate::rcdir::plan::Argument;
use crate::sys;
use crate::sys::script::{HeldSignals, Occurrence, Progress};

/// LSB: the program is not installed; the script has nothing to do.
const NOT_INSTALLED: u8 = 5;
/// LSB: the program is not configured; the same.
const NOT_CONFIGURED: u8 = 6;

/// How the scripts of a level ended.
#[derive(Debug, Default)]
pub(super) struct Record {
    /// Number of scripts that were run.
    run: usize,
    /// Name and reason of those that failed.
    failures: Vec<(String, String)>,
    terminated: Option<Termination>,
}

/// Where a TERM cut the run short.
#[derive(Debug)]
struct Termination {
    at: String,
    not_run: usize,
}

/// How one script ended, and whether rc was asked to end meanwhile.
struct Ending {
    result: io::Result<ExitStatus>,
    terminated: bool,
}

/// Runs every step of the plan, until one of them is cut short by a TERM.
pub(super) fn all(tree: &Tree, environment: &[(OsString, OsString)]) -> anyhow::Result<Record> {
    let signals = HeldSignals::hold().context("blocking signals")?;
    sys::script::set_umask_022();
    // A console that cannot be set is no reason not to boot.
    sys::output_terminal::return_at_line_ends().unwrap_or_default();
    let mut record = Record::default();
    let mut steps = tree.plan.steps.iter();
    while let Some(step) = steps.next() {
        let name = step.link.name.escape_ascii().to_string();
        let Ending { result, terminated } =
            one(&signals, &tree.program(step), step.argument, environment)?;
        record.run += 1;
        if terminated {
            record.terminated = Some(Termination {
                at: name,
                not_run: steps.len(),
            });
            break;
        }
        record
            .failures
            .extend(failure(&result).map(|why| (name, why)));
    }
    Ok(record)
}

/// Runs one script and waits until it has ended.
fn one(
    signals: &HeldSignals,
    program: &Path,
    argument: Argument,
    environment: &[(OsString, OsString)],
) -> io::Result<Ending> {
    let environment: Vec<(&OsStr, &OsStr)> = environment
        .iter()
        .map(|(name, value)| (name.as_os_str(), value.as_os_str()))
        .collect();
    let word = OsStr::new(argument.word());
    let started = match sys::script::start(program, [word], &environment) {
        // A script without `#!` is one for the shell, as execvp(3) has it.
        Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
            let words = [program.as_os_str(), word];
            sys::script::start(Path::new("/bin/sh"), words, &environment)
        }
        started => started,
    };
    log::debug!("{} {}", program.display(), argument.word());
    let mut terminated = false;
    let script = match started {
        Ok(script) => script,
        Err(error) => {
            return Ok(Ending {
                result: Err(error),
                terminated,
            });
        }
    };
    loop {
        match signals.next()? {
            Occurrence::ChildChanged => match sys::script::progress(script)? {
                Progress::Runs => {}
                Progress::Suspended => sys::script::resume_group()?,
                Progress::Ended(status) => {
                    return Ok(Ending {
                        result: Ok(status),
                        terminated,
                    });
                }
            },
            Occurrence::Terminate => {
                // Handed on once: whoever signals rc again may signal the script too.
                if !terminated {
                    sys::script::terminate(script)?;
                }
                terminated = true;
            }
            // The script may take its own signal later, and is then seen to be suspended. It may also never be: a shell
            // that waits in vfork(2) for a child of its own does not stop, although the child does.
            Occurrence::Suspend => sys::script::resume_group()?,
            Occurrence::Interrupt => {}
        }
    }
}

/// Says why a script counts as failed, if it does.
fn failure(result: &io::Result<ExitStatus>) -> Option<String> {
    match result {
        Ok(ExitStatus::Exited(0 | NOT_INSTALLED | NOT_CONFIGURED)) => None,
        Ok(status) => Some(status.to_string()),
        Err(error) => Some(match error.kind() {
            // The file was there a moment ago, so it is the interpreter of its first line that is not.
            io::ErrorKind::NotFound => "its interpreter is missing".to_owned(),
            _ => error.to_string(),
        }),
    }
}

impl Record {
    /// Names the scripts that failed, if any did.
    pub(super) fn failure_line(&self) -> Option<String> {
        if self.failures.is_empty() {
            return None;
        }
        let each = self
            .failures
            .iter()
            .map(|(name, why)| format!("{name} ({why})"));
        Some(format!(
            "{} of {} scripts failed: {}",
            self.failures.len(),
            self.run,
            each.collect::<Vec<_>>().join(", ")
        ))
    }

    /// Tells whether a TERM has cut the run short.
    pub(super) fn was_terminated(&self) -> bool {
        self.terminated.is_some()
    }

    /// Says what a TERM has kept from being run. If the script at hand was the last one that is nothing: it may well be
    /// the one that has asked for another level.
    pub(super) fn termination_line(&self) -> Option<String> {
        let Termination { at, not_run } = self.terminated.as_ref()?;
        (*not_run > 0).then(|| format!("ended during {at}; {not_run} scripts not run"))
    }
}

//! What an administrator wants to know about an inittab before a boot depends on it: `init --check`.
//!
//! Reads the table as PID 1 does and adds what PID 1 only learns when it is too late: programs and terminals
//! that are not there, levels nobody can log in to, lines that never run. What exists on the machine is asked
//! through [`Surroundings`], so that everything here is decided from values.
#![forbid(unsafe_code)]

use super::command::{Command, Initscript, command, served_terminal};
use super::default_level::{DefaultLevel, default_level};
use super::diagnostic::{Diagnostic, Field, Problem};
use super::parse::{Kept, Place, Reading, Source, read};
use super::{Action, Entry};
use crate::runlevel::Runlevel;
use std::fmt;

/// How bad a finding is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// It works, but hardly as meant.
    Warning,
    /// Something will not run, or nobody will get in.
    Error,
}

impl Severity {
    /// Returns the word messages use.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// One thing to say about a table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// The file, as the caller named it.
    pub path: String,
    /// The line, counted from 1; 0 where the finding is about the file as a whole.
    pub line: usize,
    /// The byte in the line, counted from 1; 0 with line 0.
    pub column: usize,
    /// How bad it is.
    pub severity: Severity,
    /// What it is, and what init will do about it.
    pub text: String,
}

/// Prints as `PATH:LINE:COLUMN: SEVERITY: TEXT`, without line and column where it has none.
impl fmt::Display for Finding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.path)?;
        if self.line > 0 {
            write!(f, ":{}:{}", self.line, self.column)?;
        }
        write!(f, ": {}: {}", self.severity.name(), self.text)
    }
}

/// What a word that should name a program leads to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProgramState {
    /// A file that can be executed.
    Executable,
    /// A file that cannot.
    NotExecutable,
    /// Nothing.
    Missing,
}

/// The machine the table is for.
pub trait Surroundings {
    /// Looks a program up as init would: by path, or along init's search path.
    fn program(&self, word: &[u8]) -> ProgramState;
    /// Tells whether a terminal of that name is below `/dev`.
    fn has_terminal(&self, name: &[u8]) -> bool;
}

/// Characters that send a line to the shell without looking as if they did.
const SURPRISING: &[u8] = b"~!^={}[]";
/// Characters that nobody would write without wanting the shell.
const PLAINLY_SHELL: &[u8] = b"`$&*()|\\;\"'<>?";
/// Actions only busybox init knows.
const BUSYBOX_ACTIONS: [&[u8]; 3] = [b"askfirst", b"shutdown", b"restart"];

/// Says everything there is to say, in the order of the files, findings about the whole table last.
pub fn check(sources: &[Source<'_>], surroundings: &dyn Surroundings) -> Vec<Finding> {
    let Reading {
        kept, diagnostics, ..
    } = read(sources);
    let mut findings: Vec<Finding> = diagnostics.iter().map(Finding::from).collect();
    findings.extend(busybox_dialect(&diagnostics));
    for Kept { entry, place } in &kept {
        if let Some(place) = place {
            check_entry(entry, *place, surroundings, &mut findings);
        }
    }
    let order = |path: &str| sources.iter().position(|source| source.path == path);
    findings.sort_by_key(|finding| (order(&finding.path), finding.line, finding.column));
    findings.extend(check_table(&kept, sources));
    findings
}

impl From<&Diagnostic> for Finding {
    fn from(diagnostic: &Diagnostic) -> Self {
        Self {
            path: diagnostic.path.clone(),
            line: diagnostic.line,
            column: diagnostic.column,
            severity: if diagnostic.problem.drops_the_line() {
                Severity::Error
            } else {
                Severity::Warning
            },
            text: diagnostic.problem.to_string(),
        }
    }
}

impl Place<'_> {
    fn finding(self, column: usize, severity: Severity, text: impl Into<String>) -> Finding {
        Finding {
            path: self.path.to_owned(),
            line: self.line,
            column,
            severity,
            text: text.into(),
        }
    }
}

/// One word on the first line that only busybox init could have been meant to read.
fn busybox_dialect(diagnostics: &[Diagnostic]) -> Option<Finding> {
    let telltale = diagnostics
        .iter()
        .find(|diagnostic| match &diagnostic.problem {
            Problem::Missing(field) => *field == Field::Id,
            Problem::UnknownAction(word) => BUSYBOX_ACTIONS.contains(&word.as_ref()),
            _ => false,
        })?;
    Some(Finding {
        severity: Severity::Warning,
        text: "this looks like an inittab for busybox init, which has terminals for ids, no runlevels, and \
               the actions askfirst, shutdown and restart; init(8) reads none of these"
            .to_owned(),
        ..Finding::from(telltale)
    })
}

fn check_entry(
    entry: &Entry,
    place: Place<'_>,
    surroundings: &dyn Surroundings,
    findings: &mut Vec<Finding>,
) {
    if matches!(entry.action, Action::InitDefault | Action::Off) {
        return;
    }
    let in_a_phase = matches!(
        entry.action,
        Action::SysInit | Action::Boot | Action::BootWait
    );
    if !in_a_phase && entry.runlevels.is_empty() {
        let text = "no runlevel is named here: the entry never runs";
        findings.push(place.finding(place.runlevels, Severity::Warning, text));
    }
    let marks = entry
        .process
        .iter()
        .take_while(|byte| matches!(byte, b'+' | b'@'))
        .count();
    let column = place.process + marks;
    match command(entry, None, Initscript::Absent) {
        Command::Direct { words, .. } => {
            let Some(program) = words.first() else {
                let text = "no command: there is nothing to run";
                findings.push(place.finding(column, Severity::Error, text));
                return;
            };
            findings.extend(check_program(program, place, column, surroundings));
            findings.extend(check_terminal(entry, place, column, surroundings));
        }
        Command::Shell { script } => {
            findings.extend(surprise(&script, place, column));
            let first = script
                .split(|byte| b" \t".contains(byte))
                .find(|word| !word.is_empty());
            let plain = |word: &&[u8]| {
                !word
                    .iter()
                    .any(|byte| [SURPRISING, PLAINLY_SHELL].concat().contains(byte))
            };
            // A word without a slash may be one of the shell's own commands.
            if let Some(word) = first.filter(plain).filter(|word| word.contains(&b'/')) {
                findings.extend(check_program(word, place, column, surroundings));
            }
        }
        Command::InitScript { .. } => {}
    }
}

fn check_program(
    program: &[u8],
    place: Place<'_>,
    column: usize,
    surroundings: &dyn Surroundings,
) -> Option<Finding> {
    let what = match surroundings.program(program) {
        ProgramState::Executable => return None,
        ProgramState::NotExecutable => "is not executable",
        ProgramState::Missing => "does not exist",
    };
    let text = format!("{} {what}", program.escape_ascii());
    Some(place.finding(column, Severity::Error, text))
}

/// init holds a getty whose terminal is not there, and looks for it every five minutes.
fn check_terminal(
    entry: &Entry,
    place: Place<'_>,
    column: usize,
    surroundings: &dyn Surroundings,
) -> Option<Finding> {
    let terminal = served_terminal(entry).filter(|name| !surroundings.has_terminal(name))?;
    let text = format!(
        "there is no terminal /dev/{} on this machine",
        terminal.escape_ascii()
    );
    Some(place.finding(column, Severity::Warning, text))
}

fn surprise(script: &[u8], place: Place<'_>, column: usize) -> Option<Finding> {
    if script.iter().any(|byte| PLAINLY_SHELL.contains(byte)) {
        return None;
    }
    let (offset, byte) = script
        .iter()
        .enumerate()
        .find(|(_, byte)| SURPRISING.contains(byte))?;
    let text = format!(
        "'{}' sends the command to /bin/sh; begin it with @ if that is not meant",
        char::from(*byte)
    );
    Some(place.finding(column + offset, Severity::Warning, text))
}

/// What only the table as a whole can show.
fn check_table(kept: &[Kept<'_>], sources: &[Source<'_>]) -> Vec<Finding> {
    let whole = |severity, text: String| Finding {
        path: sources
            .first()
            .map_or_else(|| "inittab".to_owned(), |source| source.path.to_owned()),
        line: 0,
        column: 0,
        severity,
        text,
    };
    let named = kept
        .iter()
        .find(|kept| kept.entry.action == Action::InitDefault);
    let at = |severity, text: String| match named.and_then(|kept| kept.place) {
        Some(place) => place.finding(place.runlevels, severity, text),
        None => whole(severity, text),
    };
    match default_level(kept.iter().map(|kept| &kept.entry)) {
        DefaultLevel::Missing => {
            vec![at(
                Severity::Warning,
                "no initdefault: init asks for a runlevel at the console".to_owned(),
            )]
        }
        DefaultLevel::Invalid(byte) => {
            let text = format!(
                "'{}' is no runlevel: init asks for one at the console",
                byte.escape_ascii()
            );
            vec![at(Severity::Error, text)]
        }
        DefaultLevel::Level(level @ (Runlevel::HALT | Runlevel::REBOOT)) => {
            let what = if level == Runlevel::HALT {
                "halts"
            } else {
                "reboots"
            };
            vec![at(
                Severity::Error,
                format!("initdefault {level}: the machine {what} as soon as it has booted"),
            )]
        }
        DefaultLevel::Level(level) if !offers_a_login(kept, level) => {
            let text =
                format!("no entry is respawned in runlevel {level}: nobody can log in there");
            vec![whole(Severity::Error, text)]
        }
        DefaultLevel::Level(_) => Vec::new(),
    }
}

fn offers_a_login(kept: &[Kept<'_>], level: Runlevel) -> bool {
    kept.iter().map(|kept| &kept.entry).any(|entry| {
        let stays = matches!(entry.action, Action::Respawn | Action::OnDemand)
            || (level == Runlevel::SINGLE && entry.action == Action::Wait);
        stays && entry.runlevels.contains(level)
    })
}

#[cfg(test)]
mod tests;

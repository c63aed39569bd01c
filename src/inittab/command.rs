//! The process field of an inittab(5) entry to what init runs.
//!
//! Decides between the program itself, the shell and `/etc/initscript` (initscript(5)), and takes off the
//! marks `+` and `@`. Runs nothing and looks at no file.
#![forbid(unsafe_code)]

use super::{Action, Entry, EntryId};
use crate::runlevel::Runlevel;

/// Where a process field that holds one of these goes through the shell, unless `@` forbids it.
const SHELL_CHARACTERS: &[u8] = b"~`!$^&*()=|\\{}[];\"'<>?";
/// The shell, by inittab(5).
const SHELL: &[u8] = b"/bin/sh";
/// Where initscript(5) stands.
const INITSCRIPT: &[u8] = b"/etc/initscript";

/// Whether `/etc/initscript` can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Initscript {
    /// It can.
    Present,
    /// It cannot.
    Absent,
}

/// Whether utmp and wtmp get records of the process (utmp(5)).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Accounting {
    /// They do.
    Recorded,
    /// They do not: the process field begins with `+`.
    Suppressed,
}

impl Accounting {
    /// Reads the mark of a process field.
    pub fn of(process: &[u8]) -> Self {
        if process.starts_with(b"+") {
            Self::Suppressed
        } else {
            Self::Recorded
        }
    }
}

/// How an entry's process is run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Command {
    /// By itself. The first word is the program, looked for in PATH.
    Direct {
        /// The program and its arguments; none where the process field is empty, and then it cannot be run.
        words: Vec<Box<[u8]>>,
        /// The process field without its marks.
        process: Box<[u8]>,
    },
    /// As `/bin/sh -c SCRIPT`.
    Shell {
        /// The process field without its marks.
        script: Box<[u8]>,
    },
    /// As `/bin/sh /etc/initscript ID RUNLEVELS ACTION PROCESS`.
    InitScript {
        /// The entry's id.
        id: EntryId,
        /// Its runlevels field as init keeps it.
        levels: Box<[u8]>,
        /// Its action.
        action: Action,
        /// The process field without its marks.
        process: Box<[u8]>,
    },
}

/// Decides how to run an entry in a level; `level` is `None` in the sysinit and boot phases.
///
/// Single user mode never goes through initscript: it is where a broken initscript is repaired.
pub fn command(entry: &Entry, level: Option<Runlevel>, initscript: Initscript) -> Command {
    let field = entry.process.strip_prefix(b"+").unwrap_or(&entry.process);
    let unmarked = field.strip_prefix(b"@");
    let process = unmarked.unwrap_or(field);
    if initscript == Initscript::Present && level != Some(Runlevel::SINGLE) {
        Command::InitScript {
            id: entry.id.clone(),
            levels: entry.levels.clone(),
            action: entry.action,
            process: process.into(),
        }
    } else if unmarked.is_none() && process.iter().any(|byte| SHELL_CHARACTERS.contains(byte)) {
        Command::Shell {
            script: process.into(),
        }
    } else {
        Command::Direct {
            words: words(process),
            process: process.into(),
        }
    }
}

/// Programs whose arguments name the terminal they serve.
const GETTYS: [&[u8]; 5] = [b"getty", b"agetty", b"mingetty", b"fgetty", b"mgetty"];
/// How names of terminals begin, below `/dev`.
const TERMINALS: [&[u8]; 6] = [b"tty", b"console", b"hvc", b"xvc", b"pts/", b"vc/"];

/// Returns the terminal that a getty entry serves, as named below `/dev`; nothing where the process is no getty, or
/// where its words do not tell.
pub fn served_terminal(entry: &Entry) -> Option<Box<[u8]>> {
    let Command::Direct { words, .. } = command(entry, None, Initscript::Absent) else {
        return None;
    };
    let (program, arguments) = words.split_first()?;
    let name = program.rsplit(|&byte| byte == b'/').next()?;
    if !GETTYS.contains(&name) {
        return None;
    }
    arguments
        .iter()
        .map(|word| word.strip_prefix(b"/dev/").unwrap_or(word))
        .find(|word| TERMINALS.iter().any(|start| word.starts_with(start)))
        .map(Box::from)
}

/// Programs that talk to whoever sits at the terminal they are started on.
const CONVERSATIONS: [&[u8]; 2] = [b"sulogin", b"login"];
/// Shells, which do so unless they are given something to run.
const SHELLS: [&[u8]; 7] = [b"sh", b"ash", b"bash", b"dash", b"ksh", b"mksh", b"zsh"];

/// Tells whether an entry's program talks to whoever sits at the terminal it is started on. A getty opens one itself.
pub fn is_interactive(entry: &Entry) -> bool {
    let Command::Direct { words, .. } = command(entry, None, Initscript::Absent) else {
        return false;
    };
    let Some((program, arguments)) = words.split_first() else {
        return false;
    };
    let name = program.rsplit(|&byte| byte == b'/').next();
    let name = name.map(|name| name.strip_prefix(b"-").unwrap_or(name));
    let is_in = |names: &[&[u8]]| name.is_some_and(|name| names.contains(&name));
    let has_nothing_to_run = arguments.iter().all(|word| {
        let is_option = word.starts_with(b"-") && word.as_ref() != b"-c";
        is_option || word.is_empty()
    });
    is_in(&CONVERSATIONS) || (is_in(&SHELLS) && has_nothing_to_run)
}

impl Command {
    /// Returns the program and its arguments; empty where there is nothing to run.
    pub fn argv(&self) -> Vec<Box<[u8]>> {
        match self {
            Self::Direct { words, .. } => words.clone(),
            Self::Shell { script } => boxed([SHELL, b"-c", script]),
            Self::InitScript {
                id,
                levels,
                action,
                process,
            } => boxed([
                SHELL,
                INITSCRIPT,
                id.as_bytes(),
                levels,
                action.name().as_bytes(),
                process,
            ]),
        }
    }

    /// Returns what to run instead when the kernel takes the program for no program (ENOEXEC): a script
    /// without `#!` is the shell's. `None` where the program is the shell already.
    pub fn fallback_shell(&self) -> Option<Vec<Box<[u8]>>> {
        match self {
            Self::Direct { process, .. } => {
                let script = [b"exec ", process.as_ref()].concat();
                Some(boxed([SHELL, b"-c", &script]))
            }
            Self::Shell { .. } | Self::InitScript { .. } => None,
        }
    }
}

fn boxed<const N: usize>(words: [&[u8]; N]) -> Vec<Box<[u8]>> {
    words.into_iter().map(Box::from).collect()
}

/// Splits at blanks; a `#` ends the command, in the middle of a word too.
///
/// Compat: a `#` that begins a word leaves an empty last argument, as in the original: a program that
/// counts its arguments must see no difference.
fn words(process: &[u8]) -> Vec<Box<[u8]>> {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let mut parts = process.splitn(2, |&byte| byte == b'#');
    let command = parts.next().unwrap_or_default();
    let has_comment = parts.next().is_some();
    let mut words: Vec<Box<[u8]>> = command
        .split(is_blank)
        .filter(|word| !word.is_empty())
        .map(Box::from)
        .collect();
    if has_comment && command.last().is_none_or(is_blank) {
        words.push(Box::default());
    }
    words
}

#[cfg(test)]
mod tests;

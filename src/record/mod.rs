//! The record of a boot: what was started, when, how it ended and what it took, one line a fact.
//!
//! PID 1 writes a line at the start and at the end of every inittab entry's process, `rc` one at the start and at
//! the end of every script, and both append to the same file (`initlog`(5)). This module says what a line holds, how
//! it is written and read, which beginnings and ends belong together, and how much of a process's output is kept. It
//! reads no file and knows no clock.
//!
//! ```text
//! boot id=6f6d... up=0.210000 wall=1764041184.000000
//! begin kind=entry id=si action=sysinit level=# previous=N process=/etc/init.d/rcS pid=17 up=.. wall=..
//! begin kind=run level=S previous=N pid=17 up=.. wall=..
//! begin kind=script name=cron argument=start level=2 previous=N link=S02cron pid=123 up=12.345678 wall=..
//! end kind=script name=cron argument=start pid=123 up=.. wall=.. status=exit:0 verdict=ok user=0.010000 system=0.020000 peak=3456 output=812
//! end kind=run level=S previous=N pid=17 up=.. wall=.. status=exit:0 verdict=ok scripts=41 failed=2
//! note kind=entry id=1 action=respawn up=.. wall=.. text=respawning\x20too\x20fast
//! ```
//!
//! A value holds any bytes; what is not a printable character of ASCII, a blank and the backslash are written as
//! `\x` and two hexadecimal digits. Readers skip the keys they do not know.
#![forbid(unsafe_code)]

mod blame;
mod chart;
mod history;
mod kept;
mod line;
#[cfg(test)]
mod tests;
mod text;
mod words;

pub use blame::{Share, blame};
pub use chart::chart;
pub use history::{Fate, History, Item};
pub use kept::Kept;
pub use line::{Problem, id_in, parse};
pub use words::{ending, memory, shown, took};

use crate::process::{ExitStatus, Pid};
use crate::uptime::Uptime;
use std::time::Duration;

/// A point in time on both clocks. The one that runs evenly orders and measures; the other one tells people when.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Moment {
    /// Since the machine was started.
    pub up: Uptime,
    /// Since 1970, as far as the machine knew then.
    pub wall: Duration,
}

/// What a process and the children it has waited for took.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Usage {
    /// Processor time in programs.
    pub user: Duration,
    /// Processor time in the kernel.
    pub system: Duration,
    /// The most memory one of them held at a time, in KiB.
    pub peak: u64,
}

/// What is made of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// It did what it was there for.
    Ok,
    /// It did not.
    Failed,
    /// There was nothing to do: not installed, or not configured.
    Skipped,
    /// It was ended because it took too long.
    TimedOut,
    /// It was ended by order: a key at the console, another level.
    Interrupted,
}

/// What a line is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// An rc script.
    Script,
    /// An inittab entry.
    Entry,
    /// A whole `rc LEVEL`.
    Run,
}

/// Who a line is about.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Subject {
    /// Script, entry or run.
    pub kind: Kind,
    /// The script's name, the entry's id, the run's level.
    pub name: Box<[u8]>,
    /// The script's argument, the entry's action, the level before the run.
    pub argument: Box<[u8]>,
}

impl Subject {
    /// Names an rc script and the word it is called with.
    pub fn script(name: &[u8], argument: &str) -> Self {
        Self::new(Kind::Script, name, argument.as_bytes())
    }

    /// Names an inittab entry.
    pub fn entry(id: &[u8], action: &str) -> Self {
        Self::new(Kind::Entry, id, action.as_bytes())
    }

    /// Names a run through a level's scripts by the characters of the level and of the one before.
    pub fn run(level: u8, previous: u8) -> Self {
        Self::new(Kind::Run, &[level], &[previous])
    }

    fn new(kind: Kind, name: &[u8], argument: &[u8]) -> Self {
        Self {
            kind,
            name: name.into(),
            argument: argument.into(),
        }
    }
}

/// The machine was started. Stands at the head of a file, and again once the id is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Boot {
    /// Tells one boot from another; unknown until /proc is there.
    pub id: Option<Box<[u8]>>,
    /// When the line was written.
    pub at: Moment,
}

/// A process was started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Begin {
    /// For whom.
    pub subject: Subject,
    /// Its number, where it could be started.
    pub pid: Option<Pid>,
    /// When.
    pub at: Moment,
    /// The character of the level or phase then; a run's is its name.
    pub level: Option<u8>,
    /// The character of the level before.
    pub previous: Option<u8>,
    /// A script's link, an entry's process field.
    pub what: Box<[u8]>,
}

/// A process has ended, or could not be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct End {
    /// Whose.
    pub subject: Subject,
    /// Its number, where there was one.
    pub pid: Option<Pid>,
    /// When.
    pub at: Moment,
    /// How.
    pub status: Status,
    /// What is made of it.
    pub verdict: Verdict,
    /// What it took, where that is known.
    pub usage: Option<Usage>,
    /// How many bytes it has printed, where they were counted. Not all of them need have been kept.
    pub output: Option<u64>,
    /// What a run has come to.
    pub tally: Option<Tally>,
}

/// How a process has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Status {
    /// As the kernel tells it.
    Ended(ExitStatus),
    /// It was never started, for this reason.
    NotStarted(Box<[u8]>),
}

/// The scripts of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many were run.
    pub scripts: u64,
    /// How many of them have failed, those that took too long included.
    pub failed: u64,
}

/// Something else worth knowing about a subject, such as a hold.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// About whom.
    pub subject: Subject,
    /// When.
    pub at: Moment,
    /// What.
    pub text: Box<[u8]>,
}

/// One line of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// The machine was started.
    Boot(Boot),
    /// A process was started.
    Begin(Begin),
    /// A process has ended.
    End(End),
    /// Something else.
    Note(Note),
}

/// Names the file that holds what a script has printed when it was last called with this argument.
pub fn output_name(subject: &Subject) -> Vec<u8> {
    [&subject.name, b".".as_slice(), &subject.argument].concat()
}

/// Names the file that holds what the process of an entry has printed. No script's is called so: its last part is a word.
pub fn entry_output_name(id: &[u8], pid: Pid) -> Vec<u8> {
    let mut name = Vec::new();
    for &byte in id {
        if byte == b'/' {
            name.extend_from_slice(b"\\x2f");
        } else {
            text::put_escaped(&mut name, byte);
        }
    }
    name.extend_from_slice(format!(".{pid}").as_bytes());
    name
}

/// Tells whose output is in a file of this name, if it is that of a process of the entry.
pub fn process_of_output(name: &[u8], id: &[u8]) -> Option<Pid> {
    let number = name.rsplit(|&byte| byte == b'.').next()?;
    let pid = std::str::from_utf8(number).ok()?.parse().ok()?;
    Pid::new(pid).filter(|&pid| entry_output_name(id, pid) == name)
}

/// Tells whether a file of this name holds what the process of some entry has printed.
pub fn is_entry_output(name: &[u8]) -> bool {
    let number = name.rsplit(|&byte| byte == b'.').next();
    number.is_some_and(|number| !number.is_empty() && number.iter().all(u8::is_ascii_digit))
}

/// Puts together what tells one boot from another: the kernel's word, and when PID 1 was started, as in a container
/// several are under one kernel. `stat` is the kernel's line about PID 1 (proc(5)), where it may be read.
pub fn boot_id(kernel: &[u8], stat: Option<&[u8]>) -> Box<[u8]> {
    let started = stat.and_then(|line| {
        // The name of the command may hold anything, and ends with the last parenthesis. It is the second field.
        let name_end = line.iter().rposition(|&byte| byte == b')')?;
        let mut fields = line.get(name_end..)?.split(|&byte| byte == b' ');
        fields.nth(22 - 2)
    });
    match started {
        Some(started) => [kernel.trim_ascii(), b".", started].concat().into(),
        None => kernel.trim_ascii().into(),
    }
}

/// Tells whether two ids may be of the same boot. Who could not read when PID 1 was started knows only the kernel.
pub fn is_same_boot(one: &[u8], other: &[u8]) -> bool {
    let parts = |id: &[u8]| -> Vec<Vec<u8>> {
        id.splitn(2, |&byte| byte == b'.').map(Into::into).collect()
    };
    parts(one)
        .iter()
        .zip(parts(other))
        .all(|(one, other)| *one == other)
}

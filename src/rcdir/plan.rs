//! What a change of runlevel runs: from the listings of two rc directories to an ordered list of scripts.
//!
//! # The order
//! All kill links with `stop`, then all start links with `start`, each kind in the order of its names. Kill
//! links are left out when there was no previous level: a machine that has just been started runs nothing yet.
//! In levels 0 and 6 they are run even then, because on some systems the script that halts the machine is one.
//! There start links get `stop` too, except where the layout says otherwise ([`StartInHalt`]).
//!
//! # What is not done again
//! | | scripts that the previous level left as the new one wants them |
//! |---|---|
//! | [`Repeat::All`] | are run again: `start` of a service that runs and `stop` of one that does not are no failures |
//! | [`Repeat::Changes`] | are left out: a start link is skipped where the previous level had one, a kill link where it had one and no start link |
//!
//! Two exceptions keep [`Repeat::Changes`] on the safe side: a script that the new level's kill link has just
//! stopped is started again, and level 0 or 6 as the previous one means that its run was cut short, so it counts
//! as having done nothing.
//!
//! Which rule holds is decided by the caller. Compat: Debian's rc repeats nothing where insserv keeps its
//! `.depend.*` files, which is the default there, and repeats all otherwise.
#![forbid(unsafe_code)]

use super::{Link, LinkKind, NotALink};
use crate::runlevel::Runlevel;
use std::collections::HashSet;
use std::fmt;

/// What stands behind a name in an rc directory, links followed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum File {
    /// A regular file that may be executed.
    Script,
    /// A regular file that may not: the usual way to switch a script off.
    NotExecutable,
    /// Nothing: the script has been removed, its link has not.
    Dangling,
    /// A directory, a device and the like.
    Other,
}

/// One name in an rc directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// File name, any bytes.
    pub name: Box<[u8]>,
    /// What it leads to.
    pub file: File,
}

/// Whether a script is run again that the previous level has already run to the same end.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Repeat {
    /// Every link of the new level is run.
    All,
    /// Only the difference to the previous level is run.
    Changes,
}

/// The argument that start links get in levels 0 and 6.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum StartInHalt {
    /// `stop`, as on Debian: whatever is linked there takes part in stopping.
    Stop,
    /// `start`, as on Red Hat, whose scripts `halt` and `killall` accept no other word.
    Start,
}

/// The change to plan for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// The level being entered.
    pub level: Runlevel,
    /// The level being left; none after the machine has started.
    pub previous: Option<Runlevel>,
    /// Which scripts are run again.
    pub repeat: Repeat,
    /// What start links of levels 0 and 6 mean.
    pub start_in_halt: StartInHalt,
}

/// The word a script is run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Argument {
    /// Begin the service.
    Start,
    /// End it.
    Stop,
}

/// One script to run.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// The link.
    pub link: Link,
    /// Its only argument.
    pub argument: Argument,
}

/// Why a name in the new level's directory is not run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reason {
    /// It is no link.
    NotALink(NotALink),
    /// There is nothing to execute behind it.
    NoScript(File),
    /// Nothing runs yet that a kill link could stop.
    NothingRuns,
    /// The previous level, named here, has started it.
    Started(Runlevel),
    /// The previous level, named here, has stopped it.
    Stopped(Runlevel),
}

/// What a change of level comes to.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Plan {
    /// What to run, in this order, one after another.
    pub steps: Vec<Step>,
    /// Every other name in the directory, in the order of the names.
    pub left_out: Vec<(Box<[u8]>, Reason)>,
}

/// Plans a change of level from the listings of the new and the previous level's directory, in any order.
pub fn plan(change: Change, new: &[Found], previous: &[Found]) -> Plan {
    let mut before = Before::of(change, previous);
    let mut plan = Plan::default();
    let mut links = Vec::new();
    for found in new {
        match (Link::parse(&found.name), found.file) {
            (Ok(link), File::Script) => links.push((link, &found.name)),
            (Ok(_), file) => plan
                .left_out
                .push((found.name.clone(), Reason::NoScript(file))),
            (Err(why), _) => plan
                .left_out
                .push((found.name.clone(), Reason::NotALink(why))),
        }
    }
    // Kill links come first in this order, so a start link finds what they have stopped.
    links.sort();
    for (link, file_name) in links {
        match before.reason_to_leave_out(change, &link) {
            Some(reason) => plan.left_out.push((file_name.clone(), reason)),
            None => plan.steps.push(Step {
                argument: change.argument(link.kind),
                link,
            }),
        }
    }
    plan.left_out.sort_by(|a, b| a.0.cmp(&b.0));
    plan
}

impl Change {
    /// Tells whether the level ends the machine's run.
    fn is_halt(self) -> bool {
        is_halt(self.level)
    }

    fn argument(self, kind: LinkKind) -> Argument {
        match (kind, self.start_in_halt) {
            (LinkKind::Kill, _) => Argument::Stop,
            (LinkKind::Start, StartInHalt::Stop) if self.is_halt() => Argument::Stop,
            (LinkKind::Start, _) => Argument::Start,
        }
    }
}

fn is_halt(level: Runlevel) -> bool {
    level == Runlevel::HALT || level == Runlevel::REBOOT
}

/// What the previous level has left behind, as far as its links tell and the rule asks for it.
struct Before {
    level: Option<Runlevel>,
    started: HashSet<Box<[u8]>>,
    stopped: HashSet<Box<[u8]>>,
}

impl Before {
    fn of(change: Change, listing: &[Found]) -> Self {
        let counts = change.repeat == Repeat::Changes && !change.previous.is_some_and(is_halt);
        let mut before = Self {
            level: change.previous.filter(|_| counts),
            started: HashSet::new(),
            stopped: HashSet::new(),
        };
        for found in listing.iter().filter(|found| found.file == File::Script) {
            match Link::parse(&found.name) {
                Ok(link) if link.kind == LinkKind::Start => before.started.insert(link.name),
                Ok(link) => before.stopped.insert(link.name),
                Err(_) => false,
            };
        }
        before
    }

    /// Decides about one link; a kill link that is to be run makes its script count as not started.
    fn reason_to_leave_out(&mut self, change: Change, link: &Link) -> Option<Reason> {
        match link.kind {
            LinkKind::Kill if change.previous.is_none() && !change.is_halt() => {
                return Some(Reason::NothingRuns);
            }
            LinkKind::Kill => {
                if let Some(level) = self.level
                    && self.stopped.contains(&link.name)
                    && !self.started.contains(&link.name)
                {
                    return Some(Reason::Stopped(level));
                }
                self.started.remove(&link.name);
            }
            LinkKind::Start => {
                if let Some(level) = self.level
                    && !change.is_halt()
                    && self.started.contains(&link.name)
                {
                    return Some(Reason::Started(level));
                }
            }
        }
        None
    }
}

impl Argument {
    /// Returns the word itself.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

impl fmt::Display for Reason {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotALink(why) => why.fmt(f),
            Self::NoScript(File::NotExecutable) => f.write_str("not executable"),
            Self::NoScript(File::Dangling) => f.write_str("leads to no file"),
            Self::NoScript(File::Script | File::Other) => f.write_str("not a regular file"),
            Self::NothingRuns => f.write_str("there is no previous level, so nothing runs yet"),
            Self::Started(level) => write!(f, "already started in runlevel {level}"),
            Self::Stopped(level) => write!(f, "already stopped in runlevel {level}"),
        }
    }
}

#[cfg(test)]
mod tests;

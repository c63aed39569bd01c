//! Dependency order for insserv(8) and update-rc.d(8): from what scripts say of themselves, the links there are and
//! what is asked for, to the links there should be.
//!
//! # Which scripts are enabled where
//! A script with links is enabled in the levels of these links and keeps them. One that is asked for and has none
//! gets those of its header: start links in `Default-Start`, kill links in `Default-Stop`; a level in both is one to
//! stop in. [`Levels::Default`] adds the header's to the levels of a script that has links already, where it has no
//! kill link. A header's `S` in `Default-Stop` means nothing: starting the machine stops nothing.
//!
//! # Numbers
//! A script's start links have the same number in all levels: the length of the longest chain of scripts that come
//! before it in some level, be it by way of scripts that are not in that level. So have its kill links, by the chain of
//! what is stopped before it. Scripts of level S are done when those of the other levels begin, so that each of the two
//! counts from 1. An interactive script shares its number with no other.
//!
//! Every script of init.d takes part, enabled or not, so that enabling one seldom renumbers others: a script that is
//! not enabled counts as being in its default levels. One without any level has no number; what comes after it
//! comes after what it would come after.
//!
//! # What is wrong
//! Everything is told ([`Problem`]). A problem that would leave a script without what it needs, or makes a loop,
//! refuses the request unless it is forced, but only if the request has to do with it: nobody's installation fails
//! for another's script. A request that names no script has to do with all enabled ones.
#![forbid(unsafe_code)]

mod check;
pub mod depend;
pub mod links;
pub mod names;
mod number;
mod problem;

pub use problem::{Grave, Problem, Why};

use super::facilities::Facilities;
use super::lsb::{self, Header};
use super::relations::{self, Direction};
use crate::runlevel::{Runlevel, RunlevelSet};

/// A script of init.d.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// Its file name.
    pub name: Box<[u8]>,
    /// What it or an override says of it; none if there is no header.
    pub header: Option<Header>,
    /// What is wrong with the header.
    pub diagnostics: Vec<lsb::Diagnostic>,
    /// The levels of its start links.
    pub start: RunlevelSet,
    /// The levels of its kill links.
    pub stop: RunlevelSet,
}

/// A script that is asked for.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Asked {
    /// Its file name.
    pub name: Box<[u8]>,
    /// The levels to start it in, where the request names them.
    pub start: Option<RunlevelSet>,
    /// The levels to stop it in, where the request names them.
    pub stop: Option<RunlevelSet>,
}

/// What is to be done with the scripts that are asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Verb {
    /// Link them.
    Add,
    /// Link them and all they need.
    AddWithRequired,
    /// Remove their links.
    Remove,
}

/// Which levels count for a script that has links.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Levels {
    /// Those of its links.
    Kept,
    /// Those of its links and of its header.
    Default,
}

/// Whether problems refuse a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Force {
    /// They do.
    No,
    /// They are told. Levels named in the request count instead of those of the header, even if it has some.
    Yes,
}

/// A request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// The scripts to do it with; without one, numbers are made anew.
    pub asked: Vec<Asked>,
    /// What to do.
    pub verb: Verb,
    /// Which levels count.
    pub levels: Levels,
    /// Whether to go on despite problems.
    pub force: Force,
}

/// Where a script is to be linked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Placed {
    /// The levels of its start links.
    pub start: RunlevelSet,
    /// The levels of its kill links.
    pub stop: RunlevelSet,
    /// The number of the start links.
    pub start_number: u8,
    /// The number of the kill links.
    pub stop_number: u8,
    /// It runs alone when it is started.
    pub interactive: bool,
}

/// What a request comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Outcome {
    /// For each script, in the order given, where it belongs.
    pub placed: Vec<Placed>,
    /// The text of each file that startpar reads, in the order of [`depend::FILES`].
    pub depend: [Vec<u8>; 3],
    /// Everything there is to tell.
    pub problems: Vec<Problem>,
    /// The request is refused: no link and no file is to be changed.
    pub is_refused: bool,
}

/// Decides where each script belongs. The scripts come sorted by name.
pub fn arrange(scripts: &[Script], facilities: &Facilities, request: &Request) -> Outcome {
    let known: Vec<relations::Script<'_>> = scripts.iter().map(Script::relations).collect();
    let mut placed: Vec<Placed> = scripts
        .iter()
        .map(|script| script.placed(request, facilities))
        .collect();
    if request.verb == Verb::AddWithRequired {
        check::add_required(scripts, &known, facilities, &mut placed);
    }
    let mut problems = check::problems(scripts, &known, facilities, request, &placed);
    let mut depend: [Vec<u8>; 3] = Default::default();
    for direction in [Direction::Start, Direction::Stop] {
        let levels = number::levels(scripts, &placed, direction);
        let all = relations::between(&known, facilities, direction);
        let mut graph = number::keep_what_meets(&all, &levels);
        for places in graph.break_loops() {
            let concerned = |place: &usize| {
                placed.get(*place).is_some_and(Placed::is_linked)
                    || request.asks_for(name_of(scripts, *place))
            };
            if places.iter().any(concerned) {
                let names: Vec<Box<[u8]>> = places
                    .iter()
                    .map(|&place| name_of(scripts, place).into())
                    .collect();
                problems.push(Problem::new(Why::Loop { names, direction }, request));
            }
        }
        let chains = number::with_what_follows(&graph, &all, &levels);
        let numbers = number::numbers(&chains, &levels, &placed, direction);
        for (placed, number) in placed.iter_mut().zip(&numbers) {
            match direction {
                Direction::Start => placed.start_number = capped(*number),
                Direction::Stop => placed.stop_number = capped(*number),
            }
        }
        if numbers.iter().any(|&number| number > LAST_NUMBER) {
            problems.push(Problem::new(Why::TooDeep, request));
        }
        depend::write(&mut depend, scripts, &placed, &graph, direction);
    }
    let is_refused =
        request.force == Force::No && problems.iter().any(|problem| problem.grave == Grave::Fatal);
    Outcome {
        placed,
        depend,
        problems,
        is_refused,
    }
}

/// The highest number that two digits can hold.
const LAST_NUMBER: usize = 99;

fn capped(number: usize) -> u8 {
    u8::try_from(number.min(LAST_NUMBER)).unwrap_or(u8::MAX)
}

fn name_of(scripts: &[Script], place: usize) -> &[u8] {
    scripts.get(place).map_or(&[], |script| &script.name)
}

impl Script {
    /// Tells whether it has any link.
    pub fn is_linked(&self) -> bool {
        !self.start.or(self.stop).is_empty()
    }

    fn relations(&self) -> relations::Script<'_> {
        relations::Script {
            name: &self.name,
            header: self.header.as_ref(),
        }
    }

    /// The levels its header asks for: those to start in, without those to stop in, and those to stop in.
    pub fn default_levels(&self) -> (RunlevelSet, RunlevelSet) {
        let header = self.header.as_ref();
        let stop = header.map_or(RunlevelSet::EMPTY, |header| header.default_stop);
        let start = header.map_or(RunlevelSet::EMPTY, |header| header.default_start);
        let stop = stop.and(kill_levels());
        (start.and(start_levels()).without(stop), stop)
    }

    /// Returns the levels it is linked in, for start and for kill links, or those of its header if it has no link.
    pub fn levels_or_default(&self, placed: &Placed) -> (RunlevelSet, RunlevelSet) {
        if placed.is_linked() {
            (placed.start, placed.stop)
        } else {
            self.default_levels()
        }
    }

    /// Where it is linked once the request is carried out; numbers are still to come.
    fn placed(&self, request: &Request, facilities: &Facilities) -> Placed {
        let interactive = self.header.as_ref().is_some_and(|header| {
            header.interactive
                || header
                    .provides
                    .iter()
                    .any(|name| facilities.is_interactive(name))
        });
        let mut placed = Placed {
            start: self.start,
            stop: self.stop,
            interactive,
            ..Placed::default()
        };
        for asked in request.asked.iter().filter(|asked| asked.name == self.name) {
            if request.verb == Verb::Remove {
                (placed.start, placed.stop) = (RunlevelSet::EMPTY, RunlevelSet::EMPTY);
                continue;
            }
            let (mut start, mut stop) = self.default_levels();
            let named_start = asked.start.filter(|_| request.counts(start));
            let named_stop = asked.stop.filter(|_| request.counts(stop));
            let is_named = named_start.is_some() || named_stop.is_some();
            if self.is_linked() && request.levels == Levels::Kept && !is_named {
                continue;
            }
            stop = named_stop.map_or(stop, |levels| levels.and(kill_levels()));
            if let Some(levels) = named_start {
                start = levels.and(start_levels());
            }
            start = start.without(stop);
            placed.start = placed.start.or(start.without(self.stop));
            placed.stop = placed.stop.or(stop);
        }
        placed
    }
}

impl Placed {
    /// Tells whether the script is linked anywhere.
    pub fn is_linked(&self) -> bool {
        !self.start.or(self.stop).is_empty()
    }
}

impl Request {
    /// Tells whether levels named in the request count for a script with these levels in its header.
    fn counts(&self, default: RunlevelSet) -> bool {
        self.force == Force::Yes || default.is_empty()
    }

    /// Tells whether a script is asked for by name.
    pub fn asks_for(&self, script: &[u8]) -> bool {
        self.asked.iter().any(|asked| *asked.name == *script)
    }
}

/// The levels that have start links.
pub fn start_levels() -> RunlevelSet {
    kill_levels().with(Runlevel::SINGLE)
}

/// The levels that have kill links: nothing is stopped by the start of the machine.
pub fn kill_levels() -> RunlevelSet {
    RunlevelSet::parse(b"0123456")
}

#[cfg(test)]
mod tests;

//! What the headers of scripts say about their order, in the direction of starting and in that of stopping.
//!
//! | a script's | means, while starting | a script's | means, while stopping |
//! |---|---|---|---|
//! | `Required-Start`, `Should-Start` | it comes after what is named | `Required-Stop`, `Should-Stop` | it comes before what is named |
//! | `X-Start-Before` | it comes before what is named | `X-Stop-After` | it comes after what is named |
//!
//! A name is one that a script provides, or a facility. A script without a header provides its own file name.
//!
//! `$all` in one of the lists of the first rows means every script but those that say so themselves, and those that
//! have to come behind one of these; elsewhere it means nothing.
#![forbid(unsafe_code)]

use super::facilities::{ALL, Facilities};
use super::graph::Graph;
use super::lsb::{Header, Names};
use std::collections::BTreeMap;

/// Whether scripts are started or stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Direction {
    /// Started.
    Start,
    /// Stopped.
    Stop,
}

/// A script as far as its order goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Script<'a> {
    /// Its file name in init.d.
    pub name: &'a [u8],
    /// What it says of itself, if it does.
    pub header: Option<&'a Header>,
}

impl Direction {
    /// Returns the word that scripts get.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Start => "start",
            Self::Stop => "stop",
        }
    }
}

impl Header {
    /// Lists the names that come before the script.
    pub(super) fn earlier(&self, direction: Direction) -> impl Iterator<Item = &[u8]> {
        let lists: [&Names; 2] = match direction {
            Direction::Start => [&self.required_start, &self.should_start],
            Direction::Stop => [&self.stop_after, const { &Names::new() }],
        };
        lists.into_iter().flatten().map(AsRef::as_ref)
    }

    /// Tells whether the script is to come after all others, or to be stopped before them.
    fn asks_for_all(&self, direction: Direction) -> bool {
        match direction {
            Direction::Start => self.earlier(direction).any(|name| name == ALL),
            Direction::Stop => self.later(direction).any(|name| name == ALL),
        }
    }

    /// Lists the names that come after the script.
    pub(super) fn later(&self, direction: Direction) -> impl Iterator<Item = &[u8]> {
        let lists: [&Names; 2] = match direction {
            Direction::Start => [&self.start_before, const { &Names::new() }],
            Direction::Stop => [&self.required_stop, &self.should_stop],
        };
        lists.into_iter().flatten().map(AsRef::as_ref)
    }
}

/// The edges between some scripts, numbered as they are given. What is named and is not among them counts as met.
pub(super) fn between(
    scripts: &[Script<'_>],
    facilities: &Facilities,
    direction: Direction,
) -> Graph {
    let providers = providers(scripts);
    let meant = |name: &[u8]| -> Vec<usize> {
        let members = facilities.members(name).into_iter();
        members
            .filter_map(|member| providers.get(&*member.name))
            .flatten()
            .copied()
            .collect()
    };
    let mut graph = Graph::new(scripts.len());
    let mut last = Vec::new();
    for (place, script) in scripts.iter().enumerate() {
        let Some(header) = script.header else {
            continue;
        };
        for other in header.earlier(direction).flat_map(meant) {
            graph.put_before(other, place);
        }
        for other in header.later(direction).flat_map(meant) {
            graph.put_before(place, other);
        }
        if header.asks_for_all(direction) {
            last.push(place);
        }
    }
    put_at_the_end(&mut graph, last, direction);
    graph
}

/// Lists who provides each name.
pub(super) fn providers<'a>(scripts: &[Script<'a>]) -> BTreeMap<&'a [u8], Vec<usize>> {
    let mut providers: BTreeMap<&[u8], Vec<usize>> = BTreeMap::new();
    for (place, script) in scripts.iter().enumerate() {
        match script.header {
            Some(header) => {
                for name in &header.provides {
                    providers.entry(name).or_default().push(place);
                }
            }
            None => providers.entry(script.name).or_default().push(place),
        }
    }
    providers
}

/// Puts those that ask for `$all` behind all others, or before them where scripts are stopped. What has to come
/// behind one of them belongs to them (or, where scripts are stopped, what has to come before one).
fn put_at_the_end(graph: &mut Graph, asking: Vec<usize>, direction: Direction) {
    if asking.is_empty() {
        return;
    }
    let apart = match direction {
        Direction::Start => graph.behind(&asking),
        Direction::Stop => graph.ahead_of(&asking),
    };
    let ordinary = (0..graph.len()).filter(|place| !apart.contains(place));
    for ordinary in ordinary {
        for &place in &asking {
            match direction {
                Direction::Start => graph.put_before(ordinary, place),
                Direction::Stop => graph.put_before(place, ordinary),
            }
        }
    }
}

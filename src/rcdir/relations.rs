//! What the headers of scripts say about their order, in the direction of starting and in that of stopping.
//!
//! | a script's | means, while starting | a script's | means, while stopping |
//! |---|---|---|---|
//! | `Required-Start`, `Should-Start` | it comes after what is named | `Required-Stop`, `Should-Stop` | it comes before what is named |
//! | `X-Start-Before` | it comes before what is named | `X-Stop-After` | it comes after what is named |
//!
//! A name is one that a script provides, or a facility. A script without a header provides its own file name.
#![forbid(unsafe_code)]

use super::facilities::{ALL, Facilities};
use super::graph::Graph;
use super::lsb::{Header, Names};
use std::collections::HashMap;

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

impl Header {
    /// Lists the names that come before the script.
    pub(super) fn earlier(&self, direction: Direction) -> impl Iterator<Item = &[u8]> {
        let lists: [&Names; 2] = match direction {
            Direction::Start => [&self.required_start, &self.should_start],
            Direction::Stop => [&self.stop_after, const { &Names::new() }],
        };
        lists.into_iter().flatten().map(AsRef::as_ref)
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
    let mut providers: HashMap<&[u8], Vec<usize>> = HashMap::new();
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
    let asks_for_all = |script: &Script<'_>| {
        script.header.is_some_and(|header| {
            header.earlier(direction).any(|name| name == ALL)
                || header.later(direction).any(|name| name == ALL)
        })
    };
    let ordinary: Vec<usize> = (0..scripts.len())
        .filter(|&place| {
            scripts
                .get(place)
                .is_some_and(|script| !asks_for_all(script))
        })
        .collect();
    let meant = |name: &[u8]| -> Vec<usize> {
        if name == ALL {
            return ordinary.clone();
        }
        let members = facilities.members(name).into_iter();
        members
            .filter_map(|member| providers.get(&*member.name))
            .flatten()
            .copied()
            .collect()
    };
    let mut graph = Graph::new(scripts.len());
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
    }
    graph
}

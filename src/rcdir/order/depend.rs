//! The files that startpar reads: `.depend.boot`, `.depend.start` and `.depend.stop` in init.d.
//!
//! `TARGETS =` lists the scripts in an order that can be followed one by one, `INTERACTIVE =` those that run alone,
//! and each further line a script and those that have to end before it begins. A script that others of the line
//! wait for already is left out, if these are run in every level in which the two meet.
#![forbid(unsafe_code)]

use super::super::graph::Graph;
use super::super::relations::Direction;
use super::{Placed, Script, name_of};
use crate::runlevel::{Runlevel, RunlevelSet};
use std::collections::BTreeSet;

/// The names of the files: what is started with the machine, what else is started, what is stopped.
pub const FILES: [&str; 3] = [".depend.boot", ".depend.start", ".depend.stop"];

/// Writes the texts for one direction.
pub(super) fn write(
    texts: &mut [Vec<u8>; 3],
    scripts: &[Script],
    placed: &[Placed],
    graph: &Graph,
    direction: Direction,
) {
    let single = RunlevelSet::EMPTY.with(Runlevel::SINGLE);
    let [boot, start, stop] = texts;
    match direction {
        Direction::Start => {
            let levels = |placed: &Placed| placed.start.and(single);
            *boot = text(scripts, placed, graph, direction, levels);
            let levels = |placed: &Placed| placed.start.without(single);
            *start = text(scripts, placed, graph, direction, levels);
        }
        Direction::Stop => {
            // Level S is not entered by way of startpar's stopping.
            let levels = |placed: &Placed| placed.stop.without(single);
            *stop = text(scripts, placed, graph, direction, levels);
        }
    }
}

fn text(
    scripts: &[Script],
    placed: &[Placed],
    graph: &Graph,
    direction: Direction,
    levels: impl Fn(&Placed) -> RunlevelSet,
) -> Vec<u8> {
    let number = |placed: &Placed| match direction {
        Direction::Start => placed.start_number,
        Direction::Stop => placed.stop_number,
    };
    let levels: Vec<RunlevelSet> = placed.iter().map(levels).collect();
    let linked = placed.iter().enumerate();
    let mut targets: Vec<(u8, usize)> = linked
        .filter(|(place, _)| !at(&levels, *place).is_empty())
        .map(|(place, placed)| (number(placed), place))
        .collect();
    targets.sort_unstable();
    let mut text = b"TARGETS =".to_vec();
    let add = |text: &mut Vec<u8>, place: usize| {
        text.push(b' ');
        text.extend_from_slice(name_of(scripts, place));
    };
    for &(_, place) in &targets {
        add(&mut text, place);
    }
    text.push(b'\n');
    if direction == Direction::Start {
        text.extend_from_slice(b"INTERACTIVE =");
        for &(_, place) in &targets {
            if placed.get(place).is_some_and(|placed| placed.interactive) {
                add(&mut text, place);
            }
        }
        text.push(b'\n');
    }
    for &(_, place) in &targets {
        let needs = direct_needs(graph, &levels, place);
        if !needs.is_empty() {
            text.extend_from_slice(name_of(scripts, place));
            text.push(b':');
            for needed in needs {
                add(&mut text, needed);
            }
            text.push(b'\n');
        }
    }
    text
}

fn at(levels: &[RunlevelSet], place: usize) -> RunlevelSet {
    levels.get(place).copied().unwrap_or_default()
}

/// What a script waits for in some level and is not waited for by something between the two.
fn direct_needs(graph: &Graph, levels: &[RunlevelSet], place: usize) -> Vec<usize> {
    let own = at(levels, place);
    let meets = |needed: &usize| !at(levels, *needed).and(own).is_empty();
    let needs: Vec<usize> = graph.needs(place).filter(meets).collect();
    let is_between = |between: usize, needed: usize| {
        let shared = own.and(at(levels, needed));
        between != needed
            && shared.without(at(levels, between)).is_empty()
            && waits_for(graph, levels, shared, between, needed)
    };
    let is_direct = |needed: &usize| !needs.iter().any(|&between| is_between(between, *needed));
    needs.iter().copied().filter(is_direct).collect()
}

/// Tells whether one script waits for another through scripts that are run in all the given levels.
fn waits_for(
    graph: &Graph,
    levels: &[RunlevelSet],
    shared: RunlevelSet,
    later: usize,
    earlier: usize,
) -> bool {
    let mut seen = BTreeSet::from([later]);
    let mut open = vec![later];
    while let Some(place) = open.pop() {
        for needed in graph.needs(place) {
            if needed == earlier {
                return true;
            }
            if shared.without(at(levels, needed)).is_empty() && seen.insert(needed) {
                open.push(needed);
            }
        }
    }
    false
}

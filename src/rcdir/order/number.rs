//! The numbers of links: how far a script is from the beginning of its part of the boot.
#![forbid(unsafe_code)]

use super::super::graph::Graph;
use super::super::relations::Direction;
use super::{Placed, Script};
use crate::runlevel::{Runlevel, RunlevelSet};
use std::collections::BTreeSet;

/// Returns the levels by which each script takes part: of its links if there are any, else of its header.
pub(super) fn levels(
    scripts: &[Script],
    placed: &[Placed],
    direction: Direction,
) -> Vec<RunlevelSet> {
    let levels = |(script, placed): (&Script, &Placed)| {
        let (start, stop) = script.levels_or_default(placed);
        match direction {
            Direction::Start => start,
            Direction::Stop => stop,
        }
    };
    scripts.iter().zip(placed).map(levels).collect()
}

/// Tells whether a script takes part in the start of the machine.
fn is_single(levels: RunlevelSet) -> bool {
    levels.contains(Runlevel::SINGLE)
}

/// Tells whether two scripts can wait for each other: what is started with the machine, say, is over when the other
/// levels begin.
fn can_meet(one: RunlevelSet, other: RunlevelSet) -> bool {
    !one.and(other).is_empty()
}

/// Keeps the edges between scripts that are started, or stopped, together. What is in no level hands on what comes
/// before it to what comes after it.
pub(super) fn keep_what_meets(graph: &Graph, levels: &[RunlevelSet]) -> Graph {
    let mut kept = Graph::new(graph.len());
    for (later, own) in levels.iter().enumerate() {
        for earlier in direct(graph, levels, later) {
            if can_meet(*own, at(levels, earlier)) {
                kept.put_before(earlier, later);
            }
        }
    }
    kept
}

/// Adds to the edges that are kept those that follow from scripts of other levels, so that a chain is numbered as one
/// in every level: who comes before what comes before another comes before that too where the two meet; and two
/// scripts that never meet keep their order where something before both meets each of them. In a loop nothing follows.
///
/// Compat: Debian's insserv numbers so, and writes no more than the edges that are kept into its files
/// (tests/insserv: a chain through levels).
pub(super) fn with_what_follows(kept: &Graph, graph: &Graph, levels: &[RunlevelSet]) -> Graph {
    let mut chains = kept.clone();
    let ahead: Vec<BTreeSet<usize>> = (0..graph.len())
        .map(|place| graph.ahead_of(&[place]))
        .collect();
    let is_ahead = |one: usize, other: usize| ahead.get(other).is_some_and(|of| of.contains(&one));
    let meet = |one: usize, other: usize| can_meet(at(levels, one), at(levels, other));
    for later in 0..graph.len() {
        for &earlier in ahead.get(later).into_iter().flatten() {
            if meet(earlier, later) && !is_ahead(later, earlier) {
                chains.put_before(earlier, later);
            }
        }
        for earlier in direct(graph, levels, later) {
            let meets_both = |first: &usize| meet(*first, earlier) && meet(*first, later);
            let has_common = ahead
                .get(earlier)
                .is_some_and(|of| of.iter().any(meets_both));
            if has_common && !is_ahead(later, earlier) {
                chains.put_before(earlier, later);
            }
        }
    }
    chains
}

/// Lists what comes right before a script of any level, but for scripts that are in none.
fn direct(graph: &Graph, levels: &[RunlevelSet], later: usize) -> Vec<usize> {
    let mut found = Vec::new();
    if at(levels, later).is_empty() {
        return found;
    }
    let mut seen = BTreeSet::new();
    let mut open = vec![later];
    while let Some(place) = open.pop() {
        for earlier in graph.needs(place).filter(|&earlier| seen.insert(earlier)) {
            if at(levels, earlier).is_empty() {
                open.push(earlier);
            } else {
                found.push(earlier);
            }
        }
    }
    found
}

fn at(levels: &[RunlevelSet], place: usize) -> RunlevelSet {
    levels.get(place).copied().unwrap_or_default()
}

/// Numbers the scripts that are in any level, from 1. There is no loop any more. A number goes to all whose time
/// has come, or to an interactive one alone, in level S as in the others.
pub(super) fn numbers(
    graph: &Graph,
    levels: &[RunlevelSet],
    placed: &[Placed],
    direction: Direction,
) -> Vec<usize> {
    let mut numbers = vec![0; graph.len()];
    let all = levels.iter().enumerate();
    let (mut single, mut others): (BTreeSet<usize>, BTreeSet<usize>) = all
        .filter(|(_, levels)| !levels.is_empty())
        .map(|(place, _)| place)
        .partition(|&place| levels.get(place).is_some_and(|levels| is_single(*levels)));
    let is_alone = |place: usize| {
        direction == Direction::Start && placed.get(place).is_some_and(|placed| placed.interactive)
    };
    for number in 1..=graph.len() {
        for open in [&mut single, &mut others] {
            let is_over = |needed: usize| {
                let given = numbers.get(needed).copied().unwrap_or_default();
                given != 0 && given < number
            };
            let has_come = |place: &usize| graph.needs(*place).all(is_over);
            let mut now: Vec<usize> = open.iter().copied().filter(has_come).collect();
            if let Some(alone) = now.iter().copied().find(|&place| is_alone(place)) {
                now = vec![alone];
            }
            for place in now {
                open.remove(&place);
                if let Some(given) = numbers.get_mut(place) {
                    *given = number;
                }
            }
        }
        if single.is_empty() && others.is_empty() {
            break;
        }
    }
    numbers
}

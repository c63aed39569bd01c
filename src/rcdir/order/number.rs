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

/// Tells whether one script can wait for another. To be started they need a level in common: what is started with
/// the machine, say, is over when the other levels begin. Whatever is stopped is stopped in one sequence.
fn can_meet(one: RunlevelSet, other: RunlevelSet, direction: Direction) -> bool {
    match direction {
        Direction::Start => !one.and(other).is_empty(),
        Direction::Stop => true,
    }
}

/// Keeps the edges between scripts that are started, or stopped, together. What is in no level hands on what comes
/// before it to what comes after it.
pub(super) fn keep_what_meets(
    graph: &Graph,
    levels: &[RunlevelSet],
    direction: Direction,
) -> Graph {
    let mut kept = Graph::new(graph.len());
    for (later, own) in levels.iter().enumerate().filter(|(_, own)| !own.is_empty()) {
        let mut seen = BTreeSet::new();
        let mut open = vec![later];
        while let Some(place) = open.pop() {
            for earlier in graph.needs(place).filter(|&earlier| seen.insert(earlier)) {
                match levels.get(earlier) {
                    Some(levels) if levels.is_empty() => open.push(earlier),
                    Some(levels) if can_meet(*own, *levels, direction) => {
                        kept.put_before(earlier, later);
                    }
                    _ => {}
                }
            }
        }
    }
    kept
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

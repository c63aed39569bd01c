//! What has to come before what: edges between numbered things, loops among them, and an order that respects them.
//!
//! Things are numbered as the caller likes best: wherever the edges leave a choice, the lower number comes first.
#![forbid(unsafe_code)]

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap, VecDeque};

/// Edges between the things 0, 1, 2 and so on.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Graph {
    needs: Vec<BTreeSet<usize>>,
}

impl Graph {
    /// A graph of so many things and no edge.
    pub(super) fn new(size: usize) -> Self {
        Self {
            needs: vec![BTreeSet::new(); size],
        }
    }

    /// Returns how many things there are.
    pub(super) fn len(&self) -> usize {
        self.needs.len()
    }

    /// Puts one thing before another. A thing is never before itself, and numbers of no thing are left out.
    pub(super) fn put_before(&mut self, earlier: usize, later: usize) {
        if earlier != later
            && earlier < self.len()
            && let Some(needs) = self.needs.get_mut(later)
        {
            needs.insert(earlier);
        }
    }

    /// Lists what has to come before a thing, by number.
    pub(super) fn needs(&self, thing: usize) -> impl DoubleEndedIterator<Item = usize> + '_ {
        self.needs.get(thing).into_iter().flatten().copied()
    }

    /// Lists what has to come after each thing.
    fn followers(&self) -> Vec<Vec<usize>> {
        let mut followers = vec![Vec::new(); self.len()];
        for (later, needs) in self.needs.iter().enumerate() {
            for &earlier in needs {
                if let Some(followers) = followers.get_mut(earlier) {
                    followers.push(later);
                }
            }
        }
        followers
    }

    /// Collects some things with all that have to come before one of them.
    pub(super) fn ahead_of(&self, things: &[usize]) -> BTreeSet<usize> {
        let next = |thing: usize| self.needs(thing).collect();
        reached(things, next)
    }

    /// Collects some things with all that have to come after one of them.
    pub(super) fn behind(&self, things: &[usize]) -> BTreeSet<usize> {
        let followers = self.followers();
        let next = |thing: usize| followers.get(thing).cloned().unwrap_or_default();
        reached(things, next)
    }

    /// Puts things in an order that respects every edge. What is in a loop, or behind one, is missing.
    pub(super) fn sorted(&self) -> Vec<usize> {
        let followers = self.followers();
        let mut missing: Vec<usize> = self.needs.iter().map(BTreeSet::len).collect();
        let free = (0..self.len()).filter(|&thing| self.needs(thing).next().is_none());
        let mut next: BinaryHeap<Reverse<usize>> = free.map(Reverse).collect();
        let mut sorted = Vec::with_capacity(self.len());
        while let Some(Reverse(thing)) = next.pop() {
            sorted.push(thing);
            for &follower in followers.get(thing).into_iter().flatten() {
                if let Some(missing) = missing.get_mut(follower) {
                    *missing = missing.saturating_sub(1);
                    if *missing == 0 {
                        next.push(Reverse(follower));
                    }
                }
            }
        }
        sorted
    }

    /// Takes edges away until there is no loop: within a loop only those edges stay that agree with the numbers.
    /// Returns every loop once, as the shortest way round from its lowest number along what each needs.
    pub(super) fn break_loops(&mut self) -> Vec<Vec<usize>> {
        let mut suspects: BTreeSet<usize> = (0..self.len()).collect();
        for thing in self.sorted() {
            suspects.remove(&thing);
        }
        let mut loops = Vec::new();
        while let Some(&first) = suspects.first() {
            let circle = self.circle(first, &suspects);
            if let [_, _, ..] = circle.as_slice() {
                loops.push(self.shortest_way_round(first, &circle));
                self.keep_ascending(&circle);
            }
            for thing in circle {
                suspects.remove(&thing);
            }
        }
        loops
    }

    /// Collects, among the given things, those that need `first` and are needed by it; `first` is one of them.
    fn circle(&self, first: usize, among: &BTreeSet<usize>) -> Vec<usize> {
        let needed = self.needed_by(first, among);
        let needs_first =
            |&thing: &usize| thing == first || self.needed_by(thing, among).contains(&first);
        let mut circle: Vec<usize> = needed.iter().copied().filter(needs_first).collect();
        if !circle.contains(&first) {
            circle.push(first);
        }
        circle.sort_unstable();
        circle
    }

    /// Collects what a thing needs, near and far, within the given things.
    fn needed_by(&self, thing: usize, among: &BTreeSet<usize>) -> BTreeSet<usize> {
        let mut found = BTreeSet::new();
        let mut open = vec![thing];
        while let Some(thing) = open.pop() {
            let new = |next: &usize| among.contains(next) && found.insert(*next);
            open.extend(self.needs(thing).filter(new));
        }
        found
    }

    fn shortest_way_round(&self, first: usize, circle: &[usize]) -> Vec<usize> {
        // Each entry: a thing, and the place in this list of the one that needs it.
        let mut seen: Vec<(usize, usize)> = vec![(first, 0)];
        let mut open = VecDeque::from([0]);
        while let Some(place) = open.pop_front() {
            let Some(&(thing, _)) = seen.get(place) else {
                break;
            };
            for next in self.needs(thing).filter(|next| circle.contains(next)) {
                if next == first {
                    return way_back(&seen, place);
                }
                if seen.iter().all(|&(known, _)| known != next) {
                    open.push_back(seen.len());
                    seen.push((next, place));
                }
            }
        }
        vec![first]
    }

    fn keep_ascending(&mut self, circle: &[usize]) {
        for &later in circle {
            if let Some(needs) = self.needs.get_mut(later) {
                needs.retain(|earlier| *earlier < later || !circle.contains(earlier));
            }
        }
    }
}

/// Collects some things with all that can be reached from one of them.
fn reached(things: &[usize], next: impl Fn(usize) -> Vec<usize>) -> BTreeSet<usize> {
    let mut found: BTreeSet<usize> = things.iter().copied().collect();
    let mut open = things.to_vec();
    while let Some(thing) = open.pop() {
        open.extend(next(thing).into_iter().filter(|next| found.insert(*next)));
    }
    found
}

/// Follows a search back to where it began; returns the way in the direction of the search.
fn way_back(seen: &[(usize, usize)], mut place: usize) -> Vec<usize> {
    let mut way = Vec::new();
    while let Some(&(thing, from)) = seen.get(place) {
        way.push(thing);
        if place == 0 {
            break;
        }
        place = from;
    }
    way.reverse();
    way
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn graph(size: usize, edges: &[(usize, usize)]) -> Graph {
        let mut graph = Graph::new(size);
        for &(earlier, later) in edges {
            graph.put_before(earlier, later);
        }
        graph
    }

    #[test]
    fn free_things_keep_the_order_of_their_numbers() {
        assert_eq!(graph(4, &[]).sorted(), [0, 1, 2, 3]);
        assert_eq!(graph(4, &[(3, 0)]).sorted(), [1, 2, 3, 0]);
    }

    #[test]
    fn a_loop_is_told_once_and_keeps_the_edges_that_ascend() {
        let mut graph = graph(5, &[(0, 1), (1, 2), (2, 0), (0, 2), (2, 3), (4, 0)]);
        // 0 needs 2, and 2 needs 0.
        assert_eq!(graph.break_loops(), [[0, 2]]);
        assert_eq!(graph.sorted(), [4, 0, 1, 2, 3]);
        assert_eq!(graph.needs(3).collect::<Vec<_>>(), [2]);
    }

    #[test]
    fn loops_apart_from_each_other_are_told_apart() {
        let mut graph = graph(6, &[(0, 1), (1, 0), (1, 2), (3, 4), (4, 5), (5, 3)]);
        assert_eq!(graph.break_loops(), [vec![0, 1], vec![3, 5, 4]]);
        assert_eq!(graph.sorted(), [0, 1, 2, 3, 4, 5]);
    }

    #[test]
    fn nothing_comes_before_itself() {
        let mut graph = graph(1, &[(0, 0), (0, 7), (7, 0)]);
        assert!(graph.break_loops().is_empty());
        assert_eq!(graph.sorted(), [0]);
    }

    proptest! {
        #[test]
        fn every_order_respects_every_edge(
            edges in proptest::collection::vec((0_usize..12, 0_usize..12), 0..40)
        ) {
            let mut graph = graph(12, &edges);
            let had_loop = graph.sorted().len() < 12;
            prop_assert_eq!(!graph.break_loops().is_empty(), had_loop);
            let order = graph.sorted();
            prop_assert_eq!(order.len(), 12);
            let place = |thing| order.iter().position(|&other| other == thing).unwrap();
            for thing in 0..12 {
                for earlier in graph.needs(thing) {
                    prop_assert!(place(earlier) < place(thing));
                }
            }
        }

        #[test]
        fn only_edges_within_a_loop_are_taken_away(
            edges in proptest::collection::vec((0_usize..8, 0_usize..8), 0..20)
        ) {
            let before = graph(8, &edges);
            let mut after = before.clone();
            after.break_loops();
            let all = (0..8).collect();
            for later in 0..8 {
                for earlier in before.needs(later) {
                    let in_loop = before.needed_by(earlier, &all).contains(&later);
                    let kept = after.needs(later).any(|thing| thing == earlier);
                    prop_assert!(kept || in_loop);
                    prop_assert_eq!(kept, !in_loop || earlier < later);
                }
            }
        }
    }
}

//! The processes that belong to one that was started: its descendants, and what has left them and stayed in its
//! process group.
#![forbid(unsafe_code)]

use super::Stat;

/// A process and how far below the first one it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Branch<'a> {
    /// 0 for the first one, and for those whose parent is none of these.
    pub depth: usize,
    /// The process.
    pub process: &'a Stat,
}

/// Lists a process with all that belongs to it, each one below its parent.
pub fn branches(processes: &[Stat], first: i32) -> Vec<Branch<'_>> {
    let mut found = Vec::new();
    add(processes, first, 0, &mut found);
    for process in processes.iter().filter(|process| process.group == first) {
        if !found.iter().any(|branch| branch.process.pid == process.pid) {
            add(processes, process.pid, 0, &mut found);
        }
    }
    found.retain(|branch| !branch.process.is_zombie());
    found
}

fn add<'a>(processes: &'a [Stat], pid: i32, depth: usize, found: &mut Vec<Branch<'a>>) {
    let Some(process) = processes.iter().find(|process| process.pid == pid) else {
        return;
    };
    // The table is no snapshot: a number may have been given away while it was read, and make a ring.
    if found.iter().any(|branch| branch.process.pid == pid) {
        return;
    }
    found.push(Branch { depth, process });
    for child in processes.iter().filter(|child| child.parent == pid) {
        add(processes, child.pid, depth.saturating_add(1), found);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn process(pid: i32, parent: i32, group: i32) -> Stat {
        let line = format!(
            "{pid} (x) S {parent} {group} 1 0 -1 0 0 0 0 0 0 0 0 0 20 0 1 0 5 4096 1 99 1 2"
        );
        Stat::parse(line.as_bytes()).unwrap()
    }

    fn listed(processes: &[Stat]) -> Vec<(usize, i32)> {
        branches(processes, 10)
            .iter()
            .map(|branch| (branch.depth, branch.process.pid))
            .collect()
    }

    #[test]
    fn descendants_stand_below_their_parents_whatever_their_group() {
        let table = [
            process(9, 1, 9),
            process(10, 9, 10),
            process(11, 10, 10),
            process(12, 10, 12),
            process(13, 11, 10),
        ];
        assert_eq!(listed(&table), [(0, 10), (1, 11), (2, 13), (1, 12)]);
    }

    #[test]
    fn what_was_left_behind_in_the_group_belongs_to_it() {
        let table = [process(10, 9, 10), process(20, 1, 10), process(21, 20, 10)];
        assert_eq!(listed(&table), [(0, 10), (0, 20), (1, 21)]);
    }

    #[test]
    fn a_ring_is_gone_through_once() {
        let table = [process(10, 11, 10), process(11, 10, 10)];
        assert_eq!(listed(&table), [(0, 10), (1, 11)]);
    }
}

//! Other people's children.

use super::Extent;
use super::bed::{Init, noted};
use super::stats::Comparison;
use super::support::namespace::Machine;
use super::support::{Deadline, clock, pause};
use super::turns::{Candidate, take_turns};
use super::work::Work;
use std::collections::BTreeMap;
use std::fs;
use std::time::{Duration, Instant};

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    let counts = extent.choose(vec![20_000, 100_000], vec![1000]);
    counts
        .into_iter()
        .flat_map(|count| orphans(extent, count))
        .collect()
}

fn orphans(extent: Extent, count: u32) -> [Comparison; 3] {
    let time = Comparison::new(
        format!("Processor time of process 1 for {count} orphans"),
        "ms",
        "floor",
        "What the kernel charges it from the first orphan until all are gone. A second process makes them, one after another.",
    )
    .with(count as usize, "orphans, time of process 1");
    let zombies = Comparison::new(
        format!("Most zombies seen at once among {count} orphans"),
        "zombies",
        "floor",
        "Looked at every few milliseconds from outside.",
    );
    let gap = Comparison::new(
        format!("Longest that one of {count} orphans was seen dead and not reaped"),
        "ms",
        "floor",
        "Between the first and the last look at the same zombie; 0 where none was met twice. A machine that does other \
         things adds to it.",
    );
    let candidates = [
        Init::Floor,
        Init::Ours,
        Init::OursStatic,
        Init::Sysvinit,
        Init::Busybox,
        Init::Finit,
        Init::S6,
        Init::Tini,
    ];
    let rounds = extent.choose(if count > 20_000 { 1 } else { 3 }, 1);
    take_turns(rounds, &candidates, [time, zombies, gap], |init, tables| {
        let machine = init.machine(&[Work::Once(format!("/bin/orphans {count}"))]);
        let before = loop {
            if !noted(&machine, "first").is_empty() {
                break charged(&machine);
            }
            pause();
        };
        let seen = watch(&machine, Duration::from_millis(5) * count);
        let [time, zombies, gap] = tables;
        time.add(init.name(), (charged(&machine) - before) / 1e6);
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        zombies.add(init.name(), seen.most as f64);
        gap.add(init.name(), seen.longest.as_secs_f64() * 1e3);
    })
}

#[derive(Default)]
struct Seen {
    most: usize,
    longest: Duration,
}

/// Looks at the children of process 1 until all orphans have been made and reaped.
fn watch(machine: &Machine, limit: Duration) -> Seen {
    let deadline = Deadline::after(limit);
    let mut seen = Seen::default();
    let mut dead: BTreeMap<i32, Instant> = BTreeMap::new();
    loop {
        let all_made = !noted(machine, "last").is_empty();
        let now = clock();
        let zombies = machine.zombies();
        seen.most = seen.most.max(zombies.len());
        dead = zombies
            .iter()
            .map(|zombie| (zombie.pid, *dead.get(&zombie.pid).unwrap_or(&now)))
            .collect();
        let longest = dead.values().map(|since| now - *since).max();
        seen.longest = seen.longest.max(longest.unwrap_or_default());
        if all_made && dead.is_empty() {
            return seen;
        }
        assert!(
            deadline.left().is_some(),
            "the orphans are not all reaped\n{}",
            machine.transcript()
        );
        pause();
    }
}

/// Processor time in nanoseconds.
fn charged(machine: &Machine) -> f64 {
    let text = fs::read_to_string(format!("/proc/{}/schedstat", machine.init().pid)).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

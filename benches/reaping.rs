//! Other people's children.

use super::Extent;
use super::bed::{Init, LIMIT, Work, noted, take_turns};
use super::stats::Comparison;
use super::support::Deadline;
use super::support::namespace::Machine;
use std::fs;

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    let counts = extent.choose(vec![20_000, 100_000], vec![2_000]);
    counts
        .into_iter()
        .flat_map(|count| orphans(extent, count))
        .collect()
}

fn orphans(extent: Extent, count: usize) -> [Comparison; 2] {
    let time = Comparison::new(
        format!("Processor time of process 1 for {count} orphans"),
        "ms",
        "floor",
        "What the kernel charges it from the first orphan until all are gone.",
    );
    let zombies = Comparison::new(
        format!("Most zombies seen at once among {count} orphans"),
        "zombies",
        "floor",
        "Looked at as often as possible from outside.",
    );
    let candidates = [
        Init::Floor,
        Init::Ours,
        Init::OursStatic,
        Init::Sysvinit,
        Init::Busybox,
        Init::Tini,
    ];
    let mut tables = [time, zombies];
    take_turns(
        extent.choose(5, 1),
        &candidates,
        &mut tables,
        |init, [time, zombies]| {
            let machine = init.machine(&[Work::Once(format!("/bin/orphans {count}"))]);
            let before = loop {
                if !noted(&machine, "first").is_empty() {
                    break charged(&machine);
                }
                super::support::pause();
            };
            let deadline = Deadline::after(LIMIT);
            let mut most = 0;
            while noted(&machine, "last").is_empty() || !machine.zombies().is_empty() {
                most = most.max(machine.zombies().len());
                assert!(deadline.left().is_some(), "{}", machine.transcript());
            }
            time.add(init.name(), (charged(&machine) - before) / 1e6);
            #[expect(clippy::cast_precision_loss, reason = "small counts")]
            zombies.add(init.name(), most as f64);
        },
    );
    tables
}

/// Processor time in nanoseconds.
fn charged(machine: &Machine) -> f64 {
    let text = fs::read_to_string(format!("/proc/{}/schedstat", machine.init().pid)).unwrap();
    text.split_whitespace().next().unwrap().parse().unwrap()
}

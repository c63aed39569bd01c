//! Process 1 when nothing happens: memory, wake-ups, descriptors.

use super::Extent;
use super::bed::{Init, LIMIT, noted};
use super::stats::Comparison;
use super::support::namespace::{Machine, Process};
use super::support::{Deadline, pause};
use super::turns::{Candidate, take_turns};
use super::work::Work;
use std::fs;
use std::time::Duration;

/// For how long a machine must do nothing before it counts as being at rest.
const QUIET: Duration = Duration::from_millis(1500);
/// How long that is waited for: some do something every second.
const PATIENCE: Duration = Duration::from_secs(6);

/// Those that read a table of entries and watch all of it in one process.
const WITH_TABLE: [Init; 5] = [
    Init::Ours,
    Init::OursStatic,
    Init::Sysvinit,
    Init::Busybox,
    Init::Finit,
];

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    let mut tables = Vec::new();
    for entries in extent.choose(vec![1, 50, 1000], vec![1, 20]) {
        let candidates: &[Init] = if entries == 1 {
            &Init::ALL
        } else {
            &WITH_TABLE
        };
        tables.extend(memory(extent, candidates, entries));
    }
    tables.extend(wake_ups(extent));
    tables
}

fn memory(extent: Extent, candidates: &[Init], entries: usize) -> [Comparison; 3] {
    let title = |what: &str| format!("{what} of process 1 with {entries} running entries");
    let resident = Comparison::new(
        title("Resident memory"),
        "KiB",
        "sysvinit",
        "RSS: every page in memory, also those of a library that others use too.",
    );
    let proportional = Comparison::new(
        title("Proportional memory"),
        "KiB",
        "sysvinit",
        "PSS: pages that n processes share count as an n-th.",
    );
    let private = Comparison::new(
        title("Private dirty memory"),
        "KiB",
        "busybox",
        "What this process alone has written, and nothing but swap could take back.",
    )
    .with(entries, "running entries, private dirty memory");
    let work: Vec<Work> = (0..entries)
        .map(|number| Work::Respawn(format!("/bin/stamp -s up {number}")))
        .collect();
    let rounds = extent.choose(if entries > 100 { 3 } else { 5 }, 1);
    take_turns(
        rounds,
        candidates,
        [resident, proportional, private],
        |init, tables| {
            let machine = init.machine(&work);
            settle(init, &machine, entries);
            // File pages that have not been written back yet count as dirty.
            nix::unistd::sync();
            let rollup =
                fs::read_to_string(format!("/proc/{}/smaps_rollup", machine.init().pid)).unwrap();
            let kib = |name: &str| -> f64 {
                let line = rollup.lines().find_map(|line| line.strip_prefix(name));
                line.unwrap()
                    .trim()
                    .trim_end_matches(" kB")
                    .parse()
                    .unwrap()
            };
            for (table, name) in tables.iter_mut().zip(["Rss:", "Pss:", "Private_Dirty:"]) {
                table.add(init.name(), kib(name));
            }
        },
    )
}

fn wake_ups(extent: Extent) -> [Comparison; 2] {
    let seconds = extent.choose(60, 1);
    let mut switches = Comparison::new(
        format!("Context switches of process 1 in {seconds} s at rest"),
        "switches",
        "sysvinit",
        "How often it ran although nothing had happened.",
    );
    let mut descriptors = Comparison::new(
        "Open descriptors of process 1 at rest",
        "descriptors",
        "sysvinit",
        "With one entry that runs.",
    );
    // All at once: they do nothing.
    let machines: Vec<(Init, Machine)> = Init::ALL
        .into_iter()
        .filter(|init| init.missing().is_none())
        .map(|init| {
            (
                init,
                init.machine(&[Work::Respawn("/bin/stamp -s up".into())]),
            )
        })
        .collect();
    for (init, machine) in &machines {
        settle(*init, machine, 1);
    }
    let before: Vec<u64> = machines
        .iter()
        .map(|(_, machine)| switched(&machine.init()))
        .collect();
    let deadline = Deadline::after(Duration::from_secs(seconds));
    while let Some(left) = deadline.left() {
        std::thread::park_timeout(left);
    }
    for ((init, machine), before) in machines.iter().zip(before) {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let (woken, open) = (
            (switched(&machine.init()) - before) as f64,
            machine.init().descriptors().len() as f64,
        );
        switches.add(init.name(), woken);
        descriptors.add(init.name(), open);
    }
    [switches, descriptors]
}

/// Waits until all entries run and process 1 has done nothing for a while.
fn settle(init: Init, machine: &Machine, entries: usize) {
    let deadline = Deadline::after(LIMIT);
    while noted(machine, "up").len() < entries {
        assert!(
            deadline.left().is_some(),
            "{}: not all entries run\n{}",
            init.name(),
            machine.transcript()
        );
        pause();
    }
    let mut before = switched(&machine.init());
    let (mut quiet, patience) = (Deadline::after(QUIET), Deadline::after(PATIENCE));
    while quiet.left().is_some() && patience.left().is_some() {
        pause();
        let now = switched(&machine.init());
        if now != before {
            before = now;
            quiet = Deadline::after(QUIET);
        }
    }
}

fn switched(process: &Process) -> u64 {
    ["voluntary_ctxt_switches", "nonvoluntary_ctxt_switches"]
        .iter()
        .map(|name| process.status(name).parse::<u64>().unwrap())
        .sum()
}

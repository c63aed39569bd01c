//! A running init is told something: another level, another table, another program.

use super::Extent;
use super::bed::{Init, ask_at, floor, stamps};
use super::stats::{Comparison, shown};
use super::support::accounting::change_to;
use super::support::namespace::Machine;
use super::support::{LIMIT, wait_until};
use super::turns::{Candidate, take_turns};
use super::work::{Work, inittab};
use std::fmt::Write;
use std::fs;

/// Those that take requests of initctl(5).
const CANDIDATES: [Init; 3] = [Init::Ours, Init::OursStatic, Init::Sysvinit];
const RUNNING: &str = "/bin/stamp -s up";

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    let mut tables = vec![first_of_level(extent)];
    tables.extend(
        extent
            .choose(vec![10, 100, 200, 1000], vec![20])
            .into_iter()
            .map(|count| exchange(extent, count)),
    );
    tables.extend(
        extent
            .choose(vec![10, 100, 1000, 10_000], vec![100])
            .into_iter()
            .map(|lines| reading(extent, lines)),
    );
    tables.extend(
        extent
            .choose(vec![10, 100, 1000], vec![20])
            .into_iter()
            .map(|children| another_image(extent, children)),
    );
    tables
}

/// How long a level's first process takes to be there. The floor reads the request and starts the program, and so it tells
/// how much of the number is a start of a process alone.
fn first_of_level(extent: Extent) -> Comparison {
    let table = Comparison::new(
        "From a request for a level to its first process",
        "us",
        Init::Floor.name(),
        "A request is written into /run/initctl; nothing has to be stopped. The floor reads it and starts the program, which \
         notes the time.",
    );
    let candidates = [Init::Floor, Init::Ours, Init::OursStatic, Init::Sysvinit];
    let [table] = take_turns(
        extent.choose(15, 1),
        &candidates,
        [table],
        |init, [table]| {
            let machine = if init == Init::Floor {
                floor(&["obey", "/bin/stamp", "level"]).boot()
            } else {
                let machine = with_table(
                    init,
                    &format!(
                        "id:3:initdefault:\nr:34:respawn:+{RUNNING}\nf:4:once:+/bin/stamp level\n"
                    ),
                );
                stamps(&machine, "up", 1);
                machine
            };
            let asked = ask_at(&machine, &change_to('4'));
            table.add(
                init.name(),
                (stamps(&machine, "level", 1)[0] - asked) / 1000.0,
            );
        },
    );
    match table.median(Init::Floor.name()) {
        Some(start) => table.explained(&format!(
            "Of each number, {} us are the start of the program alone.",
            shown(start)
        )),
        None => table,
    }
}

fn exchange(extent: Extent, count: usize) -> Comparison {
    let table = Comparison::new(
        format!("Change of level with {count} processes to stop and {count} to start"),
        "ms",
        "sysvinit",
        "From the request to the last process of the new level. All of the old ones end as soon as they are told.",
    )
    .with(count, "processes to stop and as many to start");
    let mut lines = String::from("id:3:initdefault:\n");
    for number in 0..count {
        writeln!(lines, "a{number:x}:3:respawn:+{RUNNING} {number}").unwrap();
        writeln!(lines, "b{number:x}:4:respawn:+/bin/stamp -s level {number}").unwrap();
    }
    let [table] = take_turns(
        extent.choose(5, 1),
        &CANDIDATES,
        [table],
        |init, [table]| {
            let machine = with_table(init, &lines);
            stamps(&machine, "up", count);
            let asked = ask_at(&machine, &change_to('4'));
            let last = stamps(&machine, "level", count)[count - 1];
            table.add(init.name(), (last - asked) / 1e6);
        },
    );
    table
}

fn reading(extent: Extent, lines: usize) -> Comparison {
    let table = Comparison::new(
        format!("Reading an inittab of {lines} lines again"),
        "ms",
        "sysvinit",
        "From the request until the one entry that is new has been started. The others are of another level.",
    )
    .with(lines, "lines of an inittab, read again");
    let mut old = String::from("id:3:initdefault:\n");
    writeln!(old, "r:3:respawn:+{RUNNING}").unwrap();
    for number in 0..lines {
        writeln!(old, "{number:x}:5:respawn:+{RUNNING} {number}").unwrap();
    }
    let new = format!("{old}new:3:once:+/bin/stamp read\n");
    let [table] = take_turns(
        extent.choose(5, 1),
        &CANDIDATES,
        [table],
        |init, [table]| {
            let machine = with_table(init, &old);
            stamps(&machine, "up", 1);
            machine.write("/etc/inittab", &new);
            let asked = ask_at(&machine, &change_to('Q'));
            table.add(init.name(), (stamps(&machine, "read", 1)[0] - asked) / 1e6);
        },
    );
    table
}

fn another_image(extent: Extent, children: usize) -> Comparison {
    let table = Comparison::new(
        format!("Changing to another image of init with {children} running entries"),
        "ms",
        "sysvinit",
        "From the request (`telinit u`) until the new image has heeded the next one, which is to read the table again, and \
         has started the entry that is new.",
    )
    .with(children, "running entries, another image of init");
    let work: Vec<Work> = (0..children)
        .map(|number| Work::Respawn(format!("{RUNNING} {number}")))
        .collect();
    let old = inittab(&work);
    let new = format!("{old}new:3:once:+/bin/stamp again\n");
    let [table] = take_turns(
        extent.choose(5, 1),
        &CANDIDATES,
        [table],
        |init, [table]| {
            let machine = with_table(init, &old);
            stamps(&machine, "up", children);
            let before = image(&machine);
            let asked = ask_at(&machine, &change_to('U'));
            // What is asked before would go to the old image, or get lost between the two.
            wait_until(
                "another image runs",
                LIMIT,
                || (image(&machine) != before).then_some(()),
                || machine.transcript(),
            );
            machine.write("/etc/inittab", &new);
            ask_at(&machine, &change_to('Q'));
            table.add(init.name(), (stamps(&machine, "again", 1)[0] - asked) / 1e6);
            assert_eq!(
                stamps(&machine, "up", children).len(),
                children,
                "no entry is started anew"
            );
        },
    );
    table
}

fn with_table(init: Init, table: &str) -> Machine {
    let plan = init.plan(&[]);
    plan.root().write("/etc/inittab", table);
    plan.boot()
}

/// What is another in each image of a process, because the kernel puts its stack elsewhere.
fn image(machine: &Machine) -> Vec<u8> {
    fs::read(format!("/proc/{}/auxv", machine.init().pid)).unwrap()
}

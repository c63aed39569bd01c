//! How many system calls process 1 makes for one entry.

use super::Extent;
use super::bed::{Init, floor, stamped};
use super::stats::Comparison;
use super::support::namespace::Plan;
use super::support::{LIMIT, wait_until};
use super::turns::{Candidate, take_turns};
use super::work::Work;
use std::fs;
use std::path::Path;
use std::process::{Child, Command, Stdio};

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    // The original misses the end of a process now and then and then waits for five seconds; under strace(1) often.
    let entries = extent.choose(100, 10);
    let table = Comparison::new(
        "System calls of process 1 for one `wait` entry",
        "calls",
        "floor",
        "Counted with strace(1) in process 1 only: what it does to start the program and to learn of its end. No \
         accounting records (`+`).",
    );
    let candidates = [
        Init::Floor,
        Init::Ours,
        Init::OursStatic,
        Init::Sysvinit,
        Init::Busybox,
        Init::Finit,
    ];
    let tables = take_turns(1, &candidates, [table], |init, [table]| {
        let (more, less) = (calls(init, entries), calls(init, 0));
        table.add(init.name(), (more - less) / f64::from(entries));
    });
    Vec::from(tables)
}

/// The system calls of a boot with so many entries.
fn calls(init: Init, entries: u32) -> f64 {
    let record = tempfile::NamedTempFile::new().unwrap();
    let mut tracer = None;
    let machine = plan(init, entries).boot_held(|pid| tracer = Some(trace(pid, record.path())));
    stamped(&machine, "last");
    drop(machine);
    tracer.unwrap().wait().unwrap();
    let text = fs::read_to_string(record.path()).unwrap();
    let calls = text.lines().filter(|line| !line.starts_with(['-', '+']));
    #[expect(clippy::cast_precision_loss, reason = "small counts")]
    let count = calls.count() as f64;
    count
}

fn plan(init: Init, entries: u32) -> Plan {
    if init == Init::Floor {
        return floor(&["floor", &entries.to_string(), "/bin/nop"]);
    }
    let mut work: Vec<Work> = (0..entries)
        .map(|number| Work::Wait(format!("/bin/nop {number}")))
        .collect();
    work.push(Work::Once("/bin/stamp last".into()));
    init.plan(&work)
}

fn trace(pid: i32, record: &Path) -> Child {
    let tracer = Command::new("strace")
        .args(["--quiet=attach", "-p", &pid.to_string(), "-o"])
        .arg(record)
        .stderr(Stdio::null())
        .spawn()
        .unwrap_or_else(|error| panic!("strace: {error}; run: tests/setup/need strace"));
    wait_until(
        "strace has taken hold of the process",
        LIMIT,
        || {
            let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap();
            let line = status
                .lines()
                .find_map(|line| line.strip_prefix("TracerPid:"));
            (line.unwrap().trim() != "0").then_some(())
        },
        String::new,
    );
    tracer
}

//! PID 1 itself gets no memory: what needs it is tried again, given up at last, and costs nothing else.

use crate::support::accounting::change_to;
use crate::support::namespace::{Machine, Plan};
use crate::support::root::ours;
use nix::sys::signal::SIGKILL;
use std::fmt::Write;
use std::process::Command;

const LEVELS: &str = "id:3:initdefault:
o3:3:once:/bin/note once
r3:3:respawn:/bin/sleep 1003
b3:345:respawn:/bin/sleep 1345
";

/// A table that is easily read, and needs far more memory when it is understood.
fn large_table() -> String {
    let mut table = LEVELS.to_owned();
    for number in 0..20_000 {
        writeln!(table, "{number:x}:5:once:/bin/true").unwrap();
    }
    table.push_str("new:3:respawn:/bin/sleep 1999\n");
    table
}

/// Sets the most memory that init may use, beyond what it uses now.
fn limit(machine: &Machine, beyond: Option<u64>) {
    let limit = match beyond {
        Some(beyond) => {
            let used = machine.init().status("VmSize");
            let used = used.split_whitespace().next().unwrap().parse::<u64>();
            (used.unwrap() * 1024 + beyond).to_string()
        }
        None => "unlimited".to_owned(),
    };
    let status = Command::new("prlimit")
        .arg(format!("--pid={}", machine.init().pid))
        .arg(format!("--as={limit}:"))
        .status()
        .unwrap();
    assert!(status.success(), "prlimit: {status}");
}

/// A machine whose init has just been asked for what it has no memory for.
fn short_of_memory() -> Machine {
    let machine = Plan::new(LEVELS).boot();
    machine.process("/bin/sleep 1345");
    machine.wait_log("once");
    limit(&machine, Some(1 << 20));
    machine.write("/etc/inittab", large_table());
    machine.ask(&change_to('q'));
    machine.wait_console("no memory for");
    machine
}

fn has_lost_nothing(machine: &Machine, three: i32, both: i32) {
    assert_eq!(machine.process("/bin/sleep 1003").pid, three);
    assert_eq!(machine.process("/bin/sleep 1345").pid, both);
    assert_eq!(machine.log(), ["once"]);
    assert!(!machine.transcript().contains("PANIC"));
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

#[test]
fn a_request_that_there_was_no_memory_for_is_served_when_there_is_some() {
    if !ours() {
        return;
    }
    let machine = short_of_memory();
    let (three, both) = (
        machine.process("/bin/sleep 1003").pid,
        machine.process("/bin/sleep 1345").pid,
    );
    limit(&machine, None);
    machine.process("/bin/sleep 1999");
    has_lost_nothing(&machine, three, both);
}

#[test]
fn what_there_is_never_memory_for_is_given_up_and_init_goes_on() {
    if !ours() {
        return;
    }
    let machine = short_of_memory();
    machine.wait_console("there is no memory for this");
    let three = machine.process("/bin/sleep 1003");
    three.signal(SIGKILL);
    machine.wait_respawned("/bin/sleep 1003", &three);
    let (three, both) = (
        machine.process("/bin/sleep 1003").pid,
        machine.process("/bin/sleep 1345").pid,
    );
    limit(&machine, None);
    machine.ask(&change_to('q'));
    machine.process("/bin/sleep 1999");
    has_lost_nothing(&machine, three, both);
}

//! What the original does not do: groups without leader, broken lines, terminals that are not there.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn members_that_outlive_their_leader_are_killed_when_its_grace_time_is_over() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:sh -c 'x & y'\nb:3:once:/b\n");
    machine.stragglers = vec!["a".to_owned()];
    machine.request_with(b'3', 5);
    machine.exit("a");
    assert_eq!(machine.running(), ["b"], "the level does not wait for them");
    machine.log();
    machine.wait(Duration::from_millis(4999));
    assert_eq!(machine.signals(), [""; 0]);
    machine.wait(Duration::from_millis(1));
    assert_eq!(machine.signals(), ["KILL a"]);
    assert_eq!(machine.init.next_deadline(), None);
}

#[test]
fn the_group_of_a_process_that_ended_by_itself_is_left_alone() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/sbin/daemon\nb:2:once:/b\n");
    machine.stragglers = vec!["a".to_owned()];
    machine.exit("a");
    machine.wait_seconds(100);
    assert_eq!(machine.signals(), [""; 0]);
}

#[test]
fn what_runs_by_a_line_that_has_become_broken_is_kept_and_that_is_said() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/a\nb:2:respawn:/b\n");
    machine.edit_carelessly("id:2:initdefault:\na:2:respwan:/a\n");
    machine.request(b'q');
    assert_eq!(
        machine.said()[1..2],
        ["both: Id \"a\": its line is broken, and what runs by the old one is kept"]
    );
    machine.exit("b");
    assert_eq!(machine.running(), ["a"], "the line of b is gone");
    machine.exit("a");
    assert_eq!(machine.running(), ["a"], "it is respawned by its old line");
    machine.edit("id:2:initdefault:\n");
    machine.request(b'q');
    machine.exit("a");
    assert_eq!(machine.running(), [""; 0], "its line is gone now");
}

#[test]
fn a_broken_line_does_not_carry_its_process_into_another_level() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/a\n");
    machine.edit_carelessly("id:2:initdefault:\na:2:respwan:/a\n");
    machine.request(b'3');
    assert_eq!(machine.signals(), ["TERM a"]);
}

#[test]
fn a_broken_line_without_a_process_keeps_nothing() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\n");
    machine.exit("a");
    machine.edit_carelessly("id:2:initdefault:\na:2:wonce:/a\n");
    machine.request(b'q');
    assert_eq!(
        machine.snapshot().records.len(),
        2,
        "initdefault and the fallback"
    );
}

#[test]
fn a_getty_without_its_terminal_is_held_and_that_is_said_once() {
    let mut machine = Machine::new("id:2:initdefault:\n7:2:respawn:/sbin/getty 38400 tty7\n");
    machine.missing = vec!["tty7"];
    machine.boot();
    let told = "both: Id \"7\" is on hold: there is no terminal /dev/tty7";
    assert!(machine.said().iter().any(|line| line == told));
    machine.wait_seconds(299);
    assert_eq!(machine.log(), [""; 0]);
    machine.wait_seconds(1);
    assert_eq!(machine.log(), ["miss the terminal of 7"]);
    machine.missing.clear();
    machine.wait_seconds(300);
    assert_eq!(
        machine.started(),
        ["7"],
        "it is looked for every five minutes"
    );
}

#[test]
fn a_re_read_looks_for_a_missing_terminal_at_once() {
    let mut machine = Machine::new("id:2:initdefault:\n7:2:respawn:/sbin/getty 38400 tty7\n");
    machine.missing = vec!["tty7"];
    machine.boot();
    machine.missing.clear();
    machine.log();
    machine.request(b'q');
    assert_eq!(machine.started(), ["7"]);
}

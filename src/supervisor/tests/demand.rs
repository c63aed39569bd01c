//! The pseudo-runlevels a, b and c.
#![forbid(unsafe_code)]

use super::*;

const DEMAND: &str = "id:2:initdefault:\nda:a:ondemand:/da\ndb:B:ondemand:/db\nor:2a:once:/or\nws:c:wait:/ws\nx:3:once:/x\n~~:S:wait:/s\n";

fn machine() -> Machine {
    let mut machine = Machine::booted(DEMAND);
    machine.exit("or");
    machine.log();
    machine
}

#[test]
fn a_pseudo_level_starts_its_entries_and_changes_no_level() {
    let mut machine = machine();
    machine.request(b'b');
    assert_eq!(
        machine.log(),
        [
            "syslog: Activating demand-procedures for 'B'",
            "read table",
            "title 2",
            "runlevel file 2",
            "start db"
        ]
    );
    assert_eq!(machine.last_levels(), ('2', 'N'));
}

#[test]
fn the_case_of_the_letter_matters_neither_in_the_request_nor_in_the_table() {
    for byte in *b"aA" {
        let mut machine = machine();
        machine.request(byte);
        assert_eq!(machine.started(), ["da", "or"]);
    }
}

#[test]
fn a_demanded_once_entry_runs_each_time_it_is_asked_for() {
    let mut machine = machine();
    for _ in 0..3 {
        machine.request(b'a');
        assert!(machine.started().contains(&"or".to_owned()));
        machine.exit("or");
    }
}

#[test]
fn a_demanded_process_is_started_again_when_it_ends_and_left_alone_while_it_runs() {
    let mut machine = machine();
    machine.request(b'b');
    let pid = machine.pid("db");
    machine.request(b'b');
    assert_eq!(machine.pid("db"), pid);
    machine.log();
    machine.exit("db");
    assert_eq!(machine.started(), ["db"]);
}

#[test]
fn a_demanded_process_lives_through_changes_of_level_but_not_into_level_s() {
    let mut machine = machine();
    machine.request(b'b');
    machine.request(b'3');
    machine.request(b'q');
    assert_eq!(machine.running(), ["db", "x"]);
    machine.log();
    machine.request(b'S');
    assert_eq!(machine.signals(), ["TERM db", "TERM x"]);
    machine.exit("db");
    machine.exit("x");
    machine.request(b'3');
    machine.exit("~~");
    assert_eq!(machine.running(), ["x"], "the demand ends with level S");
}

#[test]
fn a_demanded_process_ends_when_its_entry_goes_or_is_off() {
    for text in ["id:2:initdefault:\n", "id:2:initdefault:\ndb:b:off:/db\n"] {
        let mut machine = machine();
        machine.request(b'b');
        machine.edit(text);
        machine.log();
        machine.request(b'q');
        assert_eq!(machine.signals(), ["TERM db"]);
    }
}

#[test]
fn pseudo_levels_are_ignored_in_level_s() {
    let mut machine = machine();
    machine.request(b'S');
    machine.log();
    machine.request(b'a');
    assert_eq!(machine.log(), Vec::<String>::new());
}

#[test]
fn a_demanded_wait_entry_holds_back_what_is_behind_it() {
    let mut machine = Machine::booted("id:2:initdefault:\nw:a:wait:/w\nd:a:ondemand:/d\n");
    machine.request(b'a');
    assert_eq!(machine.started(), ["w"]);
    machine.exit("w");
    assert_eq!(machine.started(), ["d"]);
}

#[test]
fn a_demand_made_during_the_boot_is_met_when_a_level_is_entered() {
    let mut machine = Machine::new("id:2:initdefault:\nbw::bootwait:/bw\nd:a:ondemand:/d\n");
    machine.boot();
    machine.request(b'a');
    machine.signal(Signal::HUP);
    assert_eq!(machine.running(), ["bw"]);
    machine.exit("bw");
    assert_eq!(machine.running(), ["d"]);
}

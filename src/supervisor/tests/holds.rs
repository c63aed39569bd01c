//! "Respawning too fast", as the machine sees it; the counting itself is tested beside `Throttle`.
#![forbid(unsafe_code)]

use super::*;

const FAILING: &str = "id:2:initdefault:\nr:2:respawn:/r\nx:2:once:/x\n";

/// A machine whose entry `r` has just been held, and what was said.
fn held() -> (Machine, Vec<String>) {
    let mut machine = Machine::booted(FAILING);
    for _ in 0..9 {
        machine.exit("r");
    }
    assert_eq!(machine.started().len(), 9);
    machine.exit("r");
    let said = machine.said();
    assert_eq!(machine.running(), ["x"]);
    (machine, said)
}

#[test]
fn after_ten_starts_in_two_minutes_an_entry_is_held_and_people_are_told() {
    let (_, said) = held();
    assert_eq!(
        said,
        ["both: Id \"r\" respawning too fast: disabled for 5 minutes"]
    );
}

#[test]
fn a_hold_is_recorded_once_with_its_reason() {
    let mut machine = Machine::booted(FAILING);
    machine.log();
    for _ in 0..10 {
        machine.exit("r");
    }
    machine.exit("x");
    let log = machine.log();
    let notes: Vec<&String> = log.iter().filter(|line| line.starts_with("note")).collect();
    assert_eq!(
        notes,
        ["note of respawn r: respawning too fast: disabled for 5 minutes"]
    );
}

#[test]
fn a_held_entry_has_a_deadline_and_starts_again_then() {
    let (mut machine, _) = held();
    let due = machine.now.after(respawn::HOLD);
    assert_eq!(machine.init.next_deadline(), Some(due));
    machine.wait_seconds(299);
    assert_eq!(machine.started(), Vec::<String>::new());
    machine.wait_seconds(1);
    assert_eq!(machine.started(), ["r"]);
    assert_eq!(machine.init.next_deadline(), None);
}

#[test]
fn a_re_read_a_hang_up_and_a_change_of_level_revive_a_held_entry() {
    for revive in [
        |machine: &mut Machine| machine.request(b'q'),
        |machine: &mut Machine| machine.signal(Signal::HUP),
        |machine: &mut Machine| {
            machine.edit("id:2:initdefault:\nr:23:respawn:/r\n");
            machine.obedient = true;
            machine.request(b'3');
        },
        |machine: &mut Machine| machine.request(b'u'),
    ] {
        let (mut machine, _) = held();
        revive(&mut machine);
        machine.happens(Event::ReExecFailed);
        assert_eq!(machine.started(), ["r"]);
    }
}

#[test]
fn an_alarm_does_not_revive_a_held_entry() {
    let (mut machine, _) = held();
    machine.signal(Signal::ALRM);
    assert_eq!(machine.started(), Vec::<String>::new());
}

#[test]
fn two_failing_entries_have_holds_of_their_own() {
    let mut machine = Machine::booted("id:2:initdefault:\nr:2:respawn:/r\ns:2:respawn:/s\n");
    for _ in 0..10 {
        machine.exit("r");
    }
    machine.wait_seconds(60);
    for _ in 0..10 {
        machine.exit("s");
    }
    machine.log();
    machine.wait_seconds(240);
    assert_eq!(machine.started(), ["r"]);
    machine.wait_seconds(60);
    assert_eq!(machine.started(), ["s"]);
}

#[test]
fn the_count_of_starts_begins_anew_with_each_re_read() {
    let mut machine = Machine::booted(FAILING);
    for _ in 0..5 {
        for _ in 0..8 {
            machine.exit("r");
        }
        machine.request(b'q');
    }
    assert_eq!(machine.running(), ["x", "r"]);
}

#[test]
fn once_entries_are_never_held() {
    let mut machine = Machine::booted("id:2:initdefault:\no:2a:once:/o\n");
    for _ in 0..30 {
        machine.exit("o");
        machine.request(b'a');
    }
    assert_eq!(machine.running(), ["o"]);
}

#[test]
fn a_hold_that_ends_behind_a_running_wait_entry_makes_init_neither_spin_nor_start() {
    let mut machine = Machine::booted(
        "id:2:initdefault:\nr:2:respawn:/r\nca:2:ctrlaltdel:/sbin/shutdown -r +30\n",
    );
    for _ in 0..10 {
        machine.exit("r");
    }
    machine.signal(Signal::INT);
    assert_eq!(machine.running(), ["ca"]);
    machine.wait_seconds(1000);
    assert_eq!(machine.init.next_deadline(), None);
    machine.exit("ca");
    assert_eq!(machine.running(), ["r"]);
}

#[test]
fn a_hold_that_ends_during_a_pause_makes_init_not_spin() {
    let (mut machine, _) = held();
    machine.wait_seconds(298);
    machine.forks_fail = true;
    machine.signal(Signal::POWER_OFF);
    machine.forks_fail = false;
    machine.wait_seconds(10);
    assert!(machine.running().contains(&"r"));
}

#[test]
fn an_entry_held_in_level_s_troubles_nobody_in_the_level_that_follows() {
    let mut machine = Machine::booted("id:2:initdefault:\nx:2:once:/x\nsr:S:respawn:/sr\n");
    machine.obedient = true;
    machine.request(b'S');
    for _ in 0..10 {
        machine.exit("sr");
    }
    assert_eq!(machine.running(), ["x"], "level S is over");
    machine.wait_seconds(1000);
    assert_eq!(machine.init.next_deadline(), None);
    let records = machine.snapshot().records;
    assert!(records.iter().all(|record| record.held_until.is_none()));
}

#[test]
fn ondemand_entries_are_held_like_respawn_entries() {
    let mut machine = Machine::booted("id:2:initdefault:\nd:a:ondemand:/d\n");
    machine.request(b'a');
    for _ in 0..10 {
        machine.exit("d");
    }
    assert_eq!(
        machine.said().last().unwrap(),
        "both: Id \"d\" respawning too fast: disabled for 5 minutes"
    );
}

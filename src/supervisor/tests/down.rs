//! A way down that comes to nothing.
#![forbid(unsafe_code)]

use super::*;
use crate::initctl::Assignment;
use crate::supervisor::down::{LIMIT, VARIABLE};

const DOWN: &str = "id:2:initdefault:\nl0:0:wait:/rc 0\nl6:6:wait:/rc 6\ng2:2:respawn:/g\n";

fn on_the_way_down(level: u8) -> Machine {
    let mut machine = Machine::booted(DOWN);
    machine.obedient = true;
    machine.request(level);
    machine.log();
    machine
}

/// Lets time pass up to the deadline, and tells whether there is one.
fn pass_to_deadline(machine: &mut Machine) -> bool {
    let Some(deadline) = machine.init.next_deadline() else {
        return false;
    };
    machine.now = deadline;
    machine.happens(Event::DeadlinePassed);
    true
}

fn set_limit(machine: &mut Machine, seconds: &str) {
    let assignment = Assignment {
        name: VARIABLE.into(),
        value: Some(seconds.as_bytes().into()),
    };
    machine.happens(Event::Requested(Request::SetEnvironment(vec![assignment])));
}

#[test]
fn a_script_that_never_ends_is_named_and_the_machine_goes_down_without_it() {
    for (level, command) in [
        (b'0', "/sbin/shutdown -n -hP now"),
        (b'6', "/sbin/shutdown -n -r now"),
    ] {
        let mut machine = on_the_way_down(level);
        let begin = machine.now;
        assert!(pass_to_deadline(&mut machine));
        assert_eq!(machine.now, begin.after(LIMIT));
        let said = machine.said();
        assert!(said[0].contains("does not end; going down"), "{said:?}");
        assert!(said[0].contains(&format!("\"/rc {}\"", char::from(level))));
        let starts = machine.starts.iter().filter(|start| {
            matches!(&start.program, Program::Entry(entry) if *entry.process == *command.as_bytes())
        });
        assert_eq!(starts.count(), 1);
        assert!(!pass_to_deadline(&mut machine), "it is started once");
    }
}

#[test]
fn every_end_of_an_entry_gives_the_way_down_its_time_anew() {
    let mut machine = on_the_way_down(b'0');
    machine.now = machine.now.after(LIMIT / 2);
    machine.exit("l0");
    let end = machine.now;
    assert!(pass_to_deadline(&mut machine));
    assert_eq!(machine.now, end.after(LIMIT));
    let said = machine.said().join("\n");
    assert!(
        said.contains("nothing runs that would end the machine"),
        "{said}"
    );
}

#[test]
fn the_limit_can_be_set_and_taken_away() {
    let mut machine = Machine::booted(DOWN);
    machine.obedient = true;
    set_limit(&mut machine, "90");
    machine.request(b'6');
    let begin = machine.now;
    assert_eq!(
        machine.init.next_deadline(),
        Some(begin.after(Duration::from_secs(90)))
    );
    set_limit(&mut machine, "0");
    assert_eq!(machine.init.next_deadline(), None);
}

#[test]
fn other_levels_have_all_the_time_of_the_world() {
    let mut machine = Machine::new("id:2:initdefault:\nl2:2:wait:/rc 2\n");
    machine.boot();
    assert_eq!(machine.init.next_deadline(), None);
    machine.exit("l2");
    assert_eq!(machine.init.next_deadline(), None);
}

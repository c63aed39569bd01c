//! What the kernel refuses is asked for again.
#![forbid(unsafe_code)]

use super::*;

const REFUSED: &str = "both: cannot fork, retry..: Resource temporarily unavailable";

#[test]
fn a_failed_fork_is_said_and_tried_again_after_a_pause() {
    let mut machine = Machine::new(USUAL);
    machine.forks_fail = true;
    machine.boot();
    assert_eq!(
        machine.log(),
        ["title boot", "read table", "fail to start si", REFUSED]
    );
    machine.wait_seconds(4);
    assert_eq!(machine.log(), Vec::<String>::new());
    machine.forks_fail = false;
    machine.wait_seconds(1);
    assert_eq!(machine.log(), ["start si"]);
    assert_eq!(machine.init.next_deadline(), None);
}

#[test]
fn a_refusal_that_meets_many_entries_at_once_is_said_once() {
    let mut machine =
        Machine::new("id:2:initdefault:\na:2:respawn:/a\nb:2:respawn:/b\nc:2:once:/c\n");
    machine.forks_fail = true;
    machine.boot();
    assert_eq!(machine.said(), ["both: Entering runlevel: 2", REFUSED]);
    machine.wait_seconds(5);
    assert_eq!(machine.said(), [REFUSED]);
    machine.forks_fail = false;
    machine.wait_seconds(5);
    assert_eq!(machine.started(), ["a", "b", "c"]);
}

#[test]
fn failed_forks_do_not_count_as_starts() {
    let mut machine = Machine::new("id:2:initdefault:\nr:2:respawn:/r\n");
    machine.forks_fail = true;
    machine.boot();
    machine.wait_seconds(119);
    machine.forks_fail = false;
    machine.wait_seconds(5);
    assert_eq!(machine.running(), ["r"], "not held for having been refused");
}

#[test]
fn the_emergency_shell_is_tried_again_when_it_cannot_be_forked() {
    let options = BootOptions {
        emergency: Emergency::Wanted,
        ..BootOptions::default()
    };
    let mut machine = Machine::with(USUAL, &options);
    machine.forks_fail = true;
    machine.boot();
    machine.wait_seconds(12);
    machine.forks_fail = false;
    machine.wait_seconds(5);
    assert_eq!(machine.running(), ["~~"]);
    machine.exit("~~");
    assert_eq!(machine.running(), ["si"]);
}

#[test]
fn the_question_is_tried_again_when_it_cannot_be_forked() {
    let mut machine = Machine::new("x:3:once:/x\n");
    machine.forks_fail = true;
    machine.boot();
    machine.wait_seconds(12);
    machine.forks_fail = false;
    machine.wait_seconds(5);
    assert_eq!(machine.running(), ["question"]);
}

#[test]
fn the_container_managers_shutdown_is_tried_again_when_it_cannot_be_forked() {
    let mut machine = Machine::booted(USUAL);
    machine.forks_fail = true;
    machine.signal(Signal::POWER_OFF);
    machine.wait_seconds(12);
    machine.forks_fail = false;
    machine.log();
    machine.wait_seconds(5);
    assert_eq!(machine.started(), ["~~"]);
}

#[test]
fn an_event_is_not_lost_when_its_entry_cannot_be_forked() {
    let mut machine = Machine::booted("id:2:initdefault:\nca:2:ctrlaltdel:/ca\n");
    machine.forks_fail = true;
    machine.signal(Signal::INT);
    machine.forks_fail = false;
    machine.wait_seconds(5);
    assert_eq!(machine.running(), ["ca"]);
}

#[test]
fn a_change_of_level_does_not_wait_for_the_pause() {
    let mut machine = Machine::booted("id:2:initdefault:\nr:2:respawn:/r\nx:3:once:/x\n");
    machine.forks_fail = true;
    machine.exit("r");
    machine.forks_fail = false;
    machine.request(b'3');
    assert_eq!(machine.running(), ["x"]);
}

#[test]
fn a_process_whose_entry_went_while_it_was_forked_is_stopped() {
    let mut supervisor = Supervisor::new(&BootOptions::default());
    let now = Uptime::from_secs(1);
    supervisor.handle(now, Event::Booted);
    let effects = supervisor.handle(
        now,
        Event::TableLoaded(table("id:2:initdefault:\nr:2:once:/r\n")),
    );
    let key = effects
        .iter()
        .find_map(|effect| {
            if let Effect::Spawn(start) = effect {
                Some(start.key)
            } else {
                None
            }
        })
        .unwrap();
    supervisor.handle(now, Event::Signalled(Signal::HUP));
    supervisor.handle(now, Event::TableLoaded(table("id:2:initdefault:\n")));
    let pid = Pid::new(50).unwrap();
    assert_eq!(
        supervisor.handle(now, Event::Spawned { key, pid }),
        [Effect::SignalGroup {
            leader: pid,
            signal: Signal::TERM
        }]
    );
}

#[test]
fn a_process_number_given_anew_frees_the_entry_that_had_it() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/a\nb:2:respawn:/b\n");
    machine.last_pid = machine.pid("a").get() - 1;
    machine.exit("b");
    assert_eq!(machine.started(), ["b", "a"]);
}

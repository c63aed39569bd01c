//! What the actions of inittab(5) mean while a level lasts, and what is recorded.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn the_end_of_an_orphan_leaves_the_state_as_it_was() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/a\n");
    let before = machine.init.generation();
    let status = ExitStatus::Exited(0);
    let pid = Pid::new(4711).unwrap();
    machine.happens(Event::Exited { pid, status });
    assert_eq!(machine.init.generation(), before);
    machine.exit("a");
    assert_ne!(machine.init.generation(), before);
}

#[test]
fn a_wait_entry_holds_back_everything_behind_it() {
    let mut machine =
        Machine::new("id:2:initdefault:\na:2:once:/a\nw:2:wait:/w\nb:2:once:/b\nc:2:respawn:/c\n");
    machine.boot();
    assert_eq!(machine.started(), ["a", "w"]);
    machine.exit("a");
    assert_eq!(machine.started(), Vec::<String>::new());
    machine.exit("w");
    assert_eq!(machine.started(), ["b", "c"]);
}

#[test]
fn a_respawn_entry_before_a_running_wait_entry_is_started_again() {
    let mut machine = Machine::new("id:2:initdefault:\nr:2:respawn:/r\nw:2:wait:/w\n");
    machine.boot();
    machine.log();
    machine.exit("r");
    assert_eq!(machine.log(), ["record end of r", "start r"]);
}

#[test]
fn a_respawn_entry_behind_a_running_wait_entry_waits_for_it() {
    let mut machine = Machine::booted("id:2:initdefault:\nr:2:respawn:/r\n");
    machine.edit("id:2:initdefault:\nw:2:wait:/w\nr:2:respawn:/r\n");
    machine.request(b'q');
    machine.exit("r");
    assert_eq!(machine.running(), ["w"]);
    machine.exit("w");
    assert_eq!(machine.running(), ["r"]);
}

#[test]
fn a_respawn_process_is_started_again_whenever_it_ends() {
    let mut machine = Machine::booted("id:2:initdefault:\nr:2:respawn:/r\n");
    for _ in 0..100 {
        machine.wait_seconds(20);
        machine.exit("r");
        assert_eq!(machine.log(), ["record end of r", "start r"]);
    }
}

#[test]
fn a_once_process_is_not_started_again_when_it_ends() {
    let mut machine = Machine::booted("id:2:initdefault:\no:2:once:/o\n");
    machine.exit("o");
    machine.signal(Signal::HUP);
    assert_eq!(machine.started(), Vec::<String>::new());
}

#[test]
fn once_and_wait_entries_common_to_two_levels_do_not_run_again_in_the_second() {
    let mut machine = Machine::booted("id:2:initdefault:\nw:23:wait:/w\no:23:once:/o\n");
    machine.exit("o");
    machine.log();
    machine.request(b'3');
    assert_eq!(machine.started(), Vec::<String>::new());
}

#[test]
fn once_and_wait_entries_run_again_when_their_level_was_left_in_between() {
    let mut machine = Machine::booted("id:2:initdefault:\nw:23:wait:/w\no:23:once:/o\n");
    machine.exit("o");
    machine.request(b'4');
    machine.log();
    machine.request(b'2');
    machine.finish_waited_for();
    assert_eq!(machine.started(), ["w", "o"]);
}

#[test]
fn off_and_ondemand_entries_without_the_level_never_start() {
    let mut machine = Machine::new("id:2:initdefault:\nx:2:off:/x\nd:a:ondemand:/d\n");
    machine.boot();
    assert_eq!(machine.started(), Vec::<String>::new());
}

#[test]
fn an_ondemand_entry_with_a_real_level_works_like_respawn_there() {
    let mut machine = Machine::booted("id:2:initdefault:\nd:2a:ondemand:/d\n");
    assert_eq!(machine.running(), ["d"]);
    machine.exit("d");
    assert_eq!(machine.running(), ["d"]);
}

#[test]
fn no_more_processes_left_is_said_once_in_a_level() {
    let mut machine = Machine::booted("id:2:initdefault:\no:2:once:/o\np:2:once:/p\n");
    machine.exit("o");
    machine.exit("p");
    machine.signal(Signal::ALRM);
    assert_eq!(
        machine.said(),
        ["both: no more processes left in this runlevel"]
    );
    machine.request(b'4');
    machine.request(b'5');
    assert_eq!(
        machine.said(),
        [
            "both: Switching to runlevel: 4",
            "both: Switching to runlevel: 5"
        ],
        "only level S and the boot phase bring it back"
    );
}

#[test]
fn level_s_brings_the_remark_on_no_processes_back() {
    let mut machine = Machine::booted("id:2:initdefault:\n~~:S:wait:/s\n");
    machine.request(b'S');
    machine.wait_seconds(60);
    machine.log();
    machine.exit("~~");
    assert_eq!(
        machine.said(),
        [
            "both: Entering runlevel: 2",
            "both: no more processes left in this runlevel"
        ]
    );
}

#[test]
fn the_end_of_an_entry_marked_by_plus_is_not_recorded() {
    let mut machine = Machine::booted("id:2:initdefault:\nr:2:respawn:+/r\ns:2:respawn:/s\n");
    machine.exit("r");
    machine.exit("s");
    assert_eq!(machine.records(), ["end of s"]);
    machine.obedient = true;
    machine.request(b'3');
    assert_eq!(machine.records(), ["level 3 after 2", "end of s"]);
}

#[test]
fn exits_of_unknown_processes_change_nothing() {
    let mut machine = Machine::booted(USUAL);
    let before = machine.snapshot();
    for number in [1, 2, 99, 100, 4000, i32::MAX] {
        machine.happens(Event::Exited {
            pid: Pid::new(number).unwrap(),
            status: ExitStatus::Exited(0),
        });
    }
    assert_eq!(machine.log(), Vec::<String>::new());
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn alarms_and_passed_deadlines_change_nothing_by_themselves() {
    let mut machine = Machine::booted(USUAL);
    let before = machine.snapshot();
    machine.signal(Signal::ALRM);
    machine.signal(Signal::TERM);
    machine.signal(Signal::QUIT);
    machine.happens(Event::DeadlinePassed);
    assert_eq!(machine.log(), Vec::<String>::new());
    assert_eq!(machine.snapshot(), before);
}

#[test]
fn a_machine_at_rest_has_no_deadline() {
    let machine = Machine::booted(USUAL);
    assert_eq!(machine.init.next_deadline(), None);
}

#[test]
fn a_program_that_cannot_be_executed_is_named() {
    let mut machine = Machine::booted(USUAL);
    machine.happens(Event::ExecFailed {
        program: Box::from(*b"/sbin/ge\xfftty"),
    });
    assert_eq!(machine.log(), ["both: cannot execute \"/sbin/ge\\xfftty\""]);
}

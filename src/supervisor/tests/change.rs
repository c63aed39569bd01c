//! A change of level and a re-read: who must end, how, and what happens meanwhile.
#![forbid(unsafe_code)]

use super::*;

const TERM: &str = "console: Sending processes configured via /etc/inittab the TERM signal";
const KILL: &str = "console: Sending processes configured via /etc/inittab the KILL signal";

#[test]
fn a_change_of_level_stops_what_is_not_of_the_new_level_and_then_starts_what_is() {
    let mut machine = Machine::booted(USUAL);
    machine.request(b'3');
    assert_eq!(
        machine.log(),
        [
            "both: Switching to runlevel: 3",
            "record level 3 after 2",
            "repair accounting",
            "read table",
            TERM,
            "TERM g2"
        ]
    );
    machine.exit("g2");
    assert_eq!(
        machine.log(),
        ["record end of g2", "title 3", "runlevel file 3", "start l3"]
    );
    assert_eq!(machine.last_levels(), ('3', '2'));
    machine.exit("l3");
    assert_eq!(machine.running(), ["bo", "gb", "g3"]);
}

#[test]
fn going_to_halt_maintenance_reboot_and_single_user_resets_the_console() {
    for (byte, resets) in [
        (b'0', true),
        (b'1', true),
        (b'6', true),
        (b'S', true),
        (b'3', false),
        (b'7', false),
    ] {
        let mut machine = Machine::booted("id:2:initdefault:\n");
        machine.request(byte);
        let reset = machine.log().contains(&"reset console".to_owned());
        assert_eq!(reset, resets, "{}", char::from(byte));
    }
}

#[test]
fn only_the_multi_user_levels_repair_the_accounting() {
    for byte in b"0134567S" {
        let mut machine = Machine::booted("id:2:initdefault:\n");
        machine.request(*byte);
        let repairs = machine.log().contains(&"repair accounting".to_owned());
        assert_eq!(
            repairs,
            (b'2'..=b'5').contains(byte),
            "{}",
            char::from(*byte)
        );
    }
}

#[test]
fn processes_get_term_in_the_order_of_the_table() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\nd:2:once:/d\n");
    machine.edit("id:2:initdefault:\na:2:once:/a\nb:2:once:/b\nc:2:once:/c\nd:2:once:/d\n");
    machine.request(b'q');
    machine.log();
    machine.request(b'3');
    assert_eq!(machine.signals(), ["TERM a", "TERM b", "TERM c", "TERM d"]);
    machine.exit("a");
    machine.log();
    machine.wait_seconds(3);
    assert_eq!(machine.signals(), ["KILL b", "KILL c", "KILL d"]);
}

#[test]
fn a_process_that_outlives_the_grace_time_is_killed() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\nb:2:once:/b\nc:3:once:/c\n");
    machine.request(b'3');
    machine.exit("a");
    machine.log();
    machine.wait(Duration::from_millis(2_999));
    assert_eq!(machine.log(), Vec::<String>::new());
    machine.wait(Duration::from_millis(1));
    assert_eq!(machine.log(), [KILL, "KILL b"]);
    machine.exit_with("b", ExitStatus::Killed(Signal::KILL));
    assert_eq!(
        machine.log(),
        ["record end of b", "title 3", "runlevel file 3", "start c"]
    );
    assert_eq!(machine.init.next_deadline(), None);
}

#[test]
fn a_process_that_outlives_kill_is_named_and_given_up() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\nc:3:once:/c\n");
    let pid = machine.pid("a");
    machine.request(b'3');
    machine.wait_seconds(3);
    machine.log();
    machine.wait_seconds(1);
    assert_eq!(
        machine.log(),
        [
            format!("console: Pid {pid} [id a] seems to hang").as_str(),
            "title 3",
            "runlevel file 3",
            "start c"
        ]
    );
    machine.exit("a");
    assert_eq!(machine.log(), Vec::<String>::new(), "it is forgotten");
}

#[test]
fn without_grace_time_kill_follows_term_at_once() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\n");
    machine.request_with(b'3', 0);
    assert_eq!(machine.signals(), ["TERM a", "KILL a"]);
}

#[test]
fn the_grace_time_of_a_request_stays_in_force() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\n");
    machine.request_with(b'q', 20);
    machine.edit("id:2:initdefault:\n");
    machine.signal(Signal::HUP);
    machine.log();
    machine.wait_seconds(19);
    assert_eq!(machine.signals(), Vec::<String>::new());
    machine.wait_seconds(1);
    assert_eq!(machine.signals(), ["KILL a"]);
}

#[test]
fn the_level_the_machine_is_in_is_ignored_but_for_its_grace_time() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\n");
    machine.request_with(b'2', 20);
    assert_eq!(machine.log(), Vec::<String>::new());
    assert_eq!(machine.snapshot().grace_time, Duration::from_secs(20));
}

#[test]
fn an_entry_that_is_gone_is_stopped_at_a_re_read() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/a\nb:2:respawn:/b\n");
    machine.edit("id:2:initdefault:\nb:2:respawn:/b\n");
    machine.request(b'q');
    assert_eq!(
        machine.log(),
        ["syslog: Re-reading inittab", "read table", TERM, "TERM a"]
    );
    machine.exit("a");
    assert_eq!(
        machine.log(),
        ["record end of a", "title 2", "runlevel file 2"]
    );
    assert_eq!(machine.running(), ["b"]);
}

#[test]
fn an_entry_whose_action_changed_is_stopped_and_starts_afresh() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/a\nb:2:respawn:/b\n");
    machine.edit("id:2:initdefault:\na:2:once:/a\nb:2:off:/b\n");
    machine.request(b'q');
    assert_eq!(machine.signals(), ["TERM a", "TERM b"]);
    machine.exit("b");
    assert_eq!(
        machine.running(),
        ["a"],
        "nothing starts before all are gone"
    );
    machine.exit("a");
    assert_eq!(machine.started(), ["a"]);
}

#[test]
fn an_entry_whose_field_no_longer_has_the_level_is_stopped() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/a\n");
    machine.edit("id:2:initdefault:\na:3:respawn:/a\n");
    machine.request(b'q');
    assert_eq!(machine.signals(), ["TERM a"]);
}

#[test]
fn a_changed_command_leaves_the_process_alone_and_is_used_at_the_next_start() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/old\n");
    machine.edit("id:2:initdefault:\na:2:respawn:/new\n");
    machine.request(b'q');
    assert_eq!(machine.signals(), Vec::<String>::new());
    machine.exit("a");
    let Program::Entry(entry) = &machine.starts.last().unwrap().program else {
        panic!("no question was expected");
    };
    assert_eq!(entry.process.as_ref(), b"/new");
}

#[test]
fn boot_processes_live_through_every_change_of_level() {
    let mut machine = Machine::booted("id:2:initdefault:\nbo::boot:/bo\n~~:S:wait:/s\n");
    for byte in b"35S102" {
        machine.request(*byte);
        assert_eq!(machine.signals(), Vec::<String>::new());
        if *byte == b'S' {
            machine.exit("~~");
        }
        assert_eq!(machine.running(), ["bo"]);
    }
}

#[test]
fn a_running_wait_process_is_stopped_by_a_change_of_level() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    machine.exit("si");
    machine.exit("bw");
    assert_eq!(machine.running(), ["bo", "l2"]);
    machine.log();
    machine.request(b'3');
    assert_eq!(machine.signals(), ["TERM l2"]);
    machine.exit("l2");
    assert_eq!(machine.started(), ["l3"]);
}

#[test]
fn a_wait_process_common_to_both_levels_goes_on_and_still_holds_back_the_rest() {
    let mut machine = Machine::new("id:2:initdefault:\nw:23:wait:/w\nb:3:once:/b\n");
    machine.boot();
    machine.request(b'3');
    assert_eq!(machine.running(), ["w"]);
    machine.exit("w");
    assert_eq!(machine.running(), ["b"]);
}

#[test]
fn new_wait_and_once_entries_run_at_the_re_read_that_brings_them() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:respawn:/a\n");
    machine.edit("id:2:initdefault:\na:2:respawn:/a\nw:2:wait:/w\no:2:once:/o\np:3:once:/p\n");
    machine.request(b'q');
    machine.finish_waited_for();
    assert_eq!(machine.started(), ["w", "o"]);
}

#[test]
fn a_table_that_cannot_be_read_leaves_the_one_in_force() {
    let mut machine = Machine::booted(USUAL);
    machine.disk = None;
    machine.request(b'3');
    assert_eq!(machine.signals(), ["TERM g2"]);
    machine.exit("g2");
    machine.finish_waited_for();
    assert_eq!(machine.running(), ["bo", "gb", "g3"]);
}

#[test]
fn requests_wait_until_everything_is_stopped() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\nb:3:once:/b\nc:4:once:/c\n");
    machine.request(b'3');
    machine.log();
    assert!(!machine.init.accepts_requests());
    machine.request(b'4');
    assert_eq!(machine.log(), Vec::<String>::new());
    machine.exit("a");
    assert_eq!(
        machine.log(),
        [
            "record end of a",
            "title 3",
            "runlevel file 3",
            "both: Switching to runlevel: 4",
            "record level 4 after 3",
            "repair accounting",
            "read table",
            "title 4",
            "runlevel file 4",
            "start c"
        ]
    );
    assert!(machine.init.accepts_requests());
}

#[test]
fn a_hang_up_while_processes_are_stopped_is_served_afterwards() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\n");
    machine.request(b'3');
    machine.signal(Signal::HUP);
    machine.signal(Signal::HUP);
    machine.log();
    machine.edit("id:2:initdefault:\nn:3:once:/n\n");
    machine.exit("a");
    assert_eq!(
        machine.log(),
        [
            "record end of a",
            "title 3",
            "runlevel file 3",
            "read table",
            "title 3",
            "runlevel file 3",
            "start n"
        ]
    );
}

#[test]
fn nothing_is_started_again_while_processes_are_stopped() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\nr:23:respawn:/r\n");
    machine.request(b'3');
    machine.log();
    machine.exit("r");
    assert_eq!(machine.log(), ["record end of r"]);
    machine.exit("a");
    assert_eq!(machine.started(), ["r"]);
}

#[test]
fn a_hang_up_re_reads_without_a_word() {
    let mut machine = Machine::booted("id:2:initdefault:\n");
    machine.signal(Signal::HUP);
    assert_eq!(machine.log(), ["read table", "title 2", "runlevel file 2"]);
}

#[test]
fn a_hang_up_during_sysinit_leaves_it_running() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    machine.log();
    machine.signal(Signal::HUP);
    assert_eq!(
        machine.log(),
        ["read table", "title boot", "runlevel file #"]
    );
    machine.exit("si");
    assert_eq!(machine.started(), ["bw"]);
}

#[test]
fn two_entries_with_the_fallback_id_keep_their_processes_apart() {
    let text = "id:2:initdefault:\n~~:2:respawn:/one\n~~:2:respawn:/two\n";
    let mut machine = Machine::booted(text);
    let before = machine.processes.clone();
    machine.request(b'q');
    assert_eq!(machine.signals(), Vec::<String>::new());
    assert_eq!(machine.processes, before);
}

#[test]
fn a_pause_that_ends_while_processes_are_stopped_makes_init_not_spin() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\nr:2:respawn:/r\n");
    machine.forks_fail = true;
    machine.exit("r");
    machine.forks_fail = false;
    machine.edit("id:2:initdefault:\nr:2:respawn:/r\n");
    machine.request_with(b'q', 30);
    assert_eq!(machine.running(), ["a"]);
    machine.wait_seconds(29);
    machine.exit("a");
    assert_eq!(machine.running(), ["r"]);
}

#[test]
fn a_process_that_was_asked_to_end_has_not_failed() {
    use crate::record::Verdict;
    let mut machine = Machine::booted(USUAL);
    let pid = |machine: &Machine, id: &str| {
        let found = machine.processes.iter().find(|(_, name)| name == id);
        found.unwrap().0
    };
    let (failed, ok) = (ExitStatus::Exited(1), ExitStatus::Exited(0));
    let stopped = pid(&machine, "g2");
    assert_eq!(machine.init.verdict_on(stopped, failed), Verdict::Failed);
    assert_eq!(machine.init.verdict_on(stopped, ok), Verdict::Ok);
    machine.request(b'3');
    assert_eq!(
        machine.init.verdict_on(stopped, failed),
        Verdict::Interrupted
    );
    let kept = pid(&machine, "gb");
    assert_eq!(machine.init.verdict_on(kept, failed), Verdict::Failed);
}

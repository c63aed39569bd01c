//! What else a client can ask for, and the signals that steer init itself.
#![forbid(unsafe_code)]

use super::*;
use crate::initctl::Assignment;

fn words(machine: &Machine) -> Vec<String> {
    machine
        .snapshot()
        .environment
        .iter()
        .map(|word| String::from_utf8(word.to_vec()).unwrap())
        .collect()
}

fn set(machine: &mut Machine, texts: &[&str]) {
    let assignments = texts
        .iter()
        .map(|text| Assignment::parse(text.as_bytes()))
        .collect();
    machine.happens(Event::Requested(Request::SetEnvironment(assignments)));
}

#[test]
fn an_unknown_level_is_named_and_the_table_read_all_the_same() {
    let mut machine = Machine::booted("id:2:initdefault:\n");
    machine.request(b'Z');
    assert_eq!(
        machine.log(),
        [
            "both: bad runlevel: Z",
            "read table",
            "title 2",
            "runlevel file 2"
        ]
    );
    machine.request(0xff);
    assert_eq!(machine.said(), ["both: bad runlevel: \\xff"]);
}

#[test]
fn q_in_either_case_re_reads_the_table() {
    for byte in *b"qQ" {
        let mut machine = Machine::booted("id:2:initdefault:\n");
        machine.request(byte);
        assert_eq!(
            machine.log(),
            [
                "syslog: Re-reading inittab",
                "read table",
                "title 2",
                "runlevel file 2"
            ]
        );
    }
}

#[test]
fn single_user_mode_can_be_asked_for_in_either_case() {
    for byte in *b"sS" {
        let mut machine = Machine::booted("id:2:initdefault:\n~~:S:wait:/sulogin\n");
        machine.request(byte);
        assert_eq!(
            machine.log(),
            [
                "both: Going single user",
                "record level S after 2",
                "reset console",
                "read table",
                "title S",
                "runlevel file S",
                "start ~~"
            ]
        );
    }
}

#[test]
fn lower_case_s_in_level_s_is_a_change_and_upper_case_is_none() {
    let mut machine = Machine::booted("id:2:initdefault:\n~~:S:wait:/sulogin\n");
    machine.request(b'S');
    machine.log();
    machine.request(b'S');
    assert_eq!(machine.log(), Vec::<String>::new());
    machine.request(b's');
    assert_eq!(
        machine.log(),
        [
            "both: Going single user",
            "record level S after S",
            "read table",
            "title S",
            "runlevel file S"
        ]
    );
    assert_eq!(machine.running(), ["~~"]);
}

#[test]
fn levels_seven_to_nine_are_levels_like_others() {
    for byte in *b"789" {
        let text = format!("id:2:initdefault:\nx:{}:once:/x\n", char::from(byte));
        let mut machine = Machine::booted(&text);
        machine.request(byte);
        assert_eq!(machine.started(), ["x"]);
    }
}

#[test]
fn u_hands_over_in_levels_s_and_zero_to_six_only() {
    for (byte, expected) in [
        (b'S', true),
        (b'0', true),
        (b'1', true),
        (b'5', true),
        (b'6', true),
        (b'7', false),
        (b'9', false),
    ] {
        for u in *b"uU" {
            let mut machine = Machine::booted("id:2:initdefault:\n~~:S:wait:/s\n");
            machine.request(byte);
            machine.log();
            machine.request(u);
            let mut expected_log = vec!["syslog: Trying to re-exec init"];
            expected_log.extend(expected.then_some("re-exec"));
            assert_eq!(machine.log(), expected_log, "{}", char::from(byte));
        }
    }
}

#[test]
fn u_during_the_boot_is_logged_and_not_done() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    machine.log();
    machine.request(b'U');
    assert_eq!(machine.log(), ["syslog: Trying to re-exec init"]);
    machine.exit("si");
    machine.log();
    machine.request(b'U');
    assert_eq!(machine.log(), ["syslog: Trying to re-exec init"]);
}

#[test]
fn a_failed_hand_over_is_said_and_life_goes_on() {
    let mut machine = Machine::booted(USUAL);
    machine.request(b'U');
    machine.log();
    machine.happens(Event::ReExecFailed);
    assert_eq!(machine.log(), ["console: Attempt to re-exec failed"]);
    assert!(machine.init.accepts_requests());
    machine.exit("g2");
    assert_eq!(machine.started(), ["g2"]);
}

#[test]
fn nothing_is_started_between_the_decision_to_hand_over_and_its_failure() {
    let mut machine =
        Machine::booted("id:2:initdefault:\na:2:once:/a\nl3:3:wait:/rc 3\ng3:3:respawn:/g\n");
    machine.request(b'3');
    machine.request(b'U');
    machine.log();
    machine.exit("a");
    assert_eq!(machine.log().last().unwrap(), "re-exec");
    let handed_over = machine.snapshot();
    let l3 = handed_over
        .records
        .iter()
        .find(|record| record.entry.id.as_bytes() == b"l3")
        .unwrap();
    assert!(!l3.flags.executed, "the next image must run it");
    machine.happens(Event::ReExecFailed);
    assert_eq!(machine.started(), ["l3"]);
}

#[test]
fn commands_no_init_acts_on_are_answered_by_a_message() {
    let mut machine = Machine::booted(USUAL);
    for command in [0, 5, 7, 1000] {
        machine.happens(Event::Requested(Request::Unimplemented { command }));
        assert_eq!(machine.log(), ["both: got unimplemented initrequest."]);
    }
}

#[test]
fn variables_are_set_replaced_and_unset() {
    let mut machine = Machine::booted(USUAL);
    set(&mut machine, &["INIT_HALT=HALT", "INIT_X=1", "INIT_E="]);
    assert_eq!(words(&machine), ["INIT_HALT=HALT", "INIT_X=1", "INIT_E="]);
    set(&mut machine, &["INIT_HALT=POWEROFF"]);
    assert_eq!(
        words(&machine),
        ["INIT_X=1", "INIT_E=", "INIT_HALT=POWEROFF"]
    );
    set(&mut machine, &["INIT_HALT", "INIT_E", "INIT_UNKNOWN"]);
    assert_eq!(words(&machine), ["INIT_X=1"]);
    assert_eq!(machine.log(), Vec::<String>::new());
}

#[test]
fn variables_beyond_the_limit_are_refused_by_name_and_known_ones_still_change() {
    let mut machine = Machine::booted(USUAL);
    for number in 0..MOST_EXTRAS {
        set(&mut machine, &[&format!("INIT_{number}=x")]);
    }
    assert_eq!(machine.said(), Vec::<String>::new());
    set(&mut machine, &["INIT_MORE=x"]);
    assert_eq!(
        machine.said(),
        ["both: no room for another environment variable: INIT_MORE was not set"]
    );
    set(&mut machine, &["INIT_5=y"]);
    assert_eq!(machine.said(), Vec::<String>::new());
    assert_eq!(words(&machine).len(), MOST_EXTRAS);
    assert!(words(&machine).contains(&"INIT_5=y".to_owned()));
}

#[test]
fn requests_beyond_the_limit_are_dropped_with_a_word() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\n");
    machine.request(b'3');
    machine.log();
    for _ in 0..=MOST_DEFERRED {
        machine.request(b'q');
    }
    assert_eq!(
        machine.log(),
        ["both: too many requests at once: one was dropped"]
    );
}

#[test]
fn the_two_user_signals_reopen_and_close_the_fifo() {
    let mut machine = Machine::booted(USUAL);
    machine.signal(Signal::USR1);
    assert_eq!(machine.log(), ["reopen fifo"]);
    machine.signal(Signal::USR2);
    assert_eq!(machine.log(), ["close fifo"]);
}

#[test]
fn while_stopped_from_the_terminal_init_starts_nothing_and_serves_nobody() {
    let mut machine = Machine::booted(USUAL);
    machine.signal(Signal::TSTP);
    assert!(machine.init.is_paused());
    assert!(!machine.init.accepts_requests());
    machine.exit("g2");
    machine.signal(Signal::HUP);
    machine.request(b'3');
    assert_eq!(machine.log(), ["record end of g2"]);
    assert_eq!(machine.init.next_deadline(), None);
    machine.edit("id:2:initdefault:\nn:3:once:/n\n");
    machine.obedient = true;
    machine.signal(Signal::CONT);
    assert!(!machine.init.is_paused());
    assert_eq!(machine.running(), ["n"]);
}

#[test]
fn a_grace_time_that_ends_while_init_is_paused_is_looked_at_when_it_goes_on() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\n");
    machine.request(b'3');
    machine.signal(Signal::TSTP);
    machine.wait_seconds(60);
    machine.log();
    machine.signal(Signal::CONT);
    assert_eq!(machine.signals(), ["KILL a"]);
}

#[test]
fn continuing_without_a_stop_changes_nothing() {
    let mut machine = Machine::booted(USUAL);
    machine.signal(Signal::CONT);
    assert_eq!(machine.log(), Vec::<String>::new());
}

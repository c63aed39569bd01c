//! Level S: on the way to another level, and as the place to stay.
#![forbid(unsafe_code)]

use super::*;

const TO_TWO: &str = "id:2:initdefault:\nsi::sysinit:/si\nbw::bootwait:/bw\nl2:2:wait:/rc 2\ng2:2:respawn:/g2\n~~:S:wait:/sulogin\n";
const TO_SINGLE: &str = "id:S:initdefault:\nbw::bootwait:/bw\n~~:S:wait:/sulogin\n";

fn single(text: &str) -> Machine {
    let options = BootOptions {
        level: Some(Runlevel::SINGLE),
        ..BootOptions::default()
    };
    let mut machine = Machine::with(text, &options);
    machine.boot();
    machine
}

#[test]
fn level_s_at_boot_skips_the_boot_entries_and_says_nothing() {
    let mut machine = single(TO_TWO);
    machine.log();
    machine.exit("si");
    assert_eq!(
        machine.log(),
        [
            "record end of si",
            "record boot",
            "title S",
            "runlevel file S",
            "start ~~"
        ]
    );
}

#[test]
fn when_level_s_ends_the_boot_is_made_up_for_and_prevlevel_is_none() {
    let mut machine = single(TO_TWO);
    machine.exit("si");
    machine.wait_seconds(60);
    machine.log();
    machine.exit("~~");
    assert_eq!(
        machine.log(),
        ["record end of ~~", "runlevel file *", "start bw"]
    );
    machine.exit("bw");
    assert_eq!(
        machine.log(),
        [
            "record end of bw",
            "both: Entering runlevel: 2",
            "record level 2 after N",
            "title 2",
            "runlevel file 2",
            "start l2"
        ]
    );
    assert_eq!(machine.last_levels(), ('2', 'N'));
}

#[test]
fn level_s_after_the_boot_leads_straight_to_the_default_level_with_prevlevel_s() {
    let mut machine = Machine::new(TO_TWO);
    machine.obedient = true;
    machine.boot();
    machine.finish_waited_for();
    machine.request(b'S');
    assert_eq!(machine.running(), ["~~"]);
    assert_eq!(machine.last_levels(), ('S', '2'));
    machine.wait_seconds(60);
    machine.log();
    machine.exit("~~");
    assert_eq!(
        machine.log(),
        [
            "record end of ~~",
            "both: Entering runlevel: 2",
            "record level 2 after S",
            "title 2",
            "runlevel file 2",
            "start l2"
        ]
    );
    assert_eq!(machine.last_levels(), ('2', 'S'));
}

#[test]
fn level_s_answered_by_s_again_runs_its_entries_again() {
    let mut machine = single(TO_SINGLE);
    for _ in 0..3 {
        machine.wait_seconds(60);
        machine.log();
        machine.exit("~~");
        assert_eq!(machine.log(), ["record end of ~~", "start ~~"]);
    }
}

#[test]
fn a_round_of_level_s_that_ends_at_once_is_followed_by_a_pause() {
    let mut machine = single(TO_SINGLE);
    machine.log();
    machine.exit("~~");
    assert_eq!(
        machine.log(),
        [
            "record end of ~~",
            "both: single-user mode ended at once: next attempt in 5 seconds"
        ]
    );
    machine.wait_seconds(4);
    assert_eq!(machine.running(), Vec::<&str>::new());
    machine.wait_seconds(1);
    assert_eq!(machine.running(), ["~~"]);
    machine.exit("~~");
    machine.wait_seconds(4);
    assert_eq!(machine.running(), Vec::<&str>::new(), "each such round");
}

#[test]
fn a_request_ends_the_pause_between_two_rounds_of_level_s() {
    let mut machine = single("id:S:initdefault:\nx:3:once:/x\n~~:S:wait:/sulogin\n");
    machine.exit("~~");
    machine.request(b'3');
    assert_eq!(machine.running(), ["x"]);
}

#[test]
fn entries_of_other_levels_too_do_not_run_again_in_another_round_of_level_s() {
    let mut machine = single("id:S:initdefault:\nso:S2:once:/so\n~~:S:wait:/sulogin\n");
    assert_eq!(machine.running(), ["so", "~~"]);
    machine.exit("so");
    machine.wait_seconds(60);
    machine.exit("~~");
    assert_eq!(machine.running(), ["~~"]);
}

#[test]
fn a_lower_case_s_makes_an_entry_one_of_level_s_alone() {
    let mut machine = single("id:S:initdefault:\nsu:s:wait:/sulogin\n");
    machine.wait_seconds(60);
    machine.exit("su");
    assert_eq!(machine.running(), ["su"]);
}

#[test]
fn where_no_entry_is_of_level_s_alone_all_of_level_s_run_again() {
    let mut machine = single("id:S:initdefault:\nsu:S016:wait:/sulogin\n");
    machine.wait_seconds(60);
    machine.exit("su");
    assert_eq!(machine.running(), ["su"], "there must be a way in");
}

#[test]
fn a_level_s_without_any_entry_neither_spins_nor_stops_serving_requests() {
    let mut machine = single("id:S:initdefault:\nx:3:once:/x\n~~:S:wait:/sulogin\n");
    machine.exit("~~");
    machine.edit("id:S:initdefault:\nx:3:once:/x\n");
    if let Some(disk) = &mut machine.disk {
        disk.entries.retain(|entry| entry.id != EntryId::fallback());
    }
    machine.signal(Signal::HUP);
    machine.wait_seconds(600);
    assert!(machine.init.accepts_requests());
    machine.request(b'3');
    assert_eq!(machine.running(), ["x"]);
}

#[test]
fn initdefault_is_consulted_anew_when_level_s_ends() {
    let mut machine = single(TO_TWO);
    machine.exit("si");
    machine.wait_seconds(60);
    machine.edit("id:5:initdefault:\nx:5:once:/x\n~~:S:wait:/sulogin\n");
    machine.signal(Signal::HUP);
    machine.exit("~~");
    assert_eq!(machine.init.phase(), Phase::Normal(level(b'5')));
    assert_eq!(machine.running(), ["x"]);
}

#[test]
fn without_initdefault_the_question_comes_when_level_s_ends() {
    let mut machine = single("x:3:once:/x\n~~:S:wait:/sulogin\n");
    machine.wait_seconds(60);
    machine.log();
    machine.exit("~~");
    assert_eq!(machine.started(), ["question"]);
    machine.exit_with("question", ExitStatus::Exited(b'3'));
    assert_eq!(machine.running(), ["x"]);
}

#[test]
fn the_level_of_a_boot_that_a_request_broke_off_is_not_remembered() {
    let mut machine = Machine::new(TO_TWO);
    machine.obedient = true;
    machine.boot();
    machine.exit("si");
    assert_eq!(machine.running(), ["bw"]);
    machine.request(b'S');
    machine.re_execute();
    machine.edit("id:5:initdefault:\nx:5:once:/x\n~~:S:wait:/sulogin\n");
    machine.signal(Signal::HUP);
    machine.wait_seconds(60);
    machine.exit("~~");
    assert_eq!(machine.running(), ["x"]);
}

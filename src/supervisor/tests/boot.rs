//! From power-on to a level.
#![forbid(unsafe_code)]

use super::*;

#[test]
fn a_boot_goes_through_sysinit_and_boot_to_the_default_level() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    assert_eq!(machine.log(), ["title boot", "read table", "start si"]);
    machine.exit("si");
    assert_eq!(
        machine.log(),
        [
            "record end of si",
            "record boot",
            "runlevel file *",
            "start bw"
        ]
    );
    machine.exit("bw");
    assert_eq!(
        machine.log(),
        [
            "record end of bw",
            "start bo",
            "both: Entering runlevel: 2",
            "record level 2 after N",
            "title 2",
            "runlevel file 2",
            "start l2"
        ]
    );
    machine.exit("l2");
    assert_eq!(machine.log(), ["record end of l2", "start g2", "start gb"]);
    assert_eq!(machine.running(), ["bo", "g2", "gb"]);
}

#[test]
fn sysinit_entries_run_one_after_another_in_file_order() {
    let mut machine = Machine::new(
        "id:2:initdefault:\ng:2:respawn:/g\ns1::sysinit:/1\ns2:5:sysinit:/2\ns3::sysinit:/3\n",
    );
    machine.boot();
    assert_eq!(machine.started(), ["s1"]);
    machine.exit("s1");
    assert_eq!(machine.started(), ["s2"]);
    machine.exit("s2");
    assert_eq!(machine.started(), ["s3"]);
    machine.exit("s3");
    assert_eq!(machine.started(), ["g"]);
}

#[test]
fn nothing_but_sysinit_runs_before_sysinit_is_over() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    assert_eq!(machine.running(), ["si"]);
}

#[test]
fn boot_entries_are_not_waited_for_and_bootwait_entries_are_in_file_order() {
    let mut machine = Machine::new(
        "id:2:initdefault:\nb1::boot:/b1\nw1::bootwait:/w1\nb2::boot:/b2\nw2::bootwait:/w2\ng:2:once:/g\n",
    );
    machine.boot();
    assert_eq!(machine.started(), ["b1", "w1"]);
    machine.exit("w1");
    assert_eq!(machine.started(), ["b2", "w2"]);
    machine.exit("w2");
    assert_eq!(machine.started(), ["g"]);
}

#[test]
fn a_boot_process_that_lives_on_does_not_keep_the_boot_phase_open() {
    let mut machine = Machine::new("id:2:initdefault:\nbo::boot:/bo\ng:2:once:/g\n");
    machine.boot();
    assert_eq!(machine.started(), ["bo", "g"]);
    machine.exit("bo");
    assert_eq!(machine.started(), Vec::<String>::new(), "boot runs once");
}

#[test]
fn failing_sysinit_and_wait_processes_stop_nothing() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    machine.exit_with("si", ExitStatus::Exited(1));
    machine.exit_with("bw", ExitStatus::Killed(Signal::SEGV));
    machine.exit_with("l2", ExitStatus::Exited(255));
    assert_eq!(machine.running(), ["bo", "g2", "gb"]);
}

#[test]
fn processes_of_the_boot_see_runlevel_s_after_none_and_later_ones_the_level() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    machine.finish_waited_for();
    let seen: Vec<(String, char, char)> = machine
        .starts
        .iter()
        .map(|start| {
            let Program::Entry(entry) = &start.program else {
                panic!("no question was expected");
            };
            (
                entry.id.to_string(),
                char::from(start.runlevel),
                char::from(start.previous),
            )
        })
        .collect();
    let expected = [
        ("si", 'S', 'N'),
        ("bw", 'S', 'N'),
        ("bo", 'S', 'N'),
        ("l2", '2', 'N'),
        ("g2", '2', 'N'),
        ("gb", '2', 'N'),
    ];
    assert_eq!(
        seen,
        expected.map(|(id, level, previous)| (id.to_owned(), level, previous))
    );
}

#[test]
fn only_what_is_waited_for_in_the_boot_and_in_level_s_gets_the_console_as_its_terminal() {
    let mut machine = Machine::new(
        "id:2:initdefault:\nsi::sysinit:/si\nbo::boot:/bo\nbw::bootwait:/bw\nl2:2:wait:/l2\ng2:2:respawn:/g2\n\
         sw:S:wait:/sw\nso:S:once:/so\n",
    );
    machine.obedient = true;
    machine.boot();
    machine.finish_waited_for();
    machine.request(b'S');
    machine.finish_waited_for();
    let controlling: Vec<String> = machine
        .starts
        .iter()
        .filter(|start| start.console == ConsoleUse::Controlling)
        .map(|start| match &start.program {
            Program::Entry(entry) => entry.id.to_string(),
            Program::AskRunlevel => "question".to_owned(),
        })
        .collect();
    assert_eq!(controlling, ["si", "bw", "sw"]);
}

#[test]
fn the_kernels_level_wins_over_initdefault() {
    let options = BootOptions {
        level: Some(level(b'3')),
        ..BootOptions::default()
    };
    let mut machine = Machine::with(USUAL, &options);
    machine.boot();
    machine.finish_waited_for();
    assert_eq!(machine.init.phase(), Phase::Normal(level(b'3')));
    assert_eq!(machine.running(), ["bo", "g3", "gb"]);
}

#[test]
fn every_level_can_be_the_default_even_halt_and_reboot() {
    for byte in b"0123456789" {
        let text = format!("id:{0}:initdefault:\nx:{0}:once:/x\n", char::from(*byte));
        let mut machine = Machine::new(&text);
        machine.boot();
        assert_eq!(machine.started(), ["x"], "{}", char::from(*byte));
    }
}

#[test]
fn without_initdefault_the_person_at_the_console_is_asked() {
    let mut machine = Machine::new("si::sysinit:/si\nb::boot:/b\nx:3:once:/x\n");
    machine.boot();
    machine.exit("si");
    assert_eq!(machine.log().last().unwrap(), "start question");
    let start = machine.starts.last().unwrap();
    assert_eq!(start.program, Program::AskRunlevel);
    assert_eq!(start.console, ConsoleUse::Controlling);
    machine.exit_with("question", ExitStatus::Exited(b'3'));
    assert_eq!(
        machine.log(),
        [
            "record boot",
            "runlevel file *",
            "start b",
            "both: Entering runlevel: 3",
            "record level 3 after N",
            "title 3",
            "runlevel file 3",
            "start x"
        ]
    );
}

#[test]
fn an_initdefault_that_names_no_level_is_reported_and_the_person_is_asked() {
    let mut machine = Machine::new("x:3:once:/x\n");
    machine.disk = Some(table("x:3:once:/x\n"));
    if let Some(disk) = &mut machine.disk {
        let id = EntryId::new(*b"id");
        disk.entries
            .push(Entry::new(id, b"a", Action::InitDefault, b""));
    }
    machine.boot();
    assert_eq!(
        machine.log(),
        [
            "title boot",
            "read table",
            "both: Initdefault level 'A' is invalid",
            "start question"
        ]
    );
}

#[test]
fn the_question_is_asked_once_whatever_else_happens() {
    let mut machine = Machine::new("x:3:once:/x\n");
    machine.boot();
    machine.log();
    machine.signal(Signal::ALRM);
    machine.signal(Signal::HUP);
    machine.happens(Event::DeadlinePassed);
    assert_eq!(machine.started(), Vec::<String>::new());
}

#[test]
fn a_lower_case_answer_names_single_user_mode() {
    let mut machine = Machine::new("x:3:once:/x\n");
    machine.boot();
    machine.exit_with("question", ExitStatus::Exited(b's'));
    assert_eq!(machine.init.phase(), Phase::Normal(Runlevel::SINGLE));
    assert_eq!(machine.running(), ["~~"]);
}

#[test]
fn without_an_answer_single_user_mode_is_the_way_in() {
    for status in [
        ExitStatus::Exited(0),
        ExitStatus::Exited(b'x'),
        ExitStatus::Killed(Signal::KILL),
    ] {
        let mut machine = Machine::new("x:3:once:/x\n");
        machine.boot();
        machine.exit_with("question", status);
        assert_eq!(
            machine.said(),
            ["both: no runlevel was chosen: going single user"],
            "{status}"
        );
        assert_eq!(machine.running(), ["~~"], "{status}");
    }
}

#[test]
fn a_level_request_takes_the_question_off_the_console() {
    let mut machine = Machine::new("x:3:once:/x\n");
    machine.obedient = true;
    machine.boot();
    machine.log();
    machine.request(b'3');
    assert_eq!(
        machine.log(),
        [
            "both: Switching to runlevel: 3",
            "record level 3 after N",
            "KILL question",
            "repair accounting",
            "read table",
            "title 3",
            "runlevel file 3",
            "start x"
        ]
    );
    assert_eq!(
        machine.running(),
        ["x"],
        "the answer that never came is no answer"
    );
}

#[test]
fn the_emergency_shell_comes_first_and_the_usual_boot_follows_whatever_its_status() {
    let options = BootOptions {
        emergency: Emergency::Wanted,
        ..BootOptions::default()
    };
    for status in [ExitStatus::Exited(0), ExitStatus::Exited(3)] {
        let mut machine = Machine::with(USUAL, &options);
        machine.boot();
        assert_eq!(machine.log(), ["title boot", "start ~~"]);
        let start = machine.starts.last().unwrap();
        assert_eq!(start.console, ConsoleUse::Controlling);
        assert_eq!(start.phase, Phase::Normal(Runlevel::SINGLE));
        assert_eq!((start.runlevel, start.previous), (b'S', b'N'));
        machine.exit_with("~~", status);
        assert_eq!(machine.log(), ["read table", "start si"]);
    }
}

#[test]
fn a_request_waits_until_the_emergency_shell_has_ended() {
    let options = BootOptions {
        emergency: Emergency::Wanted,
        ..BootOptions::default()
    };
    let mut machine = Machine::with(USUAL, &options);
    machine.boot();
    machine.log();
    machine.request(b'q');
    assert_eq!(machine.log(), [""; 0]);
    assert!(
        !machine.init.accepts_requests(),
        "one is kept, the rest stays in the FIFO"
    );
    machine.exit("~~");
    assert_eq!(
        machine.log()[..2],
        ["read table", "syslog: Re-reading inittab"]
    );
    machine.finish_waited_for();
    assert!(machine.init.accepts_requests());
}

#[test]
fn a_level_asked_for_from_the_emergency_shell_ends_it_and_is_entered() {
    let options = BootOptions {
        emergency: Emergency::Wanted,
        ..BootOptions::default()
    };
    let mut machine = Machine::with(
        "id:2:initdefault:\nsi::sysinit:/x\nl0:0:wait:/rc0\n",
        &options,
    );
    machine.boot();
    machine.log();
    machine.request(b'0');
    assert_eq!(machine.log(), ["TERM ~~"]);
    machine.exit("~~");
    assert_eq!(machine.running(), ["l0"], "nothing of the boot runs first");
}

#[test]
fn a_level_request_during_sysinit_skips_the_rest_of_the_boot() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    machine.log();
    machine.request(b'3');
    assert_eq!(
        machine.log(),
        [
            "both: Switching to runlevel: 3",
            "record level 3 after N",
            "repair accounting",
            "read table",
            "console: Sending processes configured via /etc/inittab the TERM signal",
            "TERM si"
        ]
    );
    machine.exit("si");
    assert_eq!(machine.started(), ["l3"]);
}

#[test]
fn a_table_that_cannot_be_read_at_boot_still_leaves_a_way_into_single_user_mode() {
    let mut machine = Machine::new("");
    machine.disk = None;
    machine.boot();
    assert_eq!(machine.started(), ["question"]);
    machine.exit_with("question", ExitStatus::Exited(b'S'));
    assert_eq!(machine.running(), ["~~"]);
}

#[test]
fn a_boot_with_nothing_to_run_says_so_once() {
    let mut machine = Machine::new("id:4:initdefault:\n");
    machine.boot();
    assert_eq!(
        machine.said(),
        [
            "both: Entering runlevel: 4",
            "both: no more processes left in this runlevel"
        ]
    );
    machine.signal(Signal::ALRM);
    machine.happens(Event::DeadlinePassed);
    assert_eq!(machine.said(), Vec::<String>::new());
}

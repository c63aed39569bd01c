//! What a waiting shutdown leaves for others: its pid file, its note, and nothing that was there before it; and how it
//! makes sure that init has heard it. All of it goes beyond the original.

use crate::room::{Outcome, Room, Running, Subject, eventually, read_now};
use crate::{assert_requests, level, variables};
use std::fs;
use sysvinit::runlevel::Runlevel;
use sysvinit::snapshot::{Phase, Snapshot};
use sysvinit::utmp::{Kind, Record, Text};

/// Tells whether our programs are the ones under test.
fn ours() -> bool {
    Subject::chosen() == Subject::Ours
}

/// Runs a script once a shutdown waits with these words; it finds the shutdown's process in `$!`.
fn beside(room: &Room, words: &str, script: &str) -> Outcome {
    room.run(&format!(
        "/sbin/shutdown {words} >/tmp/said 2>&1 &
        until [ -e /run/nologin ]; do busybox usleep 5000; done
        {script}"
    ))
}

fn state(phase: u8) -> Vec<u8> {
    let level = Runlevel::from_byte(phase).unwrap();
    let state = Snapshot {
        phase: Phase::Normal(level),
        ..Snapshot::default()
    };
    state.to_text()
}

#[test]
fn everybody_can_see_what_is_scheduled() {
    if !ours() {
        return;
    }
    let room = Room::new();
    let outcome = beside(
        &room,
        "-r +4 back at noon",
        "busybox su nobody -c '/sbin/shutdown --show'; echo $?
        busybox su nobody -c '/sbin/runlevel --verbose'
        kill -INT $!; wait $!; /sbin/shutdown --show; echo $?; ls /run",
    );
    let lines: Vec<&str> = outcome.output.lines().collect();
    let [what, at, by, message, code, rest @ ..] = lines.as_slice() else {
        panic!("{outcome:?}");
    };
    assert_eq!((*what, *code), ("shutdown: for reboot", "0"), "{outcome:?}");
    assert!(
        at.starts_with("at: ") && at.ends_with(", in 4 minutes"),
        "{at}"
    );
    assert!(by.starts_with("by: root, process "), "{by}");
    assert_eq!(*message, "message: back at noon");
    let unknown = "phase: not known: /run/init.state: No such file or directory";
    assert_eq!(rest[..2], ["unknown", unknown]);
    assert_eq!(rest[2..6], [*what, *at, *by, *message]);
    assert_eq!(rest[6..], ["1"]);
    assert_eq!(outcome.errors, "shutdown: nothing is scheduled.\n");
}

#[test]
fn the_one_on_the_terminal_is_named_as_the_operator() {
    if !ours() {
        return;
    }
    let mut room = Room::new();
    let (_master, _slave) = room.terminal("tty8");
    let login = Record {
        user: Text::new("eve"),
        line: Text::new("tty8"),
        ..Record::new(Kind::UserProcess)
    };
    room.write("run/utmp", login.encode());
    let outcome = beside(
        &room,
        "-k +4 </dev/tty8",
        "/sbin/shutdown --show; kill -TERM $!; wait $!; echo $?; cat /tmp/said; ls /run",
    );
    let lines: Vec<&str> = outcome.output.lines().collect();
    assert_eq!(lines[0], "shutdown: to maintenance mode, a warning only");
    assert!(
        lines[2].starts_with("by: eve on tty8, process "),
        "{outcome:?}"
    );
    // SIGTERM takes everything back, too.
    assert!(
        outcome
            .output
            .ends_with("\n0\n\r\nShutdown cancelled.\r\nutmp\n"),
        "{outcome:?}"
    );
}

#[test]
fn the_note_of_a_killed_shutdown_says_nothing_of_the_next_process() {
    if !ours() {
        return;
    }
    let room = Room::new();
    let outcome = beside(
        &room,
        "-r +4",
        "kill -KILL $!; wait $!; cat /run/shutdown.scheduled | busybox head -n 2
        /sbin/shutdown --show; echo $?
        /sbin/runlevel --verbose | busybox tail -n 1
        /sbin/shutdown -k now; echo $?; ls /run",
    );
    let lines: Vec<&str> = outcome.output.lines().collect();
    assert!(lines[0].starts_with("pid "), "{outcome:?}");
    assert_eq!(
        lines[1..],
        [
            "level 6",
            "1",
            "shutdown: none is scheduled",
            "",
            "Shutdown cancelled.",
            "0",
            // Made by the killed one: nobody can tell any more whether somebody wants it.
            "nologin",
        ]
    );
    assert!(
        outcome
            .errors
            .ends_with("shutdown: nothing is scheduled.\n"),
        "{outcome:?}"
    );
}

#[test]
fn another_tool_that_has_the_number_by_now_is_left_alone() {
    if !ours() {
        return;
    }
    let room = Room::new();
    let _fifo = room.fifo();
    room.write("run/init.state", state(b'2'));
    // By this name the kernel knows it as `sysvtools`, as it would a shutdown.
    let outcome = room.run(
        "/sbin/sysvtools runlevel --wait 3 & echo $! >/run/shutdown.pid
        /sbin/shutdown -c; echo $?; /sbin/shutdown -k now >/dev/null; echo $?
        kill -0 $! && echo lives",
    );
    assert_eq!(outcome.output, "1\n0\nlives\n");
    assert_eq!(outcome.errors, "shutdown: not running.\n");
}

#[test]
fn of_two_that_begin_together_one_is_refused() {
    if !ours() {
        return;
    }
    let room = Room::new();
    let outcome = room.run(
        "for i in 1 2 3 4 5 6 7 8; do (/sbin/shutdown -k +4 >/dev/null; echo $?) & done
        until [ $(busybox grep -c -x 1 /tmp/output) = 7 ]; do busybox usleep 5000; done
        /sbin/shutdown -c; wait",
    );
    assert_eq!(outcome.output, "1\n".repeat(7) + "0\n", "{outcome:?}");
    assert_eq!(outcome.errors.matches("already").count(), 7, "{outcome:?}");
}

/// Differs from the original, which removes them whoever has made them.
#[test]
fn calling_off_removes_nothing_that_was_there_before() {
    for words in ["-k now", "-r +3"] {
        let room = Room::new();
        let _fifo = room.fifo();
        let own = ["run/nologin", "fastboot", "forcefsck"];
        for name in own {
            room.write(name, "an administrator's own");
        }
        let script = match words {
            "-k now" => "/sbin/shutdown -k -f -F now",
            _ => {
                "/sbin/shutdown -r -f -F +3 >/dev/null &
                until [ -s /run/shutdown.pid ]; do busybox usleep 5000; done
                /sbin/shutdown -c; wait $!"
            }
        };
        let outcome = room.run(script);
        for name in own {
            let kept = fs::read_to_string(room.path(name)).ok();
            match Subject::chosen() {
                Subject::Ours => {
                    assert_eq!(
                        kept.as_deref(),
                        Some("an administrator's own"),
                        "{outcome:?}"
                    );
                }
                Subject::Original => assert_eq!(kept, None, "{name}"),
            }
        }
    }
}

#[test]
fn a_door_that_a_killed_shutdown_has_locked_is_unlocked_by_the_next() {
    let room = Room::new();
    let _fifo = room.fifo();
    let outcome = beside(
        &room,
        "-r +4 first",
        "kill -KILL $!; wait $!
        /sbin/shutdown -r +4 second >/dev/null &
        until busybox grep -q second /run/nologin; do busybox usleep 5000; done
        kill -INT $!; wait $!; echo $?; ls /run",
    );
    assert!(outcome.output.ends_with("0\ninitctl\n"), "{outcome:?}");
}

/// Starts a shutdown beside an init that is in level 2 and whose FIFO is the test's.
fn asked_of_an_init(room: &Room) -> (fs::File, Running) {
    room.write("run/init.state", state(b'2'));
    let fifo = room.fifo();
    let running = room.start("/sbin/shutdown -r now");
    let mut seen = Vec::new();
    eventually("both requests", || {
        seen.extend(read_now(&fifo));
        (seen.len() == 768).then_some(())
    });
    assert_requests(&seen, &[variables(b"INIT_HALT\0"), level(b'6', 3)]);
    (fifo, running)
}

#[test]
fn init_is_seen_to_take_the_request() {
    if !ours() {
        return;
    }
    let room = Room::new();
    let (_fifo, running) = asked_of_an_init(&room);
    fs::write(room.path("run/init.state.new"), state(b'6')).unwrap();
    fs::rename(room.path("run/init.state.new"), room.path("run/init.state")).unwrap();
    let outcome = running.wait();
    assert_eq!((outcome.code, outcome.errors.as_str()), (Some(0), ""));
}

#[test]
fn an_init_that_does_not_take_the_request_is_reported() {
    if !ours() {
        return;
    }
    let room = Room::new();
    let (_fifo, running) = asked_of_an_init(&room);
    let outcome = running.wait();
    assert_eq!(
        (outcome.code, outcome.errors.as_str()),
        (
            Some(1),
            "shutdown: init has not begun with runlevel 6: init is in runlevel 2\n"
        )
    );
}

#[test]
fn the_state_an_earlier_init_has_left_is_not_believed() {
    if !ours() {
        return;
    }
    let room = Room::new();
    let (_fifo, running) = asked_of_an_init(&room);
    // As the C sysvinit does, which leaves no state of its own.
    room.write("run/runlevel", "6");
    let outcome = running.wait();
    assert_eq!((outcome.code, outcome.errors.as_str()), (Some(0), ""));
}

/// In this the original is no worse: it does not look.
#[test]
fn a_real_init_takes_the_request_in_time() {
    let mut room = Room::new();
    let (_console, _kept) = room.terminal("console");
    room.write(
        "etc/inittab",
        "id:3:initdefault:\nl3:3:once:/bin/sh /etc/go\nl6:6:wait:/bin/sh /etc/end\n",
    );
    // In a session of its own, where init does not end it with the level.
    room.write(
        "etc/go",
        "busybox setsid sh -c '/sbin/shutdown -r now; echo $? >/tmp/code' >/tmp/said 2>&1 &\n",
    );
    room.write(
        "etc/end",
        "until [ -s /tmp/code ]; do busybox usleep 5000; done; /sbin/reboot -d -f\n",
    );
    let outcome = room.run("exec /sbin/init");
    assert_eq!(outcome.signal, Some(1), "{outcome:?}");
    assert_eq!(
        (
            room.read("tmp/code").as_str(),
            room.read("tmp/said").as_str()
        ),
        ("0\n", "")
    );
}

/// So that the machine may sleep meanwhile, and the clock be set: proc(5).
#[test]
fn the_wait_is_on_clocks_that_know_of_sleep_and_of_being_set() {
    if !ours() {
        return;
    }
    let outcome = beside(
        &Room::new(),
        "-r +4",
        "until busybox grep -hE '^(clockid|settime flags):' /proc/$!/fdinfo/* >/tmp/seen; do :; done
        cat /tmp/seen; kill -INT $!; wait $!",
    );
    // CLOCK_BOOTTIME; CLOCK_REALTIME, absolute and cancelled when it is set.
    let expected = "clockid: 7\nsettime flags: 00\nclockid: 0\nsettime flags: 03\n";
    assert_eq!(outcome.output, expected);
}

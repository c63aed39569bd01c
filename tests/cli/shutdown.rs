//! shutdown(8): what it asks of init, what it tells people, and how it is called off.

use crate::room::{Room, Running, Subject, eventually, not_waiting, read_now};
use crate::{assert_requests, level, variables};
use std::fs::File;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::time::Duration;
use sysvinit::utmp::{Kind, Record, Text};

const CANCELLED: &str = "\r\nShutdown cancelled.\r\n";

fn login(user: &str, line: &str) -> Record {
    Record {
        pid: 77,
        user: Text::new(user),
        line: Text::new(line),
        id: Text::new(line.trim_start_matches("tty")),
        ..Record::new(Kind::UserProcess)
    }
}

fn utmp(room: &Room, records: &[Record]) {
    let bytes: Vec<u8> = records.iter().flat_map(Record::encode).collect();
    room.write("run/utmp", bytes);
}

/// Starts a shutdown in the background of a script that goes on when the test makes /tmp/go.
fn start(room: &Room, words: &str, then: &str) -> Running {
    room.start(&format!(
        "/sbin/shutdown {words} >/tmp/said 2>&1 &
        until [ -e /tmp/go ]; do busybox usleep 5000; done
        {then}
        wait $!; echo ended $?"
    ))
}

/// Reads a terminal until the text has come by.
fn seen_on(terminal: &File, text: &str) -> String {
    let mut seen = Vec::new();
    eventually(text, || {
        seen.extend(read_now(terminal));
        let seen = String::from_utf8_lossy(&seen).into_owned();
        seen.contains(text).then_some(seen)
    })
}

#[test]
fn the_end_is_asked_of_init() {
    let room = Room::new();
    let fifo = room.fifo();
    for (words, variable, wanted) in [
        ("-r now", &b"INIT_HALT\0"[..], level(b'6', 3)),
        ("-h now", b"INIT_HALT\0", level(b'0', 3)),
        ("-h -H now", b"INIT_HALT=HALT\0", level(b'0', 3)),
        ("-h now -P", b"INIT_HALT=POWEROFF\0", level(b'0', 3)),
        ("now", b"INIT_HALT\0", level(b'1', 3)),
        ("-t 1 -a -r now", b"INIT_HALT\0", level(b'6', 1)),
        ("-i 5 +0", b"INIT_HALT\0", level(b'5', 3)),
        ("-y -g 0 -r bye", b"INIT_HALT\0", level(b'6', 3)),
    ] {
        let outcome = room.run(&format!("/sbin/shutdown {words}"));
        assert_eq!(
            (outcome.code, outcome.errors.as_str()),
            (Some(0), ""),
            "{words}"
        );
        assert_requests(&read_now(&fifo), &[variables(variable), wanted]);
        assert!(!room.has("run/shutdown.pid") && !room.has("run/nologin"));
    }
}

#[test]
fn a_waiting_shutdown_locks_the_door_until_it_is_called_off() {
    let room = Room::new();
    let fifo = room.fifo();
    let running = start(
        &room,
        "-h -f -F +3 back soon",
        "/sbin/shutdown -r now; echo $?; /sbin/shutdown -c; echo $?",
    );
    eventually("there is a nologin", || {
        room.has("run/nologin").then_some(())
    });
    let nologin = eventually("nologin is complete", || {
        Some(room.read("run/nologin")).filter(|text| text.ends_with("back soon \r\n"))
    });
    assert!(
        nologin.starts_with("\rThe system is going down on "),
        "{nologin:?}"
    );
    assert_eq!(nologin.split("\n\r\n").count(), 2, "{nologin:?}");
    for file in ["run/shutdown.pid", "fastboot", "forcefsck"] {
        assert!(room.has(file), "{file}");
    }
    room.write("tmp/go", "");
    let outcome = running.wait();
    assert_eq!(outcome.output, "1\n0\nended 0\n");
    assert_eq!(outcome.errors, "\rshutdown: already running.\r\n");
    assert_eq!(room.read("tmp/said"), CANCELLED);
    for file in ["run/nologin", "run/shutdown.pid", "fastboot", "forcefsck"] {
        assert!(!room.has(file), "{file}");
    }
    assert_requests(&read_now(&fifo), &[variables(b"INIT_HALT\0")]);
}

#[test]
fn people_are_told_on_their_terminals() {
    let mut room = Room::new();
    let (first, _one) = room.terminal("tty8");
    let (second, _two) = room.terminal("tty9");
    let (third, _three) = room.terminal("tty10");
    let waiting = Record {
        kind: Kind::LoginProcess,
        ..login("LOGIN", "tty10")
    };
    utmp(
        &room,
        &[login("eve", "tty8"), login("adam", "tty9"), waiting],
    );
    let running = start(
        &room,
        "-r +7 \"$(printf 'b\\033ye')\"",
        "/sbin/shutdown -c 'not yet'; until [ -e /tmp/done ]; do busybox usleep 5000; done",
    );
    for terminal in [&first, &second] {
        let seen = seen_on(terminal, "in 7 minutes!\r");
        assert!(seen.contains("\nBroadcast message from root@"), "{seen:?}");
        assert!(seen.contains("b^[ye \r"), "{seen:?}");
        assert!(
            seen.contains("\rThe system is going DOWN for reboot in 7 minutes!"),
            "{seen:?}"
        );
    }
    room.write("tmp/go", "");
    seen_on(&first, "not yet ");
    room.write("tmp/done", "");
    running.wait();
    assert_eq!(read_now(&third), b"");
}

/// Differs from the original, which takes some bytes of a letter for control characters.
#[test]
fn letters_of_all_alphabets_arrive_whole() {
    let mut room = Room::new();
    let (terminal, _kept) = room.terminal("tty8");
    utmp(&room, &[login("eve", "tty8")]);
    let running = start(&room, "-k now '\u{c9}tienne'", "");
    let seen = seen_on(&terminal, "NOW!");
    room.write("tmp/go", "");
    running.wait();
    let is_whole = seen.contains("\u{c9}tienne");
    assert_eq!(is_whole, Subject::chosen() == Subject::Ours, "{seen:?}");
}

#[test]
fn a_stopped_terminal_holds_nobody_up() {
    let mut room = Room::new();
    let (_stuck, slave) = room.terminal("tty8");
    let (served, _kept) = room.terminal("tty9");
    let mut slave = not_waiting(slave);
    while slave.write(&[b'x'; 512]).is_ok() {}
    utmp(&room, &[login("eve", "tty8"), login("adam", "tty9")]);
    let fifo = room.fifo();
    let running = room.start(
        "/sbin/shutdown -r now; echo $?; until [ -e /tmp/go ]; do busybox usleep 5000; done",
    );
    seen_on(&served, "\rThe system is going down for reboot NOW!\r");
    room.write("tmp/go", "");
    assert_eq!(running.wait().output, "0\n");
    assert_requests(
        &read_now(&fifo),
        &[variables(b"INIT_HALT\0"), level(b'6', 3)],
    );
}

#[test]
fn what_is_no_terminal_is_left_alone() {
    let room = Room::new();
    let _fifo = room.fifo();
    room.write("etc/precious", "precious");
    room.write("dev/tty8", "precious");
    nix::unistd::mkfifo(
        &room.path("dev/tty9"),
        nix::sys::stat::Mode::from_bits_truncate(0o600),
    )
    .unwrap();
    utmp(
        &room,
        &[
            login("a", "../etc/precious"),
            login("b", "tty8"),
            login("c", "tty9"),
            login("d", "null"),
        ],
    );
    assert_eq!(
        room.run("/sbin/shutdown -r now; busybox usleep 100000")
            .code,
        Some(0)
    );
    assert_eq!(room.read("etc/precious"), "precious");
    assert_eq!(room.read("dev/tty8"), "precious");
}

#[test]
fn the_log_says_what_happens() {
    let room = Room::new();
    let _fifo = room.fifo();
    let log = UnixDatagram::bind(room.path("dev/log")).unwrap();
    log.set_read_timeout(Some(Duration::from_secs(5))).unwrap();
    // Compat: the original logs every other level as a reboot.
    let maintenance = match Subject::chosen() {
        Subject::Ours => "shutting down to maintenance mode",
        Subject::Original => "shutting down for system reboot",
    };
    for (words, text) in [
        ("-h now", "shutting down for system halt"),
        ("-r now", "shutting down for system reboot"),
        ("now", maintenance),
    ] {
        room.run(&format!("/sbin/shutdown {words}"));
        let mut message = [0; 200];
        let length = log.recv(&mut message).unwrap();
        let message = String::from_utf8_lossy(&message[..length]).into_owned();
        let message = message.trim_end_matches('\0');
        assert!(message.starts_with("<13>"), "{message}");
        assert!(message.contains(" shutdown["), "{message}");
        assert!(message.ends_with(&format!("]: {text}")), "{message}");
    }
}

#[test]
fn a_warning_alone_changes_nothing() {
    let mut room = Room::new();
    let (terminal, _kept) = room.terminal("tty8");
    utmp(&room, &[login("eve", "tty8")]);
    let fifo = room.fifo();
    let running = start(&room, "-k now", "");
    seen_on(
        &terminal,
        "\rThe system is going down to maintenance mode NOW!\r",
    );
    room.write("tmp/go", "");
    assert_eq!(running.wait().output, "ended 0\n");
    assert_eq!(room.read("tmp/said"), CANCELLED);
    assert_eq!(read_now(&fifo), b"");
    assert!(!room.has("run/shutdown.pid"));
}

#[test]
fn words_that_make_no_sense_are_refused() {
    let room = Room::new();
    let outcome = room.run("for words in '' abc '-r 25:00' '-r 12:60' '+' '-x now' '--halt now'; do /sbin/shutdown $words; echo $?; done");
    assert_eq!(outcome.output, "1\n".repeat(7));
    let usage = "Usage:\t  shutdown [-akrhPHfFnc] [-t sec] time [warning message]";
    assert_eq!(
        outcome.errors.lines().filter(|line| *line == usage).count(),
        7
    );
    let last = "\t\t  ** the \"time\" argument is mandatory! (try \"now\") **";
    assert_eq!(outcome.errors.lines().last(), Some(last));
    // The original has written its pid file by the time it understands that the time is none.
    assert_eq!(
        room.has("run/shutdown.pid"),
        Subject::chosen() == Subject::Original
    );
}

#[test]
fn each_refusal_says_why() {
    let room = Room::new();
    for (words, text) in [
        (
            "-H now",
            "shutdown: -H and -P flags can only be used along with -h flag.",
        ),
        (
            "-r -P now",
            "shutdown: -H and -P flags can only be used along with -h flag.",
        ),
        ("-i 9 now", "shutdown: `9': bad runlevel"),
        (
            "-n now",
            "shutdown: can use \"-n\" for halt or reboot only.",
        ),
        ("-c", "shutdown: cannot find pid of running shutdown."),
    ] {
        let outcome = room.run(&format!("/sbin/shutdown {words}"));
        assert_eq!(outcome.code, Some(1), "{words}");
        assert_eq!(outcome.errors.lines().next(), Some(text), "{words}");
    }
    let outcome = room.run("busybox su nobody -c '/sbin/shutdown -r now'");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.errors.lines().next(),
        Some("shutdown: you must be root to do that!")
    );
}

#[test]
fn a_shutdown_that_is_gone_cannot_be_called_off() {
    let room = Room::new();
    let _fifo = room.fifo();
    room.write("run/shutdown.pid", "999999\n");
    let outcome = room.run("/sbin/shutdown -c");
    assert_eq!(
        (outcome.code, outcome.errors.as_str()),
        (Some(1), "shutdown: not running.\n")
    );
}

/// Differs from the original, which interrupts whoever has the number now.
#[test]
fn a_stranger_with_the_number_of_an_old_shutdown_is_left_alone() {
    let room = Room::new();
    let _fifo = room.fifo();
    let outcome = room.run(
        "busybox sleep 20 & echo $! >/run/shutdown.pid
        /sbin/shutdown -c; echo $?
        busybox usleep 50000; kill -0 $! && echo lives",
    );
    match Subject::chosen() {
        Subject::Ours => {
            assert_eq!(outcome.output, "1\nlives\n");
            assert_eq!(outcome.errors, "shutdown: not running.\n");
        }
        Subject::Original => assert!(outcome.output.starts_with("0\n")),
    }
}

#[test]
fn nobody_who_may_is_logged_in() {
    let room = Room::new();
    let fifo = room.fifo();
    room.write("etc/shutdown.allow", "eve\n");
    utmp(&room, &[login("eve", "pts/9")]);
    assert_eq!(room.run("/sbin/shutdown -a -r now").code, Some(1));
    assert_eq!(read_now(&fifo), b"");
    assert!(!room.has("run/shutdown.pid"));
}

#[test]
fn without_init_the_machine_goes_down_by_itself() {
    for (words, signal) in [("-n -h now", 2), ("-n -r -t 1 now", 1)] {
        let room = Room::new();
        room.write("var/log/wtmp", "");
        let outcome = room.run(&format!(
            "(trap 'echo asked >/tmp/asked; exit' TERM; echo >/tmp/ready
                while :; do busybox usleep 5000; done) &
            until [ -e /tmp/ready ]; do busybox usleep 5000; done
            /sbin/shutdown {words}; busybox sleep 20"
        ));
        assert_eq!(outcome.signal, Some(signal), "{words}: {outcome:?}");
        assert!(room.has("tmp/asked"), "{words}");
        let wtmp = std::fs::read(room.path("var/log/wtmp")).unwrap();
        let record = Record::decode(wtmp.first_chunk().unwrap());
        assert_eq!(record.user.as_bytes(), b"shutdown");
    }
}

#[test]
fn an_init_that_is_gone_makes_it_fail() {
    let room = Room::new();
    let outcome = room.run("/sbin/shutdown -r now");
    assert_eq!(outcome.code, Some(1));
    assert!(
        outcome
            .errors
            .contains("/run/initctl: No such file or directory"),
        "{}",
        outcome.errors
    );
    assert!(!room.has("run/shutdown.pid"));
}

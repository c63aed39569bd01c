//! A shutdown that waits two real minutes: all that people see of it, to its end and called off.
//!
//! Three are logged in, and the terminal of one of them stands still.

use crate::room::{Room, Subject, read_now};
use crate::support::{clock, wait_until};
use crate::{assert_requests, variables};
use std::fs::File;
use std::io::Write;
use std::time::{Duration, Instant};
use sysvinit::utmp::{Kind, Record, Text};

const LAST_BUT_ONE: &str = "\rThe system is going DOWN for reboot in 2 minutes!\r";
const LAST: &str = "\rThe system is going DOWN for reboot in 1 minute!\r";
const NOW: &str = "\rThe system is going down for reboot NOW!\r";
/// What has not come by then does not come.
const LIMIT: Duration = Duration::from_secs(150);
const A_MINUTE: Duration = Duration::from_secs(60);
/// What the first look at a terminal may have come too late.
const A_MOMENT: Duration = Duration::from_secs(2);

/// Two who can be told, and one who has stopped the output.
struct People {
    told: [File; 2],
    stopped: File,
    _open: [File; 3],
}

impl People {
    fn log_in(room: &mut Room) -> Self {
        let (first, one) = room.terminal("tty8");
        let (second, two) = room.terminal("tty9");
        let (mut stopped, three) = room.terminal("tty10");
        // Ctrl-S.
        stopped.write_all(b"\x13").unwrap();
        let records = ["eve=tty8", "adam=tty9", "lilith=tty10"].map(|login| {
            let (user, line) = login.split_once('=').unwrap();
            Record {
                pid: 77,
                user: Text::new(user),
                line: Text::new(line),
                id: Text::new(line.trim_start_matches("tty")),
                ..Record::new(Kind::UserProcess)
            }
        });
        let bytes: Vec<u8> = records.iter().flat_map(Record::encode).collect();
        room.write("etc/logins", bytes);
        Self {
            told: [first, second],
            stopped,
            _open: [one, two, three],
        }
    }

    /// Waits until both have read it, and returns when that was.
    fn are_told(&self, text: &str) -> Instant {
        for terminal in &self.told {
            let mut seen = Vec::new();
            let words = wait_until(
                text,
                LIMIT,
                || {
                    seen.extend(read_now(terminal));
                    let words = String::from_utf8_lossy(&seen).into_owned();
                    words.contains(text).then_some(words)
                },
                String::new,
            );
            assert_eq!(words.matches("Broadcast message").count(), 1, "{words:?}");
            assert!(words.contains("back at noon "), "{words:?}");
        }
        clock()
    }
}

/// Checks that the time has passed, and not a minute more.
#[track_caller]
fn assert_passed(expected: Duration, from: Instant, to: Instant) {
    let passed = to.duration_since(from);
    assert!(
        passed + A_MOMENT >= expected && passed < expected + A_MINUTE,
        "{passed:?} between two warnings"
    );
}

/// Waits for the warning of the last minute. Compat: Debian's release 3.06 gives none.
fn wait_for_the_last_minute(people: &People, from: Instant) {
    if Subject::chosen() == Subject::Ours {
        let last = people.are_told(LAST);
        assert_passed(A_MINUTE, from, last);
    }
}

#[test]
fn a_reboot_in_two_minutes_is_announced_and_comes() {
    let mut room = Room::new();
    let (_console, _kept) = room.terminal("console");
    let people = People::log_in(&mut room);
    room.write(
        "etc/inittab",
        "id:3:initdefault:\n\
         go:3:once:/bin/sh /etc/go\n\
         l6:6:wait:/sbin/reboot -d -f\n",
    );
    room.write(
        "etc/go",
        "cat /etc/logins >>/run/utmp\nexec /sbin/shutdown -r +2 back at noon >/tmp/said 2>&1\n",
    );
    let running = room.start("exec /sbin/init");
    let first = people.are_told(LAST_BUT_ONE);
    assert!(room.has("run/nologin") && room.has("run/shutdown.pid"));
    wait_for_the_last_minute(&people, first);
    let end = people.are_told(NOW);
    assert_passed(2 * A_MINUTE, first, end);
    // The namespace is restarted by the script of level 6, to which init has gone.
    let outcome = running.wait();
    assert_eq!(outcome.signal, Some(1), "{outcome:?}");
    for name in ["run/nologin", "run/shutdown.pid", "run/shutdown.scheduled"] {
        assert!(!room.has(name), "{name}");
    }
    assert_eq!(room.read("run/runlevel"), "6");
    assert_eq!(room.read("tmp/said"), "");
    assert_eq!(read_now(&people.stopped), b"");
}

#[test]
fn one_that_is_called_off_in_its_last_minute_leaves_nothing() {
    let mut room = Room::new();
    let people = People::log_in(&mut room);
    let fifo = room.fifo();
    let running = room.start(
        "cat /etc/logins >/run/utmp
        /sbin/shutdown -r +2 back at noon >/tmp/said 2>&1 &
        until [ -e /tmp/go ]; do busybox usleep 50000; done
        /sbin/shutdown -c 'we stay: back at noon'; echo $?; wait $!; echo $?
        until [ -e /tmp/end ]; do busybox usleep 50000; done",
    );
    let first = people.are_told(LAST_BUT_ONE);
    assert!(room.read("run/nologin").contains("back at noon"));
    wait_for_the_last_minute(&people, first);
    room.write("tmp/go", "");
    people.are_told("we stay: back at noon ");
    room.write("tmp/end", "");
    assert_eq!(running.wait().output, "0\n0\n");
    for name in ["run/nologin", "run/shutdown.pid", "run/shutdown.scheduled"] {
        assert!(!room.has(name), "{name}");
    }
    assert_eq!(room.read("tmp/said"), "\r\nShutdown cancelled.\r\n");
    assert_requests(&read_now(&fifo), &[variables(b"INIT_HALT\0")]);
    assert_eq!(read_now(&people.stopped), b"");
}

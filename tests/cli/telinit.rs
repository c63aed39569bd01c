//! telinit(8): the request it writes, and when it gives up.

use crate::room::{Room, Subject, eventually, read_now};
use crate::{assert_requests, level, variables};
use nix::sys::stat::Mode;
use std::fs;

const USAGE: &str =
    "Usage: telinit {-e VAR[=VAL] | [-t SECONDS] {0|1|2|3|4|5|6|S|s|Q|q|A|a|B|b|C|c|U|u}}\n";

#[test]
fn every_level_is_sent_as_typed() {
    let room = Room::new();
    let fifo = room.fifo();
    let outcome = room.run(
        "for level in 0 1 2 3 4 5 6 7 8 9 S s Q q A a B b C c U u; do
            /sbin/telinit $level || exit
        done
        /sbin/init 4 && /sbin/telinit -t 7 5 && /sbin/telinit 5 -t junk",
    );
    assert_eq!((outcome.code, outcome.errors.as_str()), (Some(0), ""));
    let mut expected: Vec<Vec<u8>> = b"0123456789SsQqAaBbCcUu4"
        .iter()
        .map(|&byte| level(byte, 3))
        .collect();
    expected.extend([level(b'5', 7), level(b'5', 0)]);
    assert_requests(&read_now(&fifo), &expected);
}

#[test]
fn variables_are_sent_in_one_request() {
    let room = Room::new();
    let fifo = room.fifo();
    let outcome = room.run("/sbin/telinit -e INIT_A=1=2 -e INIT_B -e INIT_C=");
    assert_eq!((outcome.code, outcome.errors.as_str()), (Some(0), ""));
    assert_requests(
        &read_now(&fifo),
        &[variables(b"INIT_A=1=2\0INIT_B\0INIT_C=\0\0")],
    );
}

#[test]
fn variables_that_do_not_fit_are_refused() {
    let room = Room::new();
    let fifo = room.fifo();
    let fitting = format!("INIT_A={}", "x".repeat(359));
    let outcome = room.run(&format!(
        "/sbin/telinit -e {fitting}; echo $?; /sbin/telinit -e {fitting}x; echo $?"
    ));
    assert_eq!(outcome.output, "0\n1\n");
    assert_eq!(outcome.errors, "telinit: -e option data too large\n");
    assert_requests(&read_now(&fifo), &[variables(fitting.as_bytes())]);
}

#[test]
fn anything_else_shows_the_usage() {
    let room = Room::new();
    let fifo = room.fifo();
    let outcome = room
        .run("for words in '' 33 x '3 4' '-e INIT_A 3'; do /sbin/telinit $words; echo $?; done");
    assert_eq!(outcome.output, "1\n".repeat(5));
    // Before it, ours says what is wrong.
    let (reasons, usages): (Vec<&str>, Vec<&str>) = outcome
        .errors
        .split_inclusive('\n')
        .partition(|line| line.starts_with("telinit: "));
    assert_eq!(usages.concat(), USAGE.repeat(5));
    if Subject::chosen() == Subject::Ours {
        assert_eq!(reasons.len(), 5);
        assert_eq!(reasons[1], "telinit: 33: no such runlevel or request\n");
    }
    assert_eq!(read_now(&fifo), b"");
}

#[test]
fn an_ordinary_user_is_refused() {
    let room = Room::new();
    let outcome = room.run("busybox su nobody -c '/sbin/telinit 3'; echo $?");
    assert_eq!(outcome.output, "1\n");
    assert_eq!(outcome.errors, "telinit: must be superuser.\n");
}

#[test]
fn a_machine_without_the_fifo_is_reported() {
    let room = Room::new();
    let outcome = room.run("/sbin/telinit 3");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.errors,
        "telinit: /run/initctl: No such file or directory\n"
    );
}

#[test]
fn a_fifo_that_nobody_reads_is_given_up() {
    let room = Room::new();
    drop(room.fifo());
    let outcome = room.run("/sbin/telinit 3");
    assert_eq!(outcome.code, Some(1));
    assert_eq!(
        outcome.errors,
        "telinit: timeout opening/writing control channel /run/initctl\n"
    );
}

#[test]
fn a_request_waits_for_an_init_that_replaces_itself() {
    let room = Room::new();
    nix::unistd::mkfifo(&room.path("run/initctl"), Mode::from_bits_truncate(0o600)).unwrap();
    let running = room.start("/sbin/telinit 3 & echo >/tmp/started; wait $!");
    eventually("telinit starts", || room.has("tmp/started").then_some(()));
    let fifo = room.open_fifo();
    assert_eq!(running.wait().code, Some(0));
    assert_requests(&read_now(&fifo), &[level(b'3', 3)]);
}

#[test]
fn the_version_needs_no_rights() {
    let room = Room::new();
    let outcome = room.run("busybox su nobody -c '/sbin/init --version'");
    assert_eq!(outcome.code, Some(0));
    assert!(
        outcome.output.starts_with("SysV init version: 3."),
        "{}",
        outcome.output
    );
    assert!(outcome.output.ends_with("\n\n"));
}

/// Differs from the original, which writes into the file and reports success.
#[test]
fn a_file_in_place_of_the_fifo_gets_no_request() {
    use crate::room::Subject;
    let room = Room::new();
    room.write("run/initctl", "");
    let outcome = room.run("/sbin/telinit 3");
    let expected = match Subject::chosen() {
        Subject::Ours => (Some(1), 0),
        Subject::Original => (Some(0), 384),
    };
    let length = fs::metadata(room.path("run/initctl")).unwrap().len();
    assert_eq!((outcome.code, length), expected);
}

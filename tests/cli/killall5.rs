//! killall5(8): who is signalled, who is spared, and what it returns. Always in a room.

use crate::room::{Room, Subject};

/// Starts what the cases need: `keep` and `go` say their numbers, each is a session of its own.
const HELPERS: &str = r#"
b() { /bin/busybox "$@"; }
# away NAME: a sleeper in its own session; its number is in $pid.
away() { /bin/busybox setsid /bin/sleep 100 & pid=$!; until [ "$(b readlink /proc/$pid/exe)" = /bin/sleep ]; do b usleep 1000; done; }
lives() { [ -d "/proc/$1" ] && ! b grep -q '^State:.Z' "/proc/$1/status"; }
is_gone() { n=0; while lives "$1"; do n=$((n + 1)); [ $n -lt 3000 ] || return 1; b usleep 1000; done; }
"#;

fn room() -> Room {
    let room = Room::new();
    room.bring(std::path::Path::new("/bin/sleep"), "bin/sleep");
    room
}

fn run(script: &str) -> crate::room::Outcome {
    room().run(&format!("{HELPERS}{script}"))
}

#[test]
fn everybody_in_other_sessions_is_signalled() {
    let outcome = run("away; one=$pid; away; two=$pid
        /bin/sleep 100 & own=$!
        /sbin/killall5 -15; echo $?
        is_gone $one && is_gone $two && lives $own && echo right
        /sbin/killall5 -15; echo $?");
    assert_eq!(outcome.output, "0\nright\n2\n", "{}", outcome.errors);
}

#[test]
fn the_signal_is_kill_where_no_word_is_given() {
    let outcome = run(
        "/bin/busybox setsid /bin/busybox sh -c 'trap : TERM; echo >/tmp/ready; while :; do /bin/busybox usleep 5000; done' &
        away; two=$pid
        /sbin/killall5; echo $?
        is_gone $two && echo right",
    );
    assert_eq!(outcome.output, "0\nright\n", "{}", outcome.errors);
}

#[test]
fn those_named_are_omitted_and_a_bad_name_is_said_and_skipped() {
    let outcome = run("away; one=$pid; away; two=$pid; away; three=$pid
        /sbin/killall5 -9 -o $one,x -o \"$two;0\"; echo $?
        is_gone $three && lives $one && lives $two && echo right
        /sbin/killall5 -18 -o $one:$two; echo $?");
    assert_eq!(outcome.output, "0\nright\n2\n", "{}", outcome.errors);
    if Subject::chosen() == Subject::Ours {
        let errors: Vec<&str> = outcome.errors.lines().collect();
        assert_eq!(
            errors[..2],
            [
                "killall5: illegal omit pid value (x)!",
                "killall5: illegal omit pid value (0)!"
            ]
        );
    }
}

/// The process reports each time it is continued.
const WITNESS: &str =
    "/bin/busybox setsid /bin/busybox sh -c 'trap \"echo continued >>/tmp/witness\" CONT; echo >/tmp/ready; \
    while :; do /bin/busybox usleep 2000; done' & witness=$!
    until [ -e /tmp/ready ]; do b usleep 1000; done
";

#[test]
fn all_stand_still_while_it_looks_and_go_on() {
    let room = room();
    let outcome = room.run(&format!(
        "{HELPERS}{WITNESS}
        /sbin/killall5 -28; echo $?
        until [ -s /tmp/witness ]; do b usleep 1000; done"
    ));
    assert_eq!(outcome.output, "0\n", "{}", outcome.errors);
    assert_eq!(room.read("tmp/witness"), "continued\n");
}

/// Differs from 3.06, which stops even those it was told to omit.
#[test]
fn nobody_is_stopped_where_somebody_is_omitted() {
    let room = room();
    let outcome = room.run(&format!(
        "{HELPERS}{WITNESS}away
        /sbin/killall5 -9 -o $witness; echo $?
        is_gone $pid; b usleep 50000"
    ));
    assert_eq!(outcome.output, "0\n", "{}", outcome.errors);
    let was_stopped = room.has("tmp/witness");
    assert_eq!(was_stopped, Subject::chosen() == Subject::Original);
}

#[test]
fn init_and_the_dead_are_nobody() {
    let outcome = run(
        "/bin/busybox sh -c '/bin/busybox setsid /bin/busybox sh -c \"exit 3\" & exec /bin/sleep 100' &
        until b grep -qs '^State:.Z' /proc/*/status; do b usleep 1000; done
        /sbin/killall5 -15; echo $?; b grep -qs '^State:.Z' /proc/*/status && echo right",
    );
    assert_eq!(outcome.output, "2\nright\n", "{}", outcome.errors);
}

#[test]
fn what_makes_no_sense_signals_nobody() {
    let outcome = run("away
        for words in '-o 5 -9' -0 -32 -TERM x --18 '-15 -o'; do /sbin/killall5 $words; echo $?; done
        lives $pid && echo right");
    assert_eq!(outcome.output, "1\n1\n1\n1\n1\n1\n1\nright\n");
}

/// Differs from the original, which takes the number and kills.
#[test]
fn a_word_too_many_signals_nobody() {
    let outcome = run("away
        for words in 18x '-18 5' '-18 -o 5 6'; do /sbin/killall5 $words; echo $?; done");
    let expected = match Subject::chosen() {
        Subject::Ours => "1\n1\n1\n",
        Subject::Original => "0\n0\n0\n",
    };
    assert_eq!(outcome.output, expected);
}

#[test]
fn proc_is_mounted_where_it_is_missing() {
    let outcome = run("away
        b umount /proc; b mkdir -p /bin
        /sbin/killall5 -18; echo $?
        [ -e /proc/version ] && echo mounted");
    if Subject::chosen() == Subject::Ours {
        assert_eq!(outcome.output, "0\nmounted\n", "{}", outcome.errors);
    }
}

/// Its numbers would be those of other processes.
#[test]
fn the_proc_of_another_namespace_is_not_used() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let outcome = run("away
        b unshare -p -f /sbin/killall5 -9; echo $?
        lives $pid && echo right");
    assert_eq!(outcome.output, "1\nright\n");
    assert!(
        outcome.errors.contains("another PID namespace") || outcome.errors.contains("/proc"),
        "{}",
        outcome.errors
    );
}

//! halt(8): whom it asks, what it records, and how the machine ends.

use crate::room::{Outcome, Room, Subject};
use sysvinit::runlevel::Runlevel;
use sysvinit::utmp::{Kind, Record};

const RESTARTED: Option<i32> = Some(1);
const HALTED: Option<i32> = Some(2);

fn records(room: &Room) -> Vec<Record> {
    let bytes = std::fs::read(room.path("var/log/wtmp")).unwrap();
    assert_eq!(bytes.len() % 384, 0);
    let (records, _) = bytes.as_chunks();
    records.iter().map(Record::decode).collect()
}

fn end(script: &str) -> Outcome {
    Room::new().run(&format!("{script}\nbusybox sleep 20"))
}

#[test]
fn by_force_the_machine_ends_as_the_name_says() {
    for (command, signal) in [
        ("reboot -f", RESTARTED),
        ("reboot -d -f -i", RESTARTED),
        ("halt -f", HALTED),
        ("halt -d -f -i -p -h", HALTED),
        ("halt -n -f", HALTED),
        ("poweroff -f", HALTED),
    ] {
        let outcome = end(&format!("/sbin/{command}"));
        assert_eq!(
            (outcome.signal, outcome.errors.as_str()),
            (signal, ""),
            "{command}"
        );
    }
}

#[test]
fn in_levels_0_and_6_the_machine_ends_without_force() {
    for script in [
        "INIT_VERSION=sysvinit-3.14 RUNLEVEL=6 /sbin/reboot",
        "INIT_VERSION=sysvinit-3.14 RUNLEVEL=0 /sbin/reboot",
        "echo -n 6 >/run/runlevel; /sbin/reboot",
    ] {
        assert_eq!(end(script).signal, RESTARTED, "{script}");
    }
    let room = Room::new();
    let level = Record::runlevel(Runlevel::from_byte(b'2'), Runlevel::HALT);
    room.write("run/utmp", level.encode());
    // Something else in the level's file: utmp is asked first.
    room.write("run/runlevel", "2");
    assert_eq!(room.run("/sbin/halt; busybox sleep 20").signal, HALTED);
}

#[test]
fn in_other_levels_shutdown_is_asked() {
    let room = Room::new();
    room.replace_by_echo("sbin/shutdown");
    room.write("run/runlevel", "3");
    let outcome = room.run(
        "/sbin/halt; /sbin/halt -p; /sbin/halt -d -i; /sbin/poweroff -t 7; /sbin/reboot
        INIT_VERSION=x RUNLEVEL=2 /sbin/reboot
        RUNLEVEL=0 /sbin/reboot",
    );
    // Compat: releases before 3.08, which Debian 12 has, leave out -H.
    let halt = match Subject::chosen() {
        Subject::Ours => "/sbin/shutdown -h -H now",
        Subject::Original => "/sbin/shutdown -h now",
    };
    let expected = [
        halt,
        "/sbin/shutdown -h -P now",
        halt,
        "/sbin/shutdown -h -P -t 7 now",
        "/sbin/shutdown -r now",
        "/sbin/shutdown -r now",
        "/sbin/shutdown -r now",
    ];
    assert_eq!(outcome.output.lines().collect::<Vec<_>>(), expected);
    assert_eq!(outcome.errors, "");
}

#[test]
fn an_unknown_level_is_mentioned_and_shutdown_is_asked() {
    let room = Room::new();
    room.replace_by_echo("sbin/shutdown");
    let outcome = room.run("/sbin/reboot");
    assert_eq!(outcome.output, "/sbin/shutdown -r now\n");
    assert_eq!(outcome.errors.lines().count(), 2);
    assert!(outcome.errors.contains("WARNING: "));
}

#[test]
fn without_shutdown_nothing_ends() {
    let room = Room::new();
    room.write("run/runlevel", "3");
    let outcome = room.run("busybox rm /sbin/shutdown; /sbin/halt");
    assert_eq!((outcome.code, outcome.signal), (Some(1), None));
    assert!(outcome.errors.ends_with("No such file or directory\n"));
}

#[test]
fn the_record_is_written_unless_an_option_says_no() {
    let room = Room::new();
    room.write("var/log/wtmp", "");
    let outcome =
        room.run("/sbin/halt -w && /sbin/halt -w -d && /sbin/reboot -w -n && /sbin/poweroff -w");
    assert_eq!((outcome.code, outcome.errors.as_str()), (Some(0), ""));
    let records = records(&room);
    assert_eq!(records.len(), 2);
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    for record in records {
        assert_eq!((record.kind, record.pid), (Kind::RunLevel, 0));
        assert_eq!(record.user.as_bytes(), b"shutdown");
        assert_eq!(
            (record.id.as_bytes(), record.line.as_bytes()),
            (&b"~~"[..], &b"~~"[..])
        );
        assert_eq!(record.host.as_bytes(), release.trim_end().as_bytes());
        assert!(record.seconds > 0);
    }
}

#[test]
fn a_machine_that_ends_is_recorded_first() {
    let room = Room::new();
    room.write("var/log/wtmp", "");
    assert_eq!(
        room.run("/sbin/reboot -f; busybox sleep 20").signal,
        RESTARTED
    );
    assert_eq!(records(&room).len(), 1);
    assert_eq!(
        room.run("/sbin/halt -f -d; busybox sleep 20").signal,
        HALTED
    );
    assert_eq!(records(&room).len(), 1);
}

#[test]
fn interfaces_go_down_and_the_loopback_stays() {
    let room = Room::new();
    let outcome = room.run(
        "for kind in dummy bridge veth; do
            busybox ip link add net0 type $kind 2>/dev/null && break
        done
        busybox ip addr add 10.9.8.7/24 dev net0
        busybox ip link set net0 up; busybox ip link set lo up
        /sbin/halt -w -d -i; echo $?
        busybox ip link show net0; busybox ip link show lo",
    );
    let flags = |name: &str| {
        let line = outcome
            .output
            .lines()
            .find(|line| line.contains(&format!(": {name}")));
        line.unwrap_or_else(|| panic!("{outcome:?}"))
            .split('>')
            .next()
            .unwrap()
            .to_owned()
    };
    assert!(outcome.output.starts_with("0\n"), "{outcome:?}");
    assert!(!flags("net0").contains("UP"), "{outcome:?}");
    assert!(flags("lo").contains("UP"), "{outcome:?}");
}

#[test]
fn words_that_make_no_sense_show_the_usage() {
    let room = Room::new();
    let outcome = room.run("for words in '--foo' 'now' '-x'; do /sbin/halt $words; echo $?; done");
    assert_eq!(outcome.output, "1\n1\n1\n");
    let usages = outcome
        .errors
        .lines()
        .filter(|line| line.starts_with("usage: halt [-n] [-w]"));
    assert_eq!(usages.count(), 3);
}

#[test]
fn an_ordinary_user_is_refused() {
    let outcome = Room::new()
        .run("for name in halt reboot; do busybox su nobody -c \"/sbin/$name -f\"; echo $?; done");
    assert_eq!(outcome.output, "1\n1\n");
    assert_eq!(
        outcome.errors,
        "halt: must be superuser.\nreboot: must be superuser.\n"
    );
}

/// Differs from the original, which exits with 0 although nothing has ended.
#[test]
fn a_kernel_that_refuses_is_an_error() {
    let mut room = Room::new();
    room.enter_through("setpriv --bounding-set=-sys_boot");
    let outcome = room.run("/sbin/halt -f");
    let expected = match Subject::chosen() {
        Subject::Ours => (
            Some(1),
            "halt: the kernel refuses to go down: Operation not permitted\n",
        ),
        Subject::Original => (Some(0), ""),
    };
    assert_eq!(
        (outcome.code, outcome.errors.as_str()),
        expected,
        "{outcome:?}"
    );
}

#[test]
fn kexec_needs_level_6_or_force() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let room = Room::new();
    room.write("run/runlevel", "3");
    let outcome = room.run("/sbin/reboot -k");
    assert_eq!((outcome.code, outcome.signal), (Some(1), None));
    assert_eq!(outcome.errors.lines().count(), 3);
    // No kernel was loaded, so that an ordinary restart follows.
    assert_eq!(end("/sbin/reboot -k -f").signal, RESTARTED);
}

#[test]
fn a_word_for_the_firmware_restarts_at_once() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let room = Room::new();
    room.write("run/runlevel", "3");
    assert_eq!(
        room.run("/sbin/reboot -m recovery; busybox sleep 20")
            .signal,
        RESTARTED
    );
}

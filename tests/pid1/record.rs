//! The boot record: what PID 1 writes down of its inittab entries.

use crate::support::namespace::{Machine, Plan};
use nix::sys::signal::{SIGKILL, SIGTERM};

const RECORD: &str = "run/initlog/record";

/// The lines about one entry that begin with a verb, once there are as many.
fn lines(machine: &Machine, verb: &str, id: &str, count: usize) -> Vec<String> {
    machine.until(&format!("{count} {verb} lines of {id}"), || {
        let found: Vec<String> = std::fs::read_to_string(machine.at(RECORD))
            .unwrap_or_default()
            .lines()
            .filter(|line| line.starts_with(&format!("{verb} kind=entry id={id} ")))
            .map(str::to_owned)
            .collect();
        (found.len() >= count).then_some(found)
    })
}

fn value(line: &str, key: &str) -> String {
    let mut words = line.split(' ').filter_map(|word| word.split_once('='));
    let found = words.find(|(known, _)| *known == key);
    found
        .unwrap_or_else(|| panic!("no {key} in {line}"))
        .1
        .to_owned()
}

#[test]
fn every_entry_is_recorded_with_its_start_its_end_and_what_it_took() {
    let machine = Plan::new(
        "id:3:initdefault:
si::sysinit:/bin/true
w3:3:wait:/bin/sh -c 'exit 3'
ki:3:once:/bin/sleep 1001
r3:3:respawn:/bin/sleep 1000
",
    )
    .boot();
    machine.process("/bin/sleep 1001").signal(SIGKILL);
    let [begin] = &lines(&machine, "begin", "w3", 1)[..] else {
        panic!("begun more than once");
    };
    assert_eq!(value(begin, "action"), "wait");
    assert_eq!(
        (value(begin, "level"), value(begin, "previous")),
        ("3".into(), "N".into())
    );
    assert_eq!(value(begin, "process"), "/bin/sh\\x20-c\\x20'exit\\x203'");
    let [end] = &lines(&machine, "end", "w3", 1)[..] else {
        panic!("ended more than once");
    };
    assert_eq!(
        (value(end, "status"), value(end, "verdict")),
        ("exit:3".into(), "failed".into())
    );
    assert_eq!(value(end, "pid"), value(begin, "pid"));
    assert!(value(end, "peak").parse::<u64>().unwrap() > 0, "{end}");
    let killed = &lines(&machine, "end", "ki", 1)[0];
    assert_eq!(value(killed, "status"), "signal:9");
    let first = &lines(&machine, "begin", "si", 1)[0];
    assert_eq!(value(first, "level"), "#");
    let text = machine.read(RECORD);
    assert!(text.starts_with("boot id="), "{text}");
}

#[test]
fn a_respawn_entry_has_a_beginning_for_each_process_and_one_that_was_told_to_end_has_not_failed() {
    let machine = Plan::new(
        "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1000\nr4:4:respawn:/bin/sleep 1004\n",
    )
    .boot();
    machine.process("/bin/sleep 1000").signal(SIGTERM);
    let begun = lines(&machine, "begin", "r3", 2);
    assert_ne!(value(&begun[0], "pid"), value(&begun[1], "pid"));
    machine.command("telinit 4");
    let ended = lines(&machine, "end", "r3", 2);
    let verdicts: Vec<String> = ended.iter().map(|line| value(line, "verdict")).collect();
    assert_eq!(verdicts, ["failed", "interrupted"]);
}

#[test]
fn an_entry_that_is_held_has_a_note_that_says_why() {
    let machine = Plan::new(
        "id:3:initdefault:
bad:3:respawn:/bin/false
no:3:respawn:/sbin/getty 38400 tty99
",
    )
    .boot();
    for (id, why) in [
        (
            "bad",
            "respawning\\x20too\\x20fast:\\x20disabled\\x20for\\x205\\x20minutes",
        ),
        (
            "no",
            "is\\x20on\\x20hold:\\x20there\\x20is\\x20no\\x20terminal\\x20/dev/tty99",
        ),
    ] {
        let [note] = &lines(&machine, "note", id, 1)[..] else {
            panic!("noted more than once");
        };
        assert_eq!(
            (value(note, "action"), value(note, "text")),
            ("respawn".into(), why.into())
        );
    }
    // In front of it stands all that led to it.
    let text = machine.read(RECORD);
    let told = text
        .lines()
        .filter(|line| line.contains("kind=entry id=bad "));
    let verbs: Vec<&str> = told.filter_map(|line| line.split(' ').next()).collect();
    assert_eq!(verbs.len(), 21, "{text}");
    assert_eq!(verbs[18..], ["begin", "end", "note"]);
    assert!(!text.contains("begin kind=entry id=no "), "{text}");
}

#[test]
fn what_was_recorded_before_run_is_mounted_is_there_afterwards() {
    let machine = Plan::new(
        "id:3:initdefault:
s1::sysinit:/bin/sh -c 'exit 7'
s2::sysinit:/bin/mount -t tmpfs run /run
s3::sysinit:/bin/true
r3:3:respawn:/bin/sleep 1000
",
    )
    .boot();
    machine.process("/bin/sleep 1000");
    for id in ["s1", "s2", "s3"] {
        assert_eq!(lines(&machine, "begin", id, 1).len(), 1);
        assert_eq!(lines(&machine, "end", id, 1).len(), 1);
    }
    lines(&machine, "begin", "r3", 1);
    let text = machine.read(RECORD);
    assert_eq!(text.matches("boot ").count(), 1, "{text}");
}

#[test]
fn a_read_only_run_costs_nothing_but_the_record() {
    let machine = Plan::new(
        "id:3:initdefault:
s1::sysinit:/bin/mount -o remount,ro /run
w3:3:wait:/bin/sh -c 'exit 3'
r3:3:respawn:/bin/sleep 1000
",
    )
    .boot();
    machine.process("/bin/sleep 1000").signal(SIGKILL);
    machine.process("/bin/sleep 1000");
    machine.command("mount -o remount,rw /run");
    machine.process("/bin/sleep 1000").signal(SIGKILL);
    assert_eq!(lines(&machine, "end", "w3", 1).len(), 1);
}

#[test]
fn the_record_goes_on_when_init_replaces_itself() {
    let machine = Plan::new("id:3:initdefault:\nr3:3:respawn:/bin/sleep 1000\n").boot();
    let sleeper = machine.process("/bin/sleep 1000");
    machine.command("telinit u");
    machine.wait_console("reloading");
    sleeper.signal(SIGKILL);
    let end = &lines(&machine, "end", "r3", 1)[0];
    assert_eq!(value(end, "status"), "signal:9");
    assert_eq!(
        value(end, "pid"),
        value(&lines(&machine, "begin", "r3", 2)[0], "pid")
    );
}

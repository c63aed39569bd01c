//! runlevel(8): where the levels come from.

use crate::room::{Room, Subject, eventually};
use sysvinit::inittab::{Action, Entry, EntryId};
use sysvinit::process::Pid;
use sysvinit::runlevel::Runlevel;
use sysvinit::snapshot::{Flags, Phase, Snapshot};
use sysvinit::utmp::Record;

fn entered(previous: Option<u8>, level: u8) -> Record {
    let previous = previous.and_then(Runlevel::from_byte);
    Record::runlevel(previous, Runlevel::from_byte(level).unwrap())
}

fn file(records: &[Record]) -> Vec<u8> {
    records.iter().flat_map(Record::encode).collect()
}

#[test]
fn levels_come_from_the_first_record_of_their_kind() {
    let room = Room::new();
    room.write(
        "run/utmp",
        file(&[Record::boot_time(), entered(Some(b'2'), b'3')]),
    );
    room.write(
        "tmp/wtmp",
        file(&[entered(None, b'2'), entered(Some(b'2'), b'3')]),
    );
    let outcome = room.run(
        "/sbin/runlevel; echo $?
        /sbin/runlevel /tmp/wtmp
        RUNLEVEL=5 PREVLEVEL=4 /sbin/runlevel",
    );
    assert_eq!(outcome.output, "2 3\n0\nN 2\n2 3\n");
}

#[test]
fn without_a_record_the_level_comes_from_inits_own_file() {
    let room = Room::new();
    room.write("run/utmp", file(&[Record::boot_time()]));
    room.write("run/runlevel", "4");
    let outcome = room.run("/sbin/runlevel; /sbin/runlevel /nowhere");
    assert_eq!(
        (outcome.output.as_str(), outcome.code),
        ("N 4\nN 4\n", Some(0))
    );
}

#[test]
fn a_level_that_nobody_recorded_is_unknown() {
    let room = Room::new();
    let outcome = room.run("/sbin/runlevel");
    assert_eq!(
        (outcome.output.as_str(), outcome.code),
        ("unknown\n", Some(1))
    );
}

/// Differs from the original, which prints a NUL for the record of a shutdown.
#[test]
fn the_record_of_a_shutdown_names_no_level() {
    let room = Room::new();
    room.write("tmp/wtmp", file(&[Record::shutdown(), entered(None, b'2')]));
    let expected = match Subject::chosen() {
        Subject::Ours => "N 2\n",
        Subject::Original => "N \0\n",
    };
    assert_eq!(room.run("/sbin/runlevel /tmp/wtmp").output, expected);
}

fn state(level: u8, flags: Flags) -> Vec<u8> {
    let level = Runlevel::from_byte(level).unwrap();
    let id = EntryId::new(*b"l3");
    let entry = Entry::new(id, b"3", Action::Wait, b"/etc/init.d/rc 3");
    let state = Snapshot {
        phase: Phase::Normal(level),
        records: vec![sysvinit::snapshot::Record {
            flags,
            pid: Pid::new(217),
            ..sysvinit::snapshot::Record::new(entry)
        }],
        ..Snapshot::default()
    };
    state.to_text()
}

const RUNS: Flags = Flags {
    running: true,
    on_demand: false,
    executed: true,
    waiting: true,
};
const ENDED: Flags = Flags {
    running: false,
    waiting: false,
    ..RUNS
};

/// Goes beyond the original.
#[test]
fn more_is_told_when_asked() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let room = Room::new();
    let record = Record {
        seconds: 1_700_049_600,
        ..entered(Some(b'2'), b'3')
    };
    room.write("run/utmp", file(&[Record::boot_time(), record]));
    room.write("run/init.state", state(b'3', RUNS));
    let outcome = room.run("/sbin/runlevel --verbose");
    assert_eq!(
        outcome.output,
        "2 3\nphase: init is in runlevel 3\nsince: Wed Nov 15 12:00:00 2023\n\
         waits for: l3, /etc/init.d/rc 3, process 217\nshutdown: none is scheduled\n"
    );
    assert_eq!(outcome.code, Some(0));
}

/// Goes beyond the original.
#[test]
fn a_level_is_waited_for_through_the_boot() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let room = Room::new();
    room.write("run/init.state", Snapshot::default().to_text());
    let running = room.start("echo >/tmp/started; /sbin/runlevel --wait=25 3");
    eventually("it is started", || room.has("tmp/started").then_some(()));
    for text in [state(b'2', ENDED), state(b'3', RUNS), state(b'3', ENDED)] {
        room.write("run/init.state.new", text);
        std::fs::rename(room.path("run/init.state.new"), room.path("run/init.state")).unwrap();
    }
    let outcome = running.wait();
    assert_eq!((outcome.code, outcome.errors.as_str()), (Some(0), ""));
}

/// Goes beyond the original.
#[test]
fn a_level_that_does_not_come_in_time_is_an_error() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let room = Room::new();
    room.write("run/init.state", state(b'3', RUNS));
    let outcome = room.run(
        "/sbin/runlevel --wait=0 3; echo $?; /sbin/runlevel --wait=0 4; echo $?
        rm /run/init.state; /sbin/runlevel --wait 3; echo $?
        /sbin/runlevel --wait x; echo $?",
    );
    assert_eq!(outcome.output, "1\n".repeat(4), "{outcome:?}");
    let errors: Vec<&str> = outcome.errors.lines().take(3).collect();
    assert_eq!(
        errors,
        [
            "runlevel: runlevel 3 was not reached in time: its wait entries still run",
            "runlevel: runlevel 4 was not reached in time: init is in runlevel 3",
            "runlevel: /run/init.state: No such file or directory",
        ]
    );
}

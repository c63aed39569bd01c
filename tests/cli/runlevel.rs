//! runlevel(8): where the levels come from.

use crate::room::{Room, Subject};
use sysvinit::runlevel::Runlevel;
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

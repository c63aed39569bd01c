//! Tests of the accounting records.
#![forbid(unsafe_code)]

use super::*;
use proptest::prelude::*;

fn pid(number: i32) -> Pid {
    Pid::new(number).unwrap()
}

fn level(byte: u8) -> Runlevel {
    Runlevel::from_byte(byte).unwrap()
}

fn login(id: &str, line: &str) -> Record {
    Record {
        id: Text::new(id),
        line: Text::new(line),
        ..Record::new(Kind::LoginProcess)
    }
}

#[test]
fn a_boot_record_has_the_bytes_last_looks_for() {
    let bytes = Record::boot_time().encode();
    assert_eq!(bytes[0..4], [2, 0, 0, 0]);
    assert_eq!(bytes[4..8], [0; 4]);
    assert_eq!(&bytes[8..12], b"~\0\0\0");
    assert_eq!(&bytes[40..52], b"~~\0\0reboot\0\0");
    assert!(bytes[52..].iter().all(|&byte| byte == 0));
}

#[test]
fn a_runlevel_record_carries_both_levels_in_its_pid() {
    let first = Record::runlevel(None, level(b'2'));
    assert_eq!(first.pid, i32::from(b'2') + 256 * i32::from(b'N'));
    let second = Record::runlevel(Some(level(b'2')), level(b'S'));
    assert_eq!(
        second.levels(),
        Some(Levels {
            previous: b'2',
            current: b'S'
        })
    );
    assert_eq!(second.user.as_bytes(), b"runlevel");
}

#[test]
fn a_shutdown_record_is_a_runlevel_record_without_levels() {
    let record = Record::shutdown();
    assert_eq!(record.line.as_bytes(), b"~~");
    assert_eq!(
        record.levels(),
        Some(Levels {
            previous: 0,
            current: 0
        })
    );
}

#[test]
fn other_records_hold_no_levels() {
    assert_eq!(Record::boot_time().levels(), None);
    assert_eq!(Record::init_process("1", pid(200)).levels(), None);
}

#[test]
fn a_machine_record_replaces_the_one_of_its_kind() {
    let old = Record::runlevel(None, level(b'2'));
    assert!(Record::runlevel(Some(level(b'2')), level(b'3')).replaces(&old));
    assert!(!Record::boot_time().replaces(&old));
    assert!(!old.replaces(&Record::boot_time()));
}

#[test]
fn a_process_record_replaces_the_one_of_its_id() {
    let new = Record::init_process("1", pid(7));
    assert!(new.replaces(&login("1", "tty1")));
    assert!(new.replaces(&Record::dead_process("1", pid(5))));
    assert!(!new.replaces(&login("2", "tty1")));
    assert!(!new.replaces(&Record::new(Kind::Other(0))));
}

#[test]
fn a_process_record_without_an_id_replaces_the_one_of_its_line() {
    assert!(login("", "tty1").replaces(&login("1", "tty1")));
    assert!(!login("", "tty2").replaces(&login("1", "tty1")));
}

#[test]
fn an_empty_record_replaces_nothing() {
    let empty = Record::new(Kind::Other(0));
    assert!(!empty.replaces(&empty));
}

#[test]
fn a_dead_process_frees_the_line_its_login_had() {
    let dead = Record::dead_process("1", pid(7)).inheriting(&login("1", "tty1"));
    assert_eq!(dead.line.as_bytes(), b"tty1");
    assert!(dead.user.is_empty());
    let started = Record::init_process("1", pid(8)).inheriting(&dead);
    assert!(started.line.is_empty());
}

#[test]
fn a_text_that_is_too_long_is_cut_to_its_field() {
    assert_eq!(Text::<4>::new("abcdef").as_bytes(), b"abcd");
    assert_eq!(Text::<4>::new("a\0cd").as_bytes(), b"a");
}

proptest! {
    #[test]
    fn any_bytes_are_a_record_that_writes_them_back(bytes in proptest::collection::vec(any::<u8>(), RECORD_SIZE)) {
        let mut bytes: [u8; RECORD_SIZE] = bytes.try_into().unwrap();
        // Padding and the unused end are not kept.
        bytes[2..4].fill(0);
        bytes[364..].fill(0);
        prop_assert_eq!(Record::decode(&bytes).encode(), bytes);
    }
}

#[test]
fn no_record_that_is_replaced_is_passed_over_in_a_search() {
    let kinds = [
        Kind::BootTime,
        Kind::RunLevel,
        Kind::InitProcess,
        Kind::LoginProcess,
        Kind::UserProcess,
        Kind::DeadProcess,
        Kind::Other(0),
    ];
    let texts = ["", "1", "tty1", "~~"];
    let mut records = Vec::new();
    for kind in kinds {
        for id in texts {
            for line in texts {
                let process = Record::init_process(id, Pid::new(1).unwrap());
                let line = Text::new(line);
                records.push(Record {
                    kind,
                    line,
                    ..process
                });
            }
        }
    }
    let mut passed_over = 0;
    for new in &records {
        for old in &records {
            let may = new.may_replace(&old.encode());
            assert!(may || !new.replaces(old), "{new:?} {old:?}");
            passed_over += usize::from(!may);
        }
    }
    assert!(passed_over > 1000, "the search saves something");
}

#[test]
fn what_stands_behind_the_end_of_a_text_is_no_part_of_it() {
    let mut old = Record::dead_process("", Pid::new(9).unwrap()).encode();
    // A writer that does not clear the field first leaves the tail of a longer id.
    old[42] = b'#';
    let new = Record::init_process("1", Pid::new(7).unwrap());
    assert!(new.replaces(&Record::decode(&old)), "both have no line");
    assert!(new.may_replace(&old));
    old[40] = b'1';
    assert!(new.replaces(&Record::decode(&old)), "both have the id");
    assert!(new.may_replace(&old));
}

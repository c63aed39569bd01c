//! The 384-byte records of utmp(5), and the 384-byte requests of initctl(5), read and made by hand.
//!
//! The library has code for both; the tests use their own, so that one mistake cannot hide in both places.

/// What a utmp or wtmp record says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Record {
    pub(crate) kind: u16,
    pub(crate) pid: u32,
    pub(crate) line: String,
    pub(crate) id: String,
    pub(crate) user: String,
    pub(crate) host: String,
    pub(crate) seconds: u32,
}

pub(crate) const RUN_LVL: u16 = 1;
pub(crate) const BOOT_TIME: u16 = 2;
pub(crate) const INIT_PROCESS: u16 = 5;
pub(crate) const DEAD_PROCESS: u16 = 8;

fn word(bytes: &[u8], at: usize) -> u32 {
    u32::from_ne_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn text(bytes: &[u8]) -> String {
    let end = bytes
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(bytes.len());
    String::from_utf8_lossy(&bytes[..end]).into_owned()
}

/// All records of a file, in order; the rest of a record at the end is a failure.
pub(crate) fn records(bytes: &[u8]) -> Vec<Record> {
    assert_eq!(bytes.len() % 384, 0, "not a whole number of records");
    bytes
        .chunks(384)
        .map(|record| Record {
            kind: u16::from_ne_bytes([record[0], record[1]]),
            pid: word(record, 4),
            line: text(&record[8..40]),
            id: text(&record[40..44]),
            user: text(&record[44..76]),
            host: text(&record[76..332]),
            seconds: word(record, 340),
        })
        .collect()
}

pub(crate) const RUNLEVEL: u32 = 1;
pub(crate) const POWER_FAIL: u32 = 2;
pub(crate) const POWER_FAIL_NOW: u32 = 3;
pub(crate) const POWER_OK: u32 = 4;
pub(crate) const SET_ENVIRONMENT: u32 = 6;

/// One request as clients write it.
pub(crate) fn request(command: u32, level: char, sleep: u32, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(384);
    for word in [0x0309_1969, command, u32::from(level), sleep] {
        bytes.extend(word.to_ne_bytes());
    }
    bytes.extend(data);
    bytes.resize(384, 0);
    bytes
}

/// Asks for `level`, with three seconds between TERM and KILL.
pub(crate) fn change_to(level: char) -> Vec<u8> {
    request(RUNLEVEL, level, 3, &[])
}

//! The tools run as processes, each in a closed room: what they write into the initctl FIFO, which files they make
//! and remove, what they say, and how the namespace ends that they bring down.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

#[path = "../support/mod.rs"]
mod support;

mod check;
mod chkconfig;
mod fstab_decode;
mod halt;
mod initctl;
mod initctl_json;
mod killall5;
mod matrix;
mod minutes;
mod pidof;
mod readbootlog;
mod room;
mod runlevel;
mod scheduled;
mod shutdown;
mod sysvtools;
mod telinit;
mod tools;

/// A request by hand, as initctl(5) lays it out.
fn request(command: u32, level: u8, seconds: i32, data: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::new();
    bytes.extend(0x0309_1969_u32.to_ne_bytes());
    bytes.extend(command.to_ne_bytes());
    bytes.extend(u32::from(level).to_ne_bytes());
    bytes.extend(seconds.to_ne_bytes());
    bytes.extend(data);
    bytes.resize(384, 0);
    bytes
}

fn level(level: u8, seconds: i32) -> Vec<u8> {
    request(1, level, seconds, b"")
}

fn variables(data: &[u8]) -> Vec<u8> {
    request(6, 0, 0, data)
}

/// Compares requests and says which one differs instead of printing thousands of numbers.
#[track_caller]
fn assert_requests(seen: &[u8], expected: &[Vec<u8>]) {
    for (number, expected) in expected.iter().enumerate() {
        let seen = seen.chunks(384).nth(number);
        let words = seen.map(|seen| seen.escape_ascii().to_string());
        assert!(
            seen == Some(expected),
            "request {number} is {words:?}, expected {}",
            expected.escape_ascii()
        );
    }
    assert_eq!(seen.len(), expected.len() * 384);
}

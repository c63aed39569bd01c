//! The text of a line of the record while it is written. Every script has two such lines, and what they cost it waits for, so
//! numbers are not formatted as everything can be, but digit by digit.
#![forbid(unsafe_code)]

use super::{Moment, Subject};
use crate::process::Pid;
use std::time::Duration;

/// Room for a line that says that something begins; for its end it is made once more.
const USUAL: usize = 128;
/// No number has more digits.
const MOST_DIGITS: usize = 20;

/// A line that is being written.
pub(super) struct Text(Vec<u8>);

impl Text {
    pub(super) fn begin(verb: &str) -> Self {
        let mut text = Vec::with_capacity(USUAL);
        text.extend_from_slice(verb.as_bytes());
        Self(text)
    }

    pub(super) fn put(&mut self, key: &str, value: &[u8]) {
        self.put_key(key);
        if value.iter().copied().all(is_plain) {
            self.0.extend_from_slice(value);
        } else {
            for &byte in value {
                put_escaped(&mut self.0, byte);
            }
        }
    }

    fn put_key(&mut self, key: &str) {
        self.0.push(b' ');
        self.0.extend_from_slice(key.as_bytes());
        self.0.push(b'=');
    }

    pub(super) fn put_word(&mut self, key: &str, value: &str) {
        self.put(key, value.as_bytes());
    }

    pub(super) fn put_some(&mut self, key: &str, value: Option<&[u8; 1]>) {
        if let Some(value) = value {
            self.put(key, value);
        }
    }

    pub(super) fn put_number(&mut self, key: &str, number: u64) {
        self.put_key(key);
        self.add_number(number, 1);
    }

    /// Puts seconds with six places behind the point.
    pub(super) fn put_seconds(&mut self, key: &str, time: Duration) {
        self.put_number(key, time.as_secs());
        self.0.push(b'.');
        self.add_number(time.subsec_micros().into(), 6);
    }

    /// Adds a number to what was put last, with zeroes before it if it has fewer digits than `least`.
    pub(super) fn add_number(&mut self, number: u64, least: usize) {
        let mut digits = [b'0'; MOST_DIGITS];
        let mut left = number;
        let mut count = 0;
        for digit in digits.iter_mut().rev() {
            if left == 0 && count >= least {
                break;
            }
            *digit = b'0'.saturating_add(u8::try_from(left % 10).unwrap_or(0));
            left /= 10;
            count += 1;
        }
        let written = digits.get(MOST_DIGITS.saturating_sub(count)..);
        self.0.extend_from_slice(written.unwrap_or_default());
    }

    pub(super) fn put_subject(&mut self, subject: &Subject) {
        let (name, argument) = subject.kind.keys();
        self.put_word("kind", subject.kind.name());
        self.put(name, &subject.name);
        self.put(argument, &subject.argument);
    }

    pub(super) fn put_pid(&mut self, pid: Option<Pid>) {
        let number = pid.and_then(|pid| u64::try_from(pid.get()).ok());
        if let Some(number) = number {
            self.put_number("pid", number);
        }
    }

    pub(super) fn put_moment(&mut self, at: &Moment) {
        self.put_seconds("up", at.up.0);
        self.put_seconds("wall", at.wall);
    }

    pub(super) fn end(mut self) -> Vec<u8> {
        self.0.push(b'\n');
        self.0
    }
}

/// Adds a byte to a text of printable characters.
pub(super) fn put_escaped(text: &mut Vec<u8>, byte: u8) {
    if is_plain(byte) {
        text.push(byte);
    } else {
        text.extend_from_slice(format!("\\x{byte:02x}").as_bytes());
    }
}

/// Tells whether a byte stands for itself.
fn is_plain(byte: u8) -> bool {
    byte.is_ascii_graphic() && byte != b'\\'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_written_as_everybody_writes_them() {
        for number in [0, 7, 10, 4095, 1_000_000, u64::MAX] {
            let mut text = Text::begin("n");
            text.put_number("is", number);
            assert_eq!(text.end(), format!("n is={number}\n").into_bytes());
        }
    }

    #[test]
    fn seconds_have_six_places() {
        for (seconds, micros) in [(0, 0), (3, 5), (12, 340_000), (u64::MAX, 999_999)] {
            let mut text = Text::begin("n");
            text.put_seconds("up", Duration::new(seconds, micros * 1000));
            let expected = format!("n up={seconds}.{micros:06}\n");
            assert_eq!(text.end(), expected.into_bytes());
        }
    }
}

//! What is kept of an output of any length: its beginning and its end.
#![forbid(unsafe_code)]

use std::collections::VecDeque;

/// How far a cut may move to fall between two lines.
const LONGEST_CUT: usize = 1024;

/// Takes any number of bytes and holds the first and the last ones.
#[derive(Debug, Clone)]
pub struct Kept {
    /// How many bytes each part may hold.
    half: usize,
    head: Vec<u8>,
    tail: VecDeque<u8>,
    total: u64,
}

impl Default for Kept {
    /// Holds what the record keeps of a script.
    fn default() -> Self {
        Self::of(Self::MOST)
    }
}

impl Kept {
    /// What the record keeps of an output at most, the line about what is left out apart: enough for every
    /// message of a service that fails, and little enough for hundreds of scripts in a /run in memory.
    pub const MOST: usize = 64 << 10;

    /// Holds at most `most` bytes.
    pub fn of(most: usize) -> Self {
        Self {
            half: most / 2,
            head: Vec::new(),
            tail: VecDeque::new(),
            total: 0,
        }
    }

    /// Takes more bytes.
    pub fn push(&mut self, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        self.total = self.total.saturating_add(length);
        let room = self.half.saturating_sub(self.head.len()).min(bytes.len());
        let (beginning, rest) = bytes.split_at_checked(room).unwrap_or((bytes, &[]));
        self.head.extend_from_slice(beginning);
        // Of more than there is room for only the end is looked at, so that megabytes cost no more than kilobytes.
        let last = rest.len().saturating_sub(self.half);
        let last = rest.get(last..).unwrap_or_default();
        let surplus = (self.tail.len() + last.len()).saturating_sub(self.half);
        self.tail.drain(..surplus.min(self.tail.len()));
        self.tail.extend(last);
    }

    /// How many bytes were given.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// Returns what is held. Where something is left out, a line between the two parts says how much.
    pub fn to_bytes(&self) -> Vec<u8> {
        let tail: Vec<u8> = self.tail.iter().copied().collect();
        let size = u64::try_from(self.head.len() + tail.len()).unwrap_or(u64::MAX);
        if self.total <= size {
            return [self.head.as_slice(), &tail].concat();
        }
        let (head, tail) = (up_to_line(&self.head), from_line(&tail));
        let shown = u64::try_from(head.len() + tail.len()).unwrap_or(u64::MAX);
        let left_out = self.total.saturating_sub(shown);
        let newline = if head.ends_with(b"\n") { "" } else { "\n" };
        let between = format!("{newline}[{left_out} bytes are left out here]\n");
        [head, between.as_bytes(), tail].concat()
    }
}

/// The bytes up to the last newline, if it is near the end.
fn up_to_line(bytes: &[u8]) -> &[u8] {
    let cut = bytes
        .iter()
        .rev()
        .take(LONGEST_CUT)
        .position(|&byte| byte == b'\n');
    cut.and_then(|cut| bytes.get(..bytes.len() - cut))
        .unwrap_or(bytes)
}

/// The bytes behind the first newline, if it is near the beginning.
fn from_line(bytes: &[u8]) -> &[u8] {
    let cut = bytes
        .iter()
        .take(LONGEST_CUT)
        .position(|&byte| byte == b'\n');
    cut.and_then(|cut| bytes.get(cut + 1..)).unwrap_or(bytes)
}

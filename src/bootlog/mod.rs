//! The log of what appears on the console while the machine boots: its lines, what waits to be written, and on which
//! consoles it is shown. bootlogd(8) writes it, readbootlog(1) reads it.
#![forbid(unsafe_code)]

pub mod escapes;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;

/// How much is kept while the log cannot be written: bootlogd(8).
pub const KEPT: usize = 32 * 1024;
/// On how many consoles a text is shown at most.
pub const MOST_CONSOLES: usize = 16;

/// Makes lines of the log: each begins with the time.
#[derive(Debug, Clone, Default)]
pub struct Lines {
    inside: bool,
}

impl Lines {
    /// Returns what a piece of the console's text adds to the log. `stamp` is the time now.
    pub fn add(&mut self, text: &[u8], stamp: &str) -> Vec<u8> {
        let mut added = Vec::with_capacity(text.len());
        for &byte in text {
            if !self.inside {
                added.extend(stamp.as_bytes());
                added.extend(b": ");
            }
            self.inside = byte != b'\n';
            added.push(byte);
        }
        added
    }
}

/// What waits to be written, the oldest first. If it becomes too much, the oldest is given up.
#[derive(Debug, Clone)]
pub struct Waiting {
    bytes: VecDeque<u8>,
    most: usize,
    lost: usize,
}

impl Waiting {
    /// Nothing yet, and at most so many bytes.
    pub fn new(most: usize) -> Self {
        Self {
            bytes: VecDeque::new(),
            most,
            lost: 0,
        }
    }

    /// Adds a text, in place of the oldest if need be.
    pub fn add(&mut self, text: &[u8]) {
        self.bytes.extend(text);
        let above = self.bytes.len().saturating_sub(self.most);
        self.bytes.drain(..above);
        self.lost = self.lost.saturating_add(above);
    }

    /// Returns a part that can be written now.
    pub fn next(&self) -> &[u8] {
        self.bytes.as_slices().0
    }

    /// Forgets what has been written.
    pub fn written(&mut self, count: usize) {
        self.bytes.drain(..count.min(self.bytes.len()));
    }

    /// Tells whether everything has been written.
    pub fn is_empty(&self) -> bool {
        self.bytes.is_empty()
    }

    /// Says how many bytes wait.
    pub fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Says how many bytes were given up since this was last forgotten.
    pub fn lost(&self) -> usize {
        self.lost
    }

    /// Says the same, and forgets it.
    pub fn take_lost(&mut self) -> usize {
        std::mem::take(&mut self.lost)
    }

    /// Puts a text before everything else.
    pub fn put_first(&mut self, text: &[u8]) {
        for &byte in text.iter().rev() {
            self.bytes.push_front(byte);
        }
    }
}

/// The consoles that the kernel's words name, the last first, as device names below /dev.
///
/// The kernel takes the last one for `/dev/console`.
pub fn named_consoles(words: &[u8]) -> Vec<String> {
    let named = words
        .split(u8::is_ascii_whitespace)
        .filter_map(|word| word.strip_prefix(b"console="))
        .filter_map(|value| value.split(|&byte| byte == b',').next())
        .filter_map(|name| std::str::from_utf8(name).ok());
    last_first(named)
}

/// The same of the kernel's own list, `/sys/class/tty/console/active`.
pub fn active_consoles(list: &[u8]) -> Vec<String> {
    let text = String::from_utf8_lossy(list);
    last_first(text.split_whitespace())
}

fn last_first<'text>(names: impl Iterator<Item = &'text str>) -> Vec<String> {
    let mut names: Vec<&str> = names.collect();
    names.reverse();
    let mut consoles: Vec<String> = Vec::new();
    for name in names {
        let name = name.strip_prefix("/dev/").unwrap_or(name);
        // What is written to tty0 goes where the console's output goes: back to us. So would the console itself.
        let name = if name == "tty0" { "tty1" } else { name };
        let is_plain = !name.is_empty() && !name.starts_with('.') && !name.contains('/');
        let is_device = is_plain && !matches!(name, "console" | "null" | "tty" | "ptmx");
        if is_device && !consoles.iter().any(|known| known == name) {
            consoles.push(name.to_owned());
        }
    }
    consoles.truncate(MOST_CONSOLES);
    consoles
}

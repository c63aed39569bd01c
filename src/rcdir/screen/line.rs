//! One line of a script's output: how wide it is, and whether it bears a mark of its own.
#![forbid(unsafe_code)]

use super::Mark;

/// Marks stand further to the front.
const MOST_TEXT: usize = 512;
/// Every how many columns a tab stops.
const TAB: usize = 8;

/// A line as it is written byte by byte.
#[derive(Debug, Default)]
pub(super) struct Line {
    /// What is seen, without escape sequences, as far as it is looked at.
    text: Vec<u8>,
    columns: usize,
    escape: Escape,
    /// Any byte came, even one that is not seen.
    is_begun: bool,
    is_moved: bool,
}

/// Where in an escape sequence the line is.
#[derive(Debug, Default, Clone, Copy, PartialEq, Eq)]
enum Escape {
    #[default]
    None,
    /// Behind ESC.
    Begun,
    /// Behind `ESC [`.
    Control,
}

impl Line {
    /// Takes the next byte, which is no line end.
    pub(super) fn take(&mut self, byte: u8) {
        self.is_begun = true;
        match (self.escape, byte) {
            (Escape::None, 0x1b) => self.escape = Escape::Begun,
            (Escape::Begun, b'[') => self.escape = Escape::Control,
            (Escape::Begun, _) => {
                self.escape = Escape::None;
                self.is_moved = true;
            }
            // Parameters come before the letter. The bell and zeroes, which only fill time, take no column.
            (Escape::Control, 0x20..=0x3f) | (Escape::None, 0 | 7) => {}
            // The colours' letter is the one that leaves the cursor alone.
            (Escape::Control, _) => {
                self.escape = Escape::None;
                self.is_moved |= byte != b'm';
            }
            (Escape::None, b'\t') => {
                self.columns = self.columns.saturating_add(TAB - self.columns % TAB);
                self.see(b' ');
            }
            (Escape::None, 1..0x20 | 0x7f) => self.is_moved = true,
            (Escape::None, _) => {
                // The later bytes of a character of UTF-8 take no column of their own.
                self.columns = self
                    .columns
                    .saturating_add(usize::from(byte & 0xc0 != 0x80));
                self.see(byte);
            }
        }
    }

    fn see(&mut self, byte: u8) {
        if self.text.len() < MOST_TEXT {
            self.text.push(byte);
        }
    }

    /// Returns how many columns it takes.
    pub(super) fn columns(&self) -> usize {
        self.columns
    }

    /// Tells whether nothing of it has been written.
    pub(super) fn is_empty(&self) -> bool {
        !self.is_begun
    }

    /// Tells whether it begins with a blank.
    pub(super) fn is_indented(&self) -> bool {
        self.text.first() == Some(&b' ')
    }

    /// Tells whether something can be written behind it: it has a text, and the cursor is behind that.
    pub(super) fn ends_where_it_seems(&self) -> bool {
        self.columns > 0 && !self.is_moved && self.escape == Escape::None
    }

    /// Finds the mark it bears: as `init.d/functions` writes it, before or behind the text, or as Debian's
    /// init-functions fill in the brackets `[....]` at the beginning of a line.
    pub(super) fn mark(&self) -> Option<Mark> {
        if self.text.starts_with(b"[....]") {
            let filled: [(&[u8], Mark); 4] = [
                (b"[FAIL", Mark::Fail),
                (b"[warn", Mark::Ok),
                (b"[info", Mark::Ok),
                (b"[ ok ", Mark::Ok),
            ];
            return filled
                .into_iter()
                .find(|(word, _)| self.places(word).next().is_some())
                .map(|(_, mark)| mark);
        }
        Mark::ALL.into_iter().find(|mark| {
            let word = format!("[{}]", mark.word());
            self.places(word.as_bytes()).any(|at| {
                let before = at.checked_sub(1).and_then(|at| self.text.get(at));
                let after = self.text.get(at.saturating_add(word.len()));
                matches!(before, None | Some(b' ')) && matches!(after, None | Some(b' '))
            })
        })
    }

    /// Finds where a word stands.
    fn places(&self, word: &[u8]) -> impl Iterator<Item = usize> {
        self.text
            .windows(word.len())
            .enumerate()
            .filter_map(move |(at, window)| (window == word).then_some(at))
    }
}

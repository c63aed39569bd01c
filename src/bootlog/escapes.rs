//! Takes out of a text what was meant for the terminal only: escape sequences and more.
#![forbid(unsafe_code)]

const ESCAPE: u8 = 0x1b;
const BELL: u8 = 0x07;

/// What is taken out besides escape sequences.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Besides {
    /// Carriage returns: what bootlogd(8) writes.
    Returns,
    /// All control characters but tabs and line ends, also in the form `^X`: what readbootlog(1) prints.
    Controls,
}

/// Where in a sequence the text has come to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Text,
    /// Behind a caret, which may begin the name of a control character.
    Caret,
    /// Behind ESC.
    Begun,
    /// Behind ESC and characters that announce a last one.
    Designating,
    /// Behind `ESC [`.
    Control,
    /// Behind `ESC ]`: a string, or a palette of seven digits.
    Command,
    /// In the palette, with so many digits to come.
    Palette(u8),
    /// In a string, up to BEL or `ESC \`.
    String,
    /// Behind an ESC in a string.
    StringEnding,
}

/// Takes a text piece by piece, wherever the pieces are cut.
#[derive(Debug, Clone)]
pub struct Filter {
    state: State,
    besides: Besides,
}

impl Filter {
    /// At the beginning of a text.
    pub fn new(besides: Besides) -> Self {
        Self {
            state: State::Text,
            besides,
        }
    }

    /// Returns what is left of a piece.
    pub fn pass(&mut self, text: &[u8]) -> Vec<u8> {
        let mut left = Vec::with_capacity(text.len());
        for &byte in text {
            self.state = self.step(byte, &mut left);
        }
        left
    }

    /// Returns what was held back until it was clear what it is; the text has ended.
    pub fn end(&self) -> &'static [u8] {
        match self.state {
            State::Caret => b"^",
            _ => b"",
        }
    }

    fn step(&self, byte: u8, left: &mut Vec<u8>) -> State {
        match (self.state, byte) {
            // No sequence goes beyond its line: an unfinished one shall not swallow the rest.
            (_, b'\n') => {
                left.extend(self.end());
                left.push(byte);
                State::Text
            }
            (State::Text, _) => self.text(byte, left),
            (State::Caret, b'[') => State::Begun,
            (State::Caret, b'@'..=b'_' | b'?')
            | (State::String | State::Command, BELL)
            | (State::StringEnding, b'\\')
            | (State::Command, b'R') => State::Text,
            (State::Caret, _) => {
                left.push(b'^');
                self.text(byte, left)
            }
            (State::String, ESCAPE) => State::StringEnding,
            (State::String, _) => State::String,
            (_, ESCAPE) => State::Begun,
            (State::StringEnding | State::Begun, _) => Self::begun(byte),
            (State::Designating, 0x20..=0x2f) => State::Designating,
            (State::Control, 0x20..=0x3f) => State::Control,
            (State::Command, b'P') => State::Palette(7),
            (State::Command, _) => State::String,
            (State::Palette(more), b'0'..=b'9' | b'a'..=b'f' | b'A'..=b'F') if more > 1 => {
                State::Palette(more.saturating_sub(1))
            }
            // The last character.
            (State::Designating | State::Control | State::Palette(_), _) => State::Text,
        }
    }

    fn begun(byte: u8) -> State {
        match byte {
            b'[' => State::Control,
            b']' => State::Command,
            b'P' | b'X' | b'^' | b'_' => State::String,
            0x20..=0x2f => State::Designating,
            _ => State::Text,
        }
    }

    fn text(&self, byte: u8, left: &mut Vec<u8>) -> State {
        let readable = self.besides == Besides::Controls;
        match byte {
            ESCAPE => State::Begun,
            b'^' if readable => State::Caret,
            b'\r' => State::Text,
            0..=8 | 11..=31 | 127 if readable => State::Text,
            _ => {
                left.push(byte);
                State::Text
            }
        }
    }
}

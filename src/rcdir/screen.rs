//! What rc shows on the console: the scripts' own words, unchanged and in their order, and at the end of each script
//! how it ended.
//!
//! # Where the result stands
//! | the script has said | the result is shown |
//! |---|---|
//! | a line | at its end, in the column of `init.d/functions`; the line's end is held back until more comes |
//! | a line that has such a mark, and it is the right one | not again |
//! | something that moved the cursor, or an empty line | on a line of ours, `Starting NAME .... [ ok ]` |
//! | nothing | on a line of ours; its beginning is shown at once when the script takes long |
//!
//! What others say meanwhile, a daemon of an earlier script or rc itself, gets lines of its own. Nothing ever
//! overwrites anything, so all this reads as well on a serial line and in a log.
#![forbid(unsafe_code)]

mod line;
#[cfg(test)]
mod tests;

use line::Line;

/// The width of text and dots together: `init.d/functions`.
const DOTTED: usize = 48;
/// More line ends in a row than are worth waiting with.
const MOST_HELD: usize = 64;

/// Whether marks have colours.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Colours {
    /// The terminal is known to have them.
    Shown,
    /// It is not.
    None,
}

/// What is known of the terminal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terminal<'a> {
    /// The variable TERM.
    pub kind: &'a [u8],
    /// The variable `NO_COLOR`.
    pub no_colour: &'a [u8],
    /// At boot, the consoles of `/sys/class/tty/console/active`; TERM says `linux` there even when the console is a
    /// serial line.
    pub consoles: Option<&'a [u8]>,
}

impl Colours {
    /// Decides as `init.d/functions` does: only a terminal that is known to have colours gets them.
    pub fn of(terminal: Option<Terminal<'_>>) -> Self {
        let has_colours = |terminal: Terminal<'_>| {
            let is_screen = |name: &[u8]| matches!(name, [b't', b't', b'y', digit, ..] if digit.is_ascii_digit());
            let is_plain = matches!(
                terminal.kind,
                b"" | b"dumb" | b"unknown" | [b'v', b't', b'1'..=b'9', ..]
            );
            let last = |consoles: &[u8]| {
                consoles
                    .split(u8::is_ascii_whitespace)
                    .rfind(|name| !name.is_empty())
                    .is_some_and(is_screen)
            };
            terminal.no_colour.is_empty() && !is_plain && terminal.consoles.is_none_or(last)
        };
        if terminal.is_some_and(has_colours) {
            Self::Shown
        } else {
            Self::None
        }
    }
}

/// How something ended, as `init.d/functions` shows it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mark {
    /// `[ ok ]`
    Ok,
    /// `[fail]`
    Fail,
    /// `[skip]`
    Skip,
}

impl Mark {
    const ALL: [Self; 3] = [Self::Ok, Self::Fail, Self::Skip];

    const fn word(self) -> &'static str {
        match self {
            Self::Ok => " ok ",
            Self::Fail => "fail",
            Self::Skip => "skip",
        }
    }

    /// Returns the mark as it is written.
    fn shown(self, colours: Colours) -> String {
        let (begin, end) = match (colours, self) {
            (Colours::None, _) => ("", ""),
            (Colours::Shown, Self::Ok) => ("\x1b[32m", "\x1b[0m"),
            (Colours::Shown, Self::Fail) => ("\x1b[31m", "\x1b[0m"),
            (Colours::Shown, Self::Skip) => ("\x1b[33m", "\x1b[0m"),
        };
        format!("[{begin}{}{end}]", self.word())
    }
}

/// Where the cursor is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Cursor {
    /// At the beginning of a line.
    Free,
    /// Behind the dots of a line that we have begun.
    Titled,
    /// In or behind a line of the script.
    InText,
}

/// The console, as far as this run of rc has written on it. Each function returns what is to be written now.
#[derive(Debug)]
pub struct Screen {
    colours: Colours,
    cursor: Cursor,
    /// What the script at hand is called on a line of ours.
    title: Vec<u8>,
    /// The line of the script that is being written, or whose end is held back.
    line: Line,
    /// The end of that line.
    held: Vec<u8>,
    /// The mark of the script's latest line that is not indented.
    said: Option<Mark>,
    has_said_fail: bool,
}

impl Screen {
    /// A console whose cursor is at the beginning of a line.
    pub fn new(colours: Colours) -> Self {
        Self {
            colours,
            cursor: Cursor::Free,
            title: Vec::new(),
            line: Line::default(),
            held: Vec::new(),
            said: None,
            has_said_fail: false,
        }
    }

    /// A script begins; `title` is something like `Starting cron`.
    pub fn begin(&mut self, title: &[u8]) {
        self.title = title.escape_ascii().to_string().into_bytes();
        self.line = Line::default();
        self.held.clear();
        self.said = None;
        self.has_said_fail = false;
    }

    /// The script at hand says something.
    #[must_use]
    pub fn output(&mut self, bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len().saturating_add(8));
        if bytes.is_empty() {
            return out;
        }
        if self.cursor == Cursor::Titled {
            out.push(b'\n');
        }
        self.cursor = Cursor::InText;
        let ends = bytes
            .iter()
            .rev()
            .take_while(|byte| matches!(byte, b'\n' | b'\r'))
            .count();
        let (text, line_ends) = bytes
            .split_at_checked(bytes.len().saturating_sub(ends))
            .unwrap_or((bytes, b""));
        if !text.is_empty() {
            self.release(&mut out);
            out.extend(text);
            for &byte in text {
                if byte == b'\n' {
                    self.finish_line();
                } else {
                    self.line.take(byte);
                }
            }
        }
        // A whole screen of empty lines is passed on as it comes.
        for piece in line_ends.chunks(MOST_HELD) {
            if self.held.len().saturating_add(piece.len()) > MOST_HELD {
                self.release(&mut out);
            }
            self.held.extend(piece);
        }
        out
    }

    /// The script at hand has said nothing for a while: shows what is going on.
    #[must_use]
    pub fn silence(&mut self) -> Vec<u8> {
        if self.cursor != Cursor::Free {
            return Vec::new();
        }
        self.cursor = Cursor::Titled;
        self.dotted_title()
    }

    /// The script at hand has ended; `remark` is empty where the mark says it all.
    #[must_use]
    pub fn end(&mut self, mark: Mark, remark: &str) -> Vec<u8> {
        let mut result = mark.shown(self.colours).into_bytes();
        if !remark.is_empty() {
            result.push(b' ');
            result.extend(remark.as_bytes());
        }
        let mut out = Vec::new();
        self.note_line();
        let is_told = match mark {
            Mark::Ok => self.said.is_some(),
            Mark::Skip => self.said == Some(Mark::Skip),
            Mark::Fail => self.has_said_fail,
        };
        if self.cursor == Cursor::Titled {
            out.extend(result);
            out.push(b'\n');
        } else if self.cursor == Cursor::InText && !is_told && self.line.ends_where_it_seems() {
            out.extend(padding(self.line.columns()));
            out.extend(result);
            self.end_line(&mut out);
        } else {
            if self.cursor == Cursor::InText {
                self.end_line(&mut out);
            }
            if !is_told {
                out.extend(self.dotted_title());
                out.extend(result);
                out.push(b'\n');
            }
        }
        self.cursor = Cursor::Free;
        self.begin(b"");
        out
    }

    /// Shows whole lines that are not from the script at hand.
    #[must_use]
    pub fn aside(&mut self, lines: &[u8]) -> Vec<u8> {
        let mut out = Vec::new();
        match self.cursor {
            Cursor::Free => {}
            Cursor::Titled => out.push(b'\n'),
            Cursor::InText => {
                self.end_line(&mut out);
                self.finish_line();
            }
        }
        self.cursor = Cursor::Free;
        out.extend(lines);
        if !lines.ends_with(b"\n") {
            out.push(b'\n');
        }
        out
    }

    fn dotted_title(&self) -> Vec<u8> {
        [self.title.clone(), padding(self.title.len())].concat()
    }

    /// Writes the end of the script's line: its own, or one of ours where the cursor is inside the line.
    fn end_line(&mut self, out: &mut Vec<u8>) {
        let is_at_begin = self.held.is_empty() && self.line.is_empty();
        out.append(&mut self.held);
        if !is_at_begin && !out.ends_with(b"\n") {
            out.push(b'\n');
        }
    }

    /// Writes what was held back, as more has come.
    fn release(&mut self, out: &mut Vec<u8>) {
        if self.held.contains(&b'\n') {
            self.finish_line();
        }
        if self.held.last() == Some(&b'\r') {
            self.line.take(b'\r');
        }
        out.append(&mut self.held);
    }

    fn finish_line(&mut self) {
        self.note_line();
        self.line = Line::default();
    }

    /// Looks for a mark in the line. Lines that are indented belong to the one above.
    fn note_line(&mut self) {
        let mark = self.line.mark();
        if mark.is_some() || !(self.line.is_empty() || self.line.is_indented()) {
            self.said = mark;
        }
        self.has_said_fail |= mark == Some(Mark::Fail);
    }
}

/// What stands between a text and a mark: dots up to the column of all marks, or one blank if there is no room.
fn padding(columns: usize) -> Vec<u8> {
    let dots = DOTTED.saturating_sub(columns);
    if dots < 3 {
        return b" ".to_vec();
    }
    [&b" "[..], &vec![b'.'; dots], b" "].concat()
}

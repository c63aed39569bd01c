//! What a script says of itself: the comment block of the Linux Standard Base between `### BEGIN INIT INFO` and
//! `### END INIT INFO`.
//!
//! Reads every line it understands and lists what is wrong beside the result, so that one bad line costs itself
//! only. Keywords are taken in any case, with `-` or `_`, and an `X-` of any vendor before those that have one; of
//! a keyword given twice the first counts. Whether the names exist is another matter (insserv(8)).
#![forbid(unsafe_code)]

use super::deadline;
use crate::runlevel::{Runlevel, RunlevelSet};
use std::fmt;
use std::time::Duration;

/// The text of a header that lists names, in the order of the file.
pub type Names = Vec<Box<[u8]>>;

/// A script's header.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header {
    /// What the script provides, its main name first.
    pub provides: Names,
    /// What must run before it.
    pub required_start: Names,
    /// What must still run while it stops.
    pub required_stop: Names,
    /// What runs before it if it is there at all.
    pub should_start: Names,
    /// What still runs while it stops if it is there at all.
    pub should_stop: Names,
    /// What is started after it.
    pub start_before: Names,
    /// What is stopped before it.
    pub stop_after: Names,
    /// The levels in which it is to run.
    pub default_start: RunlevelSet,
    /// The levels in which it is to be stopped.
    pub default_stop: RunlevelSet,
    /// One line for people.
    pub short_description: Box<[u8]>,
    /// More lines for people, joined by single spaces.
    pub description: Box<[u8]>,
    /// It talks to whoever sits at the console.
    pub interactive: bool,
    /// How long it may take.
    pub timeout: Option<Duration>,
}

/// Something wrong with a header, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Line of the script, from 1; the line of `BEGIN` for what is missing, 1 if there is none.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a header.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// The script has none.
    NoHeader,
    /// It does not end.
    NoEnd,
    /// A keyword that must be there, even if nothing follows it, is not.
    Missing(&'static str),
    /// `Provides` names nothing.
    ProvidesNothing,
    /// The keyword was given before; this line does not count.
    Repeated(&'static str),
    /// A line of the block is neither a keyword's nor the continuation of a description.
    NotUnderstood,
    /// A keyword nobody knows.
    UnknownKeyword(Box<[u8]>),
    /// `Provides` holds a name that begins with `$`, which only facilities have.
    ProvidesFacility(Box<[u8]>),
    /// This is no runlevel.
    NoRunlevel(Box<[u8]>),
    /// This is no length of time.
    NoDuration(Box<[u8]>),
    /// The level is both one to start and one to stop in.
    StartAndStop(Runlevel),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Keyword {
    Provides,
    RequiredStart,
    RequiredStop,
    ShouldStart,
    ShouldStop,
    StartBefore,
    StopAfter,
    DefaultStart,
    DefaultStop,
    ShortDescription,
    Description,
    Interactive,
    Timeout,
}

impl Keyword {
    const ALL: [Self; 13] = [
        Self::Provides,
        Self::RequiredStart,
        Self::RequiredStop,
        Self::ShouldStart,
        Self::ShouldStop,
        Self::StartBefore,
        Self::StopAfter,
        Self::DefaultStart,
        Self::DefaultStop,
        Self::ShortDescription,
        Self::Description,
        Self::Interactive,
        Self::Timeout,
    ];
    const REQUIRED: [Self; 5] = [
        Self::Provides,
        Self::RequiredStart,
        Self::RequiredStop,
        Self::DefaultStart,
        Self::DefaultStop,
    ];

    const fn name(self) -> &'static str {
        match self {
            Self::Provides => "Provides",
            Self::RequiredStart => "Required-Start",
            Self::RequiredStop => "Required-Stop",
            Self::ShouldStart => "Should-Start",
            Self::ShouldStop => "Should-Stop",
            Self::StartBefore => "X-Start-Before",
            Self::StopAfter => "X-Stop-After",
            Self::DefaultStart => "Default-Start",
            Self::DefaultStop => "Default-Stop",
            Self::ShortDescription => "Short-Description",
            Self::Description => "Description",
            Self::Interactive => "X-Interactive",
            Self::Timeout => "X-Timeout",
        }
    }

    fn from_name(name: &[u8]) -> Option<Self> {
        let spelt = |keyword: &&Self| {
            let known = keyword.name();
            let vendor_free = known.strip_prefix("X-").or(match keyword {
                Self::ShouldStart | Self::ShouldStop => Some(known),
                _ => None,
            });
            is_same(name, known) || vendor_free.is_some_and(|known| is_vendors(name, known))
        };
        Self::ALL.iter().find(spelt).copied()
    }
}

/// Compares two keywords without regard to case and to the kind of dash.
fn is_same(name: &[u8], known: &str) -> bool {
    name.len() == known.len()
        && name.iter().zip(known.bytes()).all(|(&byte, known)| {
            byte.eq_ignore_ascii_case(&known) || (byte == b'_' && known == b'-')
        })
}

/// Tells whether the name is the known one behind a vendor's prefix, as in `X-UnitedLinux-Should-Start`.
fn is_vendors(name: &[u8], known: &str) -> bool {
    let Some((prefix, rest)) = name
        .len()
        .checked_sub(known.len())
        .and_then(|at| name.split_at_checked(at))
    else {
        return false;
    };
    matches!(
        prefix,
        [b'x' | b'X', b'-' | b'_', .., b'-' | b'_'] | [b'x' | b'X', b'-' | b'_']
    ) && is_same(rest, known)
}

/// Reads the header of a script.
pub fn parse(script: &[u8]) -> (Header, Vec<Diagnostic>) {
    let mut reading = Reading::default();
    let mut lines = (1..).zip(script.split(|&byte| byte == b'\n'));
    let Some((begin, _)) = lines.find(|(_, line)| is_mark(line, b"BEGIN")) else {
        reading.report(1, Problem::NoHeader);
        return (reading.header, reading.diagnostics);
    };
    let mut ends = false;
    for (number, line) in lines {
        if is_mark(line, b"END") {
            ends = true;
            break;
        }
        reading.take(number, line);
    }
    if !ends {
        reading.report(begin, Problem::NoEnd);
    }
    reading.complete(begin);
    (reading.header, reading.diagnostics)
}

/// Tells whether the line is `### BEGIN INIT INFO` or the same with `END`.
fn is_mark(line: &[u8], which: &[u8]) -> bool {
    let mut words = line
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    line.starts_with(b"###")
        && words.next() == Some(b"###")
        && words.next() == Some(which)
        && words.next() == Some(b"INIT")
        && words.next() == Some(b"INFO")
        && words.next().is_none()
}

/// A header while its lines are read.
#[derive(Default)]
struct Reading {
    header: Header,
    diagnostics: Vec<Diagnostic>,
    given: Vec<Keyword>,
    /// The line before belongs to the description, so this one may go on with it.
    in_description: bool,
}

impl Reading {
    fn report(&mut self, line: usize, problem: Problem) {
        self.diagnostics.push(Diagnostic { line, problem });
    }

    /// Takes one line of the block.
    fn take(&mut self, number: usize, line: &[u8]) {
        let Some(text) = line.strip_prefix(b"#") else {
            if !line.trim_ascii().is_empty() {
                self.report(number, Problem::NotUnderstood);
            }
            return;
        };
        if self.in_description && (text.starts_with(b"\t") || text.starts_with(b"  ")) {
            let lines = [&self.header.description, text.trim_ascii()];
            self.header.description = lines.join(&b' ').trim_ascii().into();
            return;
        }
        self.in_description = false;
        let text = text.trim_ascii();
        if text.is_empty() {
            return;
        }
        let Some(colon) = text.iter().position(|&byte| byte == b':') else {
            self.report(number, Problem::NotUnderstood);
            return;
        };
        let (name, value) = text.split_at(colon);
        let value = value.strip_prefix(b":").unwrap_or_default().trim_ascii();
        let name = name.trim_ascii_end();
        match Keyword::from_name(name) {
            Some(keyword) if self.given.contains(&keyword) => {
                self.report(number, Problem::Repeated(keyword.name()));
            }
            Some(keyword) => {
                self.given.push(keyword);
                self.set(number, keyword, value);
            }
            // The standard leaves X- to everybody.
            None if matches!(name, [b'x' | b'X', b'-' | b'_', ..]) => {}
            None => self.report(number, Problem::UnknownKeyword(name.into())),
        }
    }

    fn set(&mut self, number: usize, keyword: Keyword, value: &[u8]) {
        let header = &mut self.header;
        match keyword {
            Keyword::Provides => {
                let (facilities, names): (Names, Names) = names(value)
                    .into_iter()
                    .partition(|name| name.starts_with(b"$"));
                header.provides = names;
                for facility in facilities {
                    self.report(number, Problem::ProvidesFacility(facility));
                }
            }
            Keyword::RequiredStart => header.required_start = names(value),
            Keyword::RequiredStop => header.required_stop = names(value),
            Keyword::ShouldStart => header.should_start = names(value),
            Keyword::ShouldStop => header.should_stop = names(value),
            Keyword::StartBefore => header.start_before = names(value),
            Keyword::StopAfter => header.stop_after = names(value),
            Keyword::DefaultStart => self.header.default_start = self.levels(number, value),
            Keyword::DefaultStop => self.header.default_stop = self.levels(number, value),
            Keyword::ShortDescription => header.short_description = value.into(),
            Keyword::Description => {
                header.description = value.into();
                self.in_description = true;
            }
            Keyword::Interactive => header.interactive = value.eq_ignore_ascii_case(b"true"),
            Keyword::Timeout => {
                header.timeout = deadline::duration(value);
                if header.timeout.is_none() {
                    self.report(number, Problem::NoDuration(value.into()));
                }
            }
        }
    }

    fn levels(&mut self, number: usize, value: &[u8]) -> RunlevelSet {
        for word in names(value) {
            let known = word.iter().all(|&byte| Runlevel::from_byte(byte).is_some());
            if !known {
                self.report(number, Problem::NoRunlevel(word));
            }
        }
        let digits: Vec<u8> = value
            .iter()
            .copied()
            .filter(|&byte| Runlevel::from_byte(byte).is_some())
            .collect();
        RunlevelSet::parse(&digits)
    }

    /// Looks for what only the whole block can show.
    fn complete(&mut self, begin: usize) {
        for keyword in Keyword::REQUIRED {
            if !self.given.contains(&keyword) {
                self.report(begin, Problem::Missing(keyword.name()));
            }
        }
        if self.given.contains(&Keyword::Provides) && self.header.provides.is_empty() {
            self.report(begin, Problem::ProvidesNothing);
        }
        for level in b"0123456789S"
            .iter()
            .copied()
            .filter_map(Runlevel::from_byte)
        {
            if self.header.default_start.contains(level) && self.header.default_stop.contains(level)
            {
                self.report(begin, Problem::StartAndStop(level));
            }
        }
    }
}

/// Splits a value at its blanks.
fn names(value: &[u8]) -> Names {
    value
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty())
        .map(Into::into)
        .collect()
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.line, self.problem)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoHeader => f.write_str("there is no LSB header"),
            Self::NoEnd => f.write_str("the LSB header does not end"),
            Self::Missing(name) => write!(f, "{name} is missing; it may be empty"),
            Self::ProvidesNothing => f.write_str("Provides names nothing"),
            Self::Repeated(name) => write!(f, "{name} is given again; the first one counts"),
            Self::NotUnderstood => f.write_str("this line of the LSB header has no keyword"),
            Self::UnknownKeyword(name) => write!(f, "{}: unknown keyword", name.escape_ascii()),
            Self::ProvidesFacility(name) => {
                write!(
                    f,
                    "{}: a script cannot provide a facility",
                    name.escape_ascii()
                )
            }
            Self::NoRunlevel(word) => write!(f, "{}: no such runlevel", word.escape_ascii()),
            Self::NoDuration(word) => {
                write!(f, "{}: no time such as 60 or 2m", word.escape_ascii())
            }
            Self::StartAndStop(level) => write!(
                f,
                "runlevel {level} is in both Default-Start and Default-Stop"
            ),
        }
    }
}

#[cfg(test)]
mod tests;

//! A line of the record as text, in both directions.
#![forbid(unsafe_code)]

use super::text::Text;
use super::{Begin, Boot, End, Kind, Line, Moment, Note, Status, Subject, Tally, Usage, Verdict};
use crate::process::{ExitStatus, Pid, Signal};
use crate::uptime::Uptime;
use std::fmt;
use std::time::Duration;

/// Problems of one text that are told; a file of garbage would otherwise be told line by line.
const MOST_PROBLEMS: usize = 100;

/// A line that could not be used.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// Its number, from 1.
    pub line: usize,
    /// What is wrong with it.
    pub what: &'static str,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.what)
    }
}

/// Reads a record, and lists the lines that could not be used. A text of any bytes has some lines that can.
pub fn parse(text: &[u8]) -> (Vec<Line>, Vec<Problem>) {
    let mut lines = Vec::new();
    let mut problems = Vec::new();
    for (index, piece) in text.split_inclusive(|&byte| byte == b'\n').enumerate() {
        let read = match piece.strip_suffix(b"\n") {
            Some(b"") => continue,
            Some(line) => read(line),
            // Half a number would be taken for a whole one.
            None => Err("breaks off"),
        };
        match read {
            Ok(line) => lines.push(line),
            Err(what) if problems.len() < MOST_PROBLEMS => problems.push(Problem {
                line: index.saturating_add(1),
                what,
            }),
            Err(_) => {}
        }
    }
    (lines, problems)
}

/// Finds the id of the boot that a record is of; none if no line tells. Other lines are not looked into: of a long record
/// that is most of what it takes to read it.
pub fn id_in(text: &[u8]) -> Option<Box<[u8]>> {
    let lines = text.split_inclusive(|&byte| byte == b'\n');
    let mut of_boots = lines.filter_map(|line| {
        let line = line.strip_suffix(b"\n")?;
        line.starts_with(b"boot ").then(|| read(line))
    });
    of_boots.find_map(|line| match line {
        Ok(Line::Boot(boot)) => boot.id,
        Ok(Line::Begin(_) | Line::End(_) | Line::Note(_)) | Err(_) => None,
    })
}

impl Line {
    /// Writes the line, its newline included.
    pub fn to_line(&self) -> Vec<u8> {
        match self {
            Self::Boot(boot) => {
                let mut text = Text::begin("boot");
                if let Some(id) = &boot.id {
                    text.put("id", id);
                }
                text.put_moment(&boot.at);
                text.end()
            }
            Self::Begin(begin) => begin_line(begin),
            Self::End(end) => end_line(end),
            Self::Note(note) => {
                let mut text = Text::begin("note");
                text.put_subject(&note.subject);
                text.put_moment(&note.at);
                text.put("text", &note.text);
                text.end()
            }
        }
    }

    /// When it was written.
    pub fn at(&self) -> Moment {
        match self {
            Self::Boot(boot) => boot.at,
            Self::Begin(begin) => begin.at,
            Self::End(end) => end.at,
            Self::Note(note) => note.at,
        }
    }
}

fn begin_line(begin: &Begin) -> Vec<u8> {
    let mut text = Text::begin("begin");
    text.put_subject(&begin.subject);
    if begin.subject.kind != Kind::Run {
        for (key, character) in [("level", begin.level), ("previous", begin.previous)] {
            text.put_some(key, character.map(|byte| [byte]).as_ref());
        }
        text.put(begin.subject.kind.what_key(), &begin.what);
    }
    text.put_pid(begin.pid);
    text.put_moment(&begin.at);
    text.end()
}

fn end_line(end: &End) -> Vec<u8> {
    let mut text = Text::begin("end");
    text.put_subject(&end.subject);
    text.put_pid(end.pid);
    text.put_moment(&end.at);
    match &end.status {
        Status::Ended(ExitStatus::Exited(code)) => {
            text.put_word("status", "exit:");
            text.add_number((*code).into(), 1);
        }
        Status::Ended(ExitStatus::Killed(signal)) => {
            text.put_word("status", &format!("signal:{}", signal.0));
        }
        Status::NotStarted(why) => text.put("status", &[b"none:", &**why].concat()),
    }
    text.put_word("verdict", end.verdict.name());
    if let Some(usage) = &end.usage {
        text.put_seconds("user", usage.user);
        text.put_seconds("system", usage.system);
        text.put_number("peak", usage.peak);
    }
    if let Some(output) = end.output {
        text.put_number("output", output);
    }
    if let Some(tally) = end.tally {
        text.put_number("scripts", tally.scripts);
        text.put_number("failed", tally.failed);
    }
    text.end()
}

impl Kind {
    const ALL: [Self; 3] = [Self::Script, Self::Entry, Self::Run];

    /// The word a line has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Script => "script",
            Self::Entry => "entry",
            Self::Run => "run",
        }
    }

    /// The keys of a subject's two parts.
    pub(super) const fn keys(self) -> (&'static str, &'static str) {
        match self {
            Self::Script => ("name", "argument"),
            Self::Entry => ("id", "action"),
            Self::Run => ("level", "previous"),
        }
    }

    /// The key of what is run.
    const fn what_key(self) -> &'static str {
        match self {
            Self::Script | Self::Run => "link",
            Self::Entry => "process",
        }
    }
}

impl Verdict {
    const ALL: [Self; 5] = [
        Self::Ok,
        Self::Failed,
        Self::Skipped,
        Self::TimedOut,
        Self::Interrupted,
    ];

    /// The word a line has for it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Failed => "failed",
            Self::Skipped => "skipped",
            Self::TimedOut => "timed-out",
            Self::Interrupted => "interrupted",
        }
    }
}

/// Reads one line without its newline.
fn read(line: &[u8]) -> Result<Line, &'static str> {
    let mut words = line.split(|&byte| byte == b' ');
    let verb = words.next().unwrap_or_default();
    let words = Words(words.filter_map(pair).collect());
    match verb {
        b"boot" => Ok(Line::Boot(Boot {
            id: words.value("id").map(Into::into),
            at: words.moment()?,
        })),
        b"begin" => {
            let subject = words.subject()?;
            let is_run = subject.kind == Kind::Run;
            let character = |key| words.value(key)?.first().copied().filter(|_| !is_run);
            Ok(Line::Begin(Begin {
                pid: words.pid()?,
                at: words.moment()?,
                level: character("level"),
                previous: character("previous"),
                what: words
                    .value(subject.kind.what_key())
                    .unwrap_or_default()
                    .into(),
                subject,
            }))
        }
        b"end" => Ok(Line::End(End {
            subject: words.subject()?,
            pid: words.pid()?,
            at: words.moment()?,
            status: words.status()?,
            verdict: words.verdict()?,
            usage: words.usage(),
            output: words.number("output"),
            tally: words.number("scripts").map(|scripts| Tally {
                scripts,
                failed: words.number("failed").unwrap_or(0),
            }),
        })),
        b"note" => Ok(Line::Note(Note {
            subject: words.subject()?,
            at: words.moment()?,
            text: words.value("text").unwrap_or_default().into(),
        })),
        _ => Err("is none of boot, begin, end, note"),
    }
}

fn pair(word: &[u8]) -> Option<(&[u8], &[u8])> {
    let place = word.iter().position(|&byte| byte == b'=')?;
    let (key, rest) = word.split_at_checked(place)?;
    Some((key, rest.get(1..)?))
}

/// The keys and values of a line, values as they were written.
struct Words<'a>(Vec<(&'a [u8], &'a [u8])>);

impl Words<'_> {
    fn value(&self, key: &str) -> Option<Vec<u8>> {
        let (_, value) = self.0.iter().find(|(known, _)| *known == key.as_bytes())?;
        Some(unescaped(value))
    }

    fn text(&self, key: &str) -> Option<String> {
        String::from_utf8(self.value(key)?).ok()
    }

    fn number(&self, key: &str) -> Option<u64> {
        self.text(key)?.parse().ok()
    }

    fn duration(&self, key: &str) -> Option<Duration> {
        duration(&self.text(key)?)
    }

    fn moment(&self) -> Result<Moment, &'static str> {
        Ok(Moment {
            up: Uptime(self.duration("up").ok_or("tells no time (up=)")?),
            wall: self.duration("wall").unwrap_or_default(),
        })
    }

    fn subject(&self) -> Result<Subject, &'static str> {
        let word = self.text("kind").unwrap_or_default();
        let kind = Kind::ALL.into_iter().find(|kind| kind.name() == word);
        let kind = kind.ok_or("is of no kind known here (kind=)")?;
        let (name, argument) = kind.keys();
        Ok(Subject {
            kind,
            name: self.value(name).ok_or("names nobody")?.into(),
            argument: self.value(argument).unwrap_or_default().into(),
        })
    }

    fn pid(&self) -> Result<Option<Pid>, &'static str> {
        self.text("pid")
            .map(|text| text.parse().ok().and_then(Pid::new).ok_or("has a bad pid="))
            .transpose()
    }

    fn status(&self) -> Result<Status, &'static str> {
        let value = self.value("status").ok_or("tells no status=")?;
        if let Some(why) = value.strip_prefix(b"none:") {
            return Ok(Status::NotStarted(why.into()));
        }
        let text = String::from_utf8(value).unwrap_or_default();
        let exit = text
            .strip_prefix("exit:")
            .and_then(|code| code.parse().ok());
        let signal = text
            .strip_prefix("signal:")
            .and_then(|number| number.parse().ok());
        exit.map(ExitStatus::Exited)
            .or(signal.map(|number| ExitStatus::Killed(Signal(number))))
            .map(Status::Ended)
            .ok_or("has a bad status=")
    }

    fn verdict(&self) -> Result<Verdict, &'static str> {
        let word = self.text("verdict").unwrap_or_default();
        let known = Verdict::ALL.into_iter().find(|known| known.name() == word);
        known.ok_or("has no verdict= known here")
    }

    fn usage(&self) -> Option<Usage> {
        Some(Usage {
            user: self.duration("user")?,
            system: self.duration("system")?,
            peak: self.number("peak")?,
        })
    }
}

/// Seconds with up to nine places behind a point.
fn duration(text: &str) -> Option<Duration> {
    let (whole, places) = text.split_once('.').unwrap_or((text, ""));
    if places.len() > 9 || !places.bytes().all(|byte| byte.is_ascii_digit()) {
        return None;
    }
    let nanoseconds = format!("{places:0<9}").parse().ok()?;
    Some(Duration::new(whole.parse().ok()?, nanoseconds))
}

/// Undoes the writing of special bytes. What only looks like it stays as it is.
fn unescaped(value: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut rest = value;
    while let Some((&first, behind)) = rest.split_first() {
        let escaped = match rest {
            [b'\\', b'x', high, low, ..] => hexadecimal(*high, *low),
            _ => None,
        };
        bytes.push(escaped.unwrap_or(first));
        rest = match escaped {
            Some(_) => rest.get(4..).unwrap_or_default(),
            None => behind,
        };
    }
    bytes
}

fn hexadecimal(high: u8, low: u8) -> Option<u8> {
    let digit = |byte: u8| char::from(byte).to_digit(16);
    u8::try_from(digit(high)? * 16 + digit(low)?).ok()
}

//! A state text to a snapshot, with as much of it as a damaged text still tells.
#![forbid(unsafe_code)]

use super::{Flags, MAX_PROBLEMS, MAX_RECORDS, Phase, Record, SIGNATURE, Snapshot, Written};
use crate::inittab::{Action, Entry, EntryId};
use crate::process::{ExitStatus, Pid, Signal};
use crate::runlevel::Runlevel;
use crate::uptime::Uptime;
use std::fmt;
use std::str::FromStr;
use std::time::Duration;

/// Why a text is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnapshotError {
    /// It does not begin with [`SIGNATURE`]: it is no state text.
    NoSignature,
    /// It does not tell how far the machine has come, as one that breaks off in its first lines.
    NoPhase,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSignature => "no state text: the signature is missing",
            Self::NoPhase => "the state text does not name the current runlevel",
        })
    }
}

impl std::error::Error for SnapshotError {}

/// What in a text could not be used, and what is taken instead.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The value of this token is not the number it should be, and is left out.
    BadNumber(&'static str),
    /// The value of this token names no runlevel, and is left out.
    BadLevel(&'static str),
    /// The action is not known; the entry is off.
    UnknownAction(Box<[u8]>),
    /// A line of a record stands outside of one, and is left out.
    OutsideRecord(&'static str),
    /// A record has no end, or no action or process; it is left out.
    UnfinishedRecord(EntryId),
    /// A NUL byte ends the value of this line early.
    Nul,
    /// More than [`MAX_RECORDS`] records; the rest is left out.
    TooManyRecords,
    /// The text breaks off before its END.
    MissingEnd,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadNumber(token) => write!(f, "{token}: not a number in range; left out"),
            Self::BadLevel(token) => write!(f, "{token}: names no runlevel; left out"),
            Self::UnknownAction(word) => {
                write!(f, "{}: unknown action; taken as off", word.escape_ascii())
            }
            Self::OutsideRecord(token) => write!(f, "{token}: outside of a record; left out"),
            Self::UnfinishedRecord(id) => write!(f, "record \"{id}\" is not complete; left out"),
            Self::Nul => f.write_str("NUL byte; the rest of the line is left out"),
            Self::TooManyRecords => {
                write!(f, "more than {MAX_RECORDS} records; the rest is left out")
            }
            Self::MissingEnd => f.write_str("the text breaks off"),
        }
    }
}

/// One problem of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SnapshotProblem {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub kind: ProblemKind,
}

impl fmt::Display for SnapshotProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "state text line {}: {}", self.line, self.kind)
    }
}

pub(super) fn snapshot(text: &[u8]) -> Result<(Snapshot, Vec<SnapshotProblem>), SnapshotError> {
    let lines = text
        .strip_prefix(SIGNATURE)
        .ok_or(SnapshotError::NoSignature)?;
    let mut reader = Reader::new();
    reader.read(lines);
    reader.finish()
}

/// A record whose end has not come yet.
struct Draft {
    id: EntryId,
    levels: Box<[u8]>,
    action: Option<Action>,
    process: Option<Box<[u8]>>,
    flags: Flags,
    pid: Option<Pid>,
    exit_word: u32,
    exit_is_known: bool,
    started: Option<Uptime>,
    held_until: Option<Uptime>,
    starts: u32,
    counted_since: Option<Uptime>,
    key: Option<u64>,
    misses_terminal: bool,
}

impl Draft {
    fn new(id: &[u8]) -> Self {
        Self {
            id: EntryId::new(id),
            levels: Box::default(),
            action: None,
            process: None,
            flags: Flags::default(),
            pid: None,
            exit_word: 0,
            exit_is_known: false,
            started: None,
            held_until: None,
            starts: 0,
            counted_since: None,
            key: None,
            misses_terminal: false,
        }
    }

    /// Makes the record, or gives back the id where the lines without which there is no entry are missing.
    fn finish(self) -> Result<Record, EntryId> {
        let (Some(action), Some(process)) = (self.action, self.process) else {
            return Err(self.id);
        };
        let has_exit = self.exit_is_known || self.exit_word != 0;
        Ok(Record {
            entry: Entry::new(self.id, &self.levels, action, &process),
            flags: self.flags,
            pid: self.pid,
            exit: has_exit.then(|| ExitStatus::from_word(self.exit_word)),
            started: self.started,
            held_until: self.held_until,
            starts: self.starts,
            counted_since: self.counted_since,
            key: self.key,
            misses_terminal: self.misses_terminal,
        })
    }
}

/// Whether more lines follow.
#[derive(PartialEq, Eq)]
enum Progress {
    More,
    Done,
}

/// What has been read so far.
pub(super) struct Reader {
    line: usize,
    snapshot: Snapshot,
    phase: Option<Phase>,
    draft: Option<Draft>,
    problems: Vec<SnapshotProblem>,
}

impl Reader {
    fn new() -> Self {
        Self {
            line: 0,
            // A text of the original has none of our tokens, so nothing of ours may stand here.
            snapshot: Snapshot {
                version: Box::default(),
                schema: None,
                level: None,
                written: Written::default(),
                ..Snapshot::default()
            },
            phase: None,
            draft: None,
            problems: Vec::new(),
        }
    }

    fn read(&mut self, text: &[u8]) {
        let mut rest = text;
        loop {
            self.line += 1;
            let mut parts = rest.splitn(2, |&byte| byte == b'\n');
            let line = parts.next().unwrap_or_default();
            let Some(after) = parts.next() else {
                // A line that breaks off may be half a number, and half a pid is another process.
                if line != b"END" {
                    self.report(ProblemKind::MissingEnd);
                }
                return;
            };
            if self.read_line(line) == Progress::Done {
                return;
            }
            rest = after;
        }
    }

    fn read_line(&mut self, line: &[u8]) -> Progress {
        // Fewer than three bytes are no token.
        let Some((token, value)) = line.split_at_checked(3) else {
            return Progress::More;
        };
        let end = value.iter().position(|&byte| byte == 0);
        let value = end.and_then(|end| value.get(..end)).unwrap_or(value);
        if end.is_some() {
            self.report(ProblemKind::Nul);
        }
        match token {
            b"END" => return Progress::Done,
            b"REC" => {
                self.end_record();
                if self.snapshot.records.len() >= MAX_RECORDS {
                    self.report(ProblemKind::TooManyRecords);
                    return Progress::Done;
                }
                self.draft = Some(Draft::new(value));
            }
            b"EOR" => self.end_record_properly(),
            _ => {
                self.read_global(token, value);
                self.read_record_line(token, value);
            }
        }
        Progress::More
    }

    fn read_global(&mut self, token: &[u8], value: &[u8]) {
        match token {
            b"VER" => self.snapshot.version = value.into(),
            b"-RL" => match value.first().copied().and_then(Phase::from_byte) {
                Some(phase) => self.phase = Some(phase),
                None => self.report(ProblemKind::BadLevel("-RL")),
            },
            b"-TL" => self.snapshot.level = self.level("-TL", value),
            b"-PL" => self.snapshot.previous_level = self.level("-PL", value),
            b"-SI" => {
                let bits = self.signal_bits(value);
                let pending = (1..=31).filter(|number| bits >> number & 1 == 1);
                self.snapshot.pending_signals.extend(pending.map(Signal));
            }
            b"-WR" => self.snapshot.written.boot_to_wtmp = self.is_set("-WR", value),
            b"-WU" => self.snapshot.written.boot_to_utmp = self.is_set("-WU", value),
            b"-LW" => self.snapshot.written.level_to_wtmp = self.is_set("-LW", value),
            b"-LU" => self.snapshot.written.level_to_utmp = self.is_set("-LU", value),
            b"-ST" => {
                if let Some(seconds) = self.parse("-ST", value) {
                    self.snapshot.grace_time = Duration::from_secs(seconds);
                }
            }
            b"-DB" => self.snapshot.boot_done = self.is_set("-DB", value),
            b"XSV" => self.snapshot.schema = Some(self.number("XSV", value)),
            b"XBL" => self.snapshot.boot_level = self.level("XBL", value),
            b"XSI" => {
                let signal = Signal(self.number("XSI", value));
                if (32..=64).contains(&signal.0) {
                    self.snapshot.pending_signals.insert(signal);
                }
            }
            b"XEN" => self.snapshot.environment.push(unescaped(value)),
            b"XCR" => {
                let crash = self.time("XCR", value);
                self.snapshot.crashes.extend(crash);
            }
            _ => {
                let mut under_way = std::mem::take(&mut self.snapshot.under_way);
                under_way.read(token, value, self);
                self.snapshot.under_way = under_way;
            }
        }
    }

    fn read_record_line(&mut self, token: &[u8], value: &[u8]) {
        const TOKENS: [&str; 13] = [
            "LEV", "FL ", "PID", "EXS", "AC ", "CMD", "XST", "XEK", "XHU", "XTC", "XTW", "XKY",
            "XMT",
        ];
        let Some(&token) = TOKENS.iter().find(|known| known.as_bytes() == token) else {
            return;
        };
        let Some(mut draft) = self.draft.take() else {
            self.report(ProblemKind::OutsideRecord(token));
            return;
        };
        match token {
            "LEV" => draft.levels = value.into(),
            "FL " => match value {
                b"RU" => draft.flags.running = true,
                b"DE" => draft.flags.on_demand = true,
                b"XD" => draft.flags.executed = true,
                b"WT" => draft.flags.waiting = true,
                _ => {}
            },
            "PID" => draft.pid = self.pid(value),
            "EXS" => draft.exit_word = self.number(token, value),
            "AC " => draft.action = Some(self.action(value)),
            "CMD" => draft.process = Some(value.into()),
            "XST" => draft.started = self.time(token, value),
            "XEK" => draft.exit_is_known = self.is_set(token, value),
            "XHU" => draft.held_until = self.time(token, value),
            "XTC" => draft.starts = self.number(token, value),
            "XTW" => draft.counted_since = self.time(token, value),
            "XKY" => draft.key = self.parse(token, value),
            "XMT" => draft.misses_terminal = self.is_set(token, value),
            _ => {}
        }
        self.draft = Some(draft);
    }

    fn end_record_properly(&mut self) {
        match self.draft.take().map(Draft::finish) {
            Some(Ok(record)) => self.snapshot.records.push(record),
            Some(Err(id)) => self.report(ProblemKind::UnfinishedRecord(id)),
            None => self.report(ProblemKind::OutsideRecord("EOR")),
        }
    }

    /// Closes a record whose EOR is missing. With action and process it can be used all the same, and its
    /// process must not be forgotten.
    fn end_record(&mut self) {
        if self.draft.is_some() {
            self.end_record_properly();
        }
    }

    /// Reads a number that is zero where it cannot be read.
    pub(super) fn number<T: FromStr + Default>(&mut self, token: &'static str, value: &[u8]) -> T {
        self.parse(token, value).unwrap_or_default()
    }

    /// Reads a mark.
    pub(super) fn is_set(&mut self, token: &'static str, value: &[u8]) -> bool {
        self.number::<u32>(token, value) != 0
    }

    fn parse<T: FromStr>(&mut self, token: &'static str, value: &[u8]) -> Option<T> {
        let number = std::str::from_utf8(value)
            .ok()
            .and_then(|value| value.parse().ok());
        if number.is_none() {
            self.report(ProblemKind::BadNumber(token));
        }
        number
    }

    /// Reads the bits of pending signals. The original prints them signed, so the highest comes as a minus sign.
    fn signal_bits(&mut self, value: &[u8]) -> u32 {
        let signed: i64 = self.number("-SI", value);
        u32::try_from(signed)
            .or_else(|_| i32::try_from(signed).map(i32::cast_unsigned))
            .unwrap_or_else(|_| {
                self.report(ProblemKind::BadNumber("-SI"));
                0
            })
    }

    /// Compat: release 3.06 writes -1 for a held entry, which is no process and nothing to complain of.
    fn pid(&mut self, value: &[u8]) -> Option<Pid> {
        Pid::new(self.number("PID", value))
    }

    fn action(&mut self, value: &[u8]) -> Action {
        Action::from_name(value).unwrap_or_else(|| {
            self.report(ProblemKind::UnknownAction(value.into()));
            Action::Off
        })
    }

    /// Reads an optional level; N, and nothing at all, mean none.
    fn level(&mut self, token: &'static str, value: &[u8]) -> Option<Runlevel> {
        let byte = value.first().copied().unwrap_or(b'N');
        let level = Runlevel::from_byte(byte);
        if level.is_none() && byte != b'N' {
            self.report(ProblemKind::BadLevel(token));
        }
        level
    }

    pub(super) fn time(&mut self, token: &'static str, value: &[u8]) -> Option<Uptime> {
        self.parse(token, value)
            .map(|nanoseconds| Uptime(Duration::from_nanos(nanoseconds)))
    }

    fn report(&mut self, kind: ProblemKind) {
        if self.problems.len() < MAX_PROBLEMS {
            let line = self.line;
            self.problems.push(SnapshotProblem { line, kind });
        }
    }

    fn finish(mut self) -> Result<(Snapshot, Vec<SnapshotProblem>), SnapshotError> {
        self.end_record();
        let phase = self.phase.ok_or(SnapshotError::NoPhase)?;
        Ok((
            Snapshot {
                phase,
                ..self.snapshot
            },
            self.problems,
        ))
    }
}

/// Takes back what `write::escaped` does; a backslash before anything else stands for itself.
fn unescaped(value: &[u8]) -> Box<[u8]> {
    let mut plain = Vec::with_capacity(value.len());
    let mut rest = value;
    loop {
        rest = match rest {
            [b'\\', b'\\', after @ ..] => {
                plain.push(b'\\');
                after
            }
            [b'\\', b'n', after @ ..] => {
                plain.push(b'\n');
                after
            }
            [b'\\', b'0', after @ ..] => {
                plain.push(0);
                after
            }
            [byte, after @ ..] => {
                plain.push(*byte);
                after
            }
            [] => return plain.into(),
        };
    }
}

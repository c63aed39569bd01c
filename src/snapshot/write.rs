//! A snapshot to its text.
#![forbid(unsafe_code)]

use super::{Record, SIGNATURE, Snapshot};
use crate::process::{ExitStatus, Pid};
use crate::runlevel::Runlevel;
use crate::uptime::Uptime;

pub(super) fn text(snapshot: &Snapshot) -> Vec<u8> {
    let mut text = Text(Vec::with_capacity(256 + 128 * snapshot.records.len()));
    text.0.extend_from_slice(SIGNATURE);
    text.globals(snapshot);
    text.own_globals(snapshot);
    for record in &snapshot.records {
        text.record(record);
    }
    text.line("END", b"");
    text.0
}

pub(super) struct Text(Vec<u8>);

impl Text {
    /// Writes one line. The value ends where it would break the line, so that whatever a caller puts into a
    /// snapshot, the lines behind it are read as what they are.
    pub(super) fn line(&mut self, token: &str, value: &[u8]) {
        let end = value.iter().position(|byte| matches!(byte, b'\n' | 0));
        let value = end.and_then(|end| value.get(..end)).unwrap_or(value);
        self.0.extend_from_slice(token.as_bytes());
        self.0.extend_from_slice(value);
        self.0.push(b'\n');
    }

    pub(super) fn number(&mut self, token: &str, value: impl Into<u64>) {
        self.line(token, value.into().to_string().as_bytes());
    }

    /// Writes words with a blank between them.
    pub(super) fn words(&mut self, token: &str, words: &[&dyn std::fmt::Display]) {
        let words: Vec<String> = words.iter().map(ToString::to_string).collect();
        self.line(token, words.join(" ").as_bytes());
    }

    fn level(&mut self, token: &str, level: Option<Runlevel>) {
        self.line(token, &[Runlevel::byte_or_n(level)]);
    }

    pub(super) fn time(&mut self, token: &str, time: Option<Uptime>) {
        if let Some(Uptime(since_start)) = time {
            self.number(
                token,
                u64::try_from(since_start.as_nanos()).unwrap_or(u64::MAX),
            );
        }
    }

    fn globals(&mut self, snapshot: &Snapshot) {
        self.line("VER", &snapshot.version);
        self.line("-RL", &[snapshot.phase.as_byte()]);
        self.level("-TL", snapshot.level);
        self.level("-PL", snapshot.previous_level);
        let bits = snapshot
            .pending_signals
            .iter()
            .filter(|signal| (1..=31).contains(&signal.0))
            .fold(0_u32, |bits, signal| bits | 1 << signal.0);
        self.number("-SI", bits);
        self.number("-WR", snapshot.written.boot_to_wtmp);
        self.number("-WU", snapshot.written.boot_to_utmp);
        self.number("-LW", snapshot.written.level_to_wtmp);
        self.number("-LU", snapshot.written.level_to_utmp);
        self.number("-ST", snapshot.grace_time.as_secs());
        self.number("-DB", snapshot.boot_done);
    }

    fn own_globals(&mut self, snapshot: &Snapshot) {
        if let Some(schema) = snapshot.schema {
            self.number("XSV", schema);
        }
        if let Some(level) = snapshot.boot_level {
            self.level("XBL", Some(level));
        }
        // Not in `-SI`: the original keeps its bits in 32 and would take such a bit for another signal.
        for signal in &snapshot.pending_signals {
            if (32..=64).contains(&signal.0) {
                self.line("XSI", signal.0.to_string().as_bytes());
            }
        }
        for variable in &snapshot.environment {
            self.line("XEN", &escaped(variable));
        }
        snapshot.under_way.write(self);
        for crash in &snapshot.crashes {
            self.time("XCR", Some(*crash));
        }
    }

    fn record(&mut self, record: &Record) {
        self.line("REC", record.entry.id.as_bytes());
        self.line("LEV", &record.entry.levels);
        let flags = record.flags;
        for (is_set, name) in [
            (flags.running, b"RU"),
            (flags.on_demand, b"DE"),
            (flags.executed, b"XD"),
            (flags.waiting, b"WT"),
        ] {
            if is_set {
                self.line("FL ", name);
            }
        }
        let pid = record.pid.map_or(0, Pid::get);
        self.line("PID", pid.to_string().as_bytes());
        self.number("EXS", record.exit.map_or(0, ExitStatus::to_word));
        self.line("AC ", record.entry.action.name().as_bytes());
        self.line("CMD", &record.entry.process);
        self.own_tokens(record);
        self.line("EOR", b"");
    }

    fn own_tokens(&mut self, record: &Record) {
        self.time("XST", record.started);
        if record.exit.is_some() {
            self.number("XEK", true);
        }
        self.time("XHU", record.held_until);
        if record.starts > 0 {
            self.number("XTC", record.starts);
        }
        self.time("XTW", record.counted_since);
        if let Some(key) = record.key {
            self.number("XKY", key);
        }
        if record.misses_terminal {
            self.number("XMT", true);
        }
    }
}

/// Puts a value that may hold anything on one line; `read::unescaped` is the way back.
fn escaped(value: &[u8]) -> Vec<u8> {
    let mut escaped = Vec::with_capacity(value.len());
    for &byte in value {
        match byte {
            b'\\' => escaped.extend_from_slice(b"\\\\"),
            b'\n' => escaped.extend_from_slice(b"\\n"),
            0 => escaped.extend_from_slice(b"\\0"),
            _ => escaped.push(byte),
        }
    }
    escaped
}

/// Writes bytes as hexadecimal digits, which no line breaks at.
pub(crate) fn hex(bytes: &[u8]) -> String {
    let mut digits = String::with_capacity(2 * bytes.len());
    for byte in bytes {
        for half in [byte >> 4, byte & 15] {
            digits.push(char::from_digit(u32::from(half), 16).unwrap_or('0'));
        }
    }
    digits
}

/// Reads what [`hex`] has written; nothing where it is something else.
pub(crate) fn unhex(digits: &[u8]) -> Option<Vec<u8>> {
    let half = |digit: u8| u8::try_from(char::from(digit).to_digit(16)?).ok();
    let (pairs, []) = digits.as_chunks::<2>() else {
        return None;
    };
    pairs
        .iter()
        .map(|[high, low]| Some(half(*high)? << 4 | half(*low)?))
        .collect()
}

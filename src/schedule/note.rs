//! What a waiting shutdown leaves for others to read: when, whereto, by whom, and in which words.
//!
//! A text of lines, each a word and its value. The message comes last, as it may hold anything; a reader passes over
//! words it does not know.
//!
//! ```text
//! pid 321
//! level 6
//! since-boot 7200              or `on-the-wall 1793700000`: the end, in seconds of that clock
//! by eve
//! on pts/0                     where it was called from a terminal
//! only-warns                   with -k
//! message back at noon
//! ```
#![forbid(unsafe_code)]

use std::fmt::Write;
use std::time::Duration;

use super::{Calendar, Ending, visible};
use crate::process::Pid;

/// When the machine goes down, on the clock the operator meant.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// So long after the machine was started: setting the time of day changes nothing.
    SinceBoot(Duration),
    /// At a time of day, in time since 1970: follows the clock on the wall.
    OnTheWall(Duration),
}

/// Both clocks at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Clocks {
    /// The time since the machine was started, its sleep included.
    pub since_boot: Duration,
    /// The time since 1970.
    pub on_the_wall: Duration,
}

impl End {
    /// Returns how much time is left.
    pub const fn time_left(self, clocks: Clocks) -> Duration {
        match self {
            Self::SinceBoot(end) => end.saturating_sub(clocks.since_boot),
            Self::OnTheWall(end) => end.saturating_sub(clocks.on_the_wall),
        }
    }
}

/// Whether the machine goes down when the time has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Earnest {
    /// It does.
    GoesDown,
    /// People are warned, and no more.
    OnlyWarns,
}

/// A shutdown that waits.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Note {
    /// The process that waits.
    pub pid: Pid,
    /// Whereto.
    pub ending: Ending,
    /// When.
    pub end: End,
    /// Whether it is meant.
    pub earnest: Earnest,
    /// Who has called it.
    pub user: Vec<u8>,
    /// The terminal that was called from, without `/dev/`.
    pub terminal: Option<Vec<u8>>,
    /// The operator's words.
    pub message: Vec<u8>,
}

impl Note {
    /// Writes the text.
    pub fn to_text(&self) -> Vec<u8> {
        let (clock, end) = match self.end {
            End::SinceBoot(end) => ("since-boot", end),
            End::OnTheWall(end) => ("on-the-wall", end),
        };
        let (pid, end) = (self.pid, end.as_secs());
        let mut text = format!("pid {pid}\nlevel ").into_bytes();
        text.push(self.ending.0);
        text.extend(format!("\n{clock} {end}\n").bytes());
        text.extend([b"by ", one_line(&self.user), b"\n"].concat());
        if let Some(terminal) = &self.terminal {
            text.extend([b"on ", one_line(terminal), b"\n"].concat());
        }
        if self.earnest == Earnest::OnlyWarns {
            text.extend(b"only-warns\n");
        }
        if !self.message.is_empty() {
            text.extend([b"message ", self.message.as_slice()].concat());
        }
        text
    }

    /// Reads the text; `None` where it does not name the process, the level and the time.
    pub fn from_text(text: &[u8]) -> Option<Self> {
        let (mut pid, mut ending, mut end, mut earnest) = (None, None, None, Earnest::GoesDown);
        let (mut user, mut terminal, mut message) = (Vec::new(), None, Vec::new());
        let mut rest = text;
        while !rest.is_empty() {
            let all = rest;
            let mut halves = rest.splitn(2, |&byte| byte == b'\n');
            let line = halves.next().unwrap_or_default();
            rest = halves.next().unwrap_or_default();
            let mut halves = line.splitn(2, |&byte| byte == b' ');
            let word = halves.next().unwrap_or_default();
            let value = halves.next().unwrap_or_default();
            match word {
                b"pid" => pid = number(value).and_then(Pid::new),
                b"level" => ending = value.first().copied().map(Ending),
                b"since-boot" => end = seconds(value).map(End::SinceBoot),
                b"on-the-wall" => end = seconds(value).map(End::OnTheWall),
                b"by" => user = value.to_vec(),
                b"on" => terminal = Some(value.to_vec()),
                b"only-warns" => earnest = Earnest::OnlyWarns,
                b"message" => {
                    message = all.strip_prefix(b"message ").unwrap_or_default().to_vec();
                    break;
                }
                _ => {}
            }
        }
        Some(Self {
            pid: pid?,
            ending: ending?,
            end: end?,
            earnest,
            user,
            terminal,
            message,
        })
    }

    /// Says in lines for people what is to happen; `at` is the end and `left` the time until then.
    pub fn describe(&self, at: &Calendar, left: Duration) -> String {
        let only = match self.earnest {
            Earnest::GoesDown => "",
            Earnest::OnlyWarns => ", a warning only",
        };
        let left = duration(left);
        let mut text = format!("shutdown: {}{only}\nat: {at}, {left}\n", self.ending);
        let user = readable(&self.user);
        let terminal = self.terminal.as_deref().map(readable);
        let on = terminal.map_or(String::new(), |terminal| format!(" on {terminal}"));
        // Writing to a String cannot fail.
        writeln!(text, "by: {user}{on}, process {}", self.pid).unwrap_or_default();
        let message = readable(&self.message);
        if !message.trim().is_empty() {
            writeln!(text, "message: {}", message.trim()).unwrap_or_default();
        }
        text
    }
}

/// What stands before the first control character, which no user's or terminal's name has.
fn one_line(text: &[u8]) -> &[u8] {
    text.split(u8::is_ascii_control).next().unwrap_or_default()
}

fn readable(text: &[u8]) -> String {
    String::from_utf8_lossy(&visible(text)).into_owned()
}

fn number<Number: std::str::FromStr>(value: &[u8]) -> Option<Number> {
    std::str::from_utf8(value).ok()?.parse().ok()
}

fn seconds(value: &[u8]) -> Option<Duration> {
    number(value).map(Duration::from_secs)
}

/// Says how long that is, in the units in which people wait.
fn duration(left: Duration) -> String {
    let minutes = left.as_secs().div_ceil(60);
    match (minutes / 60, minutes % 60) {
        (0, 0) => "now".to_owned(),
        (0, 1) => "in 1 minute".to_owned(),
        (0, minutes) => format!("in {minutes} minutes"),
        (hours, minutes) => format!("in {hours}:{minutes:02} hours"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note() -> Note {
        Note {
            pid: Pid::new(321).unwrap(),
            ending: Ending::REBOOT,
            end: End::SinceBoot(Duration::from_secs(7200)),
            earnest: Earnest::GoesDown,
            user: b"eve".to_vec(),
            terminal: Some(b"pts/0".to_vec()),
            message: b"back at noon \r\n".to_vec(),
        }
    }

    #[test]
    fn what_is_written_is_read_again() {
        let others = Note {
            ending: Ending(0xff),
            end: End::OnTheWall(Duration::from_secs(1_793_700_000)),
            earnest: Earnest::OnlyWarns,
            terminal: None,
            message: b"two\nlines\npid 7 \xff\r\n".to_vec(),
            ..note()
        };
        let silent = Note {
            message: Vec::new(),
            ..note()
        };
        for note in [note(), others, silent] {
            assert_eq!(Note::from_text(&note.to_text()), Some(note));
        }
    }

    #[test]
    fn a_text_that_names_no_process_level_or_time_is_none() {
        let whole = String::from_utf8(note().to_text()).unwrap();
        for word in ["pid", "level", "since-boot"] {
            let without: Vec<&str> = whole
                .lines()
                .filter(|line| !line.starts_with(word))
                .collect();
            assert_eq!(Note::from_text(without.join("\n").as_bytes()), None);
        }
        assert_eq!(Note::from_text(b""), None);
        assert_eq!(
            Note::from_text(b"pid -1\nlevel 6\non-the-wall 9\nmessage"),
            None
        );
    }

    #[test]
    fn later_words_are_passed_over() {
        let text = [b"colour blue\n\n".as_slice(), &note().to_text()].concat();
        assert_eq!(Note::from_text(&text), Some(note()));
    }

    #[test]
    fn it_is_described_for_people() {
        let at = Calendar {
            year: 2026,
            month: 10,
            day: 3,
            weekday: 2,
            hour: 12,
            minute: 5,
            second: 7,
        };
        assert_eq!(
            note().describe(&at, Duration::from_secs(541)),
            "shutdown: for reboot\nat: Tue Nov  3 12:05:07 2026, in 10 minutes\n\
             by: eve on pts/0, process 321\nmessage: back at noon\n"
        );
        let silent = Note {
            earnest: Earnest::OnlyWarns,
            message: Vec::new(),
            terminal: None,
            ..note()
        };
        assert_eq!(
            silent.describe(&at, Duration::from_secs(7260)),
            "shutdown: for reboot, a warning only\nat: Tue Nov  3 12:05:07 2026, in 2:01 hours\n\
             by: eve, process 321\n"
        );
    }

    #[test]
    fn the_end_follows_its_own_clock() {
        let clocks = Clocks {
            since_boot: Duration::from_secs(100),
            on_the_wall: Duration::from_secs(1000),
        };
        let end = Duration::from_secs(160);
        assert_eq!(
            End::SinceBoot(end).time_left(clocks),
            Duration::from_secs(60)
        );
        assert_eq!(End::OnTheWall(end).time_left(clocks), Duration::ZERO);
    }
}

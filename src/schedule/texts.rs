//! The words of a shutdown, as bytes for terminals and files.
#![forbid(unsafe_code)]

use std::fmt;

/// Longest message of the operator's own, in bytes.
const LONGEST_MESSAGE: usize = 256;
const MONTHS: [&str; 12] = [
    "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
];
const WEEKDAYS: [&str; 7] = ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"];

/// A point in time as people write it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Calendar {
    /// The year, such as 2026.
    pub year: i32,
    /// The month, from 0 for January.
    pub month: usize,
    /// The day of the month, from 1.
    pub day: u32,
    /// The day of the week, from 0 for Sunday.
    pub weekday: usize,
    /// Hours, 0 to 23.
    pub hour: u32,
    /// Minutes.
    pub minute: u32,
    /// Seconds.
    pub second: u32,
}

impl Calendar {
    /// Returns how many minutes old the day is.
    pub const fn minute_of_day(&self) -> u32 {
        self.hour * 60 + self.minute
    }

    /// The beginning of a syslog message: `Nov  3 09:05:07`.
    pub fn stamp(&self) -> String {
        let month = MONTHS.get(self.month).unwrap_or(&"???");
        let Self {
            day,
            hour,
            minute,
            second,
            ..
        } = self;
        format!("{month} {day:2} {hour:02}:{minute:02}:{second:02}")
    }
}

impl fmt::Display for Calendar {
    /// Writes it as ctime(3) does: `Tue Nov  3 09:05:07 2026`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let weekday = WEEKDAYS.get(self.weekday).unwrap_or(&"???");
        write!(f, "{weekday} {} {}", self.stamp(), self.year)
    }
}

/// Where a shutdown leads: the character of a runlevel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending(pub u8);

impl Ending {
    /// Level 0.
    pub const HALT: Self = Self(b'0');
    /// Level 1, where no option says otherwise.
    pub const MAINTENANCE: Self = Self(b'1');
    /// Level 6.
    pub const REBOOT: Self = Self(b'6');
}

impl fmt::Display for Ending {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::HALT => f.write_str("for system halt"),
            Self::MAINTENANCE => f.write_str("to maintenance mode"),
            Self::REBOOT => f.write_str("for reboot"),
            Self(level) => write!(f, "to runlevel {}", char::from(level)),
        }
    }
}

/// Joins the operator's words into a message: each is followed by a space, and words that no longer fit are left
/// out. No words make no message.
pub fn join_message<Word: AsRef<[u8]>>(words: &[Word]) -> Vec<u8> {
    let mut message = Vec::new();
    for word in words {
        let word = word.as_ref();
        if message.len() + word.len() + 1 > LONGEST_MESSAGE {
            break;
        }
        message.extend_from_slice(word);
        message.push(b' ');
    }
    if !message.is_empty() {
        message.extend_from_slice(b"\r\n");
    }
    message
}

/// What users are told so many minutes before the end, 0 being the end itself.
pub fn warning_text(message: &[u8], ending: Ending, minutes: u32) -> Vec<u8> {
    let sentence = match minutes {
        0 => format!("\rThe system is going down {ending} NOW!\r\n"),
        1 => format!("\rThe system is going DOWN {ending} in 1 minute!\r\n"),
        _ => format!("\rThe system is going DOWN {ending} in {minutes} minutes!\r\n"),
    };
    [message, sentence.as_bytes()].concat()
}

/// The first words of what [`deny_text`] says.
const DENY: &str = "\rThe system is going down on ";

/// What somebody reads who wants to log in.
pub fn deny_text(message: &[u8], end: &Calendar) -> Vec<u8> {
    let sentence = format!("{DENY}{end}\n\r\n");
    [sentence.as_bytes(), message].concat()
}

/// Tells whether that text is one of a shutdown's, and not an administrator's own.
pub fn is_deny_text(text: &[u8]) -> bool {
    text.starts_with(DENY.as_bytes())
}

/// The heading of a broadcast.
pub fn banner(user: &str, host: &str, tty: Option<&str>, now: &Calendar) -> String {
    let tty = tty.map_or(String::new(), |tty| format!(" ({tty})"));
    format!("\r\nBroadcast message from {user}@{host}{tty} ({now}):\r\n\r\n")
}

/// Makes a text fit for somebody else's terminal: control characters that could do more than end a line are shown
/// as `^X`.
pub fn visible(text: &[u8]) -> Vec<u8> {
    let mut shown = Vec::with_capacity(text.len());
    for chunk in text.utf8_chunks() {
        for character in chunk.valid().chars() {
            let code = u32::from(character);
            match u8::try_from(code) {
                Ok(code) if character.is_control() => show_control(code, &mut shown),
                _ => shown.extend(character.to_string().bytes()),
            }
        }
        for &byte in chunk.invalid() {
            match byte {
                0x80..0xa0 => show_control(byte, &mut shown),
                _ => shown.push(byte),
            }
        }
    }
    shown
}

fn show_control(code: u8, shown: &mut Vec<u8>) {
    if b"\t\r\n".contains(&code) {
        shown.push(code);
    } else {
        // DEL is `^?`; the controls above 127 are shown as the ones they repeat.
        let letter = if code == 0x7f {
            b'?'
        } else {
            (code & 0x1f) | 0x40
        };
        shown.extend([b'^', letter]);
    }
}

//! The lines a crash leaves: what, where, and whether it says anything about init itself.
//!
//! A crash is written down by a signal handler or by the panic hook of the image that crashed, and read by the next
//! one before anything else. So these lines can be found without understanding the rest of the text.
#![forbid(unsafe_code)]

use super::event::number;
use crate::process::Signal;
use crate::snapshot::unhex;
use crate::uptime::Uptime;
use std::fmt::{self, Write};
use std::time::Duration;

/// Crashes within this time count together.
const SPAN: Duration = Duration::from_secs(60);
/// Pause after the first allocation that failed; each further one doubles it.
const FIRST_PAUSE: Duration = Duration::from_millis(100);
/// The longest one, which is also the one after a fork that was refused.
const LONGEST_PAUSE: Duration = Duration::from_secs(5);

/// Why an image of init was given up.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Cause {
    /// A panic, and its message.
    Panic(String),
    /// The processor's or the C library's signal, and the address that was touched.
    Fault(Signal, u64),
    /// Somebody outside has sent SIGSEGV: not init's own fault.
    Asked,
    /// The kernel had no memory to give, and so much was asked for: not init's own fault either.
    NoMemory(u64),
}

/// One crash.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Crash {
    /// When.
    pub at: Uptime,
    /// Why.
    pub cause: Cause,
    /// Where, as distances from the beginning of the program: the place itself, then what may be its callers.
    pub places: Vec<u64>,
}

impl fmt::Display for Crash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.cause {
            Cause::Panic(text) => {
                f.write_str("panic: ")?;
                text.chars().try_for_each(|letter| match letter {
                    ' '..='~' => f.write_char(letter),
                    // A message may quote anything; on a console it is one line, and no order to the terminal.
                    _ => write!(f, "{}", letter.escape_default()),
                })
            }
            Cause::Fault(signal, address) => write!(f, "{signal} at address {address:#x}"),
            Cause::Asked => f.write_str("SIGSEGV from outside"),
            Cause::NoMemory(size) => write!(f, "no memory for {size} bytes"),
        }?;
        match self.places.first() {
            Some(place) => write!(f, " (in init+{place:#x})"),
            None => Ok(()),
        }
    }
}

/// Finds the last crash that a text tells of.
pub fn last_crash(text: &[u8]) -> Option<Crash> {
    let mut found: Option<Crash> = None;
    for line in lines(text) {
        if let Some(crash) = read(line) {
            found = Some(crash);
        } else if let (Some(place), Some(crash)) = (line.strip_prefix(b"Y "), &mut found) {
            crash.places.extend(hexadecimal(place));
        }
    }
    found
}

/// Tells when init has crashed by its own fault in the last minute.
pub fn recent_crashes(text: &[u8], now: Uptime) -> Vec<Uptime> {
    let mut times = Vec::new();
    for line in lines(text) {
        if line == b"XCZ" {
            // Somebody has told init to try again.
            times.clear();
        } else if let Some(rest) = line.strip_prefix(b"XCR") {
            let word = rest.split(|&byte| byte == b' ').next().unwrap_or_default();
            times.extend(number(word).map(|time| Uptime(Duration::from_nanos(time))));
        }
    }
    times.retain(|time| is_recent(*time, now));
    times
}

/// Tells how often there was no memory in the last minute.
pub fn recent_shortages(text: &[u8], now: Uptime) -> u32 {
    let found = lines(text)
        .filter_map(read)
        .filter(|crash| matches!(crash.cause, Cause::NoMemory(_)) && is_recent(crash.at, now));
    u32::try_from(found.count()).unwrap_or(u32::MAX)
}

/// How long to wait for memory after so many allocations have failed one after another.
pub fn pause_after(shortages: u32) -> Duration {
    let Some(doublings) = shortages.checked_sub(1) else {
        return Duration::ZERO;
    };
    let factor = 1_u32.checked_shl(doublings.min(16)).unwrap_or(1);
    FIRST_PAUSE.saturating_mul(factor).min(LONGEST_PAUSE)
}

/// Tells whether a crash still counts.
pub fn is_recent(crash: Uptime, now: Uptime) -> bool {
    now.since(crash) < SPAN
}

fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|&byte| byte == b'\n')
}

/// Reads the line of a crash: time, signal (0 for a panic), address or message, place.
fn read(line: &[u8]) -> Option<Crash> {
    let (token, rest) = line.split_at_checked(3)?;
    let mut words = rest.split(|&byte| byte == b' ');
    let at = Uptime(Duration::from_nanos(number(words.next()?)?));
    let signal: i32 = number(words.next()?)?;
    let detail = words.next()?;
    let cause = match (token, signal) {
        (b"XCD", _) => Cause::Asked,
        (b"XCM", _) => Cause::NoMemory(hexadecimal(detail).unwrap_or_default()),
        (b"XCR", 0) => {
            let message = unhex(detail).unwrap_or_default();
            Cause::Panic(String::from_utf8_lossy(&message).into_owned())
        }
        (b"XCR", number) => Cause::Fault(Signal(number), hexadecimal(detail).unwrap_or_default()),
        _ => return None,
    };
    Some(Crash {
        at,
        cause,
        places: Vec::new(),
    })
}

fn hexadecimal(word: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(word).ok()?, 16).ok()
}

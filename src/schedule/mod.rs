//! When a shutdown happens, when it is announced, and in which words: shutdown(8).
//!
//! Decides what a time argument means, which minutes before the end deserve a warning, and the texts. Clocks,
//! terminals and files are the caller's: it passes in how much time is left and does what [`Countdown::next`] says.
#![forbid(unsafe_code)]

mod countdown;
mod note;
#[cfg(test)]
mod tests;
mod texts;

use std::fmt;

pub use countdown::{Countdown, Step, Warnings};
pub use note::{Clocks, Earnest, End, Note};
pub use texts::{
    Calendar, Ending, banner, deny_text, is_deny_text, join_message, visible, warning_text,
};

/// Longest time argument, in bytes.
const LONGEST: usize = 64;
/// Most hours `+hh:mm` takes; eleven years are enough for anybody.
const MOST_HOURS: u32 = 99_999;
const MINUTES_A_DAY: u32 = 24 * 60;

/// A time argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum When {
    /// So many minutes from now; none for `now`.
    After {
        /// How many.
        minutes: u32,
    },
    /// At the next such time of day.
    At {
        /// Minutes since midnight.
        minute_of_day: u32,
    },
}

/// The argument is no time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct TimeError;

impl fmt::Display for TimeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the time is `now', `+MINUTES', `HOUR:MINUTE' or `+HOURS:MINUTES'")
    }
}

impl std::error::Error for TimeError {}

impl When {
    /// Reads `now`, `m`, `+m`, `hh:mm` or `+hh:mm`.
    ///
    /// # Errors
    ///
    /// When it is anything else.
    pub fn parse(text: &[u8]) -> Result<Self, TimeError> {
        let text = std::str::from_utf8(text).map_err(|_| TimeError)?;
        if text == "now" {
            return Ok(Self::After { minutes: 0 });
        }
        if text.len() > LONGEST {
            return Err(TimeError);
        }
        let (is_relative, digits) = match text.strip_prefix('+') {
            Some(rest) => (true, rest),
            None => (false, text),
        };
        let Some((hours, minutes)) = digits.split_once(':') else {
            let minutes = number(digits)?;
            return Ok(Self::After { minutes });
        };
        let (hours, minutes) = (number(hours)?, number(minutes)?);
        if minutes > 59 || hours > if is_relative { MOST_HOURS } else { 23 } {
            return Err(TimeError);
        }
        let minutes = hours * 60 + minutes;
        Ok(if is_relative {
            Self::After { minutes }
        } else {
            Self::At {
                minute_of_day: minutes,
            }
        })
    }

    /// Returns how many whole minutes lie ahead when the day is `minute_of_day` minutes old. A time that has
    /// passed today is tomorrow's; the present minute is now.
    pub const fn minutes_ahead(self, minute_of_day: u32) -> u32 {
        match self {
            Self::After { minutes } => minutes,
            Self::At { minute_of_day: at } if at >= minute_of_day => at - minute_of_day,
            Self::At { minute_of_day: at } => (at + MINUTES_A_DAY).saturating_sub(minute_of_day),
        }
    }
}

/// Reads digits and nothing else; `str::parse` would take a sign.
fn number(digits: &str) -> Result<u32, TimeError> {
    if digits.bytes().all(|byte| byte.is_ascii_digit()) {
        digits.parse().map_err(|_| TimeError)
    } else {
        Err(TimeError)
    }
}

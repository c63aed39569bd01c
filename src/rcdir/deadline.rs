//! A script that takes too long: a countdown that everybody can see, then TERM, then KILL.
//!
//! ```text
//! began        limit        5 s later   5 s later   5 s later
//!   |------------|--5-4-3-2-1--|-----------|-----------|
//!                countdown     TERM        KILL        given up
//! ```
//!
//! Given up is a script that even KILL does not end, because the kernel waits for a device: the machine goes on
//! without it.
#![forbid(unsafe_code)]

use crate::uptime::Uptime;
use std::time::Duration;

/// How many seconds are counted down, long enough to read who is meant.
const COUNTDOWN: u32 = 5;
/// How long after TERM a script may take to end, and after KILL.
const GRACE: Duration = Duration::from_secs(5);

/// Reads a length of time: `30`, `30s`, `2m`, `1h`. None is no length.
pub fn duration(word: &[u8]) -> Option<Duration> {
    let text = std::str::from_utf8(word).ok()?;
    let (number, unit) = match text.split_at_checked(text.len().checked_sub(1)?)? {
        (number, "s") => (number, 1),
        (number, "m") => (number, 60),
        (number, "h") => (number, 3600),
        _ => (text, 1),
    };
    let is_number = !number.is_empty() && number.bytes().all(|byte| byte.is_ascii_digit());
    let seconds = number.parse::<u64>().ok().filter(|_| is_number)?;
    seconds
        .checked_mul(unit)
        .filter(|&seconds| seconds > 0)
        .map(Duration::from_secs)
}

/// What the time demands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Demand {
    /// Nothing yet.
    Nothing,
    /// Say who is meant; TERM follows in so many seconds.
    Warn(u32),
    /// Say how many seconds are left.
    Count(u32),
    /// Send TERM.
    Terminate,
    /// Send KILL.
    Kill,
    /// Go on without it.
    GiveUp,
}

/// The deadline of one script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Deadline {
    /// How long the script may take.
    pub limit: Duration,
    /// When something is to be done next.
    next: Uptime,
    stage: Stage,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    InTime,
    /// So many seconds are left.
    Counting(u32),
    Asked,
    Killed,
    GivenUp,
}

impl Deadline {
    /// The deadline of a script that begins now.
    pub fn new(limit: Duration, now: Uptime) -> Self {
        Self {
            limit,
            next: now.after(limit),
            stage: Stage::InTime,
        }
    }

    /// Returns when [`Deadline::look`] has something to say.
    pub fn due(&self) -> Option<Uptime> {
        (self.stage != Stage::GivenUp).then_some(self.next)
    }

    /// Tells whether people have been told that the script takes too long, or are to be told now.
    pub fn is_told(&self, now: Uptime) -> bool {
        self.stage != Stage::InTime || now >= self.next
    }

    /// Tells whether the script has been asked to end.
    pub fn is_over(&self) -> bool {
        !matches!(self.stage, Stage::InTime | Stage::Counting(_))
    }

    /// Says what the time demands, each thing once.
    pub fn look(&mut self, now: Uptime) -> Demand {
        const SECOND: Duration = Duration::from_secs(1);
        if now < self.next {
            return Demand::Nothing;
        }
        let (stage, pause, demand) = match self.stage {
            Stage::InTime => (Stage::Counting(COUNTDOWN), SECOND, Demand::Warn(COUNTDOWN)),
            Stage::Counting(left @ 2..) => {
                let left = left - 1;
                (Stage::Counting(left), SECOND, Demand::Count(left))
            }
            Stage::Counting(_) => (Stage::Asked, GRACE, Demand::Terminate),
            Stage::Asked => (Stage::Killed, GRACE, Demand::Kill),
            Stage::Killed => (Stage::GivenUp, GRACE, Demand::GiveUp),
            Stage::GivenUp => return Demand::Nothing,
        };
        self.stage = stage;
        self.next = now.after(pause);
        demand
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_of_time_are_seconds_minutes_or_hours() {
        for (word, seconds) in [("60", 60), ("90s", 90), ("2m", 120), ("1h", 3600)] {
            assert_eq!(
                duration(word.as_bytes()),
                Some(Duration::from_secs(seconds))
            );
        }
        for word in [
            "",
            "0",
            "0m",
            "m",
            "-1",
            "+1",
            "1.5",
            "1d",
            "1 m",
            "99999999999999999999",
            "18446744073709551615h",
        ] {
            assert_eq!(duration(word.as_bytes()), None, "{word}");
        }
        assert_eq!(duration(b"\xff"), None);
    }

    #[test]
    fn after_the_countdown_come_term_kill_and_giving_up() {
        let mut deadline = Deadline::new(Duration::from_secs(60), Uptime::from_secs(100));
        assert_eq!(deadline.look(Uptime::from_secs(159)), Demand::Nothing);
        let mut seen = Vec::new();
        while let Some(due) = deadline.due() {
            assert_eq!(deadline.is_over(), due > Uptime::from_secs(165));
            seen.push((due, deadline.look(due)));
        }
        let expected = [
            (160, Demand::Warn(5)),
            (161, Demand::Count(4)),
            (162, Demand::Count(3)),
            (163, Demand::Count(2)),
            (164, Demand::Count(1)),
            (165, Demand::Terminate),
            (170, Demand::Kill),
            (175, Demand::GiveUp),
        ];
        assert_eq!(
            seen,
            expected.map(|(at, demand)| (Uptime::from_secs(at), demand))
        );
        assert_eq!(deadline.look(Uptime::from_secs(999)), Demand::Nothing);
    }

    #[test]
    fn what_is_to_be_told_counts_as_told_however_late_it_is() {
        let mut deadline = Deadline::new(Duration::from_secs(1), Uptime::default());
        assert!(!deadline.is_told(Uptime::default()));
        assert!(deadline.is_told(Uptime::from_secs(2)));
        assert_eq!(deadline.look(Uptime::from_secs(2)), Demand::Warn(5));
        assert!(deadline.is_told(Uptime::from_secs(2)));
    }

    #[test]
    fn a_machine_that_was_suspended_still_counts_down() {
        let mut deadline = Deadline::new(Duration::from_secs(1), Uptime::default());
        assert_eq!(deadline.look(Uptime::from_secs(1000)), Demand::Warn(5));
        assert_eq!(deadline.look(Uptime::from_secs(1000)), Demand::Nothing);
        assert_eq!(deadline.due(), Some(Uptime::from_secs(1001)));
    }
}

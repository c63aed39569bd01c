//! "Respawning too fast": how often one entry may be started before it is held.
//!
//! A tumbling window as init(8) describes it: the window begins with a start and covers [`WINDOW`]; more than
//! [`STARTS`] starts in it hold the entry for [`HOLD`].
#![forbid(unsafe_code)]

use crate::uptime::Uptime;
use std::time::Duration;

/// Starts allowed in one window: init(8), "more than 10 times in 2 minutes".
pub const STARTS: u32 = 10;
/// Length of the window: init(8), "in 2 minutes".
pub const WINDOW: Duration = Duration::from_secs(120);
/// How long an entry is held: init(8), "for 5 minutes".
pub const HOLD: Duration = Duration::from_secs(300);

/// The starts of one entry in its present window.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Throttle {
    /// When the window began and how many starts it has seen; nothing before the first start.
    pub window: Option<(Uptime, u32)>,
}

/// Whether an entry may be started.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Verdict {
    /// Start it.
    Start,
    /// Do not start it before this time.
    Hold(Uptime),
}

impl Throttle {
    /// Counts one attempt to start at `now`.
    pub fn attempt(&mut self, now: Uptime) -> Verdict {
        let (began, starts) = match self.window {
            Some((began, starts)) if now.since(began) < WINDOW => (began, starts.saturating_add(1)),
            Some(_) | None => (now, 1),
        };
        if starts > STARTS {
            self.window = None;
            return Verdict::Hold(now.after(HOLD));
        }
        self.window = Some((began, starts));
        Verdict::Start
    }

    /// Takes back the last attempt, of which nothing came: it says nothing about the program.
    pub fn withdraw(&mut self) {
        self.window = match self.window {
            Some((began, starts)) if starts > 1 => Some((began, starts - 1)),
            Some(_) | None => None,
        };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ten_starts_in_two_minutes_are_allowed_and_the_eleventh_is_held_for_five() {
        let mut throttle = Throttle::default();
        for second in 0..10 {
            assert_eq!(throttle.attempt(Uptime::from_secs(second)), Verdict::Start);
        }
        assert_eq!(
            throttle.attempt(Uptime::from_secs(119)),
            Verdict::Hold(Uptime::from_secs(419))
        );
    }

    #[test]
    fn the_window_begins_anew_two_minutes_after_its_first_start() {
        let mut throttle = Throttle::default();
        for second in 0..10 {
            assert_eq!(throttle.attempt(Uptime::from_secs(second)), Verdict::Start);
        }
        for second in 120..130 {
            assert_eq!(throttle.attempt(Uptime::from_secs(second)), Verdict::Start);
        }
        assert_eq!(
            throttle.attempt(Uptime::from_secs(130)),
            Verdict::Hold(Uptime::from_secs(430))
        );
    }

    #[test]
    fn slow_restarts_are_never_held() {
        let mut throttle = Throttle::default();
        for round in 0..1000 {
            assert_eq!(
                throttle.attempt(Uptime::from_secs(round * 13)),
                Verdict::Start
            );
        }
    }

    #[test]
    fn attempts_that_are_withdrawn_do_not_count() {
        let mut throttle = Throttle::default();
        for second in 0..100 {
            assert_eq!(throttle.attempt(Uptime::from_secs(second)), Verdict::Start);
            throttle.withdraw();
        }
        assert_eq!(throttle, Throttle::default());
        for _ in 0..2 {
            throttle.attempt(Uptime::from_secs(100));
        }
        throttle.withdraw();
        assert_eq!(throttle.window, Some((Uptime::from_secs(100), 1)));
    }

    #[test]
    fn after_a_hold_counting_begins_anew() {
        let mut throttle = Throttle::default();
        for _ in 0..10 {
            assert_eq!(throttle.attempt(Uptime::default()), Verdict::Start);
        }
        assert!(matches!(
            throttle.attempt(Uptime::default()),
            Verdict::Hold(_)
        ));
        for _ in 0..10 {
            assert_eq!(throttle.attempt(Uptime::from_secs(301)), Verdict::Start);
        }
        assert!(matches!(
            throttle.attempt(Uptime::from_secs(301)),
            Verdict::Hold(_)
        ));
    }
}

//! The countdown: from the time that is left to what must be done now.
#![forbid(unsafe_code)]

use std::collections::VecDeque;
use std::time::Duration;

/// From this many minutes on nobody may log in any more.
const DENY_LOGINS_AT: u32 = 5;
/// Who has less time than this is told at once, whatever the minute.
const SHORT_NOTICE: u32 = 15;
const MINUTE: Duration = Duration::from_secs(60);

/// How much is said beforehand. The announcement at the very end is always made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Warnings {
    /// More often the nearer the end is.
    All,
    /// `-q`: each full hour, ten minutes and five minutes before.
    Fewer,
    /// `-Q`: none.
    None,
}

impl Warnings {
    /// Tells whether a warning is due so many minutes before the end.
    pub const fn are_due(self, minutes: u32) -> bool {
        match self {
            Self::All => match minutes {
                0..10 => true,
                10..60 => minutes.is_multiple_of(15),
                60..180 => minutes.is_multiple_of(30),
                _ => minutes.is_multiple_of(60),
            },
            Self::Fewer => matches!(minutes, 5 | 10) || minutes.is_multiple_of(60),
            Self::None => false,
        }
    }
}

/// What must be done now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Tell everybody that so many minutes are left.
    Warn {
        /// How many.
        minutes: u32,
    },
    /// Let nobody log in any more.
    DenyLogins,
    /// Nothing, for at most so long; then ask again.
    Wait(Duration),
    /// Go down.
    Go,
}

/// Gives the steps of one shutdown.
#[derive(Debug, Clone)]
pub struct Countdown {
    warnings: Warnings,
    /// The minute the last steps were for.
    seen: Option<u32>,
    logins_denied: bool,
    steps: VecDeque<Step>,
}

impl Countdown {
    /// Makes a countdown that has not begun.
    pub fn new(warnings: Warnings) -> Self {
        Self {
            warnings,
            seen: None,
            logins_denied: false,
            steps: VecDeque::new(),
        }
    }

    /// Returns the next step when so much time is left. Minutes that were slept through are not made up for.
    pub fn next(&mut self, left: Duration) -> Step {
        if left.is_zero() {
            return Step::Go;
        }
        let minutes = minutes_begun(left);
        if self.seen != Some(minutes) {
            self.enter(minutes);
        }
        self.steps
            .pop_front()
            .unwrap_or_else(|| Step::Wait(left.saturating_sub(MINUTE * minutes.saturating_sub(1))))
    }

    fn enter(&mut self, minutes: u32) {
        let is_first = self.seen.is_none();
        self.seen = Some(minutes);
        if minutes <= DENY_LOGINS_AT && !self.logins_denied {
            self.logins_denied = true;
            self.steps.push_back(Step::DenyLogins);
        }
        if self.warnings.are_due(minutes) || (is_first && minutes < SHORT_NOTICE) {
            self.steps.push_back(Step::Warn { minutes });
        }
    }
}

/// Counts a minute that has begun; at least one, as some time is left.
fn minutes_begun(left: Duration) -> u32 {
    let seconds = left.as_secs() + u64::from(left.subsec_nanos() > 0);
    u32::try_from(seconds.div_ceil(60))
        .unwrap_or(u32::MAX)
        .max(1)
}

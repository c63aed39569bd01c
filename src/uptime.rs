//! Points in time on the monotonic clock.
//!
//! Every interval in init is measured on it, so that a wall clock that jumps changes nothing.
#![forbid(unsafe_code)]

use std::time::Duration;

/// Time since the machine was started (`CLOCK_MONOTONIC`, which stands still while the machine is suspended), at nanosecond resolution.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Default)]
pub struct Uptime(pub Duration);

impl Uptime {
    /// Makes a point from whole seconds; for tests and for state texts.
    pub const fn from_secs(seconds: u64) -> Self {
        Self(Duration::from_secs(seconds))
    }

    /// Returns the point that lies `interval` later, at the latest the end of time.
    #[must_use]
    pub const fn after(self, interval: Duration) -> Self {
        Self(self.0.saturating_add(interval))
    }

    /// Returns how long ago `earlier` was; zero where it lies ahead.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Duration {
        self.0.saturating_sub(earlier.0)
    }
}

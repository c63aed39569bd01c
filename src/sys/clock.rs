//! The monotonic clock that every interval of init is measured on. The time of day is `calendar`'s.

use crate::record::Moment;
use crate::uptime::Uptime;
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Reads the monotonic clock, the one poll(2) counts its time limit on.
pub(crate) fn now() -> Uptime {
    // clock_gettime cannot fail for this clock on Linux.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or_else(|_| Uptime::default(), |time| Uptime(Duration::from(time)))
}

/// Reads both clocks, for the record.
pub(crate) fn moment() -> Moment {
    Moment {
        up: now(),
        // Nor can it fail for the time of day.
        wall: super::calendar::now().unwrap_or_default(),
    }
}

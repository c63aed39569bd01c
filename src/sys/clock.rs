//! The two clocks: the monotonic one that every interval is measured on, and the calendar.

use crate::uptime::Uptime;
use nix::time::{ClockId, clock_gettime};
use std::time::Duration;

/// Reads the monotonic clock, the one poll(2) counts its time limit on.
pub(crate) fn now() -> Uptime {
    // clock_gettime cannot fail for this clock on Linux.
    clock_gettime(ClockId::CLOCK_MONOTONIC)
        .map_or_else(|_| Uptime::default(), |time| Uptime(Duration::from(time)))
}

/// Time of day as syslog messages carry it: `Nov  3 09:05:07`, in the system's time zone.
pub(crate) fn syslog_time() -> String {
    const MONTHS: [&str; 12] = [
        "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
    ];
    let seconds = clock_gettime(ClockId::CLOCK_REALTIME).map_or(0, |time| time.tv_sec());
    // SAFETY: `tm` is a plain C structure of integers and one pointer, for which zero is a valid value.
    let mut parts: libc::tm = unsafe { std::mem::zeroed() };
    // SAFETY: both pointers are to live values of this frame.
    let filled = unsafe { libc::localtime_r(&raw const seconds, &raw mut parts) };
    if filled.is_null() {
        return "Jan  1 00:00:00".to_owned();
    }
    let month = usize::try_from(parts.tm_mon)
        .ok()
        .and_then(|month| MONTHS.get(month))
        .copied()
        .unwrap_or("Jan");
    format!(
        "{month} {:2} {:02}:{:02}:{:02}",
        parts.tm_mday, parts.tm_hour, parts.tm_min, parts.tm_sec
    )
}

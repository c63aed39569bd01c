//! The time of day, and the clock that goes on while the machine sleeps.

use std::io;
use std::time::Duration;

use nix::time::{ClockId, clock_gettime};

use crate::schedule::Calendar;

/// Returns the time since 1970.
pub(crate) fn now() -> io::Result<Duration> {
    read(ClockId::CLOCK_REALTIME)
}

/// Returns the time since the machine was started, its sleep included. Nobody can set this clock.
pub(crate) fn since_boot() -> io::Result<Duration> {
    read(ClockId::CLOCK_BOOTTIME)
}

/// Reads anew by which rule local time goes: it may have been set, or its file mounted, since.
pub(crate) fn read_time_zone() {
    unsafe extern "C" {
        fn tzset();
    }
    // SAFETY: our programs have one thread, so nobody changes the environment meanwhile.
    unsafe { tzset() };
}

fn read(clock: ClockId) -> io::Result<Duration> {
    let time = clock_gettime(clock)?;
    // A clock set before 1970 has nothing left to take away from.
    let seconds = u64::try_from(time.tv_sec()).unwrap_or(0);
    let nanoseconds = u32::try_from(time.tv_nsec()).unwrap_or(0);
    Ok(Duration::new(seconds, nanoseconds))
}

/// Returns a time since 1970 as people here write it.
pub(crate) fn local(time: Duration) -> io::Result<Calendar> {
    let seconds = libc::time_t::try_from(time.as_secs()).unwrap_or(libc::time_t::MAX);
    let mut parts = std::mem::MaybeUninit::<libc::tm>::uninit();
    // SAFETY: the first pointer is to a live integer, the second to room for the structure.
    let result = unsafe { libc::localtime_r(&raw const seconds, parts.as_mut_ptr()) };
    if result.is_null() {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: localtime_r has filled the structure, as it did not fail.
    let parts = unsafe { parts.assume_init() };
    Ok(Calendar {
        year: parts.tm_year.saturating_add(1900),
        month: usize::try_from(parts.tm_mon).unwrap_or(0),
        day: parts.tm_mday.unsigned_abs(),
        weekday: usize::try_from(parts.tm_wday).unwrap_or(0),
        hour: parts.tm_hour.unsigned_abs(),
        minute: parts.tm_min.unsigned_abs(),
        second: parts.tm_sec.unsigned_abs(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_has_a_month_a_weekday_and_a_year() {
        // A Wednesday noon in the middle of a month, whatever the time zone.
        let text = local(Duration::from_secs(1_700_049_600))
            .unwrap()
            .to_string();
        assert!(
            text.starts_with("Wed Nov 15 ") || text.starts_with("Thu Nov 16 "),
            "{text}"
        );
        assert!(text.ends_with(" 2023"), "{text}");
    }
}

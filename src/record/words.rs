//! How durations, sizes and ends are told to people.
#![forbid(unsafe_code)]

use super::{End, Status, Verdict};
use crate::printable::Printable;
use std::time::Duration;

/// Says how something ended.
pub fn ending(end: &End) -> String {
    let status = match &end.status {
        Status::Ended(status) => status.to_string(),
        Status::NotStarted(why) => format!("not started: {}", shown(why, 80)),
    };
    match end.verdict {
        Verdict::Ok | Verdict::Failed => status,
        Verdict::Skipped => format!("skipped ({status})"),
        Verdict::TimedOut => format!("timed out ({status})"),
        Verdict::Interrupted => format!("interrupted ({status})"),
    }
}

/// A duration in as few letters as tell something.
pub fn took(time: Duration) -> String {
    let seconds = time.as_secs_f64();
    match time.as_millis() {
        10_000.. => format!("{seconds:.1} s"),
        1000..10_000 => format!("{seconds:.2} s"),
        _ => format!("{} ms", time.as_millis()),
    }
}

/// KiB as MiB where they are many.
pub fn memory(kib: u64) -> String {
    if kib < 1024 {
        return format!("{kib} KiB");
    }
    format!("{}.{} MiB", kib / 1024, kib % 1024 * 10 / 1024)
}

/// Any bytes as letters that can be printed, the end of many left out.
pub fn shown(bytes: &[u8], most: usize) -> String {
    let text = Printable(bytes).to_string();
    if text.len() <= most {
        return text;
    }
    text.chars()
        .take(most.saturating_sub(3))
        .chain("...".chars())
        .collect()
}

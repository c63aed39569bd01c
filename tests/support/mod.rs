//! What the slow test crates share: a terminal to drive a program by, a root of its own for an init, and waiting for
//! a condition instead of for a time.
//!
//! A crate uses it by `#[path = "../support/mod.rs"] mod support;`.

#![allow(
    dead_code,
    reason = "each test crate uses the part it needs; together they use all of it"
)]

pub(crate) mod accounting;
pub(crate) mod cgroup;
pub(crate) mod namespace;
pub(crate) mod pty;
pub(crate) mod root;
pub(crate) mod tracing;

use std::time::{Duration, Instant};

/// How long anything may take before it counts as a hang. Generous: the machine may be busy with other tests.
pub(crate) const LIMIT: Duration = Duration::from_secs(30);

/// How long a way down may take. What it has to write to the disks, those of the machine that runs the tests, is waited for
/// longer than anything else.
pub(crate) const UNTIL_DOWN: Duration = Duration::from_secs(180);

/// A moment that lies `limit` from now; what is not seen by then is taken for a hang.
pub(crate) struct Deadline(Instant);

impl Deadline {
    pub(crate) fn after(limit: Duration) -> Self {
        Deadline(clock() + limit)
    }

    /// What is left, or `None` when the time is over.
    pub(crate) fn left(&self) -> Option<Duration> {
        self.0
            .checked_duration_since(clock())
            .filter(|left| !left.is_zero())
    }
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test may look at the clock, to give up on a hang"
)]
pub(crate) fn clock() -> Instant {
    Instant::now()
}

/// Looks at a condition for two seconds at most, for what is good to have and no failure to miss.
pub(crate) fn wait_a_moment(mut condition: impl FnMut() -> bool) {
    let deadline = Deadline::after(Duration::from_secs(2));
    while !condition() && deadline.left().is_some() {
        pause();
    }
}

/// Lets others run for a moment between two looks at a condition that cannot wake us.
pub(crate) fn pause() {
    std::thread::park_timeout(Duration::from_millis(5));
}

/// Looks until `condition` yields something; fails with `what` and the words of `explain` when `limit` is over.
pub(crate) fn wait_until<T>(
    what: &str,
    limit: Duration,
    mut condition: impl FnMut() -> Option<T>,
    explain: impl FnOnce() -> String,
) -> T {
    let deadline = Deadline::after(limit);
    loop {
        if let Some(found) = condition() {
            return found;
        }
        if deadline.left().is_some() {
            pause();
        } else {
            panic!("not within {limit:?}: {what}\n{}", explain());
        }
    }
}

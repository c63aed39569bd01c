//! All cases, by chapter.

use crate::compare::Case;

mod accounting;
mod boot;
mod console;
mod demand;
mod events;
mod fifo;
mod inittab;
mod levels;
mod messages;
mod migration;
mod processes;
mod reexec;
mod signals;
mod start_up;
mod throttle;

pub(crate) fn all() -> impl Iterator<Item = &'static Case> {
    [
        start_up::CASES,
        console::CASES,
        signals::CASES,
        boot::CASES,
        inittab::CASES,
        processes::CASES,
        levels::CASES,
        demand::CASES,
        throttle::CASES,
        events::CASES,
        fifo::CASES,
        reexec::CASES,
        migration::CASES,
        accounting::CASES,
        messages::CASES,
    ]
    .into_iter()
    .flatten()
}

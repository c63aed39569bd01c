//! Where the time of a boot went: what others had to wait for, the slowest first.
#![forbid(unsafe_code)]

use super::{Fate, History, Item, Kind};
use crate::uptime::Uptime;
use std::cmp::Reverse;
use std::time::Duration;

/// The actions of entries that init waits for before it goes on.
const WAITED_FOR: [&[u8]; 4] = [b"sysinit", b"bootwait", b"wait", b"powerwait"];

/// Something that took time.
#[derive(Debug, Clone, Copy)]
pub struct Share<'a> {
    /// What it was.
    pub item: &'a Item,
    /// How long it took, or has taken so far.
    pub time: Duration,
}

/// Lists scripts, and entries that init waits for, by the time they took. An entry that ran through a level's scripts
/// is left out: its time is theirs. So is what nobody has seen the end of.
pub fn blame(history: &History, now: Uptime) -> Vec<Share<'_>> {
    let runs: Vec<&Item> = of_kind(history, Kind::Run).collect();
    let is_run = |entry: &Item| runs.iter().any(|run| contains(entry, run));
    let mut shares: Vec<Share<'_>> = history
        .items
        .iter()
        .filter(|item| match item.subject.kind {
            Kind::Script => true,
            Kind::Entry => is_waited_for(item) && !is_run(item),
            Kind::Run => false,
        })
        .filter_map(|item| {
            let time = match item.fate {
                Fate::Running => now.since(item.began()?),
                Fate::Ended(_) | Fate::Lost => item.duration()?,
            };
            Some(Share { item, time })
        })
        .collect();
    shares.sort_by_key(|share| Reverse(share.time));
    shares
}

fn of_kind(history: &History, kind: Kind) -> impl Iterator<Item = &Item> {
    let items = history.items.iter();
    items.filter(move |item| item.subject.kind == kind)
}

/// Tells whether init goes on only when this has ended.
pub(super) fn is_waited_for(item: &Item) -> bool {
    item.subject.kind == Kind::Entry && WAITED_FOR.contains(&&*item.subject.argument)
}

/// Tells whether one ran within the time of the other. Of entries that are waited for only one runs at a time.
fn contains(outer: &Item, inner: &Item) -> bool {
    let end = |item: &Item| item.end().map(|end| end.at.up);
    let begins_within = match (outer.began(), inner.began()) {
        (Some(outer), Some(inner)) => outer <= inner,
        _ => false,
    };
    begins_within
        && match (end(outer), end(inner).or(inner.began())) {
            (Some(outer), Some(inner)) => inner <= outer,
            (None, _) => outer.fate == Fate::Running,
            (Some(_), None) => false,
        }
}

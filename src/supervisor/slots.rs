//! The table in force with what its entries are doing, and the short ways to one of them.
//!
//! A table may hold ten thousand entries, and each causes a handful of events. If every event meant a walk over
//! the whole table, a boot would take seconds of nothing but walking; so entries are found by key and by pid,
//! and a start pass begins where something may have changed.
#![forbid(unsafe_code)]

use super::entry::Slot;
use super::{SlotKey, State};
use crate::process::Pid;
use crate::uptime::Uptime;
use std::collections::BTreeMap;
use std::ops::Deref;

/// The entries in working order. Read it as a slice; every change goes through a method, which keeps the short
/// ways right.
#[derive(Debug, Clone, Default)]
pub(crate) struct Slots {
    all: Vec<Slot>,
    /// The place of each key. Places change only with the whole table.
    places: BTreeMap<SlotKey, usize>,
    /// The place of each process that runs.
    processes: BTreeMap<Pid, usize>,
    /// A start pass has nothing to do about what stands before this place. Nothing that is held does, so the
    /// deadlines of holds lie behind it too.
    settled: usize,
}

impl Slots {
    /// Puts a table into force. Of two entries that claim one process, which only a damaged state text holds, the
    /// first has it.
    pub(crate) fn new(mut all: Vec<Slot>) -> Self {
        let mut processes = BTreeMap::new();
        for (place, slot) in all.iter_mut().enumerate() {
            if let Some(pid) = slot.pid()
                && *processes.entry(pid).or_insert(place) != place
            {
                slot.state = State::Idle;
            }
        }
        let places = all.iter().enumerate();
        Self {
            places: places.map(|(place, slot)| (slot.key, place)).collect(),
            processes,
            settled: 0,
            all,
        }
    }

    /// Takes the table out of force.
    pub(crate) fn take(&mut self) -> Vec<Slot> {
        std::mem::take(self).all
    }

    /// Gives every entry to be changed in anything but its process; the next start pass looks at all of them.
    pub(crate) fn revise(&mut self) -> impl Iterator<Item = &mut Slot> {
        self.settled = 0;
        self.all.iter_mut()
    }

    /// Has the next start pass look at the whole table.
    pub(crate) fn unsettle(&mut self) {
        self.settled = 0;
    }

    /// The entry of a key; the next start pass looks at it.
    pub(crate) fn of_key(&mut self, key: SlotKey) -> Option<&mut Slot> {
        let place = *self.places.get(&key)?;
        self.settled = self.settled.min(place);
        self.all.get_mut(place)
    }

    /// The entry at a place, for the start pass.
    pub(crate) fn at(&mut self, place: usize) -> Option<&mut Slot> {
        self.all.get_mut(place)
    }

    /// Where a start pass begins.
    pub(crate) fn first_unsettled(&self) -> usize {
        self.settled
    }

    /// Has the next start pass begin at `place`, unless something before it changes.
    pub(crate) fn settle_up_to(&mut self, place: usize) {
        self.settled = place;
    }

    /// The entries a start pass may have something to do about.
    pub(crate) fn unsettled(&self) -> impl Iterator<Item = &Slot> {
        self.all.iter().skip(self.settled)
    }

    /// Takes note that a process which was asked for runs. Tells whether anybody still waits for it.
    pub(crate) fn note_running(&mut self, key: SlotKey, pid: Pid, now: Uptime) -> bool {
        let Some(&place) = self.places.get(&key) else {
            return false;
        };
        let Some(slot) = self.all.get_mut(place) else {
            return false;
        };
        if slot.state != State::Spawning {
            return false;
        }
        slot.state = State::Running { pid, since: now };
        // A number that is given anew has lost its former holder, whatever else was told.
        if let Some(former) = self.processes.insert(pid, place)
            && let Some(slot) = self.all.get_mut(former)
        {
            slot.state = State::Idle;
            self.settled = self.settled.min(former);
        }
        true
    }

    /// The entry a process runs for.
    pub(crate) fn of_process(&self, pid: Pid) -> Option<&Slot> {
        self.all.get(*self.processes.get(&pid)?)
    }

    /// Takes note that a process has ended, and gives the entry it ran for, if any.
    pub(crate) fn note_end(&mut self, pid: Pid) -> Option<&mut Slot> {
        let place = self.processes.remove(&pid)?;
        self.settled = self.settled.min(place);
        let slot = self.all.get_mut(place)?;
        slot.state = State::Idle;
        Some(slot)
    }
}

impl Deref for Slots {
    type Target = [Slot];

    fn deref(&self) -> &[Slot] {
        &self.all
    }
}

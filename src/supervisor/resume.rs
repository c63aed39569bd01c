//! The supervisor's state as a snapshot, and back: for `telinit u`, for `/run/init.state`, for comparison.
#![forbid(unsafe_code)]

use super::entry::Slot;
use super::respawn::Throttle;
use super::slots::Slots;
use super::{BootOptions, Effect, MOST_EXTRAS, Phase, State, Supervisor, Title};
use crate::initctl::Assignment;
use crate::inittab::Entry;
use crate::runlevel::Runlevel;
use crate::snapshot::{Flags, Record, Snapshot, Written};

impl Supervisor {
    /// Returns the whole state as a value. Which accounting records are written is known to who writes them.
    pub fn snapshot(&self, written: Written) -> Snapshot {
        Snapshot {
            phase: self.phase,
            level: Some(self.this_level),
            previous_level: self.previous,
            written,
            grace_time: self.grace,
            boot_done: self.boot_phase_done,
            boot_level: self.chosen.or(self.after_boot),
            pending_signals: self.inherited_signals.clone(),
            environment: self.extras.iter().map(word).collect(),
            records: self.slots.iter().map(Slot::record).collect(),
            ..Snapshot::default()
        }
    }

    /// Takes over the state that an image before this one has left.
    pub fn resume(snapshot: Snapshot) -> Self {
        let mut supervisor = Self::new(&BootOptions::default());
        supervisor.phase = snapshot.phase;
        supervisor.this_level = snapshot.level.unwrap_or(Runlevel::SINGLE);
        supervisor.previous = snapshot.previous_level;
        supervisor.grace = snapshot.grace_time;
        supervisor.boot_phase_done = snapshot.boot_done;
        match snapshot.phase {
            Phase::Boot => supervisor.after_boot = snapshot.boot_level,
            Phase::SysInit | Phase::Normal(_) => supervisor.chosen = snapshot.boot_level,
        }
        supervisor.extras = snapshot
            .environment
            .iter()
            .map(|word| Assignment::parse(word))
            .filter(|assignment| assignment.value.is_some())
            .take(MOST_EXTRAS)
            .collect();
        supervisor.inherited_signals = snapshot.pending_signals;
        let records = snapshot.records.into_iter();
        let slots = records
            .map(|record| Slot::new(supervisor.new_key(), record.entry.clone()).resume(&record));
        supervisor.slots = Slots::new(slots.collect());
        supervisor
    }

    pub(super) fn resume_work(&mut self, out: &mut Vec<Effect>) {
        out.push(Effect::SetTitle(match self.phase {
            Phase::SysInit | Phase::Boot => Title::Boot,
            Phase::Normal(level) => Title::Level(level),
        }));
        for signal in std::mem::take(&mut self.inherited_signals) {
            self.note_signal(signal, out);
        }
        // The image before may have come to its end before it had read the table.
        self.begin(out);
    }

    /// The entries of the table in force, in working order.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.slots.iter().map(|slot| &slot.entry)
    }
}

impl Slot {
    fn record(&self) -> Record {
        let running = self.pid().is_some();
        Record {
            flags: Flags {
                running,
                on_demand: self.demanded,
                // What was asked for and is not known to run must be asked for again by whoever goes on.
                executed: self.executed && self.state != State::Spawning,
                waiting: running && self.entry.action.is_waited_for(),
            },
            pid: self.pid(),
            exit: self.last_exit,
            started: match self.state {
                State::Running { since, .. } => Some(since),
                State::Idle | State::Spawning | State::Held { .. } => None,
            },
            held_until: match self.state {
                State::Held { until } => Some(until),
                State::Idle | State::Spawning | State::Running { .. } => None,
            },
            starts: self.throttle.window.map_or(0, |(_, starts)| starts),
            counted_since: self.throttle.window.map(|(began, _)| began),
            ..Record::new(self.entry.clone())
        }
    }

    fn resume(self, record: &Record) -> Self {
        let state = match (record.flags.running, record.pid, record.held_until) {
            (true, Some(pid), _) => State::Running {
                pid,
                since: record.started.unwrap_or_default(),
            },
            (_, _, Some(until)) => State::Held { until },
            (_, _, None) => State::Idle,
        };
        Self {
            state,
            executed: record.flags.executed,
            demanded: record.flags.on_demand,
            throttle: Throttle {
                window: record.counted_since.map(|began| (began, record.starts)),
            },
            last_exit: record.exit,
            ..self
        }
    }
}

fn word(assignment: &Assignment) -> Box<[u8]> {
    let value = assignment.value.as_deref().unwrap_or_default();
    [&assignment.name, b"=".as_slice(), value].concat().into()
}

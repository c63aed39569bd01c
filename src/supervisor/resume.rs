//! The supervisor's state as a snapshot, and back: for `telinit u`, for `/run/init.state`, for comparison.
#![forbid(unsafe_code)]

use super::entry::Slot;
use super::respawn::Throttle;
use super::slots::Slots;
use super::{
    Activity, BootOptions, Departing, Effect, Emergency, Helper, MOST_DEFERRED, MOST_EXTRAS, Phase,
    Reading, SlotKey, Stage, State, Stopping, Supervisor, Title,
};
use crate::container::Realm;
use crate::initctl::{Assignment, Request};
use crate::inittab::Entry;
use crate::runlevel::Runlevel;
use crate::snapshot::{self, Flags, Leaving, Record, Snapshot, Stop, UnderWay, Written};
use std::collections::BTreeSet;

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
            under_way: self.under_way(),
            records: self.slots.iter().map(Slot::record).collect(),
            ..Snapshot::default()
        }
    }

    fn under_way(&self) -> UnderWay {
        let mut requests: Vec<Request> = self.deferred.iter().cloned().collect();
        if let Some(Reading::Demand(pseudo)) = self.reading {
            // Whoever goes on has no table that is being read, and asks again.
            let level = pseudo.as_char() as u8;
            let grace = self.grace;
            requests.insert(0, Request::ChangeLevel { level, grace });
        }
        UnderWay {
            last_key: self.last_key,
            paused: self.activity == Activity::Paused,
            emergency: self.emergency == Emergency::Wanted,
            pause_until: self.pause_until,
            single_since: self.single_since,
            said_nothing_left: self.said_nothing_left,
            reread_wanted: self.reread_wanted || self.reading == Some(Reading::Reread),
            // The question and the emergency shell follow from where the machine stands.
            asking: self.asking.noted(snapshot::Helper::None),
            emergency_shell: self.emergency_shell.noted(snapshot::Helper::None),
            power_off: self.power_off.noted(snapshot::Helper::Wanted),
            taking_down: self.taking_down.noted(snapshot::Helper::None),
            down_since: self.down_since,
            stop: self.stopping.as_ref().map(|stopping| Stop {
                killed: stopping.stage == Stage::Kill,
                deadline: stopping.deadline,
                leaving: stopping.departing.iter().map(Departing::noted).collect(),
            }),
            departed: self.departed.clone(),
            outliving: self.outliving.clone(),
            requests,
            in_container: self.realm == Realm::Container,
            command_status: self.command_status,
            ..UnderWay::default()
        }
    }

    /// Takes up what was under way.
    fn take_up(&mut self, under_way: UnderWay) {
        self.last_key = under_way.last_key;
        if under_way.paused {
            self.activity = Activity::Paused;
        }
        if under_way.emergency {
            self.emergency = Emergency::Wanted;
        }
        if under_way.in_container {
            self.realm = Realm::Container;
        }
        self.command_status = under_way.command_status;
        self.pause_until = under_way.pause_until;
        self.single_since = under_way.single_since;
        self.said_nothing_left = under_way.said_nothing_left;
        self.reread_wanted = under_way.reread_wanted;
        self.asking = Helper::of(under_way.asking);
        self.emergency_shell = Helper::of(under_way.emergency_shell);
        self.power_off = Helper::of(under_way.power_off);
        self.taking_down = Helper::of(under_way.taking_down);
        self.down_since = under_way.down_since;
        self.stopping = under_way.stop.map(|stop| Stopping {
            stage: if stop.killed {
                Stage::Kill
            } else {
                Stage::Term
            },
            deadline: stop.deadline,
            departing: stop.leaving.into_iter().map(Departing::from).collect(),
        });
        self.departed = under_way.departed;
        self.outliving = under_way.outliving;
        self.deferred = under_way
            .requests
            .into_iter()
            .take(MOST_DEFERRED + 1)
            .collect();
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
        supervisor.take_up(snapshot.under_way);
        let mut slots: Vec<Slot> = Vec::with_capacity(snapshot.records.len());
        let mut taken = BTreeSet::new();
        for record in snapshot.records {
            // A damaged text may give one key twice; answers must mean one entry.
            let key = record.key.filter(|key| taken.insert(*key));
            let key = key.map_or_else(|| supervisor.new_key(), SlotKey);
            supervisor.last_key = supervisor.last_key.max(key.0);
            slots.push(Slot::new(key, record.entry.clone()).resume(&record));
        }
        supervisor.slots = Slots::new(slots);
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
            key: Some(self.key.0),
            misses_terminal: self.misses_terminal,
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
            misses_terminal: record.misses_terminal,
            ..self
        }
    }
}

impl Helper {
    /// As a snapshot has it. One that is not known to run is as good as `unknown`.
    fn noted(self, unknown: snapshot::Helper) -> snapshot::Helper {
        match self {
            Self::None => snapshot::Helper::None,
            Self::Refused => snapshot::Helper::Wanted,
            Self::Spawning(_) => unknown,
            Self::Running(pid) => snapshot::Helper::Running(pid),
        }
    }

    fn of(noted: snapshot::Helper) -> Self {
        match noted {
            snapshot::Helper::None => Self::None,
            snapshot::Helper::Wanted => Self::Refused,
            snapshot::Helper::Running(pid) => Self::Running(pid),
        }
    }
}

impl Departing {
    fn noted(&self) -> Leaving {
        Leaving {
            id: self.id.clone(),
            pid: self.pid,
            accounted: self.accounted,
        }
    }
}

impl From<Leaving> for Departing {
    fn from(process: Leaving) -> Self {
        Self {
            id: process.id,
            pid: process.pid,
            accounted: process.accounted,
        }
    }
}

fn word(assignment: &Assignment) -> Box<[u8]> {
    let value = assignment.value.as_deref().unwrap_or_default();
    [&assignment.name, b"=".as_slice(), value].concat().into()
}

//! One entry at work: the inittab line and the process that was started for it.
#![forbid(unsafe_code)]

use super::respawn::Throttle;
use crate::inittab::{Action, Entry};
use crate::process::{ExitStatus, Pid};
use crate::runlevel::Runlevel;
use crate::snapshot::Phase;
use crate::uptime::Uptime;

/// Names one slot for as long as init runs; never used twice.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SlotKey(pub u64);

/// What an entry's process is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// None runs.
    Idle,
    /// One has been asked for.
    Spawning,
    /// One runs.
    Running {
        /// Its number.
        pid: Pid,
        /// When it was started.
        since: Uptime,
    },
    /// Started too often; nothing is started before `until`.
    Held {
        /// End of the hold.
        until: Uptime,
    },
}

/// An entry of the table in force with its process.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) key: SlotKey,
    pub(crate) entry: Entry,
    pub(crate) state: State,
    /// Started since its level was entered. An event-driven entry counts as executed until its event comes.
    pub(crate) executed: bool,
    /// Called for through its pseudo-runlevel.
    pub(crate) demanded: bool,
    pub(crate) throttle: Throttle,
    pub(crate) last_exit: Option<ExitStatus>,
    /// Its terminal was not there at the last attempt, which has been said.
    pub(crate) misses_terminal: bool,
}

impl Slot {
    pub(crate) fn new(key: SlotKey, entry: Entry) -> Self {
        Self {
            key,
            executed: entry.action.is_event_driven(),
            entry,
            state: State::Idle,
            demanded: false,
            throttle: Throttle::default(),
            last_exit: None,
            misses_terminal: false,
        }
    }

    /// Tells whether a process runs or is about to.
    pub(crate) fn is_active(&self) -> bool {
        match self.state {
            State::Spawning | State::Running { .. } => true,
            State::Idle | State::Held { .. } => false,
        }
    }

    /// Returns the process that runs, if any.
    pub(crate) fn pid(&self) -> Option<Pid> {
        match self.state {
            State::Running { pid, .. } => Some(pid),
            State::Idle | State::Spawning | State::Held { .. } => None,
        }
    }

    /// Tells whether later entries must wait for it now.
    pub(crate) fn blocks_later_entries(&self) -> bool {
        self.entry.action.is_waited_for() && self.is_active()
    }

    /// Tells whether the process keeps a phase or level S from being over; boot processes live through all.
    pub(crate) fn keeps_phase_open(&self) -> bool {
        self.is_active() && self.entry.action != Action::Boot
    }

    /// Tells whether the entry belongs to the phase.
    pub(crate) fn belongs_to(&self, phase: Phase) -> bool {
        let action = self.entry.action;
        match phase {
            Phase::SysInit => action == Action::SysInit,
            Phase::Boot => matches!(action, Action::Boot | Action::BootWait),
            Phase::Normal(level) => {
                self.entry.runlevels.contains(level) || (self.demanded && level != Runlevel::SINGLE)
            }
        }
    }

    /// Tells whether accounting records are wanted: not where the process field begins with `+`.
    pub(crate) fn is_accounted(&self) -> bool {
        self.entry.process.first() != Some(&b'+')
    }
}

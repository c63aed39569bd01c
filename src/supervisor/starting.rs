//! The start pass: which entries of the table in force get a process now.
#![forbid(unsafe_code)]

use super::entry::Slot;
use super::respawn::{self, Throttle, Verdict};
use super::{
    ConsoleUse, Effect, Emergency, Phase, Program, SlotKey, Start, State, Supervisor, tell_of_hold,
};
use crate::inittab::Action;
use crate::runlevel::Runlevel;
use crate::uptime::Uptime;

/// How far a start pass came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Pass {
    /// To an entry that is waited for.
    Blocked,
    /// To the end of the table.
    Through,
}

/// What a start pass has to do about one entry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Look {
    /// Stop there: it is waited for.
    Blocks,
    /// Nothing, until something happens to it.
    NothingToDo,
    /// Nothing before its hold is over.
    StillHeld,
    /// Say that it is held from now on.
    TooFast,
    /// Start its process.
    Start,
}

impl Supervisor {
    /// Walks the table in order and starts what is due.
    pub(super) fn start_pass(&mut self, now: Uptime, out: &mut Vec<Effect>) -> Pass {
        let phase = self.phase;
        let mut place = self.slots.first_unsettled();
        // What is held is looked at again in each pass, and so is all behind it.
        let mut is_settled = true;
        while let Some(slot) = self.slots.at(place) {
            match slot.look(phase, now) {
                Look::Blocks => return Pass::Blocked,
                Look::NothingToDo => {}
                Look::StillHeld => is_settled = false,
                Look::TooFast => {
                    is_settled = false;
                    let minutes = respawn::HOLD.as_secs() / 60;
                    let why = format!("respawning too fast: disabled for {minutes} minutes");
                    tell_of_hold(out, &slot.entry, why);
                }
                Look::Start => {
                    slot.state = State::Spawning;
                    slot.executed = true;
                    let (key, entry) = (slot.key, slot.entry.clone());
                    let waits = slot.blocks_later_entries();
                    let console = match phase {
                        Phase::SysInit | Phase::Boot | Phase::Normal(Runlevel::SINGLE) if waits => {
                            ConsoleUse::Controlling
                        }
                        Phase::SysInit | Phase::Boot | Phase::Normal(_) => ConsoleUse::Shared,
                    };
                    out.push(self.start(key, Program::Entry(entry), console));
                    if waits {
                        return Pass::Blocked;
                    }
                }
            }
            place += 1;
            if is_settled {
                self.slots.settle_up_to(place);
            }
        }
        Pass::Through
    }

    /// Puts together what starting a process takes.
    pub(super) fn start(&self, key: SlotKey, program: Program, console: ConsoleUse) -> Effect {
        Effect::Spawn(Box::new(Start {
            key,
            program,
            console,
            runlevel: self.this_level.as_byte(),
            previous: Runlevel::byte_or_n(self.previous),
            phase: match self.emergency {
                // The emergency shell repairs what single-user mode repairs, a broken initscript included.
                Emergency::Wanted => Phase::Normal(Runlevel::SINGLE),
                Emergency::NotWanted => self.phase,
            },
        }))
    }
}

impl Slot {
    /// Looks what is to be done about it in a start pass.
    fn look(&mut self, phase: Phase, now: Uptime) -> Look {
        if self.blocks_later_entries() {
            return Look::Blocks;
        }
        if self.is_active() {
            return Look::NothingToDo;
        }
        if !self.belongs_to(phase) {
            // A hold that nobody waits for any more must not become a deadline.
            self.state = State::Idle;
            if !self.entry.action.is_event_driven() {
                self.executed = false;
            }
            return Look::NothingToDo;
        }
        if let State::Held { until } = self.state {
            if now < until {
                return Look::StillHeld;
            }
            self.state = State::Idle;
            self.throttle = Throttle::default();
        }
        if !self.is_due() {
            return Look::NothingToDo;
        }
        if let Some(Verdict::Hold(until)) = self.throttled(now) {
            self.state = State::Held { until };
            return Look::TooFast;
        }
        Look::Start
    }

    /// Tells whether its action asks for a start now, given that its entry belongs to the phase and is idle.
    fn is_due(&self) -> bool {
        match self.entry.action {
            Action::SysInit
            | Action::BootWait
            | Action::Wait
            | Action::PowerWait
            | Action::PowerFailNow
            | Action::PowerOkWait
            | Action::CtrlAltDel
            | Action::Boot
            | Action::PowerFail
            | Action::Once
            | Action::KbRequest => !self.executed,
            Action::OnDemand | Action::Respawn => true,
            Action::Off | Action::InitDefault => false,
        }
    }

    /// Counts a start where the action is throttled.
    fn throttled(&mut self, now: Uptime) -> Option<Verdict> {
        matches!(self.entry.action, Action::Respawn | Action::OnDemand)
            .then(|| self.throttle.attempt(now))
    }
}

//! Events that arm entries: power status, Ctrl-Alt-Del, the keyboard request, and the container manager's stop.
//!
//! An event-driven entry counts as executed until its event comes; then the next start pass runs it if the
//! level matches, and if it does not, the entry stays armed until a direct change to a level that does.
#![forbid(unsafe_code)]

use super::{ConsoleUse, Effect, Helper, Program, Supervisor};
use crate::initctl::PowerStatus;
use crate::inittab::{Action, Entry, EntryId};

impl Supervisor {
    /// Arms every entry with one of the actions; one that runs is run again afterwards.
    pub(super) fn arm(&mut self, actions: &[Action]) {
        for slot in self.slots.revise() {
            if actions.contains(&slot.entry.action) {
                slot.executed = false;
            }
        }
    }

    pub(super) fn arm_power(&mut self, status: PowerStatus) {
        match status {
            PowerStatus::Failing => self.arm(&[Action::PowerFail, Action::PowerWait]),
            PowerStatus::Low => self.arm(&[Action::PowerFailNow]),
            PowerStatus::Restored => self.arm(&[Action::PowerOkWait]),
        }
    }

    /// Starts `shutdown -hP now` unless the one started before still runs.
    ///
    /// Compat: the original does this once per boot only, so that a shutdown cancelled once could never be
    /// asked for again.
    pub(super) fn ask_for_power_off(&mut self, out: &mut Vec<Effect>) {
        match self.power_off {
            Helper::None | Helper::Refused => {}
            Helper::Spawning(_) | Helper::Running(_) => return,
        }
        let key = self.new_key();
        self.power_off = Helper::Spawning(key);
        let entry = Entry::new(
            EntryId::fallback(),
            b"S0123456789",
            Action::Once,
            b"/sbin/shutdown -hP now",
        );
        out.push(self.start(key, Program::Entry(entry), ConsoleUse::Shared));
    }
}

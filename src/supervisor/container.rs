//! What is different where init is the first process of a container: signals that lead to an orderly end, the command
//! that the container is there for, and the end itself.
//!
//! A container manager knows one word, a signal, and waits for the exit status. So the signals of docker stop (TERM), of
//! a key (INT), of LXC (PWR) and of systemd's kin (SIGRTMIN+3 to +5) lead to level 0 or 6, and when nothing is left
//! there, init exits. Where the table has entries for a signal, they have it.
#![forbid(unsafe_code)]

use super::entry::Slot;
use super::{Effect, Phase, Rest, Supervisor};
use crate::container::entrypoint::forwarded;
use crate::container::{Ending, Realm};
use crate::initctl::{PowerStatus, Request};
use crate::inittab::{Action, Entry, EntryId};
use crate::process::{ExitStatus, Signal};
use crate::runlevel::Runlevel;

/// The id of the entry that stands for the command. Nobody else's: in a table it would be two options' beginning.
const COMMAND: &[u8] = b"--";
/// Every level but those that end the container.
const COMMAND_LEVELS: &[u8] = b"S12345789";

/// The entry that stands for the command of `init -- COMMAND`: the last of the table, so that it is started when all
/// that is waited for has ended. `shown` is what people see of its words.
pub fn command_entry(shown: &[u8]) -> Entry {
    Entry::new(EntryId::new(COMMAND), COMMAND_LEVELS, Action::Once, shown)
}

impl Supervisor {
    /// Takes note of where init runs, for one that takes over a state from another image.
    pub fn live_in(&mut self, realm: Realm) {
        self.realm = realm;
    }

    /// Does what a signal means in a container only. Tells whether it has been dealt with.
    pub(super) fn note_container_signal(&mut self, signal: Signal, out: &mut Vec<Effect>) -> bool {
        if self.realm == Realm::Machine {
            return false;
        }
        match signal {
            Signal::HALT_NOW | Signal::POWER_OFF_NOW => {
                self.end_container(Ending::Halt, Rest::LeftToKernel, out);
            }
            Signal::RESTART_NOW => {
                self.end_container(Ending::Restart, Rest::LeftToKernel, out);
            }
            signal if self.forward(signal, out) => {}
            Signal::TERM | Signal::HALT | Signal::POWER_OFF => self.go_down(signal, out),
            Signal::INT if !self.has_entry_for(&[Action::CtrlAltDel]) => self.go_down(signal, out),
            Signal::RESTART => self.ask_for_level(Runlevel::REBOOT, out),
            _ => return false,
        }
        true
    }

    /// The same for the power status that SIGPWR has had read.
    pub(super) fn note_container_power(&mut self, status: PowerStatus, out: &mut Vec<Effect>) {
        let claims: &[Action] = match status {
            PowerStatus::Failing => &[Action::PowerFail, Action::PowerWait],
            PowerStatus::Low => &[Action::PowerFailNow],
            PowerStatus::Restored => return,
        };
        if self.realm == Realm::Container && !self.has_entry_for(claims) {
            self.go_down(Signal::PWR, out);
        }
    }

    fn has_entry_for(&self, actions: &[Action]) -> bool {
        self.slots
            .iter()
            .any(|slot| actions.contains(&slot.entry.action))
    }

    /// Passes a signal on to the command, if that runs.
    fn forward(&mut self, signal: Signal, out: &mut Vec<Effect>) -> bool {
        let mut commands = self.slots.iter().filter(|slot| is_command(&slot.entry.id));
        let Some(leader) = commands.find_map(Slot::pid) else {
            return false;
        };
        let signal = forwarded(signal);
        out.push(Effect::SignalGroup { leader, signal });
        true
    }

    /// Goes to level 0. A command that was to come and never ran counts as ended by the signal.
    fn go_down(&mut self, signal: Signal, out: &mut Vec<Effect>) {
        if self.slots.iter().any(|slot| is_command(&slot.entry.id)) && self.command_status.is_none()
        {
            self.command_status = Some(ExitStatus::Killed(forwarded(signal)).as_shell_code());
        }
        self.ask_for_level(Runlevel::HALT, out);
    }

    fn ask_for_level(&mut self, level: Runlevel, out: &mut Vec<Effect>) {
        let request = Request::ChangeLevel {
            level: level.as_byte(),
            grace: self.grace,
        };
        self.receive(request, out);
    }

    /// Takes note of the end of a process that may have been the command: the container has nothing more to do then.
    pub(super) fn note_command_end(
        &mut self,
        id: &EntryId,
        status: ExitStatus,
        out: &mut Vec<Effect>,
    ) {
        if !is_command(id) {
            return;
        }
        self.command_status = Some(status.as_shell_code());
        if !matches!(self.phase, Phase::Normal(level) if ending_of(level).is_some()) {
            self.ask_for_level(Runlevel::HALT, out);
        }
    }

    /// Ends the container where nothing is left to do in the level that ends it. Tells whether that is so.
    pub(super) fn is_over(&mut self, out: &mut Vec<Effect>) -> bool {
        let ending = match (self.realm, self.phase) {
            (Realm::Container, Phase::Normal(level)) => ending_of(level),
            (Realm::Machine, _) | (_, Phase::SysInit | Phase::Boot) => None,
        };
        let Some(ending) = ending else { return false };
        if self.ended != Some(ending) {
            self.ended = Some(ending);
            self.end_container(ending, Rest::AskedToEnd(self.grace), out);
        }
        true
    }

    fn end_container(&self, ending: Ending, rest: Rest, out: &mut Vec<Effect>) {
        out.push(Effect::EndContainer {
            ending,
            status: ending.status_after(self.command_status),
            rest,
        });
    }
}

/// Tells whether an entry stands for the command.
pub fn is_command(id: &EntryId) -> bool {
    id.as_bytes() == COMMAND
}

fn ending_of(level: Runlevel) -> Option<Ending> {
    match level {
        Runlevel::HALT => Some(Ending::Halt),
        Runlevel::REBOOT => Some(Ending::Restart),
        _ => None,
    }
}

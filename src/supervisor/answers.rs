//! What became of processes, and which signals came: the part of the machine that takes note.
//!
//! What follows from it is decided afterwards, when the machine settles.
#![forbid(unsafe_code)]

use super::{
    Activity, Effect, Emergency, Helper, Occurrence, SHORT_PAUSE, Sink, SlotKey, State, Supervisor,
    respawn, say, tell_of_hold,
};
use crate::inittab::Action;
use crate::printable::Printable;
use crate::process::{ExitStatus, Pid, Signal};
use crate::uptime::Uptime;

impl Supervisor {
    pub(super) fn note_spawned(
        &mut self,
        now: Uptime,
        key: SlotKey,
        pid: Pid,
        out: &mut Vec<Effect>,
    ) {
        for helper in [
            &mut self.asking,
            &mut self.emergency_shell,
            &mut self.power_off,
            &mut self.taking_down,
        ] {
            if *helper == Helper::Spawning(key) {
                *helper = Helper::Running(pid);
                return;
            }
        }
        if !self.slots.note_running(key, pid, now) {
            // Its entry went while it was being forked: nobody would ever stop it.
            out.push(Effect::SignalGroup {
                leader: pid,
                signal: Signal::TERM,
            });
        }
    }

    pub(super) fn note_spawn_failed(
        &mut self,
        now: Uptime,
        key: SlotKey,
        reason: &str,
        out: &mut Vec<Effect>,
    ) {
        // The question and the emergency shell follow from where the machine stands; this one from a signal.
        if self.power_off == Helper::Spawning(key) {
            self.power_off = Helper::Refused;
        }
        for helper in [
            &mut self.asking,
            &mut self.emergency_shell,
            &mut self.taking_down,
        ] {
            if *helper == Helper::Spawning(key) {
                *helper = Helper::None;
            }
        }
        if let Some(slot) = self.slots.of_key(key)
            && slot.state == State::Spawning
        {
            slot.state = State::Idle;
            slot.executed = false;
            slot.throttle.withdraw();
        }
        // A start pass may ask for many processes, and all of them are refused for the same reason.
        if self.pause_until.is_none_or(|until| until <= now) {
            say(out, Sink::Both, format!("cannot fork, retry..: {reason}"));
        }
        self.pause_until = Some(now.after(SHORT_PAUSE));
    }

    /// Holds an entry whose terminal is not there, instead of starting its getty in vain ten times.
    pub(super) fn note_missing_terminal(
        &mut self,
        now: Uptime,
        key: SlotKey,
        terminal: &[u8],
        out: &mut Vec<Effect>,
    ) {
        let Some(slot) = self
            .slots
            .of_key(key)
            .filter(|slot| slot.state == State::Spawning)
        else {
            return;
        };
        slot.state = State::Held {
            until: now.after(respawn::HOLD),
        };
        slot.executed = false;
        slot.throttle.withdraw();
        // It is looked for every five minutes, and worth a word once.
        if !std::mem::replace(&mut slot.misses_terminal, true) {
            let terminal = Printable(terminal);
            let why = format!("is on hold: there is no terminal /dev/{terminal}");
            tell_of_hold(out, &slot.entry, why);
        }
    }

    pub(super) fn note_exit(&mut self, pid: Pid, status: ExitStatus, out: &mut Vec<Effect>) {
        let gone = Helper::Running(pid);
        if self.asking == gone {
            self.asking = Helper::None;
            self.take_answer(status, out);
            return;
        }
        if self.emergency_shell == gone {
            self.emergency_shell = Helper::None;
            self.emergency = Emergency::NotWanted;
            self.begin(out);
            return;
        }
        if self.power_off == gone {
            self.power_off = Helper::None;
            return;
        }
        if self.taking_down == gone {
            self.taking_down = Helper::None;
            return;
        }
        if let Some(slot) = self.slots.note_end(pid) {
            // On the way down something has happened.
            self.down_since = None;
            slot.last_exit = Some(status);
            let (id, is_accounted) = (slot.entry.id.clone(), slot.is_accounted());
            self.note_command_end(&id, status, out);
            if is_accounted {
                out.push(Effect::Account(Occurrence::ProcessEnded { id, pid }));
            }
            return;
        }
        self.note_departure(pid, status, out);
    }

    pub(super) fn note_signal(&mut self, signal: Signal, out: &mut Vec<Effect>) {
        if self.note_container_signal(signal, out) {
            return;
        }
        match signal {
            Signal::HUP => self.reread_wanted = true,
            Signal::INT => self.arm(&[Action::CtrlAltDel]),
            Signal::WINCH => self.arm(&[Action::KbRequest]),
            Signal::PWR => out.push(Effect::ReadPowerStatus),
            Signal::USR1 => out.push(Effect::ReopenFifo),
            Signal::USR2 => out.push(Effect::CloseFifo),
            Signal::TSTP => self.activity = Activity::Paused,
            Signal::CONT => self.activity = Activity::Working,
            Signal::POWER_OFF => self.ask_for_power_off(out),
            // SIGALRM only wakes init up; others are not passed on by the shell.
            _ => {}
        }
    }
}

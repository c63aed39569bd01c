//! `init -- COMMAND`: what becomes of signals, of the rest when the command ends, and of its exit status.
//!
//! | stage | entered when | ends when |
//! |---|---|---|
//! | running | the command is started | it ends |
//! | asking | then: TERM to all that is left | nothing is left, or the grace time is over |
//! | killing | then: KILL to all that is left | nothing is left, or a second is over |
//!
//! In each stage the end of nobody's child is collected by the caller and changes nothing.
#![forbid(unsafe_code)]

use crate::process::{ExitStatus, Pid, Signal};
use crate::uptime::Uptime;
use std::time::Duration;

/// How long what is left after KILL is waited for. The kernel ends the container with its first process anyway.
const AFTER_KILL: Duration = Duration::from_secs(1);

/// How long what the command leaves behind may take to end: as long as between two levels (init(8)).
pub const DEFAULT_GRACE: Duration = Duration::from_secs(3);

/// The exit statuses a shell gives for a command that cannot be executed, and for one that is not there.
pub const CANNOT_EXECUTE: u8 = 126;
/// See [`CANNOT_EXECUTE`].
pub const NOT_FOUND: u8 = 127;

/// What has happened.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A signal was sent to init.
    Signalled(Signal),
    /// A child has ended and was reaped.
    Exited(Pid, ExitStatus),
    /// There is no child left.
    Alone,
    /// The time of [`Entrypoint::next_deadline`] has come.
    DeadlinePassed,
}

/// What must be done about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// Send a signal to the command's process group.
    Forward(Signal),
    /// Send a signal to everything that is left.
    SignalRest(Signal),
    /// Exit with this status.
    Exit(u8),
}

/// The command and what is left of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entrypoint {
    stage: Stage,
    grace: Duration,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Running { command: Pid },
    Asking { status: u8, until: Uptime },
    Killing { status: u8, until: Uptime },
}

impl Entrypoint {
    /// The command has been started.
    pub fn started(command: Pid, grace: Duration) -> Self {
        Self {
            stage: Stage::Running { command },
            grace,
        }
    }

    /// There is no command any more, and what is left is to end.
    pub fn over(now: Uptime, status: u8, grace: Duration) -> (Self, Effect) {
        let until = now.after(grace);
        let stage = Stage::Asking { status, until };
        (Self { stage, grace }, Effect::SignalRest(Signal::TERM))
    }

    /// Takes one event and returns what must be done.
    pub fn handle(&mut self, now: Uptime, event: Event) -> Option<Effect> {
        match (self.stage, event) {
            (Stage::Running { .. }, Event::Signalled(signal)) => {
                Some(Effect::Forward(forwarded(signal)))
            }
            (Stage::Running { command }, Event::Exited(pid, status)) if pid == command => {
                let (over, effect) = Self::over(now, status.as_shell_code(), self.grace);
                *self = over;
                Some(effect)
            }
            (Stage::Asking { status, .. } | Stage::Killing { status, .. }, Event::Alone) => {
                Some(Effect::Exit(status))
            }
            (Stage::Asking { status, until }, Event::DeadlinePassed) if until <= now => {
                let until = now.after(AFTER_KILL);
                self.stage = Stage::Killing { status, until };
                Some(Effect::SignalRest(Signal::KILL))
            }
            (Stage::Killing { status, until }, Event::DeadlinePassed) if until <= now => {
                Some(Effect::Exit(status))
            }
            (Stage::Running { .. }, Event::Exited(..) | Event::Alone | Event::DeadlinePassed)
            | (
                Stage::Asking { .. } | Stage::Killing { .. },
                // What is going down goes down no sooner for being told again.
                Event::Signalled(_) | Event::Exited(..) | Event::DeadlinePassed,
            ) => None,
        }
    }

    /// Returns when [`Event::DeadlinePassed`] is due, if at all.
    pub fn next_deadline(&self) -> Option<Uptime> {
        match self.stage {
            Stage::Running { .. } => None,
            Stage::Asking { until, .. } | Stage::Killing { until, .. } => Some(until),
        }
    }
}

/// The signals that are passed on, and the word that a child has ended: all but those that cannot be held back, those
/// that tell init of a fault of its own, those that stop who reads or writes from behind, and the C library's own.
pub fn listened() -> Vec<Signal> {
    const FAULTS: [i32; 7] = [4, 5, 6, 7, 8, 11, 31];
    const FROM_BEHIND: [i32; 2] = [21, 22];
    let left_out = |number: &i32| {
        [Signal::KILL.0, Signal::STOP.0].contains(number)
            || FAULTS.contains(number)
            || FROM_BEHIND.contains(number)
            || (32..=34).contains(number)
    };
    let numbers = (1..=64).filter(|number| !left_out(number));
    numbers.map(Signal).collect()
}

/// What the command is sent for a signal to init: the same, but for those that mean the end to an init alone. A command
/// would be killed by them, and knows TERM.
pub fn forwarded(signal: Signal) -> Signal {
    match signal {
        Signal::PWR
        | Signal::HALT
        | Signal::POWER_OFF
        | Signal::RESTART
        | Signal::HALT_NOW
        | Signal::POWER_OFF_NOW
        | Signal::RESTART_NOW => Signal::TERM,
        signal => signal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const COMMAND: Pid = Pid::new(7).unwrap();
    const OTHER: Pid = Pid::new(8).unwrap();

    fn at(seconds: u64) -> Uptime {
        Uptime::from_secs(seconds)
    }

    fn started() -> Entrypoint {
        Entrypoint::started(COMMAND, Duration::from_secs(3))
    }

    #[test]
    fn every_signal_reaches_the_command() {
        for number in 1..=64 {
            let effect = started().handle(at(0), Event::Signalled(Signal(number)));
            let expected = match number {
                30 | 37..=39 | 47..=49 => Signal::TERM,
                number => Signal(number),
            };
            assert_eq!(effect, Some(Effect::Forward(expected)), "{number}");
        }
    }

    #[test]
    fn the_end_of_an_orphan_changes_nothing() {
        let mut entrypoint = started();
        let event = Event::Exited(OTHER, ExitStatus::Exited(3));
        assert_eq!(entrypoint.handle(at(0), event), None);
        assert_eq!(entrypoint, started());
        assert_eq!(entrypoint.next_deadline(), None);
    }

    #[test]
    fn the_status_is_the_one_of_the_command() {
        let codes = (0..=255).map(|code| (ExitStatus::Exited(code), code));
        let signals = (1..=64).map(|number| {
            (
                ExitStatus::Killed(Signal(number)),
                128 + u8::try_from(number).unwrap(),
            )
        });
        for (status, expected) in codes.chain(signals) {
            let mut entrypoint = started();
            let effect = entrypoint.handle(at(0), Event::Exited(COMMAND, status));
            assert_eq!(effect, Some(Effect::SignalRest(Signal::TERM)));
            let late = Event::Exited(OTHER, ExitStatus::Exited(1));
            assert_eq!(entrypoint.handle(at(1), late), None);
            let effect = entrypoint.handle(at(1), Event::Alone);
            assert_eq!(effect, Some(Effect::Exit(expected)), "{status}");
        }
    }

    #[test]
    fn what_is_left_is_asked_then_killed_then_left_to_the_kernel() {
        let mut entrypoint = started();
        entrypoint.handle(at(10), Event::Exited(COMMAND, ExitStatus::Exited(7)));
        assert_eq!(entrypoint.next_deadline(), Some(at(13)));
        assert_eq!(entrypoint.handle(at(12), Event::DeadlinePassed), None);
        let effect = entrypoint.handle(at(13), Event::DeadlinePassed);
        assert_eq!(effect, Some(Effect::SignalRest(Signal::KILL)));
        assert_eq!(entrypoint.next_deadline(), Some(at(14)));
        let effect = entrypoint.handle(at(14), Event::DeadlinePassed);
        assert_eq!(effect, Some(Effect::Exit(7)));
    }

    #[test]
    fn a_signal_while_the_rest_ends_changes_nothing() {
        let mut entrypoint = started();
        entrypoint.handle(at(0), Event::Exited(COMMAND, ExitStatus::Exited(0)));
        let before = entrypoint.clone();
        assert_eq!(
            entrypoint.handle(at(1), Event::Signalled(Signal::TERM)),
            None
        );
        assert_eq!(entrypoint, before);
    }
}

//! What init is the first process of: a machine, or a container; and what a container's end tells its manager.
//!
//! Decides from signs that others have looked up (init(8), "CONTAINERS"); `entrypoint` decides what becomes of
//! `init -- COMMAND`.
#![forbid(unsafe_code)]

pub mod entrypoint;

use crate::process::Signal;
use crate::runlevel::Runlevel;

/// What init is the first process of.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Realm {
    /// A machine, real or virtual, with a kernel of its own.
    #[default]
    Machine,
    /// A container: somebody outside wants it to stop on SIGTERM and waits for its exit status.
    Container,
}

/// What the words init was started with say about it.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Told {
    /// Nothing.
    #[default]
    Nothing,
    /// `--container` or `--no-container`.
    Is(Realm),
}

/// Which PID namespace init is in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Namespace {
    /// The one the kernel has made as it started.
    Initial,
    /// One that somebody has made since.
    Made,
}

/// The variable container managers set: their name. Podman, LXC and systemd-nspawn do, Docker and Kubernetes do not.
pub const VARIABLE: &str = "container";

impl Realm {
    /// Decides. A word of the person who starts init counts more than any sign.
    pub fn decide(told: Told, variable_is_set: bool, namespace: Namespace) -> Self {
        match (told, namespace) {
            (Told::Is(realm), _) => realm,
            (Told::Nothing, Namespace::Made) => Self::Container,
            (Told::Nothing, Namespace::Initial) if variable_is_set => Self::Container,
            (Told::Nothing, Namespace::Initial) => Self::Machine,
        }
    }
}

/// How a container ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    /// It has been halted or switched off.
    Halt,
    /// It is to be started again.
    Restart,
}

impl Ending {
    /// The exit status of init. A restart has the one by which systemd and systemd-nspawn tell of theirs; as it is not
    /// zero, a restart policy such as `on-failure` does the right thing.
    pub const fn status(self) -> u8 {
        match self {
            Self::Halt => 0,
            Self::Restart => 133,
        }
    }

    /// The exit status of init where there was a command: that of the command, unless it is to be started again.
    pub fn status_after(self, command: Option<u8>) -> u8 {
        match (self, command) {
            (Self::Halt, Some(status)) => status,
            (Self::Halt | Self::Restart, _) => self.status(),
        }
    }
}

/// The signal by which a container's manager asks for a level, if there is one. A machine's init does not listen to it.
pub fn stop_signal(level: Runlevel) -> Option<Signal> {
    match level {
        Runlevel::HALT => Some(Signal::HALT),
        Runlevel::REBOOT => Some(Signal::RESTART),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_namespace_or_the_variable_makes_a_container() {
        let decide = |variable, namespace| Realm::decide(Told::Nothing, variable, namespace);
        assert_eq!(decide(false, Namespace::Initial), Realm::Machine);
        assert_eq!(decide(true, Namespace::Initial), Realm::Container);
        assert_eq!(decide(false, Namespace::Made), Realm::Container);
        assert_eq!(decide(true, Namespace::Made), Realm::Container);
    }

    #[test]
    fn a_word_counts_more_than_any_sign() {
        for realm in [Realm::Machine, Realm::Container] {
            for variable in [false, true] {
                for namespace in [Namespace::Initial, Namespace::Made] {
                    assert_eq!(Realm::decide(Told::Is(realm), variable, namespace), realm);
                }
            }
        }
    }

    #[test]
    fn only_levels_that_end_a_container_have_a_signal() {
        let signals = |levels: &[u8]| -> Vec<Option<Signal>> {
            let levels = levels
                .iter()
                .filter_map(|level| Runlevel::from_byte(*level));
            levels.map(stop_signal).collect()
        };
        let expected = [Some(Signal::HALT), Some(Signal::RESTART)];
        assert_eq!(signals(b"06"), expected);
        assert_eq!(signals(b"12345S"), [None; 6]);
    }

    #[test]
    fn managers_tell_a_restart_from_a_halt() {
        assert_eq!(Ending::Halt.status(), 0);
        assert_eq!(Ending::Restart.status(), 133);
        assert_eq!(Ending::Halt.status_after(Some(7)), 7);
        assert_eq!(Ending::Restart.status_after(Some(7)), 133);
    }
}

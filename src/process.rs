//! What the kernel says of a process, as plain values: its number, how it ended, the signals it can be sent.
//!
//! Decides nothing; these are the words `supervisor`, `snapshot` and `utmp` share with `sys`.
#![forbid(unsafe_code)]

use std::fmt;

/// A process number, always above zero.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pid(i32);

impl Pid {
    /// Takes a number as the kernel gave it; zero and negative numbers name groups or errors, not a process.
    pub const fn new(number: i32) -> Option<Self> {
        if number > 0 { Some(Self(number)) } else { None }
    }

    /// Returns the number.
    pub const fn get(self) -> i32 {
        self.0
    }
}

impl fmt::Display for Pid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// A signal number of this kernel (signal(7)); Linux numbers are the same on every architecture we build for
/// in the range used here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Signal(pub i32);

impl Signal {
    /// Hang-up: re-read inittab.
    pub const HUP: Self = Self(1);
    /// Interrupt: Ctrl-Alt-Del.
    pub const INT: Self = Self(2);
    /// Quit.
    pub const QUIT: Self = Self(3);
    /// Kill, which nothing can catch.
    pub const KILL: Self = Self(9);
    /// First of the two free signals: close and open the FIFO.
    pub const USR1: Self = Self(10);
    /// Segmentation violation.
    pub const SEGV: Self = Self(11);
    /// Second of the two free signals: close the FIFO.
    pub const USR2: Self = Self(12);
    /// Alarm clock: look at the holds again.
    pub const ALRM: Self = Self(14);
    /// Termination request.
    pub const TERM: Self = Self(15);
    /// A child ended.
    pub const CHLD: Self = Self(17);
    /// Go on.
    pub const CONT: Self = Self(18);
    /// Stop, which nothing can catch.
    pub const STOP: Self = Self(19);
    /// Stop from the terminal: init pauses its work until `CONT`.
    pub const TSTP: Self = Self(20);
    /// A program in a terminal's background has written to it or set it.
    pub const TTOU: Self = Self(22);
    /// Window size: the keyboard request.
    pub const WINCH: Self = Self(28);
    /// Power status changed.
    pub const PWR: Self = Self(30);
    /// SIGRTMIN+4 as glibc counts: container managers ask for power-off with it. The number is 38 on every
    /// libc, because senders use glibc's.
    pub const POWER_OFF: Self = Self(38);
    /// SIGRTMIN+3: a container manager asks for a halt.
    pub const HALT: Self = Self(37);
    /// SIGRTMIN+5: a container manager asks for a restart.
    pub const RESTART: Self = Self(39);
    /// SIGRTMIN+13: all services are stopped, and init is to exit.
    pub const HALT_NOW: Self = Self(47);
    /// SIGRTMIN+14: the same, for a power-off.
    pub const POWER_OFF_NOW: Self = Self(48);
    /// SIGRTMIN+15: the same, for a restart.
    pub const RESTART_NOW: Self = Self(49);
}

impl fmt::Display for Signal {
    /// Prints the name where there is a common one, and the number otherwise.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = match self.0 {
            1 => "SIGHUP",
            2 => "SIGINT",
            3 => "SIGQUIT",
            4 => "SIGILL",
            6 => "SIGABRT",
            8 => "SIGFPE",
            9 => "SIGKILL",
            11 => "SIGSEGV",
            13 => "SIGPIPE",
            14 => "SIGALRM",
            15 => "SIGTERM",
            number => return write!(f, "signal {number}"),
        };
        f.write_str(name)
    }
}

/// How a process ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum ExitStatus {
    /// It called exit with this code (0 to 255).
    Exited(u8),
    /// A signal ended it.
    Killed(Signal),
}

impl ExitStatus {
    /// Takes apart the status word of waitpid(2), as the re-exec state text carries it.
    pub const fn from_word(word: u32) -> Self {
        match word & 0x7f {
            // The mask makes the truncation exact.
            0 => Self::Exited(((word >> 8) & 0xff) as u8),
            signal => Self::Killed(Signal(signal.cast_signed())),
        }
    }

    /// Makes the status word of waitpid(2), without the core-dump flag.
    pub const fn to_word(self) -> u32 {
        match self {
            Self::Exited(code) => (code as u32) << 8,
            Self::Killed(signal) => signal.0.cast_unsigned() & 0x7f,
        }
    }

    /// Makes the exit code by which a shell passes it on: 128 and the signal's number for one that was killed.
    pub const fn as_shell_code(self) -> u8 {
        match self {
            Self::Exited(code) => code,
            // The kernel has 64 signals; what is no signal of it counts as the highest code.
            Self::Killed(Signal(number @ 1..=64)) => 128 + number.to_le_bytes()[0],
            Self::Killed(_) => u8::MAX,
        }
    }

    /// Tells whether the process ended with exit code 0.
    pub const fn is_success(self) -> bool {
        matches!(self, Self::Exited(0))
    }
}

impl fmt::Display for ExitStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Exited(code) => write!(f, "exit {code}"),
            Self::Killed(signal) => write!(f, "killed by {signal}"),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_below_one_are_no_process() {
        assert_eq!(Pid::new(0), None);
        assert_eq!(Pid::new(-5), None);
        assert_eq!(Pid::new(7).map(Pid::get), Some(7));
    }

    #[test]
    fn every_exit_code_and_signal_survives_the_status_word() {
        for code in 0..=255 {
            let status = ExitStatus::Exited(code);
            assert_eq!(ExitStatus::from_word(status.to_word()), status);
        }
        for number in 1..=64 {
            let status = ExitStatus::Killed(Signal(number));
            assert_eq!(ExitStatus::from_word(status.to_word()), status);
        }
    }

    #[test]
    fn an_ending_is_told_with_the_signals_name() {
        for (status, text) in [
            (ExitStatus::Exited(3), "exit 3"),
            (ExitStatus::Killed(Signal::SEGV), "killed by SIGSEGV"),
            (ExitStatus::Killed(Signal(40)), "killed by signal 40"),
        ] {
            assert_eq!(status.to_string(), text);
        }
    }

    #[test]
    fn a_core_dump_counts_as_killed_by_its_signal() {
        assert_eq!(
            ExitStatus::from_word(0x8b),
            ExitStatus::Killed(Signal::SEGV)
        );
    }
}

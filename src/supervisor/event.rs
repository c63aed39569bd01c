//! What can happen to init: the inputs of [`Supervisor::handle`](super::Supervisor::handle).
#![forbid(unsafe_code)]

use super::SlotKey;
use crate::initctl::{PowerStatus, Request};
use crate::inittab::Inittab;
use crate::process::{ExitStatus, Pid, Signal};

/// One occurrence, already read from the kernel. Any event is legal in any state.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// PID 1 is ready to begin: the first event of a fresh boot.
    Booted,
    /// PID 1 took over a running system: the first event after a re-execution.
    Resumed,
    /// The answer to [`Effect::ReadTable`](super::Effect::ReadTable).
    TableLoaded(Inittab),
    /// The table could not be read, and why has been said: the one in force stays.
    TableUnreadable,
    /// A process was forked for the slot.
    Spawned {
        /// Which slot asked for it.
        key: SlotKey,
        /// The process to track.
        pid: Pid,
    },
    /// No process could be forked for the slot.
    SpawnFailed {
        /// Which slot asked for it.
        key: SlotKey,
        /// What the kernel said.
        reason: String,
    },
    /// A forked process could not execute its program; its exit follows as an event of its own.
    ExecFailed {
        /// The first word of the command.
        program: Box<[u8]>,
    },
    /// A child, known or adopted, has ended and was reaped.
    Exited {
        /// Its number.
        pid: Pid,
        /// How it ended.
        status: ExitStatus,
    },
    /// The answer to [`Effect::LookForGroup`](super::Effect::LookForGroup) where there are members.
    GroupOutlives {
        /// The process that led it.
        leader: Pid,
    },
    /// The answer to [`Effect::Spawn`](super::Effect::Spawn) where the entry is a getty and has nothing to serve.
    TerminalMissing {
        /// Which slot asked for it.
        key: SlotKey,
        /// The terminal, below `/dev`.
        terminal: Box<[u8]>,
    },
    /// A request came through the initctl FIFO.
    Requested(Request),
    /// A signal was sent to PID 1 (any but `SIGCHLD`, which arrives as exits).
    Signalled(Signal),
    /// The answer to [`Effect::ReadPowerStatus`](super::Effect::ReadPowerStatus).
    PowerChanged(PowerStatus),
    /// The re-execution asked for by [`Effect::ReExec`](super::Effect::ReExec) did not happen.
    ReExecFailed,
    /// The time of [`Supervisor::next_deadline`](super::Supervisor::next_deadline) has come.
    DeadlinePassed,
}

//! What must be done about an event: the outputs of [`Supervisor::handle`](super::Supervisor::handle).
#![forbid(unsafe_code)]

use super::{Phase, SlotKey};
use crate::container::Ending;
use crate::inittab::{Action, Entry, EntryId};
use crate::process::{Pid, Signal};
use crate::runlevel::Runlevel;
use std::time::Duration;

/// One thing to do. Effects are performed in the order in which they were returned; what comes of them is
/// told as further events.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Effect {
    /// Start a process; the answer is `Spawned` or `SpawnFailed`.
    Spawn(Box<Start>),
    /// Send a signal to the process group that `leader` leads.
    SignalGroup {
        /// Number of the group, which is the pid of the process init started.
        leader: Pid,
        /// What to send.
        signal: Signal,
    },
    /// Look whether a group has members although its leader has ended; if so the answer is `GroupOutlives`.
    LookForGroup {
        /// The process that led it.
        leader: Pid,
    },
    /// Read inittab and inittab.d; the answer is `TableLoaded` or `TableUnreadable`.
    ReadTable,
    /// Read and remove the power status file; the answer is `PowerChanged`.
    ReadPowerStatus,
    /// Write an accounting record.
    Account(Occurrence),
    /// Write the boot and level records again if a boot script has emptied utmp.
    RepairAccounting,
    /// Write `/var/run/runlevel`.
    WriteRunlevel(u8),
    /// Show this as the process title.
    SetTitle(Title),
    /// Tell people.
    Say(Sink, String),
    /// Add to the boot record what has become of an entry beside its processes.
    Note {
        /// The entry.
        id: EntryId,
        /// What it is there for.
        action: Action,
        /// What there is to know.
        text: String,
    },
    /// Give the console sane terminal settings.
    ResetConsole,
    /// Drop the FIFO and open it again.
    ReopenFifo,
    /// Drop the FIFO until told to reopen it.
    CloseFifo,
    /// End the container: exit with this status. What is left is asked to end first, unless all of it has been.
    EndContainer {
        /// How it ends.
        ending: Ending,
        /// The exit status of init.
        status: u8,
        /// What is left.
        rest: Rest,
    },
    /// Replace the running image by `/sbin/init`, handing over the state; `ReExecFailed` if that fails.
    ReExec,
}

/// What happens to the processes that are left when a container ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rest {
    /// They are sent TERM, and KILL after the grace time.
    AskedToEnd(Duration),
    /// The kernel ends them with init.
    LeftToKernel,
}

/// Everything that is needed to start one process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Start {
    /// To be given back in the answer.
    pub key: SlotKey,
    /// Which program this is.
    pub program: Program,
    /// What the process gets as terminal.
    pub console: ConsoleUse,
    /// `RUNLEVEL` of its environment.
    pub runlevel: u8,
    /// `PREVLEVEL` of its environment.
    pub previous: u8,
    /// What the machine is going through; single-user mode never uses initscript(5).
    pub phase: Phase,
}

/// What a process runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Program {
    /// The process field of an entry.
    Entry(Entry),
    /// The question `Enter runlevel:` on the console; its exit code is the level's character.
    AskRunlevel,
}

/// How a process gets the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConsoleUse {
    /// As descriptors 0, 1 and 2 without a controlling terminal.
    Shared,
    /// As controlling terminal, so that ^C reaches what start-up scripts run.
    Controlling,
}

/// An occurrence that utmp and wtmp record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Occurrence {
    /// The machine was started.
    BootTime,
    /// A level was entered.
    RunlevelChange {
        /// The new level.
        new: Runlevel,
        /// The one before, if any.
        previous: Option<Runlevel>,
    },
    /// A process started for an entry has ended.
    ProcessEnded {
        /// The entry.
        id: EntryId,
        /// Its process.
        pid: Pid,
    },
}

/// What `ps` shows of PID 1.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Title {
    /// `init boot`
    Boot,
    /// `init [3]`
    Level(Runlevel),
}

/// Who is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sink {
    /// The console only.
    Console,
    /// syslog only.
    Syslog,
    /// syslog, then the console.
    Both,
}

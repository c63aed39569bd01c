//! The whole state of PID 1 as one value, and its text form in both directions.
//!
//! The text is the one the C sysvinit hands over on `telinit u` (init(8)), so a running system changes from it
//! to us and back. It also is what `/run/init.state` holds and what init re-executes itself from after a crash.
//! This module decides what the text says and what a damaged text still tells; it reads no file and takes no
//! decision about any process.
//!
//! Each line is a token of three characters and its value; a reader skips the lines whose token it does not know.
//! Tokens that begin with `X` are ours.
//!
//! ```text
//! 12567362VER@(#) init 3.14 sysvinit-rs 0.1.0      signature, version
//! -RL3  -TL3  -PLN      where init is (`#` sysinit, `*` boot), RUNLEVEL, PREVLEVEL
//! -SI0                  pending signals, bit n for signal n
//! -WR1  -WU1            boot record written to wtmp, utmp
//! -LW1  -LU1            runlevel record written to wtmp, utmp
//! -ST3  -DB1            grace time in seconds; boot phase done
//! XSV1                  schema of our own tokens
//! XBL3                  runlevel chosen for this boot
//! XSI38                 one for each pending signal above 31
//! XENINIT_HALT=HALT     one for each variable clients have set; \\, \n and \0 stand for themselves escaped
//! XLK  XPA1  XEM1       last key given to an entry; paused; emergency shell wanted
//! XPU  XSS  XSN1  XRR1  nothing starts until, round of level S began, nothing was left, table to be read
//! XHA  XHE  XHP  XHD    process that asks for a level, emergency shell, power-off, shutdown without rc (0: wanted)
//! XDS                   when something has happened last in level 0 or 6
//! XGT                   processes have until then after TERM (XGK: after KILL), and who (id last):
//! XGP217 1 1  XGD217    pid, is accounted, id; a leader that has ended
//! XGO217 5000           a group that has outlived its leader, and until when it may
//! XRQ19690903...        a request that waits; FIFO bytes not used yet (XFB), FIFO closed (XFC1)
//! XCR5000               when init crashed a moment ago
//! REC1  LEV2345         id and runlevels field
//! FL RU                 one for each of RU (running) DE (on demand) XD (executed) WT (waited for)
//! PID217  EXS0          process, wait status of the last one
//! AC respawn  CMD/sbin/getty tty1
//! XST  XEK1  XHU  XTC  XTW     started at, status is known, held until, starts counted since
//! XKY3  XMT1            key; its terminal was missing, which has been said
//! EOR                   further records in working order, then
//! END
//! ```
//! (One token a line; times are nanoseconds since the machine was started.)
#![forbid(unsafe_code)]

mod read;
mod under_way;
mod write;

pub use read::{ProblemKind, SnapshotError, SnapshotProblem};
pub use under_way::{Helper, Leaving, Stop, UnderWay};
pub(crate) use write::{hex, unhex};

use crate::inittab::{Entry, MAX_ENTRIES};
use crate::process::{ExitStatus, Pid, Signal};
use crate::runlevel::Runlevel;
use crate::uptime::Uptime;
use std::collections::BTreeSet;
use std::time::Duration;

/// The bytes a state text begins with, without a newline behind them.
pub const SIGNATURE: &[u8; 8] = b"12567362";

/// What stands behind `VER` in our texts. The first words are the release of the original that we stand in for.
pub const VERSION: &str = concat!("@(#) init 3.14 sysvinit-rs ", env!("CARGO_PKG_VERSION"));

/// The meaning of our own tokens; counted up when one changes its meaning, not when one is added.
pub const SCHEMA: u32 = 1;

/// The most records taken from a text: a full table and the entries init makes itself.
pub const MAX_RECORDS: usize = MAX_ENTRIES + 1_000;

/// The most problems listed for one text.
pub const MAX_PROBLEMS: usize = 100;

/// How far the machine has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub enum Phase {
    /// The sysinit entries run (`#` in the text).
    #[default]
    SysInit,
    /// The boot and bootwait entries run (`*` in the text).
    Boot,
    /// A runlevel has been entered.
    Normal(Runlevel),
}

impl Phase {
    /// Reads the character that stands for it.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'#' => Some(Self::SysInit),
            b'*' => Some(Self::Boot),
            _ => match Runlevel::from_byte(byte) {
                Some(level) => Some(Self::Normal(level)),
                None => None,
            },
        }
    }

    /// Returns the character that stands for it.
    pub const fn as_byte(self) -> u8 {
        match self {
            Self::SysInit => b'#',
            Self::Boot => b'*',
            Self::Normal(level) => level.as_byte(),
        }
    }
}

/// Which accounting records have really reached their files (utmp(5)); the others are still owed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four independent facts, each with a token of its own"
)]
pub struct Written {
    /// The boot record, to wtmp.
    pub boot_to_wtmp: bool,
    /// The boot record, to utmp.
    pub boot_to_utmp: bool,
    /// The runlevel record, to wtmp.
    pub level_to_wtmp: bool,
    /// The runlevel record, to utmp.
    pub level_to_utmp: bool,
}

/// The flags of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "the four flags of the text, in any combination"
)]
pub struct Flags {
    /// `RU`: a process of the entry lives.
    pub running: bool,
    /// `DE`: called for by a pseudo-runlevel.
    pub on_demand: bool,
    /// `XD`: started since the runlevel was entered.
    pub executed: bool,
    /// `WT`: later entries wait for it.
    pub waiting: bool,
}

/// One entry of the table and what became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The line of inittab.
    pub entry: Entry,
    /// The flags the original knows too.
    pub flags: Flags,
    /// The process that lives, or the last one that did.
    pub pid: Option<Pid>,
    /// How the last process ended. A text of the original cannot tell exit code 0 from "has not ended yet";
    /// both are `None` here.
    pub exit: Option<ExitStatus>,
    /// When the process was started.
    pub started: Option<Uptime>,
    /// Until when the entry is held for respawning too fast.
    pub held_until: Option<Uptime>,
    /// How many starts count towards a hold.
    pub starts: u32,
    /// Since when they are counted.
    pub counted_since: Option<Uptime>,
    /// What answers about its process name it by; nothing in a text of the original.
    pub key: Option<u64>,
    /// Whether its terminal was missing, which has been said.
    pub misses_terminal: bool,
}

impl Record {
    /// Makes the record of an entry that never ran.
    pub fn new(entry: Entry) -> Self {
        Self {
            entry,
            flags: Flags::default(),
            pid: None,
            exit: None,
            started: None,
            held_until: None,
            starts: 0,
            counted_since: None,
            key: None,
            misses_terminal: false,
        }
    }
}

/// Everything PID 1 knows. Two inits are in the same state when their snapshots are equal.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Snapshot {
    /// What the writer says of itself; see [`VERSION`].
    pub version: Box<[u8]>,
    /// The writer's [`SCHEMA`]; `None` in a text of the original.
    pub schema: Option<u32>,
    /// How far the machine has come.
    pub phase: Phase,
    /// What children see as RUNLEVEL: S until a runlevel has been entered.
    pub level: Option<Runlevel>,
    /// What children see as PREVLEVEL; `None` is printed as N.
    pub previous_level: Option<Runlevel>,
    /// Signals that have arrived and are not yet acted upon.
    pub pending_signals: BTreeSet<Signal>,
    /// Which accounting records are written.
    pub written: Written,
    /// The time between TERM and KILL, of which the text keeps whole seconds.
    pub grace_time: Duration,
    /// Whether the boot and bootwait entries have run.
    pub boot_done: bool,
    /// The runlevel the kernel's words, the user or initdefault chose for this boot.
    pub boot_level: Option<Runlevel>,
    /// The `NAME=VALUE` words clients have set for children.
    pub environment: Vec<Box<[u8]>>,
    /// What has been begun and is not done.
    pub under_way: UnderWay,
    /// When init crashed a short while ago.
    pub crashes: Vec<Uptime>,
    /// The table in working order.
    pub records: Vec<Record>,
}

impl Default for Snapshot {
    /// The state before the first entry runs.
    fn default() -> Self {
        Self {
            version: VERSION.as_bytes().into(),
            schema: Some(SCHEMA),
            phase: Phase::SysInit,
            level: Some(Runlevel::SINGLE),
            previous_level: None,
            pending_signals: BTreeSet::new(),
            written: Written::default(),
            // init(8): three seconds, unless a client has asked for another time.
            grace_time: Duration::from_secs(3),
            boot_done: false,
            boot_level: None,
            environment: Vec::new(),
            under_way: UnderWay::default(),
            crashes: Vec::new(),
            records: Vec::new(),
        }
    }
}

impl Snapshot {
    /// Writes the text, signature first.
    ///
    /// A newline or NUL byte would end a value early; the table's parser lets neither into an entry, and
    /// variables are escaped.
    pub fn to_text(&self) -> Vec<u8> {
        write::text(self)
    }

    /// Reads a text from its signature on, and lists what in it could not be used.
    ///
    /// The caller bounds the text. A text that breaks off keeps the records that are complete.
    ///
    /// # Errors
    /// [`SnapshotError`] where the text is none, or does not tell how far the machine has come.
    pub fn from_text(text: &[u8]) -> Result<(Self, Vec<SnapshotProblem>), SnapshotError> {
        read::snapshot(text)
    }
}

#[cfg(test)]
mod tests;

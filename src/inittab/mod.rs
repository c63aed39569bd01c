//! The vocabulary of inittab(5): entries, their ids and actions, and the table they stand in.
//!
//! `parse` turns bytes into a table and diagnostics, `autocon` adds gettys the kernel command line asks for,
//! `default_level` finds the runlevel to boot to, and `command` turns a process field into what to run.
#![forbid(unsafe_code)]

pub mod autocon;
pub mod check;
pub mod command;
pub mod default_level;
pub mod diagnostic;
pub mod parse;

use crate::runlevel::RunlevelSet;
use std::fmt;

/// The longest id: `ut_id` of utmp(5) has four bytes, and records of longer ids could not be told apart.
pub const MAX_ID: usize = 4;

/// The most entries a table takes. No real system comes near; a runaway generator must not eat the memory
/// that the rest of the boot needs.
pub const MAX_ENTRIES: usize = 100_000;

/// The most problems listed for one reading, so that a file of garbage costs no more memory than its bytes.
pub const MAX_DIAGNOSTICS: usize = 1_000;

/// The first field of a line: names the entry here and its accounting records in utmp(5), whose `ut_id`
/// has room for four bytes.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct EntryId(Box<[u8]>);

impl EntryId {
    /// Takes an id as written, any bytes.
    pub fn new(bytes: impl Into<Box<[u8]>>) -> Self {
        Self(bytes.into())
    }

    /// The id `~~`, which fallback entries share and which may repeat.
    pub fn fallback() -> Self {
        Self(Box::from(*b"~~"))
    }

    /// Returns the bytes as written.
    pub fn as_bytes(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Display for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.0.escape_ascii())
    }
}

impl fmt::Debug for EntryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.0.escape_ascii())
    }
}

/// The third field of a line: when the process is started and what waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Action {
    /// Started whenever its level matches and it is not running.
    Respawn,
    /// Started once on entering a level; later entries wait for it.
    Wait,
    /// Started once on entering a level.
    Once,
    /// Started during the boot phase, never stopped by a change of level.
    Boot,
    /// Started during the boot phase; later entries wait for it.
    BootWait,
    /// Started before everything else; later entries wait for it.
    SysInit,
    /// Never started; stopped where it runs.
    Off,
    /// Started when its pseudo-runlevel is called for, then as `Respawn`.
    OnDemand,
    /// Names the level to enter after boot; has no process.
    InitDefault,
    /// Started when power fails; later entries wait for it.
    PowerWait,
    /// Started when power fails.
    PowerFail,
    /// Started when power is back; later entries wait for it.
    PowerOkWait,
    /// Started when the battery is almost empty; later entries wait for it.
    PowerFailNow,
    /// Started on Ctrl-Alt-Del; later entries wait for it.
    CtrlAltDel,
    /// Started on the keyboard request key.
    KbRequest,
}

impl Action {
    /// Every action with the name inittab(5) gives it.
    pub const NAMES: [(&'static str, Self); 15] = [
        ("respawn", Self::Respawn),
        ("wait", Self::Wait),
        ("once", Self::Once),
        ("boot", Self::Boot),
        ("bootwait", Self::BootWait),
        ("sysinit", Self::SysInit),
        ("off", Self::Off),
        ("ondemand", Self::OnDemand),
        ("initdefault", Self::InitDefault),
        ("powerwait", Self::PowerWait),
        ("powerfail", Self::PowerFail),
        ("powerokwait", Self::PowerOkWait),
        ("powerfailnow", Self::PowerFailNow),
        ("ctrlaltdel", Self::CtrlAltDel),
        ("kbrequest", Self::KbRequest),
    ];

    /// Reads an action's name in any case.
    pub fn from_name(name: &[u8]) -> Option<Self> {
        Self::NAMES
            .iter()
            .find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))
            .map(|&(_, action)| action)
    }

    /// Returns the name as inittab(5) spells it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Respawn => "respawn",
            Self::Wait => "wait",
            Self::Once => "once",
            Self::Boot => "boot",
            Self::BootWait => "bootwait",
            Self::SysInit => "sysinit",
            Self::Off => "off",
            Self::OnDemand => "ondemand",
            Self::InitDefault => "initdefault",
            Self::PowerWait => "powerwait",
            Self::PowerFail => "powerfail",
            Self::PowerOkWait => "powerokwait",
            Self::PowerFailNow => "powerfailnow",
            Self::CtrlAltDel => "ctrlaltdel",
            Self::KbRequest => "kbrequest",
        }
    }

    /// Tells whether later entries wait until the process has ended.
    pub const fn is_waited_for(self) -> bool {
        matches!(
            self,
            Self::SysInit
                | Self::BootWait
                | Self::Wait
                | Self::PowerWait
                | Self::PowerOkWait
                | Self::PowerFailNow
                | Self::CtrlAltDel
        )
    }

    /// Tells whether an event (power, Ctrl-Alt-Del, keyboard request) and not a level starts the entry.
    pub const fn is_event_driven(self) -> bool {
        matches!(
            self,
            Self::PowerWait
                | Self::PowerFail
                | Self::PowerOkWait
                | Self::PowerFailNow
                | Self::CtrlAltDel
                | Self::KbRequest
        )
    }

    /// Tells whether init looks at the entry before all others, wherever the file has it: a running
    /// `powerwait` must be able to hold back everything else. A keyboard request keeps its place.
    pub const fn goes_first(self) -> bool {
        self.is_event_driven() && !matches!(self, Self::KbRequest)
    }

    /// Tells whether entering a runlevel can start the entry.
    pub const fn is_started_by_level(self) -> bool {
        matches!(
            self,
            Self::Respawn | Self::Wait | Self::Once | Self::OnDemand
        )
    }
}

/// One line of the table.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// First field.
    pub id: EntryId,
    /// The runlevels field as init keeps it and prints it: the default levels where the line left it empty,
    /// `#` for sysinit, `*` for boot and bootwait. Empty for an initdefault that names no level.
    pub levels: Box<[u8]>,
    /// What `levels` contains.
    pub runlevels: RunlevelSet,
    /// Third field.
    pub action: Action,
    /// Fourth field as written, with its `+` and `@` marks.
    pub process: Box<[u8]>,
}

impl Entry {
    /// Puts an entry together; an empty runlevels field gets the action's default levels, and the phases'
    /// entries get their marks whatever the field says.
    ///
    /// An initdefault entry keeps its empty field, so that "no level named" can be told from "all levels named".
    pub fn new(id: EntryId, levels: &[u8], action: Action, process: &[u8]) -> Self {
        let levels: &[u8] = match action {
            Action::SysInit => b"#",
            Action::Boot | Action::BootWait => b"*",
            Action::PowerWait
            | Action::PowerFail
            | Action::PowerOkWait
            | Action::PowerFailNow
            | Action::CtrlAltDel
                if levels.is_empty() =>
            {
                b"S0123456789"
            }
            Action::InitDefault => levels,
            _ if levels.is_empty() => b"0123456789",
            _ => levels,
        };
        Self {
            id,
            levels: levels.into(),
            runlevels: RunlevelSet::parse(levels),
            action,
            process: process.into(),
        }
    }
}

/// The whole table in the order in which init looks at it: power and Ctrl-Alt-Del entries first, the rest in
/// the order of the file, the fallback and inittab.d behind it.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Inittab {
    /// The entries, in working order.
    pub entries: Vec<Entry>,
    /// Ids of lines that were left out for what else is wrong with them.
    pub broken: Vec<EntryId>,
}

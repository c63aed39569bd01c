//! Accounting records: what stands in utmp and wtmp (utmp(5)), and which record an occurrence calls for.
//!
//! Decides the bytes of a record, which old record a new one replaces, and how a runlevel is written down.
//! Reading and writing the files is `sys::utmp`'s work. The wall clock is not read here: constructors leave the
//! time at zero, and `sys` fills it in.
//!
//! The layout is glibc's on x86, 384 bytes. Integers are in the machine's own byte order.
//!
//! | offset | size | field | offset | size | field |
//! |---|---|---|---|---|---|
//! | 0 | 2 | kind | 332 | 2 + 2 | signal and exit code of the process |
//! | 4 | 4 | pid | 336 | 4 | session |
//! | 8 | 32 | line | 340 | 4 | seconds |
//! | 40 | 4 | id | 344 | 4 | microseconds |
//! | 44 | 32 | user | 348 | 16 | address |
//! | 76 | 256 | host | 364 | 20 | unused |
#![forbid(unsafe_code)]

#[cfg(test)]
mod tests;

use std::fmt;

use crate::process::Pid;
use crate::runlevel::Runlevel;

/// Size of a record.
pub const RECORD_SIZE: usize = 384;

/// What a record tells.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// The runlevel changed, or the machine goes down.
    RunLevel,
    /// The machine was started.
    BootTime,
    /// Init started a process.
    InitProcess,
    /// A process waits for a login.
    LoginProcess,
    /// Somebody is logged in.
    UserProcess,
    /// A process ended.
    DeadProcess,
    /// Anything else, by its number: empty (0), a clock that was set (3, 4), accounting (9) ...
    Other(i16),
}

impl Kind {
    const fn from_number(number: i16) -> Self {
        match number {
            1 => Self::RunLevel,
            2 => Self::BootTime,
            5 => Self::InitProcess,
            6 => Self::LoginProcess,
            7 => Self::UserProcess,
            8 => Self::DeadProcess,
            number => Self::Other(number),
        }
    }

    const fn number(self) -> i16 {
        match self {
            Self::RunLevel => 1,
            Self::BootTime => 2,
            Self::InitProcess => 5,
            Self::LoginProcess => 6,
            Self::UserProcess => 7,
            Self::DeadProcess => 8,
            Self::Other(number) => number,
        }
    }

    /// Tells whether records of this kind are about one process on one line.
    pub const fn is_about_a_process(self) -> bool {
        matches!(self.number(), 5..=8)
    }

    /// Tells whether one record of this kind stands for the whole machine.
    const fn is_about_the_machine(self) -> bool {
        matches!(self.number(), 1..=4)
    }
}

/// A text field: at most `SIZE` bytes, filled up with NULs. What a careless writer has left behind the first NUL is
/// kept, and is no part of the text.
#[derive(Clone, Copy, Eq)]
pub struct Text<const SIZE: usize>([u8; SIZE]);

impl<const SIZE: usize> PartialEq for Text<SIZE> {
    fn eq(&self, other: &Self) -> bool {
        self.as_bytes() == other.as_bytes()
    }
}

impl<const SIZE: usize> Text<SIZE> {
    /// Takes as many of the bytes as the field holds; the file format leaves no other choice.
    pub fn new(text: impl AsRef<[u8]>) -> Self {
        let mut field = [0; SIZE];
        for (place, &byte) in field.iter_mut().zip(text.as_ref()) {
            *place = byte;
        }
        Self(field)
    }

    /// Returns the bytes before the first NUL.
    pub fn as_bytes(&self) -> &[u8] {
        self.0.split(|&byte| byte == 0).next().unwrap_or_default()
    }

    /// Tells whether the field holds nothing.
    pub fn is_empty(&self) -> bool {
        self.as_bytes().is_empty()
    }
}

impl<const SIZE: usize> Default for Text<SIZE> {
    fn default() -> Self {
        Self([0; SIZE])
    }
}

impl<const SIZE: usize> fmt::Debug for Text<SIZE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{}\"", self.as_bytes().escape_ascii())
    }
}

/// One accounting record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// What it tells.
    pub kind: Kind,
    /// The process, or the runlevels of a [`Kind::RunLevel`] record.
    pub pid: i32,
    /// The terminal's name below /dev, or `~`.
    pub line: Text<32>,
    /// The inittab id, or what a login program made up.
    pub id: Text<4>,
    /// Who is logged in.
    pub user: Text<32>,
    /// From where, or the kernel's release.
    pub host: Text<256>,
    /// Signal that ended the process, and its exit code.
    pub exit: (i16, i16),
    /// The session.
    pub session: i32,
    /// Wall clock, seconds since 1970.
    pub seconds: i32,
    /// Wall clock, the part below a second.
    pub microseconds: i32,
    /// Address of a remote host.
    pub address: [u8; 16],
}

/// The two runlevels of a [`Kind::RunLevel`] record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Levels {
    /// Where the machine came from: a level's character, `N`, or 0 where there was none.
    pub previous: u8,
    /// Where it is: a level's character, or 0 in the record of a shutdown.
    pub current: u8,
}

impl Record {
    /// A record of this kind with everything else empty.
    pub fn new(kind: Kind) -> Self {
        Self {
            kind,
            pid: 0,
            line: Text::default(),
            id: Text::default(),
            user: Text::default(),
            host: Text::default(),
            exit: (0, 0),
            session: 0,
            seconds: 0,
            microseconds: 0,
            address: [0; 16],
        }
    }

    /// The machine was started.
    pub fn boot_time() -> Self {
        Self::of_the_machine(Kind::BootTime, "~", "reboot", 0)
    }

    /// The runlevel changed. No previous level is written as `N`.
    pub fn runlevel(previous: Option<Runlevel>, new: Runlevel) -> Self {
        let pid = i32::from(new.as_byte()) + 256 * i32::from(Runlevel::byte_or_n(previous));
        Self::of_the_machine(Kind::RunLevel, "~", "runlevel", pid)
    }

    /// The machine goes down. Stands in wtmp only.
    pub fn shutdown() -> Self {
        Self::of_the_machine(Kind::RunLevel, "~~", "shutdown", 0)
    }

    /// Init started a process for the inittab entry with this id.
    pub fn init_process(id: impl AsRef<[u8]>, pid: Pid) -> Self {
        Self {
            pid: pid.get(),
            id: Text::new(id),
            ..Self::new(Kind::InitProcess)
        }
    }

    /// The process of the inittab entry with this id ended.
    pub fn dead_process(id: impl AsRef<[u8]>, pid: Pid) -> Self {
        Self {
            kind: Kind::DeadProcess,
            ..Self::init_process(id, pid)
        }
    }

    fn of_the_machine(kind: Kind, line: &str, user: &str, pid: i32) -> Self {
        Self {
            pid,
            line: Text::new(line),
            id: Text::new("~~"),
            user: Text::new(user),
            ..Self::new(kind)
        }
    }

    /// Returns the runlevels of a runlevel record.
    pub fn levels(&self) -> Option<Levels> {
        let [current, previous, ..] = self.pid.to_le_bytes();
        (self.kind == Kind::RunLevel).then_some(Levels { previous, current })
    }

    /// Tells from two fields of an encoded record whether [`replaces`](Self::replaces) can hold, so that a search
    /// through thousands of records decodes few.
    pub fn may_replace(&self, old: &[u8; RECORD_SIZE]) -> bool {
        if self.kind.is_about_the_machine() || self.id.is_empty() {
            return true;
        }
        let id = Text(field(old, 40));
        id == self.id || id.is_empty()
    }

    /// Tells whether this record takes the place of `old` in utmp: getutid(3).
    ///
    /// A machine has one record of each kind of its own; a process record replaces the one with its id, or,
    /// where either has no id, the one of its line.
    pub fn replaces(&self, old: &Self) -> bool {
        if self.kind.is_about_the_machine() {
            self.kind == old.kind
        } else if self.kind.is_about_a_process() && old.kind.is_about_a_process() {
            if self.id.is_empty() || old.id.is_empty() {
                self.line == old.line
            } else {
                self.id == old.id
            }
        } else {
            false
        }
    }

    /// Takes over from the replaced record what readers need to know of the end of a process: the line that is
    /// free again, which the login program had written there.
    #[must_use]
    pub fn inheriting(mut self, old: &Self) -> Self {
        if self.kind == Kind::DeadProcess && self.line.is_empty() {
            self.line = old.line;
        }
        self
    }

    /// Returns the bytes of the record as the files hold it.
    pub fn encode(&self) -> [u8; RECORD_SIZE] {
        let mut bytes = [0; RECORD_SIZE];
        let fields: [(usize, &[u8]); 12] = [
            (0, &self.kind.number().to_ne_bytes()),
            (4, &self.pid.to_ne_bytes()),
            (8, &self.line.0),
            (40, &self.id.0),
            (44, &self.user.0),
            (76, &self.host.0),
            (332, &self.exit.0.to_ne_bytes()),
            (334, &self.exit.1.to_ne_bytes()),
            (336, &self.session.to_ne_bytes()),
            (340, &self.seconds.to_ne_bytes()),
            (344, &self.microseconds.to_ne_bytes()),
            (348, &self.address),
        ];
        for (offset, field) in fields {
            for (place, &byte) in bytes.iter_mut().skip(offset).zip(field) {
                *place = byte;
            }
        }
        bytes
    }

    /// Reads a record; any 384 bytes are one.
    pub fn decode(bytes: &[u8; RECORD_SIZE]) -> Self {
        Self {
            kind: Kind::from_number(short(bytes, 0)),
            pid: integer(bytes, 4),
            line: Text(field(bytes, 8)),
            id: Text(field(bytes, 40)),
            user: Text(field(bytes, 44)),
            host: Text(field(bytes, 76)),
            exit: (short(bytes, 332), short(bytes, 334)),
            session: integer(bytes, 336),
            seconds: integer(bytes, 340),
            microseconds: integer(bytes, 344),
            address: field(bytes, 348),
        }
    }
}

/// Reads a field; the offsets above lie inside a record, so that it is always there.
fn field<const SIZE: usize>(bytes: &[u8; RECORD_SIZE], offset: usize) -> [u8; SIZE] {
    bytes
        .get(offset..)
        .and_then(<[u8]>::first_chunk)
        .copied()
        .unwrap_or([0; SIZE])
}

fn integer(bytes: &[u8; RECORD_SIZE], offset: usize) -> i32 {
    i32::from_ne_bytes(field(bytes, offset))
}

fn short(bytes: &[u8; RECORD_SIZE], offset: usize) -> i16 {
    i16::from_ne_bytes(field(bytes, offset))
}

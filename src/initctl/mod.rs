//! The request a client writes into the initctl FIFO: 384 bytes in one write, and no answer.
//!
//! Decides what the bytes of one request mean, and which bytes they are for a request (initctl(5), init(8)).
//! [`RequestStream`] finds the requests in what a FIFO delivers. What a request brings about is `supervisor`'s
//! work.
//!
//! | offset | size | field, all integers in the machine's own byte order |
//! |---|---|---|
//! | 0 | 4 | magic number |
//! | 4 | 4 | command |
//! | 8 | 4 | runlevel, as a character code |
//! | 12 | 4 | grace time between TERM and KILL, in seconds |
//! | 16 | 368 | environment: strings `NAME=VALUE` or `NAME`, each closed by a NUL, the last followed by another |
#![forbid(unsafe_code)]

mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::time::Duration;

pub use stream::{Received, RequestStream};

/// Size of a request. A pipe takes that much in one piece, so that two writers never mix.
pub const REQUEST_SIZE: usize = 384;

/// The first four bytes of every request.
pub const MAGIC: u32 = 0x0309_1969;

/// Every variable a request sets begins with this; init leaves all others alone.
pub const ENVIRONMENT_PREFIX: &[u8] = b"INIT_";

/// Highest command number that has a name, implemented or not.
const LAST_COMMAND: u32 = 7;
const COMMAND_RANGE: std::ops::Range<usize> = 4..8;
const LEVEL_RANGE: std::ops::Range<usize> = 8..12;
const GRACE_RANGE: std::ops::Range<usize> = 12..16;
const DATA_RANGE: std::ops::Range<usize> = 16..REQUEST_SIZE;

/// What a power daemon has to say.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum PowerStatus {
    /// Mains power is gone; the battery lasts a while.
    Failing,
    /// The battery is nearly empty.
    Low,
    /// Mains power is back.
    Restored,
}

/// One request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// Go to a runlevel, or do what another letter stands for (`Q`, `U`, `a` ...).
    ChangeLevel {
        /// The character as the client sent it. 0, which names no level, where the field held no character.
        level: u8,
        /// How long processes have between TERM and KILL.
        grace: Duration,
    },
    /// Power failed or came back.
    Power {
        /// What happened.
        status: PowerStatus,
        /// How long processes have between TERM and KILL.
        grace: Duration,
    },
    /// Set or unset variables of the processes init starts from now on.
    SetEnvironment(Vec<Assignment>),
    /// A command no init acts on.
    Unimplemented {
        /// Its number.
        command: u32,
    },
}

/// One variable of a [`Request::SetEnvironment`].
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Assignment {
    /// The variable's name.
    pub name: Box<[u8]>,
    /// Its new value; `None` unsets it.
    pub value: Option<Box<[u8]>>,
}

impl Assignment {
    /// Reads `NAME=VALUE`, or `NAME` for a variable to unset.
    pub fn parse(text: &[u8]) -> Self {
        let mut parts = text.splitn(2, |&byte| byte == b'=');
        Self {
            name: parts.next().unwrap_or_default().into(),
            value: parts.next().map(Into::into),
        }
    }

    /// Tells whether init takes this variable, or passes over it in silence.
    pub fn is_taken_by_init(&self) -> bool {
        self.name.starts_with(ENVIRONMENT_PREFIX)
    }
}

/// Why a request cannot be written as 384 bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EncodeError {
    /// The assignments need more than the 368 bytes a request has for them.
    EnvironmentTooLong {
        /// What they need.
        length: usize,
    },
    /// A name is empty or holds `=`, or a name or value holds a NUL: the reader would see something else.
    Unwritable(Assignment),
}

impl fmt::Display for EncodeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::EnvironmentTooLong { length } => write!(
                f,
                "the variables take {length} bytes, a request holds {}",
                DATA_RANGE.len()
            ),
            Self::Unwritable(assignment) => write!(
                f,
                "`{}' is not the name of a variable",
                String::from_utf8_lossy(&assignment.name)
            ),
        }
    }
}

impl std::error::Error for EncodeError {}

impl Request {
    /// Writes the request as the bytes a client sends.
    ///
    /// # Errors
    ///
    /// When the assignments do not fit or cannot be told apart again.
    pub fn encode(&self) -> Result<[u8; REQUEST_SIZE], EncodeError> {
        let (command, level, grace) = match self {
            Self::ChangeLevel { level, grace } => (1, u32::from(*level), *grace),
            Self::Power { status, grace } => {
                let command = match status {
                    PowerStatus::Failing => 2,
                    PowerStatus::Low => 3,
                    PowerStatus::Restored => 4,
                };
                (command, 0, *grace)
            }
            Self::SetEnvironment(_) => (6, 0, Duration::ZERO),
            Self::Unimplemented { command } => (*command, 0, Duration::ZERO),
        };
        let seconds = i32::try_from(grace.as_secs()).unwrap_or(i32::MAX);
        let mut bytes = Vec::with_capacity(REQUEST_SIZE);
        bytes.extend(MAGIC.to_ne_bytes());
        bytes.extend(command.to_ne_bytes());
        bytes.extend(level.to_ne_bytes());
        bytes.extend(seconds.to_ne_bytes());
        if let Self::SetEnvironment(assignments) = self {
            encode_environment(assignments, &mut bytes)?;
        }
        bytes.resize(REQUEST_SIZE, 0);
        bytes
            .try_into()
            .map_err(|bytes: Vec<u8>| EncodeError::EnvironmentTooLong {
                length: bytes.len(),
            })
    }

    /// Reads a request; `None` when the magic number is not in its place.
    ///
    /// A negative grace time counts as none. Variables whose names do not begin with `INIT_` are left out, and
    /// so is a last string without its NUL.
    pub fn decode(bytes: &[u8; REQUEST_SIZE]) -> Option<Self> {
        if integer(bytes, 0..4) != MAGIC {
            return None;
        }
        let seconds = u64::try_from(integer(bytes, GRACE_RANGE).cast_signed()).unwrap_or(0);
        let grace = Duration::from_secs(seconds);
        let power = |status| Self::Power { status, grace };
        Some(match integer(bytes, COMMAND_RANGE) {
            1 => Self::ChangeLevel {
                level: u8::try_from(integer(bytes, LEVEL_RANGE)).unwrap_or(0),
                grace,
            },
            2 => power(PowerStatus::Failing),
            3 => power(PowerStatus::Low),
            4 => power(PowerStatus::Restored),
            6 => Self::SetEnvironment(decode_environment(bytes.get(DATA_RANGE).unwrap_or(&[]))),
            command => Self::Unimplemented { command },
        })
    }
}

/// Reads one integer field; the ranges are the constants above, so none is ever missing.
fn integer(bytes: &[u8], range: std::ops::Range<usize>) -> u32 {
    bytes
        .get(range)
        .and_then(|field| field.try_into().ok())
        .map_or(0, u32::from_ne_bytes)
}

fn encode_environment(assignments: &[Assignment], bytes: &mut Vec<u8>) -> Result<(), EncodeError> {
    let mut data = Vec::new();
    for assignment in assignments {
        let value = assignment.value.as_deref();
        if assignment.name.is_empty()
            || assignment.name.iter().any(|byte| b"=\0".contains(byte))
            || value.is_some_and(|value| value.contains(&0))
        {
            return Err(EncodeError::Unwritable(assignment.clone()));
        }
        data.extend_from_slice(&assignment.name);
        if let Some(value) = value {
            data.push(b'=');
            data.extend_from_slice(value);
        }
        data.push(0);
    }
    data.push(0);
    if data.len() > DATA_RANGE.len() {
        return Err(EncodeError::EnvironmentTooLong { length: data.len() });
    }
    bytes.extend(data);
    Ok(())
}

fn decode_environment(data: &[u8]) -> Vec<Assignment> {
    // The piece after the last NUL is no string: it is empty, or its end is missing.
    let closed = data
        .iter()
        .rposition(|&byte| byte == 0)
        .and_then(|last| data.get(..last))
        .unwrap_or_default();
    closed
        .split(|&byte| byte == 0)
        .take_while(|text| !text.is_empty())
        .map(Assignment::parse)
        .filter(Assignment::is_taken_by_init)
        .collect()
}

//! What a state text can lack, and the words for it.
#![forbid(unsafe_code)]

use super::MAX_RECORDS;
use crate::inittab::EntryId;
use std::fmt;

/// Why a text is of no use.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SnapshotError {
    /// It does not begin with [`super::SIGNATURE`]: it is no state text.
    NoSignature,
    /// It does not tell how far the machine has come, as one that breaks off in its first lines.
    NoPhase,
}

impl fmt::Display for SnapshotError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NoSignature => "no state text: the signature is missing",
            Self::NoPhase => "the state text does not name the current runlevel",
        })
    }
}

impl std::error::Error for SnapshotError {}

/// What in a text could not be used, and what is taken instead.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum ProblemKind {
    /// The value of this token is not the number it should be, and is left out.
    BadNumber(&'static str),
    /// The value of this token names no runlevel, and is left out.
    BadLevel(&'static str),
    /// The action is not known; the entry is off.
    UnknownAction(Box<[u8]>),
    /// A line of a record stands outside of one, and is left out.
    OutsideRecord(&'static str),
    /// A record has no end, or no action or process; it is left out.
    UnfinishedRecord(EntryId),
    /// A NUL byte ends the value of this line early.
    Nul,
    /// More than [`MAX_RECORDS`] records; the rest is left out.
    TooManyRecords,
    /// The text breaks off before its END.
    MissingEnd,
}

impl fmt::Display for ProblemKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadNumber(token) => write!(f, "{token}: not a number in range; left out"),
            Self::BadLevel(token) => write!(f, "{token}: names no runlevel; left out"),
            Self::UnknownAction(word) => {
                write!(f, "{}: unknown action; taken as off", word.escape_ascii())
            }
            Self::OutsideRecord(token) => write!(f, "{token}: outside of a record; left out"),
            Self::UnfinishedRecord(id) => write!(f, "record \"{id}\" is not complete; left out"),
            Self::Nul => f.write_str("NUL byte; the rest of the line is left out"),
            Self::TooManyRecords => {
                write!(f, "more than {MAX_RECORDS} records; the rest is left out")
            }
            Self::MissingEnd => f.write_str("the text breaks off"),
        }
    }
}

/// One problem of a text.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct SnapshotProblem {
    /// The line, counted from 1.
    pub line: usize,
    /// What is wrong there.
    pub kind: ProblemKind,
}

impl fmt::Display for SnapshotProblem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "state text line {}: {}", self.line, self.kind)
    }
}

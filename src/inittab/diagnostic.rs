//! What can be wrong with a line of inittab(5), where it stands, and what init does about it.
//!
//! The words are the original's where it has any, so that people find what they know; place and consequence
//! are ours. Nothing here decides which line is good; that is `parse`'s work.
#![forbid(unsafe_code)]

use super::{EntryId, MAX_DIAGNOSTICS, MAX_ENTRIES, MAX_ID};
use std::fmt;

/// One of the four fields of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Field {
    /// First field.
    Id,
    /// Second field.
    Runlevels,
    /// Third field.
    Action,
    /// Fourth field, which may be empty but needs its colon.
    Process,
}

impl Field {
    /// Returns the name the original's messages use.
    const fn name(self) -> &'static str {
        match self {
            Self::Id => "id",
            Self::Runlevels => "runlevel",
            Self::Action => "action",
            Self::Process => "process",
        }
    }
}

/// What is wrong with a line, or with the file from this line on.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum Problem {
    /// The line ends before this field, or the field is empty and must not be.
    Missing(Field),
    /// The id does not fit into an accounting record.
    IdTooLong,
    /// The third field is longer than any action's name could be.
    ActionTooLong,
    /// The third field names no action.
    UnknownAction(Box<[u8]>),
    /// An earlier line has the same id.
    DuplicateId {
        /// The id both have.
        id: EntryId,
        /// The file of the earlier line.
        first_path: String,
        /// The earlier line, counted from 1.
        first_line: usize,
    },
    /// A NUL byte, which no argument of a program can hold.
    Nul,
    /// A line of a file that was written with CR LF line ends.
    CarriageReturn,
    /// A character of the runlevels field that names no runlevel and no pseudo-runlevel.
    UnknownRunlevel(u8),
    /// The table holds [`MAX_ENTRIES`] entries already.
    TooManyEntries,
    /// [`MAX_DIAGNOSTICS`] problems have been listed already.
    TooManyProblems,
}

impl Problem {
    /// Tells whether the line is left out of the table; otherwise the problem is a warning.
    pub const fn drops_the_line(&self) -> bool {
        match self {
            Self::Missing(_)
            | Self::IdTooLong
            | Self::ActionTooLong
            | Self::UnknownAction(_)
            | Self::DuplicateId { .. }
            | Self::Nul
            | Self::TooManyEntries => true,
            Self::CarriageReturn | Self::UnknownRunlevel(_) | Self::TooManyProblems => false,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Missing(field) => write!(f, "missing {} field; line ignored", field.name()),
            Self::IdTooLong => {
                write!(
                    f,
                    "id field too long (max {MAX_ID} characters); line ignored"
                )
            }
            Self::ActionTooLong => f.write_str("action field too long; line ignored"),
            Self::UnknownAction(word) => {
                write!(
                    f,
                    "{}: unknown action field; line ignored",
                    word.escape_ascii()
                )
            }
            Self::DuplicateId {
                id,
                first_path,
                first_line,
            } => write!(
                f,
                "duplicate ID field \"{id}\"; line ignored, {first_path}:{first_line} has the id"
            ),
            Self::Nul => f.write_str("NUL byte; line ignored"),
            Self::CarriageReturn => {
                f.write_str("carriage return before the end of line; left out in the whole file")
            }
            Self::UnknownRunlevel(byte) => write!(
                f,
                "'{}' names no runlevel; the rest of the field counts",
                byte.escape_ascii()
            ),
            Self::TooManyEntries => write!(
                f,
                "more than {MAX_ENTRIES} entries; this line and all after it ignored"
            ),
            Self::TooManyProblems => write!(
                f,
                "more than {MAX_DIAGNOSTICS} problems; those after this one are not listed"
            ),
        }
    }
}

/// A problem and its place. Prints as `PATH:LINE:COLUMN: what is wrong; what happens now`, on one line and
/// in printable ASCII whatever the file holds.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Diagnostic {
    /// The file, as the caller named it.
    pub path: String,
    /// The line, counted from 1 in each file.
    pub line: usize,
    /// The byte in the line, counted from 1: the start of the field at fault, the character at fault, or
    /// where something is missing.
    pub column: usize,
    /// What is wrong there.
    pub problem: Problem,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            path,
            line,
            column,
            problem,
        } = self;
        write!(f, "{path}:{line}:{column}: {problem}")
    }
}

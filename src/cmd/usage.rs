//! What is wrong with the words a program was given: said before its usage, which alone would leave the reader to
//! find out.

use std::ffi::OsStr;
use std::process::ExitCode;

use crate::sys;

/// The words make no sense; the text says which of them, and why.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UsageError(pub(super) String);

impl UsageError {
    /// What is wrong with one word.
    pub(super) fn with(word: &OsStr, why: &str) -> Self {
        Self(format!("{}: {why}", word.as_encoded_bytes().escape_ascii()))
    }
}

impl From<lexopt::Error> for UsageError {
    fn from(error: lexopt::Error) -> Self {
        Self(error.to_string())
    }
}

impl From<&str> for UsageError {
    fn from(what: &str) -> Self {
        Self(what.to_owned())
    }
}

/// Says it as `name: what`, and how the program is used.
pub(super) fn refuse(name: &str, UsageError(what): &UsageError, usage: &str) -> ExitCode {
    sys::print::error(&format!("{name}: {what}\n{}", usage.trim_end()));
    ExitCode::FAILURE
}

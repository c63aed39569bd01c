//! Becoming another program.

use std::ffi::OsString;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

/// Replaces this program by another one, called by the last part of its path. Only a failure returns.
pub(crate) fn replace(program: &Path, arguments: &[OsString]) -> io::Error {
    Command::new(program)
        .arg0(program.file_name().unwrap_or(program.as_os_str()))
        .args(arguments)
        .exec()
}

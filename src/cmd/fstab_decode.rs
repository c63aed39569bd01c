//! `fstab-decode`: runs a command with arguments as fstab(5) writes them (fstab-decode(8)).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::process::ExitCode;

use super::Invocation;
use crate::{fstab, sys};

/// What shells return for a command that cannot be run; fstab-decode(8) promises it.
const CANNOT_RUN: u8 = 127;

const HELP: &str = "\
Usage: fstab-decode COMMAND [ARGUMENT...]

Runs COMMAND with its arguments decoded: \\011, \\012, \\040, \\134 and \\\\ become
tab, newline, blank and backslash, as in /etc/fstab and /proc/mounts.

  --help, --version   only as the single argument
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    if let Some(standard) = super::answer_standard_options(call, HELP)? {
        return Ok(standard);
    }
    let Some((command, words)) = call.arguments.split_first() else {
        sys::print::error("Usage: fstab-decode command [arguments]");
        return Ok(ExitCode::FAILURE);
    };
    let decoded: Vec<OsString> = words
        .iter()
        .map(|word| OsString::from_vec(fstab::decode(word.as_bytes())))
        .collect();
    let error = sys::exec::replace_by_name(command, &decoded);
    sys::print::error(&format!(
        "{}: {}: {}",
        call.name,
        command.display(),
        super::reason(&error)
    ));
    Ok(ExitCode::from(CANNOT_RUN))
}

//! `runlevel`: prints the previous and the current runlevel (runlevel(8)).
//!
//! They come from the first runlevel record of utmp, or from the one character init leaves in
//! /var/run/runlevel where no utmp is kept. The environment is not looked at.

use std::path::Path;
use std::process::ExitCode;

use super::Invocation;
use crate::paths::Paths;
use crate::sys;
use crate::utmp::Levels;

const HELP: &str = "\
Usage: runlevel [UTMPFILE]

Prints the previous and the current runlevel; N stands for no previous one.
Prints `unknown' and exits with 1 where nobody has recorded a level.
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let paths = Paths::default();
    if let Some(standard) = super::answer_standard_options(call, HELP)? {
        return Ok(standard);
    }
    let named = call.arguments.first();
    let utmp = named.map_or_else(|| paths.utmp(), Into::into);
    let Some(Levels { previous, current }) = recorded(&utmp, &paths) else {
        sys::print::text("unknown\n")?;
        return Ok(ExitCode::FAILURE);
    };
    let previous = if previous == 0 { b'N' } else { previous };
    let (previous, current) = (char::from(previous), char::from(current));
    sys::print::text(&format!("{previous} {current}\n"))?;
    Ok(ExitCode::SUCCESS)
}

/// Returns the levels recorded in utmp, or else in init's own file.
pub(super) fn recorded(utmp: &Path, paths: &Paths) -> Option<Levels> {
    // The record of a shutdown is of the same kind and names no level.
    let in_utmp = sys::utmp::read(utmp).ok().and_then(|mut records| {
        records.find_map(|record| record.ok()?.levels().filter(|levels| levels.current != 0))
    });
    in_utmp.or_else(|| {
        let current = *sys::files::read(&paths.runlevel(), 64).ok()?.first()?;
        let previous = 0;
        Some(Levels { previous, current })
    })
}

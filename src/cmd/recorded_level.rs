//! The level that the accounting records tell of, or the file that init leaves beside them.

use std::path::Path;

use crate::paths::Paths;
use crate::runlevel::Runlevel;
use crate::sys;
use crate::utmp::Levels;

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

/// Returns the level the machine is in by the same record.
pub(super) fn current(paths: &Paths) -> Option<Runlevel> {
    let levels = recorded(&paths.utmp(), paths)?;
    Runlevel::from_byte(levels.current)
}

//! Reading the boot record as its writers have left it.

use super::{read, this_boot};
use crate::paths::Paths;
use crate::process::Pid;
use crate::record::{History, id_in, is_same_boot, parse};
use crate::sys;
use anyhow::Context;
use std::io;

/// Reads what is recorded of this boot, in the order in which things began.
///
/// # Errors
/// There is no record, or none of this boot.
pub(crate) fn history(paths: &Paths) -> anyhow::Result<History> {
    let path = paths.record();
    let text = text(paths).with_context(|| path.display().to_string())?;
    let mut history = History::of(parse(&text).0);
    history.settle(|pid| is_alive(paths, pid));
    Ok(history)
}

/// Returns the text of the record of this boot: of both of its files, where the one has grown too long.
///
/// # Errors
/// There is none.
pub(crate) fn text(paths: &Paths) -> io::Result<Vec<u8>> {
    let boot = this_boot(paths);
    let of_this_boot = |text: &Vec<u8>| {
        // A file that does not tell is the one that was begun before /proc was there.
        match (id_in(text), &boot) {
            (Some(id), Some(boot)) => is_same_boot(&id, boot),
            (None, _) | (_, None) => true,
        }
    };
    let current = read(&paths.record())?;
    if !of_this_boot(&current) {
        return Err(io::Error::new(
            io::ErrorKind::NotFound,
            "is of an earlier boot",
        ));
    }
    let mut text = read(&paths.older_record())
        .ok()
        .filter(of_this_boot)
        .unwrap_or_default();
    text.extend(current);
    Ok(text)
}

/// Tells whether a process is there. Where /proc shows nobody, nothing is known, and all are taken to be.
fn is_alive(paths: &Paths, pid: Pid) -> bool {
    let is_there = |pid| sys::files::is_folder(&paths.process(pid));
    is_there(pid) || !Pid::new(1).is_some_and(is_there)
}

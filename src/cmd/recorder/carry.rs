//! Carrying the record to where it lasts: `/var/log/initlog`, with those of the boots before.

use super::reading::text;
use super::{read, this_boot};
use crate::paths::Paths;
use crate::record::{Kept, id_in, is_entry_output, is_same_boot};
use crate::sys;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How many records of earlier boots are left.
const EARLIER: u32 = 4;
/// The most outputs that are carried: those of more scripts than any machine has.
const MOST_OUTPUTS: usize = 10_000;
/// An output with the line that says what is left out of it.
const LARGEST_OUTPUT: u64 = Kept::MOST as u64 + 200;

/// Copies the record of this boot and the outputs of its scripts to `/var/log/initlog`. May be called at any time and
/// as often as one likes; what is there of this boot is replaced.
///
/// The record of the boot before becomes `record.1`, and so on up to `record.4`; its outputs become `output.1`.
///
/// # Errors
/// There is no record of this boot, or no folder for it that can be written.
pub(crate) fn carry(paths: &Paths) -> io::Result<()> {
    let unknown = || io::Error::new(io::ErrorKind::NotFound, "nothing tells which boot this is");
    let boot = this_boot(paths).ok_or_else(unknown)?;
    let text = text(paths)?;
    let folder = paths.lasting_boot_log();
    sys::files::make_folder(&folder)?;
    let record = folder.join("record");
    let is_earlier = read(&record)
        .is_ok_and(|text| id_in(&text).is_none_or(|known| !is_same_boot(&known, &boot)));
    if is_earlier {
        make_room(&folder)?;
    }
    sys::files::replace(&record, &text)?;
    carry_outputs(&paths.kept_output(), &folder.join("output"))
}

/// Gives everything in the folder the number of one more boot ago.
fn make_room(folder: &Path) -> io::Result<()> {
    let record = |number: u32| folder.join(format!("record.{number}"));
    for number in (1..EARLIER).rev() {
        absent_is_fine(sys::files::rename(&record(number), &record(number + 1)))?;
    }
    sys::files::rename(&folder.join("record"), &record(1))?;
    let (outputs, earlier) = (folder.join("output"), folder.join("output.1"));
    absent_is_fine(sys::files::remove_folder(&earlier))?;
    absent_is_fine(sys::files::rename(&outputs, &earlier))
}

fn absent_is_fine(result: io::Result<()>) -> io::Result<()> {
    match result {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        result => result,
    }
}

fn carry_outputs(from: &Path, to: &Path) -> io::Result<()> {
    let names = match sys::files::names(from, MOST_OUTPUTS) {
        // No script has run yet.
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        names => names?,
    };
    sys::files::make_folder(to)?;
    let mut carried = sys::files::names(to, MOST_OUTPUTS)?;
    // Those of processes whose place others have taken.
    for gone in &carried {
        if is_entry_output(gone.as_bytes()) && !names.contains(gone) {
            absent_is_fine(sys::files::remove(&to.join(gone)))?;
        }
    }
    carried.sort_unstable();
    for name in names {
        let (here, there) = (from.join(&name), to.join(&name));
        let is_carried = carried.binary_search(&name).is_ok();
        // Most scripts say nothing, and a file on a disk is dear. The record tells that it was nothing.
        if !is_carried && sys::files::is_empty(&here) {
            continue;
        }
        // One that is being replaced just now is carried the next time.
        let Ok(bytes) = sys::files::read(&here, LARGEST_OUTPUT) else {
            continue;
        };
        if !bytes.is_empty() {
            sys::files::replace(&there, &bytes)?;
        } else if is_carried {
            absent_is_fine(sys::files::empty(&there))?;
        }
    }
    Ok(())
}

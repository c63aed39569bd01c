//! Carries out what was decided: makes links, then removes old ones, then writes the files for startpar.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;

use anyhow::Context;

use super::{Places, Tree};
use crate::rcdir::Link;
use crate::rcdir::order::links::{Change, changes};
use crate::rcdir::order::{Outcome, depend, start_levels};
use crate::sys;

/// Whether changes are made, and told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::cmd) enum Shown {
    /// Made without a word.
    Silent,
    /// Made and told.
    Told,
    /// Told and not made.
    Only,
}

/// Brings links and files to where the outcome wants them. `tell` gets a line for each change.
///
/// # Errors
/// Whatever cannot be made, removed or written. What was done before stays done: every script has a link then.
pub(in crate::cmd) fn carry_out(
    places: &Places,
    tree: &Tree,
    outcome: &Outcome,
    shown: Shown,
    tell: impl Fn(&str),
) -> anyhow::Result<()> {
    for (level, found) in &tree.links {
        let directory = places.level(*level);
        for change in changes(*level, found, &tree.scripts, &outcome.placed) {
            let (Change::Make(link) | Change::Remove(link)) = &change;
            let path = directory.join(OsStr::from_bytes(&link.file_name()));
            let text = places.link_text(&link.name);
            let told = match change {
                Change::Make(_) => {
                    format!("enable service {} -> {}", text.display(), path.display())
                }
                Change::Remove(_) => format!("remove service {}", path.display()),
            };
            if shown != Shown::Silent {
                tell(&told);
            }
            if shown == Shown::Only {
                continue;
            }
            match change {
                Change::Make(_) => {
                    sys::files::make_folder(&directory)
                        .with_context(|| format!("making {}", directory.display()))?;
                    sys::files::replace_link(&text, &path)
                        .with_context(|| format!("making {}", path.display()))?;
                }
                Change::Remove(_) => sys::files::remove(&path)
                    .with_context(|| format!("removing {}", path.display()))?,
            }
        }
    }
    write_depend(places, outcome, shown, tell)
}

fn write_depend(
    places: &Places,
    outcome: &Outcome,
    shown: Shown,
    tell: impl Fn(&str),
) -> anyhow::Result<()> {
    if shown == Shown::Only {
        tell(&format!(
            "dryrun, not creating depend.boot, depend.start, and depend.stop in {}/.",
            places.depend.display()
        ));
        return Ok(());
    }
    for (name, text) in depend::FILES.iter().zip(&outcome.depend) {
        let path = places.depend.join(name);
        if shown == Shown::Told {
            tell(&format!("creating {}", path.display()));
        }
        // What has not changed is not written again: the disk may be one that wears out.
        let longest = u64::try_from(text.len()).unwrap_or(u64::MAX);
        if sys::files::read(&path, longest).is_ok_and(|old| old == *text) {
            continue;
        }
        sys::files::replace(&path, text).with_context(|| format!("writing {}", path.display()))?;
    }
    Ok(())
}

/// Removes every link of a script that is gone, whatever it leads to. Returns how many there were.
///
/// # Errors
/// A directory that cannot be read or a link that cannot be removed.
pub(in crate::cmd) fn remove_all(places: &Places, name: &[u8]) -> anyhow::Result<usize> {
    let mut removed = 0;
    for level in start_levels().levels() {
        let directory = places.level(level);
        let names = match sys::files::names(&directory, usize::MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => continue,
            names => names.with_context(|| format!("reading {}", directory.display()))?,
        };
        for file_name in names {
            let is_its = Link::parse(file_name.as_bytes()).is_ok_and(|link| *link.name == *name);
            let path = directory.join(&file_name);
            if is_its && sys::files::link_text(&path).is_ok() {
                sys::files::remove(&path)
                    .with_context(|| format!("removing {}", path.display()))?;
                removed += 1;
            }
        }
    }
    Ok(removed)
}

//! What update-rc.d does without the facilities of insserv.conf(5), or with a script that insserv does not take: links
//! are made and renamed by the script's name alone, and numbers stay.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use anyhow::Context;

use super::super::links::Places;
use super::Turn;
use crate::rcdir::lsb::Header;
use crate::rcdir::order::{kill_levels, start_levels};
use crate::rcdir::{Link, LinkKind};
use crate::runlevel::{Runlevel, RunlevelSet};
use crate::sys;

/// The number of links that nothing orders.
const FIRST: &str = "01";

/// Returns the levels in which there is a link of the name.
pub(super) fn levels(places: &Places, name: &[u8]) -> anyhow::Result<RunlevelSet> {
    let mut levels = RunlevelSet::EMPTY;
    for level in start_levels().levels() {
        if !links(places, name, level)?.is_empty() {
            levels = levels.with(level);
        }
    }
    Ok(levels)
}

fn links(places: &Places, name: &[u8], level: Runlevel) -> anyhow::Result<Vec<Link>> {
    let found = places.links(level, &[])?.into_iter();
    Ok(found
        .map(|found| found.link)
        .filter(|link| *link.name == *name)
        .collect())
}

/// Links a script in its default levels, unless it has a link anywhere.
pub(super) fn add(
    places: &Places,
    name: &[u8],
    header: &Header,
    turn: Option<Turn>,
) -> anyhow::Result<()> {
    if !levels(places, name)?.is_empty() {
        return Ok(());
    }
    let start_letter = match turn {
        Some(Turn::Off) => 'K',
        _ => 'S',
    };
    for (letter, levels) in [
        (start_letter, header.default_start.and(start_levels())),
        ('K', header.default_stop.and(kill_levels())),
    ] {
        for level in levels.levels() {
            let folder = places.level(level);
            sys::files::make_folder(&folder)
                .with_context(|| format!("making {}", folder.display()))?;
            let file_name = [format!("{letter}{FIRST}").as_bytes(), name].concat();
            let path = folder.join(OsStr::from_bytes(&file_name));
            sys::files::replace_link(&places.link_text(name), &path)
                .with_context(|| format!("making {}", path.display()))?;
        }
    }
    Ok(())
}

/// Renames the links of some levels, each with its number.
pub(super) fn turn(
    places: &Places,
    name: &[u8],
    levels: RunlevelSet,
    turn: Turn,
) -> anyhow::Result<()> {
    let to = match turn {
        Turn::Off => LinkKind::Kill,
        Turn::On => LinkKind::Start,
    };
    for level in levels.levels() {
        let folder = places.level(level);
        for link in links(places, name, level)?
            .into_iter()
            .filter(|link| link.kind != to)
        {
            let from = folder.join(OsStr::from_bytes(&link.file_name()));
            let turned = Link { kind: to, ..link };
            let path = folder.join(OsStr::from_bytes(&turned.file_name()));
            sys::files::rename(&from, &path)
                .with_context(|| format!("renaming {}", from.display()))?;
        }
    }
    Ok(())
}

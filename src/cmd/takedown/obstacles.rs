//! Finds who is in the way: processes that are left, and those that hold a file system.

use std::path::Path;

use crate::process::Pid;
use crate::procs::mounts::is_below;
use crate::procs::obstacle::Obstacle;
use crate::procs::{Spared, Stat};
use crate::sys;

/// Which use of a file system is in the way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Use {
    /// Any: it is to be unmounted.
    Any,
    /// Files that are open for writing: it is to be read-only.
    Writing,
}

/// The processes that are to be killed and live.
pub(super) fn meant(folder: &Path, spared: &Spared) -> Vec<Stat> {
    let mut found = processes(folder);
    found.retain(|stat| spared.is_meant(stat));
    found
}

fn processes(folder: &Path) -> Vec<Stat> {
    sys::proc::pids(folder)
        .unwrap_or_default()
        .iter()
        .filter_map(|pid| sys::proc::stat(&folder.join(pid.to_string())).ok())
        .filter_map(|line| Stat::parse(&line))
        .collect()
}

/// A process in words.
pub(super) fn describe(folder: &Path, stat: Stat, files: Vec<Vec<u8>>) -> Obstacle {
    let waits_in = wchan(&folder.join(stat.pid.to_string()));
    Obstacle {
        stat,
        waits_in,
        files,
    }
}

/// Where in the kernel a process waits, as the end of a phrase.
pub(super) fn place(folder: &Path, pid: Pid) -> String {
    match wchan(&folder.join(pid.to_string())).as_slice() {
        b"" | b"0" => String::new(),
        place => format!(" (waits in {})", place.escape_ascii()),
    }
}

fn wchan(process: &Path) -> Vec<u8> {
    sys::files::read(&process.join("wchan"), 256).unwrap_or_default()
}

/// The processes that use what is mounted at a place. Links are read and never followed, so nothing here waits.
pub(super) fn holders(folder: &Path, point: &[u8], way: Use, most: usize) -> Vec<Obstacle> {
    let own = std::process::id();
    let mut found = Vec::new();
    for stat in processes(folder) {
        if u32::try_from(stat.pid) == Ok(own) || found.len() >= most {
            continue;
        }
        let files = used(&folder.join(stat.pid.to_string()), point, way);
        if !files.is_empty() {
            found.push(describe(folder, stat, files));
        }
    }
    found
}

fn used(process: &Path, point: &[u8], way: Use) -> Vec<Vec<u8>> {
    let places = [point.to_vec()];
    let mut files = Vec::new();
    if way == Use::Any {
        let links = ["cwd", "root", "exe"];
        files.extend(
            links
                .iter()
                .filter_map(|name| sys::proc::link(process, name).ok()),
        );
    }
    for number in sys::proc::descriptors(process) {
        let is_meant = way == Use::Any || sys::proc::is_open_for_writing(process, number);
        if is_meant && let Ok(file) = sys::proc::link(process, &format!("fd/{number}")) {
            files.push(file);
        }
    }
    // `/` is below nothing but itself, and everything that begins with it lies in it.
    files.retain(|file| {
        if point == b"/" {
            file.starts_with(b"/") && !file.starts_with(b"/dev/")
        } else {
            is_below(file, &places)
        }
    });
    files.dedup();
    files
}

//! What pidof reads: the processes, itself, and where a path leads.

use std::collections::VecDeque;
use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use crate::paths::Paths;
use crate::procs::Stat;
use crate::procs::matching::Process;
use crate::procs::mounts;
use crate::sys::proc;

/// As many links in a path as the kernel follows.
const MOST_LINKS: usize = 40;

/// Reads the table, in the order of the numbers. What has ended meanwhile is not in it.
pub(in crate::cmd) fn processes() -> io::Result<Vec<Process>> {
    let folder = Paths::default().processes();
    let pids = proc::pids(&folder)?;
    if pids.is_empty() {
        return Err(io::Error::other("not mounted"));
    }
    let processes = pids
        .iter()
        .filter_map(|pid| process(&folder.join(pid.to_string())));
    Ok(processes.collect())
}

pub(in crate::cmd) fn process(folder: &Path) -> Option<Process> {
    let stat = Stat::parse(&proc::stat(folder).ok()?)?;
    let mut program = proc::link(folder, "exe").ok();
    let mut arguments = proc::arguments(folder).unwrap_or_default();
    // Where the first thread has ended, the others still show it.
    if program.is_none() && stat.threads > 1 {
        let threads = proc::threads(folder).unwrap_or_default();
        let living = threads.iter().find_map(|thread| {
            let thread = folder.join("task").join(thread.to_string());
            let program = proc::link(&thread, "exe").ok()?;
            Some((program, proc::arguments(&thread).unwrap_or_default()))
        });
        if let Some((exe, words)) = living {
            program = Some(exe);
            arguments = words;
        }
    }
    Some(Process {
        stat,
        arguments,
        program,
    })
}

/// This process, as /proc numbers it.
#[derive(Debug)]
pub(super) struct Own {
    pub(super) parent: i32,
    pub(super) program: Option<Vec<u8>>,
}

impl Own {
    pub(super) fn find() -> io::Result<Self> {
        let folder = Paths::default().processes().join("self");
        let stat = Stat::parse(&proc::stat(&folder)?);
        Ok(Self {
            parent: stat.map_or(0, |stat| stat.parent),
            program: proc::link(&folder, "exe").ok(),
        })
    }
}

/// What tells one root directory from another without going there.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::cmd) struct Root {
    /// Its path, as seen from here.
    path: Option<Vec<u8>>,
    /// What is mounted there; a process in another mount namespace may have the same path for something else.
    mounted: Option<Vec<u8>>,
}

impl Root {
    pub(in crate::cmd) fn of_this_process() -> Self {
        Self::read(&Paths::default().processes().join("self"))
    }

    pub(in crate::cmd) fn of(pid: i32) -> Self {
        Self::read(&Paths::default().processes().join(pid.to_string()))
    }

    fn read(folder: &Path) -> Self {
        Self {
            path: proc::link(folder, "root").ok(),
            mounted: proc::mounts(folder)
                .ok()
                .and_then(|table| mounts::root(&table)),
        }
    }
}

/// Follows all links of a path, as realpath(3) does, but goes nowhere near a file system behind which there is a
/// network: a server that is gone would make us wait for it.
pub(in crate::cmd) fn resolve(path: &[u8]) -> Option<Vec<u8>> {
    if !path.starts_with(b"/") {
        return None;
    }
    let table = proc::mounts(&Paths::default().processes().join("self")).unwrap_or_default();
    let remote = mounts::remote(&table);
    let path = Path::new(std::ffi::OsStr::from_bytes(path));
    let mut ahead: VecDeque<OsString> = parts(path);
    let mut done = PathBuf::from("/");
    let mut links = 0;
    while let Some(part) = ahead.pop_front() {
        if part == ".." {
            done.pop();
            continue;
        }
        let next = done.join(&part);
        if mounts::is_below(next.as_os_str().as_bytes(), &remote) {
            return None;
        }
        match std::fs::read_link(&next) {
            Ok(target) => {
                links += 1;
                if links > MOST_LINKS {
                    return None;
                }
                if target.is_absolute() {
                    done = PathBuf::from("/");
                }
                for part in parts(&target).into_iter().rev() {
                    ahead.push_front(part);
                }
            }
            // It is there, and it is no link.
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => done = next,
            Err(_) => return None,
        }
    }
    Some(done.into_os_string().into_vec())
}

fn parts(path: &Path) -> VecDeque<OsString> {
    path.components()
        .filter_map(|component| match component {
            Component::Normal(part) => Some(part.to_owned()),
            Component::ParentDir => Some("..".into()),
            Component::RootDir | Component::CurDir | Component::Prefix(_) => None,
        })
        .collect()
}

//! Reads what there is to know of services: scripts, links, pid files, processes ([`crate::services`] says what
//! follows from it). Never runs a script.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::pidof::look;
use super::recorder;
use crate::paths::Paths;
use crate::process::Pid;
use crate::procs::matching::{Process, Rules, Wanted, find};
use crate::rcdir::is_put_aside;
use crate::record::History;
use crate::runlevel::Runlevel;
use crate::services::last::Last;
use crate::services::script::Script;
use crate::services::state::{self, Evidence, Holder, Judgement, PidFile, Program};
use crate::services::{Levels, Links, names};
use crate::sys;

/// More than a script ever has.
const LONGEST_SCRIPT: u64 = 1 << 20;
/// More than a pid file ever has.
const LONGEST_PID_FILE: u64 = 4096;
/// By how much a pid file may seem older than its process: clocks are read one after the other.
const TOLERANCE: Duration = Duration::from_secs(2);

/// The services of this machine.
#[derive(Debug)]
pub(super) struct Services {
    paths: Paths,
    /// Where the scripts are.
    folder: PathBuf,
    links: OnceCell<Links>,
    processes: OnceCell<Vec<Process>>,
    /// None where nothing is recorded.
    history: OnceCell<Option<History>>,
}

impl Services {
    /// Finds out where the scripts are; reads nothing yet.
    pub(super) fn new(paths: Paths) -> Self {
        Self {
            folder: script_folder(&paths),
            paths,
            links: OnceCell::new(),
            processes: OnceCell::new(),
            history: OnceCell::new(),
        }
    }

    /// Returns the folder of the scripts.
    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Returns the path of a service's script, whether it is there or not.
    pub(super) fn path(&self, name: &OsStr) -> PathBuf {
        self.folder.join(name)
    }

    /// Lists the scripts that are services, in the order of their names' bytes. Copies that editors and package
    /// managers have put aside are none.
    pub(super) fn names(&self) -> io::Result<Vec<OsString>> {
        let mut names = self.executables()?;
        names.retain(|name| !is_put_aside(name.as_bytes()));
        Ok(names)
    }

    /// Lists what service(8) takes for services, copies put aside among them.
    pub(super) fn executables(&self) -> io::Result<Vec<OsString>> {
        let mut names = sys::files::names(&self.folder, usize::MAX)?;
        names.retain(|name| {
            names::is_listed(name.as_bytes()) && sys::files::is_executable(&self.path(name))
        });
        names.sort_unstable();
        Ok(names)
    }

    /// Reads a service's script.
    pub(super) fn script(&self, name: &OsStr) -> io::Result<Script> {
        let text = sys::files::read(&self.path(name), LONGEST_SCRIPT)?;
        Ok(Script::read(name.as_bytes(), &text))
    }

    /// Returns what the links say of a service.
    pub(super) fn levels(&self, name: &OsStr) -> Levels {
        let links = self.links.get_or_init(|| links(&self.paths));
        links.of(name.as_bytes())
    }

    /// Says what a service does, and how that is known.
    pub(super) fn judge(&self, script: &Script) -> Judgement {
        let program = script.program.as_deref().map(|name| self.program(name));
        let namesakes = match program {
            // What has no program in particular may still be called as its script is.
            None => self.who_runs(&script.name),
            Some(_) => Vec::new(),
        };
        state::judge(&Evidence {
            pid_file: self.pid_file(script),
            program,
            namesakes,
            last: self
                .history()
                .and_then(|history| Last::of(history, &script.name)),
        })
    }

    /// Returns since when a service runs: the time of day at which the oldest of its processes was started.
    pub(super) fn since(&self, judgement: &Judgement) -> Option<Duration> {
        let processes = judgement.state.processes().iter();
        processes
            .filter_map(|pid| started(&self.process(*pid)?))
            .min()
    }

    fn program(&self, name: &[u8]) -> Program {
        let path = OsStr::from_bytes(name);
        Program {
            name: name.into(),
            is_installed: !name.starts_with(b"/")
                || sys::files::is_executable(&self.paths.at(path)),
            processes: self.who_runs(name),
        }
    }

    /// Lists the processes that run a program, the oldest first. Those with another root directory belong to a
    /// container.
    fn who_runs(&self, name: &[u8]) -> Vec<Pid> {
        let table = self.table();
        let own = i32::try_from(std::process::id()).unwrap_or(0);
        let found = find(&wanted(name), table);
        let root = look::Root::of_this_process();
        let shares_root = |pid: i32| !sys::identity::is_superuser() || look::Root::of(pid) == root;
        found
            .iter()
            .map(|process| &process.stat)
            .filter(|stat| !stat.is_zombie() && stat.pid != own && shares_root(stat.pid))
            .filter_map(|stat| Pid::new(stat.pid))
            .collect()
    }

    fn table(&self) -> &[Process] {
        // Without /proc nobody is seen to run anything.
        self.processes
            .get_or_init(|| look::processes().unwrap_or_default())
    }

    fn history(&self) -> Option<&History> {
        let read = || recorder::reading::history(&self.paths).ok();
        self.history.get_or_init(read).as_ref()
    }

    fn process(&self, pid: Pid) -> Option<Process> {
        look::process(&self.paths.processes().join(pid.to_string()))
    }

    /// Looks at the first pid file that is there.
    fn pid_file(&self, script: &Script) -> Option<PidFile> {
        script.possible_pid_files().into_iter().find_map(|path| {
            let file = self.paths.at(OsStr::from_bytes(&path));
            let metadata = sys::files::metadata(&file).ok()?;
            let number = sys::files::read(&file, LONGEST_PID_FILE)
                .ok()
                .and_then(number);
            let written = Duration::from_secs(u64::try_from(metadata.mtime()).unwrap_or(0));
            let holder = match number {
                None => Holder::Unreadable,
                Some(pid) => match self
                    .process(pid)
                    .filter(|process| !process.stat.is_zombie())
                {
                    None => Holder::Gone(pid),
                    Some(process) if is_another(script, &process, written) => Holder::Other(pid),
                    Some(_) => Holder::Own(pid),
                },
            };
            Some(PidFile { path, holder })
        })
    }
}

/// Reads the number that a pid file begins with.
fn number(text: Vec<u8>) -> Option<Pid> {
    let text = String::from_utf8(text).ok()?;
    let word = text.split_whitespace().next()?;
    Pid::new(word.parse().ok()?)
}

/// Tells whether the number has gone to another process: one that was started after the file was written, and neither
/// runs the program nor is called as the service is. One sign alone would not do: a clock may be set after a boot, and a
/// daemon may be run by an interpreter.
fn is_another(script: &Script, process: &Process, written: Duration) -> bool {
    let is_younger =
        started(process).is_some_and(|started| started > written.saturating_add(TOLERANCE));
    let table = std::slice::from_ref(process);
    let runs = |name: &[u8]| !find(&wanted(name), table).is_empty();
    is_younger && !runs(&script.name) && !script.program.as_deref().is_some_and(runs)
}

/// What a program's processes are known by.
fn wanted(name: &[u8]) -> Wanted {
    let resolved = look::resolve(name);
    let base = |path: &[u8]| {
        Path::new(OsStr::from_bytes(path))
            .file_name()
            .map(OsStr::to_owned)
    };
    // The file of many programs tells of none of them, and a name alone means rc scripts of that name too.
    let multi_call = resolved
        .as_deref()
        .is_some_and(|file| base(file) != base(name));
    Wanted {
        rules: Rules {
            scripts: name.starts_with(b"/"),
            unseen_programs: !sys::identity::is_superuser(),
            multi_call,
        },
        name: name.to_vec(),
        resolved,
    }
}

/// Returns the time of day at which a process was started.
fn started(process: &Process) -> Option<Duration> {
    let ticks = sys::proc::ticks_per_second();
    let seconds = Duration::from_secs(process.stat.started / ticks);
    let rest =
        Duration::from_micros((process.stat.started % ticks).saturating_mul(1_000_000) / ticks);
    let after_boot = seconds.saturating_add(rest);
    let age = sys::calendar::since_boot().ok()?.checked_sub(after_boot)?;
    sys::calendar::now().ok()?.checked_sub(age)
}

fn script_folder(paths: &Paths) -> PathBuf {
    let (debian, red_hat) = (paths.rc_scripts(), paths.red_hat_rc_scripts());
    if !sys::files::is_folder(&debian) && sys::files::is_folder(&red_hat) {
        red_hat
    } else {
        debian
    }
}

/// Returns the directory of a level's links.
pub(super) fn link_folder(paths: &Paths, level: Runlevel) -> PathBuf {
    let (debian, red_hat) = (paths.rc_directory(level), paths.red_hat_rc_directory(level));
    if !sys::files::is_folder(&debian) && sys::files::is_folder(&red_hat) {
        red_hat
    } else {
        debian
    }
}

/// Reads the links of all levels. A directory that is missing or closed to us holds none.
fn links(paths: &Paths) -> Links {
    let mut links = Links::default();
    for level in Runlevel::all() {
        let names = sys::files::names(&link_folder(paths, level), usize::MAX).unwrap_or_default();
        for name in names {
            links.add(level, &name.into_vec());
        }
    }
    links
}

#[cfg(test)]
mod tests;

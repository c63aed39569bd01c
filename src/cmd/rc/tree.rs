//! Finds and reads what `rc` works by: the rc directories, and the files that say how they are meant.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::num::NonZeroUsize;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use anyhow::Context;

use crate::cmd::headers::Sources;
use crate::cmd::services::link_folder;
use crate::defaults;
use crate::paths::Paths;
use crate::rcdir::facilities::Facilities;
use crate::rcdir::lsb::Header;
use crate::rcdir::plan::{Change, File, Found, Plan, Repeat, StartInHalt, Step, plan};
use crate::rcdir::schedule::{Loop, Schedule, Task};
use crate::rcdir::settings::{self, Asking, Order, Settings};
use crate::runlevel::Runlevel;
use crate::sys;
use crate::sys::guard::Guard;

/// More than a file of settings or the kernel's command line ever has.
const LONGEST_FILE: u64 = 1 << 20;

/// A level's scripts and how to run them.
#[derive(Debug)]
pub(super) struct Tree {
    /// What to run.
    pub(super) plan: Plan,
    /// The variable of this name in the rc scripts' settings.
    pub(super) verbose: Option<Vec<u8>>,
    /// How the administrator wants scripts to be run.
    pub(super) settings: Settings,
    /// What the script of each step says of itself.
    headers: Vec<Option<Header>>,
    /// What the names in the headers stand for.
    facilities: Facilities,
    directory: PathBuf,
    /// Where scripts are run from when they are not run by their links.
    scripts: Option<PathBuf>,
}

impl Tree {
    /// Reads all there is to know for a change of level.
    ///
    /// # Errors
    /// A directory that is there and cannot be read; one that is missing holds no link.
    pub(super) fn read(
        paths: &Paths,
        level: Runlevel,
        previous: Option<Runlevel>,
    ) -> anyhow::Result<Self> {
        let repeat = repeat(paths);
        let red_hat = sys::files::metadata(&paths.red_hat_sysinit()).is_ok();
        let change = Change {
            level,
            previous,
            repeat,
            start_in_halt: if red_hat {
                StartInHalt::Start
            } else {
                StartInHalt::Stop
            },
        };
        let directory = link_folder(paths, level);
        let before = match previous {
            Some(previous) if repeat == Repeat::Changes => listing(&link_folder(paths, previous))?,
            _ => Vec::new(),
        };
        let mut sources = Sources::new(paths);
        // As a rule there is none of these folders, which is not to be found out anew for each script.
        sources
            .overrides
            .retain(|folder| sys::files::is_folder(folder));
        let mut tree = Self {
            plan: plan(change, &listing(&directory)?, &before),
            verbose: verbose(paths),
            settings: settings(paths),
            headers: Vec::new(),
            facilities: sources.facilities().0,
            scripts: (repeat == Repeat::Changes).then(|| paths.rc_scripts()),
            directory,
        };
        let steps = tree.plan.steps.iter();
        // What cannot be read, or is no script, says nothing.
        let header = |step: &Step| {
            let name = OsStr::from_bytes(&step.link.name);
            sources
                .header(name, &tree.program(step))
                .ok()
                .and_then(|read| read.0)
        };
        tree.headers = steps.map(header).collect();
        Ok(tree)
    }

    /// Returns the order in which the steps are run, with the loops that were broken in it.
    pub(super) fn schedule(&self) -> (Schedule, Vec<Loop>) {
        let by_headers = self.order() == Order::Headers;
        let tasks: Vec<Task<'_>> = (0..)
            .zip(&self.plan.steps)
            .map(|(place, step)| Task {
                step,
                // Without its header each script keeps its place among the links.
                header: self.header(place).filter(|_| by_headers),
            })
            .collect();
        let limit = if by_headers {
            most_at_once()
        } else {
            NonZeroUsize::MIN
        };
        Schedule::new(&tasks, &self.facilities, limit)
    }

    /// Returns what decides when a script may begin. Whoever is asked can only be asked for one at a time.
    pub(super) fn order(&self) -> Order {
        match self.settings.asking {
            Asking::Each => Order::Links,
            Asking::Never => self.settings.order,
        }
    }

    /// Tells whether a step's script talks to whoever sits at the console.
    pub(super) fn is_interactive(&self, place: usize) -> bool {
        self.header(place).is_some_and(|header| {
            let mut names = header.provides.iter();
            header.interactive || names.any(|name| self.facilities.is_interactive(name))
        })
    }

    /// Returns how long a step may take. Nobody can say how long whoever sits at the console takes, unless the script
    /// itself does.
    pub(super) fn deadline(&self, place: usize) -> Option<Duration> {
        let own = self.header(place).and_then(|header| header.timeout);
        let general = self.settings.deadline;
        own.or(general.filter(|_| !self.is_interactive(place)))
    }

    fn header(&self, place: usize) -> Option<&Header> {
        self.headers.get(place)?.as_ref()
    }

    /// Returns the path by which a script is run.
    pub(super) fn program(&self, step: &Step) -> PathBuf {
        let by_name = self
            .scripts
            .as_ref()
            .map(|scripts| scripts.join(OsStr::from_bytes(&step.link.name)))
            .filter(|script| file(script) == File::Script);
        by_name.unwrap_or_else(|| {
            self.directory
                .join(OsStr::from_bytes(&step.link.file_name()))
        })
    }
}

/// How many scripts may run at once: as many for each processor as startpar(8) starts for Debian's rc.
fn most_at_once() -> NonZeroUsize {
    const FOR_EACH: NonZeroUsize = NonZeroUsize::MIN.saturating_add(3);
    let processors = std::thread::available_parallelism().unwrap_or(NonZeroUsize::MIN);
    processors.saturating_mul(FOR_EACH).min(Guard::MOST)
}

/// Reads how scripts are to be run; what is wrong there is said and does not count.
fn settings(paths: &Paths) -> Settings {
    let path = paths.rc_settings();
    let (mut settings, diagnostics) = settings::parse(&file_of_settings(&path));
    for diagnostic in diagnostics {
        let (path, line, problem) = (path.display(), diagnostic.line, diagnostic.problem);
        sys::print::error(&format!("rc: {path}:{line}: {problem}"));
    }
    settings.obey_kernel(&kernel_words(paths));
    settings
}

fn kernel_words(paths: &Paths) -> Vec<u8> {
    sys::files::read(&paths.kernel_words(), LONGEST_FILE).unwrap_or_default()
}

/// Lists a directory with what its names lead to.
fn listing(directory: &Path) -> anyhow::Result<Vec<Found>> {
    let names = match sys::files::names(directory, usize::MAX) {
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        names => names.with_context(|| format!("reading {}", directory.display()))?,
    };
    let found = |name: std::ffi::OsString| Found {
        file: file(&directory.join(&name)),
        name: name.into_vec().into(),
    };
    Ok(names.into_iter().map(found).collect())
}

fn file(path: &Path) -> File {
    match sys::files::metadata(path) {
        Err(_) => File::Dangling,
        Ok(metadata) if !metadata.is_file() => File::Other,
        Ok(metadata) if metadata.permissions().mode() & 0o111 == 0 => File::NotExecutable,
        Ok(_) => File::Script,
    }
}

/// Decides as Debian's rc does whether to run the difference between two levels only.
fn repeat(paths: &Paths) -> Repeat {
    let scripts = paths.rc_scripts();
    let filled = |name: &&str| {
        sys::files::metadata(&scripts.join(name)).is_ok_and(|metadata| metadata.len() > 0)
    };
    let by_dependencies = [".depend.boot", ".depend.start", ".depend.stop"]
        .iter()
        .all(filled)
        && sys::files::metadata(&scripts.join(".legacy-bootordering")).is_err()
        && !kernel_words(paths)
            .split(u8::is_ascii_whitespace)
            .any(|word| word == b"concurrency=none");
    if by_dependencies {
        Repeat::Changes
    } else {
        Repeat::All
    }
}

/// Reads the one setting of the scripts that rc passes on.
fn verbose(paths: &Paths) -> Option<Vec<u8>> {
    defaults::value_of("VERBOSE", &file_of_settings(&paths.rc_defaults()))
}

/// Reads a file of settings. One that is missing sets nothing; one that cannot be read is worth a word, not a boot.
fn file_of_settings(path: &Path) -> Vec<u8> {
    sys::files::read(path, LONGEST_FILE).unwrap_or_else(|error| {
        if error.kind() != ErrorKind::NotFound {
            sys::print::error(&format!("rc: reading {}: {error}", path.display()));
        }
        Vec::new()
    })
}

//! Finds and reads what `rc` works by: the rc directories, and the files that say how they are meant.

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::Context;

use crate::defaults;
use crate::paths::Paths;
use crate::rcdir::plan::{Change, File, Found, Plan, Repeat, StartInHalt, Step, plan};
use crate::runlevel::Runlevel;
use crate::sys;

/// More than a file of settings or the kernel's command line ever has.
const LONGEST_FILE: u64 = 1 << 20;

/// A level's scripts and how to run them.
#[derive(Debug)]
pub(super) struct Tree {
    /// What to run.
    pub(super) plan: Plan,
    /// The variable of this name in the rc scripts' settings.
    pub(super) verbose: Option<Vec<u8>>,
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
        let directory = directory(paths, level);
        let before = match previous {
            Some(previous) if repeat == Repeat::Changes => {
                listing(&self::directory(paths, previous))?
            }
            _ => Vec::new(),
        };
        Ok(Self {
            plan: plan(change, &listing(&directory)?, &before),
            verbose: verbose(paths),
            scripts: (repeat == Repeat::Changes).then(|| paths.rc_scripts()),
            directory,
        })
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

fn directory(paths: &Paths, level: Runlevel) -> PathBuf {
    let debian = paths.rc_directory(level);
    let red_hat = paths.red_hat_rc_directory(level);
    let is_directory =
        |path: &Path| sys::files::metadata(path).is_ok_and(|metadata| metadata.is_dir());
    if !is_directory(&debian) && is_directory(&red_hat) {
        red_hat
    } else {
        debian
    }
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
        && !sys::files::read(&paths.kernel_words(), LONGEST_FILE)
            .unwrap_or_default()
            .split(u8::is_ascii_whitespace)
            .any(|word| word == b"concurrency=none");
    if by_dependencies {
        Repeat::Changes
    } else {
        Repeat::All
    }
}

/// Reads the one setting that rc passes on. A file that is missing sets nothing; one that cannot be read is worth a
/// word, not a boot.
fn verbose(paths: &Paths) -> Option<Vec<u8>> {
    let path = paths.rc_defaults();
    match sys::files::read(&path, LONGEST_FILE) {
        Ok(content) => defaults::value_of("VERBOSE", &content),
        Err(error) => {
            if error.kind() != ErrorKind::NotFound {
                sys::print::error(&format!("rc: reading {}: {error}", path.display()));
            }
            None
        }
    }
}

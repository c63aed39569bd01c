//! The links of the rc scripts on disk: read for [`crate::rcdir::order`], and changed as it says. insserv and update-rc.d share it.

mod apply;

use std::ffi::{OsStr, OsString};
use std::io::ErrorKind;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::headers::{self, Sources};
use crate::paths::Paths;
use crate::rcdir::Link;
use crate::rcdir::facilities::Facilities;
use crate::rcdir::lsb::Names;
use crate::rcdir::order::links::{Found, Target, levels};
use crate::rcdir::order::{Script, names, start_levels};
use crate::runlevel::Runlevel;
use crate::sys;
pub(super) use apply::{Shown, carry_out, remove_all};

/// Where all of it lies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Places {
    /// The directory of the scripts; those of the links lie beside it.
    pub(super) scripts: PathBuf,
    /// The directory of the files for startpar.
    pub(super) depend: PathBuf,
    /// Endings of names that are no scripts.
    pub(super) filters: PathBuf,
    /// Headers and facilities.
    pub(super) sources: Sources,
}

impl Places {
    /// The usual places. The directory of the scripts is Red Hat's where Debian's is missing.
    pub(super) fn new(paths: &Paths) -> Self {
        let mut scripts = paths.rc_scripts();
        let red_hat = paths.red_hat_rc_scripts();
        if !sys::files::is_folder(&scripts) && sys::files::is_folder(&red_hat) {
            scripts = red_hat;
        }
        Self {
            depend: scripts.clone(),
            scripts,
            filters: paths.script_filters(),
            sources: Sources::new(paths),
        }
    }

    /// The directory of a level's links.
    pub(super) fn level(&self, level: Runlevel) -> PathBuf {
        self.scripts.join("..").join(format!("rc{level}.d"))
    }

    /// The text of a link to a script.
    pub(super) fn link_text(&self, script: &[u8]) -> PathBuf {
        let folder = self.scripts.file_name().unwrap_or(OsStr::new("init.d"));
        Path::new("..").join(folder).join(OsStr::from_bytes(script))
    }

    /// Lists the valid links in the directory of a level, with where they lead. Without a directory there is none.
    ///
    /// # Errors
    /// A directory that cannot be read.
    pub(super) fn links(&self, level: Runlevel, scripts: &[Script]) -> anyhow::Result<Vec<Found>> {
        let directory = self.level(level);
        let names = match sys::files::names(&directory, usize::MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            names => names.with_context(|| format!("reading {}", directory.display()))?,
        };
        let links = names.into_iter().filter_map(|name| {
            let link = Link::parse(name.as_bytes()).ok()?;
            let target = self.target(&directory.join(name), &link, scripts);
            Some(Found { link, target })
        });
        Ok(links.collect())
    }

    fn target(&self, path: &Path, link: &Link, scripts: &[Script]) -> Target {
        let Ok(text) = sys::files::link_text(path) else {
            return Target::Foreign;
        };
        let is_known = scripts
            .binary_search_by(|script| script.name.cmp(&link.name))
            .is_ok();
        let script = self.scripts.join(OsStr::from_bytes(&link.name));
        let absolute = Path::new("/etc/init.d").join(OsStr::from_bytes(&link.name));
        // Below another root an absolute link would lead out of it, so that its text decides.
        if text == self.link_text(&link.name) || text == absolute {
            return match sys::files::metadata(&script) {
                Ok(_) if is_known => Target::Script,
                Ok(_) => Target::Foreign,
                Err(_) => Target::Nowhere,
            };
        }
        match sys::files::identity(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => Target::Nowhere,
            Err(_) => Target::Foreign,
            Ok(found) => match sys::files::identity(&script) {
                Ok(own) if is_known && own == found => Target::Script,
                _ => Target::Foreign,
            },
        }
    }
}

/// Everything [`crate::rcdir::order::arrange`] asks for, as it lies on disk.
#[derive(Debug)]
pub(super) struct Tree {
    /// The scripts, by name.
    pub(super) scripts: Vec<Script>,
    /// The links of each level.
    pub(super) links: Vec<(Runlevel, Vec<Found>)>,
    /// The facilities.
    pub(super) facilities: Facilities,
    /// What is wrong with the files of the facilities, a line each.
    pub(super) said: Vec<String>,
}

impl Tree {
    /// Reads it.
    ///
    /// # Errors
    /// A directory or a script that is there and cannot be read, or facilities that come to themselves.
    pub(super) fn read(places: &Places) -> anyhow::Result<Self> {
        let filters = headers::optional(&places.filters)
            .with_context(|| format!("reading {}", places.filters.display()))?;
        let filters = names::filters(&filters);
        let (facilities, said) = places.sources.facilities();
        if let Some(names) = facilities.loops().first() {
            bail!(
                "Loop detected during expanding system facilities in the insserv.conf file(s): {}",
                shown_loop(names)
            );
        }
        let mut tree = Self {
            scripts: scripts(places, &filters)?,
            links: Vec::new(),
            facilities,
            said,
        };
        for level in start_levels().levels() {
            let links = places.links(level, &tree.scripts)?;
            tree.links.push((level, links));
        }
        for script in &mut tree.scripts {
            (script.start, script.stop) = levels(&script.name, &tree.links);
        }
        Ok(tree)
    }
}

fn shown_loop(names: &Names) -> String {
    let names: Vec<String> = names
        .iter()
        .map(|name| name.escape_ascii().to_string())
        .collect();
    names.join(" ")
}

/// What a name in init.d is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum File {
    /// A script that may be linked.
    Script,
    /// Its name is none for a script.
    InvalidName,
    /// It is a link to another script.
    Alias,
    /// Nobody may execute it, or it is no file.
    NotExecutable,
    /// There is no such file.
    Missing,
}

/// Says what a name in init.d is.
pub(super) fn file(places: &Places, name: &OsStr, filters: &[Box<[u8]>]) -> File {
    let path = places.scripts.join(name);
    let Ok(metadata) = sys::files::metadata(&path) else {
        return File::Missing;
    };
    if !names::is_valid(name.as_bytes(), filters) {
        return File::InvalidName;
    }
    if !metadata.is_file() || metadata.permissions().mode() & 0o111 == 0 {
        return File::NotExecutable;
    }
    match sys::files::link_text(&path) {
        Ok(text) if is_within(&text, places) => File::Alias,
        _ => File::Script,
    }
}

/// Tells whether a link in init.d stays there.
fn is_within(text: &Path, places: &Places) -> bool {
    let folder = text.parent().unwrap_or(Path::new(""));
    [Path::new(""), Path::new("."), &places.scripts].contains(&folder)
}

fn scripts(places: &Places, filters: &[Box<[u8]>]) -> anyhow::Result<Vec<Script>> {
    let reading = || format!("reading {}", places.scripts.display());
    let mut names: Vec<OsString> =
        sys::files::names(&places.scripts, usize::MAX).with_context(reading)?;
    names.retain(|name| file(places, name, filters) == File::Script);
    names.sort();
    let read = |name: OsString| {
        let path = places.scripts.join(&name);
        let (header, diagnostics) = places
            .sources
            .header(&name, &path)
            .with_context(|| format!("reading {}", path.display()))?;
        Ok(Script {
            name: name.into_vec().into(),
            header,
            diagnostics,
            ..Script::default()
        })
    };
    names.into_iter().map(read).collect()
}

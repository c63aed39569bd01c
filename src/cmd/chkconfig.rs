//! `chkconfig`: lists services by level, and switches them on and off, as Red Hat's does. chkconfig(8).
//!
//! A change makes the new link of a level before it removes the old one, so that a script is never without a link.

mod args;

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, bail, ensure};

use super::links::{Places, remove_all};
use super::{Invocation, recorded_level};
use crate::paths::Paths;
use crate::rcdir::chkconfig::{self, Settings};
use crate::rcdir::{Link, LinkKind};
use crate::runlevel::{Runlevel, RunlevelSet};
use crate::sys;
use args::{Order, Switch, Task};

/// More than any script is long.
const LONGEST_SCRIPT: u64 = 1 << 20;

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    match args::parse(&call.arguments)? {
        Task::Help => sys::print::text(args::HELP)?,
        Task::Version => sys::print::text(&super::version_line(&call.name))?,
        Task::Do(order, root) => {
            let paths = Paths::new(root);
            return Services(Places::new(&paths), paths).obey(&order);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Every level that chkconfig knows.
fn all_levels() -> RunlevelSet {
    RunlevelSet::parse(b"0123456")
}

/// The scripts and their links.
struct Services(Places, Paths);

impl Services {
    fn obey(&self, order: &Order) -> anyhow::Result<ExitCode> {
        match order {
            Order::List(None) => sys::print::text(&self.list()?)?,
            Order::List(Some(name)) => {
                self.settings(name)?;
                let links = self.links(name)?;
                ensure!(
                    !links.is_empty(),
                    "service {0} supports chkconfig, but is not referenced in any runlevel (run 'chkconfig --add {0}')",
                    shown(name)
                );
                sys::print::text(&chkconfig::listed(&shown(name), started(&links)))?;
            }
            Order::Ask(name, level) => {
                self.settings(name)?;
                let level = match level {
                    Some(level) => *level,
                    None => recorded_level::current(&self.1)
                        .context("cannot determine current run level")?,
                };
                let is_on = started(&self.links(name)?).contains(level);
                return Ok(ExitCode::from(u8::from(!is_on)));
            }
            Order::Add(name) => {
                let settings = self.settings(name)?;
                self.expect_privileges()?;
                let links = self.links(name)?;
                let linked = |level: &Runlevel| links.iter().any(|(there, _)| there == level);
                for level in all_levels().levels().filter(|level| !linked(level)) {
                    self.place(name, level, settings.levels.contains(level), settings)?;
                }
            }
            Order::Override(name) => {
                let settings = self.settings(name)?;
                self.expect_privileges()?;
                self.place_all(name, settings.levels, all_levels(), settings)?;
            }
            Order::Delete(name) => {
                self.settings(name)?;
                self.expect_privileges()?;
                remove_all(&self.0, name.as_bytes())?;
            }
            Order::Switch(name, switch, levels) => {
                let settings = self.settings(name)?;
                self.expect_privileges()?;
                self.switch(name, *switch, *levels, settings)?;
            }
        }
        Ok(ExitCode::SUCCESS)
    }

    fn switch(
        &self,
        name: &OsStr,
        switch: Switch,
        levels: Option<RunlevelSet>,
        settings: Settings,
    ) -> anyhow::Result<()> {
        let on_by_default = RunlevelSet::parse(b"2345");
        let (started, levels) = match switch {
            Switch::On => (all_levels(), levels.unwrap_or(on_by_default)),
            Switch::Off => (RunlevelSet::EMPTY, levels.unwrap_or(on_by_default)),
            Switch::Reset => (settings.levels, levels.unwrap_or(all_levels())),
            Switch::ResetPriorities => {
                (started(&self.links(name)?), levels.unwrap_or(all_levels()))
            }
        };
        self.place_all(name, started, levels, settings)
    }

    fn place_all(
        &self,
        name: &OsStr,
        started: RunlevelSet,
        levels: RunlevelSet,
        settings: Settings,
    ) -> anyhow::Result<()> {
        levels
            .levels()
            .try_for_each(|level| self.place(name, level, started.contains(level), settings))
    }

    /// Leaves one link of a script in a level.
    fn place(
        &self,
        name: &OsStr,
        level: Runlevel,
        is_started: bool,
        settings: Settings,
    ) -> anyhow::Result<()> {
        let kind = if is_started {
            LinkKind::Start
        } else {
            LinkKind::Kill
        };
        let settings = self.numbered(name, level, settings)?;
        let link = chkconfig::link(name.as_bytes(), kind, settings)
            .with_context(|| format!("{}: no name for a link", shown(name)))?;
        let directory = self.0.level(level);
        let path = |link: &Link| directory.join(OsStr::from_bytes(&link.file_name()));
        sys::files::make_folder(&directory)
            .with_context(|| format!("making {}", directory.display()))?;
        sys::files::replace_link(&self.0.link_text(name.as_bytes()), &path(&link))
            .with_context(|| format!("making {}", path(&link).display()))?;
        for (_, old) in self.in_level(level)? {
            if *old.name == *name.as_bytes() && old != link {
                sys::files::remove(&path(&old))
                    .with_context(|| format!("removing {}", path(&old).display()))?;
            }
        }
        Ok(())
    }

    /// The numbers of a script that names none: behind what it requires in that level, and stopped before it.
    fn numbered(
        &self,
        name: &OsStr,
        level: Runlevel,
        mut settings: Settings,
    ) -> anyhow::Result<Settings> {
        if settings.numbered {
            return Ok(settings);
        }
        let (header, _) = self.0.sources.header(name, &self.script(name))?;
        let header = header.unwrap_or_default();
        for (_, link) in self.in_level(level)? {
            let number = link.sequence.number();
            match link.kind {
                LinkKind::Start if header.required_start.contains(&link.name) => {
                    settings.start = settings.start.max(number.saturating_add(1)).min(99);
                }
                LinkKind::Kill if header.required_stop.contains(&link.name) => {
                    settings.stop = settings.stop.min(number.saturating_sub(1));
                }
                LinkKind::Start | LinkKind::Kill => {}
            }
        }
        Ok(settings)
    }

    /// What a script, or the administrator in its place, says of itself.
    fn settings(&self, name: &OsStr) -> anyhow::Result<Settings> {
        ensure!(
            !name.as_bytes().contains(&b'/'),
            "error reading information on service {}: no slash may be in it",
            shown(name)
        );
        let script = self.script(name);
        let text = sys::files::read(&script, LONGEST_SCRIPT).map_err(|error| {
            let why = super::reason(&error);
            anyhow::anyhow!(
                "error reading information on service {}: {why}",
                shown(name)
            )
        })?;
        let instead = self.1.at("/etc/chkconfig.d").join(name);
        let text = sys::files::read(&instead, LONGEST_SCRIPT).unwrap_or(text);
        let (header, _) = self.0.sources.header(name, &script)?;
        match chkconfig::settings(&text, header.as_ref()) {
            Some(settings) => Ok(settings),
            None => bail!("service {} does not support chkconfig", shown(name)),
        }
    }

    fn script(&self, name: &OsStr) -> PathBuf {
        self.0.scripts.join(name)
    }

    fn list(&self) -> anyhow::Result<String> {
        let scripts = &self.0.scripts;
        let mut names = sys::files::names(scripts, usize::MAX)
            .with_context(|| format!("reading {}", scripts.display()))?;
        names.sort_unstable();
        let mut text = String::new();
        for name in names {
            let links = self.links(&name)?;
            if !links.is_empty() && self.settings(&name).is_ok() {
                text.push_str(&chkconfig::listed(&shown(&name), started(&links)));
            }
        }
        Ok(text)
    }

    /// The links of one script in all levels.
    fn links(&self, name: &OsStr) -> anyhow::Result<Vec<(Runlevel, Link)>> {
        let mut links = Vec::new();
        for level in all_levels().levels() {
            links.extend(self.in_level(level)?);
        }
        links.retain(|(_, link)| *link.name == *name.as_bytes());
        Ok(links)
    }

    /// All links of one level. A level without a directory has none.
    fn in_level(&self, level: Runlevel) -> anyhow::Result<Vec<(Runlevel, Link)>> {
        let directory = self.0.level(level);
        let names = match sys::files::names(&directory, usize::MAX) {
            Err(error) if error.kind() == ErrorKind::NotFound => Vec::new(),
            names => names.with_context(|| format!("reading {}", directory.display()))?,
        };
        let links = names.iter().filter_map(|name| {
            let link = Link::parse(name.as_bytes()).ok()?;
            Some((level, link))
        });
        Ok(links.collect())
    }

    fn expect_privileges(&self) -> anyhow::Result<()> {
        let scripts = &self.0.scripts;
        ensure!(
            sys::files::is_writable(scripts),
            "You do not have enough privileges to perform this operation."
        );
        Ok(())
    }
}

fn started(links: &[(Runlevel, Link)]) -> RunlevelSet {
    let starts = links
        .iter()
        .filter(|(_, link)| link.kind == LinkKind::Start);
    starts.fold(RunlevelSet::EMPTY, |set, (level, _)| set.with(*level))
}

fn shown(name: &OsStr) -> String {
    name.as_bytes().escape_ascii().to_string()
}

//! `update-rc.d`: makes, removes, enables and disables the links of one rc script. update-rc.d(8).
//!
//! Where `/etc/insserv.conf` is there, numbers come from the headers, by the same library as insserv's; no program
//! is run for it, and an insserv of another make is left alone. Without that file links are made with number 01, and
//! enabling and disabling keep the number there is.
//!
//! Packages call it as they are installed: a script that lacks what it needs, or is in a loop, is linked all the
//! same, and said.

mod args;
mod by_name;

use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context, anyhow, bail};

use super::links::{File, Places, Shown, Tree, carry_out, file, remove_all};
use super::{Invocation, headers};
use crate::paths::Paths;
use crate::rcdir::lsb::Header;
use crate::rcdir::order::{
    self, Asked, Force, Grave, Levels, Problem, Request, Script, Why, names,
};
use crate::runlevel::{Runlevel, RunlevelSet};
use crate::sys;
use args::{Change, Former, Task, UsageError, Verb};

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    match args::parse(&call.arguments) {
        Ok(Task::Help) => sys::print::text(args::HELP)?,
        Ok(Task::Version) => sys::print::text(&super::version_line(&call.name))?,
        Ok(Task::Change(change)) => Job::new(call, &change)?.carry_out(&change.verb)?,
        Err(UsageError(why)) => {
            if let Some(why) = why {
                sys::print::error(&format!("{}: error: {why}", call.name));
            }
            sys::print::error(args::USAGE.trim_end());
            return Ok(ExitCode::FAILURE);
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A script, and where everything lies.
struct Job<'a> {
    call: &'a Invocation,
    places: Places,
    name: &'a [u8],
    file: File,
    /// Numbers come from headers.
    has_facilities: bool,
}

/// Which way links are turned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Turn {
    /// To kill links.
    Off,
    /// To start links.
    On,
}

/// Whether the levels of the script are others than on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Edited {
    Yes,
    No,
}

impl<'a> Job<'a> {
    fn new(call: &'a Invocation, change: &'a Change) -> anyhow::Result<Self> {
        let variable = || std::env::var_os("DPKG_ROOT").filter(|root| !root.is_empty());
        let root = change
            .root
            .clone()
            .or_else(|| variable().map(PathBuf::from));
        let paths = Paths::new(root.unwrap_or_else(|| PathBuf::from("/")));
        let places = Places::new(&paths);
        let filters = headers::optional(&places.filters)
            .with_context(|| format!("reading {}", places.filters.display()))?;
        Ok(Self {
            file: file(&places, &change.name, &names::filters(&filters)),
            has_facilities: sys::files::is_readable(&paths.facilities()),
            call,
            places,
            name: change.name.as_bytes(),
        })
    }

    fn warn(&self, text: &str) {
        sys::print::error(&format!("{}: warning: {text}", self.call.name));
    }

    fn carry_out(&self, verb: &Verb) -> anyhow::Result<()> {
        match verb {
            Verb::Remove => self.remove(),
            Verb::Defaults => self.add(None),
            Verb::DefaultsDisabled => self.add(Some(Turn::Off)),
            Verb::Former(former) => {
                self.compare(former)?;
                self.add(None)
            }
            Verb::Disable(words) => self.turn(Turn::Off, words),
            Verb::Enable(words) => self.turn(Turn::On, words),
        }
    }

    /// Warns where levels named in the words of former times are not those of the header.
    fn compare(&self, former: &Former) -> anyhow::Result<()> {
        self.warn("start and stop actions are no longer supported; falling back to defaults");
        self.expect_script()?;
        let header = self.header()?;
        for (which, keyword, named, listed) in [
            ("start", "Default-Start", former.start, header.default_start),
            ("stop", "Default-Stop", former.stop, header.default_stop),
        ] {
            if named != listed {
                self.warn(&format!(
                    "{which} runlevel arguments ({}) do not match {} {keyword} values ({})",
                    listed_levels(named),
                    self.name.escape_ascii(),
                    listed_levels(listed)
                ));
            }
        }
        Ok(())
    }

    fn expect_script(&self) -> anyhow::Result<()> {
        if self.file == File::Missing || self.name.contains(&b'/') {
            let script = self.script();
            bail!("error: initscript does not exist: {}", script.display());
        }
        Ok(())
    }

    fn script(&self) -> PathBuf {
        self.places
            .scripts
            .join(std::ffi::OsStr::from_bytes(self.name))
    }

    fn header(&self) -> anyhow::Result<Header> {
        let script = self.script();
        let (header, _) = self
            .places
            .sources
            .header(std::ffi::OsStr::from_bytes(self.name), &script)
            .with_context(|| format!("reading {}", script.display()))?;
        Ok(header.unwrap_or_default())
    }

    fn remove(&self) -> anyhow::Result<()> {
        if self.has_facilities && self.file == File::Script {
            return self.arrange(order::Verb::Remove, |_| {});
        }
        remove_all(&self.places, self.name)?;
        // What came behind a script that is gone may move up.
        if self.has_facilities && sys::files::is_folder(&self.places.scripts) {
            return self.place(
                &Tree::read(&self.places)?,
                Vec::new(),
                order::Verb::Add,
                Edited::No,
            );
        }
        Ok(())
    }

    fn add(&self, turn: Option<Turn>) -> anyhow::Result<()> {
        self.expect_script()?;
        if !self.has_facilities {
            return by_name::add(&self.places, self.name, &self.header()?, turn);
        }
        let name = self.name.escape_ascii();
        match self.file {
            File::Script => self.arrange(order::Verb::Add, |script| {
                if turn.is_some() && !script.is_linked() {
                    let (start, stop) = script.default_levels();
                    script.stop = start.or(stop);
                }
            }),
            // The administrator has switched it off; that must not fail the package's installation.
            File::NotExecutable => {
                self.warn(&format!(
                    "{name} is not an executable file, so it is not linked"
                ));
                Ok(())
            }
            File::Alias => bail!("error: {name} is a symlink to another script"),
            File::InvalidName | File::Missing => {
                bail!("error: {name} is not a valid name for a script")
            }
        }
    }

    /// Turns the links of some levels into those of the other kind.
    fn turn(&self, turn: Turn, words: &[std::ffi::OsString]) -> anyhow::Result<()> {
        if self.file == File::Missing || self.name.contains(&b'/') {
            bail!(
                "error: cannot find a LSB script for {}",
                self.name.escape_ascii()
            );
        }
        let word = match turn {
            Turn::Off => "disable",
            Turn::On => "enable",
        };
        let mut levels = RunlevelSet::EMPTY;
        for named in words {
            let level = args::level(named).filter(|level| is_startable(*level));
            match level {
                Some(level) => levels = levels.with(level),
                None => self.warn(&format!(
                    "{word} action will have no effect on runlevel {}",
                    named.as_bytes().escape_ascii()
                )),
            }
        }
        if words.is_empty() {
            levels = self.header()?.default_start;
            for level in levels.levels().filter(|level| !is_startable(*level)) {
                self.warn(&format!(
                    "{word} action will have no effect on runlevel {level}"
                ));
            }
            if levels.is_empty() {
                bail!(
                    "error: {} Default-Start contains no runlevels, aborting.",
                    self.name.escape_ascii()
                );
            }
            levels = levels.without(RunlevelSet::parse(b"016789"));
        }
        let there = by_name::levels(&self.places, self.name)?;
        let levels = levels.and(there);
        if levels.is_empty() {
            bail!("error: no runlevel symlinks to modify, aborting!");
        }
        if !self.has_facilities || self.file != File::Script {
            return by_name::turn(&self.places, self.name, levels, turn);
        }
        self.arrange(order::Verb::Add, |script| {
            let (from, to) = match turn {
                Turn::Off => (&mut script.start, &mut script.stop),
                Turn::On => (&mut script.stop, &mut script.start),
            };
            let turned = from.and(levels);
            *from = from.without(turned);
            *to = to.or(turned);
        })
    }

    /// Has the script placed and all numbers made anew, after `edit` has changed what its links say.
    fn arrange(&self, verb: order::Verb, edit: impl Fn(&mut Script)) -> anyhow::Result<()> {
        let mut tree = Tree::read(&self.places)?;
        let mut scripts = tree.scripts.iter_mut();
        let script = scripts.find(|script| *script.name == *self.name);
        let script =
            script.ok_or_else(|| anyhow!("error: {} is gone", self.name.escape_ascii()))?;
        let before = (script.start, script.stop);
        edit(script);
        let edited = if before == (script.start, script.stop) {
            Edited::No
        } else {
            Edited::Yes
        };
        let asked = vec![Asked {
            name: self.name.into(),
            ..Asked::default()
        }];
        self.place(&tree, asked, verb, edited)
    }

    fn place(
        &self,
        tree: &Tree,
        asked: Vec<Asked>,
        verb: order::Verb,
        edited: Edited,
    ) -> anyhow::Result<()> {
        let request = Request {
            asked,
            verb,
            levels: Levels::Kept,
            force: Force::Yes,
        };
        let outcome = order::arrange(&tree.scripts, &tree.facilities, &request);
        let tell = |line: &str| sys::print::error(&format!("insserv: {line}"));
        tree.said.iter().for_each(|line| tell(line));
        // Whoever has just asked for other levels than the header's need not be told that they are others.
        let is_worth_it = |problem: &&Problem| {
            let is_wanted = edited == Edited::Yes && matches!(problem.why, Why::Overrides { .. });
            problem.grave > Grave::Note && !is_wanted
        };
        for problem in outcome.problems.iter().filter(is_worth_it) {
            tell(&problem.to_string());
        }
        carry_out(&self.places, tree, &outcome, Shown::Silent, tell)
    }
}

/// Tells whether links of the level can be turned: in the others a script is only ever stopped.
fn is_startable(level: Runlevel) -> bool {
    level == Runlevel::SINGLE || level.is_multi_user()
}

fn listed_levels(levels: RunlevelSet) -> String {
    let levels: Vec<String> = levels.levels().map(|level| level.to_string()).collect();
    if levels.is_empty() {
        "none".to_owned()
    } else {
        levels.join(" ")
    }
}

//! `insserv`: links rc scripts in the order that their headers ask for. insserv(8).
//!
//! Reads the tree ([`super::links`]), has [`order::arrange`] decide, tells what is wrong, and carries it out. A refused
//! request changes nothing.

mod args;

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use super::links::{File, Places, Shown, Tree, carry_out, file};
use super::{Invocation, headers};
use crate::paths::Paths;
use crate::rcdir::order::{self, Asked, Grave, Outcome, Request, Why, names};
use crate::sys;
use args::{Deed, Options, Task, Voice};

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    match args::parse(&call.arguments)? {
        Task::Help => sys::print::text(args::HELP)?,
        Task::Version => sys::print::text(&super::version_line(&call.name))?,
        Task::Arrange(options) => return arrange(call, options),
    }
    Ok(ExitCode::SUCCESS)
}

fn arrange(call: &Invocation, mut options: Options) -> anyhow::Result<ExitCode> {
    let paths = Paths::new(&options.root);
    let mut places = places(&paths, &options);
    let tell = |line: &str| sys::print::error(&format!("{}: {line}", call.name));
    let (asked, found) = asked(&mut options, &mut places, tell)?;
    if found == Asks::ForNothingThatCanBe {
        return Ok(ExitCode::FAILURE);
    }
    let tree = Tree::read(&places)?;
    if options.voice > Voice::Silent {
        tree.said.iter().for_each(|line| tell(line));
    }
    let request = Request {
        asked,
        verb: options.verb,
        levels: options.levels,
        force: options.force,
    };
    let outcome = order::arrange(&tree.scripts, &tree.facilities, &request);
    let least = match options.voice {
        Voice::Silent => Grave::Fatal,
        Voice::Usual => Grave::Warning,
        Voice::Verbose => Grave::Note,
    };
    for problem in outcome
        .problems
        .iter()
        .filter(|problem| problem.grave >= least)
    {
        tell(&problem.to_string());
    }
    if options.deed == Deed::Show {
        sys::print::bytes(&listed(&tree, &outcome))?;
        return Ok(ExitCode::SUCCESS);
    }
    if outcome.is_refused {
        let is_fatal_loop = |problem: &order::Problem| {
            problem.grave == Grave::Fatal && matches!(problem.why, Why::Loop { .. })
        };
        tell(if outcome.problems.iter().any(is_fatal_loop) {
            "exiting now without changing boot order!"
        } else {
            "exiting now!"
        });
        return Ok(ExitCode::FAILURE);
    }
    let shown = match (options.deed, options.voice) {
        (Deed::DryRun, _) => Shown::Only,
        (_, Voice::Verbose) => Shown::Told,
        _ => Shown::Silent,
    };
    carry_out(&places, &tree, &outcome, shown, tell)?;
    Ok(ExitCode::SUCCESS)
}

/// Where everything lies. An absolute path of an option is below the root, as all others are.
fn places(paths: &Paths, options: &Options) -> Places {
    let mut places = Places::new(paths);
    if let Some(scripts) = &options.scripts {
        places.scripts = below(paths, scripts);
        places.depend.clone_from(&places.scripts);
    }
    if let Some(depend) = &options.depend {
        places.depend = below(paths, depend);
    }
    if let Some(config) = &options.config {
        places.sources.facilities = below(paths, config);
    }
    if let (Some(overrides), Some(first)) =
        (&options.overrides, places.sources.overrides.first_mut())
    {
        *first = below(paths, overrides);
    }
    places
}

fn below(paths: &Paths, path: &Path) -> PathBuf {
    if path.is_absolute() {
        paths.at(path)
    } else {
        path.to_owned()
    }
}

/// Whether anything is left of what is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Asks {
    ForWhatCanBe,
    ForNothingThatCanBe,
}

/// Turns words into scripts; a directory among them is that of the scripts. Says which cannot be linked, and goes on
/// with the others. A script that an administrator has made not executable is no reason to fail.
fn asked(
    options: &mut Options,
    places: &mut Places,
    tell: impl Fn(&str),
) -> anyhow::Result<(Vec<Asked>, Asks)> {
    let filters = headers::optional(&places.filters)
        .with_context(|| format!("reading {}", places.filters.display()))?;
    let filters = names::filters(&filters);
    let mut asked = Vec::new();
    let mut has_invalid = false;
    for operand in std::mem::take(&mut options.operands) {
        let path = &below(&Paths::new(&options.root), &operand.path);
        let has_folder = path.parent().is_some_and(|folder| folder != Path::new(""));
        if has_folder && sys::files::is_folder(path) {
            relocate(options, places, path);
            continue;
        }
        if has_folder {
            sys::files::metadata(path).with_context(|| path.display().to_string())?;
            if let Some(folder) = path.parent() {
                relocate(options, places, folder);
            }
        }
        let name = path.file_name().unwrap_or_default();
        let shown = name.as_bytes().escape_ascii();
        match file(places, name, &filters) {
            File::Script => asked.push(Asked {
                name: name.as_bytes().into(),
                start: operand.start,
                stop: operand.stop,
            }),
            File::Missing => {
                sys::files::metadata(&places.scripts.join(name))
                    .with_context(|| path.display().to_string())?;
            }
            File::InvalidName => {
                has_invalid = true;
                tell(&format!("script name {shown} is not valid, skipped!"));
            }
            File::Alias => {
                has_invalid = true;
                tell(&format!(
                    "script {shown} is a symlink to another script, skipped!"
                ));
            }
            File::NotExecutable => tell(&format!(
                "script {shown} is not an executable file, will be skipped in boot sequence!"
            )),
        }
    }
    let asks = if has_invalid && asked.is_empty() {
        Asks::ForNothingThatCanBe
    } else {
        Asks::ForWhatCanBe
    };
    Ok((asked, asks))
}

/// Takes the directory of the scripts from a word, where no option names it.
fn relocate(options: &Options, places: &mut Places, folder: &Path) {
    if options.scripts.is_none() {
        folder.clone_into(&mut places.scripts);
        if options.depend.is_none() {
            folder.clone_into(&mut places.depend);
        }
    }
}

/// Lists levels and numbers as `K:01:0 1 6:cron`, kill links first.
fn listed(tree: &Tree, outcome: &Outcome) -> Vec<u8> {
    let mut kills = Vec::new();
    let mut starts = Vec::new();
    for (script, placed) in tree.scripts.iter().zip(&outcome.placed) {
        let (start, stop) = script.levels_or_default(placed);
        let lines = [
            (&mut kills, 'K', placed.stop_number, stop),
            (&mut starts, 'S', placed.start_number, start),
        ];
        for (text, kind, number, levels) in lines {
            if !levels.is_empty() {
                let levels: Vec<String> = levels.levels().map(|level| level.to_string()).collect();
                text.extend(format!("{kind}:{number:02}:{}:", levels.join(" ")).bytes());
                text.extend_from_slice(&script.name);
                text.push(b'\n');
            }
        }
    }
    kills.extend(starts);
    kills
}

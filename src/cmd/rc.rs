//! `rc LEVEL` and `rcS`: enter a runlevel by running its rc scripts, one after another.
//!
//! # What is run
//! [`crate::rcdir::plan`] decides, from the links of the new and the previous level. A service that runs already is
//! not started again where `/etc/init.d/.depend.boot`, `.depend.start` and `.depend.stop` are all there and not
//! empty, and neither `/etc/init.d/.legacy-bootordering` nor the kernel's word `concurrency=none` says otherwise;
//! elsewhere every link is run at every change. These are the conditions under which Debian's rc leaves such scripts
//! out, so what runs there runs here. It then also ignores links that insserv has not entered into those files; here
//! they are run. And it runs a script as `/etc/init.d/NAME` then and not by its link, which is done here as well.
//!
//! Links are looked for in `/etc/rcN.d` and, where that is missing, in `/etc/rc.d/rcN.d`. A level without a
//! directory has nothing to run, which is no error.
//!
//! # How a script is run
//! In the foreground, with the word `start` or `stop`, and waited for. It has rc's standard input and directory,
//! `PATH=/sbin:/usr/sbin:/bin:/usr/bin`, umask 022, rc's environment with `runlevel` and `previous` (N where there
//! was none), and `VERBOSE` where `/etc/default/rcS` sets it. All its signals have their default effect.
//!
//! A script that fails stops nothing. In the end one line counts them and names all that did. Exit statuses 5 (not
//! installed) and 6 (not configured) are no failures.
//!
//! # What a script says
//! Its output comes to rc (`script`), through a terminal where rc writes to one and a pipe elsewhere, and goes from
//! there to the console (`console`). [`crate::rcdir::screen`] decides what is shown between and behind it. A script
//! that talks to whoever sits there (`X-Interactive: true`) has the console itself.
//!
//! Between the end of a script and the beginning of the next one lies only what the next one needs: its output has been
//! opened before (`Run::prepare`), and the end of the first is shown and recorded when the other runs already. A terminal
//! that a script has left as it was is opened again for the one after the next (`sys::untouched`).
//!
//! Nobody waits for the end of an output: a daemon may hold it for years. What it says while rc runs gets lines of its
//! own, and when rc ends a small process stays that shows the rest (`late`).
//!
//! # Process groups and signals
//! Each script leads a process group, which is the foreground of rc's terminal where rc has one. So Ctrl-C ends the
//! script at hand with all it waits for, and rc goes on to the next; a script that Ctrl-Z has suspended is resumed, as
//! nobody could do that during a boot.
//!
//! On TERM rc hands the signal on to the script's group, waits for the script to end and goes no further. init, which
//! ends an rc that still runs at a change of level by TERM and then KILL, sends both to rc's own group, and after a
//! KILL rc can pass on nothing. That is what the guard is for ([`crate::sys::guard`]): every script enters itself in
//! its list before it runs and rc crosses it off when it has ended, and at rc's end the guard kills what still runs.
//! Daemons of scripts that have ended are no longer on the list. Two other ways were not taken: a signal at the parent's death
//! (`PR_SET_PDEATHSIG`) reaches the script and not what it has started, and a signal from init to the whole session
//! would reach every daemon that has stayed in it.
//!
//! # What the administrator may ask for
//! `/etc/default/rc` ([`crate::rcdir::settings`]): a time that a script may take (`timing`), a question before each one
//! (`asking`), and scripts side by side. For the last one there is no second loop: [`crate::rcdir::schedule`] says
//! what may begin, which without headers is one script after another.

mod args;
mod asking;
mod late;
mod overdue;
mod record;
mod run;
mod script;
mod starting;
mod timing;
mod tree;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use super::Invocation;
use crate::paths::Paths;
use crate::rcdir::plan::Plan;
use crate::rcdir::schedule::Schedule;
use crate::rcdir::screen::{Colours, Screen, Terminal};
use crate::rcdir::settings::Order;
use crate::runlevel::Runlevel;
use crate::sys;
use args::{Options, Task};
use record::Record;
use run::Run;
use tree::Tree;

/// The exit status of a program that TERM has ended, as shells count.
const TERMINATED: u8 = 143;

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let level = (call.name == "rcS").then_some(Runlevel::SINGLE);
    match args::parse(&call.arguments, level)? {
        Task::Help => sys::print::text(args::HELP)?,
        Task::Version => sys::print::text(&super::version_line(&call.name))?,
        Task::Enter(options) => return enter(call, &options),
    }
    Ok(ExitCode::SUCCESS)
}

fn enter(call: &Invocation, options: &Options) -> anyhow::Result<ExitCode> {
    let level = match options.level {
        Some(level) => level,
        None => match std::env::var_os("RUNLEVEL") {
            Some(word) if !word.is_empty() => args::level(&word)?,
            _ => {
                sys::print::error(&format!("Usage: {} <runlevel>", call.name));
                return Ok(ExitCode::FAILURE);
            }
        },
    };
    let previous = std::env::var_os("PREVLEVEL").and_then(|word| args::level(&word).ok());
    let paths = Paths::new(&options.root);
    if !options.dry_run && options.root == Path::new("/") {
        mount_proc(&paths);
    }
    let tree = Tree::read(&paths, level, previous)?;
    if options.dry_run {
        sys::print::text(&shown(&tree))?;
        return Ok(ExitCode::SUCCESS);
    }
    let environment = environment(level, previous, tree.verbose.as_deref());
    let screen = Screen::new(colours(&paths));
    let record = Record::begin(&paths, level, previous);
    let mut run = Run::new(&tree, &environment, screen, record)?;
    run.all()?;
    Ok(ExitCode::from(run.conclude(&call.name)))
}

/// Mounts /proc where it is not there: the kernel's words and the consoles are found below it. Compat: so does
/// Debian's rc.
fn mount_proc(paths: &Paths) {
    let folder = paths.processes();
    if sys::files::metadata(&folder.join("stat")).is_err() {
        // A script is going to try it again, and will say why it cannot be done.
        sys::proc::mount(&folder).unwrap_or_default();
    }
}

/// Looks whether the terminal has colours.
fn colours(paths: &Paths) -> Colours {
    const MOST: u64 = 4096;
    let variable = |name| std::env::var_os(name).unwrap_or_default();
    let (kind, no_colour) = (variable("TERM"), variable("NO_COLOR"));
    let is_boot = !variable("INIT_VERSION").is_empty();
    let consoles =
        is_boot.then(|| sys::files::read(&paths.active_consoles(), MOST).unwrap_or_default());
    let terminal = Terminal {
        kind: kind.as_bytes(),
        no_colour: no_colour.as_bytes(),
        consoles: consoles.as_deref(),
    };
    Colours::of(Some(terminal).filter(|_| sys::output::is_terminal()))
}

/// Puts the scripts' environment together.
fn environment(
    level: Runlevel,
    previous: Option<Runlevel>,
    verbose: Option<&[u8]>,
) -> Vec<(OsString, OsString)> {
    let character = |byte: u8| OsString::from(char::from(byte).to_string());
    let mut own = vec![
        ("PATH", OsString::from("/sbin:/usr/sbin:/bin:/usr/bin")),
        ("runlevel", character(level.as_byte())),
        ("previous", character(Runlevel::byte_or_n(previous))),
    ];
    own.extend(verbose.map(|value| ("VERBOSE", OsStr::from_bytes(value).to_owned())));
    let inherited = std::env::vars_os().filter(|(name, _)| own.iter().all(|(own, _)| name != own));
    let mut all: Vec<_> = inherited.collect();
    all.extend(own.into_iter().map(|(name, value)| (name.into(), value)));
    all
}

/// Shows what rc would do on entering a level.
pub(super) fn rehearsal(
    paths: &Paths,
    level: Runlevel,
    previous: Option<Runlevel>,
) -> anyhow::Result<String> {
    Ok(shown(&Tree::read(paths, level, previous)?))
}

/// Shows what would be done, one line for each name in the level's directory.
fn shown(tree: &Tree) -> String {
    let Plan { steps, left_out } = &tree.plan;
    let (schedule, loops) = tree.schedule();
    let run = (0..).zip(steps).map(|(place, step)| {
        let program = tree.program(step);
        let program = program.as_os_str().as_bytes().escape_ascii();
        let word = step.argument.word();
        match notes(tree, &schedule, place).as_slice() {
            [] => format!("{program} {word}\n"),
            notes => format!("{program} {word} # {}\n", notes.join("; ")),
        }
    });
    let not_run = left_out
        .iter()
        .map(|(name, reason)| format!("# {}: {reason}\n", name.escape_ascii()));
    let loops = loops
        .iter()
        .map(|broken| format!("# {broken}: each needs the next one\n"));
    run.chain(not_run).chain(loops).collect()
}

/// What is to be known of a step besides its place among the others.
fn notes(tree: &Tree, schedule: &Schedule, place: usize) -> Vec<String> {
    let mut notes = Vec::new();
    if tree.order() == Order::Headers {
        let needs = schedule.needs(place).iter();
        let needs: Vec<String> = needs
            .filter_map(|&needed| tree.plan.steps.get(needed))
            .map(|step| step.link.name.escape_ascii().to_string())
            .collect();
        notes.push(match needs.as_slice() {
            [] => "at once".to_owned(),
            needs => format!("after {}", needs.join(" ")),
        });
    }
    if tree.is_interactive(place) {
        notes.push("interactive".to_owned());
    }
    if let Some(limit) = tree.deadline(place) {
        notes.push(format!("deadline {} s", limit.as_secs()));
    }
    notes
}

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
//! In the foreground, with the word `start` or `stop`, and waited for. It has rc's standard files and directory,
//! `PATH=/sbin:/usr/sbin:/bin:/usr/bin`, umask 022, rc's environment with `runlevel` and `previous` (N where there
//! was none), and `VERBOSE` where `/etc/default/rcS` sets it. All its signals have their default effect.
//!
//! A script that fails stops nothing. In the end one line names all that did; nothing is said when all is well.
//! Exit statuses 5 (not installed) and 6 (not configured) are no failures.
//!
//! # Process groups and signals
//! A script shares rc's process group. So Ctrl-C, which the terminal sends to the whole group, ends the script at
//! hand; rc takes the signal and goes on to the next. It does so with QUIT as well, and undoes a Ctrl-Z, as nobody
//! could resume a suspended boot. And init, which ends an rc that still runs at a change of level by signalling its
//! group, first TERM and then KILL, reaches the script and all it has started. A group for each script would
//! take that away: after a KILL nobody could pass on to it, a script would go on in the middle of another level.
//!
//! On TERM rc hands the signal on to the script (whoever has signalled rc alone means both), waits for it to end and
//! goes no further. It does not end first: init sends KILL only to the group of a process that still runs,
//! and a script that ignores TERM would be left behind.

mod args;
mod run;
mod tree;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use super::Invocation;
use crate::paths::Paths;
use crate::rcdir::plan::Plan;
use crate::runlevel::Runlevel;
use crate::sys;
use args::{Options, Task};
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
    let tree = Tree::read(&Paths::new(&options.root), level, previous)?;
    if options.dry_run {
        sys::print::text(&shown(&tree))?;
        return Ok(ExitCode::SUCCESS);
    }
    let environment = environment(level, previous, tree.verbose.as_deref());
    let record = run::all(&tree, &environment)?;
    for line in [record.failure_line(), record.termination_line()]
        .into_iter()
        .flatten()
    {
        sys::print::error(&format!("{}: {line}", call.name));
    }
    Ok(if record.was_terminated() {
        ExitCode::from(TERMINATED)
    } else {
        ExitCode::SUCCESS
    })
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

/// Shows what would be done, one line for each name in the level's directory.
fn shown(tree: &Tree) -> String {
    let Plan { steps, left_out } = &tree.plan;
    let run = steps.iter().map(|step| {
        let program = tree.program(step);
        let program = program.as_os_str().as_bytes().escape_ascii();
        format!("{program} {}\n", step.argument.word())
    });
    let not_run = left_out
        .iter()
        .map(|(name, reason)| format!("# {}: {reason}\n", name.escape_ascii()));
    run.chain(not_run).collect()
}

//! `pidof`: prints the numbers of the processes that run a program (pidof(8)).

mod args;
pub(super) mod look;

use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use anyhow::Context;

use self::args::{Options, Wish};
use super::Invocation;
use super::complain::complain;
use crate::procs::matching::{Process, Rules, Wanted, find};
use crate::procs::{Omission, Stat};
use crate::sys;

const HELP: &str = "\
Usage: pidof [-cnqsxz] [-d SEPARATOR] [-o PID[,PID...]]... NAME...

Prints the processes that run a program, newest first. NAME is a path or a name.

  -c         only processes with the same root directory (for root)
  -d SEP     separate by this character instead of a blank
  -n         accepted; network file systems are never touched anyway
  -o PID     pass over this process; %PPID is the one that called pidof
  -q         print nothing
  -s         one process for each NAME
  -x         also shells that run a script NAME
  -z         also zombies
  -h, --help, --version

Exit code: 0 there is such a process, 1 there is none.
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let options = match args::parse(&call.arguments) {
        Ok(Wish::Help) => {
            sys::print::text(HELP)?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Wish::Version) => {
            sys::print::text(&super::version_line(&call.name))?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Wish::Look(options)) => options,
        Err(error) => {
            let text = format!("invalid options on command line! {error}");
            complain(&call.name, &text);
            return Ok(ExitCode::FAILURE);
        }
    };
    if options.names.is_empty() {
        complain(&call.name, "name a program; pidof -h says more");
        return Ok(ExitCode::FAILURE);
    }
    let table = look::processes().context("/proc")?;
    let own = look::Own::find().context("finding this process in /proc")?;
    let candidates = candidates(call, &options, table, &own);
    let mut found = Vec::new();
    for name in &options.names {
        let resolved = look::resolve(name.as_bytes());
        let multi_call = resolved.is_some() && resolved == own.program;
        let wanted = Wanted {
            name: name.as_bytes().to_vec(),
            resolved,
            rules: Rules {
                scripts: options.scripts,
                unseen_programs: !sys::identity::is_superuser(),
                multi_call,
            },
        };
        let most = if options.single { 1 } else { usize::MAX };
        let meant = find(&wanted, &candidates);
        found.extend(meant.iter().take(most).map(|process| process.stat.pid));
    }
    if found.is_empty() {
        return Ok(ExitCode::FAILURE);
    }
    if !options.quiet {
        print(&found, options.separator.as_deref())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// Returns the processes that may be meant at all, newest first.
fn candidates(
    call: &Invocation,
    options: &Options,
    mut table: Vec<Process>,
    own: &look::Own,
) -> Vec<Process> {
    let mut omitted = Vec::new();
    for omission in &options.omit {
        match omission {
            Omission::Pid(pid) => omitted.push(*pid),
            Omission::Parent => omitted.push(own.parent),
            Omission::Illegal(text) => {
                complain(&call.name, &format!("illegal omit pid value ({text})!"));
            }
        }
    }
    let counts =
        |stat: &Stat| !omitted.contains(&stat.pid) && (options.zombies || !stat.is_zombie());
    table.retain(|process| counts(&process.stat));
    if options.same_root && sys::identity::is_superuser() {
        let root = look::Root::of_this_process();
        table.retain(|process| look::Root::of(process.stat.pid) == root);
    }
    // Numbers are given in ascending order until they run out.
    table.reverse();
    table
}

fn print(pids: &[i32], separator: Option<&[u8]>) -> anyhow::Result<()> {
    let separator = separator.unwrap_or(b" ");
    let pids: Vec<Vec<u8>> = pids
        .iter()
        .map(|pid| pid.to_string().into_bytes())
        .collect();
    let mut line = pids.join(separator);
    line.push(b'\n');
    Ok(sys::print::bytes(&line)?)
}

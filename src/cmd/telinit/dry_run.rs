//! `--dry-run`: what a request would do to the running init.

use std::fmt::Write;

use crate::cmd::{init::read_table, state};
use crate::initctl::Request;
use crate::inittab::Inittab;
use crate::paths::Paths;
use crate::printable::Printable;
use crate::supervisor::rehearse::{Step, rehearse};
use crate::sys;

/// Shows what a request would stop, start and leave alone, one line each, in order.
pub(super) fn show_rehearsal(request: Request) -> anyhow::Result<String> {
    let (problems, steps) = steps(&Paths::default(), request)?;
    let mut text = String::new();
    for problem in problems {
        // Writing to a String cannot fail.
        writeln!(text, "# {problem}").unwrap_or_default();
    }
    for step in steps {
        writeln!(text, "{}", line(&step)).unwrap_or_default();
    }
    if text.is_empty() {
        text.push_str("# nothing would change\n");
    }
    Ok(text)
}

/// Rehearses a request with the table as it is on disk. Also returns what is wrong with the table.
pub(in crate::cmd) fn steps(
    paths: &Paths,
    request: Request,
) -> anyhow::Result<(Vec<String>, Vec<Step>)> {
    let snapshot = state::read(paths)?;
    let mut problems = Vec::new();
    let table = read_table(paths, &mut |problem| problems.push(problem.to_owned()));
    // As at a re-read: without a table the one in force stays.
    let table = table.unwrap_or_else(|_| Inittab {
        entries: snapshot
            .records
            .iter()
            .map(|record| record.entry.clone())
            .collect(),
        ..Inittab::default()
    });
    let steps = rehearse(&snapshot, &table, request, sys::clock::now());
    Ok((problems, steps))
}

/// One step as people read it.
pub(in crate::cmd) fn line(step: &Step) -> String {
    match step {
        Step::Stop { id, pid, process } => {
            format!("stop   {id:<4}  pid {pid:<7}  {}", Printable(process))
        }
        Step::Keep { id, pid, process } => {
            format!("keep   {id:<4}  pid {pid:<7}  {}", Printable(process))
        }
        Step::Start(entry) => {
            format!(
                "start  {:<4}  {:<11}  {}",
                entry.id,
                entry.action.name(),
                Printable(&entry.process)
            )
        }
        Step::Say(message) => format!("# {message}"),
    }
}

//! `--dry-run`: what a request would do to the running init.

use std::fmt::Write;

use crate::cmd::{init::read_table, state};
use crate::initctl::Request;
use crate::inittab::Inittab;
use crate::paths::Paths;
use crate::supervisor::rehearse::{Step, rehearse};
use crate::sys;

/// Shows what a request would stop, start and leave alone, one line each, in order.
pub(super) fn show_rehearsal(request: Request) -> anyhow::Result<String> {
    let paths = Paths::default();
    let snapshot = state::read(&paths)?;
    let mut text = String::new();
    let table = read_table(&paths, &mut |problem| {
        // Writing to a String cannot fail.
        writeln!(text, "# {problem}").unwrap_or_default();
    });
    // As at a re-read: without a table the one in force stays.
    let table = table.unwrap_or_else(|_| Inittab {
        entries: snapshot
            .records
            .iter()
            .map(|record| record.entry.clone())
            .collect(),
        ..Inittab::default()
    });
    for step in rehearse(&snapshot, &table, request, sys::clock::now()) {
        let line = match &step {
            Step::Stop { id, pid, process } => {
                format!("stop   {id:<4}  pid {pid:<7}  {}", process.escape_ascii())
            }
            Step::Keep { id, pid, process } => {
                format!("keep   {id:<4}  pid {pid:<7}  {}", process.escape_ascii())
            }
            Step::Start(entry) => {
                format!(
                    "start  {:<4}  {:<11}  {}",
                    entry.id,
                    entry.action.name(),
                    entry.process.escape_ascii()
                )
            }
            Step::Say(message) => format!("# {message}"),
        };
        writeln!(text, "{line}").unwrap_or_default();
    }
    if text.is_empty() {
        text.push_str("# nothing would change\n");
    }
    Ok(text)
}

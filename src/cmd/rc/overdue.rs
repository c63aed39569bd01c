//! Who is in the way when a script takes too long: its processes, as /proc shows them.

use std::path::Path;

use crate::paths::Paths;
use crate::process::Pid;
use crate::procs::Stat;
use crate::procs::tree::{Branch, branches};
use crate::sys;

/// More processes than anybody reads while seconds are counted down.
const MOST: usize = 12;
/// The longest command shown.
const LONGEST: usize = 60;

/// Says which script takes too long, and what runs in it.
pub(super) fn warning(name: &str, pid: Pid, limit: u64, seconds: u32) -> String {
    let mut lines = vec![format!(
        "rc: {name}: still not done after {limit} s; TERM in {seconds} s to"
    )];
    let folder = Paths::default().processes();
    let processes = processes(&folder);
    let all = branches(&processes, pid.get());
    lines.extend(all.iter().take(MOST).map(|Branch { depth, process }| {
        let indent = 4 + 2 * depth;
        let command = command(&folder, process);
        format!("{:indent$}{} {command}", "", process.pid)
    }));
    if let Some(more) = all.len().checked_sub(MOST).filter(|&more| more > 0) {
        lines.push(format!("    and {more} more"));
    }
    lines.join("\n")
}

/// Tells whether one of the script's processes has been suspended.
pub(super) fn is_suspended(pid: Pid) -> bool {
    processes(&Paths::default().processes())
        .iter()
        .any(|process| process.group == pid.get() && process.state == b'T')
}

fn processes(folder: &Path) -> Vec<Stat> {
    let pids = sys::proc::pids(folder).unwrap_or_default();
    pids.into_iter()
        .filter_map(|pid| sys::proc::stat(&folder.join(pid.to_string())).ok())
        .filter_map(|line| Stat::parse(&line))
        .collect()
}

fn command(folder: &Path, process: &Stat) -> String {
    let words = sys::proc::arguments(&folder.join(process.pid.to_string())).unwrap_or_default();
    let command = if words.is_empty() {
        process.command.clone()
    } else {
        words.join(&b' ')
    };
    let command = command.escape_ascii().to_string();
    match command.get(..LONGEST) {
        Some(beginning) if command.len() > LONGEST => format!("{beginning}..."),
        _ => command,
    }
}

//! What `/run/init.state` tells a client: whether a level has been reached, and what a request would do.

use crate::cmd::init::read_table;
use crate::initctl::Request;
use crate::inittab::{Action, Inittab};
use crate::paths::Paths;
use crate::runlevel::Runlevel;
use crate::snapshot::{Phase, Snapshot};
use crate::supervisor::rehearse::{Step, rehearse};
use crate::sys;
use anyhow::{Context, bail};
use std::fmt::Write;
use std::time::Duration;

/// Largest state text that is read: a hundred thousand entries.
const LARGEST: u64 = 64 << 20;
/// How often the state is looked at while a level is waited for.
const PAUSE: Duration = Duration::from_millis(100);

/// Reads the state of the running init.
fn snapshot(paths: &Paths) -> anyhow::Result<Snapshot> {
    let path = paths.init_state();
    let text = sys::files::read(&path, LARGEST).with_context(|| path.display().to_string())?;
    let (snapshot, _) = Snapshot::from_text(&text).with_context(|| path.display().to_string())?;
    Ok(snapshot)
}

/// Shows what a request would stop, start and leave alone, one line each, in order.
pub(super) fn show_rehearsal(request: Request) -> anyhow::Result<String> {
    let paths = Paths::default();
    let snapshot = snapshot(&paths)?;
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

/// The phase the running init is in.
pub(super) fn phase() -> anyhow::Result<Phase> {
    Ok(snapshot(&Paths::default())?.phase)
}

/// How far a change of level has come.
#[derive(Debug, PartialEq, Eq)]
enum Progress {
    /// Its entries that are waited for have ended.
    Reached,
    /// It was entered, and they have not.
    Entered,
    /// The machine is somewhere else.
    Elsewhere(Phase),
}

/// Waits until the level has been reached, at most `limit`.
///
/// # Errors
/// Another level was entered instead, or afterwards; the time is over; the state cannot be read any more.
pub(super) fn wait_for(
    target: Runlevel,
    before: Phase,
    limit: Option<Duration>,
) -> anyhow::Result<()> {
    let paths = Paths::default();
    let deadline = limit.map(|limit| sys::clock::now().after(limit));
    let mut entered = false;
    loop {
        match progress(&snapshot(&paths)?, target) {
            Progress::Reached => return Ok(()),
            Progress::Entered => entered = true,
            Progress::Elsewhere(phase) if entered || phase != before => {
                bail!(
                    "runlevel {target} was not reached: {}",
                    where_instead(phase)
                );
            }
            Progress::Elsewhere(_) => {}
        }
        if deadline.is_some_and(|deadline| deadline <= sys::clock::now()) {
            let why = if entered {
                "its wait entries still run"
            } else {
                "init has not begun with it"
            };
            bail!("runlevel {target} was not reached in time: {why}");
        }
        sys::poll::wait([None], Some(PAUSE));
    }
}

fn where_instead(phase: Phase) -> String {
    match phase {
        Phase::SysInit | Phase::Boot => "the machine is still booting".to_owned(),
        Phase::Normal(level) => format!("init is in runlevel {level}"),
    }
}

fn progress(snapshot: &Snapshot, target: Runlevel) -> Progress {
    if snapshot.phase != Phase::Normal(target) {
        return Progress::Elsewhere(snapshot.phase);
    }
    let mut own = snapshot.records.iter().filter(|record| {
        record.entry.action == Action::Wait && record.entry.runlevels.contains(target)
    });
    // Level S is reached when its shell is there; it ends only when the level is left.
    let is_over = |running: bool| target == Runlevel::SINGLE || !running;
    if own.all(|record| record.flags.executed && is_over(record.flags.running)) {
        Progress::Reached
    } else {
        Progress::Entered
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inittab::{Entry, EntryId};
    use crate::snapshot::{Flags, Record};

    fn level(byte: u8) -> Runlevel {
        Runlevel::from_byte(byte).unwrap()
    }

    fn state(in_level: u8, entries: &[(&str, Action, Flags)]) -> Snapshot {
        let record = |(levels, action, flags): &(&str, Action, Flags)| Record {
            flags: *flags,
            ..Record::new(Entry::new(
                EntryId::new(*b"x"),
                levels.as_bytes(),
                *action,
                b"/bin/x",
            ))
        };
        Snapshot {
            phase: Phase::Normal(level(in_level)),
            records: entries.iter().map(record).collect(),
            ..Snapshot::default()
        }
    }

    const DONE: Flags = Flags {
        running: false,
        on_demand: false,
        executed: true,
        waiting: false,
    };
    const RUNS: Flags = Flags {
        running: true,
        on_demand: false,
        executed: true,
        waiting: true,
    };

    #[test]
    fn a_level_is_reached_when_its_wait_entries_have_ended() {
        let told = |flags| progress(&state(b'3', &[("3", Action::Wait, flags)]), level(b'3'));
        assert_eq!(told(DONE), Progress::Reached);
        assert_eq!(told(RUNS), Progress::Entered);
        assert_eq!(told(Flags::default()), Progress::Entered);
    }

    #[test]
    fn other_levels_and_other_actions_are_not_waited_for() {
        let entries = [
            ("4", Action::Wait, Flags::default()),
            ("3", Action::Respawn, RUNS),
        ];
        assert_eq!(
            progress(&state(b'3', &entries), level(b'3')),
            Progress::Reached
        );
    }

    #[test]
    fn another_level_is_elsewhere() {
        let here = Phase::Normal(level(b'2'));
        assert_eq!(
            progress(&state(b'2', &[]), level(b'3')),
            Progress::Elsewhere(here)
        );
    }

    #[test]
    fn single_user_mode_is_reached_with_its_shell() {
        let told = |flags| progress(&state(b'S', &[("S", Action::Wait, flags)]), level(b'S'));
        assert_eq!(told(RUNS), Progress::Reached);
        assert_eq!(told(Flags::default()), Progress::Entered);
    }
}

//! What `/run/init.state` tells the clients of init: which level the machine is in, and how far it has come there.

use crate::inittab::Action;
use crate::paths::Paths;
use crate::printable::Printable;
use crate::runlevel::Runlevel;
use crate::snapshot::{Phase, Record, Snapshot};
use crate::sys;
use anyhow::{Context, bail};
use std::time::Duration;

/// Largest state text that is read: a hundred thousand entries.
const LARGEST: u64 = 64 << 20;
/// How often the state is looked at while a level is waited for.
const PAUSE: Duration = Duration::from_millis(100);

/// Reads the state of the running init.
pub(super) fn read(paths: &Paths) -> anyhow::Result<Snapshot> {
    let path = paths.init_state();
    let text = sys::files::read(&path, LARGEST).with_context(|| path.display().to_string())?;
    let (snapshot, _) = Snapshot::from_text(&text).with_context(|| path.display().to_string())?;
    Ok(snapshot)
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

/// What is made of an init that is somewhere else.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Elsewhere {
    /// The level was asked for in this phase. Another phase, or leaving the level again, means that it will not come.
    GivesUp(Phase),
    /// It may come at any time.
    IsWaitedFor,
}

/// Waits until the level has been reached, at most `limit`.
///
/// # Errors
/// Another level was entered instead, or afterwards; the time is over; the state cannot be read any more.
pub(super) fn wait_for(
    paths: &Paths,
    target: Runlevel,
    elsewhere: Elsewhere,
    limit: Option<Duration>,
) -> anyhow::Result<()> {
    let deadline = limit.map(|limit| sys::clock::now().after(limit));
    let mut entered = false;
    loop {
        let progress = progress(&read(paths)?, target);
        match (&progress, elsewhere) {
            (Progress::Reached, _) => return Ok(()),
            (Progress::Entered, _) => entered = true,
            (Progress::Elsewhere(phase), Elsewhere::GivesUp(before))
                if entered || *phase != before =>
            {
                bail!("runlevel {target} was not reached: {}", whereabouts(*phase));
            }
            (Progress::Elsewhere(_), _) => {}
        }
        if deadline.is_some_and(|deadline| deadline <= sys::clock::now()) {
            let why = match progress {
                Progress::Elsewhere(phase) => whereabouts(phase),
                _ => "its wait entries still run".to_owned(),
            };
            bail!("runlevel {target} was not reached in time: {why}");
        }
        sys::poll::wait([None], Some(PAUSE));
    }
}

/// Waits until init has begun with the level it was asked for, at most `limit`.
///
/// # Errors
/// It has not; or the state cannot be read any more.
pub(super) fn wait_until_taken(
    paths: &Paths,
    target: Runlevel,
    before: Phase,
    limit: Duration,
) -> anyhow::Result<()> {
    let deadline = sys::clock::now().after(limit);
    loop {
        let now = read(paths)?.phase;
        // The state may be one that our init has left to one of another kind, which records its level elsewhere.
        let recorded = super::recorded_level::recorded(&paths.utmp(), paths);
        if is_taken(target, before, now)
            || recorded.is_some_and(|levels| levels.current == target.as_byte())
        {
            return Ok(());
        }
        if deadline <= sys::clock::now() {
            bail!(
                "init has not begun with runlevel {target}: {}",
                whereabouts(now)
            );
        }
        sys::poll::wait([None], Some(PAUSE));
    }
}

/// Tells whether the request for the level shows. A level may be left as soon as it was entered, as 1 is for S.
fn is_taken(target: Runlevel, before: Phase, now: Phase) -> bool {
    now == Phase::Normal(target) || (now != before && matches!(before, Phase::Normal(_)))
}

/// Says where init is.
pub(super) fn whereabouts(phase: Phase) -> String {
    match phase {
        Phase::SysInit => "the machine is booting, with its sysinit entries".to_owned(),
        Phase::Boot => "the machine is booting, with its boot entries".to_owned(),
        Phase::Normal(level) => format!("init is in runlevel {level}"),
    }
}

/// The entries that hold back what comes after them.
pub(super) fn waited_for(snapshot: &Snapshot) -> Vec<&Record> {
    let records = snapshot.records.iter();
    records
        .filter(|record| record.flags.running && record.flags.waiting)
        .collect()
}

/// Names an entry that is waited for, its command, and its process.
pub(super) fn named(record: &Record) -> String {
    let pid = record
        .pid
        .map_or(String::new(), |pid| format!(", process {pid}"));
    let process = Printable(&record.entry.process);
    format!("{}, {process}{pid}", record.entry.id)
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
    fn a_request_is_taken_when_init_has_gone_from_where_it_was() {
        let [two, six] = [b'2', b'6'].map(|byte| Phase::Normal(level(byte)));
        assert!(is_taken(level(b'6'), two, six));
        assert!(is_taken(level(b'1'), two, Phase::Normal(level(b'S'))));
        assert!(!is_taken(level(b'6'), two, two));
        // A boot goes on by itself.
        assert!(!is_taken(level(b'6'), Phase::SysInit, two));
        assert!(!is_taken(level(b'6'), Phase::SysInit, Phase::Boot));
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

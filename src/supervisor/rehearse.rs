//! What a request for a level would do, found out by doing it to a copy of the state: `telinit --dry-run`.
//!
//! The same supervisor that runs the machine is resumed from its snapshot, asked, and answered as a machine
//! would on which everything goes well: what is sent TERM ends, what is waited for ends as soon as it was started,
//! everything else goes on running.
#![forbid(unsafe_code)]

use super::{Effect, Event, Phase, Program, Sink, Supervisor, is_command};
use crate::initctl::Request;
use crate::inittab::{Entry, EntryId, Inittab};
use crate::process::{ExitStatus, Pid, Signal};
use crate::snapshot::Snapshot;
use crate::uptime::Uptime;
use std::collections::VecDeque;

/// Processes of a rehearsal have numbers no real one has: above the kernel's own limit of 2^22 (proc(5), `pid_max`).
const FIRST_PID: i32 = 1 << 23;

/// One thing that would happen.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// A process would be told to end.
    Stop {
        /// Its entry.
        id: EntryId,
        /// Its number.
        pid: Pid,
        /// Its command, as the table in force has it.
        process: Box<[u8]>,
    },
    /// A process would be started.
    Start(Entry),
    /// A process would go on undisturbed.
    Keep {
        /// Its entry.
        id: EntryId,
        /// Its number.
        pid: Pid,
        /// Its command, as the table in force has it.
        process: Box<[u8]>,
    },
    /// Somebody would be told.
    Say(String),
}

/// Rehearses a request: what would be stopped, started and said, in order, and last what would go on.
///
/// `table` is what stands on the disk, to which init itself adds the command of a container. `now` is the time of the
/// rehearsal; holds that have ended by then are over.
pub fn rehearse(snapshot: &Snapshot, table: &Inittab, request: Request, now: Uptime) -> Vec<Step> {
    let mut table = table.clone();
    let known = snapshot.records.iter().map(|record| &record.entry);
    let command = known.filter(|entry| is_command(&entry.id)).cloned();
    table.entries.retain(|entry| !is_command(&entry.id));
    table.entries.extend(command);
    let running: Vec<(EntryId, Pid, Box<[u8]>)> = snapshot
        .records
        .iter()
        .filter(|record| record.flags.running)
        .filter_map(|record| {
            Some((
                record.entry.id.clone(),
                record.pid?,
                record.entry.process.clone(),
            ))
        })
        .collect();
    let target = match request {
        Request::ChangeLevel { level, .. } => {
            Phase::from_byte(level).filter(|phase| *phase != snapshot.phase)
        }
        Request::Power { .. } | Request::SetEnvironment(_) | Request::Unimplemented { .. } => None,
    };
    let mut stage = Stage {
        supervisor: Supervisor::resume(snapshot.clone()),
        waiting: VecDeque::from([Event::Requested(request)]),
        steps: Vec::new(),
        next_pid: FIRST_PID,
    };
    let mut arrived = false;
    while let Some(event) = stage.waiting.pop_front() {
        let effects = stage.supervisor.handle(now, event);
        // What follows level S by itself is no longer part of the change that was asked for.
        let here = target.is_none_or(|target| stage.supervisor.phase() == target);
        if arrived && !here {
            break;
        }
        arrived |= here;
        for effect in effects {
            stage.answer(effect, &table, &running);
        }
    }
    let stopped: Vec<Pid> = stage
        .steps
        .iter()
        .filter_map(|step| match step {
            Step::Stop { pid, .. } => Some(*pid),
            Step::Start(_) | Step::Keep { .. } | Step::Say(_) => None,
        })
        .collect();
    let kept = running
        .into_iter()
        .filter(|(_, pid, _)| !stopped.contains(pid));
    stage
        .steps
        .extend(kept.map(|(id, pid, process)| Step::Keep { id, pid, process }));
    stage.steps
}

struct Stage {
    supervisor: Supervisor,
    waiting: VecDeque<Event>,
    steps: Vec<Step>,
    next_pid: i32,
}

impl Stage {
    fn answer(&mut self, effect: Effect, table: &Inittab, running: &[(EntryId, Pid, Box<[u8]>)]) {
        match effect {
            Effect::Spawn(start) => {
                let Some(pid) = Pid::new(self.next_pid) else {
                    return;
                };
                self.next_pid = self.next_pid.saturating_add(1);
                self.waiting.push_back(Event::Spawned {
                    key: start.key,
                    pid,
                });
                if let Program::Entry(entry) = start.program {
                    if entry.action.is_waited_for() {
                        self.waiting.push_back(Event::Exited {
                            pid,
                            status: ExitStatus::Exited(0),
                        });
                    }
                    self.steps.push(Step::Start(entry));
                }
            }
            Effect::SignalGroup {
                leader,
                signal: Signal::TERM,
            } => {
                if let Some((id, pid, process)) = running.iter().find(|(_, pid, _)| *pid == leader)
                {
                    self.steps.push(Step::Stop {
                        id: id.clone(),
                        pid: *pid,
                        process: process.clone(),
                    });
                }
                self.waiting.push_back(Event::Exited {
                    pid: leader,
                    status: ExitStatus::Killed(Signal::TERM),
                });
            }
            Effect::ReadTable => self.waiting.push_back(Event::TableLoaded(table.clone())),
            // What only goes to the console tells of the signals, which are steps of their own.
            Effect::Say(Sink::Syslog | Sink::Both, text) => self.steps.push(Step::Say(text)),
            Effect::Say(Sink::Console, _)
            | Effect::SignalGroup { .. }
            | Effect::LookForGroup { .. }
            | Effect::ReadPowerStatus
            | Effect::Account(_)
            | Effect::RepairAccounting
            | Effect::Note { .. }
            | Effect::WriteRunlevel(_)
            | Effect::SetTitle(_)
            | Effect::ResetConsole
            | Effect::ReopenFifo
            | Effect::CloseFifo
            | Effect::EndContainer { .. }
            | Effect::ReExec => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inittab::parse::{Source, SourceKind, parse};
    use crate::runlevel::Runlevel;
    use crate::snapshot::{Flags, Record};
    use crate::supervisor::command_entry;
    use std::time::Duration;

    const TABLE: &str = "\
id:3:initdefault:
l3:3:wait:/etc/init.d/rc 3
l4:4:wait:/etc/init.d/rc 4
~~:S:wait:/sbin/sulogin
s3:3:respawn:/bin/three
sh:34:respawn:/bin/shared
s4:4:respawn:/bin/four
on:4:once:/bin/once
";

    fn table() -> Inittab {
        let source = Source {
            path: "inittab",
            text: TABLE.as_bytes(),
            kind: SourceKind::Inittab,
        };
        parse(&[source]).table
    }

    /// The table in level 3, everything due there running with pids from 100.
    fn in_level_3() -> Snapshot {
        let level = Runlevel::from_byte(b'3').unwrap();
        let records = table().entries.into_iter().zip(100..).map(|(entry, pid)| {
            let due = entry.runlevels.contains(level);
            let running = due && entry.id.as_bytes().starts_with(b"s");
            Record {
                flags: Flags {
                    running,
                    executed: due,
                    ..Flags::default()
                },
                pid: Pid::new(pid),
                ..Record::new(entry)
            }
        });
        Snapshot {
            phase: Phase::Normal(level),
            level: Some(level),
            boot_done: true,
            records: records.collect(),
            ..Snapshot::default()
        }
    }

    fn told(level: u8) -> Vec<String> {
        told_in(&in_level_3(), level)
    }

    fn told_in(snapshot: &Snapshot, level: u8) -> Vec<String> {
        let request = Request::ChangeLevel {
            level,
            grace: Duration::from_secs(3),
        };
        let steps = rehearse(snapshot, &table(), request, Uptime::from_secs(100));
        steps
            .iter()
            .map(|step| match step {
                Step::Stop { id, pid, .. } => format!("stop {id} {pid}"),
                Step::Start(entry) => format!("start {}", entry.id),
                Step::Keep { id, pid, .. } => format!("keep {id} {pid}"),
                Step::Say(text) => text.clone(),
            })
            .collect()
    }

    #[test]
    fn a_change_of_level_stops_starts_and_keeps_in_order() {
        let expected = [
            "Switching to runlevel: 4",
            "stop s3 104",
            "start l4",
            "start s4",
            "start on",
            "keep sh 105",
        ];
        assert_eq!(told(b'4'), expected);
    }

    #[test]
    fn the_present_level_changes_nothing() {
        assert_eq!(told(b'3'), ["keep s3 104", "keep sh 105"]);
    }

    #[test]
    fn what_follows_single_user_mode_is_not_rehearsed() {
        assert_eq!(
            told(b'S'),
            [
                "Going single user",
                "stop s3 104",
                "stop sh 105",
                "start ~~"
            ]
        );
    }

    #[test]
    fn the_command_of_a_container_is_kept_until_the_container_ends() {
        let mut snapshot = in_level_3();
        snapshot.under_way.in_container = true;
        snapshot.records.push(Record {
            flags: Flags {
                running: true,
                executed: true,
                ..Flags::default()
            },
            pid: Pid::new(200),
            ..Record::new(command_entry(b"httpd -f"))
        });
        let of_command = |level| {
            let mut steps = told_in(&snapshot, level);
            steps.retain(|step| step.contains(" --"));
            steps
        };
        assert_eq!(of_command(b'3'), ["keep -- 200"]);
        assert_eq!(of_command(b'4'), ["keep -- 200"]);
        assert_eq!(of_command(b'0'), ["stop -- 200"]);
    }

    #[test]
    fn no_level_is_said_to_be_none() {
        assert_eq!(
            told(b'X'),
            ["bad runlevel: X", "keep s3 104", "keep sh 105"]
        );
    }
}

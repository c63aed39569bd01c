//! The boot record as PID 1 keeps it: a line when an entry's process starts, one when it has ended, and one when the
//! entry is held.
//!
//! Lines are gathered and written at most fifty times a second, so that a table of ten thousand entries costs no ten thousand
//! openings of a file. Nothing that fails here is told: /run may be read-only, and the record is all that it costs.

use super::settings;
use crate::cmd::recorder::Recorder;
use crate::inittab::{Action, EntryId};
use crate::paths::Paths;
use crate::process::Pid;
use crate::record::{Begin, End, Line, Note, Status, Subject, Verdict};
use crate::snapshot::Snapshot;
use crate::supervisor::outputs::Outputs;
use crate::supervisor::{Phase, Program, Start};
use crate::sys;
use crate::sys::usage::Reaped;
use crate::uptime::Uptime;
use std::collections::BTreeMap;
use std::time::Duration;

/// The least time between two writes: an opening of the file for each of a thousand entries that follow each other would
/// take longer than all else about them.
const REST: Duration = Duration::from_millis(20);
/// The bytes of lines PID 1 holds for a /run that is not there yet: those of some two hundred processes.
const HELD: usize = 32 << 10;

/// The record, and whose each process is.
#[derive(Debug)]
pub(super) struct Recording {
    recorder: Recorder,
    subjects: BTreeMap<Pid, Subject>,
    /// Not before this time is it written again.
    earliest: Uptime,
    /// Whether it would have been written before.
    is_put_off: bool,
    /// Whose output is kept.
    outputs: Outputs,
    /// Whether somebody has been told that an output is not.
    has_told: bool,
}

impl Recording {
    pub(super) fn new(paths: &Paths) -> Self {
        Self {
            recorder: Recorder::new(paths, HELD),
            subjects: BTreeMap::new(),
            earliest: Uptime::default(),
            is_put_off: false,
            outputs: Outputs::default(),
            has_told: false,
        }
    }

    /// Reads anew whose output is kept. What is wrong with the file is said.
    pub(super) fn read_outputs(&mut self, paths: &Paths, say: &mut dyn FnMut(&str)) -> &Outputs {
        self.outputs = settings::read(paths, say);
        self.has_told = false;
        &self.outputs
    }

    /// Whose output is kept.
    pub(super) fn outputs(&self) -> &Outputs {
        &self.outputs
    }

    /// Returns what to say of an output that could not be kept: nothing after the first since the file was read, as it is
    /// likely to be the same with all.
    pub(super) fn not_kept(&mut self, why: &str) -> Option<String> {
        let is_first = !std::mem::replace(&mut self.has_told, true);
        is_first.then(|| format!("not recorded: {why}"))
    }

    /// Takes up the processes of the image before this one.
    pub(super) fn resume(&mut self, snapshot: &Snapshot) {
        let running = snapshot
            .records
            .iter()
            .filter(|record| record.flags.running);
        self.subjects = running
            .filter_map(|record| {
                let entry = &record.entry;
                let subject = Subject::entry(entry.id.as_bytes(), entry.action.name());
                Some((record.pid?, subject))
            })
            .collect();
    }

    /// Takes note of what came of starting a process.
    pub(super) fn start(&mut self, start: &Start, outcome: Result<Pid, &str>) {
        // The question for a runlevel is nobody's.
        let Program::Entry(entry) = &start.program else {
            return;
        };
        let subject = Subject::entry(entry.id.as_bytes(), entry.action.name());
        let at = sys::clock::moment();
        match outcome {
            Ok(pid) => {
                self.recorder.gather(&Line::Begin(Begin {
                    subject: subject.clone(),
                    pid: Some(pid),
                    at,
                    level: Some(start.phase.as_byte()),
                    previous: Some(start.previous),
                    what: entry.process.clone(),
                }));
                self.subjects.insert(pid, subject);
            }
            Err(reason) => self.recorder.gather(&Line::End(End {
                subject,
                pid: None,
                at,
                status: Status::NotStarted(reason.as_bytes().into()),
                verdict: Verdict::Failed,
                usage: None,
                output: None,
                tally: None,
            })),
        }
    }

    /// Takes note of an end, where it is that of an entry's process.
    pub(super) fn end(&mut self, reaped: &Reaped, verdict: Verdict) {
        let Some(subject) = self.subjects.remove(&reaped.pid) else {
            return;
        };
        self.recorder.gather(&Line::End(End {
            subject,
            pid: Some(reaped.pid),
            at: sys::clock::moment(),
            status: Status::Ended(reaped.status),
            verdict,
            usage: Some(reaped.usage),
            output: None,
            tally: None,
        }));
    }

    /// Takes note of what has become of an entry beside its processes.
    pub(super) fn note(&mut self, id: &EntryId, action: Action, text: &str) {
        self.recorder.gather(&Line::Note(Note {
            subject: Subject::entry(id.as_bytes(), action.name()),
            at: sys::clock::moment(),
            text: text.as_bytes().into(),
        }));
    }

    /// Tells whether [`write`](Self::write) would do nothing at this time.
    pub(super) fn rests(&self, now: Uptime) -> bool {
        now < self.earliest
    }

    /// Writes what has been gathered, unless it was done a moment ago.
    pub(super) fn write(&mut self, now: Uptime, phase: Phase) {
        if self.rests(now) {
            self.is_put_off = true;
            return;
        }
        self.recorder.catch_up();
        self.is_put_off = false;
        self.earliest = now.after(REST);
        if matches!(phase, Phase::Normal(_)) {
            self.recorder.settle();
        }
    }

    /// Writes what has been gathered, before this image goes.
    pub(super) fn finish(&mut self) {
        self.recorder.catch_up();
    }

    /// When it must be written although nothing happens.
    pub(super) fn deadline(&self) -> Option<Uptime> {
        self.is_put_off.then_some(self.earliest)
    }
}

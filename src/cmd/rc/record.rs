//! What the boot record gets of a run: the run itself, and each script's beginning, end, needs and words.

use crate::cmd::recorder::Recorder;
use crate::cmd::recorder::carry::carry;
use crate::paths::Paths;
use crate::process::{ExitStatus, Pid, Signal};
use crate::rcdir::ending::{Ending, Summary};
use crate::rcdir::plan::Step;
use crate::record::{Begin, End, Kept, Line, Status, Subject, Tally, Verdict};
use crate::runlevel::Runlevel;
use crate::sys;
use crate::sys::bounded::within;
use crate::sys::usage::Reaped;
use std::time::Duration;

/// How much is kept of lines, and again of outputs, while /run cannot be written.
const MOST: usize = 512 * 1024;

/// How long the record may take to be carried.
const PATIENCE: Duration = Duration::from_secs(5);

/// The record of one run.
#[derive(Debug)]
pub(super) struct Record {
    recorder: Recorder,
    paths: Paths,
    level: u8,
    previous: u8,
}

impl Record {
    /// The run begins.
    pub(super) fn begin(paths: &Paths, level: Runlevel, previous: Option<Runlevel>) -> Self {
        let mut record = Self {
            recorder: Recorder::new(paths, MOST),
            paths: paths.clone(),
            level: level.as_byte(),
            previous: Runlevel::byte_or_n(previous),
        };
        // Its end is likely to be that of the machine, and then nothing can be carried anywhere.
        if level == Runlevel::HALT || level == Runlevel::REBOOT {
            carry_in_time(paths);
        }
        let own = Pid::new(std::process::id().cast_signed());
        record.add_begin(record.run(), own, b"");
        record
    }

    fn run(&self) -> Subject {
        Subject::run(self.level, self.previous)
    }

    /// Writes what is not written yet.
    pub(super) fn catch_up(&mut self) {
        self.recorder.catch_up();
    }

    /// A script begins; one that could not be started has no number.
    pub(super) fn script_begins(&mut self, step: &Step, pid: Option<Pid>) {
        self.add_begin(subject(step), pid, &step.link.file_name());
    }

    fn add_begin(&mut self, subject: Subject, pid: Option<Pid>, what: &[u8]) {
        self.recorder.add(&Line::Begin(Begin {
            subject,
            pid,
            at: sys::clock::moment(),
            level: Some(self.level),
            previous: Some(self.previous),
            what: what.into(),
        }));
    }

    /// A script has ended, or was not started, or is waited for no longer. Written with the next line, which as a rule is
    /// the beginning of the next script, or by [`catch_up`](Self::catch_up).
    pub(super) fn script_ends(
        &mut self,
        step: &Step,
        pid: Option<Pid>,
        ending: &Ending,
        reaped: Option<Reaped>,
        kept: Option<&Kept>,
    ) {
        let subject = subject(step);
        if let Some(kept) = kept {
            self.recorder.keep_output(&subject, kept);
        }
        let status = match (reaped, ending) {
            (Some(reaped), _) => Status::Ended(reaped.status),
            // It has been sent this, and goes when the kernel lets it.
            (None, Ending::TimedOut) => Status::Ended(ExitStatus::Killed(Signal::KILL)),
            (None, ending) => Status::NotStarted(ending.remark().into_bytes().into()),
        };
        self.recorder.gather(&Line::End(End {
            subject,
            pid,
            at: sys::clock::moment(),
            status,
            verdict: ending.verdict(),
            usage: reaped.map(|reaped| reaped.usage),
            output: kept.map(Kept::total),
            tally: None,
        }));
    }

    /// The run ends; the record is carried to where it lasts, if that can be written.
    pub(super) fn end(mut self, summary: &Summary, exit: u8) {
        let count = |number: usize| u64::try_from(number).unwrap_or(u64::MAX);
        let verdict = match (exit, summary.failed()) {
            (0, 0) => Verdict::Ok,
            (0, _) => Verdict::Failed,
            _ => Verdict::Interrupted,
        };
        self.recorder.add(&Line::End(End {
            subject: self.run(),
            pid: Pid::new(std::process::id().cast_signed()),
            at: sys::clock::moment(),
            status: Status::Ended(ExitStatus::Exited(exit)),
            verdict,
            usage: None,
            output: None,
            tally: Some(Tally {
                scripts: count(summary.run),
                failed: count(summary.failed()),
            }),
        }));
        carry_in_time(&self.paths);
    }
}

/// Carries the record to where it lasts, if that can be written and answers: in a child, as a disk may keep whoever writes
/// to it for ever. A level is worth more than its record.
fn carry_in_time(paths: &Paths) {
    drop(within(PATIENCE, || carry(paths)));
}

fn subject(step: &Step) -> Subject {
    Subject::script(&step.link.name, step.argument.word())
}

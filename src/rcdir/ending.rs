//! How a script has ended, in the words of the console, of the summary and of the record.
#![forbid(unsafe_code)]

use super::screen::Mark;
use crate::process::{ExitStatus, Signal};
use crate::record::Verdict;
use std::time::Duration;

/// LSB: the program is not installed; the script has nothing to do.
const NOT_INSTALLED: u8 = 5;
/// LSB: the program is not configured; the same.
const NOT_CONFIGURED: u8 = 6;
/// How a shell ends that passes on what SIGINT did to its child.
const INTERRUPTED: u8 = 130;

/// The end of a script.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Ending {
    /// By itself, with this status.
    Ended(ExitStatus),
    /// It could not be started, for this reason.
    NotStarted(String),
    /// It took too long and was ended.
    TimedOut,
    /// Somebody at the console ended it.
    Interrupted,
    /// The run was asked to end, and took it along.
    Stopped,
    /// Somebody at the console did not want it.
    Declined,
}

impl Ending {
    /// Takes the status of a script that nobody but the keyboard may have ended.
    pub fn of(status: ExitStatus) -> Self {
        match status {
            ExitStatus::Killed(Signal::INT) | ExitStatus::Exited(INTERRUPTED) => Self::Interrupted,
            status => Self::Ended(status),
        }
    }

    /// Returns the mark for the console.
    pub fn mark(&self) -> Mark {
        match self {
            Self::Ended(ExitStatus::Exited(0)) => Mark::Ok,
            Self::Ended(ExitStatus::Exited(NOT_INSTALLED | NOT_CONFIGURED))
            | Self::Stopped
            | Self::Declined => Mark::Skip,
            Self::Ended(_) | Self::NotStarted(_) | Self::TimedOut | Self::Interrupted => Mark::Fail,
        }
    }

    /// Returns what stands behind the mark and in the summary.
    pub fn remark(&self) -> String {
        match self {
            Self::Ended(ExitStatus::Exited(0)) => String::new(),
            Self::Ended(ExitStatus::Exited(NOT_INSTALLED)) => "not installed".to_owned(),
            Self::Ended(ExitStatus::Exited(NOT_CONFIGURED)) => "not configured".to_owned(),
            Self::Ended(status) => status.to_string(),
            Self::NotStarted(reason) => reason.clone(),
            Self::TimedOut => "timed out".to_owned(),
            Self::Interrupted => "interrupted".to_owned(),
            Self::Stopped => "stopped".to_owned(),
            Self::Declined => "not wanted".to_owned(),
        }
    }

    /// Returns what the record makes of it.
    pub fn verdict(&self) -> Verdict {
        match (self, self.mark()) {
            (Self::TimedOut, _) => Verdict::TimedOut,
            (Self::Interrupted | Self::Stopped, _) => Verdict::Interrupted,
            (_, Mark::Ok) => Verdict::Ok,
            (_, Mark::Skip) => Verdict::Skipped,
            (_, Mark::Fail) => Verdict::Failed,
        }
    }
}

/// What has become of the scripts of a level.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Summary {
    /// How many have been run.
    pub run: usize,
    /// Name and reason of those that failed.
    failures: Vec<(String, String)>,
}

impl Summary {
    /// Counts one.
    pub fn add(&mut self, name: &[u8], ending: &Ending) {
        self.run = self.run.saturating_add(1);
        if ending.mark() == Mark::Fail {
            let name = name.escape_ascii().to_string();
            self.failures.push((name, ending.remark()));
        }
    }

    /// Returns how many have failed.
    pub fn failed(&self) -> usize {
        self.failures.len()
    }

    /// Says it in one line, if there is anything to say.
    pub fn line(&self, took: Duration) -> Option<String> {
        let (seconds, tenths) = (took.as_secs(), took.subsec_millis() / 100);
        let scripts = match self.run {
            0 => return None,
            1 => "1 script".to_owned(),
            run => format!("{run} scripts"),
        };
        if self.failures.is_empty() {
            return Some(format!("{scripts} in {seconds}.{tenths} s"));
        }
        let each: Vec<String> = self
            .failures
            .iter()
            .map(|(name, why)| format!("{name} ({why})"))
            .collect();
        let (failed, each) = (each.len(), each.join(", "));
        Some(format!(
            "{scripts}, {failed} failed: {each}, {seconds}.{tenths} s"
        ))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_end_has_its_mark_its_words_and_its_verdict() {
        let cases = [
            (ExitStatus::Exited(0), Mark::Ok, "", Verdict::Ok),
            (ExitStatus::Exited(1), Mark::Fail, "exit 1", Verdict::Failed),
            (
                ExitStatus::Exited(5),
                Mark::Skip,
                "not installed",
                Verdict::Skipped,
            ),
            (
                ExitStatus::Exited(6),
                Mark::Skip,
                "not configured",
                Verdict::Skipped,
            ),
            (
                ExitStatus::Exited(130),
                Mark::Fail,
                "interrupted",
                Verdict::Interrupted,
            ),
            (
                ExitStatus::Killed(Signal::INT),
                Mark::Fail,
                "interrupted",
                Verdict::Interrupted,
            ),
            (
                ExitStatus::Killed(Signal::SEGV),
                Mark::Fail,
                "killed by SIGSEGV",
                Verdict::Failed,
            ),
        ];
        for (status, mark, remark, verdict) in cases {
            let ending = Ending::of(status);
            assert_eq!(
                (ending.mark(), &*ending.remark(), ending.verdict()),
                (mark, remark, verdict)
            );
        }
        assert_eq!(Ending::TimedOut.verdict(), Verdict::TimedOut);
        assert_eq!(Ending::Stopped.verdict(), Verdict::Interrupted);
        assert_eq!(Ending::Declined.mark(), Mark::Skip);
        let missing = Ending::NotStarted("its interpreter is missing".to_owned());
        assert_eq!(missing.verdict(), Verdict::Failed);
    }

    #[test]
    fn the_summary_names_what_failed_and_counts_the_rest() {
        let mut summary = Summary::default();
        assert_eq!(summary.line(Duration::ZERO), None);
        summary.add(b"a", &Ending::of(ExitStatus::Exited(0)));
        let took = Duration::from_millis(3_249);
        assert_eq!(summary.line(took).unwrap(), "1 script in 3.2 s");
        summary.add(b"skipped", &Ending::of(ExitStatus::Exited(5)));
        assert_eq!(summary.line(took).unwrap(), "2 scripts in 3.2 s");
        summary.add(b"ntp", &Ending::of(ExitStatus::Exited(1)));
        summary.add(b"f\xff", &Ending::of(ExitStatus::Killed(Signal::SEGV)));
        assert_eq!(
            summary.line(took).unwrap(),
            "4 scripts, 2 failed: ntp (exit 1), f\\xff (killed by SIGSEGV), 3.2 s"
        );
        assert_eq!(summary.failed(), 2);
    }
}

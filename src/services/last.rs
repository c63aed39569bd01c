//! How the last start or stop of a service ended, by the boot record.
#![forbid(unsafe_code)]

use crate::record::{End, Fate, History, Item, Kind, Status, Verdict};

/// The last start or stop.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Last {
    /// Which of the two.
    pub action: Action,
    /// How it ended.
    pub outcome: Outcome,
}

/// What a script was last run with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// `start`
    Start,
    /// `stop`
    Stop,
}

/// How a script ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It still runs, or nobody has seen its end.
    Open,
    /// Well.
    Well,
    /// There was nothing to do: not installed, or not configured.
    Skipped,
    /// With a failure, such as `exit 3`.
    Failed(String),
}

impl Last {
    /// Finds it in the record. The levels 0 and 6 call start links with `stop`, so that the word alone counts.
    pub fn of(history: &History, name: &[u8]) -> Option<Self> {
        history.items.iter().rev().find_map(|item| {
            let subject = &item.subject;
            let action = match &*subject.argument {
                b"start" => Action::Start,
                b"stop" => Action::Stop,
                _ => return None,
            };
            let is_its = subject.kind == Kind::Script && *subject.name == *name;
            let outcome = outcome(item);
            is_its.then_some(Self { action, outcome })
        })
    }
}

fn outcome(item: &Item) -> Outcome {
    let End {
        verdict, status, ..
    } = match &item.fate {
        Fate::Running | Fate::Lost => return Outcome::Open,
        Fate::Ended(end) => end,
    };
    let why = match status {
        Status::Ended(status) => status.to_string(),
        Status::NotStarted(why) => why.escape_ascii().to_string(),
    };
    match verdict {
        Verdict::Ok => Outcome::Well,
        Verdict::Skipped => Outcome::Skipped,
        Verdict::Failed => Outcome::Failed(why),
        Verdict::TimedOut => Outcome::Failed(format!("it took too long ({why})")),
        Verdict::Interrupted => Outcome::Failed(format!("it was interrupted ({why})")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::record::parse;

    fn last(record: &str, name: &str) -> Option<Last> {
        Last::of(&History::of(parse(record.as_bytes()).0), name.as_bytes())
    }

    const BEGIN: &str = "begin kind=script name=cron argument=start level=2 previous=N link=S02cron pid=123 up=12.300000 wall=1764041184.000000\n";
    const END: &str = "end kind=script name=cron argument=start pid=123 up=12.400000 wall=1764041184.100000 status=exit:3 verdict=failed\n";

    #[test]
    fn the_latest_start_or_stop_of_the_script_counts() {
        assert_eq!(last(BEGIN, "other"), None);
        let open = Last {
            action: Action::Start,
            outcome: Outcome::Open,
        };
        assert_eq!(last(BEGIN, "cron"), Some(open));
        let failed = last(&format!("{BEGIN}{END}"), "cron").unwrap();
        assert!(
            matches!(&failed.outcome, Outcome::Failed(why) if why.contains('3')),
            "{failed:?}"
        );
        let stop = format!("{BEGIN}{END}{BEGIN}{END}").replace("12.", "13.");
        let (_, stop) = stop.split_at(BEGIN.len() + END.len());
        let stop = stop
            .replace("start", "stop")
            .replace("failed", "ok")
            .replace("exit:3", "exit:0");
        let both = format!("{BEGIN}{END}{stop}");
        let stopped = Last {
            action: Action::Stop,
            outcome: Outcome::Well,
        };
        assert_eq!(last(&both, "cron"), Some(stopped));
    }

    #[test]
    fn a_script_that_had_nothing_to_do_has_not_failed() {
        let skipped = END.replace("exit:3", "exit:5").replace("failed", "skipped");
        let last = last(&format!("{BEGIN}{skipped}"), "cron").unwrap();
        assert_eq!(last.outcome, Outcome::Skipped);
    }
}

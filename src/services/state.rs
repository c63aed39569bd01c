//! The state of a service: what follows from pid file, process table and boot record, and how it is known.
//!
//! A pid file counts only as long as its process lives and runs the service's program: numbers come back, and files
//! are left behind. The process table counts where the program is known. The boot record is asked last; for a script
//! that starts no daemon it is all there is.
#![forbid(unsafe_code)]

use super::last::{Action, Last, Outcome};
use crate::process::Pid;
use std::fmt;

/// Exit statuses of the action `status`, by the LSB: running, dead with a pid file, not running, not known.
pub mod code {
    /// It runs, or all is well with it.
    pub const RUNNING: u8 = 0;
    /// Its process is gone and has left its pid file.
    pub const DEAD: u8 = 1;
    /// It does not run.
    pub const STOPPED: u8 = 3;
    /// Nobody can tell.
    pub const UNKNOWN: u8 = 4;
}

/// What there is to judge by.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Evidence {
    /// The first pid file that is there.
    pub pid_file: Option<PidFile>,
    /// The program, where the script names one.
    pub program: Option<Program>,
    /// Processes that are called as the service is; looked for only where no program is named.
    pub namesakes: Vec<Pid>,
    /// How the last start or stop ended, where it was recorded.
    pub last: Option<Last>,
}

/// A pid file that is there.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PidFile {
    /// Where it lies.
    pub path: Box<[u8]>,
    /// Who has the number in it.
    pub holder: Holder,
}

/// What a pid file leads to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Holder {
    /// A process that runs the program, or whose program is not to be told.
    Own(Pid),
    /// A process that runs something else.
    Other(Pid),
    /// No process has the number any more.
    Gone(Pid),
    /// It holds no number, or may not be read.
    Unreadable,
}

/// The program of a service.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// As the script names it.
    pub name: Box<[u8]>,
    /// The file is there. A name without a path counts as there.
    pub is_installed: bool,
    /// Those who run it.
    pub processes: Vec<Pid>,
}

/// What a service does.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum State {
    /// These processes run it.
    Running(Vec<Pid>),
    /// Its script has done its work, and no process is known to be left by it.
    Done,
    /// Its process is gone without having been stopped.
    Dead,
    /// It does not run.
    Stopped,
    /// Nothing tells.
    Unknown,
}

/// How a state is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum How {
    /// By this pid file.
    PidFile(Box<[u8]>),
    /// By this pid file, which cannot be read.
    UnreadablePidFile(Box<[u8]>),
    /// By this pid file, whose number another program has.
    ForeignPidFile(Box<[u8]>, Pid),
    /// By the process table: who runs this program.
    Program(Box<[u8]>),
    /// The program is not there.
    NotInstalled(Box<[u8]>),
    /// By the process table: who is called so.
    Name,
    /// By the boot record.
    Record,
    /// By the boot record: its start found nothing to do, as where it is not configured.
    NothingToDo,
    /// There is nothing to know it by.
    Nothing,
}

/// A state and how it is known.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Judgement {
    /// What the service does.
    pub state: State,
    /// How that is known.
    pub how: How,
    /// Its last start ended so, and nothing shows that it runs all the same.
    pub failure: Option<String>,
}

/// Puts the evidence together.
pub fn judge(evidence: &Evidence) -> Judgement {
    let (state, how) = weigh(evidence);
    let failure = match (&state, &evidence.last) {
        (State::Running(_), _) => None,
        (
            _,
            Some(Last {
                action: Action::Start,
                outcome: Outcome::Failed(why),
            }),
        ) => Some(why.clone()),
        _ => None,
    };
    Judgement {
        state,
        how,
        failure,
    }
}

fn weigh(evidence: &Evidence) -> (State, How) {
    let pid_file = evidence.pid_file.as_ref();
    if let Some(PidFile {
        path,
        holder: Holder::Own(pid),
    }) = pid_file
    {
        return (State::Running(vec![*pid]), How::PidFile(path.clone()));
    }
    if let Some(program) = &evidence.program
        && !program.processes.is_empty()
    {
        let name = program.name.clone();
        return (
            State::Running(program.processes.clone()),
            How::Program(name),
        );
    }
    if !evidence.namesakes.is_empty() {
        return (State::Running(evidence.namesakes.clone()), How::Name);
    }
    match pid_file {
        Some(PidFile {
            path,
            holder: Holder::Gone(_),
        }) => {
            return (State::Dead, How::PidFile(path.clone()));
        }
        Some(PidFile {
            path,
            holder: Holder::Other(pid),
        }) => {
            return (State::Dead, How::ForeignPidFile(path.clone(), *pid));
        }
        // Somebody has written it; that nothing else shows a process proves nothing.
        Some(PidFile { path, .. }) if evidence.program.is_none() => {
            return (State::Unknown, How::UnreadablePidFile(path.clone()));
        }
        _ => {}
    }
    match (&evidence.program, &evidence.last) {
        (Some(program), _) if !program.is_installed => {
            (State::Stopped, How::NotInstalled(program.name.clone()))
        }
        (
            _,
            Some(Last {
                action: Action::Start,
                outcome: Outcome::Skipped,
            }),
        ) => (State::Stopped, How::NothingToDo),
        (Some(program), _) => (State::Stopped, How::Program(program.name.clone())),
        (None, Some(last)) => (by_record(last), How::Record),
        (None, None) => (State::Unknown, How::Nothing),
    }
}

fn by_record(last: &Last) -> State {
    match (last.action, &last.outcome) {
        (Action::Start, Outcome::Well) => State::Done,
        (Action::Start, Outcome::Failed(_) | Outcome::Skipped)
        | (Action::Stop, Outcome::Well | Outcome::Skipped) => State::Stopped,
        (_, Outcome::Open) | (Action::Stop, Outcome::Failed(_)) => State::Unknown,
    }
}

impl State {
    /// Returns the exit status that the LSB has for it.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Running(_) | Self::Done => code::RUNNING,
            Self::Dead => code::DEAD,
            Self::Stopped => code::STOPPED,
            Self::Unknown => code::UNKNOWN,
        }
    }

    /// Lists the processes; none unless it runs.
    pub fn processes(&self) -> &[Pid] {
        match self {
            Self::Running(processes) => processes,
            Self::Done | Self::Dead | Self::Stopped | Self::Unknown => &[],
        }
    }
}

impl Judgement {
    /// One word for a list.
    pub fn word(&self) -> &'static str {
        match &self.state {
            _ if self.failure.is_some() => "failed",
            State::Running(_) => "running",
            State::Done => "done",
            State::Dead => "dead",
            State::Stopped => "stopped",
            State::Unknown => "unknown",
        }
    }

    /// Tells whether something is wrong with a service that should run. What is not installed, or not configured, is
    /// not there to run.
    pub fn is_trouble(&self) -> bool {
        let is_there = !matches!(self.how, How::NotInstalled(_) | How::NothingToDo);
        self.failure.is_some()
            || self.state == State::Dead
            || (self.state == State::Stopped && is_there)
    }
}

impl fmt::Display for State {
    /// Says it behind the name of the service: `is running, process 12`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Running(processes) => {
                let numbers: Vec<String> = processes.iter().map(Pid::to_string).collect();
                let noun = if numbers.len() == 1 {
                    "process"
                } else {
                    "processes"
                };
                write!(f, "is running, {noun} {}", numbers.join(" "))
            }
            Self::Done => f.write_str("was started and has no process of its own"),
            Self::Dead => f.write_str("is not running, and was not stopped"),
            Self::Stopped => f.write_str("is not running"),
            Self::Unknown => f.write_str("may be running or not"),
        }
    }
}

impl fmt::Display for How {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::PidFile(path) => write!(f, "by {}", path.escape_ascii()),
            Self::UnreadablePidFile(path) => {
                write!(
                    f,
                    "{} holds no number that can be read",
                    path.escape_ascii()
                )
            }
            Self::ForeignPidFile(path, pid) => {
                write!(
                    f,
                    "process {pid} of {} is another program",
                    path.escape_ascii()
                )
            }
            Self::Program(name) => write!(f, "by who runs {}", name.escape_ascii()),
            Self::NotInstalled(name) => write!(f, "{} is not installed", name.escape_ascii()),
            Self::Name => f.write_str("by a process of this name"),
            Self::Record => f.write_str("by the boot record"),
            Self::NothingToDo => f.write_str("by the boot record: its start had nothing to do"),
            Self::Nothing => f.write_str(
                "its script names neither a pid file nor a program, and nothing is recorded",
            ),
        }
    }
}

impl fmt::Display for Judgement {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.state, self.how)?;
        match &self.failure {
            Some(why) => write!(f, "; its last start failed: {why}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pid(number: i32) -> Pid {
        Pid::new(number).unwrap()
    }

    fn pid_file(holder: Holder) -> Evidence {
        let path = b"/run/x.pid".as_slice().into();
        Evidence {
            pid_file: Some(PidFile { path, holder }),
            ..Evidence::default()
        }
    }

    fn program(processes: &[i32]) -> Program {
        Program {
            name: b"/sbin/x".as_slice().into(),
            is_installed: true,
            processes: processes.iter().map(|number| pid(*number)).collect(),
        }
    }

    fn last(action: Action, outcome: Outcome) -> Evidence {
        Evidence {
            last: Some(Last { action, outcome }),
            ..Evidence::default()
        }
    }

    #[track_caller]
    fn assert_judged(evidence: &Evidence, code: u8, word: &str, text: &str) {
        let judgement = judge(evidence);
        assert_eq!(judgement.state.code(), code, "{judgement}");
        assert_eq!(judgement.word(), word, "{judgement}");
        assert_eq!(judgement.to_string(), text);
    }

    #[test]
    fn a_pid_file_counts_as_long_as_its_process_is_the_services() {
        assert_judged(
            &pid_file(Holder::Own(pid(7))),
            0,
            "running",
            "is running, process 7 (by /run/x.pid)",
        );
        assert_judged(
            &pid_file(Holder::Gone(pid(7))),
            1,
            "dead",
            "is not running, and was not stopped (by /run/x.pid)",
        );
        assert_judged(
            &pid_file(Holder::Other(pid(7))),
            1,
            "dead",
            "is not running, and was not stopped (process 7 of /run/x.pid is another program)",
        );
        assert_judged(
            &pid_file(Holder::Unreadable),
            4,
            "unknown",
            "may be running or not (/run/x.pid holds no number that can be read)",
        );
    }

    #[test]
    fn who_runs_the_program_outweighs_a_pid_file_that_is_left_behind() {
        for holder in [
            Holder::Gone(pid(7)),
            Holder::Other(pid(7)),
            Holder::Unreadable,
        ] {
            let evidence = Evidence {
                program: Some(program(&[9, 8])),
                ..pid_file(holder)
            };
            assert_judged(
                &evidence,
                0,
                "running",
                "is running, processes 9 8 (by who runs /sbin/x)",
            );
        }
    }

    #[test]
    fn a_program_that_nobody_runs_is_stopped_whatever_the_record_says() {
        let evidence = Evidence {
            program: Some(program(&[])),
            ..last(Action::Start, Outcome::Well)
        };
        assert_judged(
            &evidence,
            3,
            "stopped",
            "is not running (by who runs /sbin/x)",
        );
        let mut missing = program(&[]);
        missing.is_installed = false;
        let evidence = Evidence {
            program: Some(missing),
            ..Evidence::default()
        };
        assert_judged(
            &evidence,
            3,
            "stopped",
            "is not running (/sbin/x is not installed)",
        );
    }

    #[test]
    fn a_process_of_the_name_is_the_service_and_none_proves_nothing() {
        let evidence = Evidence {
            namesakes: vec![pid(5)],
            ..Evidence::default()
        };
        assert_judged(
            &evidence,
            0,
            "running",
            "is running, process 5 (by a process of this name)",
        );
        assert_eq!(judge(&Evidence::default()).state, State::Unknown);
    }

    #[test]
    fn without_a_program_the_record_tells() {
        let failed = || Outcome::Failed("exit 3".to_owned());
        for (action, outcome, code, word) in [
            (Action::Start, Outcome::Well, 0, "done"),
            (Action::Start, failed(), 3, "failed"),
            (Action::Start, Outcome::Skipped, 3, "stopped"),
            (Action::Start, Outcome::Open, 4, "unknown"),
            (Action::Stop, Outcome::Well, 3, "stopped"),
            (Action::Stop, failed(), 4, "unknown"),
        ] {
            let is_skipped = outcome == Outcome::Skipped;
            let judgement = judge(&last(action, outcome));
            assert_eq!((judgement.state.code(), judgement.word()), (code, word));
            assert_eq!(judgement.how == How::NothingToDo, is_skipped);
            assert_eq!(judgement.how == How::Record, !is_skipped);
        }
    }

    #[test]
    fn what_is_not_installed_or_not_configured_is_no_trouble() {
        let skipped = last(Action::Start, Outcome::Skipped);
        assert!(!judge(&skipped).is_trouble());
        let evidence = Evidence {
            program: Some(program(&[])),
            ..skipped
        };
        assert_judged(
            &evidence,
            3,
            "stopped",
            "is not running (by the boot record: its start had nothing to do)",
        );
        assert!(!judge(&evidence).is_trouble());
        let gone = Program {
            is_installed: false,
            ..program(&[])
        };
        let evidence = Evidence {
            program: Some(gone),
            ..last(Action::Start, Outcome::Well)
        };
        assert!(!judge(&evidence).is_trouble());
    }

    #[test]
    fn a_failed_start_is_told_unless_the_service_runs() {
        let failed = last(Action::Start, Outcome::Failed("exit 3".to_owned()));
        let evidence = Evidence {
            program: Some(program(&[])),
            ..failed.clone()
        };
        assert_judged(
            &evidence,
            3,
            "failed",
            "is not running (by who runs /sbin/x); its last start failed: exit 3",
        );
        assert!(judge(&evidence).is_trouble());
        let evidence = Evidence {
            program: Some(program(&[4])),
            ..failed
        };
        assert!(!judge(&evidence).is_trouble());
    }
}

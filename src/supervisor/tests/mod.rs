//! The supervisor's behaviour, one sentence a test. A [`Machine`] stands in for the kernel and the shell.
#![forbid(unsafe_code)]

mod beyond;
mod boot;
mod change;
mod container;
mod demand;
mod down;
mod entries;
mod failures;
mod hand_over;
mod holds;
mod keys_and_power;
mod model;
mod requests;
mod single_user;

use super::*;
use crate::initctl::PowerStatus;
use crate::inittab::Inittab;
use crate::inittab::parse::{Source, SourceKind, parse};
use crate::process::ExitStatus;
use crate::snapshot::{Snapshot, Written};

/// Reads a table as `/etc/inittab` holds it.
pub(super) fn table(text: &str) -> Inittab {
    let source = Source {
        path: "inittab",
        text: text.as_bytes(),
        kind: SourceKind::Inittab,
    };
    let parsed = parse(&[source]);
    assert_eq!(parsed.diagnostics, [], "in the table of a test");
    parsed.table
}

pub(super) fn level(byte: u8) -> Runlevel {
    Runlevel::from_byte(byte).unwrap()
}

/// Everything around the supervisor: a clock, a table on disk, processes. Answers what effects ask for as the
/// shell does, and writes down each effect as a line of words.
pub(super) struct Machine {
    pub(super) init: Supervisor,
    pub(super) now: Uptime,
    /// What is on disk; nothing where it cannot be read.
    pub(super) disk: Option<Inittab>,
    pub(super) power: PowerStatus,
    pub(super) forks_fail: bool,
    /// Ids whose groups have members that live on when the leader has ended.
    pub(super) stragglers: Vec<String>,
    /// Terminals that are not there.
    pub(super) missing: Vec<&'static str>,
    /// Whether signalled processes end at once.
    pub(super) obedient: bool,
    /// The processes that live, in the order of their start.
    pub(super) processes: Vec<(Pid, String)>,
    /// The starts since the machine was switched on, failed ones included.
    pub(super) starts: Vec<Start>,
    names: Vec<(Pid, String)>,
    log: Vec<String>,
    answers: VecDeque<Event>,
    last_pid: i32,
}

impl Machine {
    /// A machine that is switched off, with this inittab.
    pub(super) fn new(text: &str) -> Self {
        Self::with(text, &BootOptions::default())
    }

    pub(super) fn with(text: &str, options: &BootOptions) -> Self {
        Self {
            init: Supervisor::new(options),
            now: Uptime::from_secs(10),
            disk: Some(table(text)),
            power: PowerStatus::Failing,
            forks_fail: false,
            stragglers: Vec::new(),
            missing: Vec::new(),
            obedient: false,
            processes: Vec::new(),
            starts: Vec::new(),
            names: Vec::new(),
            log: Vec::new(),
            answers: VecDeque::new(),
            last_pid: 100,
        }
    }

    /// A machine that has gone through its boot to a level; every process that is waited for has ended well,
    /// and nothing of that is left in the log.
    pub(super) fn booted(text: &str) -> Self {
        let mut machine = Self::new(text);
        machine.boot();
        machine.finish_waited_for();
        machine.log.clear();
        machine
    }

    pub(super) fn boot(&mut self) {
        self.happens(Event::Booted);
    }

    /// Lets every process that others wait for end until none is left.
    pub(super) fn finish_waited_for(&mut self) {
        while let Some(id) = self
            .init
            .slots
            .iter()
            .find(|slot| slot.blocks_later_entries())
            .map(|slot| slot.entry.id.to_string())
        {
            self.exit(&id);
        }
    }

    /// Tells the supervisor, performs what it asks for, and tells it what came of that.
    pub(super) fn happens(&mut self, event: Event) {
        self.answers.push_back(event);
        while let Some(event) = self.answers.pop_front() {
            for effect in self.init.handle(self.now, event) {
                self.perform(effect);
            }
        }
    }

    fn perform(&mut self, effect: Effect) {
        let line = match effect {
            Effect::Spawn(start) => self.spawn(*start),
            Effect::SignalGroup { leader, signal } => {
                if self.obedient && self.processes.iter().any(|(pid, _)| *pid == leader) {
                    self.processes.retain(|(pid, _)| *pid != leader);
                    self.answers.push_back(Event::Exited {
                        pid: leader,
                        status: ExitStatus::Killed(signal),
                    });
                }
                let name = match signal {
                    Signal::TERM => "TERM",
                    Signal::KILL => "KILL",
                    _ => "another signal to",
                };
                format!("{name} {}", self.name(leader))
            }
            Effect::LookForGroup { leader } => {
                if self.stragglers.contains(&self.name(leader)) {
                    self.answers.push_back(Event::GroupOutlives { leader });
                }
                return;
            }
            Effect::ReadTable => {
                self.answers.push_back(match &self.disk {
                    Some(table) => Event::TableLoaded(table.clone()),
                    None => Event::TableUnreadable,
                });
                "read table".to_owned()
            }
            Effect::ReadPowerStatus => {
                self.answers.push_back(Event::PowerChanged(self.power));
                "read power status".to_owned()
            }
            Effect::Account(Occurrence::BootTime) => "record boot".to_owned(),
            Effect::Account(Occurrence::RunlevelChange { new, previous }) => {
                let previous = char::from(Runlevel::byte_or_n(previous));
                format!("record level {new} after {previous}")
            }
            Effect::Account(Occurrence::ProcessEnded { id, .. }) => format!("record end of {id}"),
            Effect::RepairAccounting => "repair accounting".to_owned(),
            Effect::WriteRunlevel(byte) => format!("runlevel file {}", char::from(byte)),
            Effect::SetTitle(Title::Boot) => "title boot".to_owned(),
            Effect::SetTitle(Title::Level(level)) => format!("title {level}"),
            Effect::Say(Sink::Console, text) => format!("console: {text}"),
            Effect::Say(Sink::Syslog, text) => format!("syslog: {text}"),
            Effect::Say(Sink::Both, text) => format!("both: {text}"),
            Effect::Note { id, action, text } => format!("note of {} {id}: {text}", action.name()),
            Effect::ResetConsole => "reset console".to_owned(),
            Effect::ReopenFifo => "reopen fifo".to_owned(),
            Effect::CloseFifo => "close fifo".to_owned(),
            Effect::EndContainer { status, rest, .. } => match rest {
                Rest::AskedToEnd(_) => format!("end with {status}"),
                Rest::LeftToKernel => format!("end at once with {status}"),
            },
            Effect::ReExec => "re-exec".to_owned(),
        };
        self.log.push(line);
    }

    fn spawn(&mut self, start: Start) -> String {
        let name = match &start.program {
            Program::Entry(entry) => entry.id.to_string(),
            Program::AskRunlevel => "question".to_owned(),
        };
        let key = start.key;
        let terminal = match &start.program {
            Program::Entry(entry) => crate::inittab::command::served_terminal(entry),
            Program::AskRunlevel => None,
        };
        self.starts.push(start);
        if let Some(terminal) =
            terminal.filter(|name| self.missing.iter().any(|known| known.as_bytes() == &**name))
        {
            self.answers
                .push_back(Event::TerminalMissing { key, terminal });
            return format!("miss the terminal of {name}");
        }
        if self.forks_fail {
            let reason = "Resource temporarily unavailable".to_owned();
            self.answers.push_back(Event::SpawnFailed { key, reason });
            return format!("fail to start {name}");
        }
        self.last_pid += 1;
        let pid = Pid::new(self.last_pid).unwrap();
        self.processes.push((pid, name.clone()));
        self.names.push((pid, name.clone()));
        self.answers.push_back(Event::Spawned { key, pid });
        format!("start {name}")
    }

    fn name(&self, pid: Pid) -> String {
        self.names
            .iter()
            .find(|(known, _)| *known == pid)
            .map_or_else(|| format!("stranger {pid}"), |(_, name)| name.clone())
    }

    /// The process of an id that was started last and lives.
    pub(super) fn pid(&self, id: &str) -> Pid {
        let found = self.processes.iter().rev().find(|(_, name)| name == id);
        found.unwrap_or_else(|| panic!("{id} does not run")).0
    }

    pub(super) fn exit(&mut self, id: &str) {
        self.exit_with(id, ExitStatus::Exited(0));
    }

    pub(super) fn exit_with(&mut self, id: &str, status: ExitStatus) {
        let pid = self.pid(id);
        self.processes.retain(|(known, _)| *known != pid);
        self.happens(Event::Exited { pid, status });
    }

    /// A request as `telinit` sends it.
    pub(super) fn request(&mut self, level: u8) {
        self.request_with(level, 3);
    }

    pub(super) fn request_with(&mut self, level: u8, seconds: u64) {
        let grace = Duration::from_secs(seconds);
        self.happens(Event::Requested(Request::ChangeLevel { level, grace }));
    }

    pub(super) fn power(&mut self, status: PowerStatus) {
        let grace = Duration::from_secs(3);
        self.happens(Event::Requested(Request::Power { status, grace }));
    }

    pub(super) fn signal(&mut self, signal: Signal) {
        self.happens(Event::Signalled(signal));
    }

    /// Puts another inittab on disk; init learns of it when it reads.
    pub(super) fn edit(&mut self, text: &str) {
        self.disk = Some(table(text));
    }

    /// As `edit`, with lines that cannot be read.
    pub(super) fn edit_carelessly(&mut self, text: &str) {
        let source = Source {
            path: "inittab",
            text: text.as_bytes(),
            kind: SourceKind::Inittab,
        };
        self.disk = Some(parse(&[source]).table);
    }

    /// Lets time pass and the deadlines in it come, each in its moment.
    pub(super) fn wait(&mut self, time: Duration) {
        let end = self.now.after(time);
        while let Some(deadline) = self.init.next_deadline().filter(|at| *at <= end) {
            assert!(
                deadline > self.now,
                "a deadline came twice: init would spin"
            );
            self.now = deadline;
            self.happens(Event::DeadlinePassed);
        }
        self.now = end;
    }

    pub(super) fn wait_seconds(&mut self, seconds: u64) {
        self.wait(Duration::from_secs(seconds));
    }

    /// All that init did since the last look.
    pub(super) fn log(&mut self) -> Vec<String> {
        std::mem::take(&mut self.log)
    }

    fn log_of(&mut self, what: &str) -> Vec<String> {
        let log = self.log();
        log.iter()
            .filter_map(|line| line.strip_prefix(what).map(str::to_owned))
            .collect()
    }

    /// What was started since the last look.
    pub(super) fn started(&mut self) -> Vec<String> {
        self.log_of("start ")
    }

    /// What was said since the last look, with who was told.
    pub(super) fn said(&mut self) -> Vec<String> {
        let mut log = self.log();
        log.retain(|line| {
            ["console: ", "syslog: ", "both: "]
                .iter()
                .any(|sink| line.starts_with(sink))
        });
        log
    }

    /// Which signals were sent since the last look.
    pub(super) fn signals(&mut self) -> Vec<String> {
        let mut log = self.log();
        log.retain(|line| line.starts_with("TERM ") || line.starts_with("KILL "));
        log
    }

    /// The accounting records since the last look.
    pub(super) fn records(&mut self) -> Vec<String> {
        self.log_of("record ")
    }

    /// The ids of what lives, in the order of the start.
    pub(super) fn running(&self) -> Vec<&str> {
        self.processes
            .iter()
            .map(|(_, name)| name.as_str())
            .collect()
    }

    /// RUNLEVEL and PREVLEVEL of what was started last.
    pub(super) fn last_levels(&self) -> (char, char) {
        let start = self.starts.last().unwrap();
        (char::from(start.runlevel), char::from(start.previous))
    }

    pub(super) fn snapshot(&self) -> Snapshot {
        self.init.snapshot(Written::default())
    }

    /// Replaces the supervisor by one that knows only the text of the state, as a re-execution does.
    pub(super) fn re_execute(&mut self) {
        let text = self.snapshot().to_text();
        let (snapshot, problems) = Snapshot::from_text(&text).unwrap();
        assert_eq!(problems, []);
        self.init = Supervisor::resume(snapshot);
        self.happens(Event::Resumed);
    }
}

/// The inittab most tests use: each action that a boot goes through, and two levels with a service each.
pub(super) const USUAL: &str = "\
id:2:initdefault:
si::sysinit:/etc/init.d/rcS
bw::bootwait:/bin/fsck
bo::boot:/sbin/loggerd
l2:2:wait:/etc/init.d/rc 2
l3:3:wait:/etc/init.d/rc 3
g2:2:respawn:/sbin/getty 2
g3:3:respawn:/sbin/getty 3
gb:23:respawn:/sbin/getty both
~~:S:wait:/sbin/sulogin
";

//! The only loop of PID 1: wait, turn what happened into events, let the supervisor decide, perform.
//!
//! Nothing leaves this loop. An error is a message; a panic is reported, and the loop goes on.

use super::accounting::Ledger;
use super::control::Control;
use super::recording::Recording;
use super::report::Reporter;
use super::state_file::StateFile;
use crate::paths::Paths;
use crate::process::{ExitStatus, Pid, Signal};
use crate::snapshot::Snapshot;
use crate::supervisor::{Event, Phase, Sink, Supervisor};
use crate::sys;
use crate::sys::child::{Report, Reports};
use crate::sys::signal::SignalQueue;
use crate::sys::title::TitleArea;
use crate::uptime::Uptime;
use std::collections::VecDeque;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Duration;

/// The signals PID 1 acts upon; all others are ignored.
pub(super) const SERVED: [Signal; 11] = [
    Signal::HUP,
    Signal::INT,
    Signal::USR1,
    Signal::USR2,
    Signal::ALRM,
    Signal::CHLD,
    Signal::CONT,
    Signal::TSTP,
    Signal::WINCH,
    Signal::PWR,
    Signal::POWER_OFF,
];
/// Children reaped before other sources are looked at again, so that a storm of orphans delays no request.
const MOST_REAPED: usize = 512;
/// How often the FIFO is looked at during the boot phases.
const WHILE_BOOTING: Duration = Duration::from_secs(5);
/// More than the kernel keeps of a command's name (proc(5), `comm`).
const LONGEST_NAME: u64 = 64;
/// After a pass that panicked the next one begins no sooner, so that a lasting fault does not take the machine.
const AFTER_PANIC: Duration = Duration::from_millis(200);

/// PID 1: the supervisor and everything it works through.
pub(super) struct Init {
    pub(super) paths: Paths,
    pub(super) supervisor: Supervisor,
    pub(super) report: Reporter,
    pub(super) control: Control,
    pub(super) ledger: Ledger,
    pub(super) recording: Recording,
    pub(super) reports: Reports,
    pub(super) signals: SignalQueue,
    pub(super) title: Option<TitleArea>,
    pub(super) state_file: StateFile,
    /// What came of effects, to be handled before anything new.
    pub(super) results: VecDeque<Event>,
}

impl Init {
    /// Runs until the machine goes down.
    pub(super) fn run(mut self, first: Event) -> ! {
        let mut waiting = VecDeque::from([first]);
        let mut limit = None;
        loop {
            let pass = catch_unwind(AssertUnwindSafe(|| self.pass(&mut waiting, limit)));
            limit = match pass {
                Ok(()) => None,
                // The panic hook has said what and where. What the pass was about is given up.
                Err(_) => Some(AFTER_PANIC),
            };
        }
    }

    /// Handles what waits, then waits for more.
    fn pass(&mut self, waiting: &mut VecDeque<Event>, least_wait: Option<Duration>) {
        if let Some(pause) = least_wait {
            sys::poll::wait([None], Some(pause));
        }
        while let Some(event) = self.results.pop_front().or_else(|| waiting.pop_front()) {
            let now = sys::clock::now();
            if let Event::Exited { pid, status } = event {
                self.log_end(pid, status);
            }
            log::debug!("{event:?}");
            let effects = self.supervisor.handle(now, event);
            for effect in effects {
                log::debug!("{effect:?}");
                self.perform(now, effect);
            }
        }
        let now = sys::clock::now();
        self.control.keep_open(now, &mut self.report);
        if !self.collect(now, waiting) {
            self.keep_state(now);
            self.recording.write(self.supervisor.phase());
            let limit = self.time_to_wait(now);
            self.wait(limit);
            self.collect(sys::clock::now(), waiting);
        }
    }

    /// How long nothing needs to be done if nothing happens.
    fn time_to_wait(&self, now: Uptime) -> Option<Duration> {
        let serving = self.supervisor.accepts_requests();
        [
            self.supervisor.next_deadline(),
            self.control.retry_at(),
            // What is left of a request is not looked at while none are served.
            self.control.abandon_at().filter(|_| serving),
            self.state_file.deadline(&self.supervisor),
            self.look_again_at(now),
        ]
        .into_iter()
        .flatten()
        .min()
        .map(|deadline| deadline.since(now))
    }

    /// While start-up scripts mount file systems, a FIFO can disappear below a mount, which nothing tells.
    fn look_again_at(&self, now: Uptime) -> Option<Uptime> {
        match self.supervisor.phase() {
            Phase::SysInit | Phase::Boot => Some(now.after(WHILE_BOOTING)),
            Phase::Normal(_) => None,
        }
    }

    fn wait(&mut self, limit: Option<Duration>) {
        use std::os::fd::AsFd;
        let fifo = if self.supervisor.accepts_requests() {
            self.control.fifo()
        } else {
            None
        };
        let sources = [
            Some(self.signals.as_fd()),
            Some(self.reports.as_fd()),
            self.control.watch(),
            fifo,
        ];
        let [_, _, watch, _] = sys::poll::wait(sources, limit);
        if watch {
            self.control.drain_watch();
        }
    }

    /// Turns what has happened into events. Tells whether there are any.
    fn collect(&mut self, now: Uptime, waiting: &mut VecDeque<Event>) -> bool {
        while let Some((signal, sender)) = self.signals.take() {
            // One SIGCHLD may stand for any number of children: they are asked for below.
            if signal != Signal::CHLD {
                self.name_sender(signal, sender);
                waiting.push_back(Event::Signalled(signal));
            }
        }
        for _ in 0..MOST_REAPED {
            let Some(reaped) = sys::child::reap() else {
                break;
            };
            let (pid, status) = (reaped.pid, reaped.status);
            self.recording
                .end(&reaped, self.supervisor.verdict_on(pid, status));
            // What a child reports was written before its end, so it is here now and is told first.
            self.collect_reports(waiting);
            waiting.push_back(Event::Exited { pid, status });
        }
        self.collect_reports(waiting);
        // One request at a time: what it leads to decides whether the next is served now.
        if waiting.is_empty()
            && self.supervisor.accepts_requests()
            && let Some(request) = self.control.next(now, &mut self.report)
        {
            self.report.choose_again(&self.paths);
            waiting.push_back(Event::Requested(request));
        }
        if waiting.is_empty()
            && self
                .supervisor
                .next_deadline()
                .is_some_and(|deadline| deadline <= now)
        {
            waiting.push_back(Event::DeadlinePassed);
        }
        !waiting.is_empty()
    }

    /// Logs why an entry's process has ended. Other people's children end in silence.
    fn log_end(&mut self, pid: Pid, status: ExitStatus) {
        if let Some(id) = self.supervisor.id_of(pid) {
            let text = format!("Id \"{id}\" (pid {pid}) has ended: {status}");
            self.report.say(Sink::Syslog, &text);
        }
    }

    /// Logs who has sent a signal: what made a machine go down is asked for afterwards.
    fn name_sender(&mut self, signal: Signal, sender: Option<Pid>) {
        let text = match sender {
            Some(pid) => {
                let command = sys::files::read(&self.paths.command_name(pid), LONGEST_NAME)
                    .unwrap_or_default();
                format!(
                    "{signal} from pid {pid} ({})",
                    command.trim_ascii_end().escape_ascii()
                )
            }
            None => format!("{signal} from the kernel or from outside"),
        };
        self.report.say(Sink::Syslog, &text);
    }

    fn collect_reports(&mut self, waiting: &mut VecDeque<Event>) {
        while let Some(report) = self.reports.take() {
            match report {
                Report::ExecFailed(program) => waiting.push_back(Event::ExecFailed { program }),
                Report::NoConsole(text) => self.report.say(Sink::Both, &text),
            }
        }
    }

    /// The state as one value, with what has reached the accounting files.
    pub(super) fn snapshot(&self) -> Snapshot {
        self.supervisor.snapshot(self.ledger.written())
    }

    fn keep_state(&mut self, now: Uptime) {
        let (supervisor, ledger) = (&self.supervisor, &self.ledger);
        self.state_file.keep(now, supervisor, || {
            supervisor.snapshot(ledger.written()).to_text()
        });
    }
}

//! The only loop of PID 1: wait, turn what happened into events, let the supervisor decide, perform.
//!
//! Nothing leaves this loop. An error is a message; a failure of init itself leads to a new image of it, which goes on
//! by the journal: what is read from the kernel, taken up, begun and done is written down before the next step.

use super::accounting::Ledger;
use super::control::{Control, Happened};
use super::journal::Journal;
use super::lull::Lull;
use super::recording::Recording;
use super::report::Reporter;
use super::spawn::{Environment, OneCommand};
use super::state_file::StateFile;
use crate::container::entrypoint::listened;
use crate::container::{Namespace, Realm, Told};
use crate::journal::Mark;
use crate::paths::Paths;
use crate::process::{ExitStatus, Pid, Signal};
use crate::snapshot::Snapshot;
use crate::supervisor::{Effect, Event, Phase, Sink, SlotKey, Supervisor};
use crate::sys;
use crate::sys::child::Nursery;
use crate::sys::crash::Whole;
use crate::sys::reports::Report;
use crate::sys::signal::SignalQueue;
use crate::sys::title::TitleArea;
use crate::uptime::Uptime;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;
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
/// Those it acts upon besides in a container.
pub(super) const SERVED_IN_CONTAINER: [Signal; 6] = [
    Signal::TERM,
    Signal::HALT,
    Signal::RESTART,
    Signal::HALT_NOW,
    Signal::POWER_OFF_NOW,
    Signal::RESTART_NOW,
];
/// Children reaped before other sources are looked at again, so that a storm of orphans delays no request.
const MOST_REAPED: usize = 512;
/// How often the FIFO is looked at during the boot phases.
const WHILE_BOOTING: Duration = Duration::from_secs(5);
/// How long after something has happened the memory is given back that was needed for it. A child has usually executed its
/// program by then.
const UNTIL_REST: Duration = Duration::from_secs(1);
/// More than the kernel keeps of a command's name (proc(5), `comm`).
const LONGEST_NAME: u64 = 64;
/// After a pass that panicked, where there is no next image, the next pass begins no sooner, so that a lasting fault does
/// not take the machine.
const AFTER_PANIC: Duration = Duration::from_millis(200);

/// Where init runs, and what it is there for.
#[derive(Debug)]
pub(super) struct Home {
    pub(super) realm: Realm,
    /// The word that said so, for the next image.
    pub(super) told: Told,
    pub(super) namespace: Namespace,
    /// The command behind `--`.
    pub(super) command: Option<OneCommand>,
}

impl Home {
    /// The signals init acts upon; all others are ignored. A command gets every one it can be sent.
    pub(super) fn served(&self) -> Vec<Signal> {
        match (self.realm, &self.command) {
            (Realm::Machine, _) => SERVED.to_vec(),
            (Realm::Container, None) => [&SERVED[..], &SERVED_IN_CONTAINER].concat(),
            (Realm::Container, Some(_)) => listened(),
        }
    }

    /// Closes the standard descriptors; a container's are what its manager reads.
    pub(super) fn let_go_of_standard(&self) {
        if self.realm == Realm::Machine {
            sys::fd::close_standard();
        }
    }

    /// The words by which the next image of init comes to know it.
    pub(super) fn words(&self) -> Vec<CString> {
        let told = match self.told {
            Told::Nothing => None,
            Told::Is(Realm::Container) => Some(c"--container".to_owned()),
            Told::Is(Realm::Machine) => Some(c"--no-container".to_owned()),
        };
        let command = self.command.iter();
        let command = command.flat_map(|command| {
            std::iter::once(c"--".to_owned()).chain(command.argv.iter().cloned())
        });
        told.into_iter().chain(command).collect()
    }
}

/// PID 1: the supervisor and everything it works through.
pub(super) struct Init {
    pub(super) home: Home,
    pub(super) paths: Paths,
    pub(super) supervisor: Supervisor,
    pub(super) report: Reporter,
    pub(super) control: Control,
    pub(super) ledger: Ledger,
    pub(super) recording: Recording,
    pub(super) environment: Environment,
    pub(super) nursery: Nursery,
    pub(super) signals: SignalQueue,
    pub(super) title: Option<TitleArea>,
    pub(super) state_file: StateFile,
    pub(super) journal: Journal,
    /// What came of effects, to be handled before anything new.
    pub(super) results: VecDeque<Event>,
    /// What has happened and is not handled yet.
    pub(super) waiting: VecDeque<Event>,
    /// Processes that run for entries already, by the minimal init's doing.
    pub(super) kept: BTreeMap<SlotKey, Pid>,
    /// What is left to do about the last event, which was taken up at this time.
    pub(super) effects: VecDeque<Effect>,
    pub(super) taken: Uptime,
    /// When the memory is given back that was needed for what has happened.
    pub(super) rest_at: Option<Uptime>,
    /// Whether there may be children that have ended, of which no signal will tell any more.
    pub(super) has_unreaped: bool,
    /// Whether the ends of children are looked at now.
    pub(super) lull: Lull,
    /// Whether all that is done when nothing else is to do has been done since the last event.
    pub(super) is_settled: bool,
}

/// What the wait has told.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct News {
    signals: bool,
    requests: bool,
}

/// Whose child has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Whose {
    /// Of an entry, or somebody init waits for.
    Own,
    /// Of a process that has left it to init.
    Others,
}

impl Init {
    /// Runs until the machine goes down.
    pub(super) fn run(mut self: Box<Self>) -> ! {
        let mut limit = None;
        loop {
            let pass = catch_unwind(AssertUnwindSafe(|| self.pass(limit)));
            // The panic hook has said what and where. What was at hand is given up.
            limit = pass.is_err().then_some(AFTER_PANIC);
            self.has_unreaped |= limit.is_some();
        }
    }

    /// Handles what waits, then waits for more. What it calls is kept out of its own frame, which is there all the time.
    fn pass(&mut self, least_wait: Option<Duration>) {
        if let Some(pause) = least_wait {
            sys::poll::wait([None], Some(pause));
        }
        while self.step() {}
        sys::memory::forget();
        self.nursery.tidy();
        let now = sys::clock::now();
        self.keep_journal(now);
        let happened = match self.supervisor.phase() {
            Phase::SysInit | Phase::Boot => Happened::Mounts,
            Phase::Normal(_) if self.is_settled => Happened::Nothing,
            Phase::Normal(_) => Happened::Something,
        };
        self.control.keep_open(now, happened, &mut self.report);
        if !self.is_settled {
            self.rest_at = self.rest_at.or(Some(now.after(UNTIL_REST)));
        }
        if !self.is_settled && self.is_put_off(now) {
            // Then it need not be known whether nothing else is to do.
            self.settle(now);
        }
        let is_at_rest = self.is_settled && !self.has_more(now);
        let limit = if is_at_rest {
            self.time_to_wait(now)
        } else {
            Some(Duration::ZERO)
        };
        let news = self.wait(now, limit);
        let now = sys::clock::now();
        self.collect(now, news);
        if !self.waiting.is_empty() {
            self.is_settled = false;
        } else if !self.has_unreaped && (!self.is_settled || self.is_behind(now)) {
            self.settle(now);
        }
        if self.waiting.is_empty() && self.rest_at.is_some_and(|at| at <= now) {
            self.rest(now);
        }
    }

    /// Gives back what memory is not needed while nothing happens.
    #[inline(never)]
    fn rest(&mut self, now: Uptime) {
        self.nursery.tidy();
        self.nursery.rest();
        sys::memory::give_back();
        // A program that does not come from its disk keeps the memory of its child.
        self.rest_at = self.nursery.is_busy().then(|| now.after(UNTIL_REST));
    }

    /// Tells whether there is something to collect of which the wait does not tell.
    fn has_more(&self, now: Uptime) -> bool {
        self.has_unreaped || self.supervisor.accepts_requests() && self.control.has_more(now)
    }

    /// Tells whether a file is to be written that was put off.
    fn is_behind(&self, now: Uptime) -> bool {
        let deadlines = [
            self.state_file.deadline(&self.supervisor),
            self.recording.deadline(),
        ];
        deadlines.into_iter().flatten().any(|at| at <= now)
    }

    /// Tells whether there is nothing that [`settle`](Self::settle) would do at this time.
    fn is_put_off(&self, now: Uptime) -> bool {
        let state = self.state_file.deadline(&self.supervisor);
        state.is_none_or(|at| at > now) && self.recording.rests(now)
    }

    /// Writes the files for others, which can wait until there is nothing else to do.
    #[inline(never)]
    fn settle(&mut self, now: Uptime) {
        self.is_settled = true;
        self.keep_state(now);
        self.recording.write(now, self.supervisor.phase());
    }

    /// Does the next effect, or takes up the next event where none is left. Tells whether there was one.
    #[inline(never)]
    fn step(&mut self) -> bool {
        if let Some(effect) = self.effects.pop_front() {
            log::debug!("{effect:?}");
            self.journal.note(Mark::Begun);
            #[cfg(feature = "crash-test")]
            super::provoked::look(&self.paths, &effect);
            let whole = is_felt_once(&effect).then(Whole::begin);
            self.perform(self.taken, effect);
            if whole.is_some() || self.effects.is_empty() {
                self.journal.note(Mark::Done);
            }
            return true;
        }
        let next = self.results.pop_front();
        let Some(event) = next.or_else(|| self.waiting.pop_front()) else {
            return false;
        };
        self.taken = sys::clock::now();
        self.journal.note(Mark::Taken(self.taken));
        #[cfg(feature = "crash-test")]
        super::provoked::look(&self.paths, &event);
        if let Event::Exited { pid, status } = event {
            self.log_end(pid, status);
        }
        if matches!(event, Event::TableLoaded(_)) {
            self.journal.outdate();
        }
        log::debug!("{event:?}");
        let effects = self.supervisor.handle(self.taken, event);
        self.effects.extend(effects);
        self.journal.note(Mark::Handled);
        true
    }

    /// Has an event wait for its turn.
    pub(super) fn queue(&mut self, event: Event) {
        self.journal.note(Mark::Queued(&event));
        self.waiting.push_back(event);
    }

    /// Has what came of the effect at hand wait for its turn, before anything that has only happened.
    pub(super) fn answer(&mut self, event: Event) {
        self.journal.note(Mark::Answered(&event));
        self.results.push_back(event);
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
            self.recording.deadline(),
            self.look_again_at(now),
            self.rest_at,
            self.lull.until(now),
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

    fn wait(&mut self, now: Uptime, limit: Option<Duration>) -> News {
        use std::os::fd::AsFd;
        let fifo = if self.supervisor.accepts_requests() {
            self.control.fifo()
        } else {
            None
        };
        let signals = self.lull.until(now).is_none().then(|| self.signals.as_fd());
        let sources = [signals, self.control.watch(), fifo];
        let [signals, watch, requests] = sys::poll::wait(sources, limit);
        if watch {
            self.control.drain_watch();
        }
        News { signals, requests }
    }

    /// Turns what has happened into events.
    #[inline(never)]
    fn collect(&mut self, now: Uptime, news: News) {
        if news.signals {
            self.take_signals();
        }
        // One SIGCHLD may stand for any number of children, and is not waited for where it could have been missed.
        if news.signals || self.has_unreaped {
            self.has_unreaped = !self.reap_all(now);
        }
        self.collect_reports();
        // One request at a time: what it leads to decides whether the next is served now.
        if self.waiting.is_empty()
            && self.supervisor.accepts_requests()
            && (news.requests || self.control.has_more(now))
            && let Some(request) = self.control.next(now, &mut self.report, &mut self.journal)
        {
            self.report.choose_again(&self.paths);
            // Already written down.
            self.waiting.push_back(Event::Requested(request));
        }
        if self.waiting.is_empty()
            && self
                .supervisor
                .next_deadline()
                .is_some_and(|deadline| deadline <= now)
        {
            self.queue(Event::DeadlinePassed);
        }
    }

    /// Reaps who has ended. Tells whether nobody is left.
    fn reap_all(&mut self, now: Uptime) -> bool {
        let (mut strangers, mut has_own) = (0, false);
        let is_over = (0..MOST_REAPED).any(|_| match self.reap() {
            None => true,
            Some(Whose::Others) => {
                strangers += 1;
                false
            }
            Some(Whose::Own) => {
                has_own = true;
                false
            }
        });
        self.lull.note(now, strangers, has_own);
        is_over
    }

    fn is_of_no_concern(&self, pid: Pid) -> bool {
        !self.supervisor.knows(pid) && !self.kept.values().any(|kept| *kept == pid)
    }

    /// Takes the signals that have come. Nothing that could replace this image comes between taking them and writing them
    /// down.
    fn take_signals(&mut self) {
        let whole = Whole::begin();
        let mut senders = Vec::new();
        let (waiting, journal) = (&mut self.waiting, &mut self.journal);
        self.signals.take_all(&mut |signal, sender| {
            if signal != Signal::CHLD {
                let event = Event::Signalled(signal);
                journal.note(Mark::Queued(&event));
                waiting.push_back(event);
                senders.push((signal, sender));
            }
        });
        drop(whole);
        for (signal, sender) in senders {
            self.name_sender(signal, sender);
        }
    }

    /// Reaps the next child that has ended, with the same care. None where there is none.
    fn reap(&mut self) -> Option<Whose> {
        let _whole = Whole::begin();
        let reaped = sys::child::reap()?;
        let (pid, status) = (reaped.pid, reaped.status);
        self.nursery.note_end(pid);
        // The end of somebody else's child changes nothing, and there can be thousands a second.
        if self.is_of_no_concern(pid) {
            return Some(Whose::Others);
        }
        // What a child reports was written before its end, so it is here now and is told first.
        self.collect_reports();
        self.recording
            .end(&reaped, self.supervisor.verdict_on(pid, status));
        self.queue(Event::Exited { pid, status });
        Some(Whose::Own)
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

    fn collect_reports(&mut self) {
        while let Some(report) = self.nursery.take() {
            match report {
                Report::ExecFailed(program) => self.queue(Event::ExecFailed { program }),
                Report::NoConsole(text) => self.report.say(Sink::Both, &text),
                Report::NotRecorded(why) => {
                    if let Some(text) = self.recording.not_kept(&why) {
                        self.report.say(Sink::Both, &text);
                    }
                }
            }
        }
    }

    /// The state as one value, with what has reached the accounting files.
    pub(super) fn snapshot(&self) -> Snapshot {
        snapshot(&self.supervisor, &self.ledger, &self.control)
    }

    fn keep_state(&mut self, now: Uptime) {
        let (supervisor, ledger, control) = (&self.supervisor, &self.ledger, &self.control);
        self.state_file.keep(now, supervisor, || {
            snapshot(supervisor, ledger, control).to_text()
        });
    }

    /// Begins the journal anew if it is time. Nothing may be at hand: a snapshot does not tell of effects.
    pub(super) fn keep_journal(&mut self, now: Uptime) {
        let (supervisor, ledger, control) = (&self.supervisor, &self.ledger, &self.control);
        let is_anew = self.journal.keep(now, supervisor.phase(), || {
            snapshot(supervisor, ledger, control)
        });
        if is_anew {
            for (key, pid) in &self.kept {
                self.journal.note(Mark::Kept(key.0, *pid));
            }
        }
    }
}

/// Tells whether others would notice an effect that is begun twice: a signal, a record, a message, a file that is gone once
/// it is read. Nobody replaces this image before such a one is written down as done. The others are left open to that, so
/// that it helps an init that does not come back from one.
fn is_felt_once(effect: &Effect) -> bool {
    matches!(
        effect,
        Effect::SignalGroup { .. }
            | Effect::Account(_)
            | Effect::Say(..)
            | Effect::Note { .. }
            | Effect::ReadPowerStatus
    )
}

fn snapshot(supervisor: &Supervisor, ledger: &Ledger, control: &Control) -> Snapshot {
    let mut snapshot = supervisor.snapshot(ledger.written());
    snapshot.under_way.unread = control.unread().to_vec();
    snapshot.under_way.fifo_closed = control.is_to_be_closed();
    snapshot
}

//! The minimal init: what runs when the whole one has crashed three times in a minute.
//!
//! It reaps, keeps the gettys, goes down when it is asked to, and has the whole init try again on `telinit u`. It knows
//! nothing else, so that as little as possible of what crashed is in it.

use super::journal::Journal;
use super::perform::ask_kernel;
use super::report::Reporter;
use super::run::Home;
use super::spawn::{INIT_VERSION, PATH};
use crate::container::entrypoint::forwarded;
use crate::container::{Ending, Realm};
use crate::initctl::REQUEST_SIZE;
use crate::journal::Mark;
use crate::paths::Paths;
use crate::process::{Pid, Signal};
use crate::rescue::{Getty, Order, commands, gettys};
use crate::sys;
use crate::sys::child::{Body, Nursery, Terminal};
use crate::sys::execution::{After, Attempt, Execution, WordVector};
use crate::sys::fifo::Fifo;
use crate::sys::reboot::End;
use crate::sys::signal::SignalQueue;
use crate::uptime::Uptime;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::rc::Rc;
use std::time::Duration;

/// Pause before a getty is started again.
const PAUSE: Duration = Duration::from_secs(10);
/// How often the FIFO is looked after.
const LOOK: Duration = Duration::from_secs(5);
/// How long a level's command may take on the way down.
const WAY_DOWN: Duration = Duration::from_secs(300);
/// What is taken of one kind before something else is looked at.
const MOST: usize = 512;
/// Between TERM and KILL at the end.
const GRACE: Duration = Duration::from_secs(5);
/// The exit status of a container whose command has ended, or was never started, without init having seen it.
const LOST: u8 = 255;

/// What it works with.
pub(super) struct LastResort {
    pub(super) home: Home,
    pub(super) paths: Paths,
    pub(super) report: Reporter,
    pub(super) nursery: Nursery,
    pub(super) signals: SignalQueue,
    /// The state and the journal of the image that crashed.
    pub(super) text: Vec<u8>,
    /// The FIFO of that image, until it is open here: requests are in it.
    pub(super) held: Option<OwnedFd>,
    pub(super) journal: Journal,
    /// The command that a container is there for.
    pub(super) command: Option<Pid>,
    /// Its exit status.
    pub(super) status: Option<u8>,
    /// rc has told that all is done.
    pub(super) is_done: bool,
}

/// One getty and when it may be started again.
struct Kept {
    getty: Getty,
    earliest: Uptime,
}

impl LastResort {
    /// Runs until the machine goes down; the exit code is that of a container whose kernel refuses to go down.
    pub(super) fn run(mut self: Box<Self>) -> ExitCode {
        self.report.alarm(
            "PANIC: init has crashed again and again: only the gettys are kept now. `telinit u' lets init try again; \
             `reboot' and `halt' work, and so does Ctrl-Alt-Del",
        );
        let mut kept: Vec<Kept> = gettys(&self.text)
            .into_iter()
            .map(|getty| Kept {
                getty,
                earliest: Uptime::default(),
            })
            .collect();
        for one in &mut kept {
            one.getty.pid = one.getty.pid.filter(|pid| sys::child::is_child(*pid));
        }
        let mut fifo: Option<Fifo> = None;
        loop {
            let now = sys::clock::now();
            self.reap(&mut kept);
            if self.home.command.is_some() && self.command().is_none() {
                self.status = self.status.or(Some(LOST));
                return self.go_down(Order::Halt);
            }
            self.start_due(now, &mut kept);
            if !fifo
                .as_ref()
                .is_some_and(|fifo| fifo.is_at(&self.paths.initctl()))
            {
                fifo = Fifo::open(&self.paths.initctl()).ok();
            }
            self.held = self.held.take().filter(|_| fifo.is_none());
            let held = fifo.as_ref().map(AsFd::as_fd);
            sys::crash::set_fifo(held.or(self.held.as_ref().map(AsFd::as_fd)));
            match self.next_order(fifo.as_ref()) {
                Some(Order::TryAgain) => sys::crash::start_over(),
                Some(order) => return self.go_down(order),
                None => {
                    let sources = [Some(self.signals.as_fd()), fifo.as_ref().map(AsFd::as_fd)];
                    sys::poll::wait(sources, Some(unless_more_have_ended(LOOK)));
                }
            }
        }
    }

    /// The command that the container is there for, while it runs.
    fn command(&self) -> Option<Pid> {
        let is_running = |pid: &Pid| self.status.is_none() && sys::child::is_child(*pid);
        self.command.filter(is_running)
    }

    fn reap(&mut self, kept: &mut [Kept]) {
        let command = self.command();
        while self.nursery.take().is_some() {}
        self.nursery.tidy();
        for _ in 0..MOST {
            let Some(ended) = sys::child::reap() else {
                break;
            };
            self.nursery.note_end(ended.pid);
            if Some(ended.pid) == command {
                self.status = Some(ended.status.as_shell_code());
            }
            for one in kept.iter_mut() {
                one.getty.pid = one.getty.pid.filter(|known| *known != ended.pid);
            }
        }
    }

    fn start_due(&mut self, now: Uptime, kept: &mut [Kept]) {
        for one in kept.iter_mut() {
            if one.getty.pid.is_none() && one.earliest <= now {
                one.earliest = now.after(PAUSE);
                one.getty.pid = self.start(&one.getty.command, b'2', one.getty.key);
            }
        }
    }

    fn next_order(&self, fifo: Option<&Fifo>) -> Option<Order> {
        for _ in 0..MOST {
            let Some((signal, _)) = self.signals.take() else {
                break;
            };
            let order = Order::of_signal(signal, self.home.realm);
            match self.command() {
                Some(command) if signal != Signal::CHLD && !says_done(signal) => {
                    sys::signal::send_to_group(command, forwarded(signal)).unwrap_or_default();
                }
                _ if order.is_some() => return order,
                _ => {}
            }
        }
        let mut bytes = [0_u8; REQUEST_SIZE];
        for _ in 0..MOST {
            let Ok(1..) = fifo?.read(&mut bytes) else {
                break;
            };
            if let Some(order) = Order::of_request(&bytes) {
                return Some(order);
            }
        }
        None
    }

    /// Starts a command, and writes down that it is that of the entry with this key, if any, before anybody can replace
    /// this image.
    fn start(&mut self, command: &[u8], level: u8, key: Option<u64>) -> Option<Pid> {
        let command = command.strip_prefix(b"+").unwrap_or(command);
        let command = command.strip_prefix(b"@").unwrap_or(command);
        let shell = b"/bin/sh".as_slice();
        let attempts = vec![Attempt {
            candidates: WordVector::new([shell]),
            argv: WordVector::new([shell, b"-c", command]),
            after: After::Nothing,
        }];
        let environment = [
            format!("PATH={PATH}"),
            format!("INIT_VERSION={INIT_VERSION}"),
            format!("RUNLEVEL={}", char::from(level)),
            "PREVLEVEL=N".to_owned(),
        ];
        let body = Body::Exec(Execution {
            attempts,
            environment: Rc::new(WordVector::new(environment.iter().map(String::as_bytes))),
            failed: |_| 1,
        });
        let journal = &mut self.journal;
        sys::child::spawn(
            self.report.console(),
            Terminal::Shared,
            None,
            &self.nursery,
            None,
            body,
            &mut |pid| {
                if let Some(key) = key {
                    journal.note(Mark::Kept(key, pid));
                }
            },
        )
        .ok()
    }

    /// Runs what the level waits for, which ends the machine; then ends it itself.
    fn go_down(&mut self, order: Order) -> ExitCode {
        let level = order.level();
        self.report
            .alarm(&format!("going down by level {}", char::from(level)));
        for command in commands(&self.text, level) {
            if let Some(pid) = self.start(&command, level, None) {
                self.wait_for(pid, WAY_DOWN);
            }
        }
        self.report.alarm("ending all processes");
        sys::signalling::ask_all_to_end().unwrap_or_default();
        self.wait_for_all(GRACE);
        sys::signalling::end_all().unwrap_or_default();
        self.wait_for_all(GRACE);
        if let Ok(pid) = sys::child::fork_and_call(sys::reboot::sync) {
            self.wait_for(pid, GRACE);
        }
        let ending = match order {
            Order::Halt => Ending::Halt,
            Order::Reboot | Order::TryAgain => Ending::Restart,
        };
        match self.home.realm {
            Realm::Container => ask_kernel(ending, self.home.namespace),
            Realm::Machine => {
                let end = match ending {
                    Ending::Halt => End::PowerOff,
                    Ending::Restart => End::Restart,
                };
                let error = sys::reboot::end(end);
                self.report.alarm(&format!("the kernel refuses: {error}"));
            }
        }
        ExitCode::from(ending.status_after(self.status))
    }

    /// Waits until a child has ended, reaping the others, for at most so long. In a container `halt` waits for init when
    /// all is done.
    fn wait_for(&mut self, pid: Pid, most: Duration) {
        let end = sys::clock::now().after(most);
        while sys::child::is_child(pid) && !self.is_done && self.pass_time(end) {}
    }

    /// Waits until there are no children.
    fn wait_for_all(&mut self, most: Duration) {
        let end = sys::clock::now().after(most);
        while sys::child::has_children() && self.pass_time(end) {}
    }

    /// Reaps what has ended and waits for the next signal. Tells whether there is time left.
    fn pass_time(&mut self, end: Uptime) -> bool {
        let now = sys::clock::now();
        if now >= end {
            return false;
        }
        let limit = unless_more_have_ended(end.since(now));
        sys::poll::wait([Some(self.signals.as_fd())], Some(limit));
        for _ in 0..MOST {
            let Some((signal, _)) = self.signals.take() else {
                break;
            };
            self.is_done |= self.home.realm == Realm::Container && says_done(signal);
        }
        self.reap(&mut []);
        true
    }
}

/// Tells whether a signal says that nothing is left to do on the way down.
fn says_done(signal: Signal) -> bool {
    matches!(
        signal,
        Signal::HALT_NOW | Signal::POWER_OFF_NOW | Signal::RESTART_NOW
    )
}

/// How long to wait: not at all where more children have ended than are reaped in one go, as nothing tells of them again.
fn unless_more_have_ended(limit: Duration) -> Duration {
    if sys::child::someone_has_ended() {
        Duration::ZERO
    } else {
        limit
    }
}

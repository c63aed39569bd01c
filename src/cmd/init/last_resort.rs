//! The minimal init: what runs when the whole one has crashed three times in a minute.
//!
//! It reaps, keeps the gettys, goes down when it is asked to, and has the whole init try again on `telinit u`. It knows
//! nothing else, so that as little as possible of what crashed is in it.

use super::journal::Journal;
use super::report::Reporter;
use super::spawn::{INIT_VERSION, PATH};
use crate::initctl::REQUEST_SIZE;
use crate::journal::Mark;
use crate::paths::Paths;
use crate::process::{Pid, Signal};
use crate::rescue::{Getty, Order, commands, gettys};
use crate::sys;
use crate::sys::child::{After, Attempt, Body, Reports, Terminal};
use crate::sys::fifo::Fifo;
use crate::sys::reboot::End;
use crate::sys::signal::SignalQueue;
use crate::uptime::Uptime;
use std::ffi::CString;
use std::os::fd::{AsFd, OwnedFd};
use std::process::ExitCode;
use std::time::Duration;

/// Pause before a getty is started again.
const PAUSE: Duration = Duration::from_secs(10);
/// How often the FIFO is looked after.
const LOOK: Duration = Duration::from_secs(5);
/// How long a level's command may take on the way down.
const WAY_DOWN: Duration = Duration::from_secs(300);
/// Between TERM and KILL at the end.
const GRACE: Duration = Duration::from_secs(5);

/// What it works with.
pub(super) struct LastResort {
    pub(super) paths: Paths,
    pub(super) report: Reporter,
    pub(super) reports: Reports,
    pub(super) signals: SignalQueue,
    /// The state and the journal of the image that crashed.
    pub(super) text: Vec<u8>,
    /// The FIFO of that image, until it is open here: requests are in it.
    pub(super) held: Option<OwnedFd>,
    pub(super) journal: Journal,
}

/// One getty and when it may be started again.
struct Kept {
    getty: Getty,
    earliest: Uptime,
}

impl LastResort {
    /// Runs until the machine goes down; the exit code is that of a container whose kernel refuses to go down.
    pub(super) fn run(mut self) -> ExitCode {
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
                    sys::poll::wait(sources, Some(LOOK));
                }
            }
        }
    }

    fn reap(&self, kept: &mut [Kept]) {
        while self.reports.take().is_some() {}
        while let Some(ended) = sys::child::reap() {
            for one in kept.iter_mut() {
                one.getty.pid = one.getty.pid.filter(|known| *known != ended.pid);
            }
        }
    }

    fn start_due(&mut self, now: Uptime, kept: &mut [Kept]) {
        for one in kept.iter_mut() {
            if one.getty.pid.is_none() && one.earliest <= now {
                one.earliest = now.after(PAUSE);
                one.getty.pid = self.start(&one.getty.command, b'2');
                if let (Some(key), Some(pid)) = (one.getty.key, one.getty.pid) {
                    self.journal.note(Mark::Kept(key, pid));
                }
            }
        }
    }

    fn next_order(&self, fifo: Option<&Fifo>) -> Option<Order> {
        while let Some((signal, _)) = self.signals.take() {
            if let Some(order) = Order::of_signal(signal) {
                return Some(order);
            }
        }
        let mut bytes = [0_u8; REQUEST_SIZE];
        while let Ok(1..) = fifo?.read(&mut bytes) {
            if let Some(order) = Order::of_request(&bytes) {
                return Some(order);
            }
        }
        None
    }

    fn start(&self, command: &[u8], level: u8) -> Option<Pid> {
        let command = command.strip_prefix(b"+").unwrap_or(command);
        let command = command.strip_prefix(b"@").unwrap_or(command);
        let shell = c"/bin/sh";
        let attempts = [Attempt {
            candidates: vec![shell.to_owned()],
            argv: vec![
                shell.to_owned(),
                c"-c".to_owned(),
                CString::new(command).ok()?,
            ],
            after: After::Nothing,
        }];
        let environment: Vec<CString> = [
            format!("PATH={PATH}"),
            format!("INIT_VERSION={INIT_VERSION}"),
            format!("RUNLEVEL={}", char::from(level)),
            "PREVLEVEL=N".to_owned(),
        ]
        .into_iter()
        .filter_map(|variable| CString::new(variable).ok())
        .collect();
        let body = Body::Exec {
            attempts: &attempts,
            environment: &environment,
            failed: |_| 1,
        };
        let console = self.report.console();
        sys::child::spawn(
            console,
            Terminal::Shared,
            &self.reports,
            &|_| (),
            &body,
            &mut |_| (),
        )
        .ok()
    }

    /// Runs what the level waits for, which ends the machine; then ends it itself.
    fn go_down(&mut self, order: Order) -> ExitCode {
        let level = order.level();
        self.report
            .alarm(&format!("going down by level {}", char::from(level)));
        for command in commands(&self.text, level) {
            if let Some(pid) = self.start(&command, level) {
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
        let end = match order {
            Order::Halt => End::PowerOff,
            Order::Reboot | Order::TryAgain => End::Restart,
        };
        let error = sys::reboot::end(end);
        self.report.alarm(&format!("the kernel refuses: {error}"));
        ExitCode::SUCCESS
    }

    /// Waits until a child has ended, reaping the others, for at most so long.
    fn wait_for(&self, pid: Pid, most: Duration) {
        let end = sys::clock::now().after(most);
        while sys::child::is_child(pid) && self.pass_time(end) {}
    }

    /// Waits until there are no children.
    fn wait_for_all(&self, most: Duration) {
        let end = sys::clock::now().after(most);
        while sys::child::has_children() && self.pass_time(end) {}
    }

    /// Reaps what has ended and waits for the next signal. Tells whether there is time left.
    fn pass_time(&self, end: Uptime) -> bool {
        let now = sys::clock::now();
        if now >= end {
            return false;
        }
        sys::poll::wait([Some(self.signals.as_fd())], Some(end.since(now)));
        while self
            .signals
            .take()
            .is_some_and(|(signal, _)| signal != Signal::KILL)
        {}
        while sys::child::reap().is_some() {}
        true
    }
}

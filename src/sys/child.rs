//! Children of PID 1: forked, given the console and a session, executed, reaped.
//!
//! PID 1 has one thread, so after fork a child is a whole copy of it and may run ordinary code until it execs;
//! it never returns to the caller's. One that has nothing to do but to execute its program is none (see `sharing`).

use super::console::Console;
use super::crash::Whole;
use super::execution::Execution;
use super::relay::Relay;
use super::reports::{Report, Reports};
use super::sharing::{self, Stack, Starting};
use super::usage::{self, Changed, Reaped};
use super::utmp::Account;
use super::{bare, console, fd, signal, standard};
use crate::process::{ExitStatus, Pid};
use nix::errno::Errno;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{ForkResult, Pid as NixPid, fork, setsid, tcgetpgrp};
use std::cell::RefCell;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd};
use std::panic::{AssertUnwindSafe, catch_unwind};

/// How many children share memory at once; each has a stack. Beyond that they are forked, which takes longer, so that the
/// others come to their ends.
const MOST_STARTING: usize = 32;

/// What a child does with the console.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Terminal {
    /// Uses it as descriptors 0, 1 and 2.
    Shared,
    /// Takes it as controlling terminal, from another session if need be, and gives it back at the end.
    Controlling,
    /// Has what init was started with, as a container's command does: its input too, and its terminal if that is one.
    OfInit,
}

/// What runs in a child.
pub(crate) enum Body {
    /// Programs.
    Exec(Execution),
    /// A function of our own; its result is the exit code.
    Call(fn() -> u8),
}

/// Children, and what they have not told yet.
#[derive(Debug)]
pub(crate) struct Nursery {
    reports: Reports,
    /// Those that share this process's memory until they have executed.
    starting: RefCell<Vec<Starting>>,
    /// Stacks that others had.
    spare: RefCell<Vec<Stack>>,
}

impl Nursery {
    /// Prepares for children.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            reports: Reports::open()?,
            starting: RefCell::default(),
            spare: RefCell::default(),
        })
    }

    /// Takes the next report, if any.
    pub(crate) fn take(&self) -> Option<Report> {
        self.reports.take()
    }

    /// Tells whether there may be one more child that shares this process's memory.
    fn has_room(&self) -> bool {
        self.tidy();
        self.starting.borrow().len() < MOST_STARTING
    }

    /// Tells whether there are children that have not executed yet.
    pub(crate) fn is_busy(&self) -> bool {
        !self.starting.borrow().is_empty()
    }

    /// Keeps no memory for the next child.
    pub(crate) fn rest(&self) {
        self.spare.take();
    }

    /// Gives back the memory of children that have executed. One whose program does not come from its disk keeps its own.
    pub(crate) fn tidy(&self) {
        let mut spare = self.spare.borrow_mut();
        sharing::tidy(&mut self.starting.borrow_mut(), &mut spare);
    }

    /// Takes note that a child has been reaped.
    pub(crate) fn note_end(&self, pid: Pid) {
        let starting = self.starting.borrow();
        let known = starting.iter().find(|starting| starting.pid() == pid);
        known.map(Starting::note_end).unwrap_or_default();
    }
}

/// Starts a child that becomes a session leader on the console and runs `body`.
///
/// With a controlling terminal, the child that is returned is a keeper: it waits for the one that runs `body`, passes its
/// status on, and gives the terminal up first, so that the end of the session does not hang up what was started from it.
/// The one that will exec writes its own `account`. Its output goes through a `relay` where there is to be one; the command of
/// a container has none.
///
/// `forked` is told the child's number before a crash that somebody asks for can come between. All signals but few are blocked
/// in this process, and so the child loses none that it is sent before it has executed its program.
pub(crate) fn spawn(
    console: &Console,
    terminal: Terminal,
    relay: Option<&Relay>,
    nursery: &Nursery,
    account: Option<Account>,
    body: Body,
    forked: &mut dyn FnMut(Pid),
) -> io::Result<Pid> {
    let _whole = Whole::begin();
    let pid = match (body, terminal) {
        // One that only has to record its start and to execute needs no copy of this process for it.
        (Body::Exec(execution), Terminal::Shared)
            if relay.is_none() && bare::IS_KNOWN && nursery.has_room() =>
        {
            let starting = sharing::start(
                console.device(),
                account,
                execution,
                nursery.reports,
                nursery.spare.borrow_mut().pop(),
            )?;
            let pid = starting.pid();
            nursery.starting.borrow_mut().push(starting);
            pid
        }
        (body, ..) => {
            let child = Forked {
                console,
                relay,
                reports: nursery.reports,
                account: account.as_ref(),
                body: &body,
            };
            child.fork(terminal)?
        }
    };
    forked(pid);
    Ok(pid)
}

/// What a forked child, a copy of this process, has to do and to do it with.
#[derive(Clone, Copy)]
struct Forked<'a> {
    console: &'a Console,
    relay: Option<&'a Relay>,
    reports: Reports,
    account: Option<&'a Account>,
    body: &'a Body,
}

impl Forked<'_> {
    fn fork(self, terminal: Terminal) -> io::Result<Pid> {
        // SAFETY: this process has one thread, so the copy may do whatever the original may.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => {
                Pid::new(child.as_raw()).ok_or_else(|| Errno::ECHILD.into())
            }
            ForkResult::Child => {
                let run = || match terminal {
                    Terminal::Shared => self.run_shared(),
                    Terminal::Controlling => self.run_controlling(),
                    Terminal::OfInit => self.run_as_command(),
                };
                let code = catch_unwind(AssertUnwindSafe(run)).unwrap_or(125);
                exit_now(code)
            }
        }
    }

    fn run_shared(self) -> u8 {
        lead_session();
        self.take_console();
        self.attach_relay();
        self.run_body()
    }

    /// The session is new, and the terminal has been given up by process 1, so it can be had.
    fn run_as_command(self) -> u8 {
        lead_session();
        let input = io::stdin();
        if input.is_terminal() {
            steal_terminal(input.as_fd());
        }
        self.run_body()
    }

    fn run_controlling(self) -> u8 {
        lead_session();
        // Before the terminal is this session's: whoever keeps it must not end by a key.
        signal::ignore_terminal_keys();
        self.take_console();
        steal_terminal(io::stdin().as_fd());
        // Here, where the number is the one that init knows.
        self.attach_relay();
        // SAFETY: as above: a single-threaded copy of a single-threaded process.
        match unsafe { fork() } {
            Ok(ForkResult::Child) => {
                signal::heed_terminal_keys();
                // A terminal that cannot be set up still takes output.
                console::reset_terminal(io::stdin().as_fd()).unwrap_or_default();
                self.run_body()
            }
            Ok(ForkResult::Parent { child }) => keep_terminal_for(child),
            Err(_) => {
                signal::heed_terminal_keys();
                self.run_body()
            }
        }
    }

    fn take_console(self) {
        standard::take(self.console.device().as_deref(), self.reports);
    }

    fn attach_relay(self) {
        if let Some(relay) = self.relay {
            relay.attach(self.reports);
        }
    }

    fn run_body(self) -> u8 {
        match self.body {
            Body::Call(function) => function(),
            Body::Exec(execution) => {
                self.account.map(Account::write).unwrap_or_default();
                execution.run(self.reports)
            }
        }
    }
}

/// Gives this copy the signals that programs expect, and a session.
fn lead_session() {
    signal::reset_for_child_of_init();
    // A forked child leads no group yet, so this cannot fail.
    setsid().map(drop).unwrap_or_default();
}

/// Waits for the process that runs on the terminal, then takes the terminal away from this session.
fn keep_terminal_for(child: NixPid) -> u8 {
    fd::close_above_standard();
    let status = loop {
        match wait_for(child.as_raw(), 0) {
            Ok(Some(reaped)) => break reaped.status,
            Ok(None) | Err(Errno::EINTR) => {}
            Err(_) => break ExitStatus::Exited(0),
        }
    };
    let own = NixPid::this();
    if tcgetpgrp(io::stdin().as_fd()).is_ok_and(|foreground| foreground == own) {
        // SAFETY: as in `Forked::fork`.
        if let Ok(ForkResult::Child) = unsafe { fork() } {
            setsid().map(drop).unwrap_or_default();
            steal_terminal(io::stdin().as_fd());
            exit_now(0);
        } else {
            // The thief is the only child left; whatever wait says, it is over.
            wait_for(-1, 0).map(drop).unwrap_or_default();
        }
    }
    status.as_shell_code()
}

/// Makes the terminal this session's own, even if another has it (`TIOCSCTTY` with 1).
fn steal_terminal(terminal: BorrowedFd<'_>) {
    // SAFETY: the argument is a number, no pointer. A refusal leaves the session without a terminal, which
    // programs can live with.
    unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 1) };
}

/// Looks at children that have ended, and leaves them as they are.
fn look_at(whom: Id<'_>) -> nix::Result<WaitStatus> {
    let only_look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    waitid(whom, only_look)
}

/// Tells whether a process is a child of this one, ended or not.
pub(crate) fn is_child(pid: Pid) -> bool {
    look_at(Id::Pid(NixPid::from_raw(pid.get()))) != Err(Errno::ECHILD)
}

/// Tells whether this process has children.
pub(crate) fn has_children() -> bool {
    look_at(Id::All) != Err(Errno::ECHILD)
}

/// Tells whether a child may be there that has ended. What cannot be known without reaping counts as one.
pub(crate) fn someone_has_ended() -> bool {
    !matches!(
        look_at(Id::All),
        Ok(WaitStatus::StillAlive) | Err(Errno::ECHILD)
    )
}

/// Reaps one child that has ended, if any.
pub(crate) fn reap() -> Option<Reaped> {
    let look = || wait_for(-1, libc::WNOHANG);
    // An error is not believed at once: the signal that led here comes no second time, and the child would stay
    // unreaped until another one ends.
    look().or_else(|_| look()).ok().flatten()
}

/// Without the flags for stops and continuations, so that only ended children are returned.
fn wait_for(pid: i32, flags: i32) -> nix::Result<Option<Reaped>> {
    Ok(usage::wait(pid, flags)?.map(Changed::ended))
}

/// Forks a child that runs a function and exits; it inherits every descriptor and the caller's signal mask.
pub(crate) fn fork_and_call(function: impl FnOnce()) -> io::Result<Pid> {
    fork_and_report(|| {
        function();
        0
    })
}

/// Forks a child that runs a function and exits with what it returns.
pub(crate) fn fork_and_report(function: impl FnOnce() -> u8) -> io::Result<Pid> {
    // SAFETY: as in `Forked::fork`.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            Pid::new(child.as_raw()).ok_or_else(|| Errno::ECHILD.into())
        }
        ForkResult::Child => exit_now(catch_unwind(AssertUnwindSafe(function)).unwrap_or(u8::MAX)),
    }
}

/// Reaps one child of ours, if it has ended.
pub(crate) fn reap_one(pid: Pid) -> Option<ExitStatus> {
    let ended = wait_for(pid.get(), libc::WNOHANG).ok().flatten();
    ended.map(|reaped| reaped.status)
}

/// Ends a forked copy without running what the original registered for its own end.
pub(crate) fn exit_now(code: u8) -> ! {
    // SAFETY: _exit only ends this process.
    unsafe { libc::_exit(i32::from(code)) }
}

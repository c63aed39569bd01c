//! Processes held and looked at by ptrace(2), which belongs to a thread.

use super::{Deadline, LIMIT};
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::{Signal, kill};
use nix::sys::wait::{WaitPidFlag, WaitStatus, waitpid};
use nix::unistd::Pid;
use std::sync::mpsc;
use std::thread::JoinHandle;

/// Has a thread take hold of the process that is about to be init, and look at every stop until nothing of the machine is
/// left. If the thread ends, however it ends, the kernel kills what it traces. Returns as soon as the process is held.
///
/// # Panics
/// It cannot be held.
pub(crate) fn follow(
    setup: i32,
    mut look: impl FnMut(WaitStatus) + Send + 'static,
) -> JoinHandle<()> {
    let (ready, hold) = mpsc::channel();
    let work = move || {
        let options = Options::PTRACE_O_EXITKILL | Options::PTRACE_O_TRACEEXEC;
        ready
            .send(ptrace::seize(Pid::from_raw(setup), options))
            .unwrap_or_default();
        let flags = WaitPidFlag::__WALL | WaitPidFlag::__WNOTHREAD;
        loop {
            match waitpid(None, Some(flags)) {
                Ok(status) => look(status),
                Err(Errno::EINTR) => {}
                Err(_) => return,
            }
        }
    };
    let thread = std::thread::Builder::new()
        .name("tracer".into())
        .spawn(work)
        .expect("cannot start a thread");
    hold.recv()
        .expect("the tracer has ended")
        .unwrap_or_else(|error| panic!("ptrace: {error}"));
    thread
}

/// What stops one that is held, besides.
const OPTIONS: Options = Options::PTRACE_O_EXITKILL
    .union(Options::PTRACE_O_TRACESYSGOOD)
    .union(Options::PTRACE_O_TRACEEXEC);

/// A process that is held, by the thread that has taken hold of it. It is killed if it is not let go.
pub(crate) struct Held {
    pid: Pid,
    is_held: bool,
}

impl Held {
    fn of(pid: i32) -> Self {
        Held {
            pid: Pid::from_raw(pid),
            is_held: true,
        }
    }

    /// Takes hold of one that runs.
    pub(crate) fn take(pid: i32) -> Self {
        let held = Held::of(pid);
        ptrace::seize(held.pid, OPTIONS).unwrap();
        ptrace::interrupt(held.pid).unwrap();
        held.wait_for_event(libc::PTRACE_EVENT_STOP);
        held
    }

    /// Lets it go on to the moment in which the kernel has put another program in its place.
    pub(crate) fn go_on_to_exec(&self) {
        ptrace::cont(self.pid, None).unwrap();
        self.wait_for_event(libc::PTRACE_EVENT_EXEC);
    }

    /// Lets it go on to the moment in which it has forked, and holds the child, too, at its beginning.
    pub(crate) fn go_on_to_fork(&self) -> Held {
        // Only here: a child that nobody waits for would be held as well.
        ptrace::setoptions(self.pid, OPTIONS | Options::PTRACE_O_TRACEFORK).unwrap();
        ptrace::cont(self.pid, None).unwrap();
        self.wait_for_event(libc::PTRACE_EVENT_FORK);
        ptrace::setoptions(self.pid, OPTIONS).unwrap();
        let child = ptrace::getevent(self.pid).unwrap();
        let child = Held::of(i32::try_from(child).unwrap());
        child.wait_for_event(libc::PTRACE_EVENT_STOP);
        child
    }

    /// Lets it go on to the end of a system call of which this is so.
    pub(crate) fn go_on_to_end_of(&self, is_it: impl Fn(&libc::user_regs_struct) -> bool) {
        let mut signal = None;
        loop {
            ptrace::syscall(self.pid, signal.take()).unwrap();
            match self.next_stop() {
                WaitStatus::PtraceSyscall(_) => {
                    let registers = ptrace::getregs(self.pid).unwrap();
                    // At the beginning of a call the kernel has put ENOSYS where the result will be.
                    let is_over = registers.rax.cast_signed() != -i64::from(Errno::ENOSYS as i32);
                    if is_over && is_it(&registers) {
                        return;
                    }
                }
                WaitStatus::Stopped(_, other) => signal = Some(other),
                WaitStatus::PtraceEvent(..) => {}
                other => panic!("{other:?}"),
            }
        }
    }

    pub(crate) fn let_go(mut self) {
        ptrace::detach(self.pid, None).unwrap();
        self.is_held = false;
    }

    fn wait_for_event(&self, event: i32) {
        loop {
            let signal = match self.next_stop() {
                WaitStatus::PtraceEvent(_, _, found) if found == event => return,
                WaitStatus::PtraceEvent(..) => None,
                WaitStatus::Stopped(_, signal) => Some(signal),
                other => panic!("{other:?}"),
            };
            ptrace::cont(self.pid, signal).unwrap();
        }
    }

    /// # Panics
    /// It goes on and on, or waits for something that does not come.
    fn next_stop(&self) -> WaitStatus {
        let deadline = Deadline::after(LIMIT);
        while deadline.left().is_some() {
            let flags = WaitPidFlag::__WALL | WaitPidFlag::WNOHANG;
            match waitpid(self.pid, Some(flags)).unwrap() {
                WaitStatus::StillAlive => std::thread::yield_now(),
                status => return status,
            }
        }
        panic!("the process does not get to where it was to be held");
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        if !self.is_held {
            return;
        }
        // Nobody else can reap it, and its namespace is there until it has been.
        kill(self.pid, Signal::SIGKILL).unwrap_or_default();
        while waitpid(self.pid, Some(WaitPidFlag::__WALL)).is_ok_and(|status| {
            !matches!(status, WaitStatus::Signaled(..) | WaitStatus::Exited(..))
        }) {}
    }
}

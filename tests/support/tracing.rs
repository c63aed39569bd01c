//! A machine looked at by ptrace(2), which belongs to a thread.

use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
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

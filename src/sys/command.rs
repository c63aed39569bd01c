//! The one command of `init -- COMMAND`: started with this process's own descriptors and environment, in a process group
//! that has the terminal.

use super::signal;
use crate::process::Pid;
use nix::errno::Errno;
use nix::unistd::{ForkResult, Pid as Number, fork, getpgrp, setpgid, tcsetpgrp};
use std::ffi::CString;
use std::io::{self, IsTerminal};
use std::os::fd::AsFd;

/// Starts the command. Where it cannot be executed, `failed` is called in the process that should have become it, and
/// gives its exit code.
pub(crate) fn start(argv: &[CString], failed: &dyn Fn(io::Error) -> u8) -> io::Result<Pid> {
    let held_back = signal::HeldBack::all();
    // SAFETY: this process has one thread, so the copy may do whatever the original may.
    let forked = unsafe { fork() };
    if let Ok(ForkResult::Child) = forked {
        lead_group_in_foreground();
        signal::reset_for_child();
        let error = argv.first().map_or(Errno::ENOENT, |program| {
            let Err(error) = nix::unistd::execvp(program, argv);
            error
        });
        super::child::exit_now(failed(error.into()));
    }
    drop(held_back);
    let ForkResult::Parent { child } = forked? else {
        return Err(Errno::ECHILD.into());
    };
    // The child does the same; whoever comes first, a signal to the group finds one. Afterwards it is refused.
    setpgid(child, child).unwrap_or_default();
    Pid::new(child.as_raw()).ok_or_else(|| Errno::ECHILD.into())
}

/// Makes a group of this process alone and gives it the terminal at standard input, if there is one.
fn lead_group_in_foreground() {
    let own = Number::from_raw(0);
    // A forked child leads no session, so this cannot fail.
    setpgid(own, own).unwrap_or_default();
    take_foreground();
}

/// Makes this process's group the one that the keys of the terminal at standard input signal. Only for a process that
/// ignores or blocks SIGTTOU, which it is sent for that from behind.
pub(crate) fn take_foreground() {
    let terminal = io::stdin();
    if terminal.is_terminal() {
        // A terminal that is not this session's own refuses, and signals nobody here anyway.
        tcsetpgrp(terminal.as_fd(), getpgrp()).unwrap_or_default();
    }
}

//! Running one script in the foreground and hearing of everything that happens meanwhile, for a program without
//! threads.
//!
//! The signals a runner of scripts cares for are held back in it (blocked) and taken one at a time, so nothing
//! interrupts it at a bad moment and it waits without a clock.

use std::ffi::OsStr;
use std::io;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use nix::errno::Errno;
use nix::sys::signal::{SigSet, SigmaskHow, Signal, kill, sigprocmask};
use nix::sys::stat::{Mode, umask};
use nix::unistd::Pid;

use crate::process::ExitStatus;

/// Something that happened while a script ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurrence {
    /// The script may have ended or stopped: look at it.
    ChildChanged,
    /// This program is asked to end.
    Terminate,
    /// Somebody pressed the key that suspends what runs.
    Suspend,
    /// Somebody pressed a key that ends what runs.
    Interrupt,
}

/// What the kernel says of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It runs, or waits for input it may not read yet.
    Runs,
    /// Ctrl-Z has stopped it.
    Suspended,
    /// It has ended and is gone.
    Ended(ExitStatus),
}

/// The signals that are held back while scripts run.
#[derive(Debug)]
pub(crate) struct HeldSignals(SigSet);

impl HeldSignals {
    /// Holds back what [`HeldSignals::next`] returns, and SIGTTOU, which would stop a background program that
    /// sets its terminal.
    pub(crate) fn hold() -> io::Result<Self> {
        use Signal::{SIGCHLD, SIGINT, SIGQUIT, SIGTERM, SIGTSTP};
        let listened: SigSet = [SIGCHLD, SIGTERM, SIGINT, SIGQUIT, SIGTSTP]
            .into_iter()
            .collect();
        let mut held = listened;
        held.add(Signal::SIGTTOU);
        reset_disposition(libc::SIGCHLD);
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&held), None)?;
        Ok(Self(listened))
    }

    /// Waits for the next occurrence.
    pub(crate) fn next(&self) -> io::Result<Occurrence> {
        loop {
            return match self.0.wait() {
                Ok(Signal::SIGCHLD) => Ok(Occurrence::ChildChanged),
                Ok(Signal::SIGTERM) => Ok(Occurrence::Terminate),
                Ok(Signal::SIGTSTP) => Ok(Occurrence::Suspend),
                Ok(_) => Ok(Occurrence::Interrupt),
                Err(Errno::EINTR) => continue,
                Err(error) => Err(error.into()),
            };
        }
    }
}

/// Starts a program with one argument, this program's files, directory and process group, exactly the environment
/// given, and no signal blocked or ignored but a hang-up that is ignored here (nohup(1)).
pub(crate) fn start<'a>(
    program: &Path,
    words: impl IntoIterator<Item = &'a OsStr>,
    environment: &[(&'a OsStr, &'a OsStr)],
) -> io::Result<Pid> {
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .envs(environment.iter().copied());
    // SAFETY: between fork and exec the closure makes system calls only, all of them async-signal-safe, and
    // allocates nothing.
    unsafe {
        command.pre_exec(|| {
            for number in 1..=libc::SIGRTMAX() {
                if number != libc::SIGHUP {
                    reset_disposition(number);
                }
            }
            sigprocmask(SigmaskHow::SIG_SETMASK, Some(&SigSet::empty()), None)?;
            Ok(())
        });
    }
    let child = command.spawn()?;
    Ok(Pid::from_raw(child.id().cast_signed()))
}

/// Gives a signal its default effect. The kernel refuses that for KILL and STOP, which have no other, and the C
/// library for the numbers it keeps for itself.
fn reset_disposition(number: libc::c_int) {
    // SAFETY: SIG_DFL installs no handler, so no code of ours can be run by the signal.
    unsafe { libc::signal(number, libc::SIG_DFL) };
}

/// Looks at a script started by [`start`] without waiting.
pub(crate) fn progress(script: Pid) -> io::Result<Progress> {
    let mut word: libc::c_int = 0;
    // Not through nix, which cannot name the real-time signals and would lose the status of a script one has ended.
    // SAFETY: `word` is a live integer that the call may write to; it keeps no pointer.
    let found = unsafe {
        libc::waitpid(
            script.as_raw(),
            &raw mut word,
            libc::WNOHANG | libc::WUNTRACED,
        )
    };
    Ok(match Errno::result(found)? {
        0 => Progress::Runs,
        _ if libc::WIFSTOPPED(word) && libc::WSTOPSIG(word) == libc::SIGTSTP => Progress::Suspended,
        _ if libc::WIFSTOPPED(word) => Progress::Runs,
        _ => Progress::Ended(ExitStatus::from_word(word.cast_unsigned())),
    })
}

/// Asks a script to end.
pub(crate) fn terminate(pid: Pid) -> io::Result<()> {
    Ok(kill(pid, Signal::SIGTERM)?)
}

/// Lets everything in this program's process group go on that a key has suspended.
pub(crate) fn resume_group() -> io::Result<()> {
    Ok(kill(Pid::from_raw(0), Signal::SIGCONT)?)
}

/// Sets the permissions that files made by this program and its children do not get: none for others to write.
pub(crate) fn set_umask_022() {
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
}

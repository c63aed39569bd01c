//! Waiting for an interrupt with a time limit, and not being disturbed by the terminal.

use std::io;
use std::time::Duration;

use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};

/// Holds SIGINT back as long as it lives, so that one that comes early is not lost.
#[derive(Debug)]
pub(crate) struct Interrupts {
    held: SigSet,
    before: SigSet,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Somebody sent SIGINT.
    Interrupted,
    /// Nobody did.
    TimeUp,
}

impl Interrupts {
    /// Begins to hold SIGINT back.
    pub(crate) fn hold() -> io::Result<Self> {
        let mut before = SigSet::empty();
        let held = SigSet::from(Signal::SIGINT);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&held), Some(&mut before))?;
        Ok(Self { held, before })
    }

    /// Waits until somebody sends SIGINT, at most for the limit.
    pub(crate) fn wait_for_one(&self, limit: Duration) -> io::Result<Waited> {
        let limit = libc::timespec {
            tv_sec: libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX),
            tv_nsec: libc::c_long::from(limit.subsec_nanos().cast_signed()),
        };
        // SAFETY: set and limit are live values of this frame, and the kernel may leave out the second one.
        let signal = unsafe {
            libc::sigtimedwait(self.held.as_ref(), std::ptr::null_mut(), &raw const limit)
        };
        if signal == libc::SIGINT {
            return Ok(Waited::Interrupted);
        }
        let error = io::Error::last_os_error();
        match error.raw_os_error() {
            // Another signal's handler ends the wait early, which the caller's next look at the clock makes up for.
            Some(libc::EAGAIN | libc::EINTR) => Ok(Waited::TimeUp),
            _ => Err(error),
        }
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        // It worked with this mask before, so it works again.
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None).unwrap_or_default();
    }
}

/// Ignores what a terminal sends to those who sit at it, its hang-up included.
pub(crate) fn ignore_terminal() -> io::Result<()> {
    use nix::sys::signal::{SigHandler, signal};
    for number in [
        Signal::SIGHUP,
        Signal::SIGQUIT,
        Signal::SIGTSTP,
        Signal::SIGTTIN,
        Signal::SIGTTOU,
    ] {
        // SAFETY: ignoring a signal installs no handler that could do anything.
        unsafe { signal(number, SigHandler::SigIgn) }?;
    }
    Ok(())
}

//! Waiting for an interrupt with a time limit, and not being disturbed by the terminal.

use std::io;
use std::os::fd::AsFd;
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{SigSet, SigmaskHow, Signal, sigprocmask};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::time::TimeSpec;
use nix::sys::timerfd::{ClockId, Expiration, TimerFd, TimerFlags, TimerSetTimeFlags};

const A_DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// Holds SIGINT and SIGTERM back as long as it lives, so that one that comes early is not lost.
#[derive(Debug)]
pub(crate) struct Interrupts {
    held: SigSet,
    before: SigSet,
}

/// How a wait ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Waited {
    /// Somebody sent one of the two.
    Interrupted,
    /// Nobody did.
    TimeUp,
}

impl Interrupts {
    /// Begins to hold them back.
    pub(crate) fn hold() -> io::Result<Self> {
        let mut before = SigSet::empty();
        let held = SigSet::from_iter([Signal::SIGINT, Signal::SIGTERM]);
        sigprocmask(SigmaskHow::SIG_BLOCK, Some(&held), Some(&mut before))?;
        Ok(Self { held, before })
    }

    /// Waits until somebody interrupts, at most for the limit. The time the machine sleeps counts, and setting the
    /// clock ends the wait early: in both cases the caller's next look at the clock tells what it comes to.
    pub(crate) fn wait_for_one(&self, limit: Duration) -> io::Result<Waited> {
        let signals =
            SignalFd::with_flags(&self.held, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;
        let flags = TimerFlags::TFD_CLOEXEC | TimerFlags::TFD_NONBLOCK;
        let timer = TimerFd::new(ClockId::CLOCK_BOOTTIME, flags)?;
        // Further away than anybody waits; only that the clock is set is to be noticed.
        let far = super::calendar::now()?
            .saturating_add(limit)
            .saturating_add(A_DAY);
        // No time at all would be none to wait for.
        let limit = TimeSpec::from_duration(limit.max(Duration::from_nanos(1)));
        timer.set(Expiration::OneShot(limit), TimerSetTimeFlags::empty())?;
        let clock = TimerFd::new(ClockId::CLOCK_REALTIME, flags)?;
        clock.set(
            Expiration::OneShot(TimeSpec::from_duration(far)),
            TimerSetTimeFlags::TFD_TIMER_ABSTIME | TimerSetTimeFlags::TFD_TIMER_CANCEL_ON_SET,
        )?;
        let mut watched = [signals.as_fd(), timer.as_fd(), clock.as_fd()]
            .map(|descriptor| PollFd::new(descriptor, PollFlags::POLLIN));
        match poll(&mut watched, PollTimeout::NONE) {
            Ok(_) | Err(Errno::EINTR) => {}
            Err(error) => return Err(error.into()),
        }
        Ok(match signals.read_signal()? {
            Some(_) => Waited::Interrupted,
            None => Waited::TimeUp,
        })
    }
}

impl Drop for Interrupts {
    fn drop(&mut self) {
        // It worked with this mask before, so it works again.
        sigprocmask(SigmaskHow::SIG_SETMASK, Some(&self.before), None).unwrap_or_default();
    }
}

/// Has the kernel tell of children that end, which it does not if whoever started this program ignored them.
pub(crate) fn notice_children() -> io::Result<()> {
    use nix::sys::signal::{SigHandler, signal};
    // SAFETY: the default installs no handler that could do anything.
    unsafe { signal(Signal::SIGCHLD, SigHandler::SigDfl) }?;
    Ok(())
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

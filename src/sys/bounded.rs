//! Work that may never end, done in a child and waited for only so long.

use std::io;
use std::os::fd::{AsFd, FromRawFd, OwnedFd, RawFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};

use crate::process::{ExitStatus, Pid};

/// How often a process is looked at where the kernel does not tell of its end.
const LOOK: Duration = Duration::from_millis(20);

/// What came of it.
#[derive(Debug)]
pub(crate) enum Outcome {
    /// It was done.
    Done,
    /// The system said this.
    Failed(io::Error),
    /// It has not ended in time. It was sent KILL, and may go on until the kernel lets it end.
    Late(Pid),
}

/// Does the work in a child, and waits for it at most for the limit.
pub(crate) fn within(
    limit: Duration,
    work: impl FnOnce() -> io::Result<()>,
) -> io::Result<Outcome> {
    let pid = super::child::fork_and_report(|| match work() {
        Ok(()) => 0,
        // Every number of Linux fits.
        Err(error) => {
            let number = error.raw_os_error().unwrap_or(libc::EIO);
            u8::try_from(number).unwrap_or(u8::MAX)
        }
    })?;
    wait_for_end(&[pid], limit);
    match super::child::reap_one(pid) {
        Some(ExitStatus::Exited(0)) => Ok(Outcome::Done),
        Some(ExitStatus::Exited(number)) => {
            let error = io::Error::from_raw_os_error(i32::from(number));
            Ok(Outcome::Failed(error))
        }
        Some(ExitStatus::Killed(_)) => Ok(Outcome::Failed(io::ErrorKind::Interrupted.into())),
        None => {
            kill(pid);
            Ok(Outcome::Late(pid))
        }
    }
}

/// Waits until all of these processes have ended, at most for the limit. They need not be children.
pub(crate) fn wait_for_end(pids: &[Pid], limit: Duration) {
    wait_for(
        pids.iter().filter_map(|pid| await_end(*pid)).collect(),
        limit,
    );
}

/// A process whose end is waited for.
struct Awaited {
    pid: Pid,
    /// Tells of the end. None in a kernel before 5.3, where it has to be looked for.
    descriptor: Option<OwnedFd>,
}

fn wait_for(mut running: Vec<Awaited>, limit: Duration) {
    let end = super::clock::now().after(limit);
    loop {
        running.retain(|one| one.descriptor.is_some() || !has_ended(one.pid));
        let left = end.since(super::clock::now());
        if running.is_empty() || left.is_zero() {
            return;
        }
        let looks = running.iter().any(|one| one.descriptor.is_none());
        let pause = if looks { left.min(LOOK) } else { left };
        let descriptors = running.iter().filter_map(|one| one.descriptor.as_ref());
        let mut fds: Vec<PollFd<'_>> = descriptors
            .map(|fd| PollFd::new(fd.as_fd(), PollFlags::POLLIN))
            .collect();
        let milliseconds = u16::try_from(pause.as_millis()).unwrap_or(u16::MAX);
        if poll(&mut fds, PollTimeout::from(milliseconds.max(1))).is_err() {
            continue;
        }
        let ended: Vec<bool> = fds.iter().map(|fd| fd.any().unwrap_or(true)).collect();
        let mut ended = ended.into_iter();
        running.retain(|one| one.descriptor.is_none() || !ended.next().unwrap_or(false));
    }
}

/// Ends a process, and no other that has its number by now.
pub(crate) fn kill(pid: Pid) {
    if let Ok(held) = super::signalling::hold(pid) {
        // One that has ended meanwhile needs no signal.
        held.end().unwrap_or_default();
    }
}

/// Prepares to wait for an end; there is nothing to wait for where it has come already.
fn await_end(pid: Pid) -> Option<Awaited> {
    // SAFETY: takes two numbers and touches no memory.
    let number = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.get(), 0) };
    let descriptor = match RawFd::try_from(number) {
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        Ok(number) if number >= 0 => Some(unsafe { OwnedFd::from_raw_fd(number) }),
        _ if Errno::last() == Errno::ESRCH => return None,
        _ => None,
    };
    Some(Awaited { pid, descriptor })
}

/// Looks whether a process has ended. One that is no child of ours is there until somebody has reaped it.
fn has_ended(pid: Pid) -> bool {
    let only_look = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
    match waitid(Id::Pid(nix::unistd::Pid::from_raw(pid.get())), only_look) {
        Ok(seen) => seen != WaitStatus::StillAlive,
        Err(_) => !super::signalling::is_there(pid),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn work_that_ends_in_time_tells_how() {
        let limit = Duration::from_secs(20);
        assert!(matches!(within(limit, || Ok(())), Ok(Outcome::Done)));
        let refused = within(limit, || Err(Errno::EBUSY.into()));
        assert!(
            matches!(&refused, Ok(Outcome::Failed(error)) if error.raw_os_error() == Some(libc::EBUSY)),
            "{refused:?}"
        );
    }

    #[test]
    fn an_end_is_seen_where_the_kernel_does_not_tell_of_it() {
        let without_descriptor = |pid| Awaited {
            pid,
            descriptor: None,
        };
        let ends = super::super::child::fork_and_report(|| 7).unwrap();
        wait_for(vec![without_descriptor(ends)], Duration::from_secs(20));
        let status = super::super::child::reap_one(ends);
        assert_eq!(status, Some(ExitStatus::Exited(7)));
        let stays = Pid::new(nix::unistd::getpid().as_raw()).unwrap();
        wait_for(vec![without_descriptor(stays)], Duration::from_millis(50));
        assert!(!has_ended(stays));
    }

    #[test]
    fn work_that_does_not_end_is_left_behind() {
        let forever = || {
            poll(&mut [], PollTimeout::NONE)?;
            Ok(())
        };
        let outcome = within(Duration::from_millis(50), forever).unwrap();
        let Outcome::Late(pid) = outcome else {
            panic!("{outcome:?}");
        };
        wait_for_end(&[pid], Duration::from_secs(20));
        assert!(super::super::child::reap_one(pid).is_some());
    }
}

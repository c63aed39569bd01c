//! The one wait of PID 1: signals, the FIFO and deadlines together.

use nix::errno::Errno;
use nix::poll::{PollFd, PollFlags};
use std::os::fd::BorrowedFd;
use std::time::Duration;

/// Waits until one of the descriptors can be read or `limit` has passed, and tells which can.
///
/// Every signal init looks at is blocked and arrives through a descriptor, so nothing can come between the
/// look and the wait.
pub(crate) fn wait<const N: usize>(
    sources: [Option<BorrowedFd<'_>>; N],
    limit: Option<Duration>,
) -> [bool; N] {
    let mut fds: Vec<PollFd<'_>> = sources
        .iter()
        .flatten()
        .map(|&fd| PollFd::new(fd, PollFlags::POLLIN))
        .collect();
    let limit = limit.map(nix::sys::time::TimeSpec::from);
    match nix::poll::ppoll(&mut fds, limit, None) {
        // An interruption or a failure is not readiness; every source is looked at without waiting anyway.
        Ok(0) | Err(Errno::EINTR) => [false; N],
        Ok(_) => {
            let mut ready = fds.iter().map(|fd| fd.any().unwrap_or(true));
            sources.map(|source| source.is_some() && ready.next().unwrap_or(false))
        }
        Err(_) => sources.map(|source| source.is_some()),
    }
}

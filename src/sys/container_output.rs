//! The output a container's manager has given init as descriptors 1 and 2: for its messages, and for what it starts.
//!
//! Usually a pipe that others write to as well, so it stays as it is: waiting or not is a property of all who have
//! it. Whoever reads it may have stopped reading, and a message must not make PID 1 wait.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::stat::{Mode, SFlag, fstat};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};

/// As much as a pipe that is ready takes without waiting (pipe(7), `PIPE_BUF`).
const READY: usize = 4096;

/// Tells whether there are descriptors 1 and 2.
pub(crate) fn is_there() -> bool {
    fstat(io::stdout()).is_ok() && fstat(io::stderr()).is_ok()
}

/// Writes a message to descriptor 2, waiting at most `patience` milliseconds in all where nobody takes it.
///
/// # Errors
/// It has not taken everything in that time.
pub(crate) fn write(text: &[u8], patience: u8) -> io::Result<()> {
    let error = io::stderr();
    let own = reopened(error.as_fd());
    let fd = own.as_ref().map_or(error.as_fd(), AsFd::as_fd);
    let mut rest = text;
    let mut waits = patience / 10;
    while !rest.is_empty() {
        let now = rest.get(..READY).unwrap_or(rest);
        let written = if is_ready(fd, 0)? {
            nix::unistd::write(fd, now)
        } else {
            Err(Errno::EAGAIN)
        };
        match written {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) if waits > 0 => {
                waits -= 1;
                is_ready(fd, 10)?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Another opening of a pipe or a terminal, which does not wait even if somebody else fills it after the look. A file
/// is none of these: it never makes anybody wait, and another opening would write at another place.
fn reopened(fd: BorrowedFd<'_>) -> Option<OwnedFd> {
    let kind = SFlag::from_bits_truncate(fstat(fd).ok()?.st_mode) & SFlag::S_IFMT;
    if kind != SFlag::S_IFIFO && kind != SFlag::S_IFCHR {
        return None;
    }
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open("/proc/self/fd/2", flags, Mode::empty()).ok()
}

fn is_ready(fd: BorrowedFd<'_>, limit: u8) -> io::Result<bool> {
    let mut fds = [PollFd::new(fd, PollFlags::POLLOUT)];
    match nix::poll::poll(&mut fds, PollTimeout::from(limit)) {
        Ok(ready) => Ok(ready > 0),
        Err(Errno::EINTR) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

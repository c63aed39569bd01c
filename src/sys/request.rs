//! The client's end of the initctl FIFO: writes one request, in one piece, and gives up in time.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};

use super::clock::now;
use crate::initctl::REQUEST_SIZE;
use crate::uptime::Uptime;

/// How often a FIFO without a reader is tried again.
const RETRY: Duration = Duration::from_millis(20);
/// How long it is tried: init closes the FIFO for the few milliseconds in which it replaces itself. Without an init
/// nobody should have to wait for the news.
const REPLACEMENT: Duration = Duration::from_millis(400);

/// Writes the request. Waits a moment for somebody to read the FIFO, and no longer than `limit` for room in it.
///
/// # Errors
///
/// `TimedOut` when nobody reads, and what the kernel says otherwise. A path that is no FIFO is an error too: a
/// request written there would reach nobody.
pub(crate) fn send(path: &Path, request: &[u8; REQUEST_SIZE], limit: Duration) -> io::Result<()> {
    let deadline = now().after(limit);
    let mut fifo = open(path, now().after(limit.min(REPLACEMENT)))?;
    if !fifo.metadata()?.file_type().is_fifo() {
        return Err(io::Error::new(ErrorKind::InvalidInput, "not a FIFO"));
    }
    loop {
        match fifo.write(request) {
            Ok(REQUEST_SIZE) => return Ok(()),
            // The kernel takes 384 bytes whole or not at all.
            Ok(_) => return Err(ErrorKind::WriteZero.into()),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) if error.kind() == ErrorKind::WouldBlock => wait_for_room(&fifo, deadline)?,
            Err(error) => return Err(error),
        }
    }
}

/// Opens the FIFO. The open itself never waits; where there is no reader it is tried again.
fn open(path: &Path, deadline: Uptime) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    loop {
        match OpenOptions::new()
            .write(true)
            .custom_flags(flags.bits())
            .open(path)
        {
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => {
                let left = time_left(deadline)?;
                poll(&mut [], timeout(left.min(RETRY)))?;
            }
            result => return result,
        }
    }
}

fn wait_for_room(fifo: &File, deadline: Uptime) -> io::Result<()> {
    let mut watched = [PollFd::new(fifo.as_fd(), PollFlags::POLLOUT)];
    match poll(&mut watched, timeout(time_left(deadline)?)) {
        Ok(_) | Err(nix::errno::Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// Returns what is left until the deadline; that nothing is left is the error.
fn time_left(deadline: Uptime) -> io::Result<Duration> {
    match deadline.since(now()) {
        Duration::ZERO => Err(ErrorKind::TimedOut.into()),
        left => Ok(left),
    }
}

fn timeout(limit: Duration) -> PollTimeout {
    // A wait below a millisecond would otherwise become none, and the loop above a busy one.
    let milliseconds = limit.as_millis().saturating_add(1);
    PollTimeout::try_from(milliseconds).unwrap_or(PollTimeout::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::io::Read;
    use std::path::PathBuf;
    use tempfile::TempDir;

    const REQUEST: [u8; REQUEST_SIZE] = [b'r'; REQUEST_SIZE];

    fn fifo() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("initctl");
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        (folder, path)
    }

    fn reader(path: &Path) -> File {
        let flags = OFlag::O_NONBLOCK.bits();
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(flags)
            .open(path)
            .unwrap()
    }

    #[test]
    fn a_request_arrives_whole() {
        let (_folder, path) = fifo();
        let mut reader = reader(&path);
        send(&path, &REQUEST, Duration::ZERO).unwrap();
        let mut bytes = [0; 1000];
        assert_eq!(reader.read(&mut bytes).unwrap(), REQUEST_SIZE);
        assert_eq!(bytes[..REQUEST_SIZE], REQUEST);
    }

    #[test]
    fn a_fifo_nobody_reads_is_given_up_in_time() {
        let (_folder, path) = fifo();
        let error = send(&path, &REQUEST, Duration::from_millis(60)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn a_full_fifo_is_given_up_in_time() {
        let (_folder, path) = fifo();
        let mut reader = reader(&path);
        while reader.write(&REQUEST).is_ok() {}
        let error = send(&path, &REQUEST, Duration::from_millis(60)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::TimedOut);
    }

    #[test]
    fn a_file_in_place_of_the_fifo_is_an_error() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("initctl");
        fs::write(&path, "").unwrap();
        assert!(send(&path, &REQUEST, Duration::ZERO).is_err());
        assert_eq!(fs::read(&path).unwrap(), b"");
    }
}

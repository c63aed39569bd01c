//! Output of the system console, taken to a terminal of our own: `TIOCCONS`.
//!
//! There is one such redirection for the whole machine, in whatever namespace it is asked for.

use std::fs::{File, OpenOptions};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::stat::{major, minor};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};

/// A pair of pseudo-terminals: what is written to the one end can be read from the other.
#[derive(Debug)]
pub(crate) struct Terminal {
    /// What the console's output is taken to.
    pub(crate) taker: OwnedFd,
    /// Where it is read, without waiting.
    pub(crate) reader: File,
}

impl Terminal {
    /// Opens a pair that passes every byte on as it is.
    pub(crate) fn open() -> io::Result<Self> {
        let pair = nix::pty::openpty(None, None)?;
        let mut settings = tcgetattr(&pair.slave)?;
        cfmakeraw(&mut settings);
        tcsetattr(&pair.slave, SetArg::TCSANOW, &settings)?;
        fcntl(
            &pair.master,
            FcntlArg::F_SETFL(OFlag::O_RDWR | OFlag::O_NONBLOCK),
        )?;
        Ok(Self {
            taker: super::fd::above_standard(pair.slave)?,
            reader: super::fd::above_standard(pair.master)?.into(),
        })
    }

    /// Has all that is written to the console arrive here.
    pub(crate) fn take_console(&self) -> io::Result<()> {
        // SAFETY: this request has no argument; the descriptor is open as long as `self` is borrowed.
        Errno::result(unsafe { libc::ioctl(self.taker.as_raw_fd(), libc::TIOCCONS, 0) })?;
        Ok(())
    }
}

/// Has the console's output go to the console again. The kernel keeps what it was taken to open until then.
pub(crate) fn give_back(console: &Path) -> io::Result<()> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let console = OpenOptions::new()
        .write(true)
        .custom_flags(flags.bits())
        .open(console)?;
    // SAFETY: this request has no argument, and the descriptor is open.
    Errno::result(unsafe { libc::ioctl(console.as_raw_fd(), libc::TIOCCONS, 0) })?;
    Ok(())
}

/// Opens a terminal for output that never makes us wait. One whose output is taken to us as well is none: the console,
/// and the virtual console that happens to be in front.
pub(crate) fn open_console(device: &Path) -> io::Result<File> {
    const SYSTEM_CONSOLE: (u64, u64) = (5, 1);
    const FRONT_CONSOLE: (u64, u64) = (4, 0);
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let terminal = OpenOptions::new()
        .write(true)
        .custom_flags(flags.bits())
        .open(device)?;
    let metadata = terminal.metadata()?;
    let number = (major(metadata.rdev()), minor(metadata.rdev()));
    if !metadata.file_type().is_char_device() || [SYSTEM_CONSOLE, FRONT_CONSOLE].contains(&number) {
        return Err(io::Error::other("not a terminal of its own"));
    }
    Ok(terminal)
}

/// Opens the log for what comes behind its end.
pub(crate) fn open_log(path: &Path, create: bool) -> io::Result<File> {
    OpenOptions::new()
        .append(true)
        .create(create)
        .mode(0o644)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
}

/// Waits until one of these can be read or one of those written, at most for the limit in milliseconds.
pub(crate) fn wait(readers: &[&dyn AsFd], writers: &[&File], limit: Option<u16>) -> io::Result<()> {
    let readers = readers
        .iter()
        .map(|reader| PollFd::new(reader.as_fd(), PollFlags::POLLIN));
    let writers = writers
        .iter()
        .map(|writer| PollFd::new(writer.as_fd(), PollFlags::POLLOUT));
    let mut watched: Vec<PollFd<'_>> = readers.chain(writers).collect();
    let limit = limit.map_or(PollTimeout::NONE, PollTimeout::from);
    match nix::poll::poll(&mut watched, limit) {
        Ok(_) | Err(Errno::EINTR) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

//! The reading end of the initctl FIFO, and the watch on the directory it lies in.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, stat};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

/// Readings of events in one go: what comes faster is taken the next time.
const MOST_DRAINED: usize = 16;

/// The open FIFO. Held for reading and writing, so that writers never block and its end is never seen.
#[derive(Debug)]
pub(crate) struct Fifo {
    fd: OwnedFd,
    identity: (u64, u64),
}

impl Fifo {
    /// Opens the FIFO and makes it first where nothing has that name.
    ///
    /// # Errors
    /// Something else has the name, or the file system refuses.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        match nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR) {
            Ok(()) | Err(Errno::EEXIST) => {}
            Err(error) => return Err(error.into()),
        }
        // Looked at before it is opened: to open a device can have effects.
        if !is_fifo(&stat(path)?) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a fifo"));
        }
        let fd = open(
            path,
            OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC | OFlag::O_NOCTTY,
            Mode::empty(),
        )?;
        let status = fstat(&fd)?;
        if !is_fifo(&status) {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "is not a fifo"));
        }
        Ok(Self {
            fd: super::fd::above_standard(fd)?,
            identity: (status.st_dev, status.st_ino),
        })
    }

    /// Tells whether the path still leads to this FIFO.
    pub(crate) fn is_at(&self, path: &Path) -> bool {
        stat(path).is_ok_and(|status| (status.st_dev, status.st_ino) == self.identity)
    }

    /// Reads what is there, without waiting; nothing there is zero bytes.
    pub(crate) fn read(&self, bytes: &mut [u8]) -> io::Result<usize> {
        match nix::unistd::read(&self.fd, bytes) {
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            other => other.map_err(io::Error::from),
        }
    }
}

impl AsFd for Fifo {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Becomes readable when something happens to one name in the file system.
#[derive(Debug)]
pub(crate) struct Watch {
    inotify: Inotify,
    identity: (u64, u64),
}

impl Watch {
    /// Watches a file for being removed, renamed or replaced (inotify(7): to lose a link is an attribute change).
    pub(crate) fn on_file(path: &Path) -> io::Result<Self> {
        Self::open(
            path,
            AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MOVE_SELF | AddWatchFlags::IN_DELETE_SELF,
        )
    }

    /// Watches a directory for names that come or go.
    pub(crate) fn on_directory(path: &Path) -> io::Result<Self> {
        Self::open(
            path,
            AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_MOVED_FROM
                | AddWatchFlags::IN_MOVED_TO
                | AddWatchFlags::IN_ONLYDIR,
        )
    }

    fn open(path: &Path, events: AddWatchFlags) -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let raised = super::fd::above_standard(OwnedFd::from(inotify))?;
        // SAFETY: the descriptor is the inotify instance made above, and it is given up here.
        let inotify = unsafe { Inotify::from_owned_fd(raised) };
        inotify.add_watch(path, events)?;
        let status = stat(path)?;
        Ok(Self {
            inotify,
            identity: (status.st_dev, status.st_ino),
        })
    }

    /// Tells whether the path still leads to what is watched; mounting over it changes that unnoticed.
    pub(crate) fn is_of(&self, path: &Path) -> bool {
        stat(path).is_ok_and(|status| (status.st_dev, status.st_ino) == self.identity)
    }

    /// Takes the events; what they say is found out by looking. Needs a page of stack for them, which is not to be part of its
    /// caller's.
    #[inline(never)]
    pub(crate) fn drain(&self) {
        for _ in 0..MOST_DRAINED {
            // An error here is "no event", and a lost one shows at the next look.
            if self
                .inotify
                .read_events()
                .map_or(true, |events| events.is_empty())
            {
                break;
            }
        }
    }
}

impl AsFd for Watch {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.inotify.as_fd()
    }
}

fn is_fifo(status: &FileStat) -> bool {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT == SFlag::S_IFIFO
}

//! The reading end of the initctl FIFO, and the watch on the directory it lies in.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::sys::inotify::{AddWatchFlags, InitFlags, Inotify, WatchDescriptor};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat, stat};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;
use std::time::Duration;

/// Readings of events in one go: what comes faster is taken the next time.
const MOST_DRAINED: usize = 16;
/// How long a watch is held for the next image: longer than that one takes to get its memory and to let go of the files of
/// this one. Where it takes longer, it waits after all, and hardly notices.
const LINGERING: Duration = Duration::from_millis(100);

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
        make(path)?;
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

    /// Tells the same of a path about which the watch has just told something. The kernel tells that a file has lost its name
    /// a moment before the name leads nowhere, and nothing afterwards; whoever wants to give it anew has to wait for that.
    pub(crate) fn is_left_at(&self, path: &Path) -> bool {
        // Where that made another one, this is not the one; where it could not, the path has the answer.
        make(path).unwrap_or_default();
        self.is_at(path)
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

/// Becomes readable when something happens to one name in the file system. What it is put on may change; it stays open itself,
/// because to end one takes the kernel some fifteen milliseconds, in which whoever lets go of it waits.
#[derive(Debug)]
pub(crate) struct Watch {
    inotify: Inotify,
    on: Option<Watched>,
}

/// What a watch is on.
#[derive(Debug)]
struct Watched {
    number: WatchDescriptor,
    identity: (u64, u64),
}

impl Watch {
    /// Makes one that is on nothing yet.
    pub(crate) fn new() -> io::Result<Self> {
        let inotify = Inotify::init(InitFlags::IN_CLOEXEC | InitFlags::IN_NONBLOCK)?;
        let raised = super::fd::above_standard(OwnedFd::from(inotify))?;
        // SAFETY: the descriptor is the inotify instance made above, and it is given up here.
        let inotify = unsafe { Inotify::from_owned_fd(raised) };
        Ok(Self { inotify, on: None })
    }

    /// Watches a file for being removed, renamed or replaced (inotify(7): to lose a link is an attribute change).
    pub(crate) fn put_on_file(&mut self, path: &Path) -> io::Result<()> {
        self.put(
            path,
            AddWatchFlags::IN_ATTRIB | AddWatchFlags::IN_MOVE_SELF | AddWatchFlags::IN_DELETE_SELF,
        )
    }

    /// Watches a directory for names that come or go.
    pub(crate) fn put_on_directory(&mut self, path: &Path) -> io::Result<()> {
        self.put(
            path,
            AddWatchFlags::IN_CREATE
                | AddWatchFlags::IN_DELETE
                | AddWatchFlags::IN_MOVED_FROM
                | AddWatchFlags::IN_MOVED_TO
                | AddWatchFlags::IN_ONLYDIR,
        )
    }

    fn put(&mut self, path: &Path, events: AddWatchFlags) -> io::Result<()> {
        let number = self.inotify.add_watch(path, events)?;
        // A file that is watched already keeps its number.
        if self.on.as_ref().is_some_and(|old| old.number != number) {
            self.lift();
        }
        let status = stat(path);
        let identity = status
            .as_ref()
            .ok()
            .map(|status| (status.st_dev, status.st_ino));
        self.on = Some(Watched {
            number,
            identity: identity.unwrap_or_default(),
        });
        status.map(drop).map_err(io::Error::from)
    }

    /// Watches nothing any more.
    pub(crate) fn lift(&mut self) {
        if let Some(watched) = self.on.take() {
            // That of a file which is gone has ended by itself.
            self.inotify.rm_watch(watched.number).unwrap_or_default();
        }
    }

    /// Tells whether the path still leads to what is watched; mounting over it changes that unnoticed.
    pub(crate) fn is_of(&self, path: &Path) -> bool {
        let Some(watched) = &self.on else {
            return false;
        };
        stat(path).is_ok_and(|status| (status.st_dev, status.st_ino) == watched.identity)
    }

    /// Has a process of its own hold the watch for a moment, so that it is that process which waits for the end of it, and
    /// not the image of init that is about to follow this one.
    pub(crate) fn outlive_image() -> io::Result<()> {
        // What it holds are its copies of all files of this image.
        super::child::fork_and_call(|| {
            super::poll::wait([None], Some(LINGERING));
        })
        .map(drop)
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

/// Makes a FIFO where nothing has that name.
fn make(path: &Path) -> io::Result<()> {
    match nix::unistd::mkfifo(path, Mode::S_IRUSR | Mode::S_IWUSR) {
        Ok(()) | Err(Errno::EEXIST) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

fn is_fifo(status: &FileStat) -> bool {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT == SFlag::S_IFIFO
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;

    /// Takes what the watch has told, and tells whether there was anything.
    fn has_told(watch: &Watch) -> bool {
        let [told] = super::super::poll::wait([Some(watch.as_fd())], Some(Duration::ZERO));
        watch.drain();
        told
    }

    #[test]
    fn a_watch_goes_from_a_directory_to_a_file_and_stays_the_same_descriptor() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("fifo");
        let mut watch = Watch::new().unwrap();
        watch.put_on_directory(folder.path()).unwrap();
        fs::write(&file, "").unwrap();
        assert!(has_told(&watch));
        watch.put_on_file(&file).unwrap();
        // The kernel says that the first one has ended.
        has_told(&watch);
        fs::write(folder.path().join("another"), "").unwrap();
        assert!(!has_told(&watch));
        fs::remove_file(&file).unwrap();
        assert!(has_told(&watch));
    }

    #[test]
    fn a_file_that_is_watched_already_stays_watched() {
        let file = tempfile::NamedTempFile::new().unwrap();
        let mut watch = Watch::new().unwrap();
        watch.put_on_file(file.path()).unwrap();
        watch.put_on_file(file.path()).unwrap();
        assert!(watch.is_of(file.path()));
        assert!(!has_told(&watch));
        file.close().unwrap();
        assert!(has_told(&watch));
    }

    #[test]
    fn a_watch_that_was_lifted_tells_nothing_and_can_be_put_on_again() {
        let folder = tempfile::tempdir().unwrap();
        let mut watch = Watch::new().unwrap();
        assert!(!watch.is_of(folder.path()));
        watch.put_on_directory(folder.path()).unwrap();
        assert!(watch.is_of(folder.path()));
        watch.lift();
        has_told(&watch);
        fs::write(folder.path().join("one"), "").unwrap();
        assert!(!has_told(&watch));
        watch.put_on_directory(folder.path()).unwrap();
        fs::write(folder.path().join("two"), "").unwrap();
        assert!(has_told(&watch));
    }
}

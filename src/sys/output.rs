//! The output of scripts on its way through their runner: the two ends of what a script writes to, and this program's
//! own standard output, written to without ever waiting.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Read, Write};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::time::TimeSpec;

use super::redirect::Terminal;
use super::untouched::Untouched;
use crate::uptime::Uptime;

/// So much can be written to a pipe at once when poll(2) says that it can be written to (`PIPE_BUF`).
const PIPE_PIECE: usize = 4096;
/// The same for a terminal, as good as always: it may still wait if its other end is stopped just now.
const TERMINAL_PIECE: usize = 64;

/// Our end of what a script writes to.
#[derive(Debug)]
pub(crate) struct Channel {
    file: File,
    /// How the terminal was that it reads from, where it has been opened for a script.
    untouched: Option<Untouched>,
}

/// What came of reading.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arrived {
    /// So many bytes.
    Bytes(usize),
    /// Nothing yet.
    Nothing,
    /// Nobody is left who could write.
    End,
}

impl Channel {
    /// Opens a terminal as wide and high as standard output; what is written to the other end arrives unchanged.
    pub(crate) fn terminal() -> io::Result<(Self, OwnedFd)> {
        let Terminal { taker, reader } = Terminal::open()?;
        copy_size(io::stdout().as_fd(), taker.as_fd());
        Ok((Self::over(reader), taker))
    }

    /// Opens a pipe.
    pub(crate) fn pipe() -> io::Result<(Self, OwnedFd)> {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        let reader = super::fd::keep_above_standard(reader)?;
        nix::fcntl::fcntl(&reader, nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        let writer = super::fd::keep_above_standard(writer)?;
        Ok((Self::over(reader.into()), writer))
    }

    /// Opens what is of the same kind as standard output: whoever finds a terminal shall find one still. Where there are none
    /// to be had, it is a pipe.
    pub(crate) fn like_standard_output() -> io::Result<(Self, OwnedFd)> {
        if is_terminal()
            && let Ok(pair) = Self::terminal()
        {
            return Ok(pair);
        }
        Self::pipe()
    }

    /// Takes standard input, of which nobody else has a copy, for our end.
    pub(crate) fn standard_input() -> io::Result<Self> {
        let own = io::stdin().as_fd().try_clone_to_owned()?;
        let own = super::fd::above_standard(own)?;
        nix::fcntl::fcntl(&own, nix::fcntl::FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self::over(own.into()))
    }

    fn over(file: File) -> Self {
        Self {
            file,
            untouched: None,
        }
    }

    /// Opens what a script writes to, of the same kind as standard output.
    pub(crate) fn for_script() -> io::Result<(Self, OwnedFd)> {
        let (channel, taker) = Self::like_standard_output()?;
        let untouched = Untouched::of(taker.as_fd());
        Ok((
            Self {
                untouched,
                ..channel
            },
            taker,
        ))
    }

    /// Opens for another script what one has written to that has ended. None where somebody holds it still, or it is not as
    /// it was, and where it would be no better than a new one. It has to be [brought up to date](Self::is_current).
    pub(crate) fn for_another_script(self) -> Option<(Self, OwnedFd)> {
        let untouched = self.untouched.as_ref()?;
        if self.read(&mut [0]) != Arrived::End || !is_terminal() {
            return None;
        }
        let taker = untouched.open_again(self.file.as_fd())?;
        Some((self, taker))
    }

    /// Brings an output up to date that was opened for a script before it was needed, and tells whether it can be used. A
    /// terminal cannot that is not to be found any more, as something has been mounted over its name, nor can a pipe where
    /// a terminal is wanted.
    pub(crate) fn is_current(&self, taker: BorrowedFd<'_>) -> bool {
        let Some(untouched) = &self.untouched else {
            return !taker.is_terminal() && !is_terminal();
        };
        copy_size(io::stdout().as_fd(), taker);
        untouched.is_found()
    }

    /// Takes what has arrived, without waiting.
    pub(crate) fn read(&self, buffer: &mut [u8]) -> Arrived {
        match (&self.file).read(buffer) {
            Ok(0) => Arrived::End,
            Ok(count) => Arrived::Bytes(count),
            Err(error)
                if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) =>
            {
                Arrived::Nothing
            }
            // A terminal that nobody holds any more is an error to read (EIO).
            Err(_) => Arrived::End,
        }
    }
}

impl From<Channel> for OwnedFd {
    fn from(channel: Channel) -> Self {
        channel.file.into()
    }
}

impl AsFd for Channel {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

/// Gives a terminal the size of another one. A serial line may have none, and then neither has this.
fn copy_size(from: BorrowedFd<'_>, to: BorrowedFd<'_>) {
    let mut size = std::mem::MaybeUninit::<libc::winsize>::zeroed();
    // SAFETY: the pointer is to writable memory of the type that this request fills.
    let known = unsafe { libc::ioctl(from.as_raw_fd(), libc::TIOCGWINSZ, size.as_mut_ptr()) } == 0;
    if known {
        // SAFETY: the pointer is to the structure that was filled; the call keeps none.
        unsafe { libc::ioctl(to.as_raw_fd(), libc::TIOCSWINSZ, size.as_ptr()) };
    }
}

/// Standard output as a file that takes what it can and never makes us wait.
#[derive(Debug)]
pub(crate) struct Outgoing {
    file: File,
    /// How to open it again after a hang-up.
    path: Option<PathBuf>,
    /// The most that may be written at once, where writing could wait.
    most: Option<usize>,
}

impl Outgoing {
    /// Prepares standard output. Scripts have it too, so that its own flags must not be changed; it is opened a
    /// second time, by what /proc says it is or else as `console`.
    pub(crate) fn standard(proc: &Path, console: &Path) -> io::Result<Self> {
        let own = io::stdout().as_fd().try_clone_to_owned()?;
        let own: File = super::fd::above_standard(own)?.into();
        let kind = own.metadata()?.file_type();
        if !kind.is_char_device() && !kind.is_fifo() {
            // A file never makes us wait. A socket may, for a moment.
            return Ok(Self {
                file: own,
                path: None,
                most: None,
            });
        }
        let link = proc.join("self/fd/1");
        for path in [link.as_path(), console] {
            if let Ok(file) = open(path).and_then(|file| same_file(file, &own)) {
                let name = std::fs::read_link(&link).unwrap_or_else(|_| console.to_owned());
                return Ok(Self {
                    path: own.is_terminal().then_some(name),
                    file,
                    most: None,
                });
            }
        }
        let piece = if kind.is_fifo() {
            PIPE_PIECE
        } else {
            TERMINAL_PIECE
        };
        Ok(Self {
            file: own,
            path: None,
            most: Some(piece),
        })
    }

    /// Writes as much as it takes now. After a hang-up, as a getty causes it, it is opened again.
    pub(crate) fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self.write_once(bytes) {
            Err(error) if error.raw_os_error() == Some(Errno::EIO as i32) => {
                let Some(path) = &self.path else {
                    return Err(error);
                };
                self.file = open(path)?;
                self.write_once(bytes)
            }
            written => written,
        }
    }

    fn write_once(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let Some(most) = self.most else {
            return self.file.write(bytes);
        };
        let mut own = [PollFd::new(self.file.as_fd(), PollFlags::POLLOUT)];
        if poll(&mut own, PollTimeout::ZERO)? == 0 {
            return Err(ErrorKind::WouldBlock.into());
        }
        let piece = bytes.get(..most).unwrap_or(bytes);
        self.file.write(piece)
    }
}

impl AsFd for Outgoing {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

fn open(path: &Path) -> io::Result<File> {
    OpenOptions::new()
        .write(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)
}

/// Returns the first one if it is the same device or pipe as the other.
fn same_file(file: File, own: &File) -> io::Result<File> {
    if is_same(&file.metadata()?, &own.metadata()?) {
        Ok(file)
    } else {
        Err(ErrorKind::NotFound.into())
    }
}

fn is_same(one: &std::fs::Metadata, other: &std::fs::Metadata) -> bool {
    let identity = |file: &std::fs::Metadata| (file.dev(), file.ino(), file.rdev());
    identity(one) == identity(other)
}

/// Tells whether standard error leads to where standard output leads.
pub(crate) fn error_is_output() -> bool {
    let metadata = |own: BorrowedFd<'_>| {
        let file: File = own.try_clone_to_owned()?.into();
        file.metadata()
    };
    match (
        metadata(io::stdout().as_fd()),
        metadata(io::stderr().as_fd()),
    ) {
        (Ok(output), Ok(error)) => is_same(&output, &error),
        _ => false,
    }
}

/// Tells whether standard output is a terminal.
pub(crate) fn is_terminal() -> bool {
    io::stdout().is_terminal()
}

/// Waits until one of `sources` can be read, `sink` can be written, or the time has come. Tells for each of the
/// sources whether it is worth reading.
pub(crate) fn wait(
    sources: &[BorrowedFd<'_>],
    sink: Option<BorrowedFd<'_>>,
    until: Option<Uptime>,
) -> Vec<bool> {
    let mut watched: Vec<PollFd<'_>> = sources
        .iter()
        .map(|&source| PollFd::new(source, PollFlags::POLLIN))
        .chain(sink.map(|sink| PollFd::new(sink, PollFlags::POLLOUT)))
        .collect();
    let limit = until.map(|until| TimeSpec::from(until.since(super::clock::now())));
    match nix::poll::ppoll(&mut watched, limit, None) {
        Ok(0) | Err(Errno::EINTR) => vec![false; sources.len()],
        Ok(_) => watched
            .iter()
            .take(sources.len())
            .map(|source| source.any().unwrap_or(true))
            .collect(),
        // Every source is looked at without waiting anyway.
        Err(_) => vec![true; sources.len()],
    }
}

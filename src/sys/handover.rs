//! Re-execution of PID 1: the state text goes to the next image through a file in memory, or through a pipe.
//!
//! The original passes a pipe and reads whatever has its number. A file can be read more than once, and is a journal
//! already (`sys::journal_file`): an image that fails on its way leaves it to the one after it.

use super::child;
use super::crash::FIFO_FD;
use super::journal_file::{JournalFile, MOST_ERRORS};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// Where the next image finds the state text; the original's number, so that either can follow the other.
const STATE_FD: i32 = 11;
/// Length of the signature that the state text begins with. It is in the pipe before the next image looks.
const SIGNATURE_LENGTH: usize = 8;
/// Longest pause in the state text before the rest is given up, in milliseconds: the writer is a process on
/// this machine that does nothing else.
const PATIENCE: u16 = 10_000;

/// What the image before this one has left.
#[derive(Debug)]
pub(crate) struct Left {
    /// The state text.
    pub(crate) text: Vec<u8>,
    /// A journal that begins with it; none where the kernel has no memory for one.
    pub(crate) journal: Option<JournalFile>,
}

/// Reads the state text that the image before this one has left, at most `most` bytes. From then on it is what is left
/// behind, should this image fail.
///
/// Nothing where no image came before: nothing is there, or it does not begin with `signature` at once.
pub(crate) fn receive(signature: &[u8], most: usize) -> Option<Left> {
    if let Some(fd) = super::fd::inherited_memory(STATE_FD) {
        let journal = JournalFile::take_over(fd).ok()?;
        return match journal.read(most) {
            Ok(text) if text.starts_with(signature) => Some(Left {
                text,
                journal: Some(journal),
            }),
            Ok(_) | Err(_) => None,
        };
    }
    let text = read_pipe(super::fd::inherited_fifo(STATE_FD)?, signature, most)?;
    let journal = JournalFile::begin(&text).ok();
    Some(Left { text, journal })
}

/// Lets go of a state text that is not to be read.
pub(crate) fn refuse() {
    drop(super::fd::inherited_memory(STATE_FD));
    drop(super::fd::inherited_fifo(STATE_FD));
}

fn read_pipe(pipe: OwnedFd, signature: &[u8], most: usize) -> Option<Vec<u8>> {
    let mut text = Vec::new();
    let mut patience = PollTimeout::ZERO;
    let mut errors = 0;
    while text.len() < most && errors < MOST_ERRORS {
        let mut bytes = [0_u8; 4096];
        let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        let read = match nix::poll::poll(&mut fds, patience) {
            Ok(0) => break,
            Ok(_) => nix::unistd::read(&pipe, &mut bytes),
            Err(error) => Err(error),
        };
        match read {
            Ok(0) => break,
            Ok(read) => text.extend_from_slice(bytes.get(..read).unwrap_or_default()),
            Err(_) => {
                errors += 1;
                continue;
            }
        }
        if !text.starts_with(signature) {
            break;
        }
        errors = 0;
        patience = PollTimeout::from(PATIENCE);
    }
    text.starts_with(signature).then_some(text)
}

/// Takes over the FIFO that the image before this one has kept open. It need only be held until it is opened anew; until
/// then it is what is left behind, as an image that fails before that must pass it on.
pub(crate) fn receive_fifo() -> Option<OwnedFd> {
    let left = super::fd::inherited_fifo(FIFO_FD)?;
    let held = super::fd::duplicate(left.as_fd()).ok();
    super::crash::set_fifo(held.as_ref().map(AsFd::as_fd));
    // Only now, so that there is no moment in which a crash would find it with nobody.
    drop(left);
    held
}

/// Replaces this image, leaving `state` and the open FIFO for the next one. Returns only if that fails.
pub(crate) fn replace_image(
    program: &CString,
    argv: &[CString],
    environment: &[CString],
    state: &[u8],
    fifo: Option<BorrowedFd<'_>>,
) -> io::Error {
    let left = leave_state(state).and_then(|state| {
        let fifo = fifo.map(|fifo| leave(fifo, FIFO_FD)).transpose()?;
        Ok((state, fifo))
    });
    match left {
        Err(error) => error,
        Ok(_left_for_the_next) => match nix::unistd::execve(program, argv, environment) {
            Err(error) => error.into(),
            Ok(never) => match never {},
        },
    }
}

/// Leaves the state text in a file, or in a pipe where the kernel has no files in memory.
fn leave_state(state: &[u8]) -> io::Result<OwnedFd> {
    match JournalFile::make(state) {
        Ok(file) => leave(file.as_fd(), STATE_FD),
        Err(_) => leave(prepare(state)?.as_fd(), STATE_FD),
    }
}

/// Duplicates a descriptor onto an agreed number, to stay open through exec. It closes with the value returned, if
/// the image is not replaced.
fn leave(fd: BorrowedFd<'_>, number: i32) -> io::Result<OwnedFd> {
    // SAFETY: our own long-lived descriptors are few and lie below the agreed numbers.
    Errno::result(unsafe { libc::dup2(fd.as_raw_fd(), number) })?;
    // SAFETY: dup2 has just made this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(number) })
}

/// Opens the pipe and puts the text into it. What it does not hold is left to a process that writes it when there is
/// room, as the reader begins only when this image is gone. A usual state has room in the pipe, so that nothing that
/// happens to such a process can cost it.
fn prepare(state: &[u8]) -> io::Result<OwnedFd> {
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)?;
    if state.len() < SIGNATURE_LENGTH {
        return Err(io::ErrorKind::InvalidInput.into());
    }
    let mut rest = state;
    loop {
        match nix::unistd::write(&writer, rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) => break,
            Err(error) => return Err(error.into()),
        }
        if rest.is_empty() {
            break;
        }
    }
    // Both ends are used by readers and writers that wait: the next image may be the original.
    for end in [reader.as_fd(), writer.as_fd()] {
        nix::fcntl::fcntl(end, nix::fcntl::FcntlArg::F_SETFL(OFlag::empty()))?;
    }
    if !rest.is_empty() {
        child::fork_and_call(|| write_all(writer, rest))?;
    }
    Ok(reader)
}

fn write_all(writer: OwnedFd, mut rest: &[u8]) {
    while !rest.is_empty() {
        match nix::unistd::write(&writer, rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            // The reader is gone: the next image has not come up, and this one goes on.
            Err(_) => return,
        }
    }
}

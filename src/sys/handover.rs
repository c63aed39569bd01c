//! Re-execution of PID 1: the state text goes through a pipe to the next image.

use super::child;
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout};
use std::ffi::CString;
use std::io;
use std::os::fd::{AsFd, AsRawFd, FromRawFd, OwnedFd};

/// Where the next image finds the pipe; the original's number, so that either can follow the other.
const STATE_FD: i32 = 11;
/// Length of the signature that the state text begins with. It is in the pipe before the next image looks.
const SIGNATURE_LENGTH: usize = 8;
/// Longest pause in the state text before the rest is given up, in milliseconds: the writer is a process on
/// this machine that does nothing else.
const PATIENCE: u16 = 10_000;

/// Reads the state text that the image before this one has left, at most `most` bytes.
///
/// Nothing where no image came before: the pipe is not there, or does not begin with `signature` at once.
pub(crate) fn receive(signature: &[u8], most: usize) -> Option<Vec<u8>> {
    let pipe = child::inherited(STATE_FD)?;
    let mut text = Vec::new();
    let mut patience = PollTimeout::ZERO;
    while text.len() < most {
        let mut fds = [PollFd::new(pipe.as_fd(), PollFlags::POLLIN)];
        match nix::poll::poll(&mut fds, patience) {
            Ok(0) => break,
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(_) => break,
        }
        let mut bytes = [0_u8; 4096];
        match nix::unistd::read(&pipe, &mut bytes) {
            Ok(0) => break,
            Ok(read) => text.extend_from_slice(bytes.get(..read).unwrap_or_default()),
            Err(Errno::EINTR) => {}
            Err(_) => break,
        }
        if !text.starts_with(signature) {
            break;
        }
        patience = PollTimeout::from(PATIENCE);
    }
    text.starts_with(signature).then_some(text)
}

/// Replaces this image, leaving `state` for the next one to read. Returns only if that fails.
pub(crate) fn replace_image(
    program: &CString,
    argv: &[CString],
    environment: &[CString],
    state: &[u8],
) -> io::Error {
    match prepare(state).and_then(|pipe| {
        // SAFETY: duplicates onto the agreed number; our own long-lived descriptors lie below it.
        Errno::result(unsafe { libc::dup2(pipe.as_raw_fd(), STATE_FD) })?;
        // SAFETY: dup2 has just made this descriptor, and nobody else knows it. It closes with this value if
        // the image is not replaced.
        Ok(unsafe { OwnedFd::from_raw_fd(STATE_FD) })
    }) {
        Err(error) => error,
        Ok(_left_for_the_next) => match nix::unistd::execve(program, argv, environment) {
            Err(error) => error.into(),
            Ok(never) => match never {},
        },
    }
}

/// Opens the pipe, puts the signature into it, and starts the process that writes the rest: the text can be
/// larger than a pipe holds, and its reader begins only when this image is gone.
fn prepare(state: &[u8]) -> io::Result<OwnedFd> {
    let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
    let (signature, rest) = state
        .split_at_checked(SIGNATURE_LENGTH)
        .ok_or(io::ErrorKind::InvalidInput)?;
    nix::unistd::write(&writer, signature)?;
    child::fork_and_call(|| write_all(writer, rest))?;
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

//! Descriptors that live as long as init does, kept clear of the three every program takes for its terminal.

use nix::fcntl::{FcntlArg, fcntl};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};

/// The lowest number a long-lived descriptor gets. init runs with 0, 1 and 2 closed, and a descriptor there
/// would be taken for standard output by whatever prints.
const LOWEST: i32 = 3;

/// Moves a descriptor to a number above the standard ones, close-on-exec.
pub(crate) fn above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    duplicate(fd.as_fd())
}

/// The same for one that is close-on-exec already, which keeps its number if that is above the standard ones.
pub(super) fn keep_above_standard(fd: OwnedFd) -> io::Result<OwnedFd> {
    if fd.as_raw_fd() < LOWEST {
        return duplicate(fd.as_fd());
    }
    Ok(fd)
}

/// Takes over a file in memory that was inherited under a fixed number. Anything else of this number is left to whoever has
/// it: where nobody came before, that can be this process itself.
pub(super) fn inherited_memory(number: i32) -> Option<OwnedFd> {
    // SAFETY: asks the kernel about a number; no memory is involved. Nothing else has seals.
    if !is_so(|| unsafe { libc::fcntl(number, libc::F_GET_SEALS) }) {
        return None;
    }
    // SAFETY: the descriptor is open, and by the hand-over's convention it is ours alone.
    Some(unsafe { OwnedFd::from_raw_fd(number) })
}

/// The same for a FIFO or a pipe.
pub(super) fn inherited_fifo(number: i32) -> Option<OwnedFd> {
    let mut found = std::mem::MaybeUninit::<libc::stat>::uninit();
    // SAFETY: asks the kernel about a number; the pointer is to writable memory of the right type.
    if !is_so(|| unsafe { libc::fstat(number, found.as_mut_ptr()) }) {
        return None;
    }
    // SAFETY: fstat has filled it in.
    let mode = unsafe { found.assume_init() }.st_mode;
    // SAFETY: as above.
    (mode & libc::S_IFMT == libc::S_IFIFO).then(|| unsafe { OwnedFd::from_raw_fd(number) })
}

/// Tells whether the kernel gives an answer. An error is not believed at once: what was left may be the state of the machine.
fn is_so(mut ask: impl FnMut() -> i32) -> bool {
    ask() >= 0 || ask() >= 0
}

/// Duplicates a descriptor onto such a number, close-on-exec.
pub(super) fn duplicate(fd: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let raised = fcntl(fd, FcntlArg::F_DUPFD_CLOEXEC(LOWEST))?;
    // SAFETY: fcntl has just given us this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(raised) })
}

/// Closes standard input, output and error, which PID 1 does without.
pub(crate) fn close_standard() {
    close_range(0, 2);
}

/// Closes everything above the standard descriptors; for a process that will never exec.
pub(crate) fn close_above_standard() {
    close_range(3, u32::MAX);
}

/// Closes everything but standard input; for a process that will never exec.
pub(crate) fn keep_input_only() {
    close_range(1, u32::MAX);
}

fn close_range(first: u32, last: u32) {
    // SAFETY: closing touches no memory. Callers run alone and use none of these descriptors afterwards. A
    // kernel before 5.9 refuses.
    let refused = unsafe { libc::syscall(libc::SYS_close_range, first, last, 0_u32) } != 0;
    if refused {
        // As many as a program of ours ever has.
        for number in first..=last.min(1023) {
            // SAFETY: as above.
            unsafe { libc::close(number.cast_signed()) };
        }
    }
}

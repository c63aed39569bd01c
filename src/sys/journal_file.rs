//! The file in memory that the journal is kept in: it belongs to no file system, and outlives the image that writes it.

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// How many errors of a state text are borne in a row. It is the whole state of the machine, and a kernel that is short of
/// memory for a moment must not cost it.
pub(super) const MOST_ERRORS: u8 = 100;

/// The open file.
#[derive(Debug)]
pub(crate) struct JournalFile(File);

impl AsFd for JournalFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.0.as_fd()
    }
}

impl JournalFile {
    /// Makes one that begins with a text, and has it be what is left behind from now on.
    pub(crate) fn begin(text: &[u8]) -> io::Result<Self> {
        let file = Self::make(text)?;
        super::crash::set_journal(file.0.as_fd());
        Ok(file)
    }

    /// Makes one that begins with a text, for the next image; who reads it as one reads a pipe finds the text.
    pub(super) fn make(text: &[u8]) -> io::Result<Self> {
        // SAFETY: the name is a NUL-terminated string.
        let fd = Errno::result(unsafe {
            libc::memfd_create(
                c"init-journal".as_ptr(),
                libc::MFD_CLOEXEC | libc::MFD_ALLOW_SEALING,
            )
        })?;
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        let file = Self(File::from(super::fd::above_standard(fd)?));
        fcntl(&file.0, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
        file.add(text)?;
        (&file.0).rewind()?;
        Ok(file)
    }

    /// Tells whether a descriptor is of such a file: nothing else has seals.
    pub(super) fn is_one(fd: BorrowedFd<'_>) -> bool {
        fcntl(fd, FcntlArg::F_GET_SEALS).is_ok()
    }

    /// Goes on with one that was left behind. An error is borne for a while, as below.
    pub(super) fn take_over(fd: OwnedFd) -> io::Result<Self> {
        let mut raised = super::fd::duplicate(fd.as_fd());
        for _ in 0..MOST_ERRORS {
            if raised.is_ok() {
                break;
            }
            raised = super::fd::duplicate(fd.as_fd());
        }
        let file = Self(File::from(raised?));
        super::crash::set_journal(file.0.as_fd());
        Ok(file)
    }

    /// Has it be left behind no more.
    pub(crate) fn let_go(self) {
        super::crash::forget_journal();
        drop(self);
    }

    /// Writes at the end.
    pub(crate) fn add(&self, bytes: &[u8]) -> io::Result<()> {
        (&self.0).write_all(bytes)
    }

    /// Reads all of it, at most `most` bytes. An error is borne for a while: what it holds is the state of the machine.
    pub(crate) fn read(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut errors = 0;
        while text.len() < most {
            let mut bytes = [0_u8; 4096];
            let at = u64::try_from(text.len()).unwrap_or(u64::MAX);
            match self.0.read_at(&mut bytes, at) {
                Ok(0) => break,
                Ok(read) => {
                    errors = 0;
                    text.extend_from_slice(bytes.get(..read).unwrap_or_default());
                }
                Err(error) if errors == MOST_ERRORS => return Err(error),
                Err(_) => errors += 1,
            }
        }
        Ok(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_added_is_read_behind_what_it_began_with() {
        let file = JournalFile::begin(b"one\n").unwrap();
        file.add(b"two\n").unwrap();
        assert_eq!(file.read(1 << 20).unwrap(), b"one\ntwo\n");
        file.add(b"three\n").unwrap();
        assert_eq!(file.read(1 << 20).unwrap(), b"one\ntwo\nthree\n");
    }
}

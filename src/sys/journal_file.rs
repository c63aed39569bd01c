//! The file in memory that the journal is kept in: it belongs to no file system, and outlives the image that writes it.
//!
//! A line costs a copy and no system call: lines are gathered in this process, and the crash handler finds what has not
//! reached the file ([`Tail`]). Only a process that is killed loses them, and with PID 1 the machine is lost then.

use super::crash::{JOURNAL_FD, Whole};
use super::fd;
use super::journal_tail::{GATHERED, Tail};
use nix::errno::Errno;
use nix::fcntl::{FallocateFlags, FcntlArg, OFlag, fallocate, fcntl};
use std::fs::File;
use std::io::{self, Seek, Write};
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::FileExt;

/// How many errors of a state text are borne in a row. It is the whole state of the machine, and a kernel that is short of
/// memory for a moment must not cost it.
pub(super) const MOST_ERRORS: u8 = 100;

/// The open file.
#[derive(Debug)]
pub(crate) struct JournalFile {
    file: File,
    /// In a place of its own, which the handler knows.
    tail: Box<Tail>,
}

impl AsFd for JournalFile {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.file.as_fd()
    }
}

impl Drop for JournalFile {
    fn drop(&mut self) {
        super::crash::forget_journal(&self.tail);
    }
}

impl JournalFile {
    /// Makes one that begins with a text, and has it be what is left behind from now on.
    pub(crate) fn begin(text: &[u8]) -> io::Result<Self> {
        let journal = Self::make(text)?;
        super::crash::set_journal(&journal.tail);
        journal.reserve();
        Ok(journal)
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
        let journal = Self::over(File::from(fd::above_standard(fd)?));
        fcntl(&journal.file, FcntlArg::F_SETFL(OFlag::O_APPEND))?;
        (&journal.file).write_all(text)?;
        (&journal.file).rewind()?;
        Ok(journal)
    }

    fn over(file: File) -> Self {
        Self {
            tail: Tail::of(&file),
            file,
        }
    }

    /// Takes over that of an image that has failed.
    pub(crate) fn inherited() -> Option<Self> {
        Self::take_over(fd::inherited_memory(JOURNAL_FD)?).ok()
    }

    /// Goes on with one that was left behind. An error is borne for a while, as below.
    pub(super) fn take_over(fd: OwnedFd) -> io::Result<Self> {
        let mut raised = fd::duplicate(fd.as_fd());
        for _ in 0..MOST_ERRORS {
            if raised.is_ok() {
                break;
            }
            raised = fd::duplicate(fd.as_fd());
        }
        let journal = Self::over(File::from(raised?));
        super::crash::set_journal(&journal.tail);
        journal.reserve();
        Ok(journal)
    }

    /// Adds lines at the end. They are in the file when the next image reads it.
    ///
    /// # Errors
    /// The kernel has no memory for the file. Lines that there was room for are kept for the next attempt.
    pub(crate) fn add(&self, lines: &[u8]) -> io::Result<()> {
        if self.tail.add(lines) {
            return Ok(());
        }
        self.write_gathered()?;
        if !self.tail.add(lines) {
            // Longer than all that is ever gathered.
            (&self.file).write_all(lines)?;
        }
        Ok(())
    }

    fn write_gathered(&self) -> io::Result<()> {
        // A crash in the middle would find lines that are in the file already.
        let _whole = Whole::begin();
        self.tail.write()?;
        self.reserve();
        Ok(())
    }

    /// Has the kernel lay by the memory for what is gathered next: what comes before an end for want of memory must find
    /// room. Without it the file is as good as before.
    fn reserve(&self) {
        let Ok(end) = self.file.metadata().map(|metadata| metadata.len()) else {
            return;
        };
        let end = end.try_into().unwrap_or(libc::off_t::MAX);
        let room = GATHERED.try_into().unwrap_or(0);
        fallocate(&self.file, FallocateFlags::FALLOC_FL_KEEP_SIZE, end, room).unwrap_or_default();
    }

    /// Reads all of it, at most `most` bytes. An error is borne for a while: what it holds is the state of the machine.
    pub(crate) fn read(&self, most: usize) -> io::Result<Vec<u8>> {
        let mut text = Vec::new();
        let mut errors = 0;
        while text.len() < most {
            let mut bytes = [0_u8; 4096];
            let at = u64::try_from(text.len()).unwrap_or(u64::MAX);
            match self.file.read_at(&mut bytes, at) {
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

    /// What a reader would find after a crash.
    fn left_by(journal: &JournalFile) -> Vec<u8> {
        journal.tail.write().unwrap();
        journal.read(1 << 20).unwrap()
    }

    #[test]
    fn what_is_added_is_read_behind_what_it_began_with() {
        let journal = JournalFile::begin(b"one\n").unwrap();
        journal.add(b"two\n").unwrap();
        assert_eq!(left_by(&journal), b"one\ntwo\n");
        journal.add(b"three\n").unwrap();
        assert_eq!(left_by(&journal), b"one\ntwo\nthree\n");
    }

    #[test]
    fn lines_of_any_length_come_in_their_order() {
        let journal = JournalFile::begin(b"").unwrap();
        let mut all = Vec::new();
        for length in (0..GATHERED)
            .step_by(97)
            .chain([3 * GATHERED, 5, GATHERED, 1])
        {
            let line = vec![b'a' + u8::try_from(length % 26).unwrap(); length];
            journal.add(&line).unwrap();
            all.extend(line);
        }
        assert_eq!(left_by(&journal), all);
    }

    #[test]
    fn what_is_refused_is_kept_for_the_next_attempt() {
        let journal = JournalFile::begin(b"one\n").unwrap();
        journal.add(b"two\n").unwrap();
        let seals = FcntlArg::F_ADD_SEALS(nix::fcntl::SealFlag::F_SEAL_WRITE);
        fcntl(&journal.file, seals).unwrap();
        assert_eq!(journal.tail.write(), Err(Errno::EPERM));
        assert_eq!(journal.tail.gathered(), b"two\n");
        assert_eq!(journal.read(1 << 20).unwrap(), b"one\n");
    }
}

//! The end of the journal that has not reached its file: in memory that the crash handler knows, so that a line costs no
//! system call.

use nix::errno::Errno;
use std::cell::UnsafeCell;
use std::fs::File;
use std::os::fd::{AsRawFd, RawFd};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much is gathered before it is written: the lines of some ten processes.
pub(super) const GATHERED: usize = 2 << 10;

/// What has not been written into the file yet, in a form that a signal handler can write.
#[derive(Debug)]
pub(super) struct Tail {
    fd: RawFd,
    /// How many of the bytes are lines. Set when these are there, so that a handler sees none that is half done.
    length: AtomicUsize,
    bytes: UnsafeCell<[u8; GATHERED]>,
}

impl Tail {
    pub(super) fn of(file: &File) -> Box<Self> {
        Box::new(Self {
            fd: file.as_raw_fd(),
            length: AtomicUsize::new(0),
            bytes: UnsafeCell::new([0; GATHERED]),
        })
    }

    /// The file's number.
    pub(super) fn fd(&self) -> RawFd {
        self.fd
    }

    pub(super) fn gathered(&self) -> &[u8] {
        // SAFETY: they are written by `add` and `drop_front` alone, which hold no reference when they return, in the one thread
        // that has this value; a handler that comes between only reads.
        let bytes = unsafe { &*self.bytes.get() };
        bytes
            .get(..self.length.load(Ordering::Acquire))
            .unwrap_or_default()
    }

    /// Adds lines. Tells whether there was room.
    pub(super) fn add(&self, lines: &[u8]) -> bool {
        let length = self.length.load(Ordering::Acquire);
        // SAFETY: as in `gathered`; what a handler may read lies before these bytes.
        let bytes = unsafe { &mut *self.bytes.get() };
        let Some(room) = bytes.get_mut(length..length + lines.len()) else {
            return false;
        };
        room.copy_from_slice(lines);
        self.length.store(length + lines.len(), Ordering::Release);
        true
    }

    /// Takes note that so many bytes have been written. A handler must not come between.
    fn drop_front(&self, count: usize) {
        let length = self.length.load(Ordering::Acquire);
        // SAFETY: as in `gathered`; the caller keeps the handler out.
        let bytes = unsafe { &mut *self.bytes.get() };
        bytes.copy_within(count.min(length)..length, 0);
        self.length
            .store(length.saturating_sub(count), Ordering::Release);
    }

    /// Writes all of it, as far as it can be. Makes system calls only.
    pub(super) fn write(&self) -> nix::Result<()> {
        loop {
            let bytes = self.gathered();
            if bytes.is_empty() {
                return Ok(());
            }
            // SAFETY: the pointer and the length are those of a live slice.
            let result = unsafe { libc::write(self.fd, bytes.as_ptr().cast(), bytes.len()) };
            match Errno::result(result) {
                Ok(0) => return Err(Errno::ENOSPC),
                Ok(written) => self.drop_front(usize::try_from(written).unwrap_or(0)),
                Err(Errno::EINTR) => {}
                Err(error) => return Err(error),
            }
        }
    }
}

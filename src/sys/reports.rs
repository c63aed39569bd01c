//! What children of PID 1 could not do, told by them before they execute or exit: a page of memory that all of them share
//! with it. It costs PID 1 no descriptor, and looking into it no system call.

use super::{bare, shared_page};
use crate::process::Pid;
use nix::errno::Errno;
use std::cell::UnsafeCell;
use std::io;
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

/// Longest program name or note that a report carries.
const LONGEST: usize = 242;
/// How many reports wait at most; they fill a page.
const MOST: usize = 16;

/// What a child could not do.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Report {
    /// The program could not be executed.
    ExecFailed(Box<[u8]>),
    /// The console could not be opened.
    NoConsole(String),
    /// Its output is not recorded, for this reason.
    NotRecorded(String),
}

/// Which of them a note is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Kind {
    ExecFailed = 0,
    NoConsole = 1,
    NotRecorded = 2,
}

/// The place of one report.
#[repr(C)]
struct Slot {
    /// [`FREE`], [`FULL`], or the number of the child that is writing.
    state: AtomicI32,
    note: UnsafeCell<Note>,
}

const FREE: i32 = 0;
const FULL: i32 = -1;

#[derive(Clone, Copy)]
#[repr(C)]
struct Note {
    kind: u8,
    length: u8,
    /// The error number that goes with it; 0 where there is none.
    error: u16,
    text: [u8; LONGEST],
}

/// The page. One for all children: success needs no words.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Reports {
    slots: NonNull<[Slot; MOST]>,
    /// The number of the process that reads.
    reader: i32,
}

impl Reports {
    /// Asks the kernel for the page.
    pub(crate) fn open() -> io::Result<Self> {
        Ok(Self {
            // All bytes zero are free slots.
            slots: shared_page::open()?,
            reader: nix::unistd::getpid().as_raw(),
        })
    }

    fn slots(&self) -> &[Slot; MOST] {
        // SAFETY: the page is as large, zeroed by the kernel, and mapped for good; what changes in it is in atomics and
        // cells.
        unsafe { self.slots.as_ref() }
    }

    /// Takes the next report, if any.
    pub(crate) fn take(&self) -> Option<Report> {
        self.slots().iter().find_map(|slot| {
            match slot.state.load(Ordering::Acquire) {
                FREE => return None,
                FULL => {}
                writer => {
                    // One who was killed in the middle gives the place back by being gone.
                    let is_gone = Pid::new(writer).is_none_or(|pid| !super::signal::exists(pid));
                    if is_gone {
                        slot.state.store(FREE, Ordering::Release);
                    }
                    return None;
                }
            }
            // SAFETY: a full slot is nobody's but the reader's, and there is one.
            let note = unsafe { *slot.note.get() };
            slot.state.store(FREE, Ordering::Release);
            let text = note.text.get(..usize::from(note.length))?;
            let words = String::from_utf8_lossy(text);
            if note.kind == Kind::ExecFailed as u8 {
                Some(Report::ExecFailed(text.into()))
            } else if note.kind == Kind::NotRecorded as u8 {
                Some(Report::NotRecorded(words.into_owned()))
            } else {
                let error = Errno::from_raw(i32::from(note.error)).desc();
                Some(Report::NoConsole(format!("open({words}): {error}")))
            }
        })
    }

    /// Leaves a report and wakes who reads it: this child may go on, so that no end tells of it. It neither allocates nor
    /// waits. Where all places are taken there are many untold failures already; one more changes nothing.
    pub(super) fn tell(&self, kind: Kind, text: &[u8], error: i32) {
        let own = bare::own_pid();
        let free = self.slots().iter().find(|slot| {
            let take = (Ordering::Acquire, Ordering::Relaxed);
            slot.state
                .compare_exchange(FREE, own, take.0, take.1)
                .is_ok()
        });
        let Some(slot) = free else { return };
        // SAFETY: the slot is this child's own until it is full.
        let note = unsafe { &mut *slot.note.get() };
        let length = text.len().min(LONGEST);
        note.kind = kind as u8;
        note.length = u8::try_from(length).unwrap_or(0);
        note.error = u16::try_from(error).unwrap_or(0);
        for (to, from) in note.text.iter_mut().zip(text) {
            *to = *from;
        }
        slot.state.store(FULL, Ordering::Release);
        bare::signal(self.reader, libc::SIGCHLD);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reports_are_taken_as_they_were_told() {
        let reports = Reports::open().unwrap();
        assert_eq!(reports.take(), None);
        reports.tell(Kind::ExecFailed, b"/bin/nothing", libc::ENOENT);
        reports.tell(Kind::NoConsole, b"/dev/console", libc::ENODEV);
        let program = b"/bin/nothing".as_slice().into();
        assert_eq!(reports.take(), Some(Report::ExecFailed(program)));
        let text = "open(/dev/console): No such device";
        assert_eq!(reports.take(), Some(Report::NoConsole(text.into())));
        reports.tell(Kind::NotRecorded, b"r3: why", 0);
        assert_eq!(reports.take(), Some(Report::NotRecorded("r3: why".into())));
        assert_eq!(reports.take(), None);
    }

    #[test]
    fn a_name_that_is_too_long_is_cut() {
        let reports = Reports::open().unwrap();
        reports.tell(Kind::ExecFailed, &[b'x'; 1000], libc::ENOENT);
        let cut: Box<[u8]> = [b'x'; LONGEST].into();
        assert_eq!(reports.take(), Some(Report::ExecFailed(cut)));
    }

    #[test]
    fn what_finds_no_place_is_dropped_and_places_are_used_again() {
        let reports = Reports::open().unwrap();
        for _ in 0..2 {
            for number in 0..100_u8 {
                reports.tell(Kind::ExecFailed, &[number], 0);
            }
            let taken: Vec<_> = std::iter::from_fn(|| reports.take()).collect();
            let expected: Vec<_> = (0..16)
                .map(|number| Report::ExecFailed([number].into()))
                .collect();
            assert_eq!(taken, expected);
        }
    }

    #[test]
    fn a_place_whose_writer_was_killed_is_free_again() {
        let reports = Reports::open().unwrap();
        // No process has such a number: the highest is 2^22.
        let nobody = 1 << 23;
        reports.slots()[0].state.store(nobody, Ordering::Release);
        assert_eq!(reports.take(), None);
        assert_eq!(reports.slots()[0].state.load(Ordering::Acquire), FREE);
    }
}

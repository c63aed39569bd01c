//! A small process that outlives its parent by a moment, and takes with it what the parent leaves behind.
//!
//! A runner of scripts that is killed can end nothing any more. Its guard is in a process group of its own, so that a
//! signal to the runner's group does not reach it, and in the runner's session, which killall5(8) spares. It sleeps
//! until the other end of a pipe is gone, which the runner holds and each script until it is executed. Then it finds in a
//! page of memory, which it shares with them, the process groups of the scripts that run, and kills them. A script that
//! has ended is crossed off before its number is free, so no daemon that it has left is ever hit.
//!
//! That the page is shared costs nothing as long as nobody is killed: a guard that had to be told by the pipe would wake
//! up twice for each script.

use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsFd, OwnedFd};
use std::ptr::NonNull;
use std::sync::atomic::{AtomicI32, Ordering};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::{Pid as NixPid, setpgid};

use super::{child, fd, shared_page, signal, usage};
use crate::process::{Pid, Signal};

/// How many places there are: more than a machine of three hundred processors has scripts at once.
const PLACES: usize = 1024;
/// Stands in a place that nobody has taken.
const NOBODY: i32 = 0;

/// The page that the parent, its scripts and the guard share.
#[derive(Debug, Clone, Copy)]
struct Page(NonNull<[AtomicI32; PLACES]>);

impl Page {
    /// Asks the kernel for it.
    fn open() -> io::Result<Self> {
        // All bytes zero are free places.
        shared_page::open().map(Self)
    }

    fn places(self) -> &'static [AtomicI32; PLACES] {
        // SAFETY: the page is as large, zeroed by the kernel, and mapped for good; what changes in it is atomic.
        unsafe { self.0.as_ref() }
    }
}

/// Where one script's number stands.
#[derive(Debug, Clone, Copy)]
pub(super) struct Place<'a>(&'a AtomicI32);

impl Place<'_> {
    /// Says that a process group runs. Async-signal-safe.
    pub(super) fn set(self, group: i32) {
        self.0.store(group, Ordering::Release);
    }

    /// Says that nothing runs here.
    pub(super) fn clear(self) {
        self.set(NOBODY);
    }
}

/// The parent's hold on its guard.
#[derive(Debug)]
pub(crate) struct Guard {
    /// What the guard waits for the end of.
    hold: Option<OwnedFd>,
    process: Pid,
    page: Page,
}

impl Guard {
    /// How many scripts it can have an eye on at once.
    pub(crate) const MOST: NonZeroUsize = NonZeroUsize::MIN.saturating_add(PLACES - 1);

    /// Starts the guard of this process.
    pub(crate) fn post() -> io::Result<Self> {
        let page = Page::open()?;
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        // A descriptor that is one of the standard ones would be a script's input or output.
        let (reader, writer) = (fd::above_standard(reader)?, fd::above_standard(writer)?);
        let process = child::fork_and_call(|| watch(&reader, page))?;
        // It does so itself too; whoever is first, from here on no signal to our group reaches it.
        let number = NixPid::from_raw(process.get());
        setpgid(number, number).unwrap_or_default();
        Ok(Self {
            hold: Some(writer),
            process,
            page,
        })
    }

    /// Returns a place for the number of a script that is about to run; none where [`Guard::MOST`] run already.
    pub(super) fn place(&self) -> Option<Place<'_>> {
        self.place_of(NOBODY)
    }

    /// Says that a script's process group is not to be killed any more.
    pub(crate) fn forget(&self, script: Pid) {
        if let Some(place) = self.place_of(script.get()) {
            place.clear();
        }
    }

    fn place_of(&self, number: i32) -> Option<Place<'_>> {
        let mut places = self.page.places().iter();
        let found = places.find(|place| place.load(Ordering::Acquire) == number);
        found.map(Place)
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.hold = None;
        // It ends at once; whatever wait says, it is over.
        usage::wait(self.process.get(), 0)
            .map(drop)
            .unwrap_or_default();
    }
}

/// What the guard does all its life.
fn watch(reader: &OwnedFd, page: Page) {
    setpgid(NixPid::from_raw(0), NixPid::from_raw(0)).unwrap_or_default();
    signal::ignore_all();
    if nix::unistd::dup2_stdin(reader).is_err() {
        return;
    }
    // Whoever waits for the end of the parent's output must not wait for the guard.
    fd::keep_input_only();
    // Nobody writes; what is awaited is that nobody is left who could.
    while nix::unistd::read(io::stdin().as_fd(), &mut [0]) == Err(Errno::EINTR) {}
    let groups = page
        .places()
        .iter()
        .map(|place| place.load(Ordering::Acquire));
    for group in groups.filter_map(Pid::new) {
        // A group that is gone needs no signal.
        signal::send_to_group(group, Signal::KILL).unwrap_or_default();
    }
}

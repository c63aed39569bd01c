//! A small process that outlives its parent by a moment, and takes with it what the parent leaves behind.
//!
//! A runner of scripts that is killed can end nothing any more. Its guard is in a process group of its own, so that a
//! signal to the runner's group does not reach it, and in the runner's session, which killall5(8) spares. It
//! reads from a pipe which process groups belong to scripts that run, and kills them at the end of the pipe. A script
//! that has ended is crossed off before its number is free, so no daemon that it has left is ever hit.

use std::io;
use std::os::fd::{AsRawFd, OwnedFd, RawFd};

use nix::fcntl::OFlag;
use nix::unistd::{Pid as NixPid, setpgid};

use super::{child, fd, signal, usage};
use crate::process::{Pid, Signal};

/// Says that nothing runs. What runs all the same is named behind it.
const NOTHING: i32 = 0;
const NUMBER: usize = size_of::<i32>();

/// The parent's hold on its guard.
#[derive(Debug)]
pub(crate) struct Guard {
    writer: Option<OwnedFd>,
    process: Pid,
}

impl Guard {
    /// Starts the guard of this process.
    pub(crate) fn post() -> io::Result<Self> {
        let (reader, writer) = nix::unistd::pipe2(OFlag::O_CLOEXEC)?;
        // A descriptor that is one of the standard ones would be a script's input or output.
        let (reader, writer) = (fd::above_standard(reader)?, fd::above_standard(writer)?);
        let process = child::fork_and_call(|| watch(&reader))?;
        // It does so itself too; whoever is first, from here on no signal to our group reaches it.
        let number = NixPid::from_raw(process.get());
        setpgid(number, number).unwrap_or_default();
        Ok(Self {
            writer: Some(writer),
            process,
        })
    }

    /// Returns the number of the descriptor a child has to give to [`Guard::tell`].
    pub(crate) fn writer(&self) -> RawFd {
        self.writer.as_ref().map_or(-1, AsRawFd::as_raw_fd)
    }

    /// Says that a process group runs. Async-signal-safe.
    pub(crate) fn tell(writer: RawFd, group: i32) {
        let bytes = group.to_ne_bytes();
        // SAFETY: the pointer is to so many bytes of this frame. A guard that is gone needs to hear nothing.
        unsafe { libc::write(writer, bytes.as_ptr().cast(), bytes.len()) };
    }

    /// Says that these process groups run, and no others.
    pub(crate) fn only(&self, groups: impl Iterator<Item = Pid>) {
        let numbers = std::iter::once(NOTHING).chain(groups.map(Pid::get));
        let bytes: Vec<u8> = numbers.flat_map(i32::to_ne_bytes).collect();
        if let Some(writer) = &self.writer {
            // One write, so that the guard never sees a part of it. A guard that is gone needs to hear nothing.
            nix::unistd::write(writer, &bytes).unwrap_or_default();
        }
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.writer = None;
        // It ends at once; whatever wait says, it is over.
        usage::wait(self.process.get(), 0)
            .map(drop)
            .unwrap_or_default();
    }
}

/// What the guard does all its life.
fn watch(reader: &OwnedFd) {
    setpgid(NixPid::from_raw(0), NixPid::from_raw(0)).unwrap_or_default();
    signal::ignore_all();
    if nix::unistd::dup2_stdin(reader).is_err() {
        return;
    }
    // Whoever waits for the end of the parent's output must not wait for the guard.
    fd::keep_input_only();
    let input = io::stdin();
    let mut groups: Vec<i32> = Vec::new();
    let mut bytes = [0_u8; 4096];
    loop {
        let count = match nix::unistd::read(&input, &mut bytes) {
            Ok(0) => break,
            Ok(count) => count,
            Err(nix::errno::Errno::EINTR) => continue,
            Err(_) => break,
        };
        // Numbers are written whole, so they are read whole.
        for number in bytes.get(..count).unwrap_or_default().chunks_exact(NUMBER) {
            match number.first_chunk().map(|bytes| i32::from_ne_bytes(*bytes)) {
                None => {}
                Some(NOTHING) => groups.clear(),
                Some(group) => groups.push(group),
            }
        }
    }
    for group in groups.into_iter().filter_map(Pid::new) {
        // A group that is gone needs no signal.
        signal::send_to_group(group, Signal::KILL).unwrap_or_default();
    }
}

//! Signals to other processes, and which processes there are.

use std::io;
use std::os::fd::{AsRawFd, FromRawFd, OwnedFd, RawFd};
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid as Number;

use crate::process::Pid;

/// Tells whether there is such a process.
pub(super) fn is_there(pid: Pid) -> bool {
    kill(Number::from_raw(pid.get()), None) != Err(Errno::ESRCH)
}

/// Returns the name the kernel has for a process, in at most 15 bytes. `folder` is /proc.
pub(crate) fn name(folder: &Path, pid: Pid) -> io::Result<Vec<u8>> {
    let name = super::files::read(&folder.join(pid.to_string()).join("comm"), 64)?;
    Ok(name.trim_ascii_end().to_owned())
}

/// A process that is held on to: its number cannot come to mean another one.
#[derive(Debug)]
pub(crate) struct Held {
    pid: Pid,
    /// None in a kernel before 5.3, which knows processes by their numbers alone.
    descriptor: Option<OwnedFd>,
}

/// Holds on to a process. There being none is an error.
pub(crate) fn hold(pid: Pid) -> io::Result<Held> {
    // SAFETY: takes two numbers and touches no memory.
    let descriptor = unsafe { libc::syscall(libc::SYS_pidfd_open, pid.get(), 0) };
    let descriptor = match RawFd::try_from(descriptor) {
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        Ok(number) if number >= 0 => Some(unsafe { OwnedFd::from_raw_fd(number) }),
        _ if Errno::last() == Errno::ENOSYS && is_there(pid) => None,
        _ => return Err(io::Error::last_os_error()),
    };
    Ok(Held { pid, descriptor })
}

impl Held {
    /// Interrupts the process.
    pub(crate) fn interrupt(&self) -> io::Result<()> {
        self.send(Signal::SIGINT)
    }

    /// Ends the process.
    pub(crate) fn end(&self) -> io::Result<()> {
        self.send(Signal::SIGKILL)
    }

    fn send(&self, signal: Signal) -> io::Result<()> {
        let Some(descriptor) = &self.descriptor else {
            return Ok(kill(Number::from_raw(self.pid.get()), signal)?);
        };
        // SAFETY: the descriptor is open as long as `self` lives; a null `siginfo` stands for the usual one.
        let result = unsafe {
            libc::syscall(
                libc::SYS_pidfd_send_signal,
                descriptor.as_raw_fd(),
                signal as i32,
                std::ptr::null::<libc::siginfo_t>(),
                0,
            )
        };
        if result == 0 {
            Ok(())
        } else {
            Err(io::Error::last_os_error())
        }
    }
}

/// Asks every process but init and this one to end.
pub(crate) fn ask_all_to_end() -> io::Result<()> {
    Ok(kill(Number::from_raw(-1), Signal::SIGTERM)?)
}

/// Ends every process but init and this one.
pub(crate) fn end_all() -> io::Result<()> {
    Ok(kill(Number::from_raw(-1), Signal::SIGKILL)?)
}

//! Signals to other processes, and which processes there are.

use std::io;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid as Number;

use crate::process::Pid;

/// Tells whether there is such a process.
pub(crate) fn is_there(pid: Pid) -> bool {
    kill(Number::from_raw(pid.get()), None) != Err(Errno::ESRCH)
}

/// Returns the name the kernel has for a process, in at most 15 bytes. `folder` is /proc.
pub(crate) fn name(folder: &Path, pid: Pid) -> io::Result<Vec<u8>> {
    let name = super::files::read(&folder.join(pid.to_string()).join("comm"), 64)?;
    Ok(name.trim_ascii_end().to_owned())
}

/// Interrupts a process.
pub(crate) fn interrupt(pid: Pid) -> io::Result<()> {
    Ok(kill(Number::from_raw(pid.get()), Signal::SIGINT)?)
}

/// Asks every process but init and this one to end.
pub(crate) fn ask_all_to_end() -> io::Result<()> {
    Ok(kill(Number::from_raw(-1), Signal::SIGTERM)?)
}

/// Ends every process but init and this one.
pub(crate) fn end_all() -> io::Result<()> {
    Ok(kill(Number::from_raw(-1), Signal::SIGKILL)?)
}

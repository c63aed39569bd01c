//! The PID namespace this process is in, and the processes that are its to end.

use crate::container::Namespace;
use crate::process::Signal;
use nix::errno::Errno;
use nix::sys::signal::kill;
use nix::unistd::Pid as Number;
use std::io;
use std::path::Path;

/// The number of the PID namespace a kernel starts with: `PROC_PID_INIT_INO` of its `<linux/proc_ns.h>`, the same on every
/// machine since Linux 3.8.
const INITIAL: &str = "pid:[4026531836]";

/// The kernel's thread that makes its other threads: process 2 wherever a kernel was started, and nowhere else.
const KTHREADD: Number = Number::from_raw(2);

/// Tells which PID namespace process 1 is in, as it starts. `processes` is /proc.
///
/// Where that is not mounted, as in a boot without initramfs, nothing but `kthreadd` can be there yet; in a namespace
/// that was made, nothing is.
pub(crate) fn of_init(processes: &Path) -> Namespace {
    let is_initial = match std::fs::read_link(processes.join("self/ns/pid")) {
        Ok(name) => name == Path::new(INITIAL),
        Err(_) => kill(KTHREADD, None) != Err(Errno::ESRCH),
    };
    if is_initial {
        Namespace::Initial
    } else {
        Namespace::Made
    }
}

/// Sends a signal to all processes of this namespace but process 1, which is who calls.
///
/// # Errors
/// There are none, or this is not process 1 of a namespace that was made: such a one may not end everybody.
pub(crate) fn signal_all(namespace: Namespace, signal: Signal) -> io::Result<()> {
    if std::process::id() != 1 || namespace != Namespace::Made {
        return Err(Errno::EPERM.into());
    }
    // SAFETY: kill(2) touches no memory of ours. Nobody outside of this namespace can be meant.
    Errno::result(unsafe { libc::kill(-1, signal.0) })?;
    Ok(())
}

/// Has the orphans among this process's descendants become its children, as those of process 1 do.
pub(crate) fn collect_orphans() -> io::Result<()> {
    // SAFETY: this operation takes a number and touches no memory.
    Errno::result(unsafe { libc::prctl(libc::PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) })?;
    Ok(())
}

//! The shutdown that is waiting: whether there is one, and what it says of itself.
//!
//! The kernel tells by the lock on the pid file. The C sysvinit's shutdown takes no lock; it is known by its name.

use std::io;

use crate::paths::Paths;
use crate::process::Pid;
use crate::schedule::{Calendar, Clocks, Note};
use crate::sys;
use crate::sys::pid_file::{self, PidFile, Taken};

/// The name the kernel has for the C sysvinit's shutdown.
const NAME: &[u8] = b"shutdown";
/// Larger than any note: the message has at most 258 bytes.
const LARGEST_NOTE: u64 = 4096;

/// A shutdown that waits, of this program or of the C sysvinit.
#[derive(Debug)]
pub(in crate::cmd) struct Running {
    pid: Pid,
    /// None where it has not left one.
    note: Option<Note>,
}

/// Returns the process in the pid file.
pub(super) fn recorded(paths: &Paths) -> Option<Pid> {
    let content = sys::files::read(&paths.shutdown_pid(), 64).ok()?;
    let first = content.split(|&byte| byte == b'\n').next()?;
    Pid::new(std::str::from_utf8(first).ok()?.trim().parse().ok()?)
}

/// Tells whether the process is a waiting shutdown. The file of one that was killed may by now hold a stranger's
/// number.
pub(super) fn is_shutdown(paths: &Paths, pid: Pid) -> bool {
    match pid_file::holder(&paths.shutdown_pid()) {
        Ok(Some(holder)) => holder == pid,
        _ if pid.get() == std::process::id().cast_signed() => false,
        _ => sys::signalling::name(&paths.at("/proc"), pid).is_ok_and(|name| name == NAME),
    }
}

/// Makes this process the one that is waiting; `None` where there is one already.
pub(super) fn become_it(paths: &Paths) -> io::Result<Option<PidFile>> {
    if recorded(paths).is_some_and(|pid| is_shutdown(paths, pid)) {
        return Ok(None);
    }
    Ok(match pid_file::take(&paths.shutdown_pid())? {
        Taken::Ours(file) => Some(file),
        Taken::Held => None,
    })
}

/// Returns the shutdown that is waiting.
pub(in crate::cmd) fn find(paths: &Paths) -> Option<Running> {
    let pid = recorded(paths).filter(|pid| is_shutdown(paths, *pid))?;
    let text = sys::files::read(&paths.shutdown_scheduled(), LARGEST_NOTE).ok();
    let note = text.as_deref().and_then(Note::from_text);
    Some(Running {
        pid,
        // That of one that was killed is still there, and says nothing of this one.
        note: note.filter(|note| note.pid == pid),
    })
}

impl Running {
    /// Says in lines for people what it waits for.
    pub(in crate::cmd) fn describe(&self) -> io::Result<String> {
        let Some(note) = &self.note else {
            return Ok(format!(
                "shutdown: scheduled\nby: process {}, which says no more\n",
                self.pid
            ));
        };
        let clocks = clocks()?;
        let left = note.end.time_left(clocks);
        let at: Calendar = sys::calendar::local(clocks.on_the_wall.saturating_add(left))?;
        Ok(note.describe(&at, left))
    }
}

/// Reads both clocks.
pub(super) fn clocks() -> io::Result<Clocks> {
    Ok(Clocks {
        since_boot: sys::calendar::since_boot()?,
        on_the_wall: sys::calendar::now()?,
    })
}

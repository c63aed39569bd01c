//! Waiting for a child together with what it took: wait4(2).

use crate::process::{ExitStatus, Pid};
use crate::record::Usage;
use nix::errno::Errno;
use std::time::Duration;

/// A child that has ended and is gone.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reaped {
    /// Its number.
    pub(crate) pid: Pid,
    /// How it ended.
    pub(crate) status: ExitStatus,
    /// What it and the children it has waited for took.
    pub(crate) usage: Usage,
}

/// A child that has changed.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Changed {
    pub(crate) pid: Pid,
    /// The status word of waitpid(2).
    pub(crate) word: libc::c_int,
    pub(crate) usage: Usage,
}

/// Asks for a child that has changed, with the numbers and flags of waitpid(2).
pub(crate) fn wait(pid: i32, flags: i32) -> nix::Result<Option<Changed>> {
    let mut word: libc::c_int = 0;
    let mut usage = std::mem::MaybeUninit::<libc::rusage>::zeroed();
    // Not through nix, which cannot name the real-time signals and would lose the status of a child one has ended.
    // SAFETY: both pointers are to live variables of this frame, and the call keeps neither.
    let found = unsafe { libc::wait4(pid, &raw mut word, flags, usage.as_mut_ptr()) };
    let found = Errno::result(found)?;
    // SAFETY: all zeroes are a valid value, and what the kernel wrote over them is one.
    let usage = unsafe { usage.assume_init() };
    Ok(Pid::new(found).map(|pid| Changed {
        pid,
        word,
        usage: usage_of(&usage),
    }))
}

impl Changed {
    /// Takes a change for an end. Only for changes that were asked for without stops and continuations.
    pub(crate) fn ended(self) -> Reaped {
        Reaped {
            pid: self.pid,
            status: ExitStatus::from_word(self.word.cast_unsigned()),
            usage: self.usage,
        }
    }
}

fn usage_of(usage: &libc::rusage) -> Usage {
    let time = |time: libc::timeval| {
        let seconds = u64::try_from(time.tv_sec).unwrap_or(0);
        let micros = u64::try_from(time.tv_usec).unwrap_or(0);
        Duration::from_secs(seconds).saturating_add(Duration::from_micros(micros))
    };
    Usage {
        user: time(usage.ru_utime),
        system: time(usage.ru_stime),
        peak: u64::try_from(usage.ru_maxrss).unwrap_or(0),
    }
}

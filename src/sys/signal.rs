//! Signals as input: blocked, read through a descriptor, never handled in a handler.

use crate::process::{Pid, Signal};
use nix::errno::Errno;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, FromRawFd, OwnedFd};

/// Highest signal number of Linux on every architecture we build for (`_NSIG` is 64, MIPS apart).
pub(super) const LAST: i32 = 64;
/// The C library keeps these to itself and refuses them in a set.
const RESERVED: std::ops::RangeInclusive<i32> = 32..=34;

/// By which processor and C library tell that a program has failed. What is raised like that is never held back; init goes
/// on from it in `crash`.
pub(super) const FAULTS: [i32; 5] = [
    libc::SIGSEGV,
    libc::SIGBUS,
    libc::SIGILL,
    libc::SIGFPE,
    libc::SIGABRT,
];
/// What init itself can raise by what it does, and must not end or keep waiting for: a write to a closed pipe, a
/// breakpoint, a forbidden system call.
const IGNORED: [i32; 3] = [libc::SIGPIPE, libc::SIGTRAP, libc::SIGSYS];
/// By what a container's manager and `halt` speak to its init. A machine's init shows that it does not listen to them by
/// having them ignored: that is all that others can see of what it serves, as it holds back whatever it can.
const OF_CONTAINERS: [i32; 5] = [
    Signal::HALT.0,
    Signal::RESTART.0,
    Signal::HALT_NOW.0,
    Signal::POWER_OFF_NOW.0,
    Signal::RESTART_NOW.0,
];

/// All that a child of init has to give back its default action. What is handled, the faults, gets it back with the program
/// (execve(2)).
pub(super) fn ignored() -> impl Iterator<Item = i32> {
    IGNORED.into_iter().chain(OF_CONTAINERS)
}

/// The most signals that are passed over in one go, so that whoever sends them without end keeps nobody.
const MOST_PASSED_OVER: usize = 64;
/// How many are read at once.
const TOGETHER: usize = 8;
const SIZE: usize = size_of::<libc::signalfd_siginfo>();

/// The descriptor signals are read from.
///
/// That of init takes all of them, also those that are not served: one that is kept from a process and read leaves as
/// little trace as one that is ignored, but a child has not to be given its default action back, sixty times.
#[derive(Debug)]
pub(crate) struct SignalQueue {
    fd: OwnedFd,
    served: Vec<Signal>,
}

impl SignalQueue {
    /// Blocks the signals and opens a descriptor that delivers them. All others are left as they are.
    pub(crate) fn open(served: &[Signal]) -> io::Result<Self> {
        Self::over(&set_of(served.iter().map(|signal| signal.0))?, served)
    }

    /// Opens the descriptor of init, whom no other signal may reach. Whoever has started us may have set some to be
    /// ignored: SIGCHLD would take the exits away.
    pub(crate) fn of_init(served: &[Signal]) -> io::Result<Self> {
        let is_ignored = |number: i32| {
            let is_deaf_to = OF_CONTAINERS.contains(&number) && !served.contains(&Signal(number));
            IGNORED.contains(&number) || is_deaf_to
        };
        for number in 1..=LAST {
            let disposition = if is_ignored(number) {
                libc::SIG_IGN
            } else {
                libc::SIG_DFL
            };
            // One that was sent while the image before made way waits. To set the action it has already would throw it away
            // where programs ignore it by default, as they do SIGCONT and SIGWINCH (sigaction(2), POSIX).
            let is_so = disposition == libc::SIG_DFL && is_default(number);
            if !is_so && !FAULTS.contains(&number) {
                set_disposition(number, disposition);
            }
        }
        let is_taken = |number: &i32| {
            let passed_over = RESERVED.contains(number) || FAULTS.contains(number);
            !passed_over && !is_ignored(*number)
        };
        Self::over(&set_of((1..=LAST).filter(is_taken))?, served)
    }

    fn over(set: &libc::sigset_t, served: &[Signal]) -> io::Result<Self> {
        // SAFETY: `set` is initialised; no old mask is asked for.
        Errno::result(unsafe { libc::sigprocmask(libc::SIG_SETMASK, set, std::ptr::null_mut()) })?;
        // SAFETY: `set` is initialised; -1 asks for a new descriptor.
        let fd = Errno::result(unsafe {
            libc::signalfd(-1, set, libc::SFD_NONBLOCK | libc::SFD_CLOEXEC)
        })?;
        // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
        let fd = unsafe { OwnedFd::from_raw_fd(fd) };
        Ok(Self {
            fd: super::fd::above_standard(fd)?,
            served: served.to_vec(),
        })
    }

    /// Takes the next pending signal that is served, if any, and who has sent it where that was a process this one can
    /// see. What is left behind many that are not served is taken the next time.
    pub(crate) fn take(&self) -> Option<(Signal, Option<Pid>)> {
        for _ in 0..MOST_PASSED_OVER {
            let (signal, sender) = self.take_any()?;
            if self.served.contains(&signal) {
                return Some((signal, sender));
            }
        }
        None
    }

    fn take_any(&self) -> Option<(Signal, Option<Pid>)> {
        let mut bytes = [0_u8; SIZE];
        let read = nix::unistd::read(&self.fd, &mut bytes).ok()?;
        bytes.get(..read)?.first_chunk().and_then(parsed)
    }

    /// Takes pending signals, and tells of those that are served as [`take`](Self::take) does, until none is left or many
    /// were taken.
    pub(crate) fn take_all(&self, tell: &mut dyn FnMut(Signal, Option<Pid>)) {
        for _ in 0..MOST_PASSED_OVER / TOGETHER {
            let mut bytes = [0_u8; SIZE * TOGETHER];
            let Ok(read) = nix::unistd::read(&self.fd, &mut bytes) else {
                return;
            };
            let (whole, _) = bytes.get(..read).unwrap_or_default().as_chunks();
            for (signal, sender) in whole.iter().filter_map(parsed) {
                if self.served.contains(&signal) {
                    tell(signal, sender);
                }
            }
            if read < bytes.len() {
                return;
            }
        }
    }
}

/// The signal and its sender.
fn parsed(bytes: &[u8; SIZE]) -> Option<(Signal, Option<Pid>)> {
    // signalfd(2): ssi_signo, ssi_errno, ssi_code, ssi_pid are the first four fields, 32 bits wide each.
    let field = |index: usize| {
        let bytes = bytes.get(index * 4..)?.first_chunk()?;
        Some(i32::from_ne_bytes(*bytes))
    };
    let sender = field(3).and_then(Pid::new);
    Some((Signal(field(0)?), sender))
}

impl AsFd for SignalQueue {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Sets every signal to be ignored. What cannot be set (KILL, STOP, the C library's own) is passed over.
pub(crate) fn ignore_all() {
    for number in 1..=LAST {
        set_disposition(number, libc::SIG_IGN);
    }
}

/// Gives a child of init the dispositions and the mask that exec'd programs expect: all default, none blocked.
pub(super) fn reset_for_child_of_init() {
    for number in ignored() {
        set_disposition(number, libc::SIG_DFL);
    }
    block_none();
}

/// Gives any child the dispositions and the mask that exec'd programs expect: all default, none blocked.
pub(crate) fn reset_for_child() {
    for number in 1..=LAST {
        set_disposition(number, libc::SIG_DFL);
    }
    block_none();
}

fn block_none() {
    if let Ok(empty) = set_of(std::iter::empty()) {
        // SAFETY: `empty` is initialised; no old mask is asked for.
        unsafe { libc::sigprocmask(libc::SIG_SETMASK, &raw const empty, std::ptr::null_mut()) };
    }
}

/// What the keys send that end or stop programs of a terminal.
const OF_KEYS: [Signal; 3] = [Signal::INT, Signal::QUIT, Signal::TSTP];

/// Lets this process live through the keys that end or stop programs of its terminal.
pub(crate) fn ignore_terminal_keys() {
    for signal in OF_KEYS {
        set_disposition(signal.0, libc::SIG_IGN);
    }
}

/// Has them act upon this process again, as upon any program.
pub(super) fn heed_terminal_keys() {
    for signal in OF_KEYS {
        set_disposition(signal.0, libc::SIG_DFL);
    }
}

fn set_disposition(number: i32, disposition: libc::sighandler_t) {
    // SAFETY: only the two constant dispositions are ever passed, never the address of a handler.
    unsafe { libc::signal(number, disposition) };
}

/// Tells whether a signal has its default action. Those that the C library keeps for itself have it.
pub(super) fn is_default(number: i32) -> bool {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::uninit();
    // SAFETY: no action is given, and the pointer is to writable memory of the right type.
    let result = unsafe { libc::sigaction(number, std::ptr::null(), action.as_mut_ptr()) };
    // SAFETY: sigaction has filled it in where it succeeded.
    Errno::result(result).is_err() || unsafe { action.assume_init() }.sa_sigaction == libc::SIG_DFL
}

fn set_of(numbers: impl Iterator<Item = i32>) -> io::Result<libc::sigset_t> {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointer is to writable memory of the right type.
    Errno::result(unsafe { libc::sigemptyset(set.as_mut_ptr()) })?;
    // SAFETY: sigemptyset has initialised it.
    let mut set = unsafe { set.assume_init() };
    for number in numbers {
        // SAFETY: `set` is initialised.
        Errno::result(unsafe { libc::sigaddset(&raw mut set, number) })?;
    }
    Ok(set)
}

/// Tells whether a process is there.
pub(super) fn exists(pid: Pid) -> bool {
    // SAFETY: as in `send_to_group`; signal 0 only asks.
    unsafe { libc::kill(pid.get(), 0) == 0 || Errno::last() == Errno::EPERM }
}

/// Tells whether a process group has members, zombies included.
pub(crate) fn group_exists(leader: Pid) -> bool {
    // SAFETY: as in `send_to_group`; signal 0 only asks.
    unsafe { libc::kill(-leader.get(), 0) == 0 }
}

/// Sends a signal to a process group, or to the child that is about to lead it.
pub(crate) fn send_to_group(leader: Pid, signal: Signal) -> io::Result<()> {
    // SAFETY: kill(2) touches no memory of ours; pids are positive, so one process or one group is meant, never all.
    let send = |target: i32| Errno::result(unsafe { libc::kill(target, signal.0) }).map(drop);
    match send(-leader.get()) {
        Err(Errno::ESRCH) => {}
        result => return Ok(result?),
    }
    // A child that was forked a moment ago is still in our own group. It has nobody with it yet.
    let group = nix::unistd::getpgid(Some(nix::unistd::Pid::from_raw(leader.get())));
    if group == Ok(nix::unistd::getpgrp()) {
        send(leader.get())?;
    } else {
        send(-leader.get())?;
    }
    Ok(())
}

/// Every signal held back, until this goes away. A child that is forked meanwhile loses none of those it is sent
/// while it still has the parent's handlers.
pub(crate) struct HeldBack(Option<libc::sigset_t>);

impl HeldBack {
    pub(crate) fn all() -> Self {
        let mut all = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        let mut old = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
        // SAFETY: the pointer is to writable memory of the right type. The C library leaves its own signals out.
        if unsafe { libc::sigfillset(all.as_mut_ptr()) } != 0 {
            return Self(None);
        }
        // SAFETY: sigfillset has initialised the one set, and the other pointer is to writable memory of the right type.
        let result = Errno::result(unsafe {
            libc::sigprocmask(libc::SIG_SETMASK, all.as_ptr(), old.as_mut_ptr())
        });
        // SAFETY: sigprocmask has filled it in where it succeeded.
        Self(result.is_ok().then(|| unsafe { old.assume_init() }))
    }
}

impl Drop for HeldBack {
    fn drop(&mut self) {
        if let Some(old) = &self.0 {
            // SAFETY: `old` is a mask the kernel has given us; no old mask is asked for.
            unsafe { libc::sigprocmask(libc::SIG_SETMASK, old, std::ptr::null_mut()) };
        }
    }
}

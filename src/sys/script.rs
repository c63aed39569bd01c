//! Running scripts in the foreground and hearing of everything that happens meanwhile, for a program without
//! threads.
//!
//! The signals a runner of scripts cares for are held back in it (blocked) and read through a descriptor, so nothing
//! interrupts it at a bad moment and it waits for them together with all else.

use std::ffi::{CString, OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::stat::{Mode, umask};
use nix::unistd::{Pid as NixPid, getpgrp, tcgetpgrp, tcsetpgrp};

use super::execution::WordVector;
use super::guard::Guard;
use super::launch::{Ground, Launch};
use super::signal::SignalQueue;
use super::usage::{self, Reaped};
use crate::process::{Pid, Signal};

/// Something that happened while a script ran.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Occurrence {
    /// A script may have ended or stopped: look at it.
    ChildChanged,
    /// This program is asked to end.
    Terminate,
    /// Somebody pressed the key that suspends what runs.
    Suspend,
    /// Somebody pressed a key that ends what runs, and this is its signal.
    Interrupt(Signal),
}

/// What the kernel says of a script.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Progress {
    /// It runs, or waits for input it may not read yet.
    Runs,
    /// Ctrl-Z has stopped it.
    Suspended,
    /// It has ended, and its number is its own until it is reaped.
    Ended,
}

/// The signals that are held back while scripts run.
#[derive(Debug)]
pub(crate) struct HeldSignals {
    queue: SignalQueue,
}

impl HeldSignals {
    /// Holds back what [`HeldSignals::take`] returns, and SIGTTOU, which would stop a background program that
    /// sets its terminal.
    pub(crate) fn hold() -> io::Result<Self> {
        reset_disposition(libc::SIGCHLD);
        let held = [
            Signal::CHLD,
            Signal::TERM,
            Signal::INT,
            Signal::QUIT,
            Signal::TSTP,
            Signal::TTOU,
        ];
        Ok(Self {
            queue: SignalQueue::open(&held)?,
        })
    }

    /// Takes the next occurrence, if there is one.
    pub(crate) fn take(&self) -> Option<Occurrence> {
        loop {
            if let Some(occurrence) = occurrence(self.queue.take()?.0) {
                return Some(occurrence);
            }
        }
    }

    /// Takes what has occurred. Of very many signals some are left for the next time.
    pub(crate) fn take_all(&self) -> Vec<Occurrence> {
        let mut all = Vec::new();
        self.queue
            .take_all(&mut |signal, _| all.extend(occurrence(signal)));
        all
    }
}

fn occurrence(signal: Signal) -> Option<Occurrence> {
    match signal {
        Signal::CHLD => Some(Occurrence::ChildChanged),
        Signal::TERM => Some(Occurrence::Terminate),
        Signal::TSTP => Some(Occurrence::Suspend),
        Signal::TTOU => None,
        key => Some(Occurrence::Interrupt(key)),
    }
}

impl AsFd for HeldSignals {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.queue.as_fd()
    }
}

/// The terminal whose keys reach this program, as long as it is in the foreground there.
#[derive(Debug)]
pub(crate) struct OwnTerminal {
    terminal: OwnedFd,
    group: NixPid,
}

impl OwnTerminal {
    /// Finds it among the standard files. There is none where this program has no controlling terminal, or runs in
    /// its background.
    pub(crate) fn find() -> Option<Self> {
        let group = getpgrp();
        let (input, output, error) = (io::stdin(), io::stdout(), io::stderr());
        let standard = [input.as_fd(), output.as_fd(), error.as_fd()];
        let own = standard
            .into_iter()
            .find(|terminal| tcgetpgrp(terminal) == Ok(group))?;
        let terminal = super::fd::above_standard(own.try_clone_to_owned().ok()?).ok()?;
        Some(Self { terminal, group })
    }

    /// Puts a script's process group into the foreground.
    pub(crate) fn give(&self, script: Pid) -> io::Result<()> {
        Ok(tcsetpgrp(&self.terminal, NixPid::from_raw(script.get()))?)
    }

    /// Puts this program into the foreground again.
    pub(crate) fn take_back(&self) -> io::Result<()> {
        Ok(tcsetpgrp(&self.terminal, self.group)?)
    }
}

/// Where a script runs.
#[derive(Debug)]
pub(crate) struct Place<'a> {
    /// What becomes of its output; without, it has this program's files.
    pub(crate) output: Option<BorrowedFd<'a>>,
    /// The terminal on which it gets the foreground.
    pub(crate) terminal: Option<&'a OwnTerminal>,
    /// Who has to know of it.
    pub(crate) guard: &'a Guard,
}

/// Starts programs that get the same environment.
#[derive(Debug)]
pub(crate) struct Starter {
    ground: Ground,
}

impl Starter {
    /// Prepares what they have in common. A variable that no environment can have, as there is a NUL in it, is left out. The
    /// dispositions of signals are those of now.
    pub(crate) fn new(environment: &[(OsString, OsString)]) -> io::Result<Self> {
        let variables = environment.iter();
        let variables = variables.map(|(name, value)| (name.as_bytes(), value.as_bytes()));
        let environment = WordVector::of_variables(variables);
        Ok(Self {
            ground: Ground::new(environment)?,
        })
    }

    /// Starts a program in a process group of its own, with this program's input and directory, exactly the environment
    /// given, and no signal blocked or ignored but a hang-up that is ignored here (nohup(1)). Returns when it has been
    /// executed.
    pub(crate) fn start<'a>(
        &mut self,
        program: &'a Path,
        words: impl IntoIterator<Item = &'a OsStr>,
        place: &Place<'_>,
    ) -> io::Result<Pid> {
        let words = [program.as_os_str()].into_iter().chain(words);
        Launch {
            program: CString::new(program.as_os_str().as_bytes())?,
            // A file's name and the words rc has for it hold no NUL, so none is left out.
            words: WordVector::new(words.map(OsStr::as_bytes)),
            output: place.output.as_ref().map(AsRawFd::as_raw_fd),
            terminal: place.terminal.map(|own| own.terminal.as_raw_fd()),
            place: place.guard.place(),
        }
        .start(&mut self.ground)
    }
}

/// Gives a signal its default effect. The kernel refuses that for KILL and STOP, which have no other, and the C
/// library for the numbers it keeps for itself.
fn reset_disposition(number: libc::c_int) {
    // SAFETY: SIG_DFL installs no handler, so no code of ours can be run by the signal.
    unsafe { libc::signal(number, libc::SIG_DFL) };
}

/// Looks at a script started by a [`Starter`] without waiting. One that has ended stays to be reaped.
pub(crate) fn progress(script: Pid) -> io::Result<Progress> {
    let look = |flags: libc::c_int| {
        let mut found = std::mem::MaybeUninit::<libc::siginfo_t>::zeroed();
        let id = script.get().cast_unsigned();
        // SAFETY: the pointer is to writable memory of the right type, and the call keeps none.
        let result = unsafe { libc::waitid(libc::P_PID, id, found.as_mut_ptr(), flags) };
        // SAFETY: all zeroes are a valid value, and what the kernel wrote over them is one.
        Errno::result(result).map(|_| unsafe { found.assume_init() })
    };
    let flags = libc::WEXITED | libc::WSTOPPED | libc::WNOHANG;
    let found = look(flags | libc::WNOWAIT)?;
    // SAFETY: the kernel fills in these fields, or they are zero.
    let signal = unsafe { found.si_status() };
    Ok(match found.si_code {
        _ if found.si_signo == 0 => Progress::Runs,
        libc::CLD_STOPPED => {
            // Seen once is enough.
            look(libc::WSTOPPED | libc::WNOHANG)?;
            match signal {
                libc::SIGTSTP => Progress::Suspended,
                _ => Progress::Runs,
            }
        }
        _ => Progress::Ended,
    })
}

/// Takes the end of a script that has ended.
pub(crate) fn reap(script: Pid) -> io::Result<Reaped> {
    match usage::wait(script.get(), 0)? {
        Some(changed) => Ok(changed.ended()),
        None => Err(Errno::ECHILD.into()),
    }
}

/// Reads the line that somebody has typed, if anybody can: standard input is ready.
pub(crate) fn answer() -> Option<Vec<u8>> {
    let mut line = [0; 256];
    let count = nix::unistd::read(io::stdin(), &mut line).ok()?;
    let line = line.get(..count).filter(|line| !line.is_empty())?;
    Some(line.to_owned())
}

/// Sets the permissions that files made by this program and its children do not get: none for others to write.
pub(crate) fn set_umask_022() {
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
}

//! Starting a script: a child that shares this program's memory until it executes, while this program stands still.
//!
//! fork(2) copies the tables of a memory that the child is about to throw away, and has the parent pay once more for every
//! page that it touches next. That is a quarter of the time that a trivial script takes. Here the parent waits until the
//! child has executed, as it would have to anyway: only then is it known whether there is such a program.
//!
//! The child may not disturb what it shares. It has a stack of its own and calls the kernel without the C library, and it
//! writes nothing else but its number for the guard and what has gone wrong.

use super::bare;
use super::execution::WordVector;
use super::guard::Place;
use super::sharing::Stack;
use super::signal::{self, HeldBack};
use crate::process::Pid;
use nix::errno::Errno;
use std::ffi::{CStr, CString, c_int, c_void};
use std::io;
use std::os::fd::RawFd;
use std::sync::atomic::{AtomicI32, Ordering};

/// What children have in common that are started one after another: made once, as each would ask for the same memory again.
#[derive(Debug)]
pub(super) struct Ground {
    /// `NAME=VALUE`.
    environment: WordVector,
    /// The signals that get their default action. None changes while children are started.
    reset: Vec<c_int>,
    stack: Stack,
}

impl Ground {
    /// Prepares to start children with this environment, and with the signals as they are here now, but ignored ones.
    pub(super) fn new(environment: WordVector) -> io::Result<Self> {
        Ok(Self {
            environment,
            reset: signals_to_reset(),
            stack: Stack::new()?,
        })
    }
}

/// What is started, and how. The descriptors stay open until it has been.
#[derive(Debug)]
pub(super) struct Launch<'a> {
    pub(super) program: CString,
    /// The words it gets; the first one is its name.
    pub(super) words: WordVector,
    /// What becomes descriptors 1 and 2, and is neither.
    pub(super) output: Option<RawFd>,
    /// The terminal on which it gets the foreground.
    pub(super) terminal: Option<RawFd>,
    /// Where the guard looks for its number.
    pub(super) place: Option<Place<'a>>,
}

/// What the child reads, and where it says why it could not execute.
struct Job<'a> {
    launch: &'a Launch<'a>,
    ground: &'a Ground,
    /// The number of the error; 0 as long as there is none.
    error: AtomicI32,
}

impl Launch<'_> {
    /// Starts it as the leader of a process group of its own, with no signal blocked.
    ///
    /// # Errors
    /// There is no memory for a process, or the program cannot be executed; then no process is left.
    pub(super) fn start(&self, ground: &mut Ground) -> io::Result<Pid> {
        let job = Job {
            launch: self,
            ground,
            error: AtomicI32::new(0),
        };
        // None of them may end the child while it is half of this program.
        let held_back = HeldBack::all();
        // SAFETY: the child runs `enter` on a stack of its own, which is large enough and which no other child has, as this
        // process stands still until it has executed or ended. It reads the job, which so stays where it is.
        let result = unsafe {
            libc::clone(
                enter,
                job.ground.stack.top(),
                libc::CLONE_VM | libc::CLONE_VFORK | libc::SIGCHLD,
                (&raw const job).cast_mut().cast::<c_void>(),
            )
        };
        let failed = Errno::last();
        drop(held_back);
        let pid = Pid::new(result).ok_or(failed)?;
        match job.error.load(Ordering::Acquire) {
            0 => Ok(pid),
            error => {
                // Before its number is free.
                if let Some(place) = &self.place {
                    place.clear();
                }
                // It has ended; nothing of it is of interest.
                super::usage::wait(pid.get(), 0)
                    .map(drop)
                    .unwrap_or_default();
                Err(io::Error::from_raw_os_error(error))
            }
        }
    }
}

/// Where the child begins.
extern "C" fn enter(job: *mut c_void) -> c_int {
    // SAFETY: the parent has passed a job that lives until this child has executed or ended.
    let job = unsafe { &*job.cast_const().cast::<Job<'_>>() };
    let launch = job.launch;
    if let Some(output) = launch.output {
        bare::duplicate(output, libc::STDOUT_FILENO);
        bare::duplicate(output, libc::STDERR_FILENO);
    }
    bare::lead_group();
    let own = bare::own_pid();
    // It tells of itself, so that at no moment it can run and the guard cannot know.
    if let Some(place) = &launch.place {
        place.set(own);
    }
    if let Some(terminal) = launch.terminal {
        // SIGTTOU is held back. Without the foreground the script still runs.
        bare::put_into_foreground(terminal, own);
    }
    for &signal in &job.ground.reset {
        bare::set_default_action(signal);
    }
    bare::unblock_all_signals();
    let program: &CStr = &launch.program;
    let (words, environment) = (launch.words.as_ptr(), job.ground.environment.as_ptr());
    // SAFETY: both are vectors of words that live with the launch and with the ground.
    let error = unsafe { bare::execute(program, words, environment) };
    job.error.store(error as i32, Ordering::Release);
    bare::exit(127)
}

/// Returns the signals that have no default action here, but for a hang-up (nohup(1)).
fn signals_to_reset() -> Vec<c_int> {
    let is_meant = |&number: &c_int| number != libc::SIGHUP && !signal::is_default(number);
    (1..=signal::LAST).filter(is_meant).collect()
}

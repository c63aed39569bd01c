//! An output for a child of init that another program passes on and keeps.
//!
//! The child sees to it itself, before it executes its own program: it opens the two ends, and starts the other program as
//! the child of a child, so that it is init's to reap and not its own. Init has no part in it: nothing to wait for, no
//! descriptor, nothing that would have to be found again after a crash.

use super::bare;
use super::clock::now;
use super::output::Channel;
use super::reports::{Kind, Reports};
use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::sys::wait::waitpid;
use nix::unistd::{self, ForkResult, fork, pipe2, setpgid};
use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::time::Duration;

/// What the program says on standard error, and nothing before it, when it is ready. A program of another kind or age says
/// something else, or ends, and must not be relied upon: who writes to a pipe that nobody reads gets a signal for it.
const READY: &[u8] = b"ready\n";
/// More of what it says instead is not passed on.
const LONGEST: usize = 200;

/// The program that passes an output on.
#[derive(Debug)]
pub(crate) struct Relay {
    /// Its file.
    pub(crate) program: CString,
    /// Its words; the number of the process whose output it is follows them.
    pub(crate) words: Vec<CString>,
    /// What the output is called in a message.
    pub(crate) name: String,
    /// How long it may take to be ready.
    pub(crate) patience: Duration,
}

impl Relay {
    /// Starts the program for the output of this process, and makes that output its standard output and error. Where that
    /// fails they stay what they are, and it is reported.
    pub(super) fn attach(&self, reports: Reports) {
        if let Err(error) = self.connect().and_then(|output| put_in_place(&output)) {
            let text = format!("{}: {error}", self.name);
            reports.tell(Kind::NotRecorded, text.as_bytes(), 0);
        }
    }

    fn connect(&self) -> io::Result<OwnedFd> {
        let (source, output) = Channel::like_standard_output()?;
        let (answers, answer) = pipe2(OFlag::O_CLOEXEC)?;
        self.start(source.into(), answer)?;
        self.hear(&answers)?;
        Ok(output)
    }

    /// Starts it in the session of this process, so that whoever spares the session spares it (killall5(8)), and in a group
    /// of its own, so that the signals for this process's do not reach it.
    fn start(&self, source: OwnedFd, answer: OwnedFd) -> io::Result<()> {
        let own = CString::new(unistd::getpid().to_string())?;
        let words: Vec<&CStr> = self.words.iter().chain([&own]).map(AsRef::as_ref).collect();
        // SAFETY: init has one thread, and this is a copy of it, so the copy of the copy may do whatever they may.
        match unsafe { fork() }? {
            ForkResult::Parent { child } => {
                while waitpid(child, None) == Err(Errno::EINTR) {}
                Ok(())
            }
            ForkResult::Child => {
                // SAFETY: as above.
                if let Ok(ForkResult::Child) = unsafe { fork() } {
                    self.execute(&words, &source, &answer);
                }
                bare::exit(0)
            }
        }
    }

    fn execute(&self, words: &[&CStr], source: &OwnedFd, answer: &OwnedFd) {
        let own = unistd::Pid::from_raw(0);
        let prepared = setpgid(own, own)
            .and_then(|()| unistd::dup2_stdin(source))
            .and_then(|()| unistd::dup2_stderr(answer));
        let environment: [&CStr; 0] = [];
        let executed = prepared.and_then(|()| unistd::execve(&self.program, words, &environment));
        let Err(error) = executed;
        let program = self.program.to_string_lossy();
        let text = format!("{program}: {}", error.desc());
        unistd::write(answer, text.as_bytes())
            .map(drop)
            .unwrap_or_default();
    }

    /// Waits until the program says that it is ready.
    fn hear(&self, answers: &OwnedFd) -> io::Result<()> {
        let deadline = now().after(self.patience);
        let mut said = Vec::new();
        while said != READY {
            let left = deadline.since(now());
            if left.is_zero() {
                return Err(io::ErrorKind::TimedOut.into());
            }
            if super::poll::wait([Some(answers.as_fd())], Some(left)) == [false] {
                continue;
            }
            let mut part = [0; LONGEST];
            match unistd::read(answers, &mut part) {
                Err(Errno::EINTR) => {}
                Ok(count @ 1..) if said.len() < LONGEST => {
                    said.extend(part.iter().take(count));
                }
                Ok(_) | Err(_) => {
                    let said = String::from_utf8_lossy(&said);
                    let reason = if said.trim().is_empty() {
                        "it does not get ready"
                    } else {
                        said.trim()
                    };
                    return Err(io::Error::other(reason));
                }
            }
        }
        Ok(())
    }
}

fn put_in_place(output: &OwnedFd) -> io::Result<()> {
    unistd::dup2_stdout(output)?;
    Ok(unistd::dup2_stderr(output)?)
}

/// Says, for such a program, that it is ready. What it says on standard error from now on goes where its output goes.
pub(crate) fn be_ready() -> io::Result<()> {
    unistd::write(io::stderr(), READY)?;
    Ok(unistd::dup2_stderr(io::stdout())?)
}

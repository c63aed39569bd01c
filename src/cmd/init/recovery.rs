//! The next image of init after a crash: what it finds, what it says, and where it goes on.

use super::LARGEST_STATE;
use super::args::Origin;
use super::journal::Journal;
use super::run::Init;
use crate::initctl::ENVIRONMENT_PREFIX;
use crate::journal::{
    Cause, Crash, Recovered, last_crash, pause_after, recent_crashes, recent_shortages, replay,
};
use crate::process::ExitStatus;
use crate::supervisor::{Event, Sink};
use crate::sys;
use crate::sys::journal_file::JournalFile;
use std::fmt::Write;
use std::os::fd::OwnedFd;

/// So many crashes within a minute are no accident.
const TOO_OFTEN: usize = 3;

/// What an image that crashed has left behind.
pub(super) struct Crashed {
    pub(super) file: JournalFile,
    pub(super) text: Vec<u8>,
    /// The FIFO, to be held until it is opened anew: one that nobody holds forgets the requests in it.
    pub(super) fifo: Option<OwnedFd>,
}

impl Crashed {
    /// Looks for it. The FIFO is passed on at once to an image after this one, which may crash before it has opened it.
    /// Where the image before had no memory, this one gives the others time to free some before it needs much itself.
    pub(super) fn find() -> Option<Self> {
        let file = JournalFile::inherited()?;
        let fifo = sys::handover::receive_fifo();
        // Twice: the journal may be as long as the snapshot before it.
        let text = file.read(2 * LARGEST_STATE).unwrap_or_default();
        let shortages = recent_shortages(&text, sys::clock::now());
        if shortages > 0 {
            sys::poll::wait([None], Some(pause_after(shortages)));
        }
        Some(Self { file, text, fifo })
    }

    /// Finds out where to go on. Gives back what was left where that cannot be known, or where init has gone on and
    /// crashed too often: then as little as possible is done with it.
    pub(super) fn replay(self) -> Result<(Self, Recovered), Self> {
        let recent = recent_crashes(&self.text, sys::clock::now());
        if recent.len() >= TOO_OFTEN {
            return Err(self);
        }
        match replay(&self.text) {
            Ok(found) => Ok((self, found)),
            Err(_) => Err(self),
        }
    }
}

impl Init {
    /// Goes on where the image before has failed.
    pub(super) fn recover(&mut self, crashed: Crashed, found: Recovered, origin: Origin) {
        self.install_panic_hook();
        sys::process::set_name(c"init");
        self.home.let_go_of_standard();
        // They are part of the state, and were left in the environment for the image that crashed. What the kernel or the
        // manager has put there stays there.
        if origin == Origin::Image {
            drop(sys::process::take_variables(ENVIRONMENT_PREFIX));
        }
        let now = sys::clock::now();
        let crash = last_crash(&crashed.text);
        let recent = recent_crashes(&crashed.text, now);
        if let Some(crash) = &crash {
            match crash.cause {
                // Said once in a row, and on paper by nobody: that would need memory, too.
                Cause::NoMemory(_) if recent_shortages(&crashed.text, now) > 1 => {}
                Cause::NoMemory(_) => {
                    let text = format!("{crash}: trying again, from the last state");
                    self.report.alarm(&text);
                }
                _ => self.tell_crash(crash),
            }
        }
        #[cfg(feature = "crash-test")]
        super::provoked::look(&self.paths, &"Recovering");
        self.journal = Journal::new(Some(crashed.file), recent);
        for problem in found.problems {
            self.report.say(Sink::Both, &problem.to_string());
        }
        for what in found.given_up {
            self.report.say(Sink::Both, &what);
        }
        self.supervisor = found.supervisor;
        self.take_over_accounts(&self.supervisor.snapshot(found.written));
        self.control.resume(found.stream, found.fifo_closed);
        self.control.look(now, &mut self.report);
        drop(crashed.fifo);
        self.results = found.results;
        self.waiting = found.waiting;
        self.effects = found.effects;
        self.kept = found.kept;
        self.taken = found.now;
        self.queue(Event::Resumed);
        self.look_after_children();
    }

    /// Tells of processes that are no children of ours any more: reaped, and not written down.
    fn look_after_children(&mut self) {
        let told = |pid| {
            let mut queued = self.results.iter().chain(&self.waiting);
            queued.any(|event| matches!(event, Event::Exited { pid: gone, .. } if *gone == pid))
        };
        self.kept.retain(|_, pid| sys::child::is_child(*pid));
        let mut lost = self.supervisor.processes();
        lost.retain(|pid| !sys::child::is_child(*pid) && !told(*pid));
        for pid in lost {
            // How it ended nobody knows any more.
            let status = ExitStatus::Exited(0);
            self.queue(Event::Exited { pid, status });
        }
    }

    /// One line to everybody, and a file with what helps to find the fault.
    fn tell_crash(&mut self, crash: &Crash) {
        let path = self.paths.crash_report();
        let mut report = format!(
            "init ({}) crashed {} s after the machine was started: {crash}\n",
            super::version(),
            crash.at.0.as_secs()
        );
        if !crash.places.is_empty() {
            report.push_str("places, the last first (addr2line -f -e FILE-WITH-SYMBOLS):\n");
        }
        for place in &crash.places {
            writeln!(report, "{place:#x}").unwrap_or_default();
        }
        let folder = path.parent().map(sys::files::make_folder);
        let is_kept = folder.is_some_and(|made| made.is_ok())
            && sys::files::replace(&path, report.as_bytes()).is_ok();
        let more = if is_kept {
            format!("; more in {}", path.display())
        } else {
            String::new()
        };
        let text = format!("PANIC: {crash}; going on from the last state{more}");
        self.report.alarm(&text);
    }
}

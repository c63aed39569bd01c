//! Runs the steps of a plan: starts what is due, takes what scripts say to the console, and hears how they end.

use std::ffi::OsString;
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::Path;

use anyhow::Context;

use super::late::{self, Late};
use super::record::Record;
use super::script::{Finished, PIECE, Script, Shows};
use super::tree::Tree;
use crate::cmd::console::Console;
use crate::process::{ExitStatus, Pid, Signal};
use crate::rcdir::deadline::Deadline;
use crate::rcdir::ending::{Ending, Summary};
use crate::rcdir::plan::Step;
use crate::rcdir::schedule::Schedule;
use crate::rcdir::screen::{Mark, Screen};
use crate::rcdir::settings::Asking;
use crate::record::Kept;
use crate::sys;
use crate::sys::guard::Guard;
use crate::sys::output::{Channel, Outgoing, wait};
use crate::sys::script::{HeldSignals, Occurrence, OwnTerminal, Progress, Starter};
use crate::sys::usage::Reaped;
use crate::uptime::Uptime;

/// A level's scripts while they are run.
pub(super) struct Run<'a> {
    pub(super) tree: &'a Tree,
    pub(super) starter: Starter,
    pub(super) signals: HeldSignals,
    pub(super) guard: Guard,
    pub(super) terminal: Option<OwnTerminal>,
    pub(super) screen: Screen,
    pub(super) console: Console,
    pub(super) record: Record,
    pub(super) schedule: Schedule,
    pub(super) asking: Asking,
    pub(super) scripts: Vec<Script>,
    /// Those that have ended, and of whose ends nothing has been shown and recorded yet.
    pub(super) untold: Vec<Script>,
    /// An output for the next script, opened while others run.
    pub(super) spare: Option<(Channel, OwnedFd)>,
    /// One that a script has had and nobody holds any more.
    pub(super) spent: Option<Channel>,
    pub(super) late: Vec<Late>,
    /// What is read goes through it.
    buffer: Box<[u8]>,
    pub(super) summary: Summary,
    pub(super) began: Uptime,
    /// Where a TERM has cut the run short.
    pub(super) stopped_at: Option<String>,
}

impl<'a> Run<'a> {
    /// Prepares to run the scripts of a level.
    pub(super) fn new(
        tree: &'a Tree,
        environment: &[(OsString, OsString)],
        screen: Screen,
        record: Record,
    ) -> anyhow::Result<Self> {
        let (schedule, loops) = tree.schedule();
        for broken in loops {
            sys::print::error(&format!(
                "rc: {broken}: each needs the next one; started in the order of their links"
            ));
        }
        let signals = HeldSignals::hold().context("blocking signals")?;
        sys::script::set_umask_022();
        // A console that cannot be set is no reason not to boot.
        sys::output_terminal::return_at_line_ends().unwrap_or_default();
        Ok(Self {
            guard: Guard::post().context("starting another process")?,
            terminal: OwnTerminal::find(),
            console: Console::new(
                "rc",
                Outgoing::standard(Path::new("/proc"), Path::new("/dev/console")),
            ),
            schedule,
            asking: tree.settings.asking,
            scripts: Vec::new(),
            untold: Vec::new(),
            spare: None,
            spent: None,
            late: Vec::new(),
            buffer: vec![0; PIECE].into(),
            summary: Summary::default(),
            began: sys::clock::now(),
            stopped_at: None,
            tree,
            // After the signals have been seen to.
            starter: Starter::new(environment).context("memory for starting scripts")?,
            signals,
            screen,
            record,
        })
    }

    /// Runs every step of the plan, until one of them is cut short by a TERM.
    pub(super) fn all(&mut self) -> io::Result<()> {
        loop {
            self.start_what_is_ready();
            self.tell_what_is_over();
            self.record.catch_up();
            if self.scripts.is_empty() {
                return Ok(());
            }
            self.prepare();
            self.wait();
            self.hear()?;
            self.read();
            self.look_at_the_clock();
            self.finish_what_is_over();
        }
    }

    /// Says what has come of it all and returns the exit status, and leaves what outlives it to a process of its own.
    pub(super) fn conclude(mut self, name: &str) -> u8 {
        let took = sys::clock::now().since(self.began);
        let not_run = self.tree.plan.steps.len().saturating_sub(self.summary.run);
        let cut_short = self.stopped_at.as_ref().filter(|_| not_run > 0);
        // The script at hand may well be the one that has asked for another level, and then all is well.
        let is_worth_it = self.stopped_at.is_none() || self.summary.failed() > 0;
        let lines = [
            self.summary.line(took).filter(|_| is_worth_it),
            cut_short.map(|at| format!("ended during {at}; {not_run} scripts not run")),
        ];
        for line in lines.into_iter().flatten() {
            self.say(&format!("{name}: {line}"));
        }
        let exit = self.stopped_at.map_or(0, |_| super::TERMINATED);
        self.record.end(&self.summary, exit);
        self.console.finish();
        // None of them is to outlive this run.
        drop((self.guard, self.terminal, self.signals));
        drop((self.spare, self.spent));
        late::relay(self.late, &mut self.console);
        exit
    }

    /// Says something of our own, in its order on the console where standard error is the console too.
    fn say(&mut self, line: &str) {
        if sys::output::error_is_output() {
            let line = self.screen.aside(format!("{line}\n").as_bytes());
            self.console.show(&line);
        } else {
            self.console.finish();
            sys::print::error(line);
        }
    }

    fn wait(&mut self) {
        let now = sys::clock::now();
        let has_room = self.console.has_room(now);
        let mut sources: Vec<BorrowedFd<'_>> = vec![self.signals.as_fd()];
        if has_room {
            sources.extend(self.scripts.iter().filter_map(Script::source));
            sources.extend(self.late.iter().map(AsFd::as_fd));
        }
        let has_to_go_on = |script: &Script| !script.is_running() && (has_room || script.is_over());
        let until = if self.scripts.iter().any(has_to_go_on) {
            Some(now)
        } else {
            let of_scripts = self.scripts.iter().flat_map(|script| {
                let deadline = script.deadline.as_ref().and_then(Deadline::due);
                [script.look, deadline.filter(|_| script.is_running())]
            });
            of_scripts.chain([self.console.due(now)]).flatten().min()
        };
        wait(&sources, self.console.sink(), until);
        self.console.advance();
    }

    /// Takes all signals that have come.
    fn hear(&mut self) -> io::Result<()> {
        for occurrence in self.signals.take_all() {
            match occurrence {
                Occurrence::ChildChanged => self.look_at_children()?,
                Occurrence::Terminate => {
                    if let Some(script) = self.scripts.first() {
                        let step = self.tree.plan.steps.get(script.step);
                        let name = step.map(|step| step.link.name.escape_ascii().to_string());
                        self.stopped_at = self.stopped_at.take().or(name);
                    }
                    self.signal_all(Signal::TERM);
                }
                // Somebody was quicker than the script that was about to take the foreground, or has no terminal.
                Occurrence::Interrupt(key) => {
                    for script in &mut self.scripts {
                        script.is_interrupted = true;
                    }
                    self.signal_all(key);
                }
                // Nobody could resume a suspended boot.
                Occurrence::Suspend => {}
            }
        }
        Ok(())
    }

    fn signal_all(&self, signal: Signal) {
        for script in self.scripts.iter().filter(|script| script.is_running()) {
            // A group that is gone needs no signal.
            sys::signal::send_to_group(script.pid, signal).unwrap_or_default();
        }
    }

    fn look_at_children(&mut self) -> io::Result<()> {
        for place in 0..self.scripts.len() {
            let Some(script) = self.scripts.get(place).filter(|script| script.is_running()) else {
                continue;
            };
            let pid = script.pid;
            match sys::script::progress(pid)? {
                Progress::Runs => {}
                Progress::Suspended => resume(pid),
                Progress::Ended => {
                    // Before its number is free, so that nobody else is taken for it.
                    self.guard.forget(pid);
                    let reaped = sys::script::reap(pid)?;
                    let is_stopped = self.stopped_at.is_some();
                    if let Some(script) = self.scripts.get_mut(place) {
                        let ending = match ending(script, reaped.status) {
                            Ending::Ended(status) if is_stopped && !status.is_success() => {
                                Ending::Stopped
                            }
                            ending => ending,
                        };
                        script.ended(ending, Some(reaped));
                    }
                }
            }
        }
        Ok(())
    }

    /// Reads what scripts say, and what others say that hold the output of one that has ended.
    fn read(&mut self) {
        for script in &mut self.scripts {
            script.read(&mut self.buffer, &mut self.screen, &mut self.console);
        }
        for late in &mut self.late {
            if !self.console.has_room(sys::clock::now()) {
                break;
            }
            let lines = late.lines();
            if !lines.is_empty() {
                self.console.show(&self.screen.aside(&lines));
            }
        }
        self.late.retain(|late| !late.has_ended());
    }

    /// Opens the next script's output while there is nothing else to do: the one that the script before last had, if that
    /// is as good as new.
    fn prepare(&mut self) {
        if self.spare.is_none() && self.schedule.has_waiting() {
            let again = self.spent.take().and_then(Channel::for_another_script);
            self.spare = again.or_else(|| Channel::for_script().ok());
        }
    }

    /// Lets others begin that have waited for a script. What there is to say of its end comes after that: it costs as much
    /// as a tenth of a short script, and can be done while the next one runs.
    fn finish_what_is_over(&mut self) {
        while let Some(place) = self.scripts.iter().position(Script::is_over) {
            let script = self.scripts.remove(place);
            self.take_terminal_back();
            self.schedule.ended(script.step);
            self.untold.push(script);
        }
    }

    /// Shows and records the ends of scripts.
    pub(super) fn tell_what_is_over(&mut self) {
        for script in std::mem::take(&mut self.untold) {
            let (place, pid, shows) = (script.step, script.pid, script.shows);
            let title = script.title.clone();
            let Finished {
                ending,
                reaped,
                kept,
                late,
                spent,
            } = script.finish();
            if shows == Shows::Whole {
                self.screen.begin(&title);
                self.console.show(&self.screen.output(&kept.to_bytes()));
            }
            if let Some(step) = self.tree.plan.steps.get(place) {
                let kept = Some(&kept).filter(|_| shows != Shows::Itself);
                self.tell_end(step, Some(pid), &ending, reaped, kept);
            }
            self.late.extend(late);
            self.spent = spent.or_else(|| self.spent.take());
        }
    }

    /// Shows how a script has ended, and records it.
    pub(super) fn tell_end(
        &mut self,
        step: &Step,
        pid: Option<Pid>,
        ending: &Ending,
        reaped: Option<Reaped>,
        kept: Option<&Kept>,
    ) {
        // What a script that has the console itself has shown there is not known. It is likely to have said that all is
        // well.
        let is_known = kept.is_some() || pid.is_none() || ending.mark() == Mark::Fail;
        if is_known {
            let end = self.screen.end(ending.mark(), &ending.remark());
            self.console.show(&end);
        }
        self.summary.add(&step.link.name, ending);
        self.record.script_ends(step, pid, ending, reaped, kept);
    }

    pub(super) fn take_terminal_back(&self) {
        if let Some(terminal) = &self.terminal {
            // Without it the next script cannot be interrupted, and runs.
            terminal.take_back().unwrap_or_default();
        }
    }
}

/// Lets a script go on that a key has suspended.
pub(super) fn resume(pid: Pid) {
    sys::signal::send_to_group(pid, Signal::CONT).unwrap_or_default();
}

fn ending(script: &Script, status: ExitStatus) -> Ending {
    if script.deadline.is_some_and(|deadline| deadline.is_over()) {
        Ending::TimedOut
    } else if script.is_interrupted && !status.is_success() {
        Ending::Interrupted
    } else {
        Ending::of(status)
    }
}

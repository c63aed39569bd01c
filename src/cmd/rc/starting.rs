//! Starting what is due: asking for it where that is wanted, giving it its place, and its output a way.

use std::ffi::OsStr;
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::path::Path;

use super::asking::{self, Answer};
use super::run::Run;
use super::script::{SILENCE, Script, Shows};
use crate::process::Pid;
use crate::rcdir::deadline::Deadline;
use crate::rcdir::ending::Ending;
use crate::rcdir::plan::{Argument, Step};
use crate::rcdir::settings::{Asking, Order};
use crate::sys;
use crate::sys::output::Channel;
use crate::sys::script::{Place, Starter};

impl Run<'_> {
    pub(super) fn start_what_is_ready(&mut self) {
        while self.stopped_at.is_none() {
            // One at a time: a step that could not be started makes others ready.
            let Some(&place) = self.schedule.ready().first() else {
                return;
            };
            let Some(step) = self.tree.plan.steps.get(place) else {
                return;
            };
            self.schedule.started(place);
            if self.asking == Asking::Each && !self.ask(place, step) {
                continue;
            }
            self.start(place, step);
        }
    }

    /// Asks whether to run a script. If not, it counts as ended.
    fn ask(&mut self, place: usize, step: &Step) -> bool {
        self.tell_what_is_over();
        let question = format!(
            "{}? (y)es, (n)o, (c)ontinue without asking ",
            String::from_utf8_lossy(&asking::title(step))
        );
        match asking::ask(&question, &mut self.console, &self.signals) {
            Answer::Yes => return true,
            Answer::Always => {
                self.asking = Asking::Never;
                return true;
            }
            Answer::No => {}
            Answer::Ended => self.stopped_at = Some(step.link.name.escape_ascii().to_string()),
        }
        self.schedule.ended(place);
        if self.stopped_at.is_none() {
            self.screen.begin(&shown_title(step));
            self.record.script_begins(step, None);
            self.tell_end(step, None, &Ending::Declined, None, None);
        }
        false
    }

    fn start(&mut self, place: usize, step: &Step) {
        let output = self.output(place);
        if output.is_none() {
            // It writes there itself from now on.
            self.tell_what_is_over();
            self.console.finish();
        }
        let has_terminal = output.is_none() || self.tree.order() == Order::Links;
        let place_of_it = Place {
            output: output.as_ref().map(|(_, taker)| taker.as_fd()),
            // Of several only one could have the foreground, and it is not known which one would want it.
            terminal: self.terminal.as_ref().filter(|_| has_terminal),
            guard: &self.guard,
        };
        let program = self.tree.program(step);
        let started = started(&mut self.starter, &program, step.argument, &place_of_it);
        self.tell_what_is_over();
        match started {
            Ok(pid) => {
                let now = sys::clock::now();
                let mut script = Script::new(place, pid, shown_title(step), output);
                script.deadline = self
                    .tree
                    .deadline(place)
                    .map(|limit| Deadline::new(limit, now));
                if script.shows == Shows::Live && self.tree.order() == Order::Headers {
                    script.shows = Shows::Whole;
                }
                if script.shows != Shows::Itself {
                    script.look = Some(now.after(SILENCE));
                }
                if script.shows != Shows::Whole {
                    self.screen.begin(&script.title);
                }
                self.scripts.push(script);
                self.record.script_begins(step, Some(pid));
            }
            Err(error) => {
                self.take_terminal_back();
                self.screen.begin(&shown_title(step));
                self.record.script_begins(step, None);
                let ending = Ending::NotStarted(reason(&error));
                self.tell_end(step, None, &ending, None, None);
                self.schedule.ended(place);
            }
        }
    }

    /// Opens what a script writes to. None for one that talks to whoever sits at the console, and where there is
    /// nothing to be had.
    fn output(&mut self, place: usize) -> Option<(Channel, OwnedFd)> {
        if self.tree.is_interactive(place) {
            return None;
        }
        let spare = self.spare.take();
        let current = spare.filter(|(channel, taker)| channel.is_current(taker.as_fd()));
        current.or_else(|| Channel::for_script().ok())
    }
}

/// What a script is called on the console.
fn shown_title(step: &Step) -> Vec<u8> {
    let word = match step.argument {
        Argument::Start => "Starting ",
        Argument::Stop => "Stopping ",
    };
    [word.as_bytes(), &step.link.name].concat()
}

/// Says why a script could not be started.
fn reason(error: &io::Error) -> String {
    match error.kind() {
        // The file was there a moment ago, so it is the interpreter of its first line that is not.
        io::ErrorKind::NotFound => "its interpreter is missing".to_owned(),
        _ => crate::cmd::reason(error),
    }
}

/// Starts a script, by itself or by the shell.
fn started(
    starter: &mut Starter,
    program: &Path,
    argument: Argument,
    place: &Place<'_>,
) -> io::Result<Pid> {
    let word = OsStr::new(argument.word());
    log::debug!("{} {}", program.display(), argument.word());
    match starter.start(program, [word], place) {
        // A script without `#!` is one for the shell, as execvp(3) has it.
        Err(error) if error.raw_os_error() == Some(libc::ENOEXEC) => {
            let words = [program.as_os_str(), word];
            starter.start(Path::new("/bin/sh"), words, place)
        }
        result => result,
    }
}

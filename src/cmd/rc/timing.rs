//! What the clock demands of scripts that run: to name those that are silent, and to end those that take too long.

use super::overdue;
use super::run::{Run, resume};
use super::script::{SILENCE, Shows};
use crate::process::Signal;
use crate::rcdir::deadline::Demand;
use crate::rcdir::ending::Ending;
use crate::sys;

impl Run<'_> {
    pub(super) fn look_at_the_clock(&mut self) {
        let now = sys::clock::now();
        let is_alone = self.scripts.len() == 1;
        for script in &mut self.scripts {
            if script.look.is_some_and(|look| look <= now) {
                script.look = None;
                if is_alone {
                    let was_live = script.shows == Shows::Live;
                    script.go_live(&mut self.screen, &mut self.console);
                    // Its name stands in each line of a countdown, of which the first is due as well where rc comes
                    // late.
                    let deadline = script.deadline.as_ref();
                    if !deadline.is_some_and(|deadline| deadline.is_told(now)) {
                        self.console.show(&self.screen.silence());
                    }
                    if let Some(terminal) = self.terminal.as_ref().filter(|_| !was_live) {
                        // It may wait for an answer, and is suspended if it has tried to read one.
                        terminal.give(script.pid).unwrap_or_default();
                        resume(script.pid);
                    }
                }
                if !is_alone || self.terminal.is_some() {
                    script.look = Some(now.after(SILENCE));
                }
                // A child may be suspended where the shell that waits for it is not, and then nobody tells us.
                if self.terminal.is_some() && overdue::is_suspended(script.pid) {
                    resume(script.pid);
                }
            }
        }
        for place in 0..self.scripts.len() {
            if let Some(script) = self
                .scripts
                .get_mut(place)
                .filter(|script| script.is_running())
                && let Some(deadline) = &mut script.deadline
            {
                let demand = deadline.look(now);
                self.meet(place, demand);
            }
        }
    }

    /// Does what the deadline of a script demands.
    fn meet(&mut self, place: usize, demand: Demand) {
        let Some(script) = self.scripts.get_mut(place) else {
            return;
        };
        let name = String::from_utf8_lossy(&script.title).into_owned();
        let pid = script.pid;
        let text = match demand {
            Demand::Nothing => return,
            Demand::Warn(seconds) => {
                let limit = script
                    .deadline
                    .map_or(0, |deadline| deadline.limit.as_secs());
                overdue::warning(&name, pid, limit, seconds)
            }
            Demand::Count(seconds) => format!("rc: {name}: TERM in {seconds} s\n"),
            Demand::Terminate => format!("rc: {name}: TERM\n"),
            Demand::Kill => format!("rc: {name}: KILL\n"),
            Demand::GiveUp => format!("rc: {name}: not even KILL ends it; going on without it\n"),
        };
        match demand {
            Demand::Terminate => sys::signal::send_to_group(pid, Signal::TERM).unwrap_or_default(),
            Demand::Kill => sys::signal::send_to_group(pid, Signal::KILL).unwrap_or_default(),
            Demand::GiveUp => script.ended(Ending::TimedOut, None),
            Demand::Nothing | Demand::Warn(_) | Demand::Count(_) => {}
        }
        if demand == Demand::Terminate {
            // A suspended process sees TERM only when it goes on.
            resume(pid);
        }
        self.console.show(&self.screen.aside(text.as_bytes()));
    }
}

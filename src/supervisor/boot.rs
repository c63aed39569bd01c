//! sysinit -> boot -> a level, and what follows level S.
#![forbid(unsafe_code)]

use super::{
    ConsoleUse, Effect, Helper, Occurrence, Phase, Program, SHORT_PAUSE, Sink, State, Supervisor,
    Title, say,
};
use crate::inittab::default_level::{DefaultLevel, default_level};
use crate::printable::Printable;
use crate::process::ExitStatus;
use crate::runlevel::{Runlevel, RunlevelSet};
use crate::uptime::Uptime;
use std::time::Duration;

/// A round of level S that took less than this was no session but a failure, and the next one is delayed:
/// the original starts one shell after another as fast as it can.
const SHORTEST_ROUND: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Goes on to the next phase, now that nothing keeps the present one open. Tells whether there may be
    /// something to start.
    pub(super) fn advance(&mut self, now: Uptime, out: &mut Vec<Effect>) -> bool {
        match self.phase {
            Phase::SysInit | Phase::Normal(Runlevel::SINGLE) => match self.next_level(out) {
                Some(level) => self.go_on_to(level, now, out),
                None => false,
            },
            Phase::Boot => {
                self.boot_phase_done = true;
                let level = self.after_boot.take().unwrap_or(Runlevel::SINGLE);
                self.enter(level, None, out);
                true
            }
            Phase::Normal(_) => {
                if self.is_over(out) {
                    return false;
                }
                if !self.said_nothing_left {
                    self.said_nothing_left = true;
                    say(out, Sink::Both, "no more processes left in this runlevel");
                }
                false
            }
        }
    }

    /// Chooses the level that follows sysinit or level S; nothing while the console is being asked.
    fn next_level(&mut self, out: &mut Vec<Effect>) -> Option<Runlevel> {
        if let Some(level) = self.chosen.take() {
            return Some(level);
        }
        if self.asking != Helper::None {
            return None;
        }
        match default_level(self.slots.iter().map(|slot| &slot.entry)) {
            DefaultLevel::Level(level) => return Some(level),
            DefaultLevel::Invalid(byte) => {
                say(
                    out,
                    Sink::Both,
                    format!("Initdefault level '{}' is invalid", Printable(&[byte])),
                );
            }
            DefaultLevel::Missing => {}
        }
        let key = self.new_key();
        self.asking = Helper::Spawning(key);
        out.push(self.start(key, Program::AskRunlevel, ConsoleUse::Controlling));
        None
    }

    /// Takes the answer of the person at the console; without one, level S is the way in.
    pub(super) fn take_answer(&mut self, status: ExitStatus, out: &mut Vec<Effect>) {
        let answer = match status {
            ExitStatus::Exited(byte) => Runlevel::from_byte(byte),
            ExitStatus::Killed(_) => None,
        };
        if answer.is_none() {
            say(out, Sink::Both, "no runlevel was chosen: going single user");
        }
        self.chosen = Some(answer.unwrap_or(Runlevel::SINGLE));
    }

    fn go_on_to(&mut self, level: Runlevel, now: Uptime, out: &mut Vec<Effect>) -> bool {
        let from_sysinit = self.phase == Phase::SysInit;
        if from_sysinit {
            out.push(Effect::Account(Occurrence::BootTime));
        }
        self.said_nothing_left = false;
        match level {
            Runlevel::SINGLE if from_sysinit => {
                self.be_in(Phase::Normal(Runlevel::SINGLE));
                self.single_since = now;
                out.push(Effect::SetTitle(Title::Level(Runlevel::SINGLE)));
                out.push(Effect::WriteRunlevel(b'S'));
                true
            }
            Runlevel::SINGLE => self.repeat_single_user(now, out),
            level if self.boot_phase_done => {
                self.enter(level, Some(Runlevel::SINGLE), out);
                true
            }
            level => {
                self.be_in(Phase::Boot);
                self.after_boot = Some(level);
                out.push(Effect::WriteRunlevel(Phase::Boot.as_byte()));
                true
            }
        }
    }

    /// Begins another round of level S: what belongs to that level alone runs again.
    fn repeat_single_user(&mut self, now: Uptime, out: &mut Vec<Effect>) -> bool {
        if now.since(self.single_since) < SHORTEST_ROUND {
            self.chosen = Some(Runlevel::SINGLE);
            self.single_since = Uptime::default();
            self.pause_until = Some(now.after(SHORT_PAUSE));
            say(
                out,
                Sink::Both,
                format!(
                    "single-user mode ended at once: next attempt in {} seconds",
                    SHORT_PAUSE.as_secs()
                ),
            );
            return false;
        }
        self.single_since = now;
        let alone = RunlevelSet::parse(b"S");
        let renewed = self.renew(|set| set == alone)
            // The original leaves the machine without a way in here, where inittab has sulogin in S and others.
            || self.renew(|set| set.contains(Runlevel::SINGLE));
        if !renewed {
            // Nothing belongs to level S: without this the machine would turn on the spot for ever.
            self.pause_until = Some(now.after(SHORT_PAUSE));
            self.chosen = Some(Runlevel::SINGLE);
        }
        renewed
    }

    /// Has entries run again whose runlevels are `such`. Tells whether there are any.
    fn renew(&mut self, such: impl Fn(RunlevelSet) -> bool) -> bool {
        let mut renewed = false;
        for slot in self.slots.revise() {
            let is_meant = slot.entry.action.is_started_by_level() && such(slot.entry.runlevels);
            if is_meant && !slot.is_active() {
                slot.executed = false;
                slot.state = State::Idle;
                renewed = true;
            }
        }
        renewed
    }

    /// Enters a level for good: message, record, environment, title.
    fn enter(&mut self, level: Runlevel, previous: Option<Runlevel>, out: &mut Vec<Effect>) {
        self.be_in(Phase::Normal(level));
        self.this_level = level;
        self.previous = previous;
        say(out, Sink::Both, format!("Entering runlevel: {level}"));
        out.push(Effect::Account(Occurrence::RunlevelChange {
            new: level,
            previous,
        }));
        out.push(Effect::SetTitle(Title::Level(level)));
        out.push(Effect::WriteRunlevel(level.as_byte()));
    }
}

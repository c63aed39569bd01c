//! Requests, and what a change of level or a re-read of the table stops.
//!
//! An entry's process must end if the new table has no entry of that id, or one with another action, or if the
//! entry does not belong to the level (boot processes live through every level, demanded ones through all but
//! S). What survives keeps its process and its marks; holds and start counts begin anew.
#![forbid(unsafe_code)]

use super::{
    Activity, Departing, Effect, Helper, MOST_DEFERRED, MOST_EXTRAS, Occurrence, Phase, Reading,
    Sink, Stage, State, Stopping, Supervisor, Title, say,
};
use crate::initctl::{Assignment, Request};
use crate::inittab::parse::single_user_fallback;
use crate::inittab::{Action, Entry, EntryId, Inittab};
use crate::printable::Printable;
use crate::process::{ExitStatus, Pid, Signal};
use crate::runlevel::{PseudoLevel, Runlevel};
use crate::supervisor::entry::Slot;
use crate::supervisor::respawn::Throttle;
use crate::supervisor::slots::Slots;
use crate::uptime::Uptime;
use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

/// How long after KILL an entry's process may take to be gone before it is given up as hanging. The original
/// allows 10 ms, which a loaded machine exceeds without anything being wrong.
const AFTER_KILL: Duration = Duration::from_secs(1);

impl Supervisor {
    /// Takes a request: at once, or after the change under way.
    pub(super) fn receive(&mut self, request: Request, out: &mut Vec<Effect>) {
        if self.deferred.len() >= MOST_DEFERRED {
            say(
                out,
                Sink::Both,
                "too many requests at once: one was dropped",
            );
            return;
        }
        let names_level = matches!(
            request,
            Request::ChangeLevel { level, .. } if Runlevel::from_byte(level).is_some()
        );
        if let Helper::Running(pid) = self.emergency_shell
            && names_level
        {
            // Who asks for a level from the emergency shell, as `poweroff` does, has done with it. The level follows
            // when the shell has ended and the table is read.
            out.push(Effect::SignalGroup {
                leader: pid,
                signal: Signal::TERM,
            });
        }
        self.deferred.push_back(request);
    }

    /// Does what a request asks for. Called when nothing is under way.
    pub(super) fn obey(&mut self, request: Request, out: &mut Vec<Effect>) {
        match request {
            Request::ChangeLevel { level, grace } => {
                self.grace = grace;
                self.obey_level(level, out);
            }
            Request::Power { status, grace } => {
                self.grace = grace;
                self.arm_power(status);
            }
            Request::SetEnvironment(assignments) => {
                for assignment in assignments {
                    self.assign(assignment, out);
                }
            }
            Request::Unimplemented { .. } => say(out, Sink::Both, "got unimplemented initrequest."),
        }
    }

    fn obey_level(&mut self, byte: u8, out: &mut Vec<Effect>) {
        // Compat: the comparison is with the byte as sent, so `s` in level S is a change (to the same level).
        if byte == self.phase.as_byte() {
            return;
        }
        if let Some(level) = Runlevel::from_byte(byte) {
            self.change_level(level, out);
        } else if let Some(pseudo) = PseudoLevel::from_byte(byte) {
            if self.phase != Phase::Normal(Runlevel::SINGLE) {
                say(
                    out,
                    Sink::Syslog,
                    format!("Activating demand-procedures for '{}'", pseudo.as_char()),
                );
                self.read(Reading::Demand(pseudo), out);
            }
        } else {
            match byte {
                b'Q' | b'q' => {
                    say(out, Sink::Syslog, "Re-reading inittab");
                    self.read(Reading::Reread, out);
                }
                b'U' | b'u' => {
                    say(out, Sink::Syslog, "Trying to re-exec init");
                    // Compat: levels 7 to 9 and the boot phases are not handed over.
                    if matches!(self.phase, Phase::Normal(level) if level <= Runlevel::REBOOT || level == Runlevel::SINGLE)
                    {
                        self.cancel_holds();
                        self.dismiss_question(out);
                        out.push(Effect::ReExec);
                    }
                }
                _ => {
                    say(
                        out,
                        Sink::Both,
                        format!("bad runlevel: {}", Printable(&[byte])),
                    );
                    self.read(Reading::Reread, out);
                }
            }
        }
    }

    fn change_level(&mut self, level: Runlevel, out: &mut Vec<Effect>) {
        let old = match self.phase {
            Phase::Normal(old) => Some(old),
            Phase::SysInit | Phase::Boot => None,
        };
        let text = match level {
            Runlevel::SINGLE => "Going single user".to_owned(),
            level => format!("Switching to runlevel: {level}"),
        };
        say(out, Sink::Both, text);
        out.push(Effect::Account(Occurrence::RunlevelChange {
            new: level,
            previous: old,
        }));
        self.previous = old;
        self.this_level = level;
        self.be_in(Phase::Normal(level));
        self.ended = None;
        self.chosen = None;
        self.after_boot = None;
        self.pause_until = None;
        self.single_since = Uptime::default();
        self.dismiss_question(out);
        let to_single = level == Runlevel::SINGLE && old != Some(Runlevel::SINGLE);
        if to_single || [Runlevel::HALT, Runlevel::MAINTENANCE, Runlevel::REBOOT].contains(&level) {
            out.push(Effect::ResetConsole);
        }
        if level.is_multi_user() {
            out.push(Effect::RepairAccounting);
        }
        self.read(Reading::Reread, out);
    }

    /// Takes the question for a runlevel off the console, now that it is answered by a request.
    fn dismiss_question(&mut self, out: &mut Vec<Effect>) {
        if let Helper::Running(pid) = self.asking {
            out.push(Effect::SignalGroup {
                leader: pid,
                signal: Signal::KILL,
            });
        }
        self.asking = Helper::None;
    }

    fn read(&mut self, why: Reading, out: &mut Vec<Effect>) {
        self.reading = Some(why);
        out.push(Effect::ReadTable);
    }

    fn assign(&mut self, assignment: Assignment, out: &mut Vec<Effect>) {
        self.extras.retain(|extra| extra.name != assignment.name);
        if assignment.value.is_none() {
            return;
        }
        if self.extras.len() >= MOST_EXTRAS {
            let name = Printable(&assignment.name);
            say(
                out,
                Sink::Both,
                format!("no room for another environment variable: {name} was not set"),
            );
            return;
        }
        self.extras.push(assignment);
    }

    /// Puts a table that was read into force.
    pub(super) fn adopt_table(&mut self, now: Uptime, table: Inittab, out: &mut Vec<Effect>) {
        match self.reading {
            None => {}
            Some(Reading::Boot) => {
                self.reading = None;
                let mut slots = Vec::with_capacity(table.entries.len());
                for entry in table.entries {
                    slots.push(Slot::new(self.new_key(), entry));
                }
                self.slots = Slots::new(slots);
            }
            Some(why @ (Reading::Reread | Reading::Demand(_))) => {
                self.merge(now, why, table, out);
            }
        }
    }

    /// Goes on with the table in force where a new one could not be read.
    pub(super) fn keep_table(&mut self, now: Uptime, out: &mut Vec<Effect>) {
        match self.reading {
            None => {}
            Some(Reading::Boot) => {
                // As without any inittab: there must be a way in for who can repair it.
                let entries = vec![single_user_fallback()];
                let table = Inittab {
                    entries,
                    ..Inittab::default()
                };
                self.adopt_table(now, table, out);
            }
            Some(why @ (Reading::Reread | Reading::Demand(_))) => {
                let table = Inittab {
                    entries: self.slots.iter().map(|slot| slot.entry.clone()).collect(),
                    ..Inittab::default()
                };
                self.merge(now, why, table, out);
            }
        }
    }

    /// Compares the table in force with the new one: what survives moves over, what must end is sent TERM.
    fn merge(&mut self, now: Uptime, why: Reading, table: Inittab, out: &mut Vec<Effect>) {
        let mut leaving: Vec<(usize, Slot)> = Vec::new();
        let mut by_id: BTreeMap<EntryId, VecDeque<(usize, Slot)>> = BTreeMap::new();
        for (place, slot) in self.slots.take().into_iter().enumerate() {
            by_id
                .entry(slot.entry.id.clone())
                .or_default()
                .push_back((place, slot));
        }
        let mut slots = Vec::with_capacity(table.entries.len());
        for entry in table.entries {
            // Ids repeat only for the fallback's `~~`; those are matched in order.
            let old = by_id.get_mut(&entry.id).and_then(VecDeque::pop_front);
            let slot = match old {
                Some((_, old)) if self.survives(&old, &entry) => Slot {
                    entry,
                    throttle: Throttle::default(),
                    misses_terminal: false,
                    state: match old.state {
                        State::Held { .. } => State::Idle,
                        state @ (State::Idle | State::Spawning | State::Running { .. }) => state,
                    },
                    ..old
                },
                Some((place, old)) => {
                    let key = self.new_key();
                    let last_exit = old.last_exit;
                    leaving.push((place, old));
                    Slot {
                        last_exit,
                        ..Slot::new(key, entry)
                    }
                }
                None => {
                    let key = self.new_key();
                    Slot::new(key, entry)
                }
            };
            slots.push(slot);
        }
        slots.extend(self.keep_broken(&table.broken, &mut by_id, out));
        self.slots = Slots::new(slots);
        leaving.extend(by_id.into_values().flatten());
        // Signals go out in the order of the table that was in force.
        leaving.sort_by_key(|(place, _)| *place);
        let departing: Vec<Departing> = leaving
            .iter()
            .filter_map(|(_, slot)| Departing::of(slot))
            .collect();
        if let Reading::Demand(pseudo) = why {
            self.demand(pseudo);
        }
        if !departing.is_empty() {
            say(
                out,
                Sink::Console,
                "Sending processes configured via /etc/inittab the TERM signal",
            );
            out.extend(departing.iter().map(|process| process.signal(Signal::TERM)));
        }
        self.reading = None;
        self.departed.clear();
        self.stopping = Some(Stopping {
            stage: Stage::Term,
            deadline: now.after(self.grace),
            departing,
        });
    }

    /// Keeps what runs by a line that was right once and cannot be read any more: a slip of the pen must not log
    /// people out. It goes on by its old line, behind the table, until the line is mended or gone.
    ///
    /// Compat: the original drops the line, and with it the process.
    fn keep_broken(
        &self,
        broken: &[EntryId],
        by_id: &mut BTreeMap<EntryId, VecDeque<(usize, Slot)>>,
        out: &mut Vec<Effect>,
    ) -> Vec<Slot> {
        let mut kept = Vec::new();
        for id in broken {
            let old = by_id.get_mut(id).and_then(|slots| {
                let (_, slot) = slots.front()?;
                let stays = slot.is_active() && self.survives(slot, &slot.entry);
                if stays { slots.pop_front() } else { None }
            });
            if let Some((_, slot)) = old {
                let id = Printable(id.as_bytes());
                say(
                    out,
                    Sink::Both,
                    format!(
                        "Id \"{id}\": its line is broken, and what runs by the old one is kept"
                    ),
                );
                kept.push(slot);
            }
        }
        kept
    }

    /// Tells whether an entry's process and marks carry over to its line in the new table.
    ///
    /// Compat: the original looks at the runlevels the entry had before, so that a changed field takes effect
    /// one re-read late; here the new field decides.
    fn survives(&self, old: &Slot, new: &Entry) -> bool {
        if old.entry.action != new.action {
            return false;
        }
        let renewed = Slot {
            entry: new.clone(),
            ..old.clone()
        };
        let is_wanted = old.demanded && self.phase != Phase::Normal(Runlevel::SINGLE);
        new.action == Action::Boot || is_wanted || renewed.belongs_to(self.phase)
    }

    fn demand(&mut self, pseudo: PseudoLevel) {
        for slot in self.slots.revise() {
            if slot.entry.runlevels.contains_pseudo(pseudo) {
                slot.demanded = true;
                slot.executed = false;
            }
        }
    }

    /// Looks whether everything that must end has ended, and goes on to KILL when the grace time is over.
    pub(super) fn continue_stopping(&mut self, now: Uptime, out: &mut Vec<Effect>) {
        let Some(stopping) = &mut self.stopping else {
            return;
        };
        if !stopping.departing.is_empty()
            && stopping.stage == Stage::Term
            && now >= stopping.deadline
        {
            say(
                out,
                Sink::Console,
                "Sending processes configured via /etc/inittab the KILL signal",
            );
            out.extend(
                stopping
                    .departing
                    .iter()
                    .map(|process| process.signal(Signal::KILL)),
            );
            stopping.stage = Stage::Kill;
            stopping.deadline = now.after(AFTER_KILL);
        }
        if !stopping.departing.is_empty() && now < stopping.deadline {
            return;
        }
        for process in &stopping.departing {
            let id = Printable(process.id.as_bytes());
            say(
                out,
                Sink::Console,
                format!("Pid {} [id {id}] seems to hang", process.pid),
            );
        }
        self.stopping = None;
        self.cancel_holds();
        out.push(Effect::SetTitle(match self.phase {
            Phase::SysInit | Phase::Boot => Title::Boot,
            Phase::Normal(level) => Title::Level(level),
        }));
        out.push(Effect::WriteRunlevel(self.phase.as_byte()));
    }

    /// Takes a process that had to end off the list.
    pub(super) fn note_departure(&mut self, pid: Pid, status: ExitStatus, out: &mut Vec<Effect>) {
        let Some(stopping) = &mut self.stopping else {
            return;
        };
        let Some(index) = stopping
            .departing
            .iter()
            .position(|process| process.pid == pid)
        else {
            return;
        };
        let process = stopping.departing.remove(index);
        self.departed.push(pid);
        out.push(Effect::LookForGroup { leader: pid });
        self.note_command_end(&process.id, status, out);
        if process.accounted {
            out.push(Effect::Account(Occurrence::ProcessEnded {
                id: process.id,
                pid,
            }));
        }
    }

    /// Gives the rest of a group the grace time its leader had: nobody else would ever end it.
    ///
    /// Compat: the original looks at leaders only, so that what a shell had started and ignores TERM stayed behind
    /// when the shell obeyed. The level change itself waits for leaders only, here as there.
    pub(super) fn note_outliving(&mut self, now: Uptime, leader: Pid) {
        let before = self.departed.len();
        self.departed.retain(|known| *known != leader);
        if self.departed.len() < before {
            self.outliving.push((leader, now.after(self.grace)));
        }
    }

    /// Kills what is left of the groups whose time is over.
    pub(super) fn kill_outliving(&mut self, now: Uptime, out: &mut Vec<Effect>) {
        let over = self.outliving.extract_if(.., |(_, until)| *until <= now);
        out.extend(over.map(|(leader, _)| Effect::SignalGroup {
            leader,
            signal: Signal::KILL,
        }));
    }

    fn cancel_holds(&mut self) {
        for slot in self.slots.revise() {
            slot.throttle = Throttle::default();
            if let State::Held { .. } = slot.state {
                slot.state = State::Idle;
            }
        }
    }

    /// Whether SIGTSTP has paused init; for the snapshot's reader.
    pub fn is_paused(&self) -> bool {
        self.activity == Activity::Paused
    }
}

impl Departing {
    fn of(slot: &Slot) -> Option<Self> {
        slot.pid().map(|pid| Self {
            id: slot.entry.id.clone(),
            pid,
            accounted: slot.is_accounted(),
        })
    }

    fn signal(&self, signal: Signal) -> Effect {
        Effect::SignalGroup {
            leader: self.pid,
            signal,
        }
    }
}

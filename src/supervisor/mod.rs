//! The state machine of PID 1: which processes must run now, which must end, and what is said about it.
//!
//! Implements init(8) and the actions of inittab(5). Decides everything and does nothing: [`Supervisor::handle`]
//! takes one [`Event`] and returns the [`Effect`]s that follow from it, in order. Time is an argument, and the
//! outcome of an effect comes back as an event, so the machine can be tested by the thousand without a kernel.
//!
//! # From power-on to a level
//!
//! | phase | entered when | what runs | ends when |
//! |---|---|---|---|
//! | sysinit (`#`) | the table has been read | sysinit entries, one after another | none runs |
//! | boot (`*`) | sysinit is over and the chosen level is not S | boot and bootwait entries, in file order | no bootwait entry runs |
//! | a level | boot is over, or a request names it | its entries, in file order | a request names another; S also when nothing runs |
//!
//! Before all that sulogin runs where the kernel's words ask for the emergency shell. That is no phase but a
//! mark: nothing else is begun, and no request served, until the shell has ended, whatever its status.
//!
//! Which level is chosen: the kernel's word, else initdefault, else the person at the console is asked. When
//! level S ends the table's initdefault is consulted (again), and the boot phase is made up for.
//!
//! # One entry
//!
//! | state | meaning | leaves it by |
//! |---|---|---|
//! | idle | no process | being due in a start pass |
//! | spawning | a process was asked for | `Spawned`, `SpawnFailed` |
//! | running | its process lives | `Exited` |
//! | held | started ten times in two minutes | five minutes; any re-read of the table; another level |
//!
//! Two marks go with the state: *executed* (started since its level was entered, so once and wait entries run
//! once) and *demanded* (called for by `telinit a`). A *start pass* walks the table in order, starts what is due,
//! and stops behind the first entry that is waited for and runs. What the kernel refuses to fork is idle again and
//! not executed, and the pass is repeated after a pause.
//!
//! # A change of level
//!
//! Read the table anew; send TERM to the group of every running entry that is gone, has another action, or does
//! not belong to the new level; wait up to the grace time; KILL what is left; only then start what the new level
//! asks for. Meanwhile children are reaped and everything else waits its turn.
//!
//! # Invariants
//!
//! Asserted after every event of random histories in `properties.rs`:
//!
//! * No process is in two places, and the exit of each is noticed; the exit of an unknown pid changes nothing.
//! * Nothing behind a waited-for entry is started while that one runs.
//! * Nothing is left undone: asked again at the same moment, the machine has nothing to add.
//! * No deadline has passed, so init never spins.
//! * What is kept and what follows from one event is bounded.
//! * The state's text reads back as the same state.
//! * A request leads from every state to its level and to exactly the processes due there.
//!
//! Every event is legal in every state. An answer that nobody waits for starts nothing; a process that nobody
//! waits for is sent TERM.
#![forbid(unsafe_code)]
#![deny(clippy::wildcard_enum_match_arm)]

mod answers;
mod boot;
mod change;
mod container;
pub mod down;
mod effect;
mod entry;
mod event;
pub mod outputs;
mod power;
#[cfg(test)]
mod properties;
pub mod rehearse;
pub mod respawn;
mod resume;
mod slots;
mod starting;
#[cfg(test)]
mod tests;

pub use crate::snapshot::Phase;
pub use container::{command_entry, is_command};
pub use effect::{ConsoleUse, Effect, Occurrence, Program, Rest, Sink, Start, Title};
pub use entry::{SlotKey, State};
pub use event::Event;

use crate::container::{Ending, Realm};
use crate::initctl::{Assignment, Request};
use crate::inittab::{Action, Entry, EntryId};
use crate::printable::Printable;
use crate::process::{ExitStatus, Pid, Signal};
use crate::record::Verdict;
use crate::runlevel::{PseudoLevel, Runlevel};
use crate::uptime::Uptime;
use entry::Slot;
use slots::Slots;
use starting::Pass;
use std::collections::{BTreeSet, VecDeque};
use std::time::Duration;

/// How long to wait before trying again what the kernel refused for want of memory or processes, and before
/// the next single-user shell when one ended at once (init(8): "cannot fork, retry").
const SHORT_PAUSE: Duration = Duration::from_secs(5);
/// Requests kept while a change of level is under way. The shell does not even read the FIFO then, so this
/// bounds only what had been read before.
const MOST_DEFERRED: usize = 32;
/// Variables kept from `telinit -e`. The original keeps 16 and drops the rest without a word.
const MOST_EXTRAS: usize = 64;
/// Grace time between TERM and KILL until a request brings its own: init(8), option `-t`.
const DEFAULT_GRACE: Duration = Duration::from_secs(3);

/// What the kernel's words ask of a boot.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BootOptions {
    /// A level to enter instead of initdefault.
    pub level: Option<Runlevel>,
    /// Whether a shell is wanted before anything else.
    pub emergency: Emergency,
    /// What init is the first process of.
    pub realm: Realm,
}

/// Whether the emergency shell comes first.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Emergency {
    /// No.
    #[default]
    NotWanted,
    /// Yes: `-b` or `emergency`.
    Wanted,
}

/// Why the table is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Reading {
    /// For the first time.
    Boot,
    /// For a change of level, `telinit q` or a hang-up.
    Reread,
    /// For a pseudo-runlevel.
    Demand(PseudoLevel),
}

/// Processes that must end before a re-read table takes effect.
#[derive(Debug, Clone)]
struct Stopping {
    stage: Stage,
    deadline: Uptime,
    departing: Vec<Departing>,
}

/// Which signal has been sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Term,
    Kill,
}

/// One process that must end.
#[derive(Debug, Clone)]
struct Departing {
    id: EntryId,
    pid: Pid,
    accounted: bool,
}

/// A process of init's own that no line of the table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Helper {
    None,
    /// The kernel refused it; it is asked for again when the pause is over.
    Refused,
    Spawning(SlotKey),
    Running(Pid),
}

/// Whether init works or has been paused by SIGTSTP.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Activity {
    Working,
    Paused,
}

/// The whole state of PID 1.
#[derive(Debug, Clone)]
pub struct Supervisor {
    realm: Realm,
    phase: Phase,
    /// What children see as `RUNLEVEL`; S until a level is entered.
    this_level: Runlevel,
    previous: Option<Runlevel>,
    /// The level the kernel's words chose, until it has been used.
    chosen: Option<Runlevel>,
    /// The level that follows the boot phase.
    after_boot: Option<Runlevel>,
    boot_phase_done: bool,
    slots: Slots,
    last_key: u64,
    reading: Option<Reading>,
    stopping: Option<Stopping>,
    /// The leaders that the last change has ended.
    departed: Vec<Pid>,
    /// Groups whose leader has ended and whose members have until then to follow.
    outliving: Vec<(Pid, Uptime)>,
    deferred: VecDeque<Request>,
    reread_wanted: bool,
    grace: Duration,
    extras: Vec<Assignment>,
    activity: Activity,
    /// The question for a runlevel, while the table names none.
    asking: Helper,
    /// Wanted until the emergency shell has ended.
    emergency: Emergency,
    emergency_shell: Helper,
    /// `shutdown -hP now`, started by SIGRTMIN+4.
    power_off: Helper,
    /// `shutdown -n`, started because level 0 or 6 came to nothing.
    taking_down: Helper,
    /// When something has happened last in level 0 or 6.
    down_since: Option<Uptime>,
    /// Nothing is started before this time.
    pause_until: Option<Uptime>,
    /// When the present round of level S began.
    single_since: Uptime,
    /// Signals the image before this one had not acted upon.
    inherited_signals: BTreeSet<Signal>,
    said_nothing_left: bool,
    /// How the command of `init -- COMMAND` has ended.
    command_status: Option<u8>,
    /// The container's end has been asked for. No part of a snapshot: whoever goes on has to ask again.
    ended: Option<Ending>,
    /// Counts the events that may have changed something.
    generation: u64,
}

impl Supervisor {
    /// Makes the state of a machine that was just powered on.
    pub fn new(options: &BootOptions) -> Self {
        Self {
            realm: options.realm,
            phase: Phase::SysInit,
            this_level: Runlevel::SINGLE,
            previous: None,
            chosen: options.level,
            after_boot: None,
            boot_phase_done: false,
            slots: Slots::default(),
            last_key: 0,
            reading: None,
            stopping: None,
            departed: Vec::new(),
            outliving: Vec::new(),
            deferred: VecDeque::new(),
            reread_wanted: false,
            grace: DEFAULT_GRACE,
            extras: Vec::new(),
            activity: Activity::Working,
            asking: Helper::None,
            emergency: options.emergency,
            emergency_shell: Helper::None,
            power_off: Helper::None,
            taking_down: Helper::None,
            down_since: None,
            pause_until: None,
            single_since: Uptime::default(),
            inherited_signals: BTreeSet::new(),
            said_nothing_left: false,
            command_status: None,
            ended: None,
            generation: 0,
        }
    }

    /// Takes one event and returns what must be done, in the order in which it must happen.
    pub fn handle(&mut self, now: Uptime, event: Event) -> Vec<Effect> {
        // The end of an orphan changes nothing, and there can be thousands a second.
        if !matches!(event, Event::Exited { pid, .. } if !self.knows(pid)) {
            self.generation = self.generation.wrapping_add(1);
        }
        let mut out = Vec::new();
        match event {
            Event::Booted => {
                out.push(Effect::SetTitle(Title::Boot));
                self.begin(&mut out);
            }
            Event::Resumed => self.resume_work(&mut out),
            Event::DeadlinePassed => {}
            Event::TableLoaded(table) => self.adopt_table(now, table, &mut out),
            Event::TableUnreadable => self.keep_table(now, &mut out),
            Event::Spawned { key, pid } => self.note_spawned(now, key, pid, &mut out),
            Event::SpawnFailed { key, reason } => {
                self.note_spawn_failed(now, key, &reason, &mut out);
            }
            Event::ExecFailed { program } => {
                say(
                    &mut out,
                    Sink::Both,
                    format!("cannot execute \"{}\"", Printable(&program)),
                );
            }
            Event::Exited { pid, status } => self.note_exit(pid, status, &mut out),
            Event::GroupOutlives { leader } => self.note_outliving(now, leader),
            Event::TerminalMissing { key, terminal } => {
                self.note_missing_terminal(now, key, &terminal, &mut out);
            }
            Event::Requested(request) => self.receive(request, &mut out),
            Event::Signalled(signal) => self.note_signal(signal, &mut out),
            Event::PowerChanged(status) => {
                self.arm_power(status);
                self.note_container_power(status, &mut out);
            }
            Event::ReExecFailed => say(&mut out, Sink::Console, "Attempt to re-exec failed"),
        }
        self.settle(now, &mut out);
        out
    }

    /// Returns when [`Event::DeadlinePassed`] is due, if at all.
    pub fn next_deadline(&self) -> Option<Uptime> {
        if self.activity == Activity::Paused {
            return None;
        }
        let outliving = self.outliving.iter().map(|(_, until)| *until);
        outliving
            .chain(self.next_step())
            .chain(self.down_deadline())
            .min()
    }

    /// When the next step of a change, a pause or a hold is due.
    fn next_step(&self) -> Option<Uptime> {
        // A deadline that nothing can be done about when it comes would keep init spinning until something can,
        // so only what the next step waits for counts.
        if let Some(stopping) = &self.stopping {
            return Some(stopping.deadline);
        }
        if self.reading.is_some() {
            return None;
        }
        if self.pause_until.is_some() || self.emergency == Emergency::Wanted {
            return self.pause_until;
        }
        self.slots
            .unsettled()
            .take_while(|slot| !slot.blocks_later_entries())
            .filter_map(|slot| match slot.state {
                State::Held { until } => Some(until),
                State::Idle | State::Spawning | State::Running { .. } => None,
            })
            .min()
    }

    /// Tells whether requests are served now. While processes are being stopped the original leaves them in
    /// the FIFO, and so do we.
    pub fn accepts_requests(&self) -> bool {
        let has_room = self.emergency == Emergency::NotWanted || self.deferred.is_empty();
        self.activity == Activity::Working && has_room && !self.is_busy()
    }

    /// The variables that `telinit -e` has set for children, oldest first.
    pub fn extras(&self) -> &[Assignment] {
        &self.extras
    }

    /// The phase or level the machine is in.
    pub fn phase(&self) -> Phase {
        self.phase
    }

    /// The entry a process runs for, also while it is being stopped; for the log.
    pub fn id_of(&self, pid: Pid) -> Option<&EntryId> {
        let departing = self
            .stopping
            .iter()
            .flat_map(|stopping| &stopping.departing);
        let mut departing = departing.filter(|process| process.pid == pid);
        let slot = self.slots.of_process(pid).map(|slot| &slot.entry.id);
        slot.or_else(|| departing.next().map(|process| &process.id))
    }

    /// What is made of the end of a process that has just been reaped: one that has been asked to end did what it
    /// was told.
    pub fn verdict_on(&self, pid: Pid, status: ExitStatus) -> Verdict {
        let stopping = self.stopping.iter();
        let mut departing = stopping.flat_map(|stopping| &stopping.departing);
        if departing.any(|process| process.pid == pid) {
            Verdict::Interrupted
        } else if status.is_success() {
            Verdict::Ok
        } else {
            Verdict::Failed
        }
    }

    /// Every process whose end is waited for.
    pub fn processes(&self) -> Vec<Pid> {
        let helpers = [
            self.asking,
            self.emergency_shell,
            self.power_off,
            self.taking_down,
        ];
        let helpers = helpers.into_iter().filter_map(|helper| match helper {
            Helper::Running(pid) => Some(pid),
            Helper::None | Helper::Refused | Helper::Spawning(_) => None,
        });
        let stopping = self.stopping.iter();
        let departing = stopping.flat_map(|stopping| &stopping.departing);
        self.slots
            .iter()
            .filter_map(Slot::pid)
            .chain(departing.map(|process| process.pid))
            .chain(helpers)
            .collect()
    }

    /// Tells whether the end of a process means anything here.
    pub fn knows(&self, pid: Pid) -> bool {
        let helpers = [
            self.asking,
            self.emergency_shell,
            self.power_off,
            self.taking_down,
        ];
        helpers.contains(&Helper::Running(pid)) || self.id_of(pid).is_some()
    }

    /// A number that differs whenever [`snapshot`](Self::snapshot) may differ.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    fn is_busy(&self) -> bool {
        self.reading.is_some() || self.stopping.is_some()
    }

    fn be_in(&mut self, phase: Phase) {
        self.phase = phase;
        self.slots.unsettle();
    }

    fn new_key(&mut self) -> SlotKey {
        self.last_key = self.last_key.wrapping_add(1);
        SlotKey(self.last_key)
    }

    /// Begins a boot: with the emergency shell where it is wanted, then with the table.
    fn begin(&mut self, out: &mut Vec<Effect>) {
        if self.emergency == Emergency::NotWanted {
            if self.slots.is_empty() && self.phase == Phase::SysInit && self.reading.is_none() {
                self.reading = Some(Reading::Boot);
                out.push(Effect::ReadTable);
            }
        } else if self.emergency_shell == Helper::None {
            let entry = Entry::new(EntryId::fallback(), b"S", Action::Wait, b"/sbin/sulogin");
            let key = self.new_key();
            self.emergency_shell = Helper::Spawning(key);
            out.push(self.start(key, Program::Entry(entry), ConsoleUse::Controlling));
        }
    }

    /// Brings the machine to where nothing more is due at `now`.
    fn settle(&mut self, now: Uptime, out: &mut Vec<Effect>) {
        loop {
            if self.activity == Activity::Paused {
                return;
            }
            self.kill_outliving(now, out);
            self.watch_the_way_down(now, out);
            if self.pause_until.is_none_or(|until| until <= now) {
                self.pause_until = None;
                if self.power_off == Helper::Refused {
                    self.ask_for_power_off(out);
                }
                if self.emergency == Emergency::Wanted {
                    self.begin(out);
                }
            }
            if self.emergency == Emergency::Wanted {
                return;
            }
            self.continue_stopping(now, out);
            if self.is_busy() {
                return;
            }
            if std::mem::take(&mut self.reread_wanted) {
                self.reading = Some(Reading::Reread);
                out.push(Effect::ReadTable);
                return;
            }
            if let Some(request) = self.deferred.pop_front() {
                self.obey(request, out);
                if out.last() == Some(&Effect::ReExec) {
                    // The next image starts what is due. Comes there none, its failure leads on.
                    return;
                }
                continue;
            }
            if self.pause_until.is_some() {
                return;
            }
            let pass = self.start_pass(now, out);
            let is_open = pass == Pass::Blocked || self.slots.iter().any(Slot::keeps_phase_open);
            if is_open || !self.advance(now, out) {
                return;
            }
        }
    }
}

/// Tells people that an entry is held and why, and has it recorded.
fn tell_of_hold(out: &mut Vec<Effect>, entry: &Entry, why: String) {
    let id = Printable(entry.id.as_bytes());
    say(out, Sink::Both, format!("Id \"{id}\" {why}"));
    out.push(Effect::Note {
        id: entry.id.clone(),
        action: entry.action,
        text: why,
    });
}

/// Adds a message.
fn say(out: &mut Vec<Effect>, sink: Sink, text: impl Into<String>) {
    out.push(Effect::Say(sink, text.into()));
}

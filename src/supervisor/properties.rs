//! What holds whatever happens: random tables, and events in any order, sensible or not.
//!
//! A [`World`] keeps what a kernel would keep - living processes, answers under way - and hands answers over when
//! a test says so, which may be late. After every event the invariants of the module's documentation are checked.
#![forbid(unsafe_code)]

use super::*;
use crate::initctl::PowerStatus;
use crate::inittab::Inittab;
use crate::inittab::parse::single_user_fallback;
use crate::journal::Mark;
use crate::process::ExitStatus;
use crate::snapshot::{Snapshot, Written};
use proptest::prelude::*;
use proptest::sample::{Index, select};

/// More effects than this, and ten for each entry, cannot follow from one event.
const MOST_EFFECTS: usize = 500;

/// One thing that happens.
#[derive(Debug, Clone)]
pub(super) enum Step {
    /// The next answer arrives.
    Answer,
    /// All answers arrive, and those to what they bring about.
    AnswerAll,
    /// An answer arrives before those that were due earlier.
    AnswerOutOfTurn(Index),
    /// A process of init's ends, be it signalled or not.
    Exit(Index, ExitStatus),
    /// One entry's process ends as soon as it is started, a dozen times.
    KeepFailing(Index),
    /// The kernel cannot fork for the next start.
    RefuseFork,
    /// Another table is put on disk; `None` cannot be read.
    Edit(Option<Vec<Entry>>),
    /// Time passes, and the shell tells so if a deadline is in it.
    Pass(Duration),
    /// Time passes just up to the next deadline.
    PassToDeadline,
    /// Anything else that may happen at any time, nonsense included.
    Happens(Event),
    /// The next image takes over.
    ReExecute,
    /// The image crashes, and the next one goes on from what was written down.
    Crash,
}

fn entry() -> impl Strategy<Value = Entry> {
    let ids = select(vec!["a", "b", "c", "d", "e", "f", "g", "h", "i", "j", "~~"]);
    let levels = select(vec![
        "", "2", "3", "23", "234", "S", "S2", "s", "a", "3a", "b2", "*", "x",
    ]);
    let actions = select(Action::NAMES.map(|(_, action)| action).to_vec());
    let processes = select(vec!["/bin/x", "+/bin/y", ""]);
    (ids, levels, actions, processes).prop_map(|(id, levels, action, process)| {
        let id = EntryId::new(id.as_bytes());
        Entry::new(id, levels.as_bytes(), action, process.as_bytes())
    })
}

/// A table as the parser gives it: no id twice but the fallback's, what goes first before the rest.
pub(super) fn entries() -> impl Strategy<Value = Vec<Entry>> {
    let default = select(vec!["", "2", "3", "S", "x"]);
    (
        prop::collection::vec(entry(), 0..12),
        prop::option::weighted(0.8, default),
        any::<bool>(),
    )
        .prop_map(|(mut entries, default, fallback)| {
            if let Some(level) = default {
                let id = EntryId::new(*b"id");
                entries.push(Entry::new(id, level.as_bytes(), Action::InitDefault, b""));
            }
            if fallback {
                entries.push(single_user_fallback());
            }
            let mut seen = BTreeSet::new();
            entries
                .retain(|entry| entry.id == EntryId::fallback() || seen.insert(entry.id.clone()));
            entries.sort_by_key(|entry| !entry.action.goes_first());
            entries
        })
}

fn status() -> impl Strategy<Value = ExitStatus> {
    prop_oneof![
        Just(ExitStatus::Exited(0)),
        Just(ExitStatus::Exited(b'3')),
        Just(ExitStatus::Exited(b'S')),
        any::<u8>().prop_map(ExitStatus::Exited),
        Just(ExitStatus::Killed(Signal::TERM)),
    ]
}

fn request() -> impl Strategy<Value = Request> {
    let grace = (0_u64..5).prop_map(Duration::from_secs);
    let status = select(vec![
        PowerStatus::Failing,
        PowerStatus::Low,
        PowerStatus::Restored,
    ]);
    let level = prop_oneof![
        8 => select(b"0123SsQqUuabC79#*".to_vec()),
        1 => any::<u8>(),
    ];
    let variable = select(vec!["INIT_A=1", "INIT_A", "INIT_B=", "INIT_C=a\\b\nc"]);
    prop_oneof![
        8 => (level, grace.clone()).prop_map(|(level, grace)| Request::ChangeLevel { level, grace }),
        2 => (status, grace).prop_map(|(status, grace)| Request::Power { status, grace }),
        1 => variable.prop_map(|text| {
            Request::SetEnvironment(vec![Assignment::parse(text.as_bytes())])
        }),
        1 => Just(Request::Unimplemented { command: 7 }),
    ]
}

/// Keys and pids that the supervisor and the [`World`] do not use.
fn nonsense() -> impl Strategy<Value = Event> {
    let key = (1_000_000_u64..1_000_010).prop_map(SlotKey);
    let pid = (1_000_000..1_000_010).prop_map(|number| Pid::new(number).unwrap());
    prop_oneof![
        Just(Event::Booted),
        Just(Event::Resumed),
        Just(Event::DeadlinePassed),
        Just(Event::ReExecFailed),
        Just(Event::TableUnreadable),
        entries().prop_map(|entries| Event::TableLoaded(Inittab {
            entries,
            ..Inittab::default()
        })),
        (pid.clone(), status()).prop_map(|(pid, status)| Event::Exited { pid, status }),
        pid.clone()
            .prop_map(|leader| Event::GroupOutlives { leader }),
        key.clone().prop_map(|key| Event::TerminalMissing {
            key,
            terminal: Box::from(*b"tty9")
        }),
        (key.clone(), pid).prop_map(|(key, pid)| Event::Spawned { key, pid }),
        key.prop_map(|key| Event::SpawnFailed {
            key,
            reason: "no".to_owned()
        }),
        Just(Event::ExecFailed {
            program: Box::from(*b"/x")
        }),
    ]
}

pub(super) fn step() -> impl Strategy<Value = Step> {
    let signal = select(vec![1, 2, 10, 12, 14, 15, 17, 18, 18, 20, 28, 30, 38]).prop_map(Signal);
    prop_oneof![
        4 => Just(Step::Answer),
        20 => Just(Step::AnswerAll),
        2 => any::<Index>().prop_map(Step::AnswerOutOfTurn),
        20 => (any::<Index>(), status()).prop_map(|(index, status)| Step::Exit(index, status)),
        3 => any::<Index>().prop_map(Step::KeepFailing),
        2 => Just(Step::RefuseFork),
        3 => prop::option::weighted(0.9, entries()).prop_map(Step::Edit),
        4 => (0_u64..400_000).prop_map(|ms| Step::Pass(Duration::from_millis(ms))),
        6 => Just(Step::PassToDeadline),
        10 => request().prop_map(|request| Step::Happens(Event::Requested(request))),
        8 => signal.prop_map(|signal| Step::Happens(Event::Signalled(signal))),
        3 => nonsense().prop_map(Step::Happens),
        1 => Just(Step::ReExecute),
        2 => Just(Step::Crash),
    ]
}

pub(super) fn options() -> impl Strategy<Value = BootOptions> {
    let level = prop::option::weighted(0.3, select(b"23S".to_vec()));
    let emergency = prop_oneof![3 => Just(Emergency::NotWanted), 1 => Just(Emergency::Wanted)];
    let realm = select(vec![Realm::Machine, Realm::Container]);
    (level, emergency, realm).prop_map(|(level, emergency, realm)| BootOptions {
        level: level.and_then(Runlevel::from_byte),
        emergency,
        realm,
    })
}

/// A supervisor and what a kernel would keep for it.
pub(super) struct World {
    init: Supervisor,
    now: Uptime,
    disk: Option<Vec<Entry>>,
    answers: VecDeque<Event>,
    processes: Vec<Pid>,
    last_pid: i32,
    refuse_fork: bool,
    /// Whether signalled processes end.
    obedient: bool,
    /// Whether the supervisor waits to be replaced, and has left undone what the next image does.
    handing_over: bool,
    /// The state at some time, and what has happened since.
    journal: Vec<u8>,
}

impl World {
    pub(super) fn new(entries: Vec<Entry>, options: &BootOptions) -> Self {
        let init = Supervisor::new(options);
        Self {
            journal: init.snapshot(Written::default()).to_text(),
            init,
            now: Uptime::from_secs(3),
            disk: Some(entries),
            answers: VecDeque::new(),
            processes: Vec::new(),
            last_pid: 1,
            refuse_fork: false,
            obedient: false,
            handing_over: false,
        }
    }

    pub(super) fn take(&mut self, step: Step) {
        match step {
            Step::Answer => {
                if let Some(event) = self.answers.pop_front() {
                    self.happens(event);
                }
            }
            Step::AnswerAll => self.answer_all(),
            Step::AnswerOutOfTurn(index) => {
                if !self.answers.is_empty() {
                    let event = self.answers.remove(index.index(self.answers.len()));
                    self.happens(event.unwrap());
                }
            }
            Step::Exit(index, status) => {
                if !self.processes.is_empty() {
                    let pid = self.processes.remove(index.index(self.processes.len()));
                    self.happens(Event::Exited { pid, status });
                }
            }
            Step::KeepFailing(index) => self.keep_failing(index),
            Step::RefuseFork => self.refuse_fork = true,
            Step::Edit(entries) => self.disk = entries,
            Step::Pass(time) => {
                self.now = self.now.after(time);
                if self.init.next_deadline().is_some_and(|at| at <= self.now) {
                    self.happens(Event::DeadlinePassed);
                }
            }
            Step::PassToDeadline => {
                if let Some(deadline) = self.init.next_deadline() {
                    self.now = self.now.max(deadline);
                    self.happens(Event::DeadlinePassed);
                }
            }
            Step::Happens(event) => self.happens(event),
            Step::ReExecute => self.re_execute(),
            Step::Crash => self.crash(),
        }
    }

    fn keep_failing(&mut self, index: Index) {
        self.answer_all();
        if self.init.slots.is_empty() {
            return;
        }
        let key = self.init.slots[index.index(self.init.slots.len())].key;
        for _ in 0..12 {
            let slot = self.init.slots.iter().find(|slot| slot.key == key);
            let Some(pid) = slot.and_then(Slot::pid) else {
                return;
            };
            self.processes.retain(|known| *known != pid);
            let status = ExitStatus::Exited(1);
            self.happens(Event::Exited { pid, status });
            self.answer_all();
        }
    }

    fn answer_all(&mut self) {
        for _ in 0..10_000 {
            let Some(event) = self.answers.pop_front() else {
                return;
            };
            self.happens(event);
        }
        panic!("answers beget answers without end");
    }

    /// What the shell does before it replaces itself: every answer has been told by then.
    fn re_execute(&mut self) {
        self.answer_all();
        self.init = Supervisor::resume(self.snapshot());
        self.handing_over = false;
        self.journal = self.snapshot().to_text();
        self.happens(Event::Resumed);
    }

    fn crash(&mut self) {
        let found = crate::journal::replay(&self.journal).unwrap();
        assert_eq!(
            found.supervisor.snapshot(Written::default()),
            self.snapshot()
        );
        assert_eq!((found.effects.len(), found.waiting.len()), (0, 0));
        self.init = found.supervisor;
    }

    /// Writes down what the shell does.
    fn mark(&mut self, event: &Event, effects: usize) {
        Mark::Queued(event).write(&mut self.journal);
        Mark::Taken(self.now).write(&mut self.journal);
        Mark::Handled.write(&mut self.journal);
        for _ in 0..effects {
            Mark::Begun.write(&mut self.journal);
        }
        Mark::Done.write(&mut self.journal);
    }

    fn snapshot(&self) -> Snapshot {
        self.init.snapshot(Written::default())
    }

    pub(super) fn happens(&mut self, event: Event) {
        let before = self.init.clone();
        let effects = self.init.handle(self.now, event.clone());
        self.mark(&event, effects.len());
        self.handing_over = effects.last() == Some(&Effect::ReExec);
        self.check_effects(&before, &effects);
        self.check_state();
        if let Event::Exited { pid, .. } = event
            && pid.get() >= 1_000_000
            && effects.is_empty()
        {
            // Nothing beyond what the time that has passed changes by itself.
            let mut without = before.clone();
            without.handle(self.now, Event::DeadlinePassed);
            let without = without.snapshot(Written::default());
            assert_eq!(
                self.snapshot(),
                without,
                "a stranger's exit changes nothing"
            );
        }
        for effect in effects {
            self.perform(effect);
        }
    }

    fn perform(&mut self, effect: Effect) {
        match effect {
            Effect::Spawn(start) => {
                let key = start.key;
                if std::mem::take(&mut self.refuse_fork) {
                    let reason = "refused".to_owned();
                    self.answers.push_back(Event::SpawnFailed { key, reason });
                } else {
                    self.last_pid += 1;
                    let pid = Pid::new(self.last_pid).unwrap();
                    self.processes.push(pid);
                    self.answers.push_back(Event::Spawned { key, pid });
                }
            }
            Effect::ReadTable => self.answers.push_back(match self.disk.clone() {
                Some(entries) => Event::TableLoaded(Inittab {
                    entries,
                    ..Inittab::default()
                }),
                None => Event::TableUnreadable,
            }),
            Effect::ReadPowerStatus => {
                self.answers
                    .push_back(Event::PowerChanged(PowerStatus::Failing));
            }
            Effect::ReExec => self.answers.push_back(Event::ReExecFailed),
            Effect::SignalGroup { leader, signal } => {
                if self.obedient && self.processes.contains(&leader) {
                    self.processes.retain(|pid| *pid != leader);
                    let status = ExitStatus::Killed(signal);
                    self.answers.push_back(Event::Exited {
                        pid: leader,
                        status,
                    });
                }
            }
            Effect::Account(_)
            | Effect::RepairAccounting
            | Effect::Note { .. }
            | Effect::WriteRunlevel(_)
            | Effect::SetTitle(_)
            | Effect::Say(_, _)
            | Effect::ResetConsole
            | Effect::ReopenFifo
            | Effect::CloseFifo
            | Effect::EndContainer { .. }
            | Effect::LookForGroup { .. } => {}
        }
    }

    /// Few effects follow from one event, and none starts an entry behind one that is waited for.
    fn check_effects(&self, before: &Supervisor, effects: &[Effect]) {
        let most = MOST_EFFECTS + 10 * self.init.slots.len();
        assert!(effects.len() <= most, "{} effects", effects.len());
        let place = |key: SlotKey| self.init.slots.iter().position(|slot| slot.key == key);
        let waited_for_before: Vec<SlotKey> = before
            .slots
            .iter()
            .filter(|slot| slot.blocks_later_entries())
            .map(|slot| slot.key)
            .collect();
        // An entry whose process has just ended can be started anew by the same event, in another phase.
        let started_anew = |key: SlotKey| {
            effects
                .iter()
                .any(|effect| matches!(effect, Effect::Spawn(start) if start.key == key))
        };
        let mut blocking: Vec<usize> = self
            .init
            .slots
            .iter()
            .enumerate()
            .filter(|(_, slot)| {
                waited_for_before.contains(&slot.key)
                    && slot.blocks_later_entries()
                    && !started_anew(slot.key)
            })
            .map(|(place, _)| place)
            .collect();
        let starts = effects.iter().filter_map(|effect| {
            if let Effect::Spawn(start) = effect {
                place(start.key).map(|place| (place, start))
            } else {
                None
            }
        });
        for (place, start) in starts {
            assert!(
                blocking.iter().all(|earlier| *earlier >= place),
                "{start:?} was started although something before it is waited for"
            );
            if let Program::Entry(entry) = &start.program
                && entry.action.is_waited_for()
            {
                blocking.push(place);
            }
        }
    }

    fn check_state(&self) {
        let init = &self.init;
        let departing = init
            .stopping
            .iter()
            .flat_map(|stopping| &stopping.departing);
        let helpers = [
            init.asking,
            init.emergency_shell,
            init.power_off,
            init.taking_down,
        ];
        let mut pids: Vec<Pid> = init.slots.iter().filter_map(Slot::pid).collect();
        pids.extend(departing.map(|process| process.pid));
        pids.extend(helpers.iter().filter_map(|helper| match helper {
            Helper::Running(pid) => Some(*pid),
            Helper::None | Helper::Refused | Helper::Spawning(_) => None,
        }));
        let count = pids.len();
        pids.sort();
        pids.dedup();
        assert_eq!(pids.len(), count, "a process in two places");

        let mut slots = init.slots.clone();
        for slot in init.slots.iter() {
            if let Some(pid) = slot.pid() {
                let found = slots.note_end(pid).map(|slot| slot.key);
                assert_eq!(found, Some(slot.key), "an exit would not be noticed");
            }
        }

        assert!(init.deferred.len() <= MOST_DEFERRED);
        assert!(init.extras.len() <= MOST_EXTRAS);

        let deadline = init.next_deadline();
        assert!(
            deadline.is_none_or(|at| at > self.now),
            "init spins: it waits until {deadline:?}, and it is {:?}",
            self.now
        );

        if !self.handing_over {
            let mut again = init.clone();
            // Also where the start pass would not look.
            again.slots.unsettle();
            let more = again.handle(self.now, Event::DeadlinePassed);
            assert_eq!(more, [], "something was left undone");
            assert_eq!(again.snapshot(Written::default()), self.snapshot());
        }
        self.check_snapshot();
    }

    /// From state to text to state and back nothing gets lost.
    fn check_snapshot(&self) {
        let snapshot = self.snapshot();
        let (read, problems) = Snapshot::from_text(&snapshot.to_text()).unwrap();
        assert_eq!(problems, []);
        let resumed = Supervisor::resume(read).snapshot(Written::default());
        assert_eq!(resumed, snapshot);
    }

    /// Lets everything come to rest: answers arrive, what is signalled ends, what is waited for ends, and time
    /// passes where nothing else happens.
    fn come_to_rest(&mut self) {
        self.obedient = true;
        self.happens(Event::Signalled(Signal::CONT));
        for _ in 0..10_000 {
            self.answer_all();
            let waited_for = self
                .init
                .slots
                .iter()
                .find(|slot| slot.blocks_later_entries())
                .and_then(Slot::pid);
            let shell = match self.init.emergency_shell {
                Helper::Running(pid) => Some(pid),
                Helper::None | Helper::Refused | Helper::Spawning(_) => None,
            };
            if let Some(pid) = waited_for.or(shell) {
                self.processes.retain(|known| *known != pid);
                let status = ExitStatus::Exited(0);
                self.happens(Event::Exited { pid, status });
            } else if !self.init.accepts_requests() {
                let deadline = self.init.next_deadline();
                self.now = deadline.expect("nothing is under way and no request is accepted");
                self.happens(Event::DeadlinePassed);
            } else {
                return;
            }
            if self.init.phase() == Phase::Normal(Runlevel::SINGLE) && self.init.accepts_requests()
            {
                // Level S may go round for ever; what is asked for below gets out of it.
                return;
            }
        }
        panic!("the machine does not come to rest");
    }

    fn change_to(&mut self, level: u8) {
        let grace = Duration::from_secs(3);
        self.happens(Event::Requested(Request::ChangeLevel { level, grace }));
        self.come_to_rest();
    }
}

/// Makes a random past: a boot and some steps.
fn past() -> impl Strategy<Value = (Vec<Entry>, BootOptions, Vec<Step>)> {
    (entries(), options(), prop::collection::vec(step(), 0..60))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::with_cases(200) })]

    #[test]
    fn the_invariants_hold_whatever_happens((entries, options, steps) in past()) {
        let mut world = World::new(entries, &options);
        world.happens(Event::Booted);
        for step in steps {
            world.take(step);
        }
    }

    #[test]
    fn events_before_the_first_one_break_nothing((entries, options, steps) in past()) {
        let mut world = World::new(entries, &options);
        for step in steps {
            world.take(step);
        }
    }

    #[test]
    fn from_every_state_a_request_leads_to_the_level_and_exactly_its_entries(
        (entries, options, steps) in past(),
        table in entries(),
    ) {
        let mut world = World::new(entries, &options);
        world.happens(Event::Booted);
        for step in steps {
            world.take(step);
        }
        world.come_to_rest();
        world.disk = Some(table.clone());
        world.refuse_fork = false;
        world.change_to(b'4');
        world.change_to(b'3');
        let level = Runlevel::from_byte(b'3').unwrap();
        prop_assert_eq!(world.init.phase(), Phase::Normal(level));
        let in_force: Vec<Entry> = world.init.entries().cloned().collect();
        prop_assert_eq!(in_force, table);
        for slot in world.init.slots.iter() {
            let belongs = slot.entry.runlevels.contains(level) || slot.demanded;
            let keeps_running = matches!(slot.entry.action, Action::Respawn | Action::OnDemand);
            let lives_through_all = slot.entry.action == Action::Boot;
            if belongs && keeps_running {
                prop_assert!(slot.pid().is_some(), "{:?} does not run", slot.entry);
            }
            if slot.is_active() {
                prop_assert!(belongs || lives_through_all, "{:?} runs", slot.entry);
            }
            let starts_by_level = slot.entry.action.is_started_by_level();
            // A demand clears the mark of a process that goes on running.
            let has_run = slot.executed || slot.is_active();
            prop_assert!(has_run || !belongs || !starts_by_level, "{:?} did not run", slot.entry);
        }
    }
}

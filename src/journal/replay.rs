//! From the lines to the state, and to what is left to do.
//!
//! What was at hand when init crashed is tried once more: most crashes are not its fault, and a request that was read
//! must not be lost. If it is at hand at the next crash too, it is given up with a message. What there was no memory for
//! is tried more often, as memory may come back. A process that was forked is never forked again.
#![forbid(unsafe_code)]

use super::{event, of_bits};
use crate::initctl::{PowerStatus, Received, RequestStream};
use crate::inittab::Inittab;
use crate::process::Pid;
use crate::snapshot::{Snapshot, SnapshotError, SnapshotProblem, Written};
use crate::supervisor::{Effect, Event, SlotKey, Supervisor};
use crate::uptime::Uptime;
use std::collections::{BTreeMap, VecDeque};
use std::fmt::{self, Write};
use std::time::Duration;

/// What an image of init goes on with after a crash.
#[derive(Debug)]
pub struct Recovered {
    /// The state.
    pub supervisor: Supervisor,
    /// Which accounting records are written.
    pub written: Written,
    /// What was read from the FIFO and is not used yet.
    pub stream: RequestStream,
    /// Whether the FIFO is to stay closed.
    pub fifo_closed: bool,
    /// Answers to effects, to be handled before anything else.
    pub results: VecDeque<Event>,
    /// Events that were read and not handled.
    pub waiting: VecDeque<Event>,
    /// Effects that are not done.
    pub effects: VecDeque<Effect>,
    /// Processes that the minimal init has started meanwhile: they are there when they are asked for.
    pub kept: BTreeMap<SlotKey, Pid>,
    /// When the last event was taken up.
    pub now: Uptime,
    /// What was given up, and why: init crashed over it twice, or never had the memory for it.
    pub given_up: Vec<String>,
    /// What in the snapshot could not be used.
    pub problems: Vec<SnapshotProblem>,
}

/// Reads a snapshot and the lines behind it.
///
/// # Errors
/// There is no snapshot that could be used.
pub fn replay(text: &[u8]) -> Result<Recovered, SnapshotError> {
    let (snapshot, problems) = Snapshot::from_text(text)?;
    let end = b"\nEND\n";
    let begins = text.windows(end.len()).position(|window| window == end);
    let lines = begins
        .and_then(|at| text.get(at + end.len()..))
        .unwrap_or_default();
    let mut replay = Replay::new(snapshot, problems);
    for line in lines.split(|&byte| byte == b'\n') {
        // A line that cannot be read was cut short by the crash. What comes behind it is read all the same: the
        // image after that crash went on without the line, too.
        let _read = replay.line(line);
    }
    Ok(replay.out)
}

/// So often a thing is tried that init crashes over.
const MOST_CRASHES: u32 = 2;
/// So often a thing is tried that there is no memory for: some seconds, by the pauses between.
const MOST_SHORTAGES: u32 = 6;
/// More of a thing that is given up is not shown; a table is as long as its file.
const LONGEST_NAME: usize = 200;

/// Whose fault a crash was.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Fault {
    /// Somebody asked for it.
    Nobody,
    Init,
    Memory,
}

/// An effect that was begun.
#[derive(Debug)]
struct AtHand {
    effect: Effect,
    forked: Option<Pid>,
    is_answered: bool,
}

struct Replay {
    out: Recovered,
    table: Inittab,
    event: Option<Event>,
    effect: Option<AtHand>,
    /// How often init has crashed over what is at hand, and how often there was no memory for it.
    crashes: u32,
    shortages: u32,
}

impl Replay {
    fn new(snapshot: Snapshot, problems: Vec<SnapshotProblem>) -> Self {
        let mut stream = RequestStream::new();
        let _no_room = stream.push(&snapshot.under_way.unread);
        Self {
            out: Recovered {
                written: snapshot.written,
                fifo_closed: snapshot.under_way.fifo_closed,
                supervisor: Supervisor::resume(snapshot),
                stream,
                results: VecDeque::new(),
                waiting: VecDeque::new(),
                effects: VecDeque::new(),
                kept: BTreeMap::new(),
                now: Uptime::default(),
                given_up: Vec::new(),
                problems,
            },
            table: Inittab::default(),
            event: None,
            effect: None,
            crashes: 0,
            shortages: 0,
        }
    }

    fn line(&mut self, line: &[u8]) -> Option<()> {
        let (kind, rest) = line.split_first()?;
        let rest = rest.strip_prefix(b" ").unwrap_or(rest);
        match kind {
            b'I' | b'K' => event::read_table_line(&mut self.table, line)?,
            b'W' => {
                let event = event::read(rest, &mut self.table)?;
                self.out.waiting.push_back(event);
            }
            b'R' => {
                let event = event::read(rest, &mut self.table)?;
                self.out.results.push_back(event);
                if let Some(at_hand) = &mut self.effect {
                    at_hand.is_answered = true;
                }
            }
            b'B' => {
                let _no_room = self.out.stream.push(&crate::snapshot::unhex(rest)?);
            }
            b'Q' => self.serve(),
            b'A' => self.out.stream.abandon_partial(),
            b'T' => self.take(Uptime(Duration::from_nanos(event::number(rest)?))),
            b'H' => self.handle(),
            b'P' => {
                self.finish();
                self.effect = self.out.effects.pop_front().map(|effect| AtHand {
                    effect,
                    forked: None,
                    is_answered: false,
                });
            }
            b'C' => {
                if let Some(at_hand) = &mut self.effect {
                    at_hand.forked = event::pid(rest);
                }
            }
            b'L' => self.out.written = of_bits(event::number(rest)?),
            b'D' => self.finish(),
            b'G' => {
                let mut words = rest.split(|&byte| byte == b' ');
                let key = SlotKey(event::number(words.next()?)?);
                self.out.kept.insert(key, event::pid(words.next()?)?);
            }
            b'X' if line.starts_with(b"XCR") => self.go_on(Fault::Init),
            b'X' if line.starts_with(b"XCD") => self.go_on(Fault::Nobody),
            b'X' if line.starts_with(b"XCM") => self.go_on(Fault::Memory),
            _ => {}
        }
        Some(())
    }

    fn serve(&mut self) {
        while let Some(received) = self.out.stream.next() {
            if let Received::Request(request) = received {
                self.out.waiting.push_back(Event::Requested(request));
                return;
            }
        }
    }

    fn take(&mut self, now: Uptime) {
        self.finish();
        self.out.now = now;
        let next = self.out.results.pop_front();
        self.event = next.or_else(|| self.out.waiting.pop_front());
    }

    fn handle(&mut self) {
        if let Some(event) = self.event.take() {
            self.begin_counting_anew();
            let effects = self.out.supervisor.handle(self.out.now, event);
            self.out.effects.extend(effects);
        }
    }

    /// Takes note that the effect at hand, if any, is done.
    fn finish(&mut self) {
        if let Some(done) = self.effect.take() {
            self.begin_counting_anew();
            match done.effect {
                Effect::CloseFifo => self.out.fifo_closed = true,
                Effect::ReopenFifo => self.out.fifo_closed = false,
                _ => {}
            }
        }
    }

    fn begin_counting_anew(&mut self) {
        (self.crashes, self.shortages) = (0, 0);
    }

    /// Tells whether what was at hand is to be tried once more. What is not is given up, and that is noted.
    fn is_tried_again(&mut self, fault: Fault, at_hand: &dyn fmt::Debug) -> bool {
        let why = match fault {
            Fault::Nobody => return true,
            Fault::Init => {
                self.crashes += 1;
                "crashed twice over this"
            }
            Fault::Memory => {
                self.shortages += 1;
                "there is no memory for this"
            }
        };
        let again = self.crashes < MOST_CRASHES && self.shortages < MOST_SHORTAGES;
        if !again {
            self.begin_counting_anew();
            let mut name = Name(String::new());
            // Cut short, it is an error, and as much as is wanted.
            let _cut = write!(name, "{at_hand:?}");
            let text = format!("{why}, which is given up: {}", name.0);
            self.out.given_up.push(text);
        }
        again
    }

    /// Decides what becomes of what was at hand in a crash.
    fn go_on(&mut self, fault: Fault) {
        // Half a table is none.
        self.table = Inittab::default();
        if let Some(event) = self.event.take()
            && self.is_tried_again(fault, &event)
        {
            self.out.results.push_front(event);
        }
        let Some(at_hand) = self.effect.take() else {
            return;
        };
        if at_hand.is_answered {
            return;
        }
        match (at_hand.effect, at_hand.forked) {
            (Effect::Spawn(start), Some(pid)) => {
                let key = start.key;
                self.out.results.push_back(Event::Spawned { key, pid });
            }
            (Effect::ReExec, _) if fault == Fault::Nobody => {
                self.out.effects.push_front(Effect::ReExec);
            }
            (Effect::ReExec, _) => self.out.results.push_back(Event::ReExecFailed),
            (effect, _) => {
                if self.is_tried_again(fault, &effect) {
                    self.out.effects.push_front(effect);
                } else {
                    self.out.results.extend(answer_to(&effect));
                }
            }
        }
    }
}

/// The beginning of what is written.
struct Name(String);

impl Write for Name {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        for letter in text.chars() {
            if self.0.len() >= LONGEST_NAME {
                self.0.push_str("...");
                return Err(fmt::Error);
            }
            self.0.push(letter);
        }
        Ok(())
    }
}

/// What is told instead of an answer that will not come.
fn answer_to(effect: &Effect) -> Option<Event> {
    match effect {
        Effect::Spawn(start) => Some(Event::SpawnFailed {
            key: start.key,
            reason: "init crashed over it, or has no memory for it".to_owned(),
        }),
        Effect::ReadTable => Some(Event::TableUnreadable),
        Effect::ReadPowerStatus => Some(Event::PowerChanged(PowerStatus::Failing)),
        _ => None,
    }
}

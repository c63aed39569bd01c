//! From the lines to the state, and to what is left to do.
//!
//! What was at hand when init crashed is tried once more: most crashes are not its fault, and a request that was read
//! must not be lost. If it is at hand at the next crash too, it is given up with a message. A process that was forked
//! is never forked again.
#![forbid(unsafe_code)]

use super::{event, of_bits};
use crate::initctl::{PowerStatus, Received, RequestStream};
use crate::inittab::Inittab;
use crate::process::Pid;
use crate::snapshot::{Snapshot, SnapshotError, SnapshotProblem, Written};
use crate::supervisor::{Effect, Event, SlotKey, Supervisor};
use crate::uptime::Uptime;
use std::collections::{BTreeMap, VecDeque};
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
    /// What was given up because init crashed over it twice.
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
    /// Whether init has crashed over what is at hand before.
    was_tried: bool,
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
            was_tried: false,
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
            b'X' if line.starts_with(b"XCR") => self.go_on(true),
            b'X' if line.starts_with(b"XCD") => self.go_on(false),
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
            self.was_tried = false;
            let effects = self.out.supervisor.handle(self.out.now, event);
            self.out.effects.extend(effects);
        }
    }

    /// Takes note that the effect at hand, if any, is done.
    fn finish(&mut self) {
        if let Some(done) = self.effect.take() {
            self.was_tried = false;
            match done.effect {
                Effect::CloseFifo => self.out.fifo_closed = true,
                Effect::ReopenFifo => self.out.fifo_closed = false,
                _ => {}
            }
        }
    }

    /// Decides what becomes of what was at hand in a crash. `by_itself` is false where somebody asked for the crash.
    fn go_on(&mut self, by_itself: bool) {
        // Half a table is none.
        self.table = Inittab::default();
        let try_again = !by_itself || !self.was_tried;
        if let Some(event) = self.event.take() {
            if try_again {
                self.was_tried |= by_itself;
                self.out.results.push_front(event);
            } else {
                self.was_tried = false;
                self.out.given_up.push(format!("{event:?}"));
            }
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
            (Effect::ReExec, _) => self.out.results.push_back(Event::ReExecFailed),
            (effect, _) if try_again => {
                self.was_tried |= by_itself;
                self.out.effects.push_front(effect);
            }
            (effect, _) => {
                self.was_tried = false;
                self.out.given_up.push(format!("{effect:?}"));
                self.out.results.extend(answer_to(&effect));
            }
        }
    }
}

/// What is told instead of an answer that will not come.
fn answer_to(effect: &Effect) -> Option<Event> {
    match effect {
        Effect::Spawn(start) => Some(Event::SpawnFailed {
            key: start.key,
            reason: "init crashed over it".to_owned(),
        }),
        Effect::ReadTable => Some(Event::TableUnreadable),
        Effect::ReadPowerStatus => Some(Event::PowerChanged(PowerStatus::Failing)),
        _ => None,
    }
}

//! What an image of init makes of the lines that the one before has left.

use super::*;
use crate::inittab::Inittab;
use crate::inittab::parse::{Source, SourceKind, parse};
use crate::process::{ExitStatus, Signal};
use crate::snapshot::Snapshot;
use crate::supervisor::{BootOptions, Effect, SlotKey, Supervisor};
use std::time::Duration;

const NOW: Uptime = Uptime::from_secs(7);

/// The lines of a boot, up to a crash.
struct Story {
    supervisor: Supervisor,
    text: Vec<u8>,
}

impl Story {
    fn begin() -> Self {
        let supervisor = Supervisor::new(&BootOptions::default());
        let text = supervisor.snapshot(Written::default()).to_text();
        Self { supervisor, text }
    }

    fn mark(&mut self, mark: Mark<'_>) {
        mark.write(&mut self.text);
    }

    /// Has an event happen; its effects are left to do.
    fn happens(&mut self, event: Event) -> Vec<Effect> {
        self.mark(Mark::Queued(&event));
        self.mark(Mark::Taken(NOW));
        self.mark(Mark::Handled);
        self.supervisor.handle(NOW, event)
    }

    /// Has an event happen whose effects are all done.
    fn settles(&mut self, event: Event) {
        for _ in self.happens(event) {
            self.mark(Mark::Begun);
        }
        self.mark(Mark::Done);
    }

    fn crashes(&mut self) -> Recovered {
        self.text.extend_from_slice(b"XCR7000000000 11 0 0\n");
        replay(&self.text).unwrap()
    }

    fn has_no_memory(&mut self) -> Recovered {
        self.text.extend_from_slice(b"XCM7000000000 6 1000 0\n");
        replay(&self.text).unwrap()
    }

    fn state(&self) -> Snapshot {
        self.supervisor.snapshot(Written::default())
    }
}

fn table(text: &str) -> Inittab {
    let source = Source {
        path: "inittab",
        text: text.as_bytes(),
        kind: SourceKind::Inittab,
    };
    parse(&[source]).table
}

fn booted() -> Story {
    let mut story = Story::begin();
    story.settles(Event::Booted);
    story
}

/// A story up to the moment in which the sysinit process has been asked for.
fn starting() -> (Story, SlotKey) {
    let mut story = booted();
    let effects = story.happens(Event::TableLoaded(table("si::sysinit:/si \t x\n")));
    let [Effect::Spawn(start)] = effects.as_slice() else {
        panic!("{effects:?}");
    };
    let key = start.key;
    (story, key)
}

fn pid(number: i32) -> Pid {
    Pid::new(number).unwrap()
}

#[test]
fn the_same_events_lead_to_the_same_state() {
    let (mut story, key) = starting();
    story.mark(Mark::Begun);
    story.mark(Mark::Forked(pid(9)));
    let answer = Event::Spawned { key, pid: pid(9) };
    story.mark(Mark::Answered(&answer));
    story.mark(Mark::Taken(NOW));
    story.mark(Mark::Handled);
    story.supervisor.handle(NOW, answer);
    let found = story.crashes();
    assert_eq!(found.supervisor.snapshot(Written::default()), story.state());
    assert!(found.results.is_empty() && found.waiting.is_empty() && found.effects.is_empty());
}

#[test]
fn a_process_that_was_forked_is_not_forked_again() {
    let (mut story, key) = starting();
    story.mark(Mark::Begun);
    story.mark(Mark::Forked(pid(9)));
    let found = story.crashes();
    assert_eq!(found.results, [Event::Spawned { key, pid: pid(9) }]);
    assert!(found.effects.is_empty());
}

#[test]
fn an_effect_that_is_done_is_not_begun_again_and_those_behind_it_are_left() {
    let mut story = Story::begin();
    let effects = story.happens(Event::Booted);
    assert_eq!(effects.len(), 2, "{effects:?}");
    story.mark(Mark::Begun);
    story.mark(Mark::Done);
    assert_eq!(story.crashes().effects, &effects[1..]);
    story.mark(Mark::Begun);
    story.mark(Mark::Done);
    story.mark(Mark::Done);
    assert!(story.crashes().effects.is_empty());
}

#[test]
fn an_effect_that_was_begun_is_tried_once_more_and_then_given_up() {
    let (mut story, key) = starting();
    story.mark(Mark::Begun);
    let found = story.crashes();
    assert!(matches!(found.effects.front(), Some(Effect::Spawn(start)) if start.key == key));
    story.mark(Mark::Begun);
    let found = story.crashes();
    assert!(found.effects.is_empty());
    assert_eq!(found.given_up.len(), 1);
    assert!(
        matches!(found.results.front(), Some(Event::SpawnFailed { key: failed, .. }) if *failed == key)
    );
}

#[test]
fn an_event_is_tried_once_more_and_then_given_up() {
    let mut story = booted();
    let event = Event::Signalled(Signal::HUP);
    story.mark(Mark::Queued(&event));
    story.mark(Mark::Taken(NOW));
    let found = story.crashes();
    assert_eq!(found.results, [event]);
    story.mark(Mark::Taken(NOW));
    let found = story.crashes();
    assert!(found.results.is_empty());
    let given_up = "crashed twice over this, which is given up: Signalled(Signal(1))";
    assert_eq!(found.given_up, [given_up]);
}

#[test]
fn what_there_is_no_memory_for_is_tried_six_times_and_then_given_up() {
    let mut story = booted();
    let event = Event::Signalled(Signal::HUP);
    story.mark(Mark::Queued(&event));
    for _ in 0..5 {
        story.mark(Mark::Taken(NOW));
        let found = story.has_no_memory();
        assert_eq!(found.results, std::slice::from_ref(&event));
        assert!(found.given_up.is_empty());
    }
    story.mark(Mark::Taken(NOW));
    let found = story.has_no_memory();
    assert!(found.results.is_empty());
    let given_up = "there is no memory for this, which is given up: Signalled(Signal(1))";
    assert_eq!(found.given_up, [given_up]);
}

#[test]
fn what_is_given_up_is_named_in_one_short_line() {
    let mut story = booted();
    let text = "x:3:once:/bin/true\n".repeat(1000);
    let event = Event::TableLoaded(table(&text));
    story.mark(Mark::Queued(&event));
    story.mark(Mark::Taken(NOW));
    story.crashes();
    story.mark(Mark::Taken(NOW));
    let given_up = story.crashes().given_up;
    assert!(given_up[0].contains("TableLoaded") && given_up[0].len() < 300);
}

#[test]
fn nothing_is_given_up_for_a_crash_that_somebody_asked_for() {
    let mut story = booted();
    let event = Event::Signalled(Signal::HUP);
    story.mark(Mark::Queued(&event));
    for _ in 0..5 {
        story.mark(Mark::Taken(NOW));
        story.text.extend_from_slice(b"XCD7000000000 11 0 0\n");
    }
    assert_eq!(replay(&story.text).unwrap().results, [event]);
}

#[test]
fn what_had_only_been_read_still_waits() {
    let mut story = booted();
    let request = crate::initctl::Request::ChangeLevel {
        level: b'3',
        grace: Duration::from_secs(5),
    };
    let bytes = request.encode().unwrap();
    story.mark(Mark::Read(&bytes));
    story.mark(Mark::Read(&bytes[..100]));
    story.mark(Mark::Served);
    let exit = Event::Exited {
        pid: pid(3),
        status: ExitStatus::Killed(Signal::TERM),
    };
    story.mark(Mark::Queued(&exit));
    let found = story.crashes();
    assert_eq!(found.waiting, [Event::Requested(request), exit]);
    assert!(found.stream.has_partial());
}

#[test]
fn every_event_reads_back_as_it_was() {
    let key = SlotKey(4);
    let events = [
        Event::Booted,
        Event::Resumed,
        Event::DeadlinePassed,
        Event::TableLoaded(Inittab {
            broken: vec![crate::inittab::EntryId::new(*b"br")],
            ..table("id:3:initdefault:\na b:35:respawn:/bin/x: y\n")
        }),
        Event::TableUnreadable,
        Event::ReExecFailed,
        Event::Spawned { key, pid: pid(9) },
        Event::SpawnFailed {
            key,
            reason: "no room\n".to_owned(),
        },
        Event::ExecFailed {
            program: Box::from(*b"/x\xff"),
        },
        Event::Exited {
            pid: pid(9),
            status: ExitStatus::Exited(3),
        },
        Event::GroupOutlives { leader: pid(9) },
        Event::TerminalMissing {
            key,
            terminal: Box::from(*b"tty9"),
        },
        Event::Signalled(Signal::POWER_OFF),
        Event::PowerChanged(crate::initctl::PowerStatus::Low),
    ];
    let mut story = Story::begin();
    for event in &events {
        story.mark(Mark::Queued(event));
    }
    assert_eq!(replay(&story.text).unwrap().waiting, events);
}

#[test]
fn a_line_that_the_crash_cut_short_costs_only_itself() {
    let mut story = booted();
    story.text.extend_from_slice(b"W e 21\n");
    story.settles(Event::TableUnreadable);
    assert_eq!(
        story.crashes().supervisor.snapshot(Written::default()),
        story.state()
    );
}

#[test]
fn the_crash_is_told_with_its_places() {
    let text =
        b"12567362\nEND\nXCR5 0 616263 0\nY 10\nXCR6000000000 11 dead 0\nY 4f20\nY 50\nW r\n";
    let crash = last_crash(text).unwrap();
    assert_eq!(crash.at, Uptime::from_secs(6));
    assert_eq!(crash.places, [0x4f20, 0x50]);
    assert_eq!(
        crash.to_string(),
        "SIGSEGV at address 0xdead (in init+0x4f20)"
    );
    let text = b"XCR5 0 616263 0\n";
    assert_eq!(last_crash(text).unwrap().to_string(), "panic: abc");
    assert_eq!(last_crash(b"XCR5000\nEND\n"), None);
}

#[test]
fn crashes_of_the_last_minute_count_unless_somebody_asked_for_them() {
    let text = b"XCR1000000000\nEND\nXCR50000000000 11 0 0\nXCD51000000000 11 0 0\n";
    let at = |seconds| recent_crashes(text, Uptime::from_secs(seconds)).len();
    assert_eq!((at(55), at(70), at(120)), (2, 1, 0));
    assert_eq!(
        recent_crashes(b"XCR50000000000\nXCZ\n", Uptime::from_secs(51)),
        []
    );
}

#[test]
fn pauses_for_memory_grow_and_are_counted_apart_from_crashes() {
    let text = b"END\nXCM50000000000 6 1000 0\nXCR51000000000 11 0 0\nXCM52000000000 6 fff 0\n";
    let now = Uptime::from_secs(55);
    assert_eq!(recent_crashes(text, now).len(), 1);
    assert_eq!(recent_shortages(text, now), 2);
    assert_eq!(
        last_crash(text).unwrap().to_string(),
        "no memory for 4095 bytes"
    );
    let pauses = [0, 1, 2, 3, 6, 7, 100, u32::MAX].map(|times| pause_after(times).as_millis());
    assert_eq!(pauses, [0, 100, 200, 400, 3200, 5000, 5000, 5000]);
}

#[test]
fn message_of_a_panic_is_shown_on_one_line() {
    // "a<ESC>b", newline, "c".
    let crash = last_crash(b"XCR5 0 611b620a63 0\n").unwrap();
    assert_eq!(crash.to_string(), "panic: a\\u{1b}b\\nc");
}

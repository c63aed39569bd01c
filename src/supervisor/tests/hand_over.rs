//! The state as a snapshot, and an image of init that goes on from it.
#![forbid(unsafe_code)]

use super::*;
use crate::initctl::Assignment;
use crate::snapshot::Record;

fn record<'a>(snapshot: &'a Snapshot, id: &str) -> &'a Record {
    snapshot
        .records
        .iter()
        .find(|record| record.entry.id.as_bytes() == id.as_bytes())
        .unwrap()
}

#[test]
fn a_snapshot_tells_what_runs_and_what_has_run() {
    let mut machine = Machine::new(USUAL);
    machine.boot();
    machine.exit_with("si", ExitStatus::Exited(7));
    let snapshot = machine.snapshot();
    assert_eq!(snapshot.phase, Phase::Boot);
    assert_eq!(snapshot.boot_level, Some(level(b'2')));
    let si = record(&snapshot, "si");
    assert!(!si.flags.executed && !si.flags.running && !si.flags.waiting);
    assert_eq!(si.exit, Some(ExitStatus::Exited(7)));
    let bw = record(&snapshot, "bw");
    assert!(bw.flags.executed && bw.flags.running && bw.flags.waiting);
    assert_eq!(bw.pid, Some(machine.pid("bw")));
    assert_eq!(bw.started, Some(machine.now));
    assert!(!record(&snapshot, "g2").flags.executed);
}

#[test]
fn the_next_image_goes_on_without_a_start_or_a_stop() {
    let mut machine = Machine::booted(USUAL);
    machine.request(b'3');
    machine.exit("g2");
    let before = machine.snapshot();
    machine.log();
    machine.re_execute();
    assert_eq!(machine.log(), ["title 3"]);
    assert_eq!(machine.snapshot(), before);
    machine.exit("l3");
    assert_eq!(machine.started(), ["g3"]);
    machine.request(b'2');
    assert_eq!(machine.signals(), ["TERM g3"]);
    machine.exit("g3");
    assert_eq!(machine.last_levels(), ('2', '3'));
}

#[test]
fn holds_counts_demands_variables_and_the_grace_time_are_handed_over() {
    let mut machine =
        Machine::booted("id:2:initdefault:\nr:2:respawn:/r\ns:2:respawn:/s\nd:a:ondemand:/d\n");
    machine.request(b'a');
    for _ in 0..11 {
        machine.exit("r");
    }
    for _ in 0..4 {
        machine.exit("s");
    }
    machine.happens(Event::Requested(Request::SetEnvironment(vec![
        Assignment::parse(b"INIT_HALT=HALT"),
    ])));
    machine.request_with(b'2', 17);
    let before = machine.snapshot();
    let deadline = machine.init.next_deadline();
    assert!(deadline.is_some());
    machine.log();
    machine.re_execute();
    assert_eq!(machine.log(), ["title 2"]);
    assert_eq!(machine.snapshot(), before);
    assert_eq!(machine.init.next_deadline(), deadline);
    assert_eq!(machine.init.extras().len(), 1);
    for _ in 0..7 {
        machine.exit("s");
    }
    assert_eq!(
        machine.said(),
        ["both: Id \"s\" respawning too fast: disabled for 5 minutes"]
    );
    machine.exit("d");
    assert_eq!(machine.started(), ["d"], "it is still called for");
}

#[test]
fn an_image_that_takes_over_in_the_middle_of_the_boot_goes_on_with_the_boot() {
    let options = BootOptions {
        level: Some(level(b'3')),
        ..BootOptions::default()
    };
    let mut machine = Machine::with(USUAL, &options);
    machine.boot();
    machine.log();
    machine.re_execute();
    assert_eq!(machine.log(), ["title boot"]);
    machine.exit("si");
    machine.re_execute();
    machine.exit("bw");
    machine.re_execute();
    machine.finish_waited_for();
    assert_eq!(machine.running(), ["bo", "g3", "gb"]);
}

#[test]
fn an_image_that_takes_over_before_the_table_was_read_reads_it() {
    let mut supervisor = Supervisor::resume(Snapshot::default());
    assert_eq!(
        supervisor.handle(Uptime::default(), Event::Resumed),
        [Effect::SetTitle(Title::Boot), Effect::ReadTable]
    );
}

#[test]
fn an_armed_entry_is_still_armed_in_the_next_image() {
    let mut machine = Machine::booted("id:3:initdefault:\nca:2:ctrlaltdel:/ca\nx:3:once:/x\n");
    machine.obedient = true;
    machine.signal(Signal::INT);
    machine.re_execute();
    machine.request(b'2');
    assert_eq!(machine.running(), ["ca"]);
}

#[test]
fn signals_the_image_before_had_not_served_are_served() {
    let mut machine = Machine::booted("id:2:initdefault:\nca:2:ctrlaltdel:/ca\nx:2:once:/x\n");
    let mut snapshot = machine.snapshot();
    snapshot.pending_signals.insert(Signal::INT);
    snapshot.pending_signals.insert(Signal::CHLD);
    machine.init = Supervisor::resume(snapshot);
    machine.happens(Event::Resumed);
    assert_eq!(machine.started(), ["ca"]);
    assert!(machine.snapshot().pending_signals.is_empty());
}

#[test]
fn a_process_that_was_asked_for_and_not_yet_forked_counts_as_not_started() {
    let mut supervisor = Supervisor::new(&BootOptions::default());
    let now = Uptime::from_secs(1);
    supervisor.handle(now, Event::Booted);
    supervisor.handle(now, Event::TableLoaded(table("si::sysinit:/si\n")));
    let snapshot = supervisor.snapshot(Written::default());
    let si = record(&snapshot, "si");
    assert!(!si.flags.executed && !si.flags.running);
    let mut next = Supervisor::resume(snapshot);
    let effects = next.handle(now, Event::Resumed);
    assert!(
        matches!(effects.last(), Some(Effect::Spawn(_))),
        "{effects:?}"
    );
}

#[test]
fn a_variable_without_a_value_in_a_foreign_text_is_passed_over() {
    let snapshot = Snapshot {
        environment: vec![Box::from(*b"INIT_X"), Box::from(*b"INIT_Y=1")],
        ..Snapshot::default()
    };
    let resumed = Supervisor::resume(snapshot).snapshot(Written::default());
    assert_eq!(resumed.environment, [Box::from(*b"INIT_Y=1") as Box<[u8]>]);
}

#[test]
fn the_state_changes_its_number_with_every_event() {
    let mut machine = Machine::booted(USUAL);
    let before = machine.init.generation();
    machine.exit("g2");
    assert!(machine.init.generation() > before);
}

#[test]
fn of_two_entries_that_claim_one_process_in_a_foreign_text_the_first_has_it() {
    let mut machine = Machine::booted("id:2:initdefault:\na:2:once:/a\nb:2:respawn:/b\n");
    let pid = machine.pid("a");
    let mut snapshot = machine.snapshot();
    for record in &mut snapshot.records {
        record.pid = record.pid.map(|_| pid);
    }
    machine.init = Supervisor::resume(snapshot);
    machine.log();
    machine.happens(Event::Resumed);
    assert_eq!(machine.started(), ["b"]);
    machine.exit("a");
    assert_eq!(machine.log(), ["record end of a"]);
}

//! What is known of inittab entries: init's state, and how often the record saw them start.

use crate::json::Value;
use crate::printable::Printable;
use crate::record::{History, Kind, Subject};
use crate::snapshot::Record;
use crate::sys;
use crate::uptime::Uptime;

/// One word for what an entry does.
pub(super) fn state(record: &Record) -> &'static str {
    match record.exit {
        _ if record.flags.running => "running",
        _ if held_until(record).is_some() => "held",
        Some(status) if !status.is_success() && record.flags.executed => "failed",
        _ if record.flags.executed && !record.entry.action.is_event_driven() => "done",
        _ => "idle",
    }
}

/// Until when the entry is held.
fn held_until(record: &Record) -> Option<Uptime> {
    let until = record.held_until.filter(|_| !record.flags.running)?;
    (until > sys::clock::now()).then_some(until)
}

/// Why the entry is held, as the record has it: the last that was noted of it.
fn held_because<'a>(record: &Record, history: Option<&'a History>) -> Option<&'a [u8]> {
    held_until(record)?;
    let mut notes = history?.notes.iter().rev();
    let last = notes.find(|note| is_its(record, &note.subject))?;
    Some(&last.text)
}

fn is_its(record: &Record, subject: &Subject) -> bool {
    subject.kind == Kind::Entry && *subject.name == *record.entry.id.as_bytes()
}

/// The id as it can be printed.
pub(super) fn id(record: &Record) -> String {
    Printable(record.entry.id.as_bytes()).to_string()
}

/// The process that lives.
pub(super) fn pid(record: &Record) -> Option<u64> {
    let pid = record.pid.filter(|_| record.flags.running)?;
    u64::try_from(pid.get()).ok()
}

/// How the last process ended.
pub(super) fn last_exit(record: &Record) -> Option<String> {
    record.exit.map(|status| status.to_string())
}

/// How often the record of this boot saw a process of the entry start again.
pub(super) fn restarts(record: &Record, history: Option<&History>) -> Option<u64> {
    let items = &history?.items;
    let starts = items
        .iter()
        .filter(|item| is_its(record, &item.subject))
        .count();
    u64::try_from(starts).ok()?.checked_sub(1)
}

/// All there is to know, for programs.
pub(super) fn value(record: &Record, history: Option<&History>) -> Value {
    let entry = &record.entry;
    let since = record.started.filter(|_| record.flags.running);
    Value::Object(vec![
        ("kind", Value::text("entry")),
        ("name", Value::bytes(entry.id.as_bytes())),
        ("state", Value::text(state(record))),
        (
            "pids",
            Value::List(pid(record).map(Value::Number).into_iter().collect()),
        ),
        (
            "since",
            Value::known(since.and_then(super::wall), Value::Seconds),
        ),
        (
            "restarts",
            Value::known(restarts(record, history), Value::Number),
        ),
        ("last_exit", Value::known(last_exit(record), Value::Text)),
        (
            "held_until",
            Value::known(held_until(record).and_then(super::wall), Value::Seconds),
        ),
        (
            "held_because",
            Value::known(held_because(record, history), Value::bytes),
        ),
        ("levels", Value::bytes(&entry.levels)),
        ("action", Value::text(entry.action.name())),
        ("process", Value::bytes(&entry.process)),
    ])
}

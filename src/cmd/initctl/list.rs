//! `initctl list` and `initctl show-config`: everything init and rc look after.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;

use anyhow::{Context, bail};

use super::args::Form;
use super::{entries, printable, stamp, wall};
use crate::cmd::recorder::reading::history;
use crate::cmd::services::Services;
use crate::cmd::state;
use crate::columns::aligned;
use crate::json::Value;
use crate::paths::Paths;
use crate::printable::Printable;
use crate::record::{History, Kind, ending};
use crate::snapshot::Record;

/// Lists inittab entries, then services.
pub(super) fn list(paths: &Paths, form: Form) -> anyhow::Result<()> {
    let history = history(paths).ok();
    // Where another init runs there is no state, and the services are still to be seen.
    let snapshot = state::read(paths);
    let records = snapshot
        .as_ref()
        .map_or(&[][..], |snapshot| &snapshot.records);
    let services = Services::new(paths.clone());
    let names = services.names();
    if let (Err(error), Err(_)) = (&snapshot, &names) {
        bail!("list: {error:#}");
    }
    let names = names.unwrap_or_default();
    let heads = [
        "NAME",
        "STATE",
        "PID",
        "SINCE",
        "RESTARTS",
        "LAST EXIT",
        "LEVELS",
        "WHAT",
    ];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(
        records
            .iter()
            .map(|record| entry_row(record, history.as_ref())),
    );
    rows.extend(
        names
            .iter()
            .map(|name| service_row(&services, name, history.as_ref())),
    );
    let values = records
        .iter()
        .map(|record| entries::value(record, history.as_ref()))
        .chain(
            names
                .iter()
                .map(|name| service_value(&services, name, history.as_ref())),
        );
    for cell in rows.iter_mut().flatten() {
        *cell = not_upstarts(cell);
    }
    super::print(form, || aligned(&rows), &Value::List(values.collect()))
}

/// Compat: Debian's sendsigs takes the list for Upstart's, and spares the pid behind each `process` and a blank from the
/// signals of a shutdown. Words of ours that look so have their blank escaped.
fn not_upstarts(cell: &str) -> String {
    let mut pieces = cell.split("process ");
    let mut text = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let looks_so = piece.starts_with(|first: char| first.is_ascii_digit());
        text.push_str(if looks_so { "process\\x20" } else { "process " });
        text.push_str(piece);
    }
    text
}

fn entry_row(record: &Record, history: Option<&History>) -> [String; 8] {
    let since = record.started.filter(|_| record.flags.running);
    let number = |number: Option<u64>| number.map_or_else(String::new, |number| number.to_string());
    [
        entries::id(record),
        entries::state(record).to_owned(),
        number(entries::pid(record)),
        since.and_then(wall).map_or_else(String::new, stamp),
        number(entries::restarts(record, history)),
        entries::last_exit(record).unwrap_or_default(),
        Printable(&record.entry.levels).to_string(),
        format!(
            "{} {}",
            record.entry.action.name(),
            Printable(&record.entry.process)
        ),
    ]
}

/// How the last call of a service's script by rc ended.
fn last_call(name: &OsStr, history: Option<&History>) -> Option<String> {
    let items = history?.items.iter().rev();
    let mut its = items
        .filter(|item| item.subject.kind == Kind::Script && *item.subject.name == *name.as_bytes());
    let item = its.next()?;
    let argument = Printable(&item.subject.argument);
    Some(format!("{argument}: {}", ending(item.end()?)))
}

fn service_row(services: &Services, name: &OsStr, history: Option<&History>) -> [String; 8] {
    let levels = services.levels(name).to_string();
    let last = last_call(name, history).unwrap_or_default();
    let (mut state, mut pids, mut since, mut what) = (
        "unknown".to_owned(),
        String::new(),
        String::new(),
        String::new(),
    );
    if let Ok(script) = services.script(name) {
        let judgement = services.judge(&script);
        judgement.word().clone_into(&mut state);
        let processes = judgement.state.processes().iter();
        pids = processes
            .map(ToString::to_string)
            .collect::<Vec<_>>()
            .join(",");
        since = services.since(&judgement).map_or_else(String::new, stamp);
        what = Printable(&script.description).to_string();
    }
    [
        printable(name),
        state,
        pids,
        since,
        String::new(),
        last,
        levels,
        what,
    ]
}

/// All there is to know of a service, for programs.
pub(super) fn service_value(services: &Services, name: &OsStr, history: Option<&History>) -> Value {
    let script = services.script(name).ok();
    let judgement = script.as_ref().map(|script| services.judge(script));
    let processes = judgement
        .iter()
        .flat_map(|judgement| judgement.state.processes());
    let pids = processes.filter_map(|pid| u64::try_from(pid.get()).ok());
    let since = judgement
        .as_ref()
        .and_then(|judgement| services.since(judgement));
    let levels = services.levels(name);
    let characters = |set: crate::runlevel::RunlevelSet| {
        Value::text(
            set.levels()
                .map(|level| level.to_string())
                .collect::<String>(),
        )
    };
    Value::Object(vec![
        ("kind", Value::text("service")),
        ("name", Value::bytes(name.as_bytes())),
        (
            "state",
            Value::text(judgement.as_ref().map_or("unknown", |known| known.word())),
        ),
        ("pids", Value::List(pids.map(Value::Number).collect())),
        ("since", Value::known(since, Value::Seconds)),
        (
            "known_by",
            Value::known(judgement.as_ref(), |known| {
                Value::text(known.how.to_string())
            }),
        ),
        (
            "last_exit",
            Value::known(last_call(name, history), Value::Text),
        ),
        ("enabled", Value::known(levels.is_enabled(), Value::Bool)),
        ("levels", characters(levels.start)),
        ("stopped_in", characters(levels.kill)),
        (
            "description",
            Value::known(script.as_ref(), |script| Value::bytes(&script.description)),
        ),
    ])
}

/// Shows the inittab entries in force, or what is set for one entry or service.
pub(super) fn show_config(paths: &Paths, name: Option<&OsStr>, form: Form) -> anyhow::Result<()> {
    let snapshot = state::read(paths);
    let Some(name) = name else {
        let snapshot = snapshot.context("show-config")?;
        let line = |record: &Record| {
            let entry = &record.entry;
            let (levels, process) = (Printable(&entry.levels), Printable(&entry.process));
            format!(
                "{}:{levels}:{}:{process}\n",
                entries::id(record),
                entry.action.name()
            )
        };
        let values = snapshot.records.iter().map(entry_config);
        let text = || snapshot.records.iter().map(line).collect();
        return super::print(form, text, &Value::List(values.collect()));
    };
    let services = Services::new(paths.clone());
    let entry = snapshot.iter().flat_map(|snapshot| &snapshot.records);
    let mut entry = entry.filter(|record| record.entry.id.as_bytes() == name.as_bytes());
    let value = match (entry.next(), services.script(name)) {
        (Some(record), _) => entry_config(record),
        (None, Ok(script)) => {
            let levels = services.levels(name);
            let names = |names: &[Box<[u8]>]| {
                Value::List(names.iter().map(|name| Value::bytes(name)).collect())
            };
            let path = services.path(name);
            Value::Object(vec![
                ("kind", Value::text("service")),
                ("name", Value::bytes(name.as_bytes())),
                ("script", Value::bytes(path.as_os_str().as_bytes())),
                ("description", Value::bytes(&script.description)),
                (
                    "program",
                    Value::known(script.program.as_ref(), |path| Value::bytes(path)),
                ),
                ("pid_files", names(&script.pid_files)),
                ("levels", Value::text(levels.to_string())),
            ])
        }
        (None, Err(_)) => bail!(
            "{}: neither an inittab entry nor a service",
            printable(name)
        ),
    };
    super::print(form, || lines(&value), &value)
}

fn entry_config(record: &Record) -> Value {
    let entry = &record.entry;
    Value::Object(vec![
        ("kind", Value::text("entry")),
        ("name", Value::bytes(entry.id.as_bytes())),
        ("levels", Value::bytes(&entry.levels)),
        ("action", Value::text(entry.action.name())),
        ("process", Value::bytes(&entry.process)),
    ])
}

/// The members of an object, a line each. Those in seconds are points in time.
pub(super) fn lines(value: &Value) -> String {
    let Value::Object(members) = value else {
        return value.to_text();
    };
    let mut text = String::new();
    for (name, value) in members {
        let shown = match value {
            Value::Null => "-".to_owned(),
            Value::Text(word) => on_one_line(word),
            Value::Seconds(time) => stamp(*time),
            Value::List(items) => {
                let words = items.iter().map(|item| match item {
                    Value::Text(word) => on_one_line(word),
                    other => other.to_string(),
                });
                words.collect::<Vec<_>>().join(" ")
            }
            other => other.to_string(),
        };
        // Writing to a String cannot fail.
        writeln!(text, "{name}: {shown}").unwrap_or_default();
    }
    text
}

/// A string as it is, but for what would end the line or reach the terminal.
fn on_one_line(word: &str) -> String {
    let mut line = String::new();
    for letter in word.chars() {
        if letter.is_control() {
            line.extend(letter.escape_debug());
        } else {
            line.push(letter);
        }
    }
    line
}

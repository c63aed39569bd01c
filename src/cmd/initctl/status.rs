//! `initctl status`: whether the machine has reached its level, and how one entry or service is.

use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

use anyhow::anyhow;

use super::args::Form;
use super::{entries, list, printable};
use crate::cmd::recorder::reading::history;
use crate::cmd::services::Services;
use crate::cmd::{Invocation, reasons, state};
use crate::json::Value;
use crate::paths::Paths;
use crate::services::state::code;
use crate::snapshot::{Phase, Snapshot};
use crate::sys;

/// The machine is on its way, or the service does not run well.
const NOT_SO: u8 = 1;

/// Says where the machine is and what it waits for. A container's probe asks this.
pub(super) fn machine(call: &Invocation, paths: &Paths, form: Form) -> anyhow::Result<ExitCode> {
    let snapshot = match state::read(paths) {
        Ok(snapshot) => snapshot,
        Err(error) => return unknown(call, form, &error.context("status")),
    };
    let waiting = state::waited_for(&snapshot);
    let is_reached = matches!(snapshot.phase, Phase::Normal(_)) && waiting.is_empty();
    let names = waiting
        .iter()
        .map(|record| Value::text(entries::id(record)));
    let level = |level: Option<crate::runlevel::Runlevel>| {
        Value::known(level, |level| Value::text(level.to_string()))
    };
    let value = Value::Object(vec![
        (
            "state",
            Value::text(if is_reached { "reached" } else { "waiting" }),
        ),
        (
            "phase",
            Value::text(char::from(snapshot.phase.as_byte()).to_string()),
        ),
        ("level", level(snapshot.level)),
        ("previous", level(snapshot.previous_level)),
        ("waits_for", Value::List(names.collect())),
    ]);
    super::print(form, || told(&snapshot), &value)?;
    Ok(ExitCode::from(if is_reached { 0 } else { NOT_SO }))
}

fn told(snapshot: &Snapshot) -> String {
    let mut text = state::whereabouts(snapshot.phase) + "\n";
    for record in state::waited_for(snapshot) {
        // Writing to a String cannot fail.
        writeln!(text, "waits for {}", state::named(record)).unwrap_or_default();
    }
    text
}

/// Says why nothing is known.
fn unknown(call: &Invocation, form: Form, error: &anyhow::Error) -> anyhow::Result<ExitCode> {
    super::tell_why(form, error)?;
    sys::print::error(&format!("{}: {}", call.name, reasons(error)));
    Ok(ExitCode::from(code::UNKNOWN))
}

/// Says how one entry or service is, by the exit statuses of the LSB.
pub(super) fn one(
    call: &Invocation,
    paths: &Paths,
    name: &OsStr,
    form: Form,
) -> anyhow::Result<ExitCode> {
    let history = history(paths).ok();
    let snapshot = state::read(paths).ok();
    let records = snapshot.iter().flat_map(|snapshot| &snapshot.records);
    let mut named = records.filter(|record| record.entry.id.as_bytes() == name.as_bytes());
    if let Some(record) = named.next() {
        let value = entries::value(record, history.as_ref());
        super::print(form, || list::lines(&value), &value)?;
        return Ok(ExitCode::from(match entries::state(record) {
            "running" | "done" => code::RUNNING,
            "held" | "failed" => code::DEAD,
            _ => code::STOPPED,
        }));
    }
    let services = Services::new(paths.clone());
    let Ok(script) = services.script(name) else {
        let name = printable(name);
        let error = anyhow!("{name}: neither an inittab entry nor a service");
        return unknown(call, form, &error);
    };
    let judgement = services.judge(&script);
    let value = list::service_value(&services, name, history.as_ref());
    super::print(
        form,
        || {
            let links = services.levels(name).told();
            format!("{} {judgement}; {links}\n", printable(name))
        },
        &value,
    )?;
    Ok(ExitCode::from(judgement.state.code()))
}

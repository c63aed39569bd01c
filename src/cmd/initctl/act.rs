//! The verbs of `initctl` that change something, by the ways that are there already.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::args::Form;
use super::printable;
use crate::cmd::service::script;
use crate::cmd::services::Services;
use crate::cmd::{Invocation, service, state, telinit};
use crate::initctl::{PowerStatus, Request};
use crate::json::Value;
use crate::paths::Paths;
use crate::process::{ExitStatus, Signal};
use crate::sys;

/// The time between TERM and KILL that init knows already, and that a request would set anew.
const GRACE: Duration = Duration::from_secs(3);

/// Calls the script of a service, as service(8) does. For programs, what it says is a part of what is told of it.
pub(super) fn call_script(
    call: &Invocation,
    paths: &Paths,
    name: &OsStr,
    action: &'static str,
    form: Form,
) -> anyhow::Result<ExitCode> {
    ensure_here(paths)?;
    let is_entry = || {
        let snapshot = state::read(paths).ok();
        snapshot.is_some_and(|snapshot| {
            let mut ids = snapshot.records.iter().map(|record| &record.entry.id);
            ids.any(|id| id.as_bytes() == name.as_bytes())
        })
    };
    let services = Services::new(paths.clone());
    if services.script(name).is_err() && is_entry() {
        bail!(
            "{}: an inittab entry, which init starts and stops itself",
            printable(name)
        );
    }
    if form == Form::Json {
        return call_and_tell(&services.path(name), name, action);
    }
    service::main(&Invocation {
        name: call.name.clone(),
        arguments: vec![name.to_owned(), action.into()],
    })
}

fn call_and_tell(path: &Path, name: &OsStr, action: &'static str) -> anyhow::Result<ExitCode> {
    ensure!(
        !name.is_empty() && sys::files::may_execute(path),
        "{}: unrecognized service",
        printable(name)
    );
    sys::files::change_to(Path::new("/"))?;
    let (output, status) = script::run_and_hear(path, OsStr::new(action))?;
    let (code, exit, signal) = match status {
        ExitStatus::Exited(code) => (code, Some(u64::from(code)), None),
        ExitStatus::Killed(signal) => (script::killed(signal), None, u64::try_from(signal.0).ok()),
    };
    let outcome = if status.is_success() {
        "done"
    } else {
        "failed"
    };
    let more = vec![
        ("exit", Value::known(exit, Value::Number)),
        ("signal", Value::known(signal, Value::Number)),
        ("output", Value::bytes(&output)),
    ];
    tell(action, Some(name), outcome, more)?;
    Ok(ExitCode::from(code))
}

/// Tells programs what was done or asked for.
fn tell(
    verb: &'static str,
    name: Option<&OsStr>,
    outcome: &str,
    more: Vec<(&'static str, Value)>,
) -> anyhow::Result<()> {
    let mut members = vec![
        ("verb", Value::text(verb)),
        (
            "name",
            Value::known(name, |name| Value::bytes(name.as_bytes())),
        ),
        ("outcome", Value::text(outcome)),
    ];
    members.extend(more);
    Ok(sys::print::text(&Value::Object(members).to_text())?)
}

/// Has init act as if something had happened.
pub(super) fn emit(paths: &Paths, event: &OsStr, form: Form) -> anyhow::Result<()> {
    ensure_here(paths)?;
    let power = |status| Request::Power {
        status,
        grace: GRACE,
    };
    match event.as_bytes() {
        b"ctrlaltdel" => signal(Signal::INT)?,
        b"kbrequest" => signal(Signal::WINCH)?,
        b"powerfail" => send(&power(PowerStatus::Failing))?,
        b"powerfailnow" => send(&power(PowerStatus::Low))?,
        b"powerok" => send(&power(PowerStatus::Restored))?,
        [letter @ (b'a' | b'b' | b'c')] => send(&Request::ChangeLevel {
            level: *letter,
            grace: GRACE,
        })?,
        _ => bail!(
            "{}: no such event; there are ctrlaltdel kbrequest powerfail powerfailnow powerok a b c",
            printable(event)
        ),
    }
    tell_if_asked(form, "emit", Some(event))
}

/// Has init read inittab again.
pub(super) fn reload_configuration(paths: &Paths, form: Form) -> anyhow::Result<()> {
    ensure_here(paths)?;
    send(&Request::ChangeLevel {
        level: b'Q',
        grace: GRACE,
    })?;
    tell_if_asked(form, "reload-configuration", None)
}

/// Init answers nothing, so that to have asked is all there is to tell.
fn tell_if_asked(form: Form, verb: &'static str, name: Option<&OsStr>) -> anyhow::Result<()> {
    match form {
        Form::Text => Ok(()),
        Form::Json => tell(verb, name, "asked", Vec::new()),
    }
}

fn send(request: &Request) -> anyhow::Result<()> {
    ensure!(sys::identity::is_superuser(), "must be superuser.");
    telinit::send(&request.encode()?)
}

fn signal(signal: Signal) -> anyhow::Result<()> {
    sys::proc::send(1, signal).with_context(|| format!("sending {signal} to init"))
}

/// What changes something changes this machine, and no other root.
fn ensure_here(paths: &Paths) -> anyhow::Result<()> {
    ensure!(
        *paths == Paths::default(),
        "--root is for the verbs that only look"
    );
    Ok(())
}

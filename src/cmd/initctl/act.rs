//! The verbs of `initctl` that change something, by the ways that are there already.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use anyhow::{Context, bail, ensure};

use super::printable;
use crate::cmd::services::Services;
use crate::cmd::{Invocation, service, state, telinit};
use crate::initctl::{PowerStatus, Request};
use crate::paths::Paths;
use crate::process::Signal;
use crate::sys;

/// The time between TERM and KILL that init knows already, and that a request would set anew.
const GRACE: Duration = Duration::from_secs(3);

/// Calls the script of a service, as service(8) does.
pub(super) fn call_script(
    call: &Invocation,
    paths: &Paths,
    name: &OsStr,
    action: &str,
) -> anyhow::Result<ExitCode> {
    ensure_here(paths)?;
    let is_entry = || {
        let snapshot = state::read(paths).ok();
        snapshot.is_some_and(|snapshot| {
            let mut ids = snapshot.records.iter().map(|record| &record.entry.id);
            ids.any(|id| id.as_bytes() == name.as_bytes())
        })
    };
    if Services::new(paths.clone()).script(name).is_err() && is_entry() {
        bail!(
            "{}: an inittab entry, which init starts and stops itself",
            printable(name)
        );
    }
    service::main(&Invocation {
        name: call.name.clone(),
        arguments: vec![name.to_owned(), action.into()],
    })
}

/// Has init act as if something had happened.
pub(super) fn emit(paths: &Paths, event: &OsStr) -> anyhow::Result<()> {
    ensure_here(paths)?;
    let power = |status| Request::Power {
        status,
        grace: GRACE,
    };
    let request = match event.as_bytes() {
        b"ctrlaltdel" => return signal(Signal::INT),
        b"kbrequest" => return signal(Signal::WINCH),
        b"powerfail" => power(PowerStatus::Failing),
        b"powerfailnow" => power(PowerStatus::Low),
        b"powerok" => power(PowerStatus::Restored),
        [letter @ (b'a' | b'b' | b'c')] => Request::ChangeLevel {
            level: *letter,
            grace: GRACE,
        },
        _ => bail!(
            "{}: no such event; there are ctrlaltdel kbrequest powerfail powerfailnow powerok a b c",
            printable(event)
        ),
    };
    send(&request)
}

/// Has init read inittab again.
pub(super) fn reload_configuration(paths: &Paths) -> anyhow::Result<()> {
    ensure_here(paths)?;
    send(&Request::ChangeLevel {
        level: b'Q',
        grace: GRACE,
    })
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

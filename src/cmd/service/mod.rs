//! `service`: runs rc scripts by the names of their services, and tells how services are (service(8)).
//!
//! A script gets a defined environment, whoever calls: that of the call would make a service behave otherwise than
//! at boot. What is said of a service without its script's help comes from `cmd::services`.

mod args;
mod list;
pub(super) mod script;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use self::args::Wish;
use self::script::Answer;
use super::Invocation;
use super::services::Services;
use crate::paths::Paths;
use crate::process::ExitStatus;
use crate::services::names::nearest;
use crate::services::state::code;
use crate::sys;

/// What service(8) says to a call without words.
const USAGE: &str =
    "Usage: service < option > | --status-all | [ service_name [ command | --full-restart ] ]";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let services = Services::new(Paths::default());
    // A script must not keep a file system busy, nor find files by chance.
    sys::files::change_to(Path::new("/"))?;
    match args::parse(&call.arguments) {
        Wish::Help => sys::print::text(args::HELP)?,
        Wish::Version => sys::print::text(&super::version_line(&call.name))?,
        Wish::Nothing => {
            sys::print::error(USAGE);
            return Ok(ExitCode::FAILURE);
        }
        Wish::StatusAll => list::status_all(call, &services)?,
        Wish::Failed => return list::failed(call, &services),
        Wish::FullRestart { name } => {
            return Ok(known(&services, &name)
                .unwrap_or_else(|| script::full_restart(call, &services.path(&name))));
        }
        Wish::Run { name, words } => {
            if let Some(code) = known(&services, &name) {
                return Ok(code);
            }
            if let [word] = words.as_slice()
                && word == "status"
            {
                return Ok(status(call, &services, &name));
            }
            return Ok(script::become_it(call, &services.path(&name), &words));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Complains of a service that is not there, and returns how that ends.
fn known(services: &Services, name: &OsStr) -> Option<ExitCode> {
    let path = services.path(name);
    if !name.is_empty() && sys::files::may_execute(&path) {
        return None;
    }
    let name = name.as_bytes();
    sys::print::error_bytes(&[name, b": unrecognized service"].concat());
    if sys::print::is_error_terminal() {
        let names = services.names().unwrap_or_default();
        if let Some(near) = nearest(name, names.iter().map(|name| name.as_bytes())) {
            sys::print::error(&format!("Did you mean {}?", near.escape_ascii()));
        }
    }
    Some(ExitCode::FAILURE)
}

/// Runs the status action of a script, and tells the truth by other means where it has none.
fn status(call: &Invocation, services: &Services, name: &OsStr) -> ExitCode {
    let path = services.path(name);
    let Some(script) = services
        .script(name)
        .ok()
        .filter(|script| !script.has_status)
    else {
        return script::become_it(call, &path, &["status".into()]);
    };
    let (output, code) = match script::ask(&path) {
        Ok(Answer::Given { output, status }) => match status {
            ExitStatus::Exited(code) => (output, code),
            ExitStatus::Killed(signal) => (output, script::killed(signal)),
        },
        Ok(Answer::NoSuchAction | Answer::Late) => {
            let judgement = services.judge(&script);
            let line = format!("{} {judgement}\n", script.name.escape_ascii());
            (line.into_bytes(), judgement.state.code())
        }
        Err(error) => return script::cannot_run(call, &path, &error),
    };
    match sys::print::bytes(&output) {
        Ok(()) => ExitCode::from(code),
        Err(_) => ExitCode::from(code::UNKNOWN),
    }
}

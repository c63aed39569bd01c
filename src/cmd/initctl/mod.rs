//! `initctl`: the operator's one view of the machine: initctl(8).
//!
//! Everything shown is read from files: the state init leaves in `/run/init.state`, the boot record, the scripts and
//! links of the services, /proc. So it can be asked by anybody, and init is never waited for. What changes something
//! goes the ways that are there already: an rc script, a request in the FIFO, a signal.

mod act;
mod args;
mod boot;
mod entries;
mod keep;
mod list;
mod log;
mod plan;
mod status;

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use self::args::{Form, Order, Verb, Wish};
use super::Invocation;
use crate::json::Value;
use crate::paths::Paths;
use crate::printable::Printable;
use crate::sys;
use crate::uptime::Uptime;

/// The words make no sense.
const USAGE: u8 = 2;

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    // Init's own verb: nobody types it, and it takes other words.
    if let Some((verb, words)) = call.arguments.split_first()
        && verb == keep::VERB
    {
        return keep::main(words);
    }
    match args::parse(&call.arguments) {
        Ok(Wish::Help) => sys::print::text(args::HELP)?,
        Ok(Wish::Version) => sys::print::text(&super::version_line(&call.name))?,
        Ok(Wish::Do(order)) => {
            let outcome = obey(call, &order);
            if let Err(error) = &outcome {
                tell_why(order.form, error)?;
            }
            return outcome;
        }
        Err(error) => {
            sys::print::error(&format!("{}: {error}", call.name));
            return Ok(ExitCode::from(USAGE));
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn obey(call: &Invocation, order: &Order) -> anyhow::Result<ExitCode> {
    let paths = Paths::new(&order.root);
    let name = order.name.as_deref();
    // The parser lets no verb without its name through.
    let named = name.unwrap_or_default();
    match order.verb {
        Verb::List => list::list(&paths, order.form)?,
        Verb::Status => match name {
            None => return status::machine(call, &paths, order.form),
            Some(name) => return status::one(call, &paths, name, order.form),
        },
        Verb::ShowConfig => list::show_config(&paths, name, order.form)?,
        Verb::Plan => plan::show(&paths, named, order.form)?,
        Verb::Log => log::log(&paths, named, order.form)?,
        Verb::Record => boot::record(&paths, order.form)?,
        Verb::Blame => boot::blame(&paths, order.form)?,
        Verb::Chart => boot::chart(&paths, order.output.as_deref(), order.form)?,
        Verb::Service(action) => {
            return act::call_script(call, &paths, named, action, order.form);
        }
        Verb::Emit => act::emit(&paths, named, order.form)?,
        Verb::ReloadConfiguration => act::reload_configuration(&paths, order.form)?,
    }
    Ok(ExitCode::SUCCESS)
}

/// Tells programs what is wrong in the place where they look for an answer. People read it on standard error.
fn tell_why(form: Form, error: &anyhow::Error) -> anyhow::Result<()> {
    if form == Form::Json {
        let value = Value::Object(vec![("error", Value::text(super::reasons(error)))]);
        sys::print::text(&value.to_text())?;
    }
    Ok(())
}

/// Prints a value, or what people get to read of it.
fn print(form: Form, text: impl FnOnce() -> String, value: &Value) -> anyhow::Result<()> {
    match form {
        Form::Text => sys::print::text(&text())?,
        Form::Json => sys::print::text(&value.to_text())?,
    }
    Ok(())
}

/// A name as it can be printed.
fn printable(name: &OsStr) -> String {
    Printable(name.as_bytes()).to_string()
}

/// The time of day that a point on the monotonic clock was or will be, by the present setting of the clock.
fn wall(up: Uptime) -> Option<Duration> {
    let (now, today) = (sys::clock::now(), sys::calendar::now().ok()?);
    today.checked_add(up.since(now))?.checked_sub(now.since(up))
}

/// A time of day in few letters.
fn stamp(time: Duration) -> String {
    sys::calendar::local(time).map_or_else(|_| String::new(), |time| time.stamp())
}

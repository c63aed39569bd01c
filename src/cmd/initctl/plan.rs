//! `initctl plan LEVEL`: what a change to a level would do, by init's rehearsal and rc's plan.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

use anyhow::{Context, bail};

use super::args::Form;
use super::printable;
use crate::cmd::telinit::dry_run::{line, steps};
use crate::cmd::{rc, state};
use crate::initctl::Request;
use crate::json::Value;
use crate::paths::Paths;
use crate::runlevel::Runlevel;

/// Shows init's part, then that of rc.
pub(super) fn show(paths: &Paths, word: &OsStr, form: Form) -> anyhow::Result<()> {
    let level = match word.as_bytes() {
        [byte] => Runlevel::from_byte(*byte),
        _ => None,
    };
    let Some(level) = level else {
        bail!("{}: not a runlevel", printable(word));
    };
    let previous = state::read(paths).ok().and_then(|snapshot| snapshot.level);
    let request = Request::ChangeLevel {
        level: level.as_byte(),
        grace: Duration::from_secs(3),
    };
    // Without our init there is no state to start from; what rc would do is known all the same.
    let of_init: Vec<String> = match steps(paths, request) {
        Ok((problems, steps)) => {
            let problems = problems.iter().map(|problem| format!("# {problem}"));
            problems.chain(steps.iter().map(line)).collect()
        }
        Err(error) => vec![format!("# not known: {error:#}")],
    };
    let of_rc = rc::rehearsal(paths, level, previous).context("plan")?;
    let of_rc: Vec<&str> = of_rc.lines().collect();
    let value = Value::Object(vec![
        ("level", Value::text(level.to_string())),
        (
            "init",
            Value::List(of_init.iter().map(Value::text).collect()),
        ),
        (
            "rc",
            Value::List(of_rc.iter().map(|line| Value::text(*line)).collect()),
        ),
    ]);
    let text = || {
        let head = format!("init, to runlevel {level}:\n");
        let init = of_init.iter().map(|line| format!("  {line}\n"));
        let rc = of_rc.iter().map(|line| format!("  {line}\n"));
        let rc = std::iter::once(format!("rc {level}:\n")).chain(rc);
        std::iter::once(head).chain(init).chain(rc).collect()
    };
    super::print(form, text, &value)
}

//! The words after `chkconfig`.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anyhow::{Context, bail, ensure};
use lexopt::Arg::{Long, Short, Value};

use crate::rcdir::chkconfig;
use crate::runlevel::{Runlevel, RunlevelSet};

pub(super) const HELP: &str = "\
Usage: chkconfig [--list [NAME]]
       chkconfig --add|--del|--override NAME
       chkconfig [--level LEVELS] NAME [on|off|reset|resetpriorities]

Lists in which runlevels services are started, and switches them on and off.
NAME alone tells by the exit status whether it is on in the current level.

      --add NAME       link it where it has no link, as the script says
      --del NAME       remove all its links
      --override NAME  link it anew, as /etc/chkconfig.d/NAME or the script says
      --list [NAME]    show all services, or one
      --level LEVELS   digits, such as 35; without it 2345, or all for reset
      --type sysv, --no-redirect   accepted
      --root DIR       look for /etc below DIR
  -h, --help           print this help
  -V, --version        print the version
";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    Help,
    Version,
    Do(Order, PathBuf),
}

/// What to do with which service.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Order {
    List(Option<OsString>),
    Add(OsString),
    Delete(OsString),
    Override(OsString),
    Switch(OsString, Switch, Option<RunlevelSet>),
    Ask(OsString, Option<Runlevel>),
}

/// How a service is switched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    On,
    Off,
    Reset,
    ResetPriorities,
}

/// Reads the words.
pub(super) fn parse(words: &[OsString]) -> anyhow::Result<Task> {
    let (mut levels, mut root, mut verb) = (None, PathBuf::from("/"), None);
    let mut operands = Vec::new();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(word) = parser.next()? {
        match word {
            Short('h') | Long("help") => return Ok(Task::Help),
            Short('V') | Long("version") => return Ok(Task::Version),
            Long("root") => root = parser.value()?.into(),
            Long("no-redirect") => {}
            Long("type") => {
                let kind = parser.value()?;
                ensure!(kind == "sysv", "--type {}: only sysv", kind.display());
            }
            Long("level" | "levels") => {
                let word = parser.value()?;
                let set = chkconfig::levels(word.as_bytes());
                levels = Some(set.with_context(|| {
                    format!("--level {}: not digits from 0 to 6", word.display())
                })?);
            }
            Long(option @ ("list" | "add" | "del" | "override")) => {
                ensure!(
                    verb.is_none(),
                    "only one of --list, --add, --del, or --override may be specified"
                );
                verb = Some(option.to_owned());
            }
            Value(word) => operands.push(word),
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Task::Do(order(verb.as_deref(), levels, operands)?, root))
}

fn order(
    verb: Option<&str>,
    levels: Option<RunlevelSet>,
    operands: Vec<OsString>,
) -> anyhow::Result<Order> {
    let mut operands = operands.into_iter();
    let name = operands.next();
    let state = operands.next();
    ensure!(operands.next().is_none(), "one word too many; see --help");
    if let Some(verb) = verb {
        ensure!(state.is_none(), "--{verb}: one word too many; see --help");
        ensure!(levels.is_none(), "--{verb}: takes no --level");
        return Ok(match (verb, name) {
            ("list", name) => Order::List(name),
            ("add", Some(name)) => Order::Add(name),
            ("del", Some(name)) => Order::Delete(name),
            ("override", Some(name)) => Order::Override(name),
            (verb, _) => bail!("--{verb}: of what? It takes a name"),
        });
    }
    let Some(name) = name else {
        ensure!(levels.is_none(), "--level: of what? It takes a name");
        return Ok(Order::List(None));
    };
    let Some(state) = state else {
        let mut asked = levels.unwrap_or(RunlevelSet::EMPTY).levels();
        let level = asked.next();
        ensure!(
            asked.next().is_none(),
            "only one runlevel may be specified for a chkconfig query"
        );
        return Ok(Order::Ask(name, level));
    };
    let switch = match state.as_bytes() {
        b"on" => Switch::On,
        b"off" => Switch::Off,
        b"reset" => Switch::Reset,
        b"resetpriorities" => Switch::ResetPriorities,
        _ => bail!(
            "{}: it is on, off, reset or resetpriorities",
            state.display()
        ),
    };
    Ok(Order::Switch(name, switch, levels))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Option<Order> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        match parse(&words) {
            Ok(Task::Do(order, _)) => Some(order),
            Ok(other) => panic!("{other:?}"),
            Err(_) => None,
        }
    }

    #[test]
    fn every_form_of_the_manual_page_is_read() {
        let levels = RunlevelSet::parse(b"35");
        let name = || OsString::from("cron");
        for (line, order) in [
            ("", Order::List(None)),
            ("--list", Order::List(None)),
            ("--list cron", Order::List(Some(name()))),
            ("--add cron", Order::Add(name())),
            ("--del cron", Order::Delete(name())),
            ("--override cron", Order::Override(name())),
            ("cron", Order::Ask(name(), None)),
            (
                "cron --level 3",
                Order::Ask(name(), Runlevel::from_byte(b'3')),
            ),
            ("cron on", Order::Switch(name(), Switch::On, None)),
            (
                "--level 35 cron off",
                Order::Switch(name(), Switch::Off, Some(levels)),
            ),
            (
                "--type sysv cron reset",
                Order::Switch(name(), Switch::Reset, None),
            ),
            (
                "cron resetpriorities",
                Order::Switch(name(), Switch::ResetPriorities, None),
            ),
        ] {
            assert_eq!(parsed(line), Some(order), "{line}");
        }
    }

    #[test]
    fn words_that_make_no_sense_are_refused() {
        for line in [
            "--add",
            "--add --del x",
            "--level 35 x",
            "--level 7 x on",
            "--level",
            "x up",
            "x on y",
            "--list x y",
            "--type xinetd x",
            "--level 3",
            "--level 3 --list x",
            "--frobnicate",
        ] {
            assert_eq!(parsed(line), None, "{line}");
        }
    }
}

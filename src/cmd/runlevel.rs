//! `runlevel`: prints the previous and the current runlevel (runlevel(8)).
//!
//! They come from the first runlevel record of utmp, or from the one character init leaves in
//! /var/run/runlevel where no utmp is kept. The environment is not looked at.

use std::ffi::OsString;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::Duration;

use lexopt::Arg;

use super::state::{self, Elsewhere};
use super::usage::UsageError;
use super::{Invocation, reason, recorded_level, shutdown, telinit};
use crate::paths::Paths;
use crate::runlevel::Runlevel;
use crate::snapshot::Phase;
use crate::sys;
use crate::utmp::{Kind, Levels};

const HELP: &str = "\
Usage: runlevel [--verbose] [UTMPFILE]
       runlevel --wait[=SECONDS] LEVEL

Prints the previous and the current runlevel; N stands for no previous one.
Prints `unknown' and exits with 1 where nobody has recorded a level.

  --verbose         also since when, what init waits for, a scheduled shutdown
  --wait[=SECONDS]  return when LEVEL's wait entries have ended, or fail then
  --help, --version
";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Help,
    Version,
    Print { utmp: Option<PathBuf>, more: More },
    Wait(Runlevel, Option<Duration>),
}

/// Whether more than the levels is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    No,
    Yes,
}

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let paths = Paths::default();
    match parse(&call.arguments) {
        Ok(Wish::Help) => {
            sys::print::text(HELP)?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Wish::Version) => {
            sys::print::text(&super::version_line(&call.name))?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Wish::Wait(level, limit)) => {
            state::wait_for(&paths, level, Elsewhere::IsWaitedFor, limit)?;
            Ok(ExitCode::SUCCESS)
        }
        Ok(Wish::Print { utmp, more }) => {
            let utmp = utmp.unwrap_or_else(|| paths.utmp());
            let levels = recorded_level::recorded(&utmp, &paths);
            let mut text = levels.map_or("unknown\n".to_owned(), line);
            if more == More::Yes {
                text.push_str(&details(&paths, &utmp));
            }
            sys::print::text(&text)?;
            Ok(match levels {
                Some(_) => ExitCode::SUCCESS,
                None => ExitCode::FAILURE,
            })
        }
        Err(error) => Ok(super::usage::refuse(&call.name, &error, HELP)),
    }
}

/// Compat: runlevel(8) takes its first argument for a file, whatever it begins with; only our own options are none.
fn parse(words: &[OsString]) -> Result<Wish, UsageError> {
    let is_ours = |word: &OsString| word.as_bytes().starts_with(b"--");
    if !words.iter().any(is_ours) {
        let utmp = words.first().map(PathBuf::from);
        let more = More::No;
        return Ok(Wish::Print { utmp, more });
    }
    let mut parser = lexopt::Parser::from_args(words);
    let (mut more, mut wait, mut operands) = (More::No, None, Vec::new());
    while let Some(word) = parser.next()? {
        match word {
            Arg::Long("help") => return Ok(Wish::Help),
            Arg::Long("version") => return Ok(Wish::Version),
            Arg::Long("verbose") => more = More::Yes,
            Arg::Long("wait") => {
                let limit = parser.optional_value();
                wait = Some(limit.map(telinit::limit).transpose()?);
            }
            Arg::Value(word) => operands.push(word),
            Arg::Short(_) | Arg::Long(_) => return Err(word.unexpected().into()),
        }
    }
    match (wait, more, operands.as_slice()) {
        (None, more, []) => Ok(Wish::Print { utmp: None, more }),
        (None, more, [utmp]) => Ok(Wish::Print {
            utmp: Some(utmp.into()),
            more,
        }),
        (Some(limit), More::No, [word]) => match word.as_bytes() {
            [level] => match Runlevel::from_byte(*level) {
                Some(level) => Ok(Wish::Wait(level, limit)),
                None => Err(UsageError::with(word, "no such runlevel")),
            },
            _ => Err(UsageError::with(word, "no such runlevel")),
        },
        (Some(_), ..) => Err("--wait goes with one runlevel and nothing else".into()),
        _ => Err("more than one file".into()),
    }
}

fn line(levels: Levels) -> String {
    let previous = match levels.previous {
        0 => b'N',
        previous => previous,
    };
    format!("{} {}\n", char::from(previous), char::from(levels.current))
}

/// Says what else there is to know, in lines of a word and a text. What cannot be found out is said to be unknown.
fn details(paths: &Paths, utmp: &Path) -> String {
    let mut text = String::new();
    let mut say = |word: &str, what: &str| {
        // Writing to a String cannot fail.
        writeln!(text, "{word}: {what}").unwrap_or_default();
    };
    match state::read(paths) {
        Ok(snapshot) => {
            say("phase", &state::whereabouts(snapshot.phase));
            if let Some(since) = since(utmp, snapshot.phase) {
                say("since", &since);
            }
            for record in state::waited_for(&snapshot) {
                say("waits for", &state::named(record));
            }
        }
        Err(error) => {
            let reasons: Vec<String> = error.chain().map(reason).collect();
            say("phase", &format!("not known: {}", reasons.join(": ")));
        }
    }
    match shutdown::find_running(paths).map(|running| running.describe()) {
        Some(Ok(running)) => text.push_str(&running),
        Some(Err(error)) => say("shutdown", &format!("scheduled: {}", reason(&error))),
        None => say("shutdown", "none is scheduled"),
    }
    text
}

/// Returns when the level was entered, or the machine started, as recorded in utmp.
fn since(utmp: &Path, phase: Phase) -> Option<String> {
    let mut records = sys::utmp::read(utmp).ok()?.map_while(Result::ok);
    let record = match phase {
        Phase::SysInit | Phase::Boot => records.find(|record| record.kind == Kind::BootTime),
        Phase::Normal(level) => records.find(|record| {
            record
                .levels()
                .is_some_and(|levels| levels.current == level.as_byte())
        }),
    }?;
    let seconds = u64::try_from(record.seconds).ok()?;
    let time = sys::calendar::local(Duration::from_secs(seconds)).ok()?;
    Some(time.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Wish, UsageError> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        parse(&words)
    }

    fn print(utmp: Option<&str>, more: More) -> Wish {
        let utmp = utmp.map(PathBuf::from);
        Wish::Print { utmp, more }
    }

    #[test]
    fn the_first_word_is_a_file_whatever_it_is_called() {
        assert_eq!(parsed(&[]), Ok(print(None, More::No)));
        assert_eq!(parsed(&["-v", "x"]), Ok(print(Some("-v"), More::No)));
        assert_eq!(
            parsed(&["--verbose", "/x"]),
            Ok(print(Some("/x"), More::Yes))
        );
    }

    #[test]
    fn a_level_is_waited_for() {
        let level = Runlevel::from_byte(b'3').unwrap();
        assert_eq!(parsed(&["--wait", "3"]), Ok(Wish::Wait(level, None)));
        let limit = Some(Duration::from_secs(20));
        assert_eq!(parsed(&["3", "--wait=20"]), Ok(Wish::Wait(level, limit)));
    }

    #[test]
    fn what_makes_no_sense_is_refused() {
        for words in [
            &["--wait"][..],
            &["--wait", "33"],
            &["--wait", "x"],
            &["--wait=soon", "3"],
            &["--wait", "--verbose", "3"],
            &["--verbose", "-x"],
            &["--colour"],
            &["--verbose", "a", "b"],
        ] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}

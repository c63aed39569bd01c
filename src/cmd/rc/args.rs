//! The words after `rc` and `rcS`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use anyhow::Context;
use lexopt::Arg::{Long, Short, Value};

use crate::runlevel::Runlevel;

pub(super) const HELP: &str = "\
Usage: rc [--dry-run] [--root DIR] [LEVEL]
       rcS [--dry-run] [--root DIR]

Runs the rc scripts of a runlevel, one after another: the kill links of
/etc/rcLEVEL.d with `stop' if there was a previous level, then the start links
with `start' (in levels 0 and 6 with `stop'). rcS does so for level S. A script
that fails stops nothing.

/etc/default/rc can set DEADLINE=60, CONFIRM=yes and PARALLEL=yes: rc(8).

LEVEL is 0 to 9 or S; without it the variable RUNLEVEL counts. The previous
level is that of the variable PREVLEVEL.

  -n, --dry-run   print what would run, and why the rest would not; run nothing
      --root DIR  look for /etc and the other directories below DIR
  -h, --help      print this help
  -V, --version   print the version
";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    Help,
    Version,
    Enter(Options),
}

/// How to enter which level.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    /// None where the environment is to name it.
    pub(super) level: Option<Runlevel>,
    pub(super) dry_run: bool,
    pub(super) root: PathBuf,
}

/// Reads the words; `fixed` is the level of a program that takes none.
pub(super) fn parse(words: &[OsString], fixed: Option<Runlevel>) -> anyhow::Result<Task> {
    let mut options = Options {
        level: fixed,
        dry_run: false,
        root: PathBuf::from("/"),
    };
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(word) = parser.next()? {
        match word {
            Short('n') | Long("dry-run") => options.dry_run = true,
            Long("root") => options.root = parser.value()?.into(),
            Short('h') | Long("help") => return Ok(Task::Help),
            Short('V') | Long("version") => return Ok(Task::Version),
            // An empty word names no level, as in a script that passes on a variable that is not set.
            Value(word) if options.level.is_none() => {
                options.level = (!word.is_empty()).then(|| level(&word)).transpose()?;
            }
            other => return Err(other.unexpected().into()),
        }
    }
    Ok(Task::Enter(options))
}

/// Reads a level.
pub(super) fn level(word: &OsStr) -> anyhow::Result<Runlevel> {
    match word.as_bytes() {
        [byte] => Runlevel::from_byte(*byte),
        _ => None,
    }
    .with_context(|| format!("{}: no such runlevel", word.as_bytes().escape_ascii()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Task, String> {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        parse(&words, None).map_err(|error| error.to_string())
    }

    fn entered(level: Option<u8>) -> Options {
        Options {
            level: level.and_then(Runlevel::from_byte),
            dry_run: false,
            root: PathBuf::from("/"),
        }
    }

    #[test]
    fn the_level_is_the_only_word() {
        assert_eq!(parsed(&["3"]), Ok(Task::Enter(entered(Some(b'3')))));
        assert_eq!(parsed(&["s"]), Ok(Task::Enter(entered(Some(b'S')))));
        assert_eq!(parsed(&[""]), Ok(Task::Enter(entered(None))));
        assert_eq!(parsed(&[]), Ok(Task::Enter(entered(None))));
    }

    #[test]
    fn options_stand_before_or_behind_the_level() {
        let expected = Options {
            dry_run: true,
            root: PathBuf::from("/mnt"),
            ..entered(Some(b'2'))
        };
        assert_eq!(
            parsed(&["-n", "2", "--root=/mnt"]),
            Ok(Task::Enter(expected))
        );
    }

    #[test]
    fn other_words_are_refused_by_name() {
        for (words, message) in [
            (&["Z"][..], "Z: no such runlevel"),
            (&["33"], "33: no such runlevel"),
            (&["N"], "N: no such runlevel"),
            (&["3", "4"], "unexpected argument \"4\""),
            (&["-x"], "invalid option '-x'"),
        ] {
            assert_eq!(parsed(words), Err(message.to_owned()));
        }
    }

    #[test]
    fn the_start_up_level_takes_no_word() {
        let words = [OsString::from("3")];
        assert!(parse(&words, Some(Runlevel::SINGLE)).is_err());
    }
}

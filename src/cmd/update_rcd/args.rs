//! The words after `update-rc.d` as a value: update-rc.d(8).

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use lexopt::Arg::{Long, Short, Value};

use crate::runlevel::{Runlevel, RunlevelSet};

pub(super) const HELP: &str = "\
Usage: update-rc.d [-f] [--root DIR] NAME remove
       update-rc.d [--root DIR] NAME defaults|defaults-disabled
       update-rc.d [--root DIR] NAME disable|enable [S|2|3|4|5]...

Makes, removes and changes the links that start and stop an rc script. Packages
call it when they are installed and removed.

  defaults           link the script in the levels its LSB header lists
  defaults-disabled  the same, but disabled
  remove             remove the script's links
  disable            turn its start links into kill links: in the levels, or in
                     those its header lists
  enable             turn them back

  -f, --force     accepted, and without effect: nothing has to be forced
      --root DIR  look for /etc below DIR, not below the variable DPKG_ROOT
  -h, --help      print this help
  -V, --version   print the version
";

/// What is said where the words make no sense, as the original says it.
pub(super) const USAGE: &str = "\
usage: update-rc.d [-f] <basename> remove
       update-rc.d [-f] <basename> defaults
       update-rc.d [-f] <basename> defaults-disabled
       update-rc.d <basename> disable|enable [S|2|3|4|5]
\t\t-f: force
";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    Help,
    Version,
    Change(Change),
}

/// A change of one script's links.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) name: OsString,
    pub(super) verb: Verb,
    pub(super) root: Option<PathBuf>,
}

/// What to do with the links.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Verb {
    Defaults,
    DefaultsDisabled,
    /// `start 20 2 3 . stop 20 0 1 .` of former times: the levels named there.
    Former(Former),
    Remove,
    Disable(Vec<OsString>),
    Enable(Vec<OsString>),
}

/// Levels in the words of former times.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Former {
    pub(super) start: RunlevelSet,
    pub(super) stop: RunlevelSet,
}

/// The words make no sense, for the reason that is named; none is where the original names none.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct UsageError(pub(super) Option<String>);

/// Compat: the original does not say which option it does not know.
fn unknown(error: lexopt::Error) -> UsageError {
    UsageError(Some(match error {
        lexopt::Error::UnexpectedOption(option) => format!("unknown option: {option}"),
        other => other.to_string(),
    }))
}

/// Reads the words.
pub(super) fn parse(words: &[OsString]) -> Result<Task, UsageError> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut root = None;
    let mut values = Vec::new();
    while let Some(word) = parser.next().map_err(unknown)? {
        match word {
            Short('f') | Long("force") if values.is_empty() => {}
            Long("root") => root = Some(parser.value().map_err(unknown)?.into()),
            Short('h') | Long("help") => return Ok(Task::Help),
            Short('V') | Long("version") => return Ok(Task::Version),
            Value(word) => values.push(word),
            other => return Err(unknown(other.unexpected())),
        }
    }
    let mut values = values.into_iter();
    let (Some(name), Some(verb)) = (values.next(), values.next()) else {
        return Err(UsageError(Some("not enough arguments".to_owned())));
    };
    let rest: Vec<OsString> = values.collect();
    let verb = match verb.as_bytes() {
        b"defaults" => Verb::Defaults,
        b"defaults-disabled" => Verb::DefaultsDisabled,
        b"remove" => Verb::Remove,
        b"disable" => Verb::Disable(rest),
        b"enable" => Verb::Enable(rest),
        b"start" | b"stop" => Verb::Former(former(&verb, &rest)),
        _ => return Err(UsageError(None)),
    };
    Ok(Task::Change(Change { name, verb, root }))
}

/// Reads `start NN LEVEL... .` and `stop NN LEVEL... .`, as often as they are given.
fn former(first: &OsString, rest: &[OsString]) -> Former {
    let mut former = Former::default();
    let mut words = std::iter::once(first).chain(rest);
    while let Some(keyword) = words.next() {
        let set = match keyword.as_bytes() {
            b"start" => &mut former.start,
            b"stop" => &mut former.stop,
            _ => continue,
        };
        let levels = words.by_ref().skip(1).take_while(|word| *word != ".");
        for level in levels.filter_map(level) {
            *set = set.with(level);
        }
    }
    former
}

/// Reads a level.
pub(super) fn level(word: &OsString) -> Option<Runlevel> {
    match word.as_bytes() {
        [byte] => Runlevel::from_byte(*byte),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Task, UsageError> {
        let words: Vec<OsString> = line.split_whitespace().map(Into::into).collect();
        parse(&words)
    }

    fn verb(line: &str) -> Verb {
        match parsed(line) {
            Ok(Task::Change(change)) => change.verb,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn every_verb_is_known() {
        assert_eq!(verb("a defaults"), Verb::Defaults);
        assert_eq!(verb("-f a defaults 20 80"), Verb::Defaults);
        assert_eq!(verb("a defaults-disabled"), Verb::DefaultsDisabled);
        assert_eq!(verb("a remove x"), Verb::Remove);
        assert_eq!(verb("a enable"), Verb::Enable(vec![]));
        assert_eq!(
            verb("a disable 2 S"),
            Verb::Disable(vec!["2".into(), "S".into()])
        );
    }

    #[test]
    fn words_of_former_times_name_levels() {
        let former = |start: &str, stop: &str| {
            Verb::Former(Former {
                start: RunlevelSet::parse(start.as_bytes()),
                stop: RunlevelSet::parse(stop.as_bytes()),
            })
        };
        assert_eq!(verb("a start 20 2 3 . stop 80 0 6 ."), former("23", "06"));
        assert_eq!(verb("a start 20 2 3 . start 30 4 ."), former("234", ""));
        assert_eq!(verb("a stop"), former("", ""));
    }

    #[test]
    fn other_words_are_refused_as_the_original_does() {
        let refused = |line| parsed(line).unwrap_err().0;
        let why = |text: &str| Some(text.to_owned());
        assert_eq!(refused("-x a defaults"), why("unknown option: -x"));
        assert_eq!(refused("-n a defaults"), why("unknown option: -n"));
        assert_eq!(refused("a"), why("not enough arguments"));
        assert_eq!(refused("-f"), why("not enough arguments"));
        assert_eq!(refused("a frob"), None);
    }
}

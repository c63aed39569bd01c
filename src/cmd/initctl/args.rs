//! The words after `initctl` as a value. Pure; `mod.rs` acts on it.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::Arg::{Long, Short, Value};

pub(super) const HELP: &str = "\
Usage: initctl [--json] [--root DIR] VERB [NAME]

  list                   inittab entries and services, one line each
  status [NAME]          has the machine reached its level; how is NAME
  start stop restart reload NAME   calls the rc script of a service
  show-config [NAME]     the inittab entries in force, or what is set for NAME
  plan LEVEL             what init and rc would stop and start
  emit EVENT             ctrlaltdel kbrequest powerfail powerfailnow powerok a b
                         c: acts as if that had happened
  reload-configuration   has init read inittab again

  log NAME               what a service's script has printed; an entry's record
  record                 all that is recorded of this boot
  blame                  what took the time of the boot, slowest first
  chart [-o FILE]        a picture of the boot (SVG)

  --json      for other programs: what is shown, done or wrong as one value
  --root DIR  look for all files below DIR
  -o FILE     write the chart to FILE instead of standard output
  -h, --help, -V, --version

Exit status: 0 done or well, 1 not so, 2 the words make no sense; of status also
3 not running, 4 not known.
";

/// What is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verb {
    List,
    Status,
    Service(&'static str),
    ShowConfig,
    Plan,
    Emit,
    ReloadConfiguration,
    Log,
    Record,
    Blame,
    Chart,
}

/// Whether a verb takes a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Operand {
    No,
    May,
    Must,
}

const VERBS: [(&str, Verb, Operand); 14] = [
    ("list", Verb::List, Operand::No),
    ("status", Verb::Status, Operand::May),
    ("start", Verb::Service("start"), Operand::Must),
    ("stop", Verb::Service("stop"), Operand::Must),
    ("restart", Verb::Service("restart"), Operand::Must),
    ("reload", Verb::Service("reload"), Operand::Must),
    ("show-config", Verb::ShowConfig, Operand::May),
    ("plan", Verb::Plan, Operand::Must),
    ("emit", Verb::Emit, Operand::Must),
    (
        "reload-configuration",
        Verb::ReloadConfiguration,
        Operand::No,
    ),
    ("log", Verb::Log, Operand::Must),
    ("record", Verb::Record, Operand::No),
    ("blame", Verb::Blame, Operand::No),
    ("chart", Verb::Chart, Operand::No),
];

/// How an answer is printed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Form {
    Text,
    Json,
}

/// The words.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Version,
    Do(Order),
}

/// A verb with what belongs to it.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Order {
    pub(super) verb: Verb,
    pub(super) name: Option<OsString>,
    pub(super) form: Form,
    pub(super) root: PathBuf,
    pub(super) output: Option<PathBuf>,
}

/// Reads the words.
pub(super) fn parse(words: &[OsString]) -> anyhow::Result<Wish> {
    let (mut form, mut root, mut output) = (Form::Text, PathBuf::from("/"), None);
    let mut operands = Vec::new();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(word) = parser.next()? {
        match word {
            Short('h') | Long("help") => return Ok(Wish::Help),
            Short('V') | Long("version") => return Ok(Wish::Version),
            Long("json") => form = Form::Json,
            Long("root") => root = parser.value()?.into(),
            Short('o') => output = Some(parser.value()?.into()),
            Value(word) => operands.push(word),
            other => return Err(other.unexpected().into()),
        }
    }
    let mut operands = operands.into_iter();
    let Some(word) = operands.next() else {
        anyhow::bail!("says nothing without a verb; see --help");
    };
    let name = operands.next();
    let known = VERBS.iter().find(|(known, ..)| word == *known);
    let Some((word, verb, operand)) = known else {
        anyhow::bail!("{}: no such verb; see --help", word.display());
    };
    match (operand, &name) {
        (Operand::Must, None) => anyhow::bail!("{word}: of what? It takes a name"),
        (Operand::No, Some(_)) => anyhow::bail!("{word}: one word too many"),
        _ if operands.next().is_some() => anyhow::bail!("{word}: one word too many"),
        _ => {}
    }
    anyhow::ensure!(
        output.is_none() || *verb == Verb::Chart,
        "{word}: -o is for chart"
    );
    Ok(Wish::Do(Order {
        verb: *verb,
        name,
        form,
        root,
        output,
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Order, String> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        match parse(&words) {
            Ok(Wish::Do(order)) => Ok(order),
            Ok(other) => panic!("{other:?}"),
            Err(error) => Err(error.to_string()),
        }
    }

    #[test]
    fn a_verb_comes_with_its_name_and_options_anywhere() {
        let order = parsed(&["status", "cron", "--json", "--root=/mnt"]).unwrap();
        assert_eq!(order.verb, Verb::Status);
        assert_eq!(order.name, Some("cron".into()));
        assert_eq!((order.form, order.root), (Form::Json, "/mnt".into()));
        let chart = parsed(&["-o", "x.svg", "chart"]).unwrap();
        assert_eq!(chart.output, Some("x.svg".into()));
    }

    #[test]
    fn words_that_make_no_sense_are_refused() {
        for words in [
            &[][..],
            &["frobnicate"],
            &["start"],
            &["list", "cron"],
            &["status", "cron", "ssh"],
            &["blame", "-o", "x"],
            &["--colour", "list"],
        ] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}

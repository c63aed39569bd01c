//! The words after `insserv` as a value: insserv(8).

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use anyhow::{Context, bail};
use lexopt::Arg::{Long, Short, Value};

use crate::rcdir::order::{Force, Levels, Verb};
use crate::runlevel::{Runlevel, RunlevelSet};

pub(super) const HELP: &str = "\
Usage: insserv [OPTION]... [SCRIPT[,start=L,...][,stop=L,...]]... [DIRECTORY]

Links rc scripts into the directories of the runlevels, in the order that their
LSB headers ask for, and writes /etc/init.d/.depend.{boot,start,stop}.
Without a script, numbers are made anew and scripts keep their levels.

  -r, --remove            remove the links of the scripts
  -d, --default           add the levels of the header to those of the links
  -f, --force             go on if a required service is missing or in a loop,
                          and let levels named on the command line count
  -e, --recursive         link what the scripts require as well
  -n, --dry-run           change nothing, only tell
  -s, --show-all          print levels and numbers of all scripts only
  -v, --verbose           tell what is done, and more of what is wrong
  -q, --silent            tell fatal errors only
  -c, --config FILE       facilities, instead of /etc/insserv.conf; FILE.d too
  -o, --override DIR      headers, instead of /etc/insserv/overrides
  -p, --path DIR          scripts, instead of /etc/init.d
  -i, --insserv-dir DIR   where to write the .depend files
      --root DIR          look for /etc and the other directories below DIR
  -h, --help              print this help
  -V, --version           print the version
";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Task {
    Help,
    Version,
    Arrange(Options),
}

/// How much is told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) enum Voice {
    Silent,
    #[default]
    Usual,
    Verbose,
}

/// What is done with the answer.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Deed {
    #[default]
    Change,
    DryRun,
    Show,
}

/// A word that names a script or a directory.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Operand {
    pub(super) path: PathBuf,
    pub(super) start: Option<RunlevelSet>,
    pub(super) stop: Option<RunlevelSet>,
}

/// The options and the words.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    pub(super) operands: Vec<Operand>,
    pub(super) verb: Verb,
    pub(super) levels: Levels,
    pub(super) force: Force,
    pub(super) voice: Voice,
    pub(super) deed: Deed,
    pub(super) config: Option<PathBuf>,
    pub(super) overrides: Option<PathBuf>,
    pub(super) scripts: Option<PathBuf>,
    pub(super) depend: Option<PathBuf>,
    pub(super) root: PathBuf,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            operands: Vec::new(),
            verb: Verb::Add,
            levels: Levels::Kept,
            force: Force::No,
            voice: Voice::Usual,
            deed: Deed::Change,
            config: None,
            overrides: None,
            scripts: None,
            depend: None,
            root: PathBuf::from("/"),
        }
    }
}

/// Reads the words.
pub(super) fn parse(words: &[OsString]) -> anyhow::Result<Task> {
    let mut options = Options::default();
    let mut parser = lexopt::Parser::from_args(words);
    while let Some(word) = parser.next()? {
        match word {
            Short('r') | Long("remove") => options.verb = Verb::Remove,
            Short('e') | Long("recursive") => options.verb = Verb::AddWithRequired,
            Short('d') | Long("default") => options.levels = Levels::Default,
            Short('f') | Long("force") => options.force = Force::Yes,
            Short('v') | Long("verbose") => options.voice = Voice::Verbose,
            Short('q') | Long("silent") => options.voice = Voice::Silent,
            Short('n') | Long("dry-run" | "dryrun") => options.deed = Deed::DryRun,
            Short('s') | Long("show-all" | "showall") => options.deed = Deed::Show,
            Short('c') | Long("config") => options.config = Some(parser.value()?.into()),
            Short('o') | Long("override") => options.overrides = Some(parser.value()?.into()),
            Short('p') | Long("path") => options.scripts = Some(parser.value()?.into()),
            Short('i') | Long("insserv-dir") => options.depend = Some(parser.value()?.into()),
            // Compat: names the program behind upstart's jobs, of which there are none any more.
            Short('u') | Long("upstart-job") => drop(parser.value()?),
            Long("root") => options.root = parser.value()?.into(),
            Short('h') | Long("help") => return Ok(Task::Help),
            Short('V') | Long("version") => return Ok(Task::Version),
            Value(word) => options.operands.push(operand(&word)?),
            other => return Err(other.unexpected().into()),
        }
    }
    if options.verb == Verb::Remove && options.operands.is_empty() {
        bail!("usage: insserv [[-r] init_script|init_directory]");
    }
    Ok(Task::Arrange(options))
}

/// Reads `PATH[,start=L,L...][,stop=L,L...]`. A level belongs to the keyword before it.
fn operand(word: &OsString) -> anyhow::Result<Operand> {
    let mut parts = word.as_bytes().split(|&byte| byte == b',');
    let path = parts.next().unwrap_or_default();
    let mut operand = Operand {
        path: OsString::from_vec(path.to_vec()).into(),
        ..Operand::default()
    };
    let mut is_start = None;
    for part in parts {
        let levels = if let Some(levels) = part.strip_prefix(b"start=") {
            is_start = Some(true);
            levels
        } else if let Some(levels) = part.strip_prefix(b"stop=") {
            is_start = Some(false);
            levels
        } else {
            part
        };
        let set = match is_start {
            Some(true) => &mut operand.start,
            Some(false) => &mut operand.stop,
            None => bail!("{}: neither start= nor stop=", part.escape_ascii()),
        };
        let mut all = set.unwrap_or_default();
        for &byte in levels {
            let level = Runlevel::from_byte(byte)
                .with_context(|| format!("{}: no such runlevel", levels.escape_ascii()))?;
            all = all.with(level);
        }
        *set = Some(all);
    }
    Ok(operand)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Task, String> {
        let words: Vec<OsString> = words.iter().map(Into::into).collect();
        parse(&words).map_err(|error| error.to_string())
    }

    #[test]
    fn levels_belong_to_the_keyword_before_them() {
        let expected = Operand {
            path: "a".into(),
            start: Some(RunlevelSet::parse(b"23S")),
            stop: Some(RunlevelSet::parse(b"0")),
        };
        let operands = vec![
            expected,
            Operand {
                path: "b".into(),
                ..Operand::default()
            },
        ];
        assert_eq!(
            parsed(&["a,start=2,3,S,stop=0", "b"]),
            Ok(Task::Arrange(Options {
                operands,
                ..Options::default()
            }))
        );
    }

    #[test]
    fn an_empty_list_of_levels_is_one() {
        let operands = vec![Operand {
            path: "a".into(),
            start: Some(RunlevelSet::EMPTY),
            stop: None,
        }];
        assert_eq!(
            parsed(&["a,start="]),
            Ok(Task::Arrange(Options {
                operands,
                ..Options::default()
            }))
        );
    }

    #[test]
    fn other_words_are_refused_by_name() {
        for (words, message) in [
            (&["a,b"][..], "b: neither start= nor stop="),
            (&["a,start=x"], "x: no such runlevel"),
            (&["-r"], "usage: insserv [[-r] init_script|init_directory]"),
            (&["-x"], "invalid option '-x'"),
            (&["-c"], "missing argument for option '-c'"),
        ] {
            assert_eq!(parsed(words), Err(message.to_owned()));
        }
    }
}

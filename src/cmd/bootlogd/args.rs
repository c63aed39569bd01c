//! The words after `bootlogd` as a value: bootlogd(8). Pure; `mod.rs` acts on it.

use std::ffi::OsString;
use std::path::PathBuf;

use lexopt::Arg;

/// How to log.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of bootlogd(8), and none excludes another"
)]
pub(super) struct Options {
    /// `-c`: make the log where there is none.
    pub(super) create: bool,
    /// `-d`: stay in the foreground.
    pub(super) foreground: bool,
    /// `-e`: write escape sequences too.
    pub(super) escapes: bool,
    /// `-r`: keep the log that is there as `NAME~`.
    pub(super) rename: bool,
    /// `-s`: have every line on the disk.
    pub(super) sync: bool,
    /// `-l`
    pub(super) log: Option<PathBuf>,
    /// `-p`
    pub(super) pid_file: Option<PathBuf>,
}

/// What the words come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Version,
    Record(Options),
}

pub(super) fn parse(words: &[OsString]) -> Result<Wish, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('c') => options.create = true,
            Arg::Short('d') => options.foreground = true,
            Arg::Short('e') => options.escapes = true,
            Arg::Short('r') => options.rename = true,
            Arg::Short('s') => options.sync = true,
            Arg::Short('l') => options.log = Some(parser.value()?.into()),
            Arg::Short('p') => options.pid_file = Some(parser.value()?.into()),
            Arg::Short('v') | Arg::Long("version") => return Ok(Wish::Version),
            Arg::Long("help") => return Ok(Wish::Help),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Wish::Record(options))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Wish, lexopt::Error> {
        let words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        parse(&words)
    }

    #[test]
    fn what_debians_script_writes_is_understood() {
        let Ok(Wish::Record(options)) = parsed("-e -c -l /run/bootlog") else {
            panic!("no wish");
        };
        assert!(options.escapes && options.create && !options.foreground);
        assert_eq!(options.log, Some("/run/bootlog".into()));
        let Ok(Wish::Record(options)) = parsed("-drs -p/run/p") else {
            panic!("no wish");
        };
        assert!(options.foreground && options.rename && options.sync);
        assert_eq!(options.pid_file, Some("/run/p".into()));
    }

    #[test]
    fn versions_are_told_and_words_too_many_refused() {
        assert_eq!(parsed("-v").unwrap(), Wish::Version);
        assert_eq!(parsed("-c --help").unwrap(), Wish::Help);
        for words in ["-x", "file", "-l", "-c file", "--log=x"] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }
}

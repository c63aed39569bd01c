//! The words after `pidof` as a value: pidof(8). Pure; `mod.rs` acts on it.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use lexopt::Arg;

use crate::procs::{Omission, omissions};

/// What is looked for, and how it is printed.
#[derive(Debug, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of pidof(8), and none excludes another"
)]
pub(super) struct Options {
    /// `-c`
    pub(super) same_root: bool,
    /// `-q`
    pub(super) quiet: bool,
    /// `-s`
    pub(super) single: bool,
    /// `-x`
    pub(super) scripts: bool,
    /// `-z`
    pub(super) zombies: bool,
    /// `-d`: one character.
    pub(super) separator: Option<Vec<u8>>,
    /// `-o`
    pub(super) omit: Vec<Omission>,
    /// The programs.
    pub(super) names: Vec<OsString>,
}

/// What the words come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Version,
    Look(Options),
}

pub(super) fn parse(words: &[OsString]) -> Result<Wish, lexopt::Error> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut options = Options::default();
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('c') => options.same_root = true,
            Arg::Short('d') => options.separator = Some(first_character(&parser.value()?)),
            Arg::Short('h') | Arg::Long("help") => return Ok(Wish::Help),
            Arg::Long("version") => return Ok(Wish::Version),
            // Network file systems are left alone with and without it.
            Arg::Short('n') => {}
            Arg::Short('o') => {
                let list = parser.value()?;
                options.omit.extend(omissions(&list.to_string_lossy()));
            }
            Arg::Short('q') => options.quiet = true,
            Arg::Short('s') => options.single = true,
            Arg::Short('x') => options.scripts = true,
            Arg::Short('z') => options.zombies = true,
            Arg::Value(name) => options.names.push(name),
            other => return Err(other.unexpected()),
        }
    }
    Ok(Wish::Look(options))
}

/// The first character, or the first byte of what is no text. Compat: pidof(8) takes the NUL behind an empty word.
fn first_character(text: &OsStr) -> Vec<u8> {
    let bytes = text.as_bytes();
    let length = text
        .to_str()
        .and_then(|text| text.chars().next())
        .map_or(1, char::len_utf8);
    bytes.get(..length).unwrap_or(b"\0").to_vec()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn options(words: &[&str]) -> Options {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        match parse(&words) {
            Ok(Wish::Look(options)) => options,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn options_stand_before_and_behind_names_until_two_dashes() {
        let seen = options(&["-sx", "sh", "-o1,2", "init", "-o", "%PPID;x", "--", "-q"]);
        assert!(seen.single && seen.scripts && !seen.quiet);
        assert_eq!(seen.names, ["sh", "init", "-q"]);
        let omitted = [
            Omission::Pid(1),
            Omission::Pid(2),
            Omission::Parent,
            Omission::Illegal("x".to_owned()),
        ];
        assert_eq!(seen.omit, omitted);
    }

    #[test]
    fn the_separator_is_one_character() {
        for (given, expected) in [(",", ","), ("ab", "a"), ("", "\0"), ("·x", "·")] {
            let separator = options(&["-d", given, "sh"]).separator.unwrap();
            assert_eq!(separator, expected.as_bytes(), "{given}");
        }
    }

    #[test]
    fn unknown_options_and_missing_values_are_errors() {
        for words in [&["-Z", "sh"][..], &["-d"], &["-o"], &["--quiet", "sh"]] {
            let words: Vec<OsString> = words.iter().map(OsString::from).collect();
            assert!(parse(&words).is_err(), "{words:?}");
        }
    }
}

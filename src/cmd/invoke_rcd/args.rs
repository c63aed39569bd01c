//! The words after `invoke-rc.d` as a value: invoke-rc.d(8). Pure; `mod.rs` acts on it.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

pub(super) const HELP: &str = "\
Usage: invoke-rc.d [OPTION...] NAME ACTION [ARGUMENT...]

Runs ACTION of the rc script NAME for a package, if the links of the current
runlevel and /usr/sbin/policy-rc.d allow it. Start, restart and try-restart need
a start link.

  --quiet          no messages of its own
  --force          run the script whatever links and policy say
  --try-anyway     go on where links are broken; the policy still counts
  --disclose-deny  exit with 101 and a message, not with 0, if it is not allowed
  --query          run nothing and exit with 100 to 106: 104 allowed, 101 not,
                   105 nothing says, 106 the policy has other actions to try
  --no-fallback    take other actions of the policy for a refusal
  --skip-systemd-native  accepted; there is no systemd here
  --help, --version

Exit status: the script's; 4 status is not allowed; 102 something is broken;
103 the words make no sense.
";

/// What the options ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "each is one switch of invoke-rc.d(8), and none excludes another"
)]
pub(super) struct Options {
    pub(super) quiet: bool,
    pub(super) force: bool,
    pub(super) try_anyway: bool,
    pub(super) disclose_deny: bool,
    pub(super) query: bool,
    pub(super) no_fallback: bool,
}

/// A call that makes sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Version,
    Run(Run),
}

#[derive(Debug, PartialEq, Eq)]
pub(super) struct Run {
    pub(super) options: Options,
    pub(super) name: OsString,
    pub(super) action: OsString,
    pub(super) words: Vec<OsString>,
}

/// A call that makes none: what is said about it, unless it is to be quiet.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) quiet: bool,
    pub(super) text: Vec<u8>,
}

/// Compat: options are words of two dashes before, between and behind the name and the action; a word behind these two
/// belongs to the script.
pub(super) fn parse(words: &[OsString]) -> Result<Wish, SyntaxError> {
    let mut options = Options::default();
    let mut names: Vec<OsString> = Vec::new();
    let mut rest = words.iter();
    let error = |options: &Options, text: &[&[u8]]| SyntaxError {
        quiet: options.quiet,
        text: text.concat(),
    };
    if words.is_empty() {
        let text = b"missing required parameter, --help assumed";
        return Err(error(&options, &[text]));
    }
    while names.len() < 2 {
        let Some(word) = rest.next() else {
            return Err(error(&options, &[b"missing required parameter"]));
        };
        let bytes = word.as_bytes();
        match bytes {
            b"--help" => return Ok(Wish::Help),
            b"--version" => return Ok(Wish::Version),
            b"--quiet" => options.quiet = true,
            b"--force" => options.force = true,
            b"--try-anyway" => options.try_anyway = true,
            b"--disclose-deny" => options.disclose_deny = true,
            b"--query" => options.query = true,
            b"--no-fallback" => options.no_fallback = true,
            b"--skip-systemd-native" => {}
            [b'-', b'-', ..] => {
                return Err(error(&options, &[b"unknown option \"", bytes, b"\""]));
            }
            [] => return Err(error(&options, &[b"invalid empty parameter"])),
            _ if bytes.contains(&b' ') => {
                let text = b"embedded blanks are not allowed in \"";
                return Err(error(&options, &[text, bytes, b"\""]));
            }
            _ => names.push(word.clone()),
        }
    }
    let mut names = names.into_iter();
    Ok(Wish::Run(Run {
        options,
        name: names.next().unwrap_or_default(),
        action: names.next().unwrap_or_default(),
        words: rest.cloned().collect(),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Wish, SyntaxError> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        parse(&words)
    }

    #[test]
    fn what_stands_behind_name_and_action_is_the_scripts() {
        let Ok(Wish::Run(run)) = parsed(&["--quiet", "cron", "--query", "start", "--force", "a b"])
        else {
            panic!("no run");
        };
        assert!(run.options.quiet && run.options.query && !run.options.force);
        assert_eq!(
            (run.name.to_str(), run.action.to_str()),
            (Some("cron"), Some("start"))
        );
        assert_eq!(run.words, ["--force", "a b"]);
    }

    #[test]
    fn calls_that_make_no_sense_are_explained_unless_they_are_to_be_quiet() {
        for (words, text, quiet) in [
            (&[][..], "missing required parameter, --help assumed", false),
            (&["cron"], "missing required parameter", false),
            (&["--quiet"], "missing required parameter", true),
            (
                &["--bogus", "cron", "start"],
                "unknown option \"--bogus\"",
                false,
            ),
            (
                &["a b", "start"],
                "embedded blanks are not allowed in \"a b\"",
                false,
            ),
            (&["cron", ""], "invalid empty parameter", false),
        ] {
            let text = text.as_bytes().to_vec();
            assert_eq!(parsed(words), Err(SyntaxError { quiet, text }));
        }
    }
}

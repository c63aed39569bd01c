//! The words after `service` as a value: service(8). Pure; `mod.rs` acts on it.

use std::ffi::OsString;

pub(super) const HELP: &str = "\
Usage: service NAME ACTION [ARGUMENT...]
       service NAME --full-restart
       service --status-all | --failed

Runs the rc script /etc/init.d/NAME with ACTION, from / and with an environment
of LANG, LANGUAGE, LC_*, PATH and TERM only. The exit status is the script's.

NAME status also tells of a service whose script has no such action: by its pid
file, the process table or the boot record, and by which of them.

  --full-restart   stop, then start, whether or not the service runs
  --status-all     all services: a table on a terminal, else one line for each:
                   [ + ] running, [ - ] not running, [ ? ] not known (on stderr)
  --failed         services that should run and do not, or failed to start
  -h, --help       print this help
  -V, --version    print the version

Exit status of status: 0 running, 1 dead, 3 not running, 4 not known.
";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Version,
    /// There are no words at all.
    Nothing,
    StatusAll,
    Failed,
    /// Run a script with these words.
    Run {
        name: OsString,
        words: Vec<OsString>,
    },
    FullRestart {
        name: OsString,
    },
}

/// Compat: service(8) answers to help and version in every place, even behind the action, and drops empty words.
pub(super) fn parse(words: &[OsString]) -> Wish {
    for word in words {
        match word.to_str() {
            Some("-h" | "--help") => return Wish::Help,
            Some("-V" | "--version") => return Wish::Version,
            _ => {}
        }
    }
    match words {
        [] => Wish::Nothing,
        [word] if word == "--status-all" => Wish::StatusAll,
        [word] if word == "--failed" => Wish::Failed,
        [name, word] if word == "--full-restart" => Wish::FullRestart { name: name.clone() },
        [name, words @ ..] => Wish::Run {
            name: name.clone(),
            words: words
                .iter()
                .filter(|word| !word.is_empty())
                .cloned()
                .collect(),
        },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Wish {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        parse(&words)
    }

    fn run(name: &str, words: &[&str]) -> Wish {
        let words = words.iter().map(OsString::from).collect();
        Wish::Run {
            name: name.into(),
            words,
        }
    }

    #[test]
    fn a_service_comes_before_its_action() {
        assert_eq!(parsed(&[]), Wish::Nothing);
        assert_eq!(parsed(&["cron"]), run("cron", &[]));
        assert_eq!(
            parsed(&["cron", "", "a b", "-x"]),
            run("cron", &["a b", "-x"])
        );
        assert_eq!(
            parsed(&["cron", "start", "--full-restart"]),
            run("cron", &["start", "--full-restart"])
        );
        assert_eq!(
            parsed(&["cron", "--full-restart"]),
            Wish::FullRestart {
                name: "cron".into()
            }
        );
    }

    #[test]
    fn options_that_need_no_service_stand_alone() {
        assert_eq!(parsed(&["--status-all"]), Wish::StatusAll);
        assert_eq!(parsed(&["--failed"]), Wish::Failed);
        assert_eq!(parsed(&["--failed", "x"]), run("--failed", &["x"]));
        assert_eq!(parsed(&["cron", "start", "-h"]), Wish::Help);
        assert_eq!(parsed(&["-V", "-h"]), Wish::Version);
    }
}

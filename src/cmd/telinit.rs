//! `telinit`, and `init` run as any other process: asks init for another runlevel or for variables.
//!
//! Implements telinit(8). Exit code 0 says that the request was written; init answers nothing, and `--wait` looks
//! at its state file for what came of it.

pub(super) mod dry_run;

use std::ffi::OsStr;
use std::ffi::OsString;
use std::io::{self, ErrorKind};
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

use lexopt::Arg;

use super::state::Elsewhere;
use super::usage::UsageError;
use super::{Invocation, state};
use crate::container;
use crate::initctl::{Assignment, EncodeError, REQUEST_SIZE, Request};
use crate::paths::Paths;
use crate::process::Pid;
use crate::runlevel::Runlevel;
use crate::sys;

/// Time between TERM and KILL where `-t` does not say otherwise: telinit(8).
const DEFAULT_GRACE: Duration = Duration::from_secs(3);
/// How long init may take to read the FIFO.
const PATIENCE: Duration = Duration::from_secs(3);
const LEVELS: &[u8] = b"0123456789SsQqAaBbCcUu";

const HELP: &str = "\
Asks init to go to another runlevel.

  0-6  halt, maintenance, multi-user levels, restart      S s  single user
  Q q  read inittab again                                 U u  re-execute init
  a b c  start the ondemand entries of this letter

  -t SECONDS    time processes have between TERM and KILL (3)
  -e VAR[=VAL]  set or unset a variable INIT_... for what init starts
  --wait[=SECONDS]  return when the level's wait entries have ended
  --dry-run     show what would be stopped, started and kept, and change nothing
  --help, --version
";

/// What `init` has besides.
const HELP_OF_INIT: &str = "
As process 1 of a container, or to run one command as such (init -- COMMAND ARGS):
  --container, --no-container   this is one, or none, whatever the signs say
  --no-rc            run COMMAND alone, although there is an inittab
  --grace=SECONDS    time for what COMMAND leaves behind to end (3)
To look for mistakes in an inittab: init --check --help
";

/// What the arguments ask for.
#[derive(Debug, PartialEq, Eq)]
enum Wish {
    Help,
    Version,
    Send(Request, Waiting),
    Rehearse(Request),
}

/// Whether the outcome of a request is waited for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Waiting {
    No,
    /// Until the level has been reached, or for this long.
    For(Runlevel, Option<Duration>),
}

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let name = &call.name;
    let (request, waiting) = match parse(&call.arguments) {
        Ok(Wish::Help) => {
            let more = if name == "init" { HELP_OF_INIT } else { "" };
            sys::print::text(&format!(
                "Usage: {name} [-t SECONDS] LEVEL\n       {name} -e VAR[=VAL]...\n\n{HELP}{more}"
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Wish::Version) => {
            sys::print::text(&format!(
                "SysV init version: {}\n\n",
                crate::COMPATIBLE_VERSION
            ))?;
            return Ok(ExitCode::SUCCESS);
        }
        _ if !sys::identity::is_superuser() => anyhow::bail!("must be superuser."),
        Ok(Wish::Rehearse(request)) => {
            sys::print::text(&dry_run::show_rehearsal(request)?)?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Wish::Send(request, waiting)) => (request, waiting),
        Err(error) => return Ok(super::usage::refuse(name, &error, &usage(name))),
    };
    let bytes = encode(&request)?;
    warn_of_other_variables(name, &request);
    match waiting {
        Waiting::No => ask(&request, &bytes)?,
        Waiting::For(level, limit) => {
            let paths = Paths::default();
            let before = state::read(&paths)?.phase;
            send(&bytes)?;
            state::wait_for(&paths, level, Elsewhere::GivesUp(before), limit)?;
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// Writes a request to init. A container that has no FIFO, because its `/run` cannot be written, still has the signals
/// by which its manager stops it.
fn ask(request: &Request, bytes: &[u8; REQUEST_SIZE]) -> anyhow::Result<()> {
    let error = match send(bytes) {
        Ok(()) => return Ok(()),
        Err(error) => error,
    };
    let is_missing = |error: &io::Error| error.kind() == ErrorKind::NotFound;
    if error.downcast_ref().is_some_and(is_missing)
        && let Request::ChangeLevel { level, .. } = request
        && let Some(signal) = Runlevel::from_byte(*level).and_then(container::stop_signal)
        && let Some(init) = Pid::new(1)
        && sys::reboot::init_listens_to(&Paths::default().process(init), signal)
        && sys::reboot::tell_init(signal).is_ok()
    {
        return Ok(());
    }
    Err(error)
}

/// Writes a request to init. The error says which path and why, in the words scripts know.
pub(super) fn send(request: &[u8; REQUEST_SIZE]) -> anyhow::Result<()> {
    let path = Paths::default().initctl();
    sys::request::send(&path, request, PATIENCE).map_err(|error| {
        if error.kind() == ErrorKind::TimedOut {
            anyhow::anyhow!("timeout opening/writing control channel {}", path.display())
        } else {
            anyhow::Error::new(error).context(path.display().to_string())
        }
    })
}

fn encode(request: &Request) -> anyhow::Result<[u8; REQUEST_SIZE]> {
    request.encode().map_err(|error| match error {
        EncodeError::EnvironmentTooLong { .. } => anyhow::anyhow!("-e option data too large"),
        error @ EncodeError::Unwritable(_) => anyhow::Error::new(error).context("-e"),
    })
}

/// Says which variables init will pass over, because it does so in silence.
fn warn_of_other_variables(name: &str, request: &Request) {
    if let Request::SetEnvironment(assignments) = request {
        for other in assignments.iter().filter(|one| !one.is_taken_by_init()) {
            sys::print::error(&format!(
                "{name}: {}: init takes only variables whose names begin with INIT_",
                String::from_utf8_lossy(&other.name)
            ));
        }
    }
}

fn usage(name: &str) -> String {
    format!(
        "Usage: {name} {{-e VAR[=VAL] | [-t SECONDS] {{0|1|2|3|4|5|6|S|s|Q|q|A|a|B|b|C|c|U|u}}}}\n"
    )
}

fn parse(arguments: &[OsString]) -> Result<Wish, UsageError> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut assignments = Vec::new();
    let mut grace = DEFAULT_GRACE;
    let mut levels = Vec::new();
    let mut wait = None;
    let mut dry_run = false;
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('e') => {
                let text = parser.value()?;
                assignments.push(Assignment::parse(text.as_bytes()));
            }
            Arg::Short('t') => grace = seconds(&parser.value()?),
            Arg::Value(word) => levels.push(word),
            Arg::Long("dry-run") => dry_run = true,
            Arg::Long("wait") => {
                let given = parser.optional_value();
                wait = Some(given.map(limit).transpose()?);
            }
            Arg::Long("help") => return Ok(Wish::Help),
            Arg::Long("version") => return Ok(Wish::Version),
            Arg::Short(_) | Arg::Long(_) => return Err(argument.unexpected().into()),
        }
    }
    let request = match (levels.as_slice(), assignments.is_empty()) {
        ([], false) => Request::SetEnvironment(assignments),
        ([word], true) => match word.as_bytes() {
            [level] if LEVELS.contains(level) => Request::ChangeLevel {
                level: *level,
                grace,
            },
            _ => return Err(UsageError::with(word, "no such runlevel or request")),
        },
        ([], true) => return Err("name a runlevel".into()),
        _ => return Err("one runlevel, or variables and no runlevel".into()),
    };
    match (&request, wait, dry_run) {
        (Request::ChangeLevel { level, .. }, Some(limit), false) => {
            let level = Runlevel::from_byte(*level).ok_or("--wait goes with a runlevel only")?;
            Ok(Wish::Send(request, Waiting::For(level, limit)))
        }
        (_, None, false) => Ok(Wish::Send(request, Waiting::No)),
        (Request::ChangeLevel { .. }, None, true) => Ok(Wish::Rehearse(request)),
        _ => Err("--wait and --dry-run go with a runlevel only, and not together".into()),
    }
}

/// How long `--wait` waits: a number of seconds and nothing else.
pub(super) fn limit(word: OsString) -> Result<Duration, UsageError> {
    let seconds = word.to_str().and_then(|word| word.parse().ok());
    let wrong = || UsageError::with(&word, "no number of seconds");
    seconds.map(Duration::from_secs).ok_or_else(wrong)
}

/// Compat: telinit(8) reads the digits a word begins with and takes anything else for zero.
fn seconds(word: &OsStr) -> Duration {
    let word = word.to_string_lossy();
    let digits: String = word
        .trim_start()
        .trim_start_matches('+')
        .chars()
        .take_while(char::is_ascii_digit)
        .collect();
    let seconds = digits.parse().unwrap_or(if digits.is_empty() {
        0
    } else {
        i32::MAX.unsigned_abs()
    });
    Duration::from_secs(u64::from(seconds.min(i32::MAX.unsigned_abs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Wish, UsageError> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        parse(&words)
    }

    fn change(level: u8, seconds: u64) -> Wish {
        let grace = Duration::from_secs(seconds);
        Wish::Send(Request::ChangeLevel { level, grace }, Waiting::No)
    }

    #[test]
    fn a_level_is_sent_as_typed_with_three_seconds() {
        for level in *b"0123456789SsQqAaBbCcUu" {
            let word = char::from(level).to_string();
            assert_eq!(parsed(&[&word]), Ok(change(level, 3)));
        }
    }

    #[test]
    fn grace_time_is_read_as_the_digits_it_begins_with() {
        for (word, seconds) in [
            ("5", 5),
            ("10x", 10),
            ("junk", 0),
            ("-5", 0),
            ("99999999999", 0x7fff_ffff),
        ] {
            assert_eq!(parsed(&["-t", word, "3"]), Ok(change(b'3', seconds)));
        }
        assert_eq!(parsed(&["3", "-t7"]), Ok(change(b'3', 7)));
    }

    #[test]
    fn variables_are_collected_into_one_request() {
        let expected = vec![
            Assignment::parse(b"INIT_A=1=2"),
            Assignment::parse(b"INIT_B"),
        ];
        assert_eq!(
            parsed(&["-e", "INIT_A=1=2", "-eINIT_B"]),
            Ok(Wish::Send(Request::SetEnvironment(expected), Waiting::No))
        );
    }

    #[test]
    fn the_outcome_is_waited_for_when_asked() {
        let waited = |limit| {
            let level = Runlevel::from_byte(b'3').unwrap();
            let request = Request::ChangeLevel {
                level: b'3',
                grace: Duration::from_secs(3),
            };
            Ok(Wish::Send(request, Waiting::For(level, limit)))
        };
        assert_eq!(parsed(&["--wait", "3"]), waited(None));
        assert_eq!(
            parsed(&["3", "--wait=20"]),
            waited(Some(Duration::from_secs(20)))
        );
    }

    #[test]
    fn a_dry_run_sends_nothing() {
        assert!(matches!(parsed(&["--dry-run", "3"]), Ok(Wish::Rehearse(_))));
    }

    #[test]
    fn anything_but_one_level_or_variables_is_a_usage_error() {
        for words in [
            &[][..],
            &["33"],
            &["x"],
            &["3", "4"],
            &["-e", "INIT_A=1", "3"],
            &["-t"],
            &["-x", "3"],
            &["--level=3"],
            &["--wait", "q"],
            &["--wait=soon", "3"],
            &["--wait", "-e", "INIT_A=1"],
            &["--dry-run", "--wait", "3"],
            &["--dry-run", "-e", "INIT_A=1"],
        ] {
            assert!(parsed(words).is_err(), "{words:?}");
        }
    }
}

//! What there is to tell about a request, in the words that people and scripts know from insserv.
#![forbid(unsafe_code)]

use super::super::lsb::{self, Names};
use super::super::relations::Direction;
use super::Request;
use crate::runlevel::RunlevelSet;
use std::fmt;

/// How much a problem matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Grave {
    /// Worth a word to somebody who asks for many.
    Note,
    /// Worth a word.
    Warning,
    /// The request is refused unless it is forced.
    Fatal,
}

/// Something that is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// How much it matters to the request at hand.
    pub grave: Grave,
    /// What is wrong.
    pub why: Why,
}

/// What can be wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// The header of the script is not as it should be.
    Header(Box<[u8]>, lsb::Diagnostic),
    /// The header of the script lists levels both to start and to stop in.
    Overlap {
        /// The script.
        script: Box<[u8]>,
        /// Where it is to be started.
        start: RunlevelSet,
        /// Where it is to be stopped.
        stop: RunlevelSet,
    },
    /// Another script provides the service as well.
    Provided {
        /// The script that comes later.
        script: Box<[u8]>,
        /// The service.
        service: Box<[u8]>,
    },
    /// No script provides a service that the linked script requires.
    Missing {
        /// The service.
        service: Box<[u8]>,
        /// Who requires it.
        script: Box<[u8]>,
    },
    /// The service that a script requires is linked nowhere.
    NotEnabled {
        /// The service.
        service: Box<[u8]>,
        /// Who requires it.
        script: Box<[u8]>,
        /// The scripts that provide it.
        providers: Names,
    },
    /// The service that a script requires is not started in some levels in which the script is.
    Missed {
        /// The service.
        service: Box<[u8]>,
        /// Who requires it.
        script: Box<[u8]>,
        /// The scripts that provide it.
        providers: Names,
        /// The levels.
        levels: RunlevelSet,
    },
    /// No line defines the facility.
    UnknownFacility(Box<[u8]>),
    /// Each of the scripts needs the next one, and the last one the first.
    Loop {
        /// The scripts.
        names: Names,
        /// When they need each other.
        direction: Direction,
    },
    /// A script has links already, in other levels than its header lists.
    Overrides {
        /// The script.
        script: Box<[u8]>,
        /// Which of its links.
        direction: Direction,
        /// The levels of the links.
        current: RunlevelSet,
        /// The levels of the header.
        default: RunlevelSet,
    },
    /// The levels of the request do not count.
    NeedsForce(Box<[u8]>),
    /// A chain is longer than two digits can number.
    TooDeep,
}

impl Problem {
    /// Says how much it matters to a request.
    pub(super) fn new(why: Why, request: &Request) -> Self {
        let concerns = |script: &[u8]| request.asked.is_empty() || request.asks_for(script);
        let any = |scripts: &Names| scripts.iter().any(|script| concerns(script));
        let is_fatal = match &why {
            Why::Missing { script, .. } | Why::Provided { script, .. } => concerns(script),
            Why::NotEnabled {
                script, providers, ..
            }
            | Why::Missed {
                script, providers, ..
            } => concerns(script) || any(providers),
            Why::Loop { names, .. } => any(names),
            Why::Header(script, diagnostic) => {
                diagnostic.problem == lsb::Problem::NoEnd && concerns(script)
            }
            Why::Overlap { .. }
            | Why::UnknownFacility(_)
            | Why::Overrides { .. }
            | Why::NeedsForce(_)
            | Why::TooDeep => false,
        };
        // That two scripts provide the same matters to who asks for one of them, not to a new numbering.
        let is_fatal =
            is_fatal && !(request.asked.is_empty() && matches!(why, Why::Provided { .. }));
        let grave = match &why {
            _ if is_fatal => Grave::Fatal,
            Why::Header(_, diagnostic) if is_detail(&diagnostic.problem) => Grave::Note,
            _ => Grave::Warning,
        };
        Self { grave, why }
    }
}

/// Tells whether it is something that insserv has never minded.
fn is_detail(problem: &lsb::Problem) -> bool {
    match problem {
        lsb::Problem::NoHeader
        | lsb::Problem::NoEnd
        | lsb::Problem::Missing(_)
        | lsb::Problem::ProvidesNothing
        | lsb::Problem::NoRunlevel(_)
        | lsb::Problem::NoDuration(_)
        | lsb::Problem::ProvidesFacility(_) => false,
        // Told as an overlap, once for all levels.
        lsb::Problem::StartAndStop(_)
        | lsb::Problem::Repeated(_)
        | lsb::Problem::NotUnderstood
        | lsb::Problem::UnknownKeyword(_) => true,
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let alarm = match self.grave {
            Grave::Fatal => "FATAL: ",
            Grave::Note | Grave::Warning => "warning: ",
        };
        match &self.why {
            Why::Header(script, diagnostic) => header(f, alarm, script, diagnostic),
            Why::Overlap {
                script,
                start,
                stop,
            } => write!(
                f,
                "Script `{}' has overlapping Default-Start and Default-Stop runlevels ({}) and ({}). This should be fixed.",
                script.escape_ascii(),
                Listed(*start),
                Listed(*stop)
            ),
            Why::Provided { script, service } => write!(
                f,
                "script {}: service {} already provided!",
                script.escape_ascii(),
                service.escape_ascii()
            ),
            Why::Missing { service, script } => write!(
                f,
                "{alarm}service {} has to exist for service {}",
                service.escape_ascii(),
                script.escape_ascii()
            ),
            Why::NotEnabled {
                service, script, ..
            } => write!(
                f,
                "{alarm}service {} has to be enabled to use service {}",
                service.escape_ascii(),
                script.escape_ascii()
            ),
            Why::Missed {
                service,
                script,
                levels,
                ..
            } => write!(
                f,
                "{alarm}service {} is missed in the runlevels {} to use service {}",
                service.escape_ascii(),
                Listed(*levels),
                script.escape_ascii()
            ),
            Why::UnknownFacility(name) => write!(
                f,
                "warning: could not find all dependencies for {}",
                name.escape_ascii()
            ),
            Why::Loop { names, direction } => whole_loop(f, names, *direction),
            Why::Overrides {
                script,
                direction,
                current,
                default,
            } => write!(
                f,
                "warning: current {} runlevel(s) ({}) of script `{}' overrides LSB defaults ({}).",
                direction.word(),
                Listed(*current),
                script.escape_ascii(),
                Listed(*default)
            ),
            Why::NeedsForce(script) => write!(
                f,
                "warning: levels named for script `{}' count with --force only",
                script.escape_ascii()
            ),
            Why::TooDeep => write!(
                f,
                "warning: a chain of dependencies is longer than 99; its end shares number 99"
            ),
        }
    }
}

fn header(
    f: &mut fmt::Formatter<'_>,
    alarm: &str,
    script: &[u8],
    diagnostic: &lsb::Diagnostic,
) -> fmt::Result {
    let script = script.escape_ascii();
    match &diagnostic.problem {
        lsb::Problem::NoHeader => write!(f, "warning: script '{script}' missing LSB tags"),
        lsb::Problem::NoEnd => {
            write!(
                f,
                "{alarm}script {script} is broken: missing end of LSB comment."
            )
        }
        lsb::Problem::Missing(keyword) => write!(
            f,
            "script {script} is broken: incomplete LSB comment, missing `{keyword}:' entry: please add even if empty."
        ),
        lsb::Problem::ProvidesFacility(name) => write!(
            f,
            "script {script} provides system facility {}, skipped!",
            name.escape_ascii()
        ),
        _ => write!(f, "warning: {script}:{diagnostic}"),
    }
}

/// The line that scripts know, and the whole way round with the files.
fn whole_loop(f: &mut fmt::Formatter<'_>, names: &Names, direction: Direction) -> fmt::Result {
    let shown: Vec<String> = names
        .iter()
        .map(|name| name.escape_ascii().to_string())
        .collect();
    let when = match direction {
        Direction::Start => "started",
        Direction::Stop => "stopped",
    };
    let (first, second) = match shown.as_slice() {
        [first, second, ..] => (first, second),
        [first] => (first, first),
        [] => return Ok(()),
    };
    write!(
        f,
        "There is a loop between service {first} and {second} if {when}: "
    )?;
    for name in &shown {
        write!(f, "{name} -> ")?;
    }
    write!(f, "{first} (")?;
    let files: Vec<String> = shown
        .iter()
        .map(|name| format!("/etc/init.d/{name}"))
        .collect();
    write!(f, "{})", files.join(", "))
}

/// Levels as insserv lists them.
struct Listed(RunlevelSet);

impl fmt::Display for Listed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_empty() {
            return f.write_str("empty");
        }
        let levels: Vec<String> = self.0.levels().map(|level| level.to_string()).collect();
        f.write_str(&levels.join(" "))
    }
}

//! Whether a package may run an action of an rc script: the links of the current level, and the administrator's
//! policy, as invoke-rc.d(8) puts them together.
#![forbid(unsafe_code)]

use super::Levels;
use crate::runlevel::Runlevel;

/// Exit statuses of invoke-rc.d and of the policy helper.
pub mod code {
    /// The script or the name of the service is not known.
    pub const UNKNOWN: u8 = 100;
    /// The action is not allowed.
    pub const DENIED: u8 = 101;
    /// Something does not work as it should.
    pub const BROKEN: u8 = 102;
    /// The words make no sense.
    pub const SYNTAX: u8 = 103;
    /// The action is allowed.
    pub const ALLOWED: u8 = 104;
    /// Nothing says whether it is.
    pub const UNCERTAIN: u8 = 105;
    /// Other actions are to be tried instead.
    pub const FALLBACK: u8 = 106;
}

/// What the links say of an action.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ByLinks {
    /// The service is to run here.
    Allowed,
    /// It is not.
    Denied,
    /// Links have nothing to do with this action.
    NotAsked,
}

/// Asks the links about an action. `level` is not known where nobody has recorded it; then no link allows anything.
pub fn by_links(action: &[u8], levels: Levels, level: Option<Runlevel>) -> ByLinks {
    if ![b"start".as_slice(), b"restart", b"try-restart"].contains(&action) {
        return ByLinks::NotAsked;
    }
    if level.is_some_and(|level| levels.should_run_in(level)) {
        ByLinks::Allowed
    } else {
        ByLinks::Denied
    }
}

impl ByLinks {
    /// Returns what holds where there is no policy.
    pub const fn verdict(self) -> Verdict {
        match self {
            Self::Allowed => Verdict::Allowed,
            Self::Denied => Verdict::Denied,
            Self::NotAsked => Verdict::Uncertain,
        }
    }

    /// Returns the action as the policy helper is to hear of it.
    pub fn described(self, action: &[u8]) -> Vec<u8> {
        match self {
            Self::Denied => [b"(", action, b")"].concat(),
            Self::Allowed | Self::NotAsked => action.to_vec(),
        }
    }
}

/// What came of asking.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// It may be run.
    Allowed,
    /// It may not.
    Denied,
    /// Nothing speaks against it.
    Uncertain,
    /// These actions are to be tried instead, one after another, until one succeeds.
    Fallback(Vec<Vec<u8>>),
    /// The helper could not answer: its exit status, one of the known ones.
    Broken(u8),
}

/// Judges by the policy helper's exit status and output; the second value tells whether the status is one that
/// it should never end with.
pub fn by_helper(status: u8, output: &[u8]) -> (Verdict, bool) {
    let verdict = match status {
        0 | code::ALLOWED => Verdict::Allowed,
        1 | code::UNCERTAIN => Verdict::Uncertain,
        code::DENIED => Verdict::Denied,
        code::FALLBACK => {
            let words = output.split(u8::is_ascii_whitespace);
            let actions = words.filter(|word| !word.is_empty());
            Verdict::Fallback(actions.map(<[u8]>::to_vec).collect())
        }
        code::UNKNOWN | code::BROKEN | code::SYNTAX => Verdict::Broken(status),
        _ => return (Verdict::Broken(code::BROKEN), true),
    };
    (verdict, false)
}

impl Verdict {
    /// Returns the exit status of a query.
    pub const fn code(&self) -> u8 {
        match self {
            Self::Allowed => code::ALLOWED,
            Self::Denied => code::DENIED,
            Self::Uncertain => code::UNCERTAIN,
            Self::Fallback(_) => code::FALLBACK,
            Self::Broken(status) => *status,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runlevel::RunlevelSet;

    fn levels(start: &str, kill: &str) -> Levels {
        Levels {
            start: RunlevelSet::parse(start.as_bytes()),
            kill: RunlevelSet::parse(kill.as_bytes()),
        }
    }

    #[test]
    fn a_start_is_allowed_where_a_start_link_is_or_one_of_the_start_of_the_machine() {
        let two = Runlevel::from_byte(b'2');
        for (action, start, kill, level, expected) in [
            ("start", "2", "", two, ByLinks::Allowed),
            ("restart", "2", "2", two, ByLinks::Allowed),
            ("try-restart", "3", "", two, ByLinks::Denied),
            ("start", "S", "", two, ByLinks::Allowed),
            ("start", "S", "2", two, ByLinks::Denied),
            ("start", "", "", two, ByLinks::Denied),
            ("start", "2S", "", None, ByLinks::Denied),
            ("stop", "", "2", two, ByLinks::NotAsked),
            ("(start)", "2", "", two, ByLinks::NotAsked),
        ] {
            let seen = by_links(action.as_bytes(), levels(start, kill), level);
            assert_eq!(seen, expected, "{action} {start} {kill}");
        }
        assert_eq!(ByLinks::Denied.described(b"start"), b"(start)");
    }

    #[test]
    fn the_helper_answers_by_its_exit_status() {
        for (status, expected, is_odd) in [
            (0, code::ALLOWED, false),
            (1, code::UNCERTAIN, false),
            (2, code::BROKEN, true),
            (100, code::UNKNOWN, false),
            (101, code::DENIED, false),
            (104, code::ALLOWED, false),
            (106, code::FALLBACK, false),
            (107, code::BROKEN, true),
        ] {
            let (verdict, odd) = by_helper(status, b"");
            assert_eq!((verdict.code(), odd), (expected, is_odd), "{status}");
        }
        let (verdict, _) = by_helper(106, b"reload stop\nmore \n");
        let actions = ["reload", "stop", "more"].map(|action| action.as_bytes().to_vec());
        assert_eq!(verdict, Verdict::Fallback(actions.to_vec()));
    }
}

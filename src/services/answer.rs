//! What a script's answer to the action `status` means: whether it has understood it, and the sign of service(8).
#![forbid(unsafe_code)]

use super::script::contains;

/// LSB: the action is no word the script knows.
const INVALID_ARGUMENT: u8 = 2;
/// LSB: the action is not implemented.
const UNIMPLEMENTED: u8 = 3;

/// Whether a script has understood the action it was called with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reply {
    /// It has done something.
    Understood,
    /// It knows no such action.
    NoSuchAction,
}

/// Judges by what a script without the word `status` in it has said to that action, and by its exit status. It may
/// still have it from a file it reads; then it says how the service is, and does not explain its use.
pub fn reply(output: &[u8], code: u8) -> Reply {
    let is_silent = output.trim_ascii().is_empty();
    if explains_use(output) || (is_silent && matches!(code, INVALID_ARGUMENT | UNIMPLEMENTED)) {
        Reply::NoSuchAction
    } else {
        Reply::Understood
    }
}

fn explains_use(output: &[u8]) -> bool {
    contains(&output.to_ascii_lowercase(), b"usage:")
}

/// The sign of a service in the list of service(8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Listed {
    /// `+`
    Running,
    /// `-`
    Stopped,
    /// `?`
    Unknown,
}

/// Decides on the sign by what the status action has said. Compat: service(8) takes a service for stopped whose script
/// ends well and says nothing.
pub fn listed(output: &[u8], code: u8) -> Listed {
    // A shell drops these from what it takes in.
    let says_something = output.iter().any(|byte| !b"\0\n".contains(byte));
    if explains_use(output) {
        Listed::Unknown
    } else if code == 0 && says_something {
        Listed::Running
    } else {
        Listed::Stopped
    }
}

impl Listed {
    /// Returns the character.
    pub const fn text(self) -> &'static [u8] {
        match self {
            Self::Running => b"+",
            Self::Stopped => b"-",
            Self::Unknown => b"?",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_action_is_unknown_where_use_is_explained_or_nothing_is_said() {
        for (output, code, expected) in [
            ("Usage: x {start|stop}\n", 1, Reply::NoSuchAction),
            ("USAGE: x\n", 0, Reply::NoSuchAction),
            ("", 2, Reply::NoSuchAction),
            ("\n", 3, Reply::NoSuchAction),
            ("", 0, Reply::Understood),
            ("x is stopped\n", 3, Reply::Understood),
            ("", 1, Reply::Understood),
        ] {
            assert_eq!(
                reply(output.as_bytes(), code),
                expected,
                "{output:?} {code}"
            );
        }
    }

    #[test]
    fn the_list_has_signs_as_service_8_gives_them() {
        for (output, code, expected) in [
            ("running\n", 0, "+"),
            ("\0\n\n", 0, "-"),
            ("", 0, "-"),
            (" ", 0, "+"),
            ("dead\n", 1, "-"),
            ("x Usage: y\n", 0, "?"),
            ("usage of x", 1, "-"),
        ] {
            assert_eq!(
                listed(output.as_bytes(), code).text(),
                expected.as_bytes(),
                "{output:?}"
            );
        }
    }
}

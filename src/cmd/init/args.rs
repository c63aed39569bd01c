//! The words the kernel or a container manager passes to PID 1, to what they ask for (init(8), "Kernel words" and
//! "CONTAINERS").

use crate::container::{Realm, Told};
use crate::runlevel::Runlevel;
use crate::supervisor::{BootOptions, Emergency};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::time::Duration;

/// What the words ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Words {
    /// For the supervisor.
    pub(super) boot: BootOptions,
    /// For the environment: `AUTOBOOT=YES`.
    pub(super) auto: Auto,
    /// Whether another image came before.
    pub(super) origin: Origin,
    /// Whether this is a container.
    pub(super) realm: Told,
    /// Whether the command comes after the boot, or alone.
    pub(super) rc: Rc,
    /// `--grace`: how long what the command leaves behind may take to end.
    pub(super) grace: Option<Duration>,
    /// What stands behind `--`.
    pub(super) command: Vec<OsString>,
    /// There is a `--`.
    pub(super) names_command: bool,
}

/// Whether sysinit entries and rc scripts run before the command.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Rc {
    /// If there is an inittab.
    #[default]
    Wanted,
    /// `--no-rc` was given.
    LeftOut,
}

/// Whether the boot loader started the machine without anybody at the keyboard.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Auto {
    /// Nothing was said.
    #[default]
    Unsaid,
    /// `auto` or `-a` was given.
    Said,
}

/// Whom this image comes from. After a crash the words of the one that crashed still say whom that came from.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum Origin {
    /// The kernel, or a container's manager.
    #[default]
    Start,
    /// An image that was replaced by it, and says so by `--init`, as the original does.
    Image,
}

/// Reads the words after the program's name. Of several levels the last counts; words that mean nothing here
/// belong to others and are passed over in silence.
pub(super) fn read(words: &[OsString]) -> Words {
    let mut found = Words::default();
    let before = words.iter().position(|word| word == "--");
    let (words, command) = words.split_at(before.unwrap_or(words.len()));
    found.names_command = before.is_some();
    found.command = command.iter().skip(1).cloned().collect();
    let mut words = words.iter().map(|word| word.as_bytes());
    while let Some(word) = words.next() {
        match word {
            b"single" | b"-s" => found.boot.level = Some(Runlevel::SINGLE),
            b"-b" | b"emergency" => found.boot.emergency = Emergency::Wanted,
            b"-a" | b"auto" => found.auto = Auto::Said,
            // The word behind it makes room for the process title and says nothing.
            b"-z" => drop(words.next()),
            b"--container" => found.realm = Told::Is(Realm::Container),
            b"--no-container" => found.realm = Told::Is(Realm::Machine),
            b"--init" => found.origin = Origin::Image,
            b"--no-rc" => found.rc = Rc::LeftOut,
            [byte] => found.boot.level = Runlevel::from_byte(*byte).or(found.boot.level),
            word => found.grace = grace(word).or(found.grace),
        }
    }
    found
}

/// The whole seconds of `--grace=SECONDS`.
fn grace(word: &[u8]) -> Option<Duration> {
    let seconds = word.strip_prefix(b"--grace=")?;
    let seconds = std::str::from_utf8(seconds).ok()?.parse().ok()?;
    Some(Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> Words {
        let words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        read(&words)
    }

    fn level(words: &str) -> Option<char> {
        of(words).boot.level.map(Runlevel::as_char)
    }

    #[test]
    fn single_user_has_four_spellings() {
        for word in ["single", "-s", "s", "S"] {
            assert_eq!(level(word), Some('S'), "{word}");
        }
    }

    #[test]
    fn a_digit_names_the_level_to_boot_to() {
        for digit in '0'..='9' {
            assert_eq!(level(&digit.to_string()), Some(digit));
        }
    }

    #[test]
    fn of_several_levels_the_last_counts() {
        assert_eq!(level("-s 5"), Some('5'));
        assert_eq!(level("5 single"), Some('S'));
    }

    #[test]
    fn words_for_others_are_passed_over() {
        assert_eq!(of("quiet foo=bar ro x 33 -5"), Words::default());
    }

    #[test]
    fn emergency_and_auto_have_two_spellings_each() {
        for word in ["-b", "emergency"] {
            assert_eq!(of(word).boot.emergency, Emergency::Wanted);
        }
        for word in ["-a", "auto"] {
            assert_eq!(of(word).auto, Auto::Said);
        }
    }

    #[test]
    fn a_container_can_be_affirmed_and_denied() {
        assert_eq!(of("3").realm, Told::Nothing);
        assert_eq!(of("--container").realm, Told::Is(Realm::Container));
        assert_eq!(of("--no-container 3").realm, Told::Is(Realm::Machine));
    }

    #[test]
    fn what_stands_behind_two_dashes_is_the_command_and_nothing_else() {
        let words = of("--no-rc --grace=5 -- sh -c 4 --container -- --no-rc");
        assert!(words.names_command);
        assert_eq!(
            words.command,
            ["sh", "-c", "4", "--container", "--", "--no-rc"]
        );
        assert_eq!(words.rc, Rc::LeftOut);
        assert_eq!(words.grace, Some(Duration::from_secs(5)));
        assert_eq!(
            (words.realm, words.boot),
            (Told::Nothing, BootOptions::default())
        );
        assert!(of("--").names_command);
        assert!(!of("3").names_command);
        assert_eq!(of("--grace=soon").grace, None);
    }

    #[test]
    fn the_word_behind_z_says_nothing() {
        assert_eq!(of("-z 5"), Words::default());
        assert_eq!(level("-z xxxxxxxx 4"), Some('4'));
    }
}

//! The words the kernel passes to PID 1, to what they ask for (init(8), "BOOTING").

use crate::runlevel::Runlevel;
use crate::supervisor::{BootOptions, Emergency};
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

/// What the words ask for.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct KernelWords {
    /// For the supervisor.
    pub(super) boot: BootOptions,
    /// For the environment: `AUTOBOOT=YES`.
    pub(super) auto: Auto,
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

/// Reads the words after the program's name. Of several levels the last counts; words that mean nothing here
/// belong to others and are passed over in silence.
pub(super) fn read(words: &[OsString]) -> KernelWords {
    let mut found = KernelWords::default();
    let mut words = words.iter().map(|word| word.as_bytes());
    while let Some(word) = words.next() {
        match word {
            b"single" | b"-s" => found.boot.level = Some(Runlevel::SINGLE),
            b"-b" | b"emergency" => found.boot.emergency = Emergency::Wanted,
            b"-a" | b"auto" => found.auto = Auto::Said,
            // The word behind it makes room for the process title and says nothing.
            b"-z" => drop(words.next()),
            [byte] => found.boot.level = Runlevel::from_byte(*byte).or(found.boot.level),
            _ => {}
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(words: &str) -> KernelWords {
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
        assert_eq!(of("quiet foo=bar ro x 33 -5"), KernelWords::default());
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
    fn the_word_behind_z_says_nothing() {
        assert_eq!(of("-z 5"), KernelWords::default());
        assert_eq!(level("-z xxxxxxxx 4"), Some('4'));
    }
}

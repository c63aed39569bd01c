//! The runlevel to boot to, as the initdefault entry of inittab(5) names it.
#![forbid(unsafe_code)]

use super::{Action, Entry};
use crate::runlevel::Runlevel;

/// What the table says about the runlevel to boot to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum DefaultLevel {
    /// This one.
    Level(Runlevel),
    /// Nothing: no initdefault entry, or one without a level. The user is asked.
    Missing,
    /// A character, in upper case, that names no runlevel. The user is told and asked.
    Invalid(u8),
}

/// Finds the level of the first initdefault entry; of several characters in its field the one with the highest
/// byte value counts, so `S` beats any digit.
///
/// Compat: for the original an empty field means all digits and therefore level 9, which no inittab means.
pub fn default_level<'a>(entries: impl IntoIterator<Item = &'a Entry>) -> DefaultLevel {
    let Some(entry) = entries
        .into_iter()
        .find(|entry| entry.action == Action::InitDefault)
    else {
        return DefaultLevel::Missing;
    };
    let Some(byte) = entry.levels.iter().max() else {
        return DefaultLevel::Missing;
    };
    Runlevel::from_byte(*byte).map_or(
        DefaultLevel::Invalid(byte.to_ascii_uppercase()),
        DefaultLevel::Level,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inittab::parse::{Source, SourceKind, parse};

    fn default_of(text: &str) -> DefaultLevel {
        let source = Source {
            path: "inittab",
            text: text.as_bytes(),
            kind: SourceKind::Inittab,
        };
        default_level(&parse(&[source]).table.entries)
    }

    fn level(byte: u8) -> DefaultLevel {
        DefaultLevel::Level(Runlevel::from_byte(byte).unwrap())
    }

    #[test]
    fn every_level_can_be_the_default_even_halt_and_reboot() {
        for byte in b"0123456789S" {
            let text = format!("id:{}:initdefault:", char::from(*byte));
            assert_eq!(default_of(&text), level(*byte));
        }
    }

    #[test]
    fn the_highest_byte_of_the_field_decides() {
        for (field, expected) in [("25S", b'S'), ("53", b'5'), ("S1", b'S'), ("35", b'5')] {
            let text = format!("id:{field}:initdefault:");
            assert_eq!(default_of(&text), level(expected), "{field}");
        }
    }

    #[test]
    fn lower_case_s_is_single_user() {
        assert_eq!(default_of("id:s:initdefault:"), level(b'S'));
    }

    #[test]
    fn the_first_initdefault_entry_wins() {
        let text = "a:2:initdefault:\nb:5:initdefault:\n";
        assert_eq!(default_of(text), level(b'2'));
    }

    #[test]
    fn the_process_field_of_initdefault_is_ignored() {
        assert_eq!(default_of("id:3:initdefault:/bin/no"), level(b'3'));
    }

    #[test]
    fn without_initdefault_the_level_is_missing() {
        assert_eq!(default_of("1:2:respawn:/bin/x"), DefaultLevel::Missing);
        assert_eq!(
            default_level(&parse(&[]).table.entries),
            DefaultLevel::Missing,
            "no inittab at all"
        );
    }

    #[test]
    fn initdefault_with_an_empty_field_counts_as_missing() {
        assert_eq!(default_of("id::initdefault:"), DefaultLevel::Missing);
    }

    #[test]
    fn a_character_that_names_no_level_is_invalid_and_shown_in_upper_case() {
        for (field, shown) in [("a", b'A'), ("3x", b'X'), ("Z", b'Z'), ("-", b'-')] {
            let text = format!("id:{field}:initdefault:");
            assert_eq!(default_of(&text), DefaultLevel::Invalid(shown), "{field}");
        }
    }
}

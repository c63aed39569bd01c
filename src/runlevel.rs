//! Runlevels, pseudo-runlevels and sets of them (inittab(5), the second field of a line).
//!
//! Decides which characters name a level and what a runlevels field contains. Does not decide which level
//! to go to; that is `supervisor`'s work.
#![forbid(unsafe_code)]

use std::fmt;

/// One runlevel: `0` to `9`, or `S`.
///
/// "No level" (printed `N`) is `None` of an `Option<Runlevel>`, never a value of this type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Runlevel(u8);

impl Runlevel {
    /// Level 0: the machine is halted.
    pub const HALT: Self = Self(b'0');
    /// Level 1: maintenance, from which `single` goes on to S.
    pub const MAINTENANCE: Self = Self(b'1');
    /// Level 6: the machine is restarted.
    pub const REBOOT: Self = Self(b'6');
    /// Level S: single user.
    pub const SINGLE: Self = Self(b'S');

    /// Reads a level from its character; `s` is folded to `S` (init(8), telinit).
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'0'..=b'9' | b'S' => Some(Self(byte)),
            b's' => Some(Self::SINGLE),
            _ => None,
        }
    }

    /// Lists every level: 0 to 9, then S.
    pub fn all() -> impl Iterator<Item = Self> {
        b"0123456789S".iter().map(|&byte| Self(byte))
    }

    /// Returns the character as a byte, always upper case.
    pub const fn as_byte(self) -> u8 {
        self.0
    }

    /// Returns the character, always upper case.
    pub const fn as_char(self) -> char {
        self.0 as char
    }

    /// Tells whether this is one of the multi-user levels 2 to 5. On entering one, a utmp that a boot script has
    /// emptied gets its boot and level records again.
    pub const fn is_multi_user(self) -> bool {
        matches!(self.0, b'2'..=b'5')
    }

    /// Prints an optional level as accounting records and the environment do: `N` where there is none.
    pub const fn byte_or_n(level: Option<Self>) -> u8 {
        match level {
            Some(level) => level.0,
            None => b'N',
        }
    }
}

impl fmt::Display for Runlevel {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.as_char())
    }
}

/// A pseudo-runlevel of `ondemand` entries: `telinit a` starts them and changes no level.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PseudoLevel {
    /// `a` or `A`.
    A,
    /// `b` or `B`.
    B,
    /// `c` or `C`.
    C,
}

impl PseudoLevel {
    /// Reads a pseudo-runlevel in either case.
    pub const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            b'a' | b'A' => Some(Self::A),
            b'b' | b'B' => Some(Self::B),
            b'c' | b'C' => Some(Self::C),
            _ => None,
        }
    }

    /// Returns the upper-case character, as messages print it.
    pub const fn as_char(self) -> char {
        match self {
            Self::A => 'A',
            Self::B => 'B',
            Self::C => 'C',
        }
    }
}

/// What a runlevels field contains: any of the levels `0`-`9` and `S` and the pseudo-runlevels.
///
/// Other characters of a field name nothing and are left out here; the entry keeps the field as written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Hash)]
pub struct RunlevelSet(u16);

impl RunlevelSet {
    /// The set without a member.
    pub const EMPTY: Self = Self(0);

    /// Reads a runlevels field. `s` counts as `S`.
    ///
    /// Compat: the original matches letters case-sensitively, so there `s` never matches level S although
    /// inittab(5) suggests it does; see doc/compatibility.md.
    pub fn parse(field: &[u8]) -> Self {
        let bits = field.iter().fold(0, |bits, &byte| {
            bits | Runlevel::from_byte(byte).map_or(0, Self::level_bit)
                | PseudoLevel::from_byte(byte).map_or(0, Self::pseudo_bit)
        });
        Self(bits)
    }

    /// Tells whether the level is a member.
    pub const fn contains(self, level: Runlevel) -> bool {
        self.0 & Self::level_bit(level) != 0
    }

    /// Takes a level in.
    pub const fn insert(&mut self, level: Runlevel) {
        self.0 |= Self::level_bit(level);
    }

    /// Lists the levels that are members, 0 to 9 and then S.
    pub fn levels(self) -> impl Iterator<Item = Runlevel> {
        Runlevel::all().filter(move |&level| self.contains(level))
    }

    /// Tells whether the pseudo-runlevel is a member.
    pub const fn contains_pseudo(self, level: PseudoLevel) -> bool {
        self.0 & Self::pseudo_bit(level) != 0
    }

    /// Tells whether nothing is a member.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// Returns the set with one level more.
    #[must_use]
    pub const fn with(self, level: Runlevel) -> Self {
        Self(self.0 | Self::level_bit(level))
    }

    /// Returns what is a member of either set.
    #[must_use]
    pub const fn or(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Returns what is a member of both sets.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 & other.0)
    }

    /// Returns what is a member of this set and not of the other.
    #[must_use]
    pub const fn without(self, other: Self) -> Self {
        Self(self.0 & !other.0)
    }

    const fn level_bit(level: Runlevel) -> u16 {
        match level.0 {
            b'S' => 1 << 10,
            // `Runlevel` holds digits otherwise, so the shift stays below 10.
            digit => 1 << (digit.wrapping_sub(b'0') & 0xf),
        }
    }

    const fn pseudo_bit(level: PseudoLevel) -> u16 {
        match level {
            PseudoLevel::A => 1 << 11,
            PseudoLevel::B => 1 << 12,
            PseudoLevel::C => 1 << 13,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_level_character_reads_and_prints_as_itself() {
        for byte in b"0123456789S" {
            let level = Runlevel::from_byte(*byte).unwrap();
            assert_eq!(level.as_byte(), *byte);
            assert_eq!(level.to_string(), char::from(*byte).to_string());
        }
    }

    #[test]
    fn other_characters_are_no_level() {
        for byte in 0..=255_u8 {
            let known = b"0123456789Ss".contains(&byte);
            assert_eq!(Runlevel::from_byte(byte).is_some(), known, "{byte}");
        }
    }

    #[test]
    fn lower_case_s_names_single_user() {
        assert_eq!(Runlevel::from_byte(b's'), Some(Runlevel::SINGLE));
        assert!(RunlevelSet::parse(b"s").contains(Runlevel::SINGLE));
    }

    #[test]
    fn a_set_contains_exactly_the_levels_written() {
        let set = RunlevelSet::parse(b"2 3x5aC");
        for byte in b"0123456789S" {
            let level = Runlevel::from_byte(*byte).unwrap();
            assert_eq!(set.contains(level), b"235".contains(byte), "{level}");
        }
        assert!(set.contains_pseudo(PseudoLevel::A));
        assert!(!set.contains_pseudo(PseudoLevel::B));
        assert!(set.contains_pseudo(PseudoLevel::C));
    }

    #[test]
    fn levels_are_taken_into_a_set_and_listed_in_their_order() {
        let mut set = RunlevelSet::parse(b"5a2");
        set.insert(Runlevel::SINGLE);
        set.insert(Runlevel::HALT);
        let listed: String = set.levels().map(Runlevel::as_char).collect();
        assert_eq!(listed, "025S");
        assert_eq!(Runlevel::all().count(), 11);
    }

    #[test]
    fn sets_are_put_together_and_taken_apart() {
        let listed = |set: RunlevelSet| set.levels().map(Runlevel::as_char).collect::<String>();
        let (a, b) = (RunlevelSet::parse(b"S20"), RunlevelSet::parse(b"23a"));
        assert_eq!(listed(a), "02S");
        assert_eq!(listed(a.or(b)), "023S");
        assert_eq!(listed(a.and(b)), "2");
        assert_eq!(listed(a.without(b)), "0S");
        assert_eq!(listed(b.with(Runlevel::REBOOT)), "236");
    }

    #[test]
    fn a_missing_previous_level_prints_as_n() {
        assert_eq!(Runlevel::byte_or_n(None), b'N');
        assert_eq!(Runlevel::byte_or_n(Runlevel::from_byte(b'3')), b'3');
    }
}

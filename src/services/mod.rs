//! Services: what is known of each rc script in /etc/init.d without running it.
//!
//! # Concept
//! Nobody keeps a table of services; what there is to know lies in several places, and none of them is always right.
//!
//! | place | tells |
//! |---|---|
//! | the script ([`script`]) | description, pid file, program, and whether it has a `status` action at all |
//! | the links of the rc directories ([`Links`]) | in which levels it is started and stopped |
//! | the pid file | the process it was started as, as long as that process lives |
//! | the process table | who runs the program |
//! | the boot record | how its last start or stop by rc ended ([`last`]) |
//!
//! [`state`] puts the last three together, says which state follows, and by which of them it is known.
//!
//! Reading them is the work of `cmd::services`.
#![forbid(unsafe_code)]

pub mod answer;
pub mod last;
pub mod names;
pub mod policy;
pub mod script;
pub mod state;

use crate::rcdir::{Link, LinkKind};
use crate::runlevel::{Runlevel, RunlevelSet};
use std::collections::BTreeMap;
use std::fmt;

/// The levels in which the links start and stop one service.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Levels {
    /// Those with a start link.
    pub start: RunlevelSet,
    /// Those with a kill link.
    pub kill: RunlevelSet,
}

impl Levels {
    /// Tells whether the service should run in a level: it is started on entering it, or with the machine.
    pub const fn should_run_in(self, level: Runlevel) -> bool {
        let kept = self.start.contains(Runlevel::SINGLE) && !self.kill.contains(level);
        self.start.contains(level) || kept
    }

    /// Tells whether a start link is anywhere; none where there is no link at all, and nobody has decided.
    pub fn is_enabled(self) -> Option<bool> {
        let any = |set: RunlevelSet| set.levels().next().is_some();
        match (any(self.start), any(self.kill)) {
            (true, _) => Some(true),
            (false, true) => Some(false),
            (false, false) => None,
        }
    }

    /// Says it behind the name of the service.
    pub fn told(self) -> String {
        match self.is_enabled() {
            Some(true) => format!("enabled in {self}"),
            Some(false) => "disabled".to_owned(),
            None => "without links".to_owned(),
        }
    }
}

impl fmt::Display for Levels {
    /// Prints the levels it is started in, as in `2345`; `-` for none.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.start.levels().next().is_none() {
            return f.write_str("-");
        }
        self.start.levels().try_for_each(|level| level.fmt(f))
    }
}

/// The links of all rc directories, by the names of the scripts.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Links(BTreeMap<Box<[u8]>, Levels>);

impl Links {
    /// Takes in one name of a level's rc directory; what is no link is none here either.
    pub fn add(&mut self, level: Runlevel, file_name: &[u8]) {
        let Ok(link) = Link::parse(file_name) else {
            return;
        };
        let levels = self.0.entry(link.name).or_default();
        match link.kind {
            LinkKind::Start => levels.start.insert(level),
            LinkKind::Kill => levels.kill.insert(level),
        }
    }

    /// Returns what the links say of a service; nothing for one that has none.
    pub fn of(&self, name: &[u8]) -> Levels {
        self.0.get(name).copied().unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn level(byte: u8) -> Runlevel {
        Runlevel::from_byte(byte).unwrap()
    }

    fn links(names: &[(u8, &str)]) -> Links {
        let mut links = Links::default();
        for (byte, name) in names {
            links.add(level(*byte), name.as_bytes());
        }
        links
    }

    #[test]
    fn links_are_gathered_by_the_names_of_their_scripts() {
        let links = links(&[
            (b'2', "S01cron"),
            (b'3', "S20cron"),
            (b'0', "K01cron"),
            (b'2', "README"),
            (b'2', "S01other"),
        ]);
        assert_eq!(links.of(b"cron").to_string(), "23");
        assert!(links.of(b"cron").kill.contains(Runlevel::HALT));
        assert_eq!(links.of(b"nobody").to_string(), "-");
    }

    #[test]
    fn a_service_is_enabled_by_a_start_link_and_disabled_by_kill_links_alone() {
        let links = links(&[(b'2', "S01cron"), (b'0', "K01cron"), (b'2', "K01off")]);
        let told = |name: &[u8]| links.of(name).told();
        assert_eq!(told(b"cron"), "enabled in 2");
        assert_eq!(told(b"off"), "disabled");
        assert_eq!(told(b"nobody"), "without links");
    }

    #[test]
    fn a_service_should_run_where_a_start_link_is_and_after_the_start_of_the_machine() {
        let links = links(&[(b'2', "S01cron"), (b'S', "S01udev"), (b'1', "K01udev")]);
        let runs = |name: &[u8], byte| links.of(name).should_run_in(level(byte));
        assert!(runs(b"cron", b'2') && !runs(b"cron", b'3'));
        assert!(runs(b"udev", b'2') && !runs(b"udev", b'1'));
        assert!(!runs(b"nobody", b'2'));
    }
}

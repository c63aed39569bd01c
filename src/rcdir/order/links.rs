//! From the links there are in a level's directory, and those there should be, to what has to be done.
//!
//! What leads to one of the scripts under the script's own name belongs to us, and so does a link that leads
//! nowhere. Everything else is somebody's and stays: a link to another place or of another name, a file, a README.
#![forbid(unsafe_code)]

use super::super::{Link, LinkKind, Sequence};
use super::{Placed, Script};
use crate::runlevel::{Runlevel, RunlevelSet};
use std::collections::BTreeSet;

/// Where a name in an rc directory leads.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Target {
    /// To the script of init.d that its name tells.
    Script,
    /// To nothing that is there.
    Nowhere,
    /// To something else, or it is no symbolic link.
    Foreign,
}

/// A name in an rc directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Found {
    /// The name.
    pub link: Link,
    /// Where it leads.
    pub target: Target,
}

/// What is to be done in a level's directory, in the order in which it has to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Change {
    /// Make the link, in place of one of the same name if there is one.
    Make(Link),
    /// Remove it.
    Remove(Link),
}

/// Returns the levels that scripts of a name are linked in, for start and for kill links.
pub fn levels(name: &[u8], directories: &[(Runlevel, Vec<Found>)]) -> (RunlevelSet, RunlevelSet) {
    let mut both = (RunlevelSet::EMPTY, RunlevelSet::EMPTY);
    for (level, found) in directories {
        for found in found {
            if *found.link.name == *name && found.target == Target::Script {
                match found.link.kind {
                    LinkKind::Start => both.0 = both.0.with(*level),
                    LinkKind::Kill => both.1 = both.1.with(*level),
                }
            }
        }
    }
    both
}

/// Says what has to be done in the directory of a level. New links come first, so that a script that stays enabled
/// is never without one.
pub fn changes(
    level: Runlevel,
    found: &[Found],
    scripts: &[Script],
    placed: &[Placed],
) -> Vec<Change> {
    let mut wanted = BTreeSet::new();
    for (script, placed) in scripts.iter().zip(placed) {
        let kinds = [
            (LinkKind::Kill, placed.stop, placed.stop_number),
            (LinkKind::Start, placed.start, placed.start_number),
        ];
        for (kind, levels, number) in kinds {
            if levels.contains(level) {
                wanted.insert(Link {
                    kind,
                    sequence: Sequence(number),
                    name: script.name.clone(),
                });
            }
        }
    }
    let there = |link: &Link| {
        let mut same = found.iter().filter(|found| found.link == *link);
        same.any(|found| found.target != Target::Nowhere)
    };
    let make = wanted.iter().filter(|link| !there(link)).cloned();
    let is_old = |found: &&Found| found.target != Target::Foreign && !wanted.contains(&found.link);
    let remove = found.iter().filter(is_old).map(|found| found.link.clone());
    make.map(Change::Make)
        .chain(remove.map(Change::Remove))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn found(name: &str, target: Target) -> Found {
        Found {
            link: Link::parse(name.as_bytes()).unwrap(),
            target,
        }
    }

    fn script(name: &str) -> Script {
        Script {
            name: name.as_bytes().into(),
            ..Script::default()
        }
    }

    fn done(found: &[Found], placed: Placed) -> String {
        let changes = changes(Runlevel::MAINTENANCE, found, &[script("a")], &[placed]);
        let shown = |change: &Change| match change {
            Change::Make(link) => format!("+{link}"),
            Change::Remove(link) => format!("-{link}"),
        };
        changes.iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    fn started(start_number: u8) -> Placed {
        Placed {
            start: RunlevelSet::parse(b"1"),
            start_number,
            ..Placed::default()
        }
    }

    #[test]
    fn a_link_of_another_number_is_made_before_the_old_one_goes() {
        let there = [found("S20a", Target::Script)];
        assert_eq!(done(&there, started(3)), "+S03a -S20a");
        assert_eq!(done(&there, started(20)), "");
    }

    #[test]
    fn a_disabled_script_loses_its_start_link() {
        let placed = Placed {
            stop: RunlevelSet::parse(b"1"),
            stop_number: 1,
            ..Placed::default()
        };
        assert_eq!(
            done(&[found("S20a", Target::Script)], placed),
            "+K01a -S20a"
        );
    }

    #[test]
    fn links_that_lead_nowhere_go_and_those_of_others_stay() {
        let there = [
            found("S20gone", Target::Nowhere),
            found("S20other", Target::Foreign),
            found("S01a", Target::Nowhere),
        ];
        assert_eq!(done(&there, started(1)), "+S01a -S20gone");
    }

    #[test]
    fn a_foreign_file_keeps_its_name() {
        assert_eq!(done(&[found("S01a", Target::Foreign)], started(1)), "");
    }

    #[test]
    fn the_levels_of_a_script_are_those_of_its_own_links() {
        let level = |byte| Runlevel::from_byte(byte).unwrap();
        let directories = [
            (
                level(b'2'),
                vec![found("S01a", Target::Script), found("K05a", Target::Script)],
            ),
            (level(b'3'), vec![found("S01a", Target::Foreign)]),
            (
                level(b'S'),
                vec![found("S09a", Target::Script), found("S01b", Target::Script)],
            ),
        ];
        let (start, stop) = levels(b"a", &directories);
        assert_eq!(
            (start, stop),
            (RunlevelSet::parse(b"2S"), RunlevelSet::parse(b"2"))
        );
    }
}

//! The system facilities of insserv.conf(5): names such as `$network` that stand for the services of a system.
//!
//! A line defines one: `$name` and the words it stands for, which are names of services or other facilities. A word
//! with a `+` in front is optional: it counts if there is such a service. A name that is defined again stands for
//! the words of both lines. `<interactive>` lists services that talk to whoever sits at the console.
//!
//! `$all` and `$null` need no line: every service that does not ask for `$all` itself, and nothing.
#![forbid(unsafe_code)]

use super::graph::Graph;
use super::lsb::Names;
use std::collections::BTreeMap;
use std::fmt;

/// The facility that stands for every service that does not ask for it.
pub const ALL: &[u8] = b"$all";

/// The facility that stands for nothing, and for nothing that is missed.
pub const NULL: &[u8] = b"$null";

/// How much a word of a facility's line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Need {
    /// It may be missing.
    Optional,
    /// It has to be there.
    Required,
}

/// A service's name that a facility comes to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// The name, as the service's script provides it.
    pub name: Box<[u8]>,
    /// Whether it may be missing.
    pub need: Need,
}

/// What the lines of all files say.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Facilities {
    members: BTreeMap<Box<[u8]>, Vec<Member>>,
    interactive: Names,
}

/// What can be wrong with a line, and where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// Line of the file, from 1.
    pub line: usize,
    /// What the line begins with, which is neither a facility nor `<interactive>`.
    pub word: Box<[u8]>,
}

impl Facilities {
    /// Takes the lines of one more file in.
    pub fn read(&mut self, text: &[u8]) -> Vec<Diagnostic> {
        let mut diagnostics = Vec::new();
        for (line, text) in (1..).zip(text.split(|&byte| byte == b'\n')) {
            let text = text.split(|&byte| byte == b'#').next().unwrap_or_default();
            let mut words = text
                .split(u8::is_ascii_whitespace)
                .filter(|word| !word.is_empty());
            match words.next() {
                None => {}
                Some(b"<interactive>") => self.interactive.extend(words.map(Into::into)),
                Some(name) if name.starts_with(b"$") => {
                    let members = self.members.entry(name.into()).or_default();
                    members.extend(words.map(member));
                }
                Some(word) => diagnostics.push(Diagnostic {
                    line,
                    word: word.into(),
                }),
            }
        }
        diagnostics
    }

    /// Tells whether a line defines the facility.
    pub fn is_known(&self, facility: &[u8]) -> bool {
        self.members.contains_key(facility)
    }

    /// Tells whether the service is listed as one that talks to the console.
    pub fn is_interactive(&self, service: &[u8]) -> bool {
        self.interactive.iter().any(|name| **name == *service)
    }

    /// Returns the services a name stands for: itself if it names no facility; else those of the facility's line and,
    /// in their place, those of the facilities named there. What is within an optional facility is optional, unless
    /// it is required in another place.
    pub fn members(&self, name: &[u8]) -> Vec<Member> {
        let mut found = Vec::new();
        self.collect(name, Need::Required, &mut BTreeMap::new(), &mut found);
        found
    }

    /// `been` keeps a facility that comes to itself, or that many ways lead to, from being walked again and again.
    fn collect<'a>(
        &'a self,
        name: &'a [u8],
        need: Need,
        been: &mut BTreeMap<&'a [u8], Need>,
        found: &mut Vec<Member>,
    ) {
        if !name.starts_with(b"$") {
            match found.iter_mut().find(|member| *member.name == *name) {
                Some(member) => member.need = need.max(member.need),
                None => found.push(Member {
                    name: name.into(),
                    need,
                }),
            }
            return;
        }
        if been.get(name).is_some_and(|before| *before >= need) {
            return;
        }
        been.insert(name, need);
        for member in self.members.get(name).into_iter().flatten() {
            self.collect(&member.name, need.min(member.need), been, found);
        }
    }

    /// Returns the facilities that come to themselves, as `$a`, `$b`, each one round once.
    pub fn loops(&self) -> Vec<Names> {
        let known: Vec<&Box<[u8]>> = self.members.keys().collect();
        let mut graph = Graph::new(known.len());
        let mut loops: Vec<Names> = Vec::new();
        for (place, members) in self.members.values().enumerate() {
            for member in members {
                if let Ok(needed) = known.binary_search(&&member.name) {
                    graph.put_before(needed, place);
                    if needed == place {
                        loops.push(vec![member.name.clone()]);
                    }
                }
            }
        }
        let names = |places: Vec<usize>| {
            let known = places.into_iter().filter_map(|place| known.get(place));
            known.map(|name| (*name).clone()).collect()
        };
        loops.extend(graph.break_loops().into_iter().map(names));
        loops
    }
}

fn member(word: &[u8]) -> Member {
    match word.strip_prefix(b"+") {
        Some(name) => Member {
            name: name.into(),
            need: Need::Optional,
        },
        None => Member {
            name: word.into(),
            need: Need::Required,
        },
    }
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let word = self.word.escape_ascii();
        write!(
            f,
            "{}: {word}: no name of a system facility; line ignored",
            self.line
        )
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn facilities(text: &str) -> Facilities {
        let mut facilities = Facilities::default();
        assert_eq!(facilities.read(text.as_bytes()), []);
        facilities
    }

    fn members(facilities: &Facilities, name: &str) -> String {
        let shown = |member: Member| {
            let name = String::from_utf8(member.name.into()).unwrap();
            match member.need {
                Need::Optional => format!("+{name}"),
                Need::Required => name,
            }
        };
        let members = facilities.members(name.as_bytes());
        members.into_iter().map(shown).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn a_facility_stands_for_the_words_of_all_its_lines() {
        let facilities = facilities("# comment\n$time\t+hwclock  ntp # behind\n\n$time other\n");
        assert_eq!(members(&facilities, "$time"), "+hwclock ntp other");
        assert_eq!(members(&facilities, "$unknown"), "");
        assert_eq!(members(&facilities, "cron"), "cron");
        assert!(facilities.is_known(b"$time"));
        assert!(!facilities.is_known(b"$unknown"));
    }

    #[test]
    fn facilities_within_a_facility_are_followed() {
        let facilities = facilities("$a x $b +$c\n$b y $c\n$c z\n");
        assert_eq!(members(&facilities, "$a"), "x y z");
        let optional = self::facilities("$a +$c\n$c z\n");
        assert_eq!(members(&optional, "$a"), "+z");
        let both = self::facilities("$a +$c $b\n$b $c\n$c z\n");
        assert_eq!(members(&both, "$a"), "z");
    }

    #[test]
    fn facilities_that_come_to_themselves_are_told_once() {
        let looped = facilities("$a x $b\n$b $c\n$c $a y\n$d $a\n");
        assert_eq!(members(&looped, "$a"), "x y");
        let expected: [Names; 1] = [["$a", "$b", "$c"].map(|name| name.as_bytes().into()).into()];
        assert_eq!(looped.loops(), expected);
        let expected: [Names; 1] = [vec![b"$a"[..].into()]];
        assert_eq!(facilities("$a $a\n").loops(), expected);
        assert!(facilities("$a $b\n$b x\n").loops().is_empty());
    }

    #[test]
    fn interactive_services_are_those_listed() {
        let facilities = facilities("<interactive> cryptdisks apache\n<interactive> other\n");
        assert!(facilities.is_interactive(b"apache"));
        assert!(facilities.is_interactive(b"other"));
        assert!(!facilities.is_interactive(b"cron"));
    }

    #[test]
    fn other_lines_are_told_with_their_place() {
        let diagnostics = Facilities::default().read(b"$a b\nlocal_fs x\n");
        let shown: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(
            shown,
            ["2: local_fs: no name of a system facility; line ignored"]
        );
    }
}

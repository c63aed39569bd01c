//! The rc directories: one folder of links for each runlevel, which say what a change of level starts and stops.
//!
//! # Concept
//! `/etc/rc3.d` belongs to runlevel 3 (`rcS.d` to the start of the machine). Each name in it, such as `S20crond`,
//! has a kind, a sequence number and the name of an rc script; the file behind it is that script, as a link into
//! `/etc/init.d` or as it is. The links are the only record of what is enabled where.
//!
//! | name | kind | run with |
//! |---|---|---|
//! | `K01crond` | kill link | `stop`, before any start link, unless the machine has just been started |
//! | `S20crond` | start link | `start`; in levels 0 and 6, where nothing is to be started, `stop` |
//! | `README`, `s20crond`, `Sxy`, `S20crond~`, `S20crond.dpkg-old` | no link | never |
//!
//! Within a kind the names' bytes decide the order, as they do where a shell expands `S*` in the C locale: the
//! sequence number first, the script's name among equals.
//!
//! [`plan`] decides what a change of level runs; [`lsb`] reads what a script says of itself, [`facilities`] what the
//! names there stand for, [`order`] gives links their numbers, and [`schedule`] says what may run side by side.
#![forbid(unsafe_code)]

pub mod chkconfig;
pub mod deadline;
pub mod ending;
pub mod facilities;
mod graph;
pub mod lsb;
pub mod order;
pub mod plan;
pub mod relations;
pub mod schedule;
pub mod screen;
pub mod settings;

use std::fmt;

/// Whether a link stops or starts its script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LinkKind {
    /// `K`: run with `stop` on entering the level.
    Kill,
    /// `S`: run on entering the level, after all kill links.
    Start,
}

/// The two digits of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Sequence(u8);

/// One name of an rc directory, taken apart. The order of values is the order in which links are run.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Link {
    /// First letter.
    pub kind: LinkKind,
    /// The digits after it.
    pub sequence: Sequence,
    /// The rest: the script's name in init.d, any bytes.
    pub name: Box<[u8]>,
}

/// Why a name in an rc directory is no link.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum NotALink {
    /// It begins with neither `S` nor `K`.
    Kind,
    /// Two digits do not follow the letter.
    Sequence,
    /// No script's name follows the digits.
    Name,
    /// An editor or a package manager has put it aside.
    Backup,
}

impl Sequence {
    /// Returns the number, 0 to 99.
    pub const fn number(self) -> u8 {
        self.0
    }
}

impl Link {
    /// Takes a file name of an rc directory apart.
    ///
    /// # Errors
    /// Says why the name is not one that rc runs.
    pub fn parse(file_name: &[u8]) -> Result<Self, NotALink> {
        let (kind, rest) = match file_name {
            [b'S', rest @ ..] => (LinkKind::Start, rest),
            [b'K', rest @ ..] => (LinkKind::Kill, rest),
            _ => return Err(NotALink::Kind),
        };
        let [tens, ones, name @ ..] = rest else {
            return Err(NotALink::Sequence);
        };
        let (Some(tens), Some(ones)) = (digit(*tens), digit(*ones)) else {
            return Err(NotALink::Sequence);
        };
        if name.is_empty() {
            return Err(NotALink::Name);
        }
        if is_put_aside(name) {
            return Err(NotALink::Backup);
        }
        Ok(Self {
            kind,
            sequence: Sequence(tens * 10 + ones),
            name: name.into(),
        })
    }

    /// Puts the file name together again.
    pub fn file_name(&self) -> Vec<u8> {
        let kind = match self.kind {
            LinkKind::Kill => 'K',
            LinkKind::Start => 'S',
        };
        [format!("{kind}{}", self.sequence).as_bytes(), &self.name].concat()
    }
}

fn digit(byte: u8) -> Option<u8> {
    byte.is_ascii_digit().then(|| byte - b'0')
}

/// Tells whether the name is one that editors, dpkg, ucf or rpm give to a file they keep and do not use.
pub fn is_put_aside(name: &[u8]) -> bool {
    const ENDINGS: [&[u8]; 7] = [
        b"~",
        b".bak",
        b".orig",
        b".swp",
        b".rpmsave",
        b".rpmnew",
        b".rpmorig",
    ];
    // dpkg and ucf have a handful of endings each: .dpkg-old, .dpkg-dist, .ucf-new, ...
    let last_part = name.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    ENDINGS.iter().any(|ending| name.ends_with(ending))
        || (last_part.len() < name.len()
            && (last_part.starts_with(b"dpkg-") || last_part.starts_with(b"ucf-")))
}

impl fmt::Display for Sequence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:02}", self.0)
    }
}

impl fmt::Display for Link {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.file_name().escape_ascii())
    }
}

impl fmt::Display for NotALink {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Kind => "the name begins with neither S nor K",
            Self::Sequence => "no two digits follow the first letter",
            Self::Name => "no script's name follows the digits",
            Self::Backup => "the name is that of a backup copy",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_link_is_read_and_printed_as_itself() {
        for name in [
            "S20crond",
            "K01a",
            "S99rc.local",
            "K00mount-all.sh",
            "S100x",
        ] {
            let link = Link::parse(name.as_bytes()).unwrap();
            assert_eq!(link.to_string(), name);
        }
    }

    #[test]
    fn a_third_digit_belongs_to_the_scripts_name() {
        let link = Link::parse(b"S100x").unwrap();
        assert_eq!((link.sequence, &*link.name), (Sequence(10), &b"0x"[..]));
    }

    #[test]
    fn other_names_are_refused_with_their_reason() {
        let cases: [(&[u8], NotALink); 17] = [
            (b"", NotALink::Kind),
            (b"README", NotALink::Kind),
            (b"s20crond", NotALink::Kind),
            (b"_S20crond", NotALink::Kind),
            (b"S", NotALink::Sequence),
            (b"S2", NotALink::Sequence),
            (b"Scrond", NotALink::Sequence),
            (b"K2crond", NotALink::Sequence),
            (b"S20", NotALink::Name),
            (b"S20crond~", NotALink::Backup),
            (b"S20crond.bak", NotALink::Backup),
            (b"S20crond.rpmsave", NotALink::Backup),
            (b"S20crond.dpkg-old", NotALink::Backup),
            (b"K20crond.dpkg-dist", NotALink::Backup),
            (b"S20crond.ucf-dist", NotALink::Backup),
            (b"S20crond.orig", NotALink::Backup),
            (b"S20.crond.swp", NotALink::Backup),
        ];
        for (name, reason) in cases {
            assert_eq!(Link::parse(name), Err(reason), "{}", name.escape_ascii());
        }
    }

    #[test]
    fn a_script_may_be_named_like_a_package_manager() {
        for name in ["S20dpkg-tidy", "S20ucf-check", "S20a.b", "S20.hidden"] {
            assert!(Link::parse(name.as_bytes()).is_ok(), "{name}");
        }
    }

    #[test]
    fn any_bytes_may_stand_in_a_scripts_name() {
        let link = Link::parse(b"S20\xff\nx y").unwrap();
        assert_eq!(&*link.name, b"\xff\nx y");
        assert_eq!(link.file_name(), b"S20\xff\nx y");
        assert_eq!(link.to_string(), "S20\\xff\\nx y");
    }

    #[test]
    fn links_are_ordered_as_their_names_are_in_the_c_locale() {
        let mut names = [
            "S20b", "S20B", "S03z", "K99a", "S20-x", "K01z", "S20ba", "S100",
        ];
        names.sort_unstable();
        let mut links = names.map(|name| Link::parse(name.as_bytes()).unwrap());
        links.sort();
        assert_eq!(links.map(|link| link.to_string()), names);
    }
}

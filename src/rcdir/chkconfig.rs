//! What a script tells chkconfig(8) of itself: the levels it runs in, and its places among start and kill links.
//!
//! A comment `# chkconfig: 2345 10 90` names levels (`-` for none) and both numbers; it counts only beside a
//! `# description:`. A script without one is asked by its LSB header, and its numbers follow from what it requires.
#![forbid(unsafe_code)]

use super::lsb::Header;
use super::{Link, LinkKind};
use crate::runlevel::{Runlevel, RunlevelSet};

/// The number of a script that says nothing: chkconfig(8).
pub const MIDDLE: u8 = 50;

/// Levels and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Where it runs; it is stopped in all other levels.
    pub levels: RunlevelSet,
    /// Its number among start links, 0 to 99.
    pub start: u8,
    /// Its number among kill links, 0 to 99.
    pub stop: u8,
    /// The numbers are the script's own, and do not follow from what it requires.
    pub numbered: bool,
}

/// Reads what a script says; `header` is its LSB header. None where chkconfig has nothing to do with it.
///
/// Compat: whichever of comment and header comes first sets the levels. A header behind the comment adds and takes away.
pub fn settings(script: &[u8], header: Option<&Header>) -> Option<Settings> {
    let Some((place, comment)) = comment(script) else {
        let header = header?;
        return Some(Settings {
            levels: header.default_start,
            start: MIDDLE,
            stop: MIDDLE,
            numbered: false,
        });
    };
    let mut settings = comment?;
    if let Some(header) = header {
        let is_behind = position(script, b"### BEGIN INIT INFO").is_some_and(|begin| begin > place);
        settings.levels = if is_behind {
            let added = settings.levels.or(header.default_start);
            added.without(header.default_stop)
        } else {
            header.default_start
        };
    }
    Some(settings)
}

/// The line of `chkconfig:` and what it says, which is nothing if it is wrong or nothing describes the script.
fn comment(script: &[u8]) -> Option<(usize, Option<Settings>)> {
    let mut place = 0;
    let mut found = None;
    let mut is_described = false;
    for line in script.split_inclusive(|&byte| byte == b'\n') {
        let text = line.strip_prefix(b"#").unwrap_or_default().trim_ascii();
        if let Some(words) = text.strip_prefix(b"chkconfig:")
            && found.is_none()
        {
            found = Some((place, numbers(words)));
        }
        is_described |= text.starts_with(b"description:");
        place += line.len();
    }
    found.map(|(place, settings)| (place, settings.filter(|_| is_described)))
}

fn numbers(words: &[u8]) -> Option<Settings> {
    let mut words = words
        .split(u8::is_ascii_whitespace)
        .filter(|word| !word.is_empty());
    let (levels, start, stop) = (words.next()?, words.next()?, words.next()?);
    let levels = if levels == b"-" {
        RunlevelSet::EMPTY
    } else {
        self::levels(levels)?
    };
    let number = |word: &[u8]| -> Option<u8> {
        let number = std::str::from_utf8(word).ok()?.parse().ok()?;
        (number < 100).then_some(number)
    };
    let settings = Settings {
        levels,
        start: number(start)?,
        stop: number(stop)?,
        numbered: true,
    };
    words.next().is_none().then_some(settings)
}

/// Reads levels written as digits, such as `2345`.
pub fn levels(word: &[u8]) -> Option<RunlevelSet> {
    let all = !word.is_empty() && word.iter().all(|byte| (b'0'..=b'6').contains(byte));
    all.then(|| RunlevelSet::parse(word))
}

fn position(text: &[u8], wanted: &[u8]) -> Option<usize> {
    text.windows(wanted.len()).position(|part| part == wanted)
}

/// What the directory of a level is to hold of a script: one link, of this kind and number.
pub fn link(name: &[u8], kind: LinkKind, settings: Settings) -> Option<Link> {
    let (letter, number) = match kind {
        LinkKind::Start => ('S', settings.start),
        LinkKind::Kill => ('K', settings.stop),
    };
    Link::parse(&[format!("{letter}{number:02}").as_bytes(), name].concat()).ok()
}

/// The line of `chkconfig --list`: the name, and for each level whether it is started there.
pub fn listed(name: &str, started: RunlevelSet) -> String {
    let states = (b'0'..=b'6').filter_map(Runlevel::from_byte).map(|level| {
        let state = if started.contains(level) { "on" } else { "off" };
        format!("\t{level}:{state}")
    });
    format!("{name:<15}{}\n", states.collect::<String>())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rcdir::lsb;

    fn of(script: &str) -> Option<(String, u8, u8)> {
        let (header, wrong) = lsb::parse(script.as_bytes());
        let is_there = !wrong
            .iter()
            .any(|wrong| wrong.problem == lsb::Problem::NoHeader);
        let settings = settings(script.as_bytes(), is_there.then_some(&header))?;
        let levels = settings.levels.levels().map(Runlevel::as_char).collect();
        Some((levels, settings.start, settings.stop))
    }

    const HEADER: &str = "### BEGIN INIT INFO\n# Provides: x\n# Default-Start: 3 4\n# Default-Stop: 2\n### END INIT INFO\n";

    #[test]
    fn the_comment_names_levels_and_both_numbers() {
        let text = "#!/bin/sh\n# chkconfig: 2345 10 90\n# description: a thing\n";
        assert_eq!(of(text), Some(("2345".into(), 10, 90)));
        let none = "# chkconfig: - 5 95\n# description: a thing\n";
        assert_eq!(of(none), Some((String::new(), 5, 95)));
    }

    #[test]
    fn a_comment_that_is_wrong_or_alone_makes_no_service() {
        for line in [
            "2345 10",
            "2345 10 90 x",
            "2345 10 100",
            "2x 10 90",
            "2345 a 90",
            "",
        ] {
            let text = format!("# chkconfig: {line}\n# description: a thing\n");
            assert_eq!(of(&text), None, "{line}");
        }
        assert_eq!(of("# chkconfig: 2345 10 90\n"), None);
        assert_eq!(of("#!/bin/sh\n"), None);
    }

    #[test]
    fn a_header_alone_is_enough_and_one_behind_the_comment_changes_levels() {
        assert_eq!(of(HEADER), Some(("34".into(), MIDDLE, MIDDLE)));
        let comment = "# chkconfig: 25 10 90\n# description: a thing\n";
        assert_eq!(
            of(&format!("{comment}{HEADER}")),
            Some(("345".into(), 10, 90))
        );
        assert_eq!(
            of(&format!("{HEADER}{comment}")),
            Some(("34".into(), 10, 90))
        );
    }

    #[test]
    fn a_line_of_the_list_is_in_columns() {
        let line = listed("crond", RunlevelSet::parse(b"2345"));
        assert_eq!(
            line,
            "crond          \t0:off\t1:off\t2:on\t3:on\t4:on\t5:on\t6:off\n"
        );
    }
}

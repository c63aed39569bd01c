//! The lines of `cases.txt`, which says at its top what they mean.

use crate::tree::Subject;
use std::fmt::Write as _;

/// A tree and what is done with it.
pub(crate) struct Case {
    pub(crate) name: String,
    pub(crate) lines: Vec<Line>,
}

/// One line.
pub(crate) enum Line {
    /// Something about the tree.
    Set(Setting),
    /// A command, with what is known to differ after it.
    Run {
        words: Vec<String>,
        known: Vec<Known>,
    },
}

/// A known difference: what Debian's contains, and what ours does.
pub(crate) struct Known {
    pub(crate) aspect: String,
    /// None where it depends on how names lie on disk.
    pub(crate) debian: Option<String>,
    pub(crate) ours: String,
}

impl Known {
    /// Tells whether this is the difference.
    pub(crate) fn fits(&self, theirs: &str, own: &str) -> bool {
        let is_theirs = |debian: &String| theirs.contains(debian.as_str()) && own != theirs;
        own.contains(&self.ours) && self.debian.as_ref().is_none_or(is_theirs)
    }
}

/// A line about the tree.
pub(crate) struct Setting(String);

/// Reads all cases.
pub(crate) fn all(text: &str) -> Vec<Case> {
    let mut cases: Vec<Case> = Vec::new();
    for line in text.lines() {
        let line = line.trim_end();
        if let Some(name) = line.strip_prefix("== ") {
            cases.push(Case {
                name: name.to_owned(),
                lines: Vec::new(),
            });
        } else if line.is_empty() || line.starts_with('#') {
        } else {
            let lines = &mut cases.last_mut().expect("a case begins with ==").lines;
            take(lines, line);
        }
    }
    cases
}

fn take(lines: &mut Vec<Line>, line: &str) {
    if let Some(command) = line.strip_prefix("$ ") {
        lines.push(Line::Run {
            words: command.split_whitespace().map(str::to_owned).collect(),
            known: Vec::new(),
        });
    } else if let Some(ours) = line.strip_prefix("varies ") {
        let (aspect, ours) = ours.split_once(':').unwrap();
        last(lines).push(Known {
            aspect: aspect.to_owned(),
            debian: None,
            ours: ours.trim().to_owned(),
        });
    } else if let Some(difference) = line.strip_prefix("known ") {
        let (aspect, both) = difference.split_once(':').unwrap();
        let (debian, ours) = both.split_once('|').unwrap();
        last(lines).push(Known {
            aspect: aspect.to_owned(),
            debian: Some(debian.trim().to_owned()),
            ours: ours.trim().to_owned(),
        });
    } else {
        lines.push(Line::Set(Setting(line.to_owned())));
    }
}

/// What is known of the last command.
fn last(lines: &mut [Line]) -> &mut Vec<Known> {
    match lines.last_mut() {
        Some(Line::Run { known, .. }) => known,
        _ => panic!("a difference without a command before it"),
    }
}

impl Setting {
    /// Does to a tree what the line says.
    pub(crate) fn apply(&self, subject: &Subject<'_>) {
        let words: Vec<&str> = self.0.split_whitespace().collect();
        match words.as_slice() {
            ["script", name, says @ ..] => {
                subject.write(
                    &format!("etc/init.d/{name}"),
                    &script(name, says),
                    mode(says),
                );
            }
            ["override", folder, name, says @ ..] => {
                subject.write(&format!("{folder}/{name}"), &script(name, says), 0o644);
            }
            ["conf", ..] => {
                let text = self.0.trim_start_matches("conf ").replace("; ", "\n");
                subject.write("etc/insserv.conf", &format!("{text}\n"), 0o644);
            }
            ["file", path, text @ ..] => subject.write(path, &text.join(" "), 0o644),
            ["link", path] => subject.link(&format!("../init.d/{}", script_of(path)), path),
            ["link", path, text] => subject.link(text, path),
            ["remove", path] => subject.remove(path),
            _ => panic!("{}: not understood", self.0),
        }
    }
}

/// The script that a link such as `rc2.d/S20name` is of.
pub(crate) fn script_of(path: &str) -> &str {
    let name = path.rsplit('/').next().unwrap();
    name.get(3..).unwrap()
}

fn mode(says: &[&str]) -> u32 {
    if says.contains(&"mode=644") {
        0o644
    } else {
        0o755
    }
}

/// The text of a script: `no-header`, `no-end`, or keywords with values joined by commas.
fn script(name: &str, says: &[&str]) -> String {
    if says.contains(&"no-header") {
        return "#!/bin/sh\n".to_owned();
    }
    let value = |keyword: &str| {
        let prefix = format!("{keyword}=");
        let said = says.iter().find_map(|word| word.strip_prefix(&prefix));
        said.map(|value| value.replace(',', " "))
    };
    let levels = |keyword: &str, default: &str| {
        let levels = value(keyword).unwrap_or_else(|| default.to_owned());
        let levels: Vec<String> = levels.chars().map(String::from).collect();
        levels.join(" ")
    };
    let mut text = String::from("#!/bin/sh\n### BEGIN INIT INFO\n");
    let mut line = |keyword: &str, value: String| writeln!(text, "# {keyword}: {value}").unwrap();
    line(
        "Provides",
        value("provides").unwrap_or_else(|| name.to_owned()),
    );
    line("Required-Start", value("needs").unwrap_or_default());
    line("Required-Stop", value("stop-needs").unwrap_or_default());
    line("Default-Start", levels("start", "2345"));
    if !says.contains(&"incomplete") {
        line("Default-Stop", levels("stop", "016"));
    }
    for (word, keyword) in [
        ("may-need", "Should-Start"),
        ("stop-may-need", "Should-Stop"),
        ("before", "X-Start-Before"),
        ("stop-after", "X-Stop-After"),
        ("interactive", "X-Interactive"),
    ] {
        if let Some(value) = value(word) {
            line(keyword, value);
        }
    }
    if !says.contains(&"no-end") {
        text.push_str("### END INIT INFO\n");
    }
    text
}

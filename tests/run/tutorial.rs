//! `doc/writing-a-service.md`, done step by step on a machine by somebody who types what it says.

use std::fs;
use std::time::Instant;

use crate::machine::machine;
use crate::session::{LIMIT, Session};

/// What the page has its reader do.
#[derive(Debug)]
enum Step {
    /// Put this text into the file that was named last.
    Write { path: String, text: String },
    /// Type this, and see that.
    Type { command: String, shown: String },
}

/// Takes the steps out of the page: its blocks are files (`sh`) or what is typed and shown (`console`).
fn steps(page: &str) -> Vec<Step> {
    let mut steps = Vec::new();
    let mut named = None;
    let mut lines = page.lines();
    while let Some(line) = lines.next() {
        let Some(kind) = line.strip_prefix("```") else {
            let paths = line.split('`').skip(1).step_by(2);
            named = paths.filter(|word| word.starts_with('/')).last().or(named);
            continue;
        };
        let block: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        match kind {
            "sh" => steps.push(Step::Write {
                path: named.expect("a file is named before its text").to_owned(),
                text: block.join("\n"),
            }),
            "console" => {
                for line in block {
                    if let Some(command) = line.strip_prefix("# ") {
                        steps.push(Step::Type {
                            command: command.to_owned(),
                            shown: String::new(),
                        });
                    } else if let Some(Step::Type { shown, .. }) = steps.last_mut() {
                        shown.push_str(line);
                        shown.push('\n');
                    } else {
                        panic!("nobody has typed what shows {line:?}");
                    }
                }
            }
            other => panic!("a block of {other:?}"),
        }
    }
    steps
}

/// What differs from machine to machine made equal: numbers, unless they are exit statuses, months, units, colours, and
/// how many blanks there are.
fn in_general(text: &str) -> Vec<Vec<String>> {
    let lines = plain(text);
    // Init speaks on the console when it likes.
    let lines = lines.lines().filter(|line| !line.starts_with("INIT: "));
    let lines = lines.map(|line| {
        let words: Vec<&str> = line.split_whitespace().collect();
        let is_status = |place: usize| {
            words.len() == 1
                || place
                    .checked_sub(1)
                    .is_some_and(|before| words[before] == "exit")
        };
        let general = |(place, word): (usize, &&str)| match *word {
            word if is_status(place) => word.to_owned(),
            "Jan" | "Feb" | "Mar" | "Apr" | "May" | "Jun" | "Jul" | "Aug" | "Sep" | "Oct"
            | "Nov" | "Dec" => "Month".to_owned(),
            "KiB" => "MiB".to_owned(),
            "ms" => "s".to_owned(),
            word => without_numbers(word),
        };
        words.iter().enumerate().map(general).collect()
    });
    lines.collect()
}

fn without_numbers(word: &str) -> String {
    let mut general = String::new();
    for letter in word.chars() {
        match letter {
            '0'..='9' | '.' if general.ends_with('9') => {}
            '0'..='9' => general.push('9'),
            letter => general.push(letter),
        }
    }
    general
}

/// A text without the sequences that colour it.
fn plain(text: &str) -> String {
    let mut pieces = text.split("\x1b[");
    let mut plain = pieces.next().unwrap_or_default().to_owned();
    for piece in pieces {
        let end = piece.find(|letter: char| letter.is_ascii_alphabetic());
        plain.push_str(end.map_or("", |end| &piece[end + 1..]));
    }
    plain
}

fn write(session: &mut Session, path: &str, text: &str) {
    session.run(&format!("rm -f {path}"));
    for line in text.lines() {
        let quoted = line
            .replace('\\', "\\\\")
            .replace('%', "%%")
            .replace('\t', "\\t")
            .replace('\'', "'\\''");
        assert_eq!(session.run(&format!("printf '{quoted}\\n' >>{path}")).1, 0);
    }
}

#[test]
fn the_page_about_writing_a_service_works_as_it_stands() {
    let page = concat!(env!("CARGO_MANIFEST_DIR"), "/doc/writing-a-service.md");
    let steps = steps(&fs::read_to_string(page).unwrap());
    assert!(steps.len() > 20, "{steps:?}");
    let mut session = machine(&[]);
    session.log_in();
    for step in &steps {
        match step {
            Step::Write { path, text } => write(&mut session, path, text),
            Step::Type { command, .. } if command == "reboot" => {
                session.type_line(command);
                session.log_in();
            }
            Step::Type { command, shown } => see(&mut session, command, shown),
        }
    }
    session.type_line("poweroff");
    assert!(session.end().success(), "{}", session.shown());
}

/// Types a command until it shows what the page shows. Only what looks is typed again: init takes a moment for what it
/// was asked.
fn see(session: &mut Session, command: &str, shown: &str) {
    let end = Instant::now() + LIMIT;
    loop {
        let (found, _) = session.run(command);
        if in_general(&found) == in_general(shown) {
            return;
        }
        assert!(
            command.starts_with("initctl ") && Instant::now() < end,
            "{command}\nin the page:\n{shown}\nseen:\n{found}"
        );
    }
}

//! `insserv` and `update-rc.d` beside Debian's: the same trees, the same commands, and the links, exit statuses and
//! dependency files that come of them (`cases.txt`). Needs root, for the chroot that Debian's programs run in.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod case;
mod debian;
mod image;
mod ours;
mod shipped;
mod tree;

use case::{Case, Line};
use std::fmt::Write as _;
use tree::{State, Subject};

#[test]
fn every_case_comes_to_the_same_on_debians_and_on_ours() {
    let cases = case::all(include_str!("cases.txt"));
    let root = debian::Root::new();
    let mut report = String::new();
    let mut commands = 0;
    for case in &cases {
        commands += play(case, &root, &mut report);
    }
    assert!(
        cases.len() >= 100 && commands >= 200,
        "{} cases, {commands} commands",
        cases.len()
    );
    assert!(report.is_empty(), "{report}");
}

/// Plays a case on both, and reports what differs and is not known to. Returns the number of commands.
fn play(case: &Case, root: &debian::Root, report: &mut String) -> usize {
    root.clear();
    let mut commands = 0;
    let ours = tempfile::tempdir().unwrap();
    let subjects = [Subject::Debian(root.path()), Subject::Ours(ours.path())];
    for subject in &subjects {
        subject.prepare();
    }
    for line in &case.lines {
        match line {
            Line::Set(setting) => subjects.iter().for_each(|subject| setting.apply(subject)),
            Line::Run { words, known } => {
                commands += 1;
                let [debian, ours] = subjects.each_ref().map(|subject| subject.run(words));
                compare(case, words, known, &debian, &ours, report);
            }
        }
    }
    commands
}

fn compare(
    case: &Case,
    words: &[String],
    known: &[case::Known],
    debian: &State,
    ours: &State,
    report: &mut String,
) {
    for (aspect, theirs) in &debian.aspects {
        let own = &ours.aspects[aspect];
        match known.iter().find(|known| known.aspect == *aspect) {
            None if own == theirs => {}
            None => writeln!(
                report,
                "{}: {}: {aspect}\n debian: {theirs}\n ours:   {own}\n debian said: {}\n ours said: {}",
                case.name, words.join(" "), debian.said, ours.said
            )
            .unwrap(),
            Some(known) if known.fits(theirs, own) => {}
            Some(_) => writeln!(
                report,
                "{}: {}: {aspect}: not the known difference\n debian: {theirs}\n ours:   {own}",
                case.name, words.join(" ")
            )
            .unwrap(),
        }
    }
}

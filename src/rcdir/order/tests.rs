//! Which numbers and levels a request comes to, what is refused, and what is told. What Debian's does with the same
//! trees is played by `tests/insserv`.

use super::super::lsb;
use super::*;
use proptest::prelude::*;

/// A script `NAME`, or `NAME: needs X; before Y; all; interactive`, of levels 2 to 5, to be stopped in 0, 1 and 6.
fn script(line: &str) -> Script {
    let (name, says) = line.split_once(':').unwrap_or((line, ""));
    let mut text = format!("### BEGIN INIT INFO\n# Provides: {name}\n");
    let mut levels = "2 3 4 5";
    for phrase in says.split(';').map(str::trim) {
        let said = match phrase.split_once(' ') {
            Some(("needs", names)) => {
                format!("# Required-Start: {names}\n# Required-Stop: {names}\n")
            }
            Some(("before", names)) => format!("# X-Start-Before: {names}\n"),
            Some(("levels", named)) => {
                levels = named;
                String::new()
            }
            _ if phrase == "interactive" => "# X-Interactive: true\n".to_owned(),
            _ => String::new(),
        };
        text.push_str(&said);
    }
    let rest = format!("# Default-Start: {levels}\n# Default-Stop: 0 1 6\n### END INIT INFO\n");
    let (header, _) = lsb::parse(format!("{text}{rest}").as_bytes());
    Script {
        name: name.as_bytes().into(),
        header: Some(header),
        ..Script::default()
    }
}

fn scripts(lines: &[&str]) -> Vec<Script> {
    let mut scripts: Vec<Script> = lines.iter().map(|line| script(line)).collect();
    scripts.sort_by(|a, b| a.name.cmp(&b.name));
    scripts
}

fn request(names: &str, verb: Verb) -> Request {
    let asked = names.split_whitespace().map(|name| Asked {
        name: name.as_bytes().into(),
        ..Asked::default()
    });
    Request {
        asked: asked.collect(),
        verb,
        levels: Levels::Kept,
        force: Force::No,
    }
}

fn arranged(scripts: &[Script], request: &Request) -> Outcome {
    arrange(scripts, &Facilities::default(), request)
}

/// `S01a K02a` and so on, of what is linked.
fn numbers(scripts: &[Script], outcome: &Outcome) -> String {
    let linked = scripts
        .iter()
        .zip(&outcome.placed)
        .filter(|(_, placed)| placed.is_linked());
    let shown = linked.map(|(script, placed)| {
        let name = script.name.escape_ascii();
        format!(
            "S{:02}{name} K{:02}{name}",
            placed.start_number, placed.stop_number
        )
    });
    shown.collect::<Vec<_>>().join(" ")
}

fn told(outcome: &Outcome) -> Vec<String> {
    outcome
        .problems
        .iter()
        .filter(|problem| !matches!(problem.why, Why::Header(..)))
        .map(ToString::to_string)
        .collect()
}

#[test]
fn numbers_grow_along_the_chain_and_shrink_while_stopping() {
    let scripts = scripts(&["a", "b: needs a", "c: needs b"]);
    let outcome = arranged(&scripts, &request("a b c", Verb::Add));
    assert_eq!(numbers(&scripts, &outcome), "S01a K03a S02b K02b S03c K01c");
    assert!(!outcome.is_refused);
}

#[test]
fn a_loop_is_told_once_with_all_its_files_and_refuses_who_is_in_it() {
    let scripts = scripts(&["a: needs b", "b: needs c", "c: needs a", "d"]);
    let outcome = arranged(&scripts, &request("a b c", Verb::Add));
    assert!(outcome.is_refused);
    assert_eq!(
        told(&outcome),
        [
            "There is a loop between service a and b if started: a -> b -> c -> a \
             (/etc/init.d/a, /etc/init.d/b, /etc/init.d/c)",
            "There is a loop between service a and c if stopped: a -> c -> b -> a \
             (/etc/init.d/a, /etc/init.d/c, /etc/init.d/b)",
        ]
    );
    let outcome = arranged(&scripts, &request("d", Verb::Add));
    assert!(!outcome.is_refused);
    assert!(told(&outcome).is_empty());
}

#[test]
fn who_lacks_something_is_refused_and_others_are_not() {
    let mut scripts = scripts(&["a: needs gone", "b"]);
    let outcome = arranged(&scripts, &request("a", Verb::Add));
    assert_eq!(
        told(&outcome),
        ["FATAL: service gone has to be enabled to use service a"]
    );
    assert!(outcome.is_refused);
    scripts[0].start = RunlevelSet::parse(b"2");
    let outcome = arranged(&scripts, &request("b", Verb::Add));
    assert!(!outcome.is_refused);
    assert_eq!(
        told(&outcome),
        ["warning: service gone has to exist for service a"]
    );
    let outcome = arranged(&scripts, &request("", Verb::Add));
    assert!(outcome.is_refused);
}

#[test]
fn removing_what_others_need_is_refused() {
    let mut scripts = scripts(&["a", "b: needs a"]);
    for script in &mut scripts {
        script.start = RunlevelSet::parse(b"2");
        script.stop = RunlevelSet::parse(b"0");
    }
    assert!(arranged(&scripts, &request("a", Verb::Remove)).is_refused);
    let outcome = arranged(&scripts, &request("b", Verb::Remove));
    assert!(!outcome.is_refused);
    // What is not enabled any more keeps its place, so that a comes to be stopped second.
    assert_eq!(numbers(&scripts, &outcome), "S01a K02a");
}

#[test]
fn what_is_required_can_be_linked_along() {
    let scripts = scripts(&["a", "b: needs a", "c: needs b", "d"]);
    let outcome = arranged(&scripts, &request("c", Verb::AddWithRequired));
    assert_eq!(numbers(&scripts, &outcome), "S01a K03a S02b K02b S03c K01c");
}

#[test]
fn what_needs_a_script_of_all_comes_behind_it() {
    let scripts = scripts(&["a", "d: needs x", "x: needs $all"]);
    let outcome = arranged(&scripts, &request("a d x", Verb::Add));
    let started: Vec<u8> = outcome
        .placed
        .iter()
        .map(|placed| placed.start_number)
        .collect();
    assert_eq!(started, [1, 3, 2]);
}

#[test]
fn a_chain_that_two_digits_cannot_number_is_told() {
    let lines: Vec<String> = (0..110_u32)
        .map(|place| format!("s{place:03}: needs s{:03}", place.saturating_sub(1)))
        .collect();
    let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
    let scripts = scripts(&lines);
    let names: Vec<&str> = lines
        .iter()
        .map(|line| line.split(':').next().unwrap())
        .collect();
    let outcome = arranged(&scripts, &request(&names.join(" "), Verb::Add));
    assert!(!outcome.is_refused);
    assert_eq!(outcome.placed[97].start_number, 98);
    assert_eq!(outcome.placed[109].start_number, 99);
    assert!(
        outcome
            .problems
            .iter()
            .any(|problem| problem.why == Why::TooDeep)
    );
}

/// The direct and indirect needs that a dependency file states.
fn waits(depend: &[u8], later: &str, earlier: &str) -> bool {
    let text = String::from_utf8_lossy(depend);
    let lines: Vec<(&str, &str)> = text
        .lines()
        .filter_map(|line| line.split_once(": "))
        .collect();
    let mut open = vec![later];
    let mut seen = vec![later];
    while let Some(name) = open.pop() {
        for (_, needs) in lines.iter().filter(|(of, _)| *of == name) {
            for needed in needs.split(' ') {
                if needed == earlier {
                    return true;
                }
                if !seen.contains(&needed) {
                    seen.push(needed);
                    open.push(needed);
                }
            }
        }
    }
    false
}

proptest! {
    /// Without a loop, every edge is respected by the numbers and by the files for startpar.
    #[test]
    fn every_order_respects_every_edge(
        needs in prop::collection::vec((prop::collection::vec(0..12_usize, 0..4), 0..6_u8), 12)
    ) {
        // Needs lead to lower numbers only, so that there is no loop; names hide that order.
        let name = |place: usize| format!("n{}", place * 7 % 12);
        let lines: Vec<String> = needs.iter().enumerate().map(|(place, (needs, kind))| {
            let needed: Vec<String> =
                needs.iter().filter(|other| **other < place).map(|other| name(*other)).collect();
            let interactive = if *kind == 0 { "; interactive" } else { "" };
            format!("{}: needs {}{interactive}", name(place), needed.join(" "))
        }).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let scripts = scripts(&lines);
        let names: Vec<String> = (0..12).map(name).collect();
        let outcome = arranged(&scripts, &request(&names.join(" "), Verb::Add));
        prop_assert!(!outcome.is_refused);
        let place_of = |name: &str| scripts.iter().position(|script| &*script.name == name.as_bytes()).unwrap();
        for (place, (needs, _)) in needs.iter().enumerate() {
            for other in needs.iter().filter(|other| **other < place) {
                let (later, earlier) = (name(place), name(*other));
                let (a, b) = (&outcome.placed[place_of(&earlier)], &outcome.placed[place_of(&later)]);
                prop_assert!(a.start_number < b.start_number);
                prop_assert!(b.stop_number < a.stop_number);
                prop_assert!(waits(&outcome.depend[1], &later, &earlier));
                prop_assert!(waits(&outcome.depend[2], &earlier, &later));
            }
        }
        for placed in outcome.placed.iter().filter(|placed| placed.interactive) {
            let same = outcome.placed.iter().filter(|other| other.start_number == placed.start_number);
            prop_assert_eq!(same.count(), 1);
        }
    }
}

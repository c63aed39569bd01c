//! When each script of a level may begin, by tables and by random levels that are run to their end.

use super::super::lsb;
use super::*;
use crate::rcdir::Link;
use proptest::prelude::*;

/// Links with the headers behind them: `S01a`, or `S01a: needs b; before c; interactive`.
struct Level {
    steps: Vec<Step>,
    headers: Vec<Option<Header>>,
    facilities: Facilities,
}

impl Level {
    fn new(lines: &[&str]) -> Self {
        let mut level = Self {
            steps: Vec::new(),
            headers: Vec::new(),
            facilities: Facilities::default(),
        };
        level.facilities.read(b"$net +net\n$named +named $net\n");
        for line in lines {
            let (name, header) = match line.split_once(':') {
                Some((name, says)) => (name, Some(header(name, says))),
                None => (*line, None),
            };
            let link = Link::parse(name.as_bytes()).unwrap();
            let argument = match link.kind {
                LinkKind::Kill => Argument::Stop,
                LinkKind::Start => Argument::Start,
            };
            level.steps.push(Step { link, argument });
            level.headers.push(header);
        }
        level
    }

    fn schedule(&self, limit: usize) -> (Schedule, Vec<Loop>) {
        let tasks = self.steps.iter().zip(&self.headers);
        let tasks: Vec<Task<'_>> = tasks
            .map(|(step, header)| Task {
                step,
                header: header.as_ref(),
            })
            .collect();
        Schedule::new(&tasks, &self.facilities, NonZeroUsize::new(limit).unwrap())
    }

    fn names(&self, places: Vec<usize>) -> String {
        let names = places
            .into_iter()
            .map(|place| self.steps[place].link.to_string());
        names.collect::<Vec<_>>().join(" ")
    }

    /// What runs side by side if all that begin together end together.
    fn rounds(&self, limit: usize) -> String {
        let (mut schedule, _) = self.schedule(limit);
        let mut rounds = Vec::new();
        while !schedule.is_done() {
            let ready = schedule.ready();
            assert!(!ready.is_empty(), "stuck after {rounds:?}");
            for &place in &ready {
                schedule.started(place);
            }
            for &place in &ready {
                schedule.ended(place);
            }
            rounds.push(self.names(ready));
        }
        rounds.join(", ")
    }

    fn loops(&self) -> Vec<String> {
        let (_, loops) = self.schedule(9);
        loops.iter().map(ToString::to_string).collect()
    }
}

fn header(link: &str, says: &str) -> Header {
    let name = Link::parse(link.as_bytes()).unwrap().name;
    let mut text = format!("### BEGIN INIT INFO\n# Provides: {}\n", name.escape_ascii());
    for phrase in says.split(';').map(str::trim) {
        let said = match phrase.split_once(' ') {
            Some(("needs", names)) => format!("# Required-Start: {names}\n"),
            Some(("may-need", names)) => format!("# Should-Start: {names}\n"),
            Some(("before", names)) => format!("# X-Start-Before: {names}\n"),
            Some(("stops-before", names)) => format!("# Required-Stop: {names}\n"),
            Some(("stops-after", names)) => format!("# X-Stop-After: {names}\n"),
            _ if phrase == "interactive" => "# X-Interactive: true\n".to_owned(),
            _ => String::new(),
        };
        text.push_str(&said);
    }
    lsb::parse(format!("{text}### END INIT INFO\n").as_bytes()).0
}

#[test]
fn scripts_that_need_nothing_run_side_by_side() {
    let level = Level::new(&[
        "S01a:",
        "S01b:",
        "S02c: needs a",
        "S03d: may-need c b; needs gone",
    ]);
    assert_eq!(level.rounds(9), "S01a S01b, S02c, S03d");
}

#[test]
fn the_limit_holds_back_what_is_ready() {
    let level = Level::new(&["S01a:", "S01b:", "S01c:"]);
    assert_eq!(level.rounds(2), "S01a S01b, S01c");
    assert_eq!(level.rounds(1), "S01a, S01b, S01c");
}

#[test]
fn a_step_that_ends_makes_room_at_once() {
    let level = Level::new(&["S01a:", "S01b:", "S02c: needs a", "S01d:"]);
    let (mut schedule, _) = level.schedule(2);
    assert_eq!(schedule.ready(), [0, 1]);
    schedule.started(0);
    schedule.started(1);
    assert!(schedule.ready().is_empty());
    schedule.ended(0);
    assert_eq!(schedule.ready(), [2]);
    assert_eq!(schedule.running().collect::<Vec<_>>(), [1]);
}

#[test]
fn a_script_may_ask_to_come_before_others() {
    let level = Level::new(&["S01a:", "S01b: before a gone"]);
    assert_eq!(level.rounds(9), "S01b, S01a");
}

#[test]
fn facilities_stand_for_the_scripts_behind_them() {
    let level = Level::new(&[
        "S01net:",
        "S01named:",
        "S02x: needs $named",
        "S02y: needs $net $gone",
    ]);
    assert_eq!(level.rounds(9), "S01net S01named, S02x S02y");
}

#[test]
fn all_means_every_script_that_does_not_say_so_itself() {
    let level = Level::new(&[
        "S01x: needs $all",
        "S01a:",
        "S02b: needs a",
        "S01y: needs $all",
    ]);
    assert_eq!(level.rounds(9), "S01a, S02b, S01x S01y");
}

#[test]
fn stopping_goes_by_what_has_to_run_longer() {
    let level = Level::new(&[
        "K01net:",
        "K01log: stops-after cron",
        "K01cron: stops-before $net",
    ]);
    assert_eq!(level.rounds(9), "K01cron, K01net K01log");
}

#[test]
fn every_kill_link_ends_before_a_start_link_begins() {
    let level = Level::new(&["K01a:", "K02b: stops-after a", "S01c:", "S01a:"]);
    assert_eq!(level.rounds(9), "K01a, K02b, S01c S01a");
}

#[test]
fn a_script_without_header_keeps_its_place() {
    let level = Level::new(&[
        "S01a:",
        "S02b:",
        "S03old",
        "S04c:",
        "S05older",
        "S06oldest",
        "S07d:",
    ]);
    assert_eq!(
        level.rounds(9),
        "S01a S02b, S03old, S04c, S05older, S06oldest, S07d"
    );
}

#[test]
fn headers_have_the_last_word_over_places() {
    let level = Level::new(&["S10a: needs c", "S20old", "S30c:"]);
    assert_eq!(level.rounds(9), "S20old, S30c, S10a");
    assert!(level.loops().is_empty());
}

#[test]
fn start_links_that_stop_keep_their_places() {
    let mut level = Level::new(&["K01a:", "S10halt: needs x", "S20x:"]);
    for step in &mut level.steps {
        step.argument = Argument::Stop;
    }
    assert_eq!(level.rounds(9), "K01a, S10halt, S20x");
}

#[test]
fn an_interactive_script_runs_alone_when_its_turn_has_come() {
    let level = Level::new(&["S01a:", "S02ask: interactive", "S03b:", "S04c: needs a"]);
    let (mut schedule, _) = level.schedule(9);
    assert_eq!(schedule.ready(), [0]);
    schedule.started(0);
    assert!(schedule.ready().is_empty());
    schedule.ended(0);
    assert_eq!(schedule.ready(), [1]);
    schedule.started(1);
    assert!(schedule.ready().is_empty());
    assert!(schedule.is_interactive(1));
    schedule.ended(1);
    assert_eq!(schedule.ready(), [2, 3]);
}

#[test]
fn insserv_conf_can_name_interactive_services() {
    let mut level = Level::new(&["S01a:", "S01b:"]);
    level.facilities.read(b"<interactive> a\n");
    assert_eq!(level.rounds(9), "S01a, S01b");
}

#[test]
fn a_loop_is_told_and_the_links_decide_within_it() {
    let level = Level::new(&[
        "S01a: needs c",
        "S02b: needs a",
        "S03c: needs b",
        "S01d: needs c",
    ]);
    assert_eq!(level.loops(), ["a -> c -> b -> a"]);
    assert_eq!(level.rounds(9), "S01a, S02b, S03c, S01d");
}

#[test]
fn a_step_that_cannot_be_started_is_told_as_ended() {
    let level = Level::new(&["S01a:", "S02b: needs a"]);
    let (mut schedule, _) = level.schedule(9);
    schedule.ended(0);
    assert_eq!(schedule.ready(), [1]);
    assert_eq!(schedule.needs(1), [0]);
    schedule.ended(1);
    assert!(schedule.is_done());
    assert!(Level::new(&[]).schedule(1).0.is_done());
}

/// A random level: for each script its number, what it needs, and whether it is interactive or has no header.
fn levels() -> impl Strategy<Value = Vec<String>> {
    let script = (
        1..99_u8,
        prop::collection::vec(0..14_usize, 0..4),
        0..10_u8,
        any::<bool>(),
    );
    prop::collection::vec(script, 1..14).prop_map(|scripts| {
        let lines = scripts.into_iter().enumerate();
        let line = |(place, (number, needs, kind, stops)): (usize, (u8, Vec<usize>, u8, bool))| {
            let names: Vec<String> = needs.iter().map(|other| format!("n{other}")).collect();
            let names = names.join(" ");
            let (letter, word) = if stops {
                ('K', "stops-after")
            } else {
                ('S', "needs")
            };
            match kind {
                0 => format!("{letter}{number:02}n{place}"),
                1 => format!("{letter}{number:02}n{place}: {word} {names}; interactive"),
                _ => format!("{letter}{number:02}n{place}: {word} {names}"),
            }
        };
        let mut lines: Vec<String> = lines.map(line).collect();
        lines.sort();
        lines
    })
}

proptest! {
    /// Steps end in a random order, some without having been started.
    #[test]
    fn nothing_begins_before_what_it_needs_has_ended_and_all_come_to_run(
        lines in levels(),
        limit in 1..5_usize,
        choices in prop::collection::vec(any::<prop::sample::Index>(), 30),
    ) {
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let level = Level::new(&lines);
        let (mut schedule, loops) = level.schedule(limit);
        let mut choices = choices.into_iter().cycle();
        let mut ended: Vec<usize> = Vec::new();
        let mut running: Vec<usize> = Vec::new();
        while !schedule.is_done() {
            for place in schedule.ready() {
                prop_assert!(!ended.contains(&place) && !running.contains(&place));
                prop_assert!(schedule.needs(place).iter().all(|needed| ended.contains(needed)));
                // Without a loop, all that the header names has ended, which need not be what the schedule says.
                if loops.is_empty() && let Some(header) = &level.headers[place] {
                    for name in header.required_start.iter().chain(&header.stop_after) {
                        let same = |other: &usize| {
                            let link = &level.steps[*other].link;
                            *other != place
                                && level.headers[*other].as_ref().map_or(&link.name, |header| &header.provides[0]) == name
                                && link.kind == level.steps[place].link.kind
                        };
                        for needed in (0..level.steps.len()).filter(same) {
                            prop_assert!(ended.contains(&needed), "{}", level.names(vec![needed, place]));
                        }
                    }
                }
                if level.steps[place].link.kind == LinkKind::Start {
                    let kills = (0..level.steps.len())
                        .filter(|&other| level.steps[other].link.kind == LinkKind::Kill);
                    prop_assert!(kills.into_iter().all(|kill| ended.contains(&kill)));
                }
                schedule.started(place);
                running.push(place);
            }
            prop_assert!(!running.is_empty(), "nothing runs and nothing is ready");
            prop_assert!(running.len() <= limit);
            let interactive = running.iter().any(|&place| schedule.is_interactive(place));
            prop_assert!(!interactive || running.len() == 1);
            let next = choices.next().unwrap().index(running.len());
            let place = running.remove(next);
            schedule.ended(place);
            ended.push(place);
        }
        prop_assert_eq!(ended.len(), level.steps.len());
    }

    /// Each begins at the very moment at which the last of what it waits for has ended, so that the whole takes as long
    /// as the longest way through it.
    #[test]
    fn with_processors_enough_nothing_that_is_ready_is_kept_waiting(
        lines in levels(),
        times in prop::collection::vec(1..1000_u64, 14),
    ) {
        // Who talks to people has the console to himself, whatever the processors.
        let lines: Vec<String> =
            lines.iter().map(|line| line.replace("; interactive", "")).collect();
        let lines: Vec<&str> = lines.iter().map(String::as_str).collect();
        let level = Level::new(&lines);
        let (mut schedule, _) = level.schedule(level.steps.len());
        let kind = |place: usize| level.steps[place].link.kind;
        let mut ends: Vec<Option<u64>> = vec![None; level.steps.len()];
        let mut now = 0;
        while !schedule.is_done() {
            for place in schedule.ready() {
                let waits_for = (0..ends.len()).filter(|&other| {
                    schedule.needs(place).contains(&other)
                        || (kind(other) == LinkKind::Kill && kind(place) == LinkKind::Start)
                });
                let may_begin = waits_for.map(|other| ends[other].unwrap()).max();
                prop_assert_eq!(may_begin.unwrap_or(0), now, "{}", level.names(vec![place]));
                schedule.started(place);
                ends[place] = Some(now + times[place]);
            }
            let running: Vec<usize> = schedule.running().collect();
            now = running.iter().map(|&place| ends[place].unwrap()).min().unwrap();
            for place in running.into_iter().filter(|&place| ends[place] == Some(now)) {
                schedule.ended(place);
            }
        }
    }
}

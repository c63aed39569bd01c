//! Which scripts a change of level runs, in which order, and why others are left out.

use super::*;

fn level(byte: u8) -> Runlevel {
    Runlevel::from_byte(byte).unwrap()
}

fn change(previous: u8, new: u8, repeat: Repeat) -> Change {
    Change {
        level: level(new),
        previous: Runlevel::from_byte(previous),
        repeat,
        start_in_halt: StartInHalt::Stop,
    }
}

fn listing(names: &str) -> Vec<Found> {
    let found = |name: &str| Found {
        name: name.as_bytes().into(),
        file: File::Script,
    };
    names.split_whitespace().map(found).collect()
}

fn steps(plan: &Plan) -> String {
    let shown = |step: &Step| format!("{} {}", step.link, step.argument.word());
    plan.steps.iter().map(shown).collect::<Vec<_>>().join(", ")
}

fn planned(change: Change, new: &str, previous: &str) -> String {
    steps(&plan(change, &listing(new), &listing(previous)))
}

fn left_out(plan: &Plan) -> Vec<String> {
    let shown = |(name, reason): &(Box<[u8]>, Reason)| format!("{}: {reason}", name.escape_ascii());
    plan.left_out.iter().map(shown).collect()
}

#[test]
fn kill_links_come_first_and_each_kind_follows_its_names() {
    let change = change(b'2', b'3', Repeat::All);
    assert_eq!(
        planned(change, "S10b K20a S02z K03x S10a", ""),
        "K03x stop, K20a stop, S02z start, S10a start, S10b start"
    );
}

#[test]
fn nothing_is_stopped_after_the_machine_has_started() {
    let plan = plan(change(b'N', b'3', Repeat::All), &listing("K01a S01b"), &[]);
    assert_eq!(steps(&plan), "S01b start");
    assert_eq!(
        left_out(&plan),
        ["K01a: there is no previous level, so nothing runs yet"]
    );
}

#[test]
fn halting_runs_kill_links_even_without_a_previous_level() {
    for new in [b'0', b'6'] {
        for repeat in [Repeat::All, Repeat::Changes] {
            assert_eq!(
                planned(change(b'N', new, repeat), "K01a K09halt", ""),
                "K01a stop, K09halt stop"
            );
        }
    }
}

#[test]
fn start_links_stop_in_levels_zero_and_six() {
    for new in [b'0', b'6'] {
        assert_eq!(
            planned(change(b'3', new, Repeat::All), "S90halt K01a", ""),
            "K01a stop, S90halt stop"
        );
    }
}

#[test]
fn start_links_start_in_levels_zero_and_six_of_the_red_hat_layout() {
    let change = Change {
        start_in_halt: StartInHalt::Start,
        ..change(b'3', b'0', Repeat::All)
    };
    assert_eq!(
        planned(change, "K01a S01halt", ""),
        "K01a stop, S01halt start"
    );
}

#[test]
fn every_link_is_run_again_under_the_rule_that_repeats_all() {
    assert_eq!(
        planned(change(b'3', b'4', Repeat::All), "S01a K01b", "S01a K01b"),
        "K01b stop, S01a start"
    );
}

#[test]
fn a_service_of_both_levels_is_not_started_again_under_the_rule_of_changes() {
    let plan = plan(
        change(b'3', b'4', Repeat::Changes),
        &listing("S05a S06new"),
        &listing("S01a"),
    );
    assert_eq!(steps(&plan), "S06new start");
    assert_eq!(left_out(&plan), ["S05a: already started in runlevel 3"]);
}

#[test]
fn a_service_stopped_by_the_previous_level_is_not_stopped_again_under_the_rule_of_changes() {
    let plan = plan(
        change(b'1', b'2', Repeat::Changes),
        &listing("K01a K02b"),
        &listing("K05a S01b"),
    );
    assert_eq!(steps(&plan), "K02b stop");
    assert_eq!(left_out(&plan), ["K01a: already stopped in runlevel 1"]);
}

#[test]
fn a_service_that_the_new_level_restarts_is_started_under_the_rule_of_changes() {
    assert_eq!(
        planned(change(b'3', b'4', Repeat::Changes), "K01a S01a", "S01a"),
        "K01a stop, S01a start"
    );
}

#[test]
fn a_level_that_was_to_halt_counts_as_having_done_nothing() {
    assert_eq!(
        planned(
            change(b'0', b'6', Repeat::Changes),
            "K01umount",
            "K01umount"
        ),
        "K01umount stop"
    );
    assert_eq!(
        planned(change(b'6', b'3', Repeat::Changes), "S01a", "S01a"),
        "S01a start"
    );
}

#[test]
fn a_link_of_the_previous_level_that_led_nowhere_has_done_nothing() {
    let mut previous = listing("S01a");
    previous[0].file = File::Dangling;
    let plan = plan(
        change(b'3', b'4', Repeat::Changes),
        &listing("S01a"),
        &previous,
    );
    assert_eq!(steps(&plan), "S01a start");
}

#[test]
fn what_is_no_script_is_left_out_with_its_reason() {
    let mut new = listing("S01off S02gone S03dir README S04a~ S05good");
    new[0].file = File::NotExecutable;
    new[1].file = File::Dangling;
    new[2].file = File::Other;
    let plan = plan(change(b'N', b'2', Repeat::All), &new, &[]);
    assert_eq!(steps(&plan), "S05good start");
    assert_eq!(
        left_out(&plan),
        [
            "README: the name begins with neither S nor K",
            "S01off: not executable",
            "S02gone: leads to no file",
            "S03dir: not a regular file",
            "S04a~: the name is that of a backup copy",
        ]
    );
}

#[test]
fn two_links_to_one_script_are_both_run() {
    assert_eq!(
        planned(change(b'N', b'2', Repeat::All), "S09a S01a", ""),
        "S01a start, S09a start"
    );
}

//! Every rule of the grammar by its sentence, and random bytes.

use super::*;
use crate::inittab::diagnostic::Field;
use proptest::prelude::*;

fn main_file(text: &[u8]) -> Source<'_> {
    Source {
        path: "/etc/inittab",
        text,
        kind: SourceKind::Inittab,
    }
}

fn fragment<'a>(path: &'a str, text: &'a str) -> Source<'a> {
    Source {
        path,
        text: text.as_bytes(),
        kind: SourceKind::Fragment,
    }
}

fn parse_text(text: &str) -> Parsed {
    parse(&[main_file(text.as_bytes())])
}

/// The entries as lines, without the fallback of single user mode.
fn lines(parsed: &Parsed) -> Vec<String> {
    parsed
        .table
        .entries
        .iter()
        .filter(|entry| **entry != single_user_fallback())
        .map(|entry| {
            format!(
                "{}:{}:{}:{}",
                entry.id,
                entry.levels.escape_ascii(),
                entry.action.name(),
                entry.process.escape_ascii()
            )
        })
        .collect()
}

fn messages(parsed: &Parsed) -> Vec<String> {
    parsed.diagnostics.iter().map(ToString::to_string).collect()
}

fn ids(parsed: &Parsed) -> Vec<String> {
    let entries = parsed.table.entries.iter();
    entries.map(|entry| entry.id.to_string()).collect()
}

#[track_caller]
fn kept_as(text: &str, expected: &[&str]) {
    let parsed = parse_text(text);
    assert_eq!(lines(&parsed), expected, "{text:?}");
    assert_eq!(messages(&parsed), Vec::<String>::new(), "{text:?}");
}

#[track_caller]
fn dropped_with(text: &str, expected: &[&str]) {
    let parsed = parse_text(text);
    assert_eq!(lines(&parsed), Vec::<String>::new(), "{text:?}");
    assert_eq!(messages(&parsed), expected, "{text:?}");
}

#[test]
fn a_line_has_four_fields() {
    kept_as(
        "1:2345:respawn:/sbin/getty tty1\n",
        &["1:2345:respawn:/sbin/getty tty1"],
    );
}

#[test]
fn only_the_first_three_colons_split() {
    kept_as("x:2:once:/bin/a b:c::d\n", &["x:2:once:/bin/a b:c::d"]);
}

#[test]
fn blanks_before_the_id_are_skipped() {
    kept_as(" \t x:2:once:/bin/a\n", &["x:2:once:/bin/a"]);
}

#[test]
fn empty_lines_blank_lines_and_comments_are_skipped() {
    kept_as("\n  \t\n# x:2:once:/bin/a\n\t # y\n#\n", &[]);
}

#[test]
fn a_hash_in_a_field_starts_no_comment() {
    kept_as("a#:2:once:/bin/a # b\n", &["a#:2:once:/bin/a # b"]);
}

#[test]
fn a_backslash_continues_nothing() {
    kept_as(
        "x:2:once:/bin/a \\\ny:3:once:/bin/b\n",
        &["x:2:once:/bin/a \\\\", "y:3:once:/bin/b"],
    );
}

#[test]
fn a_last_line_without_newline_is_a_line() {
    kept_as(
        "x:2:once:/bin/a\ny:3:once:/bin/b",
        &["x:2:once:/bin/a", "y:3:once:/bin/b"],
    );
}

#[test]
fn id_and_process_keep_their_blanks() {
    kept_as("i :2:once: /bin/a  b \n", &["i :2:once: /bin/a  b "]);
}

#[test]
fn an_empty_process_is_kept_as_the_original_keeps_it() {
    kept_as("e1:2:once:\n", &["e1:2:once:"]);
}

#[test]
fn a_line_of_any_length_is_kept() {
    let process = format!("/bin/sh -c {}", "x".repeat(10_000));
    let parsed = parse_text(&format!("x:2:once:{process}\ny:2:once:/bin/b\n"));
    assert_eq!(*parsed.table.entries[0].process, *process.as_bytes());
    assert_eq!(ids(&parsed), ["x", "y", "~~"]);
    assert_eq!(messages(&parsed), Vec::<String>::new());
}

#[test]
fn a_long_runlevels_field_is_kept() {
    kept_as(
        "x:S0123456789abc:once:/bin/a\n",
        &["x:S0123456789abc:once:/bin/a"],
    );
}

#[test]
fn every_action_is_known_in_any_case() {
    for (name, action) in Action::NAMES {
        for spelling in [name.to_owned(), name.to_uppercase(), {
            let mut word = name.to_owned();
            word.replace_range(..1, &name.get(..1).unwrap().to_uppercase());
            word
        }] {
            let parsed = parse_text(&format!("x:2:{spelling}:/bin/a\n"));
            assert_eq!(parsed.table.entries[0].action, action, "{spelling}");
            assert_eq!(messages(&parsed), Vec::<String>::new());
        }
    }
}

#[test]
fn an_empty_runlevels_field_means_the_levels_of_the_action() {
    for (action, levels) in [
        ("respawn", "0123456789"),
        ("wait", "0123456789"),
        ("once", "0123456789"),
        ("off", "0123456789"),
        ("ondemand", "0123456789"),
        ("kbrequest", "0123456789"),
        ("powerwait", "S0123456789"),
        ("powerfail", "S0123456789"),
        ("powerokwait", "S0123456789"),
        ("powerfailnow", "S0123456789"),
        ("ctrlaltdel", "S0123456789"),
        ("initdefault", ""),
    ] {
        let parsed = parse_text(&format!("x::{action}:/bin/a\n"));
        assert_eq!(*parsed.table.entries[0].levels, *levels.as_bytes());
    }
}

#[test]
fn entries_of_the_boot_phases_get_their_marks_whatever_the_field_says() {
    for (line, levels) in [
        ("x:2x:sysinit:/bin/a", "#"),
        ("x:S:boot:/bin/a", "*"),
        ("x::bootwait:/bin/a", "*"),
    ] {
        let parsed = parse_text(line);
        assert_eq!(*parsed.table.entries[0].levels, *levels.as_bytes());
        assert_eq!(messages(&parsed), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn a_line_that_ends_too_early_is_dropped_with_the_first_field_it_lacks() {
    for (text, expected) in [
        (
            "abc",
            "/etc/inittab:1:4: missing runlevel field; line ignored",
        ),
        (
            "a:2",
            "/etc/inittab:1:4: missing action field; line ignored",
        ),
        (
            "a:2:",
            "/etc/inittab:1:5: missing action field; line ignored",
        ),
        (
            "a:2::/bin/a",
            "/etc/inittab:1:5: missing action field; line ignored",
        ),
        (
            "a:2:once",
            "/etc/inittab:1:9: missing process field; line ignored",
        ),
        (
            ":2:once:/bin/a",
            "/etc/inittab:1:1: missing id field; line ignored",
        ),
        (
            "id:3:initdefault",
            "/etc/inittab:1:17: missing process field; line ignored",
        ),
    ] {
        dropped_with(text, &[expected]);
    }
}

#[test]
fn an_id_of_more_than_four_bytes_is_dropped() {
    dropped_with(
        "\n  abcde:2:once:/bin/a\n",
        &["/etc/inittab:2:3: id field too long (max 4 characters); line ignored"],
    );
    kept_as("abcd:2:once:/bin/a\n", &["abcd:2:once:/bin/a"]);
}

#[test]
fn an_unknown_action_is_reported_and_the_line_dropped() {
    dropped_with(
        "x:2:onse:/bin/a\n",
        &["/etc/inittab:1:5: onse: unknown action field; line ignored"],
    );
    dropped_with(
        "x:2: once:/bin/a\n",
        &["/etc/inittab:1:5:  once: unknown action field; line ignored"],
    );
}

#[test]
fn an_action_field_too_long_for_a_message_is_not_quoted() {
    dropped_with(
        &format!("x:2:{}:/bin/a\n", "o".repeat(33)),
        &["/etc/inittab:1:5: action field too long; line ignored"],
    );
}

#[test]
fn every_problem_of_a_line_is_reported() {
    dropped_with(
        "abcde:2x3y:onse\n",
        &[
            "/etc/inittab:1:1: id field too long (max 4 characters); line ignored",
            "/etc/inittab:1:8: 'x' names no runlevel; the rest of the field counts",
            "/etc/inittab:1:12: onse: unknown action field; line ignored",
            "/etc/inittab:1:16: missing process field; line ignored",
        ],
    );
}

#[test]
fn the_first_line_with_an_id_stays_and_later_ones_are_dropped() {
    let parsed = parse_text("1:2:once:/bin/a\n# c\n1:3:once:/bin/b\n1:4:once:/bin/c\n");
    assert_eq!(lines(&parsed), ["1:2:once:/bin/a"]);
    assert_eq!(
        messages(&parsed),
        [
            "/etc/inittab:3:1: duplicate ID field \"1\"; line ignored, /etc/inittab:1 has the id",
            "/etc/inittab:4:1: duplicate ID field \"1\"; line ignored, /etc/inittab:1 has the id",
        ]
    );
}

#[test]
fn a_dropped_line_takes_no_id() {
    let parsed = parse_text("1:2:onse:/bin/a\n1:3:once:/bin/b\n");
    assert_eq!(lines(&parsed), ["1:3:once:/bin/b"]);
    assert_eq!(parsed.diagnostics.len(), 1);
}

#[test]
fn the_id_of_fallbacks_may_repeat() {
    kept_as(
        "~~:S:wait:/bin/a\n~~:S:wait:/bin/b\n",
        &["~~:S:wait:/bin/a", "~~:S:wait:/bin/b"],
    );
}

#[test]
fn an_unknown_runlevel_is_a_warning_and_the_field_kept_as_written() {
    let parsed = parse_text("x: 2 :once:/bin/a\n");
    assert_eq!(lines(&parsed), ["x: 2 :once:/bin/a"]);
    let runlevels = parsed.table.entries[0].runlevels;
    assert!(runlevels.contains(Runlevel::from_byte(b'2').unwrap()));
    assert_eq!(
        messages(&parsed),
        ["/etc/inittab:1:3: ' ' names no runlevel; the rest of the field counts",]
    );
}

#[test]
fn carriage_returns_at_line_ends_are_left_out_and_reported_once_a_file() {
    let parsed = parse(&[
        main_file(b"# dos\r\nid:3:initdefault:\r\n\r\nx:2:once:/bin/a\r\n"),
        fragment("/etc/inittab.d/a.tab", "y:2:once:/bin/b\r\nz:2:once:/bin/c"),
    ]);
    assert_eq!(
        lines(&parsed),
        [
            "id:3:initdefault:",
            "x:2:once:/bin/a",
            "y:2:once:/bin/b",
            "z:2:once:/bin/c",
        ]
    );
    let what = "carriage return before the end of line; left out in the whole file";
    assert_eq!(
        messages(&parsed),
        [
            format!("/etc/inittab:1:6: {what}"),
            format!("/etc/inittab.d/a.tab:1:16: {what}"),
        ]
    );
}

#[test]
fn only_the_last_carriage_return_of_a_line_is_left_out() {
    let parsed = parse_text("x:2:once:/bin/a\rb\r\r\n");
    assert_eq!(lines(&parsed), ["x:2:once:/bin/a\\rb\\r"]);
}

#[test]
fn a_line_with_a_nul_byte_is_dropped_and_its_neighbours_stay() {
    let parsed = parse(&[main_file(b"a:2:once:/a\nb:2:once:/b\0c\nc:2:once:/c\n")]);
    assert_eq!(lines(&parsed), ["a:2:once:/a", "c:2:once:/c"]);
    assert_eq!(
        messages(&parsed),
        ["/etc/inittab:2:12: NUL byte; line ignored"]
    );
}

#[test]
fn control_bytes_and_bytes_of_other_alphabets_reach_the_process() {
    let parsed = parse(&[main_file(b"x:2:once:/bin/a \x01\x7f\xc3\xa4\xff\n")]);
    assert_eq!(
        lines(&parsed),
        ["x:2:once:/bin/a \\x01\\x7f\\xc3\\xa4\\xff"]
    );
    assert_eq!(messages(&parsed), Vec::<String>::new());
}

#[test]
fn messages_are_printable_whatever_the_file_holds() {
    let parsed = parse(&[main_file(
        b"x\x1b:2\x07:\x1b[2J\xff:/a\nabc\x1b:2:once:/b\nabc\x1b:2:once:/b\n",
    )]);
    assert_eq!(
        messages(&parsed),
        [
            "/etc/inittab:1:5: '\\x07' names no runlevel; the rest of the field counts",
            "/etc/inittab:1:7: \\x1b[2J\\xff: unknown action field; line ignored",
            "/etc/inittab:3:1: duplicate ID field \"abc\\x1b\"; line ignored, /etc/inittab:2 has the id",
        ]
    );
}

#[test]
fn power_and_ctrlaltdel_entries_come_first_and_keep_their_order() {
    let parsed = parse(&[
        main_file(
            b"1:S2:once:/a\npf::powerwait:/b\nkb::kbrequest:/c\nca::ctrlaltdel:/d\n2:2:once:/e\n\
              pn::powerfailnow:/f\n",
        ),
        fragment(
            "a.tab",
            "po::powerokwait:/g\n3:2:once:/h\npl::powerfail:/i\n",
        ),
    ]);
    assert_eq!(
        ids(&parsed),
        ["pf", "ca", "pn", "po", "pl", "1", "kb", "2", "3",]
    );
}

#[test]
fn without_an_entry_for_single_user_mode_sulogin_stands_behind_the_main_file() {
    let parsed = parse(&[
        main_file(b"1:2345:respawn:/a\n"),
        fragment("a.tab", "2:S:wait:/b\n"),
    ]);
    assert_eq!(ids(&parsed), ["1", "~~", "2"]);
    assert_eq!(parsed.table.entries[1], single_user_fallback());
    assert_eq!(*parsed.table.entries[1].process, *b"/sbin/sulogin");
}

#[test]
fn an_entry_for_single_user_mode_makes_the_fallback_needless() {
    for line in [
        "~~:S:wait:/x",
        "1:2S:respawn:/x",
        "1:s:once:/x",
        "1:S:ondemand:/x",
    ] {
        let parsed = parse_text(line);
        assert_eq!(parsed.table.entries.len(), 1, "{line}");
    }
}

#[test]
fn an_entry_that_single_user_mode_never_starts_does_not_replace_the_fallback() {
    for line in [
        "id:S:initdefault:",
        "ca::ctrlaltdel:/x",
        "1:S:off:/x",
        "1:S:sysinit:/x",
        "1:S:bootwait:/x",
        "1::respawn:/x",
    ] {
        let parsed = parse_text(line);
        assert_eq!(
            ids(&parsed).last().map(String::as_str),
            Some("~~"),
            "{line}"
        );
    }
}

#[test]
fn without_any_file_the_table_is_the_fallback() {
    let parsed = parse(&[]);
    assert_eq!(parsed.table.entries, [single_user_fallback()]);
    assert_eq!(messages(&parsed), Vec::<String>::new());
}

#[test]
fn fragments_are_read_without_a_main_file() {
    let parsed = parse(&[fragment("a.tab", "1:2:once:/a\n")]);
    assert_eq!(ids(&parsed), ["~~", "1"]);
}

#[test]
fn fragments_may_hold_several_lines_and_follow_in_the_given_order() {
    let parsed = parse(&[
        fragment("b.tab", "b1:2:once:/a\nb2:2:once:/a\n"),
        fragment("a.tab", "# comment\na1:2:once:/a\n"),
        main_file(b"m:S:once:/a\n"),
    ]);
    assert_eq!(ids(&parsed), ["m", "b1", "b2", "a1"]);
}

#[test]
fn lines_are_counted_in_each_file_and_ids_across_files() {
    let parsed = parse(&[
        main_file(b"# one\n1:S:once:/a\n"),
        fragment("/etc/inittab.d/x.tab", "\n1:2:once:/b\n2:2:nope:/c\n"),
    ]);
    assert_eq!(
        messages(&parsed),
        [
            "/etc/inittab.d/x.tab:2:1: duplicate ID field \"1\"; line ignored, /etc/inittab:2 has the id",
            "/etc/inittab.d/x.tab:3:5: nope: unknown action field; line ignored",
        ]
    );
}

#[test]
fn warnings_keep_the_line_and_errors_drop_it() {
    for (problem, drops) in [
        (Problem::Missing(Field::Process), true),
        (Problem::IdTooLong, true),
        (Problem::ActionTooLong, true),
        (Problem::UnknownAction(Box::from(*b"x")), true),
        (Problem::Nul, true),
        (Problem::TooManyEntries, true),
        (Problem::CarriageReturn, false),
        (Problem::UnknownRunlevel(b'x'), false),
        (Problem::TooManyProblems, false),
    ] {
        assert_eq!(problem.drops_the_line(), drops, "{problem}");
    }
}

#[test]
fn a_table_stops_growing_at_its_limit_and_says_so_once() {
    use std::fmt::Write as _;
    let text = (0..=MAX_ENTRIES).fold(String::from("~~:S:wait:/a\n"), |mut text, _| {
        writeln!(text, "~~:2:once:/a").unwrap();
        text
    });
    let parsed = parse_text(&text);
    assert_eq!(parsed.table.entries.len(), MAX_ENTRIES);
    assert_eq!(
        messages(&parsed),
        [format!(
            "/etc/inittab:{}:1: more than {MAX_ENTRIES} entries; this line and all after it ignored",
            MAX_ENTRIES + 1
        )]
    );
}

#[test]
fn a_list_of_problems_stops_growing_at_its_limit_and_good_lines_still_count() {
    let text = "x\n".repeat(2 * MAX_DIAGNOSTICS) + "1:S:once:/a\n";
    let parsed = parse_text(&text);
    assert_eq!(ids(&parsed), ["1"]);
    assert_eq!(parsed.diagnostics.len(), MAX_DIAGNOSTICS + 1);
    let last = parsed.diagnostics.last().unwrap();
    assert_eq!(last.problem, Problem::TooManyProblems);
}

/// A line that is good whatever stands around it, with an id of its own.
fn good_line(number: usize, levels: &str, action: usize, process: &[u8]) -> Vec<u8> {
    let (name, _) = Action::NAMES[action % Action::NAMES.len()];
    let process: Vec<u8> = process
        .iter()
        .copied()
        .filter(|byte| !b"\n\r\0".contains(byte))
        .collect();
    [format!("{number:04}:{levels}:{name}:").as_bytes(), &process].concat()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn random_bytes_never_panic_and_every_message_fits_one_line(
        text in proptest::collection::vec(
            prop_oneof![4 => any::<u8>(), 3 => Just(b':'), 2 => Just(b'\n'), 1 => Just(b'2')],
            0..100,
        )
    ) {
        let parsed = parse(&[main_file(&text)]);
        prop_assert!(parsed.table.entries.len() <= 1 + text.len() / 5);
        for message in messages(&parsed) {
            prop_assert!(message.bytes().all(|byte| (b' '..=b'~').contains(&byte)), "{message}");
        }
        for entry in &parsed.table.entries {
            prop_assert!((1..=MAX_ID).contains(&entry.id.as_bytes().len()));
        }
    }

    #[test]
    fn a_line_is_an_entry_or_has_a_diagnostic_that_drops_it(line in "[ab:#23xonce]{0,14}") {
        let parsed = parse_text(&line);
        let is_skipped = line.is_empty() || line.starts_with('#');
        let is_kept = !lines(&parsed).is_empty();
        let is_dropped = parsed.diagnostics.iter().any(|one| one.problem.drops_the_line());
        prop_assert_eq!(
            usize::from(is_skipped) + usize::from(is_kept) + usize::from(is_dropped),
            1,
            "{}", line
        );
        for diagnostic in &parsed.diagnostics {
            prop_assert!((1..=line.len() + 1).contains(&diagnostic.column));
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    #[test]
    fn every_good_line_survives_among_garbage(
        pieces in proptest::collection::vec(
            (
                "[0-9Sabc]{0,12}",
                0_usize..15,
                proptest::collection::vec(any::<u8>(), 0..20),
                proptest::collection::vec(any::<u8>().prop_filter("no entry", |b| *b != b':'), 0..20),
            ),
            0..12,
        )
    ) {
        let mut text = Vec::new();
        let mut expected = Vec::new();
        for (number, (levels, action, process, garbage)) in pieces.iter().enumerate() {
            text.extend_from_slice(garbage);
            text.push(b'\n');
            let line = good_line(number, levels, *action, process);
            expected.push(line.clone());
            text.extend(line);
            text.push(b'\n');
        }
        let table = parse(&[main_file(&text)]).table;
        for line in expected {
            let fields: Vec<&[u8]> = line.splitn(4, |&byte| byte == b':').collect();
            let action = Action::from_name(fields[2]).unwrap();
            let entry = Entry::new(EntryId::new(fields[0]), fields[1], action, fields[3]);
            prop_assert!(table.entries.contains(&entry), "{entry:?}");
        }
    }
}

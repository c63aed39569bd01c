//! What a console shows when scripts say this and end like that.

use super::*;

/// What a console shows when a script says these pieces and ends.
fn shown(pieces: &[&str], mark: Mark, remark: &str) -> String {
    let mut screen = Screen::new(Colours::None);
    screen.begin(b"Starting cron");
    let mut all = Vec::new();
    for piece in pieces {
        all.extend(screen.output(piece.as_bytes()));
    }
    all.extend(screen.end(mark, remark));
    String::from_utf8(all).unwrap()
}

const QUIET: &str = "Starting cron ................................... [ ok ]\n";

#[test]
fn a_script_that_says_nothing_gets_a_line() {
    assert_eq!(shown(&[], Mark::Ok, ""), QUIET);
    assert_eq!(
        shown(&[], Mark::Fail, "killed by SIGSEGV"),
        "Starting cron ................................... [fail] killed by SIGSEGV\n"
    );
}

#[test]
fn the_result_stands_at_the_end_of_the_last_line() {
    for pieces in [
        &["Starting periodic command scheduler: cron.\n"][..],
        &["Starting periodic command scheduler:", " cron", ".", "\n"],
        &["Starting periodic command scheduler: cron."],
    ] {
        assert_eq!(
            shown(pieces, Mark::Ok, ""),
            "Starting periodic command scheduler: cron. ...... [ ok ]\n"
        );
    }
    assert_eq!(
        shown(&["one\ntwo\n"], Mark::Fail, "exit 3"),
        "one\ntwo ............................................. [fail] exit 3\n"
    );
}

#[test]
fn all_marks_stand_in_one_column() {
    let column = |text: &str| shown(&[text], Mark::Ok, "").find("[ ok ]");
    for width in 1..=45 {
        assert_eq!(column(&"x".repeat(width)), Some(50), "{width}");
    }
    for width in 46..60 {
        assert_eq!(column(&"x".repeat(width)), Some(width + 1));
    }
}

#[test]
fn colours_and_characters_of_several_bytes_take_no_columns() {
    let text = "\x1b[32mStarting\x1b[0m gr\u{fc}n";
    let line = shown(&[text], Mark::Ok, "");
    assert_eq!(line, format!("{text} {} [ ok ]\n", ".".repeat(48 - 13)));
}

#[test]
fn a_line_that_bears_the_mark_already_is_left_as_it_is() {
    for text in [
        "Mounting local file systems ................... [ ok ]\n",
        "Setting the clock .................... [skip] left to the host\n",
        "Starting x ........ [ ok ] already running, pid 12\n",
        "[ ok ] Started x.\n",
        "Colour ....... [\x1b[32m ok \x1b[0m]\n",
        "Starting ........ [ ok ]\n    a note below\n",
        "[....] Starting x: cron\x1b7\x1b[?25l\x1b[1G[\x1b[32m ok \x1b[39;49m\x1b8\x1b[?25h.\n",
    ] {
        assert_eq!(shown(&[text], Mark::Ok, ""), text);
    }
    let failed = "Starting x .... [fail] x\n    no such file\n";
    assert_eq!(shown(&[failed], Mark::Fail, "exit 1"), failed);
    let skipped = "Starting x .... [skip] not installed\n";
    assert_eq!(shown(&[skipped], Mark::Skip, "not installed"), skipped);
}

#[test]
fn a_mark_that_is_not_the_result_does_not_stand_alone() {
    assert_eq!(
        shown(
            &["Checking ..................................... [ ok ]\n"],
            Mark::Fail,
            "exit 1"
        ),
        "Checking ..................................... [ ok ] [fail] exit 1\n"
    );
    // The latest line counts.
    assert_eq!(
        shown(&["A .... [ ok ]\nplain\n"], Mark::Ok, ""),
        format!("A .... [ ok ]\nplain {} [ ok ]\n", ".".repeat(43))
    );
    let in_a_word = "see[ ok ]there";
    assert!(shown(&[in_a_word], Mark::Ok, "").ends_with(" [ ok ]\n"));
}

#[test]
fn line_ends_are_held_back_only_until_more_comes() {
    let mut screen = Screen::new(Colours::None);
    screen.begin(b"Starting x");
    assert_eq!(screen.output(b"one\n"), b"one");
    assert_eq!(screen.output(b"\n"), b"");
    assert_eq!(screen.output(b"two\r\n"), b"\n\ntwo");
    assert_eq!(screen.output(b"Passphrase: "), b"\r\nPassphrase: ");
    assert_eq!(screen.output(b"\n"), b"");
    let end = screen.end(Mark::Ok, "");
    assert_eq!(end, format!(" {} [ ok ]\n", ".".repeat(36)).into_bytes());
}

#[test]
fn every_byte_is_passed_on_in_its_order() {
    let bytes: Vec<u8> = (0..=255).chain([b'\n'; 200]).chain(*b"end").collect();
    for size in [1, 2, 7, 64, 1000] {
        let mut screen = Screen::new(Colours::None);
        screen.begin(b"Starting x");
        let all: Vec<u8> = bytes
            .chunks(size)
            .flat_map(|piece| screen.output(piece))
            .collect();
        assert_eq!(all, bytes);
    }
}

#[test]
fn where_the_cursor_cannot_be_told_a_new_line_is_begun() {
    for text in ["10%\r20%", "x\x08y", "\x1b[2Jx", "a\x1b"] {
        assert_eq!(shown(&[text], Mark::Ok, ""), format!("{text}\n{QUIET}"));
    }
    assert_eq!(shown(&["\n"], Mark::Ok, ""), format!("\n{QUIET}"));
    assert_eq!(
        shown(&["10%\r", "20%"], Mark::Ok, ""),
        format!("10%\r20%\n{QUIET}")
    );
    assert_eq!(
        shown(&["100%\r"], Mark::Ok, ""),
        format!("100% {} [ ok ]\r\n", ".".repeat(44))
    );
}

#[test]
fn a_long_silence_shows_what_is_going_on() {
    let mut screen = Screen::new(Colours::None);
    screen.begin(b"Stopping x");
    let begun = screen.silence();
    assert_eq!(
        begun,
        format!("Stopping x {} ", ".".repeat(38)).into_bytes()
    );
    assert_eq!(screen.silence(), b"");
    assert_eq!(
        screen.end(Mark::Skip, "not installed"),
        b"[skip] not installed\n"
    );
    // What comes after that is on a line of its own, and so is the result.
    screen.begin(b"Stopping x");
    assert_eq!(screen.silence(), begun);
    assert_eq!(screen.output(b"waiting\n"), b"\nwaiting");
    assert_eq!(screen.silence(), b"");
    let end = screen.end(Mark::Ok, "");
    assert_eq!(end, format!(" {} [ ok ]\n", ".".repeat(41)).into_bytes());
}

#[test]
fn what_others_say_has_lines_of_its_own() {
    let mut screen = Screen::new(Colours::None);
    screen.begin(b"Starting cron");
    assert_eq!(screen.aside(b"early\n"), b"early\n");
    assert_eq!(screen.output(b"partly"), b"partly");
    assert_eq!(screen.aside(b"late"), b"\nlate\n");
    assert_eq!(screen.output(b" done\n"), b" done");
    assert_eq!(screen.aside(b"later\n"), b"\nlater\n");
    assert_eq!(screen.end(Mark::Ok, ""), QUIET.as_bytes());
    screen.begin(b"Starting cron");
    assert_eq!(screen.output(b"x .... [ ok ]\n"), b"x .... [ ok ]");
    assert_eq!(screen.aside(b"late\n"), b"\nlate\n");
    assert_eq!(screen.end(Mark::Ok, ""), b"");
}

#[test]
fn colours_are_shown_where_there_are_any() {
    let mut screen = Screen::new(Colours::Shown);
    screen.begin(b"Starting x\xff");
    let line = String::from_utf8(screen.end(Mark::Fail, "exit 1")).unwrap();
    assert!(line.starts_with("Starting x\\xff ..."), "{line}");
    assert!(line.ends_with(" [\x1b[31mfail\x1b[0m] exit 1\n"), "{line}");
}

#[test]
fn only_a_terminal_that_is_known_to_have_colours_gets_them() {
    let terminal = |kind: &'static str, consoles: Option<&'static str>| Terminal {
        kind: kind.as_bytes(),
        no_colour: b"",
        consoles: consoles.map(str::as_bytes),
    };
    for (known, colours) in [
        (None, Colours::None),
        (Some(terminal("xterm", None)), Colours::Shown),
        (Some(terminal("", None)), Colours::None),
        (Some(terminal("dumb", None)), Colours::None),
        (Some(terminal("unknown", None)), Colours::None),
        (Some(terminal("vt100", None)), Colours::None),
        (Some(terminal("linux", Some("tty0\n"))), Colours::Shown),
        (Some(terminal("linux", Some("tty0 ttyS0\n"))), Colours::None),
        (
            Some(terminal("linux", Some("ttyS0 tty1\n"))),
            Colours::Shown,
        ),
        (Some(terminal("linux", Some(""))), Colours::None),
    ] {
        assert_eq!(Colours::of(known), colours, "{known:?}");
    }
    let asked_not_to = Terminal {
        no_colour: b"1",
        ..terminal("xterm", None)
    };
    assert_eq!(Colours::of(Some(asked_not_to)), Colours::None);
}

mod properties {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn whatever_a_script_says_is_shown_unchanged_and_the_last_line_ends(
            pieces in proptest::collection::vec(
                proptest::collection::vec(prop_oneof![Just(b'\n'), Just(b'\r'), Just(0x1b), any::<u8>()], 0..80),
                0..20,
            ),
            has_failed in any::<bool>(),
        ) {
            let mut screen = Screen::new(Colours::None);
            screen.begin(b"Starting x");
            let said = pieces.concat();
            let mut shown = Vec::new();
            for piece in &pieces {
                shown.extend(screen.output(piece));
            }
            prop_assert!(said.starts_with(&shown));
            // What is held back is the end of a line and no more.
            let ends = said.strip_prefix(shown.as_slice()).unwrap_or_default();
            prop_assert!(ends.iter().all(|byte| matches!(byte, b'\n' | b'\r')));
            let mark = if has_failed { Mark::Fail } else { Mark::Ok };
            shown.extend(screen.end(mark, ""));
            prop_assert!(shown.ends_with(b"\n"));
        }
    }
}

//! Every rule of how a process field is run, by its sentence.

use super::*;
use crate::inittab::parse::single_user_fallback;
use proptest::prelude::*;

fn entry(process: &[u8]) -> Entry {
    Entry::new(EntryId::new(*b"x1"), b"23", Action::Respawn, process)
}

fn level(byte: u8) -> Runlevel {
    Runlevel::from_byte(byte).unwrap()
}

fn plain(process: &str) -> Command {
    command(
        &entry(process.as_bytes()),
        Some(level(b'2')),
        Initscript::Absent,
    )
}

fn shown(words: &[Box<[u8]>]) -> Vec<String> {
    words
        .iter()
        .map(|word| word.escape_ascii().to_string())
        .collect()
}

#[track_caller]
fn runs(process: &str, expected: &[&str]) {
    assert_eq!(shown(&plain(process).argv()), expected, "{process:?}");
}

#[test]
fn a_plain_command_runs_by_itself_split_at_spaces_and_tabs() {
    runs(
        "/sbin/getty  38400\ttty1 \t",
        &["/sbin/getty", "38400", "tty1"],
    );
    runs(" \t/bin/a", &["/bin/a"]);
}

#[test]
fn each_special_character_brings_in_the_shell() {
    for character in "~`!$^&*()=|\\{}[];\"'<>?".chars() {
        let process = format!("/bin/a {character} b");
        assert_eq!(
            plain(&process),
            Command::Shell {
                script: process.as_bytes().into()
            },
        );
    }
}

#[test]
fn no_other_printable_character_brings_in_the_shell() {
    for character in "abcXYZ0189+,-./:@%_#".chars() {
        let process = format!("/bin/a b{character}");
        assert!(
            matches!(plain(&process), Command::Direct { .. }),
            "{character}"
        );
    }
}

#[test]
fn a_shell_line_reaches_the_shell_whole_and_without_exec() {
    runs("a && b; c # d", &["/bin/sh", "-c", "a && b; c # d"]);
    runs("VAR=x cmd", &["/bin/sh", "-c", "VAR=x cmd"]);
}

#[test]
fn a_plus_suppresses_records_and_is_no_part_of_the_command() {
    runs("+/bin/a b", &["/bin/a", "b"]);
    runs("+a;b", &["/bin/sh", "-c", "a;b"]);
    assert_eq!(Accounting::of(b"+/bin/a"), Accounting::Suppressed);
    assert_eq!(Accounting::of(b"@+/bin/a"), Accounting::Recorded);
    assert_eq!(Accounting::of(b"/bin/a"), Accounting::Recorded);
}

#[test]
fn an_at_sign_keeps_the_shell_out() {
    runs("@/bin/a $HOME;b", &["/bin/a", "$HOME;b"]);
    runs("+@/bin/a *", &["/bin/a", "*"]);
}

#[test]
fn only_one_mark_of_each_kind_is_taken_off() {
    runs("@@/bin/a", &["@/bin/a"]);
    runs("++/bin/a", &["+/bin/a"]);
    runs("@+/bin/a", &["+/bin/a"]);
}

#[test]
fn a_hash_ends_the_command_even_inside_a_word() {
    runs("a#b c", &["a"]);
    runs("a b# c", &["a", "b"]);
}

#[test]
fn a_hash_that_begins_a_word_leaves_an_empty_last_argument() {
    runs("cmd a # c", &["cmd", "a", ""]);
    runs("cmd\t#c", &["cmd", ""]);
    runs("#c", &[""]);
}

#[test]
fn a_command_may_have_any_number_of_words() {
    let process = format!("/bin/a{}", " b".repeat(100));
    assert_eq!(plain(&process).argv().len(), 101);
}

#[test]
fn an_empty_process_leaves_nothing_to_run() {
    for process in ["", "+", "@", "+@", "  \t"] {
        runs(process, &[]);
    }
}

#[test]
fn initscript_gets_the_four_fields_without_the_marks() {
    let entry = entry(b"+@/bin/a $b # c");
    let command = command(&entry, Some(level(b'3')), Initscript::Present);
    assert_eq!(
        shown(&command.argv()),
        [
            "/bin/sh",
            "/etc/initscript",
            "x1",
            "23",
            "respawn",
            "/bin/a $b # c",
        ]
    );
}

#[test]
fn initscript_sees_the_marks_of_the_boot_phases_as_levels() {
    for (action, mark) in [
        (Action::SysInit, "#"),
        (Action::Boot, "*"),
        (Action::BootWait, "*"),
    ] {
        let entry = Entry::new(EntryId::new(*b"si"), b"2", action, b"/etc/init.d/rcS");
        let argv = command(&entry, None, Initscript::Present).argv();
        assert_eq!(shown(&argv)[2..5], ["si", mark, action.name()]);
    }
}

#[test]
fn single_user_mode_never_goes_through_initscript() {
    let argv = command(
        &single_user_fallback(),
        Some(level(b'S')),
        Initscript::Present,
    )
    .argv();
    assert_eq!(shown(&argv), ["/sbin/sulogin"]);
}

#[test]
fn a_program_that_is_none_is_given_to_the_shell_with_exec() {
    let fallback = plain("+@/etc/rc.local a # b").fallback_shell().unwrap();
    assert_eq!(
        shown(&fallback),
        ["/bin/sh", "-c", "exec /etc/rc.local a # b",]
    );
}

#[test]
fn what_the_shell_runs_already_has_no_other_way() {
    assert_eq!(plain("a;b").fallback_shell(), None);
    let through = command(&entry(b"a"), Some(level(b'2')), Initscript::Present);
    assert_eq!(through.fallback_shell(), None);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn any_process_gives_words_that_hold_no_blank_unless_the_shell_gets_them(
        process in proptest::collection::vec(any::<u8>(), 0..40)
    ) {
        let command = command(&entry(&process), None, Initscript::Absent);
        let argv = command.argv();
        match &command {
            Command::Direct { words, .. } => {
                prop_assert_eq!(&argv, words);
                prop_assert!(words.iter().all(|word| !word.iter().any(|byte| b" \t#".contains(byte))));
                let empty = words.iter().filter(|word| word.is_empty()).count();
                prop_assert!(empty <= 1);
            }
            Command::Shell { script } => prop_assert_eq!(argv.last(), Some(script)),
            Command::InitScript { .. } => prop_assert!(false, "absent, yet used"),
        }
    }
}

//! readbootlog(1): what it prints, and what it says when it cannot.

use crate::room::{Room, Subject};

#[test]
fn a_log_is_printed_without_what_is_for_the_terminal() {
    let room = Room::new();
    room.write("var/log/boot", "one\nred^[[0m two\n");
    room.write("tmp/other", "other\n");
    let outcome = room.run("/usr/bin/readbootlog; /usr/bin/readbootlog -f /tmp/other; echo $?");
    assert_eq!(outcome.output, "one\nred two\nother\n0\n");
}

/// Differs from the original, which leaves real escape sequences where they are.
#[test]
fn real_escape_sequences_are_for_the_terminal_too() {
    let room = Room::new();
    room.write("var/log/boot", "\x1b[32mok\x1b[0m\r\n");
    let expected = match Subject::chosen() {
        Subject::Ours => "ok\n",
        Subject::Original => "\x1b[32mok\x1b[0m\r\n",
    };
    assert_eq!(room.run("/usr/bin/readbootlog").output, expected);
}

#[test]
fn a_log_that_is_not_there_is_told() {
    let room = Room::new();
    let outcome = room.run(
        "/usr/bin/readbootlog; echo $?; /usr/bin/readbootlog -f /nowhere; echo $?
        /usr/bin/readbootlog -x >/dev/null; echo $?; /usr/bin/readbootlog -h >/dev/null; echo $?",
    );
    assert_eq!(outcome.output, "1\n1\n1\n0\n");
    for text in [
        "Unable to open file /var/log/boot",
        "Unable to open file /nowhere",
    ] {
        assert!(outcome.errors.contains(text), "{}", outcome.errors);
    }
}

/// Differs from the original, which says nothing, prints nothing, and returns 0.
#[test]
fn a_folder_is_no_log_and_a_reader_may_leave() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let room = Room::new();
    room.write("var/log/boot", "line\n".repeat(100_000));
    let outcome =
        room.run("/usr/bin/readbootlog -f /tmp; echo $?; /usr/bin/readbootlog | busybox head -n 1");
    assert_eq!(outcome.output, "1\nline\n");
    assert_eq!(outcome.errors, "readbootlog: /tmp: Is a directory\n");
}

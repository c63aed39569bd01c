//! Tests of shutdown's times, warnings and words.
#![forbid(unsafe_code)]

use super::*;
use proptest::prelude::*;
use std::time::Duration;

const NOON: Calendar = Calendar {
    year: 2026,
    month: 10,
    day: 3,
    weekday: 2,
    hour: 12,
    minute: 5,
    second: 7,
};

fn after(minutes: u32) -> When {
    When::After { minutes }
}

fn at(hour: u32, minute: u32) -> When {
    let minute_of_day = hour * 60 + minute;
    When::At { minute_of_day }
}

/// Runs a countdown, in which waits last as long as they ask for, and notes what it does.
fn run(warnings: Warnings, minutes: u64) -> Vec<String> {
    let mut left = Duration::from_secs(minutes * 60);
    let mut countdown = Countdown::new(warnings);
    let mut done = Vec::new();
    loop {
        match countdown.next(left) {
            Step::Warn { minutes } => done.push(format!("{minutes}")),
            Step::DenyLogins => done.push("deny".to_owned()),
            Step::Wait(wait) => {
                assert!(!wait.is_zero() && wait <= Duration::from_secs(60));
                left -= wait;
            }
            Step::Go => return done,
        }
    }
}

#[test]
fn every_form_of_time_is_understood() {
    for (text, expected) in [
        ("now", after(0)),
        ("0", after(0)),
        ("+0", after(0)),
        ("+5", after(5)),
        ("5", after(5)),
        ("0005", after(5)),
        ("+1:30", after(90)),
        ("+99999:59", after(5_999_999)),
        ("0:0", at(0, 0)),
        ("23:59", at(23, 59)),
        ("7:5", at(7, 5)),
    ] {
        assert_eq!(When::parse(text.as_bytes()), Ok(expected), "{text}");
    }
}

#[test]
fn anything_else_is_no_time() {
    let long = "0".repeat(65);
    for text in [
        "",
        "+",
        "abc",
        "25:00",
        "24:00",
        "12:60",
        ":30",
        "12:",
        "-5",
        "++5",
        "5+",
        "1:2:3",
        "+100000:00",
        "99999999999",
        "NOW",
        " 5",
        "\u{665}",
        &long,
    ] {
        assert_eq!(When::parse(text.as_bytes()), Err(TimeError), "{text}");
    }
}

#[test]
fn a_time_of_day_is_the_next_such_time() {
    let noon = NOON.minute_of_day();
    for (time, minutes) in [
        (at(12, 5), 0),
        (at(12, 6), 1),
        (at(12, 4), 1439),
        (at(0, 0), 715),
    ] {
        assert_eq!(time.minutes_ahead(noon), minutes, "{time:?}");
    }
    assert_eq!(after(7).minutes_ahead(noon), 7);
}

#[test]
fn warnings_come_more_often_near_the_end() {
    assert_eq!(
        run(Warnings::All, 300),
        [
            "300", "240", "180", "150", "120", "90", "60", "45", "30", "15", "9", "8", "7", "6",
            "deny", "5", "4", "3", "2", "1"
        ]
    );
}

#[test]
fn quiet_leaves_full_hours_ten_and_five_minutes() {
    assert_eq!(run(Warnings::Fewer, 121), ["120", "60", "10", "deny", "5"]);
}

#[test]
fn very_quiet_leaves_nothing_but_the_locked_door() {
    assert_eq!(run(Warnings::None, 60), ["deny"]);
}

#[test]
fn short_notice_is_given_at_once_however_quiet() {
    assert_eq!(run(Warnings::None, 12), ["12", "deny"]);
    assert_eq!(run(Warnings::Fewer, 3), ["deny", "3"]);
    assert_eq!(run(Warnings::All, 14).first().unwrap(), "14");
    assert_eq!(run(Warnings::All, 16).first().unwrap(), "15");
}

#[test]
fn now_goes_at_once() {
    assert_eq!(run(Warnings::All, 0), Vec::<String>::new());
}

#[test]
fn minutes_slept_through_are_not_announced() {
    let mut countdown = Countdown::new(Warnings::All);
    assert_eq!(
        countdown.next(Duration::from_secs(9 * 60)),
        Step::Warn { minutes: 9 }
    );
    assert_eq!(
        countdown.next(Duration::from_secs(9 * 60)),
        Step::Wait(Duration::from_secs(60))
    );
    let woken = Duration::from_millis(90_500);
    assert_eq!(countdown.next(woken), Step::DenyLogins);
    assert_eq!(countdown.next(woken), Step::Warn { minutes: 2 });
    assert_eq!(
        countdown.next(woken),
        Step::Wait(Duration::from_millis(30_500))
    );
    assert_eq!(countdown.next(Duration::ZERO), Step::Go);
}

#[test]
fn users_read_the_message_and_then_what_happens() {
    let message = join_message(&["back", "soon"]);
    for (ending, minutes, expected) in [
        (
            Ending::HALT,
            2,
            "\rThe system is going DOWN for system halt in 2 minutes!\r\n",
        ),
        (
            Ending::REBOOT,
            1,
            "\rThe system is going DOWN for reboot in 1 minute!\r\n",
        ),
        (
            Ending::MAINTENANCE,
            0,
            "\rThe system is going down to maintenance mode NOW!\r\n",
        ),
        (
            Ending(b'5'),
            0,
            "\rThe system is going down to runlevel 5 NOW!\r\n",
        ),
    ] {
        let text = warning_text(&message, ending, minutes);
        assert_eq!(
            String::from_utf8(text).unwrap(),
            format!("back soon \r\n{expected}")
        );
    }
}

#[test]
fn who_may_not_log_in_reads_when_and_why() {
    assert_eq!(
        String::from_utf8(deny_text(b"why \r\n", &NOON)).unwrap(),
        "\rThe system is going down on Tue Nov  3 12:05:07 2026\n\r\nwhy \r\n"
    );
}

#[test]
fn words_beyond_256_bytes_are_left_out() {
    assert_eq!(join_message::<&str>(&[]), b"");
    let word = "x".repeat(100);
    assert_eq!(join_message(&[&word, &word, &word]).len(), 204);
}

#[test]
fn a_broadcast_says_who_and_where() {
    assert_eq!(
        banner("root", "box", Some("tty1"), &NOON),
        "\r\nBroadcast message from root@box (tty1) (Tue Nov  3 12:05:07 2026):\r\n\r\n"
    );
    assert!(banner("root", "box", None, &NOON).contains("root@box (Tue"));
}

#[test]
fn control_characters_are_shown_and_letters_are_kept() {
    assert_eq!(visible(b"\x1b[2J\x07\x7f"), b"^[[2J^G^?");
    assert_eq!(visible(b"a\tb\r\n"), b"a\tb\r\n");
    assert_eq!(visible("É\u{85}".as_bytes()), "É^E".as_bytes());
    assert_eq!(visible(b"\x9b1m\xe9"), b"^[1m\xe9");
}

proptest! {
    #[test]
    fn any_time_argument_is_a_time_or_an_error(text in prop_oneof!["[0-9+:]{0,9}", ".{0,70}"]) {
        if let Ok(when) = When::parse(text.as_bytes()) {
            prop_assert!(when.minutes_ahead(1439) < u32::MAX);
        }
    }

    #[test]
    fn a_countdown_ends_whatever_the_clock_does(seconds in proptest::collection::vec(0_u64..20_000, 1..50)) {
        let mut countdown = Countdown::new(Warnings::All);
        for left in seconds {
            let left = Duration::from_secs(left);
            // Each minute has at most a locked door and a warning before it waits.
            let steps: Vec<Step> = (0..4).map(|_| countdown.next(left)).collect();
            prop_assert!(matches!(steps[3], Step::Wait(wait) if !wait.is_zero()) || left.is_zero());
        }
    }
}

//! What the record promises, line by line, and of any bytes.

mod chart;

use super::*;
use crate::process::Signal;
use proptest::prelude::*;

fn pid(number: i32) -> Option<Pid> {
    Pid::new(number)
}

fn at(seconds: u64) -> Moment {
    Moment {
        up: Uptime::from_secs(seconds),
        wall: Duration::from_secs(1_764_041_184 + seconds),
    }
}

fn begin(name: &str, number: i32, seconds: u64) -> Line {
    Line::Begin(Begin {
        subject: Subject::script(name.as_bytes(), "start"),
        pid: pid(number),
        at: at(seconds),
        level: Some(b'2'),
        previous: Some(b'N'),
        what: format!("S02{name}").into_bytes().into(),
    })
}

fn end(name: &str, number: i32, seconds: u64, code: u8) -> Line {
    Line::End(End {
        subject: Subject::script(name.as_bytes(), "start"),
        pid: pid(number),
        at: at(seconds),
        status: Status::Ended(ExitStatus::Exited(code)),
        verdict: if code == 0 {
            Verdict::Ok
        } else {
            Verdict::Failed
        },
        usage: Some(Usage {
            user: Duration::from_millis(10),
            system: Duration::from_millis(20),
            peak: 3456,
        }),
        output: Some(812),
        tally: None,
    })
}

fn text(lines: &[Line]) -> Vec<u8> {
    lines.iter().flat_map(Line::to_line).collect()
}

#[test]
fn a_script_is_told_in_two_lines_that_people_can_read() {
    let written = text(&[begin("cron", 123, 12), end("cron", 123, 13, 0)]);
    assert_eq!(
        String::from_utf8(written).unwrap(),
        "begin kind=script name=cron argument=start level=2 previous=N link=S02cron pid=123 up=12.000000 \
         wall=1764041196.000000\n\
         end kind=script name=cron argument=start pid=123 up=13.000000 wall=1764041197.000000 status=exit:0 \
         verdict=ok user=0.010000 system=0.020000 peak=3456 output=812\n"
    );
}

#[test]
fn blanks_newlines_and_other_bytes_are_written_in_hexadecimal() {
    let line = Line::Note(Note {
        subject: Subject::entry(b"x", "once"),
        at: at(0),
        text: b"a b\n\\\xff=".as_slice().into(),
    })
    .to_line();
    let line = String::from_utf8(line).unwrap();
    assert!(line.ends_with("text=a\\x20b\\x0a\\x5c\\xff=\n"), "{line}");
}

#[test]
fn keys_that_are_not_known_are_skipped() {
    let (lines, problems) = parse(b"boot colour=red id=7 up=1.5 wall=2 odd\n");
    let expected = Boot {
        id: Some(b"7".as_slice().into()),
        at: Moment {
            up: Uptime(Duration::from_millis(1500)),
            wall: Duration::from_secs(2),
        },
    };
    assert_eq!((lines, problems), (vec![Line::Boot(expected)], vec![]));
}

#[test]
fn a_bad_line_costs_itself_and_is_told() {
    let mut bytes = begin("a", 1, 1).to_line();
    bytes.extend_from_slice(
        b"nonsense\nbegin kind=script name=b pid=0 up=1 wall=1\n\nend kind=script name=c\n",
    );
    bytes.extend(end("a", 1, 2, 0).to_line());
    let (lines, problems) = parse(&bytes);
    assert_eq!(lines, [begin("a", 1, 1), end("a", 1, 2, 0)]);
    let told: Vec<String> = problems.iter().map(Problem::to_string).collect();
    assert_eq!(
        told,
        [
            "line 2: is none of boot, begin, end, note",
            "line 3: has a bad pid=",
            "line 5: tells no time (up=)"
        ]
    );
}

#[test]
fn half_a_line_at_the_end_is_not_taken_for_a_whole_one() {
    let whole = text(&[begin("a", 1, 1), begin("b", 2, 1234)]);
    let (lines, problems) = parse(
        whole
            .strip_suffix(b"4.000000 wall=1764042418.000000\n")
            .unwrap_or(&whole[..whole.len() - 2]),
    );
    assert_eq!(lines, [begin("a", 1, 1)]);
    assert_eq!(problems.len(), 1);
}

#[test]
fn garbage_is_not_told_without_end() {
    let (lines, problems) = parse("x\n".repeat(10_000).as_bytes());
    assert_eq!((lines.len(), problems.len()), (0, 100));
}

#[test]
fn beginnings_and_ends_are_put_together_in_the_order_of_the_beginnings() {
    let history = History::of([
        begin("a", 1, 1),
        begin("b", 2, 2),
        end("b", 2, 3, 0),
        end("a", 1, 4, 3),
        begin("c", 3, 5),
    ]);
    let told: Vec<_> = history
        .items
        .iter()
        .map(|item| {
            (
                &*item.subject.name,
                item.duration(),
                item.fate == Fate::Running,
            )
        })
        .collect();
    let seconds = |seconds| Some(Duration::from_secs(seconds));
    assert_eq!(
        told,
        [
            (b"a".as_slice(), seconds(3), false),
            (b"b", seconds(1), false),
            (b"c", None, true)
        ]
    );
}

#[test]
fn an_entry_that_is_started_again_has_an_item_for_each_process() {
    let history = History::of([
        begin("a", 1, 1),
        end("a", 1, 2, 1),
        begin("a", 2, 2),
        end("a", 2, 3, 0),
        begin("a", 3, 3),
    ]);
    let ends: Vec<_> = history
        .items
        .iter()
        .map(|item| item.end().is_some())
        .collect();
    assert_eq!(ends, [true, true, false]);
}

#[test]
fn what_was_written_twice_counts_once() {
    let once = [
        begin("a", 1, 1),
        end("a", 1, 2, 0),
        begin("b", 2, 2),
        begin("a", 1, 5),
    ];
    let twice = [&once[..3], &once[..]].concat();
    let mut expected = History::of(once.clone());
    assert_eq!(expected.items.len(), 3);
    let found = History::of(twice);
    // The copy of an earlier process of the same number is one more beginning; it must not take the end away.
    expected.items.retain(|item| item.end().is_some());
    let ended: Vec<_> = found
        .items
        .iter()
        .filter(|item| item.end().is_some())
        .cloned()
        .collect();
    assert_eq!(ended, expected.items);
}

#[test]
fn a_process_whose_number_was_given_again_has_ended_unseen() {
    let history = History::of([begin("a", 1, 1), begin("b", 1, 9)]);
    let fates: Vec<_> = history.items.iter().map(|item| item.fate.clone()).collect();
    assert_eq!(fates, [Fate::Lost, Fate::Running]);
}

#[test]
fn an_rc_that_is_the_process_of_an_entry_takes_nothing_from_it() {
    let moment = at(1);
    let start = |subject: Subject| {
        Line::Begin(Begin {
            subject,
            pid: pid(17),
            at: moment,
            level: None,
            previous: None,
            what: Box::default(),
        })
    };
    let history = History::of([
        start(Subject::entry(b"si", "sysinit")),
        start(Subject::run(b'S', b'N')),
    ]);
    assert!(history.items.iter().all(|item| item.fate == Fate::Running));
}

#[test]
fn an_end_without_a_beginning_is_kept() {
    let history = History::of([end("a", 1, 2, 0)]);
    let [item] = history.items.as_slice() else {
        panic!("{history:?}");
    };
    assert_eq!((item.began(), item.duration()), (None, None));
    assert!(item.end().is_some());
}

#[test]
fn those_that_are_dead_without_an_end_are_lost() {
    let mut history = History::of([begin("a", 1, 1), begin("b", 2, 1), end("c", 3, 1, 0)]);
    history.settle(|alive| Some(alive) == pid(2));
    let fates: Vec<_> = history
        .items
        .iter()
        .map(|item| item.fate == Fate::Lost)
        .collect();
    assert_eq!(fates, [true, false, false]);
}

#[test]
fn the_id_of_the_boot_may_come_later_than_its_first_line() {
    let boot = |id: Option<&[u8]>, seconds| {
        Line::Boot(Boot {
            id: id.map(Into::into),
            at: at(seconds),
        })
    };
    let history = History::of([boot(None, 0), boot(Some(b"7"), 4)]);
    let Some(Boot { id, at: first }) = history.boot else {
        panic!("no boot");
    };
    assert_eq!((id.as_deref(), first), (Some(b"7".as_slice()), at(0)));
}

#[test]
fn the_output_of_an_entry_is_named_by_its_process_and_never_like_that_of_a_script() {
    let of = |id: &str| entry_output_name(id.as_bytes(), pid(17).unwrap());
    assert_eq!(of("r3"), b"r3.17");
    assert_eq!(of("../x"), b"..\\x2fx.17");
    for id in ["r3", "a.1", "../x", "\\", "\u{e4}"] {
        assert!(is_entry_output(&of(id)));
        assert_eq!(process_of_output(&of(id), id.as_bytes()), pid(17), "{id}");
        assert_eq!(process_of_output(&of(id), b"a"), None, "{id}");
    }
    let script = output_name(&Subject::script(b"r3.17", "start"));
    for name in [&script[..], b"r3.017", b"r3.+17", b"r3.17.new", b"r3."] {
        assert_eq!(process_of_output(name, b"r3"), None);
    }
    assert!(!is_entry_output(&script));
}

#[test]
fn a_short_output_is_kept_as_it_is() {
    let mut kept = Kept::of(100);
    kept.push(b"one\n");
    kept.push(&[]);
    kept.push(&[0xff; 90]);
    assert_eq!(kept.to_bytes(), [b"one\n".as_slice(), &[0xff; 90]].concat());
    assert_eq!(kept.total(), 94);
}

#[test]
fn of_a_long_output_the_first_and_last_lines_are_kept_whole() {
    let mut kept = Kept::of(40);
    for number in 0..100 {
        kept.push(format!("line {number}\n").as_bytes());
    }
    let shown = String::from_utf8(kept.to_bytes()).unwrap();
    assert_eq!(
        shown,
        "line 0\nline 1\n[760 bytes are left out here]\nline 98\nline 99\n"
    );
}

#[test]
fn one_endless_line_is_cut_where_the_room_ends() {
    let mut kept = Kept::of(10);
    kept.push(&[b'a'; 1000]);
    kept.push(&[b'z'; 1000]);
    assert_eq!(
        kept.to_bytes(),
        b"aaaaa\n[1990 bytes are left out here]\nzzzzz"
    );
}

#[test]
fn a_boot_is_told_from_another_one_and_from_another_container() {
    let stat = b"1 (in) it) S 0 1 1 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 1 0 2077 9 10";
    let id = boot_id(b"6f6d-aa\n", Some(stat));
    assert_eq!(id.as_ref(), b"6f6d-aa.2077");
    assert!(is_same_boot(&id, b"6f6d-aa.2077"));
    assert!(is_same_boot(&id, &boot_id(b"6f6d-aa", None)));
    assert!(!is_same_boot(&id, b"6f6d-aa.2078"));
    assert!(!is_same_boot(&id, b"6f6d-ab.2077"));
}

fn value() -> impl Strategy<Value = Box<[u8]>> {
    proptest::collection::vec(any::<u8>(), 0..40).prop_map(Into::into)
}

fn moment() -> impl Strategy<Value = Moment> {
    let micros = || (0..1_u64 << 50).prop_map(Duration::from_micros);
    (micros(), micros()).prop_map(|(up, wall)| Moment {
        up: Uptime(up),
        wall,
    })
}

fn subject() -> impl Strategy<Value = Subject> {
    let kind = proptest::sample::select(vec![Kind::Script, Kind::Entry, Kind::Run]);
    (kind, value(), value()).prop_map(|(kind, name, argument)| Subject {
        kind,
        name,
        argument,
    })
}

fn some_pid() -> impl Strategy<Value = Option<Pid>> {
    (0..i32::MAX).prop_map(Pid::new)
}

fn status() -> impl Strategy<Value = Status> {
    prop_oneof![
        any::<u8>().prop_map(|code| Status::Ended(ExitStatus::Exited(code))),
        (1..65).prop_map(|number| Status::Ended(ExitStatus::Killed(Signal(number)))),
        value().prop_map(Status::NotStarted),
    ]
}

fn verdict() -> impl Strategy<Value = Verdict> {
    proptest::sample::select(vec![
        Verdict::Ok,
        Verdict::Failed,
        Verdict::Skipped,
        Verdict::TimedOut,
        Verdict::Interrupted,
    ])
}

fn usage() -> impl Strategy<Value = Usage> {
    (0..1_u64 << 50, 0..1_u64 << 50, any::<u64>()).prop_map(|(user, system, peak)| Usage {
        user: Duration::from_micros(user),
        system: Duration::from_micros(system),
        peak,
    })
}

fn any_line() -> impl Strategy<Value = Line> {
    let boot =
        (proptest::option::of(value()), moment()).prop_map(|(id, at)| Line::Boot(Boot { id, at }));
    let levels = (any::<Option<u8>>(), any::<Option<u8>>());
    let begin = (subject(), some_pid(), moment(), levels, value()).prop_map(
        |(subject, pid, at, (level, previous), what)| {
            let is_run = subject.kind == Kind::Run;
            Line::Begin(Begin {
                pid,
                at,
                level: level.filter(|_| !is_run),
                previous: previous.filter(|_| !is_run),
                what: if is_run { Box::default() } else { what },
                subject,
            })
        },
    );
    let tally =
        (any::<u64>(), any::<u64>()).prop_map(|(scripts, failed)| Tally { scripts, failed });
    let took = (
        proptest::option::of(usage()),
        any::<Option<u64>>(),
        proptest::option::of(tally),
    );
    let end = (subject(), some_pid(), moment(), status(), verdict(), took).prop_map(
        |(subject, pid, at, status, verdict, (usage, output, tally))| {
            Line::End(End {
                subject,
                pid,
                at,
                status,
                verdict,
                usage,
                output,
                tally,
            })
        },
    );
    let note = (subject(), moment(), value())
        .prop_map(|(subject, at, text)| Line::Note(Note { subject, at, text }));
    prop_oneof![boot, begin, end, note]
}

proptest! {
    #[test]
    fn every_line_reads_back_as_what_was_written(lines in proptest::collection::vec(any_line(), 0..8)) {
        prop_assert_eq!(parse(&text(&lines)), (lines, vec![]));
    }

    #[test]
    fn any_bytes_are_read_without_harm(bytes in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (lines, problems) = parse(&bytes);
        let most = bytes.split(|&byte| byte == b'\n').count();
        prop_assert!(lines.len() + problems.len() <= most);
        History::of(lines).settle(|_| false);
    }

    #[test]
    fn lines_in_any_order_lose_no_end(lines in proptest::collection::vec(any_line(), 0..40)) {
        let mut ends: Vec<End> = lines.iter().filter_map(|line| match line {
            Line::End(end) => Some(end.clone()),
            _ => None,
        }).collect();
        let found = History::of(lines);
        for item in &found.items {
            if let Some(end) = item.end() {
                let place = ends.iter().position(|known| known == end);
                prop_assert!(place.is_some());
                ends.remove(place.unwrap());
            }
        }
        prop_assert!(ends.is_empty());
    }

    #[test]
    fn an_output_is_held_within_its_bound_whatever_its_pieces(
        pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..300), 0..20),
        most in 0_usize..400,
    ) {
        let mut kept = Kept::of(most);
        for piece in &pieces {
            kept.push(piece);
        }
        let all = pieces.concat();
        let shown = kept.to_bytes();
        prop_assert_eq!(kept.total(), all.len() as u64);
        prop_assert!(shown.len() <= most + 60);
        if all.len() <= most / 2 * 2 {
            prop_assert_eq!(shown, all);
        }
    }
}

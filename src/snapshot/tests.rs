//! The text in both directions, texts of the original, damaged texts, and random bytes.

use super::*;
use crate::initctl::Request;
use crate::inittab::{Action, EntryId};
use crate::process::{ExitStatus, Pid, Signal};
use proptest::prelude::*;

/// A text as the original writes it in runlevel 2.
const ORIGINAL: &str = include_str!("../../tests/data/state/original-3.14");

fn level(byte: u8) -> Runlevel {
    Runlevel::from_byte(byte).unwrap()
}

fn pid(number: i32) -> Pid {
    Pid::new(number).unwrap()
}

fn entry(id: &str, levels: &str, action: Action, process: &str) -> Entry {
    Entry::new(
        EntryId::new(id.as_bytes()),
        levels.as_bytes(),
        action,
        process.as_bytes(),
    )
}

fn read(text: &str) -> (Snapshot, Vec<String>) {
    let (snapshot, problems) = Snapshot::from_text(text.as_bytes()).unwrap();
    (snapshot, problems.iter().map(ToString::to_string).collect())
}

/// A text in level 3 with the given lines behind the level.
fn with_lines(lines: &str) -> String {
    format!("12567362VER@(#) x\n-RL3\n{lines}END\n")
}

/// A state in which every field has a value that tells it from its neighbours.
fn rich() -> Snapshot {
    Snapshot {
        version: Box::from(*b"@(#) init 3.14 test"),
        schema: Some(SCHEMA),
        phase: Phase::Normal(level(b'3')),
        level: Some(level(b'3')),
        previous_level: Some(level(b'2')),
        pending_signals: BTreeSet::from([Signal::CHLD, Signal::POWER_OFF]),
        written: Written {
            boot_to_wtmp: true,
            boot_to_utmp: false,
            level_to_wtmp: false,
            level_to_utmp: true,
        },
        grace_time: Duration::from_secs(7),
        boot_done: true,
        boot_level: Some(level(b'2')),
        environment: vec![
            Box::from(*b"INIT_HALT=HALT"),
            Box::from(*b"INIT_X=a\nb\\n\0c"),
        ],
        under_way: UnderWay {
            last_key: 11,
            paused: true,
            emergency: true,
            pause_until: Some(Uptime::from_secs(5)),
            single_since: Uptime::from_secs(6),
            said_nothing_left: true,
            reread_wanted: true,
            asking: Helper::Wanted,
            emergency_shell: Helper::Running(pid(31)),
            power_off: Helper::Running(pid(32)),
            taking_down: Helper::Running(pid(36)),
            down_since: Some(Uptime::from_secs(12)),
            stop: Some(Stop {
                killed: true,
                deadline: Uptime::from_secs(7),
                leaving: vec![Leaving {
                    id: EntryId::new(*b"a b"),
                    pid: pid(33),
                    accounted: true,
                }],
            }),
            departed: vec![pid(34)],
            outliving: vec![(pid(35), Uptime::from_secs(8))],
            requests: vec![Request::ChangeLevel {
                level: b'3',
                grace: Duration::from_secs(9),
            }],
            unread: vec![0, 10, 255],
            fifo_closed: true,
            in_container: true,
            command_status: Some(7),
        },
        crashes: vec![Uptime::from_secs(10)],
        records: vec![
            Record {
                entry: entry("1", "2345", Action::Respawn, "/sbin/getty tty1"),
                flags: Flags {
                    running: true,
                    on_demand: true,
                    executed: true,
                    waiting: true,
                },
                pid: Pid::new(217),
                exit: Some(ExitStatus::Killed(Signal::TERM)),
                started: Some(Uptime(Duration::new(12, 345))),
                held_until: Some(Uptime::from_secs(400)),
                starts: 4,
                counted_since: Some(Uptime::from_secs(100)),
                key: Some(9),
                misses_terminal: true,
            },
            Record {
                exit: Some(ExitStatus::Exited(0)),
                ..Record::new(entry("id", "", Action::InitDefault, ""))
            },
        ],
    }
}

#[test]
fn a_text_of_the_original_is_understood() {
    let (snapshot, problems) = read(ORIGINAL);
    assert_eq!(problems, Vec::<String>::new());
    let executed = Flags {
        executed: true,
        ..Flags::default()
    };
    assert_eq!(
        snapshot,
        Snapshot {
            version: Box::from(*b"@(#) init 3.14 miquels@cistron.nl"),
            schema: None,
            phase: Phase::Normal(level(b'2')),
            level: Some(level(b'2')),
            previous_level: None,
            pending_signals: BTreeSet::new(),
            written: Written {
                boot_to_wtmp: true,
                boot_to_utmp: true,
                ..Written::default()
            },
            grace_time: Duration::from_secs(3),
            boot_done: true,
            boot_level: None,
            environment: Vec::new(),
            under_way: UnderWay::default(),
            crashes: Vec::new(),
            records: vec![
                Record {
                    flags: executed,
                    pid: Pid::new(24),
                    ..Record::new(entry("si", "", Action::SysInit, "/etc/init.d/rcS"))
                },
                Record {
                    flags: Flags {
                        running: true,
                        ..executed
                    },
                    pid: Pid::new(217),
                    exit: Some(ExitStatus::Exited(1)),
                    ..Record::new(entry(
                        "1",
                        "2345",
                        Action::Respawn,
                        "/sbin/getty 38400 tty1"
                    ))
                },
                Record::new(entry("~~", "S", Action::Wait, "/sbin/sulogin")),
            ],
        }
    );
}

#[test]
fn the_text_is_the_originals_with_our_tokens_between() {
    let text = String::from_utf8(rich().to_text()).unwrap();
    let expected = "12567362VER@(#) init 3.14 test
-RL3
-TL3
-PL2
-SI131072
-WR1
-WU0
-LW0
-LU1
-ST7
-DB1
XSV1
XBL2
XSI38
XENINIT_HALT=HALT
XENINIT_X=a\\nb\\\\n\\0c
XLK11
XPA1
XEM1
XSN1
XRR1
XFC1
XCN1
XCS7
XPU5000000000
XDS12000000000
XSS6000000000
XHA0
XHE31
XHP32
XHD36
XGK7000000000
XGP33 1 612062
XGD34
XGO35 8000000000
XRQREQUEST
XFB000aff
XCR10000000000
REC1
LEV2345
FL RU
FL DE
FL XD
FL WT
PID217
EXS15
AC respawn
CMD/sbin/getty tty1
XST12000000345
XEK1
XHU400000000000
XTC4
XTW100000000000
XKY9
XMT1
EOR
RECid
LEV
PID0
EXS0
AC initdefault
CMD
XEK1
EOR
END
";
    let request = rich().under_way.requests[0].encode().unwrap();
    assert_eq!(text, expected.replace("REQUEST", &hex(&request)));
}

/// A machine that runs an older release hands its state to this one: what these files hold is read for ever.
#[test]
fn state_texts_of_every_release_are_read() {
    let text = include_str!("../../tests/data/state/0.1.0");
    let mut expected = rich();
    // That release told nothing of these.
    expected.under_way = UnderWay::default();
    expected.crashes.clear();
    for record in &mut expected.records {
        (record.key, record.misses_terminal) = (None, false);
    }
    assert_eq!(read(text), (expected, Vec::new()));
}

#[test]
fn a_state_reads_back_as_it_was() {
    let snapshot = rich();
    assert_eq!(
        Snapshot::from_text(&snapshot.to_text()),
        Ok((snapshot, Vec::new()))
    );
}

#[test]
fn the_boot_phases_have_their_marks() {
    for (phase, mark) in [
        (Phase::SysInit, b'#'),
        (Phase::Boot, b'*'),
        (Phase::Normal(Runlevel::SINGLE), b'S'),
        (Phase::Normal(Runlevel::HALT), b'0'),
    ] {
        assert_eq!(phase.as_byte(), mark);
        assert_eq!(Phase::from_byte(mark), Some(phase));
    }
    assert_eq!(Phase::from_byte(b'A'), None);
}

#[test]
fn unknown_tokens_and_flags_are_skipped_without_a_word() {
    let (snapshot, problems) = read(&with_lines(
        "-ZZ1\nNEWthing\n\nX\nREC1\nLEV2\nFL QQ\nNEW\nAC once\nCMD/a\nEOR\n",
    ));
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(
        snapshot.records,
        [Record::new(entry("1", "2", Action::Once, "/a"))]
    );
}

#[test]
fn an_unknown_action_is_off() {
    let (snapshot, problems) = read(&with_lines("REC1\nLEV2\nAC leap\nCMD/a\nEOR\n"));
    assert_eq!(snapshot.records[0].entry.action, Action::Off);
    assert_eq!(
        problems,
        ["state text line 5: leap: unknown action; taken as off"]
    );
}

#[test]
fn an_action_is_known_in_any_case() {
    let (snapshot, _) = read(&with_lines("REC1\nLEV2\nAC Once\nCMD/a\nEOR\n"));
    assert_eq!(snapshot.records[0].entry.action, Action::Once);
}

#[test]
fn a_text_that_breaks_off_keeps_its_complete_records() {
    let cut = ORIGINAL.find("REC~~").unwrap();
    let (snapshot, problems) = read(ORIGINAL.get(..cut).unwrap());
    assert_eq!(snapshot.records.len(), 2);
    assert_eq!(problems, ["state text line 27: the text breaks off"]);
}

#[test]
fn half_a_number_is_never_taken_for_one() {
    let cut = ORIGINAL.find("PID217").unwrap() + "PID21".len();
    let (snapshot, problems) = read(ORIGINAL.get(..cut).unwrap());
    assert_eq!(snapshot.records.len(), 1);
    assert_eq!(
        problems,
        [
            "state text line 22: the text breaks off",
            "state text line 22: record \"1\" is not complete; left out",
        ]
    );
}

#[test]
fn a_record_without_its_last_line_is_kept_when_nothing_else_is_missing() {
    let (snapshot, problems) = read(&with_lines(
        "REC1\nLEV2\nFL RU\nPID5\nAC once\nCMD/a\nREC2\nLEV3\nAC once\nCMD/b\nEOR\n",
    ));
    assert_eq!(problems, Vec::<String>::new());
    assert_eq!(snapshot.records.len(), 2);
    assert_eq!(snapshot.records[0].pid, Pid::new(5));
}

#[test]
fn an_end_without_newline_is_an_end() {
    let (_, problems) = read(ORIGINAL.trim_end());
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn what_stands_behind_the_end_is_not_read() {
    let (snapshot, problems) = read(&(with_lines("") + "-RL5\nREC1\n"));
    assert_eq!(snapshot.phase, Phase::Normal(level(b'3')));
    assert_eq!(problems, Vec::<String>::new());
}

#[test]
fn lines_of_a_record_outside_of_one_are_reported() {
    let (snapshot, problems) = read(&with_lines("PID7\nEOR\n"));
    assert_eq!(snapshot.records, []);
    assert_eq!(
        problems,
        [
            "state text line 3: PID: outside of a record; left out",
            "state text line 4: EOR: outside of a record; left out",
        ]
    );
}

#[test]
fn what_is_no_number_is_reported_and_left_out() {
    let record = "REC1\nLEV2\nPIDx\nEXS-1\nXST1.5\nAC once\nCMD/a\nEOR\n";
    let (snapshot, problems) = read(&with_lines(&format!("-ST\n-DBno\n{record}")));
    assert_eq!(snapshot.grace_time, Duration::from_secs(3));
    assert!(!snapshot.boot_done);
    assert_eq!(
        snapshot.records,
        [Record::new(entry("1", "2", Action::Once, "/a"))]
    );
    let lines: Vec<usize> = vec![3, 4, 7, 8, 9];
    for (problem, line) in problems.iter().zip(&lines) {
        let start = format!("state text line {line}: ");
        assert!(problem.starts_with(&start), "{problem}");
        assert!(problem.ends_with("not a number in range; left out"));
    }
    assert_eq!(problems.len(), lines.len());
}

#[test]
fn a_negative_pid_names_no_process() {
    let (snapshot, problems) = read(&with_lines("REC1\nLEV2\nPID-1\nAC once\nCMD/a\nEOR\n"));
    assert_eq!(snapshot.records[0].pid, None);
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn pending_signals_of_the_original_are_bits() {
    for (value, expected) in [
        ("0", vec![]),
        ("2", vec![Signal::HUP]),
        ("131076", vec![Signal::INT, Signal::CHLD]),
        ("1073741824", vec![Signal::PWR]),
        ("-2147483648", vec![Signal(31)]),
    ] {
        let (snapshot, problems) = read(&with_lines(&format!("-SI{value}\n")));
        assert_eq!(snapshot.pending_signals, expected.into_iter().collect());
        assert_eq!(problems, Vec::<String>::new(), "{value}");
    }
    let (snapshot, problems) = read(&with_lines("-SI99999999999\n"));
    assert_eq!(snapshot.pending_signals, BTreeSet::new());
    assert_eq!(problems.len(), 1);
}

#[test]
fn a_level_that_is_none_is_reported_and_left_out() {
    let (snapshot, problems) = read(&with_lines("-TLz\n-PLN\nXBL#\n"));
    assert_eq!(
        (snapshot.level, snapshot.previous_level, snapshot.boot_level),
        (None, None, None)
    );
    assert_eq!(
        problems,
        [
            "state text line 3: -TL: names no runlevel; left out",
            "state text line 5: XBL: names no runlevel; left out",
        ]
    );
}

#[test]
fn a_nul_byte_ends_a_value() {
    let (snapshot, problems) = read(&with_lines("REC1\nLEV2\nAC once\nCMD/a\0b\nEOR\n"));
    assert_eq!(*snapshot.records[0].entry.process, *b"/a");
    assert_eq!(
        problems,
        ["state text line 6: NUL byte; the rest of the line is left out"]
    );
}

#[test]
fn a_text_without_signature_is_none() {
    for text in [
        "",
        "1256736",
        "x12567362VER\n-RL2\nEND\n",
        "VER\n-RL2\nEND\n",
    ] {
        assert_eq!(
            Snapshot::from_text(text.as_bytes()),
            Err(SnapshotError::NoSignature),
            "{text:?}"
        );
    }
}

#[test]
fn a_text_without_the_runlevel_is_of_no_use() {
    for text in [
        "12567362",
        "12567362VER x\n",
        "12567362VER\n-RL2",
        "12567362VER\n-RLx\nEND\n",
    ] {
        assert_eq!(
            Snapshot::from_text(text.as_bytes()),
            Err(SnapshotError::NoPhase),
            "{text:?}"
        );
    }
}

#[test]
fn a_value_with_a_newline_never_becomes_a_line_of_its_own() {
    let snapshot = Snapshot {
        records: vec![Record::new(entry("1", "2", Action::Once, "/a\nEND"))],
        ..Snapshot::default()
    };
    let (read, problems) = Snapshot::from_text(&snapshot.to_text()).unwrap();
    assert_eq!(*read.records[0].entry.process, *b"/a");
    assert!(problems.is_empty(), "{problems:?}");
}

#[test]
fn exit_code_zero_is_told_from_no_exit() {
    for exit in [None, Some(ExitStatus::Exited(0))] {
        let record = Record {
            exit,
            ..Record::new(entry("1", "2", Action::Once, "/a"))
        };
        let snapshot = Snapshot {
            records: vec![record],
            ..Snapshot::default()
        };
        let (read, _) = Snapshot::from_text(&snapshot.to_text()).unwrap();
        assert_eq!(read.records[0].exit, exit);
    }
}

#[test]
fn problems_and_records_are_bounded() {
    let (_, problems) = read(&with_lines(&"PID1\n".repeat(2 * MAX_PROBLEMS)));
    assert_eq!(problems.len(), MAX_PROBLEMS);

    let (snapshot, problems) = read(&with_lines(
        &"REC1\nAC off\nCMD\nEOR\n".repeat(MAX_RECORDS + 1),
    ));
    assert_eq!(snapshot.records.len(), MAX_RECORDS);
    assert_eq!(problems.len(), 1);
}

/// Bytes that fit one line.
fn bytes(length: std::ops::Range<usize>) -> impl Strategy<Value = Vec<u8>> {
    let byte = any::<u8>().prop_filter("one line", |byte| !matches!(byte, b'\n' | 0));
    proptest::collection::vec(byte, length)
}

fn levels() -> impl Strategy<Value = Option<Runlevel>> {
    proptest::option::of(proptest::sample::select(b"0123456789S".as_slice()).prop_map(level))
}

fn moments() -> impl Strategy<Value = Uptime> {
    any::<u64>().prop_map(|time| Uptime(Duration::from_nanos(time)))
}

fn times() -> impl Strategy<Value = Option<Uptime>> {
    proptest::option::of(moments())
}

fn exits() -> impl Strategy<Value = Option<ExitStatus>> {
    proptest::option::of(prop_oneof![
        any::<u8>().prop_map(ExitStatus::Exited),
        (1..=64).prop_map(|number| ExitStatus::Killed(Signal(number))),
    ])
}

fn entries() -> impl Strategy<Value = Entry> {
    (bytes(0..5), bytes(0..5), 0_usize..15, bytes(0..20)).prop_map(
        |(id, levels, action, process)| {
            Entry::new(EntryId::new(id), &levels, Action::NAMES[action].1, &process)
        },
    )
}

prop_compose! {
    fn records()(
        entry in entries(),
        [running, on_demand, executed, waiting] in any::<[bool; 4]>(),
        pid in 0..i32::MAX,
        exit in exits(),
        [started, held_until, counted_since] in [times(), times(), times()],
        starts in any::<u32>(),
        key in proptest::option::of(any::<u64>()),
        misses_terminal in any::<bool>(),
    ) -> Record {
        Record {
            entry,
            flags: Flags { running, on_demand, executed, waiting },
            pid: Pid::new(pid),
            exit,
            started,
            held_until,
            starts,
            counted_since,
            key,
            misses_terminal,
        }
    }
}

fn helpers() -> impl Strategy<Value = Helper> {
    prop_oneof![
        Just(Helper::None),
        Just(Helper::Wanted),
        (1..i32::MAX).prop_map(|number| Helper::Running(pid(number))),
    ]
}

prop_compose! {
    fn stops()(
        killed in any::<bool>(),
        deadline in moments(),
        leaving in proptest::collection::vec(((1..i32::MAX), any::<bool>(), bytes(0..5)), 0..3),
    ) -> Stop {
        let leaving = leaving.into_iter().map(|(number, accounted, id)| Leaving {
            id: EntryId::new(id),
            pid: pid(number),
            accounted,
        });
        Stop { killed, deadline, leaving: leaving.collect() }
    }
}

prop_compose! {
    fn under_way()(
        last_key in any::<u64>(),
        [paused, emergency, said_nothing_left, reread_wanted, fifo_closed, in_container] in any::<[bool; 6]>(),
        (pause_until, single_since, down_since) in (times(), moments(), times()),
        [asking, emergency_shell, power_off, taking_down] in [helpers(), helpers(), helpers(), helpers()],
        stop in proptest::option::of(stops()),
        departed in proptest::collection::vec(1..i32::MAX, 0..3),
        outliving in proptest::collection::vec((1..i32::MAX, moments()), 0..3),
        seconds in proptest::collection::vec(0..1_000_u64, 0..3),
        unread in any::<Vec<u8>>(),
        command_status in any::<Option<u8>>(),
    ) -> UnderWay {
        let requests = seconds.into_iter().map(|seconds| Request::ChangeLevel {
            level: b'3',
            grace: Duration::from_secs(seconds),
        });
        UnderWay {
            last_key, paused, emergency, pause_until, single_since, said_nothing_left, reread_wanted, asking,
            emergency_shell, power_off, taking_down, down_since, stop, unread, fifo_closed, in_container, command_status,
            departed: departed.into_iter().map(pid).collect(),
            outliving: outliving.into_iter().map(|(number, until)| (pid(number), until)).collect(),
            requests: requests.collect(),
        }
    }
}

prop_compose! {
    fn snapshots()(
        version in bytes(0..10),
        schema in proptest::option::of(any::<u32>()),
        phase in proptest::sample::select(b"#*0123456789S".as_slice()),
        [level, previous_level, boot_level] in [levels(), levels(), levels()],
        signals in proptest::collection::btree_set(1..=64, 0..4),
        [boot_to_wtmp, boot_to_utmp, level_to_wtmp, level_to_utmp] in any::<[bool; 4]>(),
        seconds in any::<u64>(),
        boot_done in any::<bool>(),
        environment in proptest::collection::vec(any::<Vec<u8>>(), 0..3),
        under_way in under_way(),
        crashes in proptest::collection::vec(moments(), 0..3),
        records in proptest::collection::vec(records(), 0..4),
    ) -> Snapshot {
        Snapshot {
            version: version.into(),
            schema,
            phase: Phase::from_byte(phase).unwrap(),
            level,
            previous_level,
            pending_signals: signals.into_iter().map(Signal).collect(),
            written: Written { boot_to_wtmp, boot_to_utmp, level_to_wtmp, level_to_utmp },
            grace_time: Duration::from_secs(seconds),
            boot_done,
            boot_level,
            environment: environment.into_iter().map(Into::into).collect(),
            under_way,
            crashes,
            records,
        }
    }
}

/// The lines an older reader knows.
fn without_own_tokens(text: &[u8]) -> Vec<u8> {
    text.split_inclusive(|&byte| byte == b'\n')
        .filter(|line| !line.starts_with(b"X"))
        .collect::<Vec<_>>()
        .concat()
}

proptest! {
    #[test]
    fn every_state_reads_back_as_it_was(snapshot in snapshots()) {
        let text = snapshot.to_text();
        prop_assert_eq!(Snapshot::from_text(&text), Ok((snapshot, Vec::new())));
    }

    #[test]
    fn our_tokens_can_be_left_out(snapshot in snapshots()) {
        let text = without_own_tokens(&snapshot.to_text());
        let (read, problems) = Snapshot::from_text(&text).unwrap();
        prop_assert!(problems.is_empty(), "{problems:?}");
        prop_assert_eq!(read.phase, snapshot.phase);
        prop_assert_eq!(read.schema, None);
        prop_assert_eq!(read.records.len(), snapshot.records.len());
        for (read, written) in read.records.iter().zip(&snapshot.records) {
            prop_assert_eq!(&read.entry, &written.entry);
            prop_assert_eq!(read.flags, written.flags);
            prop_assert_eq!(read.pid, written.pid);
        }
    }

    #[test]
    fn a_text_cut_anywhere_gives_a_beginning_of_the_records(
        snapshot in snapshots(),
        cut in any::<proptest::sample::Index>(),
    ) {
        let text = snapshot.to_text();
        let cut = text.get(..cut.index(text.len())).unwrap();
        if let Ok((read, problems)) = Snapshot::from_text(cut) {
            let is_whole = cut.ends_with(b"\nEND");
            prop_assert_eq!(problems.is_empty(), is_whole);
            let count = read.records.len();
            prop_assert!(count <= snapshot.records.len());
            for (read, written) in read.records.iter().zip(&snapshot.records) {
                prop_assert_eq!(&read.entry, &written.entry);
                prop_assert_eq!(read.pid, written.pid);
                prop_assert_eq!(read.flags, written.flags);
            }
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(10_000))]

    #[test]
    fn random_bytes_never_panic(text in proptest::collection::vec(any::<u8>(), 0..60)) {
        let text = [SIGNATURE.as_slice(), b"VER\n-RL2\n", &text].concat();
        prop_assert!(Snapshot::from_text(&text).is_ok());
    }

    #[test]
    fn lines_in_any_order_never_panic_and_what_is_read_can_be_written(
        lines in proptest::collection::vec(
            proptest::sample::select([
                "REC1", "REC", "LEV", "LEV2", "FL RU", "FL ", "PID3", "PID-", "EXS9", "EXS4294967295",
                "AC once", "AC x", "CMD/a", "CMD", "EOR", "END", "-RL#", "-RL", "-SI-5", "-ST9", "XENa\\",
                "XST5", "XSI40", "XSI-1", "XTC7", "XBL9", "", "a",
            ].as_slice()),
            0..20,
        )
    ) {
        let text = format!("12567362VER\n-RL3\n{}\n", lines.join("\n"));
        let (snapshot, _) = Snapshot::from_text(text.as_bytes()).unwrap();
        prop_assert_eq!(Snapshot::from_text(&snapshot.to_text()), Ok((snapshot, Vec::new())));
    }
}

//! What must hold for any bytes that our readers of foreign bytes are given.
//!
//! One function a reader; each panics where something does not hold. The fuzz targets call them with what the fuzzer
//! makes up, and `tests/fuzz.rs` with the seeds kept beside this file, so that what was found once stays found.

use std::time::Duration;
use sysvinit::bootlog::{Lines, Waiting, active_consoles, named_consoles};
use sysvinit::defaults;
use sysvinit::fstab;
use sysvinit::initctl::{Assignment, REQUEST_SIZE, Received, Request, RequestStream};
use sysvinit::inittab::check::{ProgramState, Surroundings, check};
use sysvinit::inittab::command::{Initscript, command};
use sysvinit::inittab::parse::{Parsed, Source, SourceKind, parse};
use sysvinit::inittab::{MAX_DIAGNOSTICS, MAX_ID};
use sysvinit::journal::{last_crash, recent_crashes, replay};
use sysvinit::process::Pid;
use sysvinit::procs::{Stat, mounts};
use sysvinit::rcdir::plan::{Change, File, Found, Repeat, StartInHalt, plan};
use sysvinit::rcdir::{Link, lsb};
use sysvinit::record::{self, History, blame, chart};
use sysvinit::rescue;
use sysvinit::runlevel::Runlevel;
use sysvinit::schedule::{Countdown, Note, Step, Warnings, When, visible};
use sysvinit::snapshot::{Snapshot, Written};
use sysvinit::supervisor::{BootOptions, Event, Supervisor};
use sysvinit::uptime::Uptime;
use sysvinit::utmp::{RECORD_SIZE, Record, Text};

/// One reader: its name, which is that of its folder of seeds, and what must hold for it.
pub(crate) type Reader = (&'static str, fn(&[u8]));

/// All of them.
pub(crate) const READERS: [Reader; 10] = [
    ("inittab", inittab),
    ("fifo", fifo),
    ("state", state),
    ("journal", journal),
    ("header", header),
    ("rc_names", rc_names),
    ("shutdown_time", shutdown_time),
    ("utmp", utmp),
    ("record", record),
    ("texts", texts),
];

/// A machine that has every second program and terminal.
struct Half;

impl Surroundings for Half {
    fn program(&self, word: &[u8]) -> ProgramState {
        match word.len() % 3 {
            0 => ProgramState::Executable,
            1 => ProgramState::NotExecutable,
            _ => ProgramState::Missing,
        }
    }

    fn has_terminal(&self, name: &[u8]) -> bool {
        name.len().is_multiple_of(2)
    }
}

/// inittab and its fragments: a bad line costs itself, what is said is one printable line with a place in the file, and
/// a supervisor boots from what is left.
pub(crate) fn inittab(bytes: &[u8]) {
    // What follows a line of only `%` is a fragment.
    let (main, fragment) = halves(bytes, b"\n%\n");
    let sources = [
        Source {
            path: "/etc/inittab",
            text: main,
            kind: SourceKind::Inittab,
        },
        Source {
            path: "/etc/inittab.d/a.tab",
            text: fragment,
            kind: SourceKind::Fragment,
        },
    ];
    let Parsed { table, diagnostics } = parse(&sources);
    assert!(diagnostics.len() <= MAX_DIAGNOSTICS + 1);
    for diagnostic in &diagnostics {
        let text = if diagnostic.path == "/etc/inittab" {
            main
        } else {
            fragment
        };
        let lines = text.split(|&byte| byte == b'\n').count();
        assert!((1..=lines).contains(&diagnostic.line), "{diagnostic}");
        assert!(
            (1..=text.len() + 1).contains(&diagnostic.column),
            "{diagnostic}"
        );
        printable(&diagnostic.to_string());
    }
    let places = check(&sources, &Half);
    assert!(places.len() >= diagnostics.len());
    for finding in &places {
        printable(&finding.to_string());
    }
    for entry in &table.entries {
        assert!(entry.id.as_bytes().len() <= MAX_ID);
        assert!(!entry.process.contains(&0) && !entry.process.contains(&b'\n'));
        for initscript in [Initscript::Present, Initscript::Absent] {
            for word in command(entry, None, initscript).argv() {
                assert!(!word.contains(&0));
            }
        }
    }
    // Larger tables cost time and show nothing more.
    if table.entries.len() <= 200 {
        let entries = table.entries.len();
        let mut supervisor = Supervisor::new(&BootOptions::default());
        supervisor.handle(Uptime::from_secs(1), Event::Booted);
        let effects = supervisor.handle(Uptime::from_secs(2), Event::TableLoaded(table));
        assert!(effects.len() <= 100 + 10 * entries);
        round_trip(&supervisor.snapshot(Written::default()));
    }
}

/// The FIFO: the requests do not depend on the pieces in which the bytes come, none is lost behind others, and all
/// bytes are accounted for.
pub(crate) fn fifo(bytes: &[u8]) {
    let Some((&seed, stream)) = bytes.split_first() else {
        return;
    };
    let whole = requests(stream.chunks(REQUEST_SIZE));
    let mut rest = stream;
    let mut step = usize::from(seed);
    let pieces = std::iter::from_fn(|| {
        step = (step * 7 + 3) % REQUEST_SIZE;
        let (piece, after) = rest.split_at_checked(step + 1).unwrap_or((rest, &[]));
        rest = after;
        (!piece.is_empty()).then_some(piece)
    });
    assert_eq!(requests(pieces), whole);
    let sound = Request::ChangeLevel {
        level: b'4',
        grace: Duration::from_secs(3),
    };
    let Ok(encoded) = sound.encode() else {
        panic!("a plain request cannot be written");
    };
    let with_one_more = [stream, &encoded].concat();
    let more = requests(with_one_more.chunks(REQUEST_SIZE));
    assert!(
        more.contains(&sound),
        "the request behind the bytes is lost"
    );
    for request in whole {
        // What was understood can be said again, but for numbers that mean nothing and for strings without a name.
        if let Ok(again) = request.encode() {
            assert_eq!(Request::decode(&again).as_ref(), Some(&request));
        }
    }
    Assignment::parse(stream);
}

fn requests<'bytes>(pieces: impl Iterator<Item = &'bytes [u8]>) -> Vec<Request> {
    let mut stream = RequestStream::new();
    let (mut found, mut taken, mut given) = (Vec::new(), 0, 0);
    let mut take = |stream: &mut RequestStream| {
        while let Some(received) = stream.next() {
            match received {
                Received::Request(request) => {
                    found.push(request);
                    taken += REQUEST_SIZE;
                }
                Received::Discarded { bytes } => taken += bytes,
            }
        }
    };
    for piece in pieces {
        given += piece.len();
        assert!(stream.push(piece).is_empty(), "there was no room");
        take(&mut stream);
    }
    stream.abandon_partial();
    take(&mut stream);
    assert!(!stream.has_partial());
    assert_eq!(taken, given, "bytes have come or gone");
    found
}

/// The state text: what can be read is taken over by a supervisor, whose own text then reads back as it is.
pub(crate) fn state(bytes: &[u8]) {
    match Snapshot::from_text(bytes) {
        Err(error) => printable(&error.to_string()),
        Ok((snapshot, problems)) => {
            for problem in problems {
                printable(&problem.to_string());
            }
            let now = Uptime::from_secs(1_000_000);
            let mut supervisor = Supervisor::resume(snapshot);
            round_trip(&supervisor.snapshot(Written::default()));
            supervisor.handle(now, Event::Resumed);
            round_trip(&supervisor.snapshot(Written::default()));
            if let Some(deadline) = supervisor.next_deadline() {
                supervisor.handle(now.max(deadline), Event::DeadlinePassed);
                round_trip(&supervisor.snapshot(Written::default()));
            }
        }
    }
}

/// The journal of a crash: whatever of it is left, there is a state to go on from, or a word that there is none; and
/// the minimal init finds its gettys.
pub(crate) fn journal(bytes: &[u8]) {
    let now = Uptime::from_secs(1_000_000);
    match replay(bytes) {
        Err(error) => printable(&error.to_string()),
        Ok(mut recovered) => {
            let lines = bytes.split(|&byte| byte == b'\n').count();
            assert!(recovered.waiting.len() + recovered.results.len() <= lines);
            round_trip(&recovered.supervisor.snapshot(recovered.written));
            let now = now.max(recovered.now);
            for event in recovered
                .results
                .drain(..)
                .chain(recovered.waiting.drain(..))
            {
                recovered.supervisor.handle(now, event);
            }
            round_trip(&recovered.supervisor.snapshot(recovered.written));
        }
    }
    if let Some(crash) = last_crash(bytes) {
        printable(&crash.to_string());
    }
    assert!(recent_crashes(bytes, now).len() <= bytes.len());
    for getty in rescue::gettys(bytes) {
        assert!(!getty.command.contains(&b'\n'));
    }
    for level in *b"036S" {
        assert!(rescue::commands(bytes, level).len() <= bytes.len());
    }
}

fn round_trip(snapshot: &Snapshot) {
    let text = snapshot.to_text();
    let Ok((read, problems)) = Snapshot::from_text(&text) else {
        panic!("our own text is none: {}", text.escape_ascii());
    };
    assert_eq!(problems, [], "{}", text.escape_ascii());
    assert_eq!(
        Supervisor::resume(read).snapshot(Written::default()),
        Supervisor::resume(snapshot.clone()).snapshot(Written::default())
    );
}

/// The header of an rc script: names are names, every complaint has a place.
pub(crate) fn header(bytes: &[u8]) {
    let (header, diagnostics) = lsb::parse(bytes);
    let lines = bytes.split(|&byte| byte == b'\n').count();
    for diagnostic in &diagnostics {
        assert!((1..=lines).contains(&diagnostic.line), "{diagnostic:?}");
        printable(&diagnostic.problem.to_string());
    }
    let lists = [
        &header.provides,
        &header.required_start,
        &header.required_stop,
        &header.should_start,
        &header.should_stop,
        &header.start_before,
        &header.stop_after,
    ];
    for name in lists.into_iter().flatten() {
        assert!(!name.is_empty());
        assert!(!name.iter().any(u8::is_ascii_whitespace), "{name:?}");
    }
    assert!(!header.description.contains(&b'\n'));
    assert!(!header.short_description.contains(&b'\n'));
}

/// The names of two rc directories: each name of the new level is run or left out with a reason, none twice, and
/// kill links come first, in order.
pub(crate) fn rc_names(bytes: &[u8]) {
    let Some((&choice, rest)) = bytes.split_first() else {
        return;
    };
    let (new, previous) = halves(rest, b"\n/\n");
    let (new, previous) = (listing(new), listing(previous));
    let levels = b"0123456S";
    let level = |at: u8| {
        levels
            .get(usize::from(at) % 8)
            .copied()
            .and_then(Runlevel::from_byte)
    };
    let Some(entered) = level(choice) else {
        return;
    };
    for repeat in [Repeat::All, Repeat::Changes] {
        for start_in_halt in [StartInHalt::Stop, StartInHalt::Start] {
            for left in [None, level(choice >> 4)] {
                let change = Change {
                    level: entered,
                    previous: left,
                    repeat,
                    start_in_halt,
                };
                let plan = plan(change, &new, &previous);
                assert_eq!(plan.steps.len() + plan.left_out.len(), new.len());
                assert!(plan.steps.is_sorted_by(|a, b| a.link <= b.link));
                for step in &plan.steps {
                    let name = step.link.file_name();
                    assert!(new.iter().any(|found| *found.name == *name));
                    assert_eq!(Link::parse(&name).as_ref(), Ok(&step.link));
                }
            }
        }
    }
}

/// A directory's names, none twice; what stands behind each is told by its length.
fn listing(bytes: &[u8]) -> Vec<Found> {
    let mut names: Vec<&[u8]> = bytes
        .split(|&byte| byte == b'\n')
        .filter(|name| !name.is_empty())
        .collect();
    names.sort_unstable();
    names.dedup();
    names
        .into_iter()
        .map(|name| Found {
            name: name.into(),
            file: match name.len() % 7 {
                0 => File::NotExecutable,
                1 => File::Dangling,
                2 => File::Other,
                _ => File::Script,
            },
        })
        .collect()
}

/// The time argument of shutdown: a countdown from any time ends, and waits for nothing twice.
pub(crate) fn shutdown_time(bytes: &[u8]) {
    let Ok(when) = When::parse(bytes) else {
        return;
    };
    for minute_of_day in [0, 1, 719, 1439] {
        let minutes = when.minutes_ahead(minute_of_day);
        // A year is as good as eleven.
        let mut left = Duration::from_secs(60 * u64::from(minutes.min(1000)));
        let warnings = match minute_of_day {
            0 => Warnings::All,
            1 => Warnings::Fewer,
            _ => Warnings::None,
        };
        let mut countdown = Countdown::new(warnings);
        let mut waits = 0;
        for _ in 0..10_000 {
            match countdown.next(left) {
                Step::Go => break,
                Step::Wait(time) => {
                    assert!(
                        !time.is_zero() && time <= left.max(Duration::from_secs(60)),
                        "{time:?} of {left:?}"
                    );
                    left = left.saturating_sub(time);
                    waits += 1;
                }
                Step::Warn { .. } | Step::DenyLogins => {}
            }
        }
        assert!(
            left.is_zero(),
            "the countdown of {minutes} minutes does not end"
        );
        assert!(waits <= 1001);
    }
}

/// utmp and wtmp: any bytes are records, and a record read and written is the same record.
pub(crate) fn utmp(bytes: &[u8]) {
    let (records, _half) = bytes.as_chunks::<RECORD_SIZE>();
    let mut ours = vec![Record::boot_time(), Record::shutdown()];
    ours.extend(Pid::new(7).map(|pid| Record::init_process("1", pid)));
    ours.extend(Pid::new(7).map(|pid| Record::dead_process("", pid)));
    for bytes in records {
        let record = Record::decode(bytes);
        assert_eq!(Record::decode(&record.encode()), record);
        let _levels = record.levels();
        let _text = format!("{record:?}");
        for one in &ours {
            if one.replaces(&record) {
                assert!(one.may_replace(bytes), "{one:?} would pass over {record:?}");
            }
            let inherited = one.clone().inheriting(&record);
            assert_eq!(inherited.pid, one.pid);
        }
    }
    assert!(Text::<4>::new(bytes).as_bytes().len() <= 4);
}

/// The boot record: a line that was read is written as a line that reads the same, and any lines make a history that
/// can be drawn.
pub(crate) fn record(bytes: &[u8]) {
    let (lines, problems) = record::parse(bytes);
    for problem in problems {
        printable(&problem.to_string());
    }
    // Words that a kind of line does not have are read over and not written again.
    let (once, problems) = record::parse(&written(&lines));
    assert_eq!(problems, []);
    assert_eq!(once.len(), lines.len());
    let (twice, problems) = record::parse(&written(&once));
    assert_eq!(problems, []);
    assert_eq!(twice, once);
    let now = Uptime::from_secs(1_000_000);
    let mut history = History::of(lines);
    history.settle(|pid| pid.get() % 2 == 0);
    assert!(blame(&history, now).len() <= history.items.len());
    let picture = chart(&history, "any", now);
    assert!(picture.ends_with("</svg>\n"));
}

fn written(lines: &[record::Line]) -> Vec<u8> {
    lines.iter().flat_map(record::Line::to_line).collect()
}

/// The small texts: /proc, /etc/default, fstab, the boot log, the note of a waiting shutdown.
pub(crate) fn texts(bytes: &[u8]) {
    if let Some(stat) = Stat::parse(bytes) {
        let _zombie = stat.is_zombie();
    }
    let points = mounts::remote(bytes);
    let _below = mounts::is_below(bytes, &points);
    let _root = mounts::root(bytes);
    if let Some(value) = defaults::value_of("X", bytes) {
        assert!(!value.contains(&b'\n'));
    }
    assert!(fstab::decode(bytes).len() <= bytes.len());
    let _named = named_consoles(bytes);
    let _active = active_consoles(bytes);
    let mut lines = Lines::default();
    let mut waiting = Waiting::new(64);
    for piece in bytes.chunks(13) {
        let text = lines.add(piece, "now: ");
        waiting.add(&text);
        assert!(waiting.next().len() <= 64);
        let count = waiting.next().len().min(5);
        waiting.written(count);
    }
    if let Some(note) = Note::from_text(bytes) {
        // Names are cut where they could end their line.
        let Some(again) = Note::from_text(&note.to_text()) else {
            panic!("{note:?} cannot be read again");
        };
        assert_eq!(
            (again.pid, again.ending, again.end),
            (note.pid, note.ending, note.end)
        );
        assert_eq!(again.message, note.message);
        assert_eq!(Note::from_text(&again.to_text()), Some(again));
    }
    let shown = visible(bytes);
    assert!(
        shown
            .iter()
            .all(|byte| matches!(byte, b'\t' | b'\n' | b'\r' | b' '..=b'~' | 0x80..))
    );
}

/// Splits at the first `mark`; without one the second half is empty.
fn halves<'bytes>(bytes: &'bytes [u8], mark: &[u8]) -> (&'bytes [u8], &'bytes [u8]) {
    let at = bytes.windows(mark.len()).position(|window| window == mark);
    at.and_then(|at| Some((bytes.get(..at)?, bytes.get(at + mark.len()..)?)))
        .unwrap_or((bytes, &[]))
}

/// What is shown on a console has one line and nothing that a terminal takes for an order.
fn printable(text: &str) {
    assert!(
        text.bytes().all(|byte| (b' '..=b'~').contains(&byte)),
        "{text:?}"
    );
}

//! Every option of halt, poweroff, reboot and shutdown in every kind of runlevel, one row each: how it ends, what it
//! asks of init, records, leaves behind, signals and says.
//!
//! `matrix.txt` has the rows. They hold for the original and for ours, except where a row begins with `-` (the
//! original alone) or `+` (ours alone). What a run has seen lies in `target/tmp/matrix.*` afterwards.

use crate::room::{Outcome, Room, Subject, read_now};
use std::fs::{self, File};
use std::path::Path;
use sysvinit::initctl::Request;

const ROWS: &str = include_str!("matrix.txt");
/// No option, and those of either kind of tool.
const OPTIONS: [&str; 9] = ["", "-h", "-r", "-H", "-P", "-k", "-c", "-n", "-f"];
/// Files the test itself puts into /run.
const OWN: [&str; 2] = ["initctl", "runlevel"];

/// Notes signals to init, and to a process that has nothing to do with all this; then runs what is tried.
const PREPARE: &str = "
    trap 'echo 1:CONT >>/tmp/signals' CONT
    trap 'echo 1:TSTP >>/tmp/signals' TSTP
    (trap 'echo other:TERM >>/tmp/signals; exit' TERM; echo >/tmp/ready
        while :; do busybox usleep 5000; done) &
    until [ -e /tmp/ready ]; do busybox usleep 5000; done
";
/// A shutdown that waits beside what is tried.
const BESIDE: &str = "
    /sbin/shutdown -r +4 >/dev/null 2>&1 &
    until [ -e /run/nologin ]; do busybox usleep 5000; done
";

/// Until the one that waits has heard that it is called off.
const AFTERWARDS: &str = "; code=$?
    while [ -e /run/nologin ] || [ -e /run/shutdown.pid ]; do busybox usleep 5000; done; (exit $code)";

/// The circumstances of a row.
#[derive(Clone, Copy)]
struct Case<'words> {
    /// The level the machine is in, by init's own file.
    level: Option<char>,
    waiting: bool,
    words: &'words str,
}

fn rights() -> [(&'static str, &'static str); 2] {
    // Who may not end the machine is still there to be looked at afterwards.
    [("", "may"), ("setpriv --bounding-set=-sys_boot", "may-not")]
}

fn clean(room: &Room) {
    for folder in ["run", "tmp"] {
        for entry in fs::read_dir(room.path(folder)).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
    }
    for name in ["fastboot", "forcefsck"] {
        fs::remove_file(room.path(name)).unwrap_or_default();
    }
    room.write("var/log/wtmp", "");
}

fn row(room: &Room, case: Case<'_>, rights: &str) -> String {
    clean(room);
    if let Some(level) = case.level {
        room.write("run/runlevel", level.to_string());
    }
    let fifo = room.fifo();
    let beside = if case.waiting { BESIDE } else { "" };
    let after = if case.words == "shutdown -c" && case.waiting {
        AFTERWARDS
    } else {
        ""
    };
    let outcome = room.run(&format!("{PREPARE}{beside}/sbin/{}{after}", case.words));
    let level = case.level.map_or("-".to_owned(), String::from);
    let waiting = if case.waiting { "waiting" } else { "-" };
    let wtmp = fs::metadata(room.path("var/log/wtmp")).unwrap().len() / 384;
    [
        format!("{:<21} {level} {waiting:<8}{rights:<8}", case.words),
        end(&outcome),
        format!("asks={}", requests(&fifo)),
        format!("wtmp={wtmp}"),
        format!("left={}", left(room)),
        format!("signals={}", signals(room)),
        format!("says={}", said(&outcome)),
    ]
    .join(" ")
}

fn end(outcome: &Outcome) -> String {
    match (outcome.code, outcome.signal) {
        (Some(code), _) => format!("exit={code}"),
        (None, Some(1)) => "end=restart".to_owned(),
        (None, Some(2)) => "end=halt".to_owned(),
        _ => panic!("{outcome:?}"),
    }
}

/// Compares each request byte for byte with the one that its meaning makes.
fn requests(fifo: &File) -> String {
    let bytes = read_now(fifo);
    let (requests, rest) = bytes.as_chunks::<384>();
    assert_eq!(rest, b"");
    let words = requests.iter().map(|bytes| {
        let request = Request::decode(bytes).unwrap();
        assert_eq!(request.encode().unwrap()[..], bytes[..], "{request:?}");
        match request {
            Request::ChangeLevel { level, grace } => {
                format!("{}/{}s", char::from(level), grace.as_secs())
            }
            Request::SetEnvironment(assignments) => {
                let [one] = assignments.as_slice() else {
                    panic!("{assignments:?}");
                };
                let value = one.value.as_deref().unwrap_or(b"unset");
                let name = String::from_utf8_lossy(&one.name);
                format!("{name}={}", String::from_utf8_lossy(value))
            }
            other => panic!("{other:?}"),
        }
    });
    list(words.collect())
}

fn left(room: &Room) -> String {
    let entries = fs::read_dir(room.path("run")).unwrap();
    let mut names: Vec<String> = entries
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| !OWN.contains(&name.as_str()))
        .collect();
    for name in ["fastboot", "forcefsck"] {
        if room.has(name) {
            names.push(name.to_owned());
        }
    }
    names.sort();
    list(names)
}

fn signals(room: &Room) -> String {
    let text = fs::read_to_string(room.path("tmp/signals")).unwrap_or_default();
    let mut lines: Vec<String> = text.lines().map(str::to_owned).collect();
    lines.sort();
    // The one that lets init go on takes the one that has stopped it back, if it is there in time.
    if lines.iter().any(|line| line == "1:CONT") {
        lines.retain(|line| line != "1:TSTP");
    }
    list(lines)
}

/// Why the usage follows: ours says it, the original does not.
const REASONS: [&str; 3] = ["invalid option", "for reboot only", "name the time"];

/// The first line that is said; a usage goes on for longer.
fn said(outcome: &Outcome) -> String {
    let words = outcome.errors.lines().chain(outcome.output.lines());
    // A word of the shell's about the other process.
    let mut words = words
        .filter(|line| !line.trim().is_empty() && *line != "Terminated")
        .filter(|line| !REASONS.iter().any(|reason| line.contains(reason)));
    let first = words.next().unwrap_or("-");
    let first = first.split_whitespace().collect::<Vec<_>>().join(" ");
    if first.to_lowercase().starts_with("usage:") {
        "USAGE".to_owned()
    } else {
        first
    }
}

fn list(words: Vec<String>) -> String {
    if words.is_empty() {
        "-".to_owned()
    } else {
        words.join(",")
    }
}

/// Runs all cases of a tool and compares the rows.
fn try_all(tool: &str, cases: &[Case<'_>]) {
    let mut seen = Vec::new();
    for (entrance, rights) in rights() {
        let mut room = Room::new();
        if !entrance.is_empty() {
            room.enter_through(entrance);
        }
        seen.extend(cases.iter().map(|case| row(&room, *case, rights)));
    }
    let (subject, other) = match Subject::chosen() {
        Subject::Ours => ("ours", "-"),
        Subject::Original => ("original", "+"),
    };
    let notes = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("matrix.{tool}.{subject}"));
    fs::write(notes, seen.join("\n") + "\n").unwrap();
    let expected: Vec<&str> = ROWS
        .lines()
        .filter(|row| !row.starts_with('#') && !row.starts_with(other))
        .filter_map(|row| row.get(2..))
        .filter(|row| row.split(' ').next() == Some(tool))
        .collect();
    for (seen, expected) in seen.iter().zip(&expected) {
        assert_eq!(seen, expected);
    }
    assert_eq!(seen.len(), expected.len());
}

/// The cases of a tool that looks at the runlevel.
fn in_all_levels(tool: &str) {
    let all: Vec<String> = OPTIONS
        .iter()
        .map(|option| format!("{tool} {option}").trim_end().to_owned())
        .collect();
    let mut cases = Vec::new();
    for level in [None, Some('2'), Some('0'), Some('6')] {
        cases.extend(all.iter().map(|words| Case {
            level,
            waiting: false,
            words,
        }));
    }
    cases.push(Case {
        level: Some('2'),
        waiting: true,
        words: &all[0],
    });
    try_all(tool, &cases);
}

#[test]
fn halt_does_in_every_level_what_its_options_say() {
    in_all_levels("halt");
}

#[test]
fn poweroff_does_in_every_level_what_its_options_say() {
    in_all_levels("poweroff");
}

#[test]
fn reboot_does_in_every_level_what_its_options_say() {
    in_all_levels("reboot");
}

#[test]
fn shutdown_does_in_every_level_what_its_options_say() {
    let mut all: Vec<String> = OPTIONS
        .iter()
        .map(|option| format!("shutdown {option} now").replace("  ", " "))
        .collect();
    all.extend(
        [
            "-hH", "-hP", "-rH", "-rk", "-hk", "-rf", "-hF", "-t1 -hn", "-t1 -rn", "-hc",
        ]
        .map(|options| format!("shutdown {options} now")),
    );
    let mut cases = Vec::new();
    for level in [None, Some('0'), Some('6')] {
        cases.extend(all.iter().map(|words| Case {
            level,
            waiting: false,
            words,
        }));
    }
    let beside = ["shutdown -c", "shutdown -r now", "shutdown -k now"];
    cases.extend(beside.iter().map(|words| Case {
        level: Some('2'),
        waiting: true,
        words,
    }));
    try_all("shutdown", &cases);
}

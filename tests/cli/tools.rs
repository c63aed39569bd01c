//! What all tools have in common, asked of each name that `sysvtools` answers to: help that fits a screen, a version,
//! errors that can be acted on, and no success that was none.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::room::{Outcome, Room, Subject};

/// Those for which no words at all are an order, and a weighty one.
const ACTS_WITHOUT_WORDS: [&str; 7] = [
    "bootlogd", "halt", "insserv", "killall5", "poweroff", "rcS", "reboot",
];
/// What prints something that is not its help, on a machine with a runlevel and a log.
const REPORTS: [&str; 4] = [
    "pidof busybox",
    "rc --dry-run 3",
    "readbootlog -f /etc/passwd",
    "runlevel",
];

/// A room in which each tool has a link below `/t`, and the names of all of them.
fn room() -> (Room, Vec<String>) {
    let room = Room::new();
    let help = room.run("/sbin/sysvtools --help").output;
    let list = help.lines().find_map(|line| line.strip_prefix("Tools: "));
    let mut tools: Vec<String> = list.unwrap().split(' ').map(str::to_owned).collect();
    assert!(tools.len() >= 12, "{tools:?}");
    tools.push("telinit".to_owned());
    fs::create_dir(room.path("t")).unwrap();
    for tool in tools.iter().map(String::as_str).chain(["init"]) {
        let program = if tool.ends_with("init") {
            "init"
        } else {
            "sysvtools"
        };
        std::os::unix::fs::symlink(Path::new("/sbin").join(program), room.path("t").join(tool))
            .unwrap();
    }
    room.write("run/runlevel", "3");
    room.write("etc/inittab", "id:3:initdefault:\n");
    room.write("etc/rc3.d/S20x", "");
    (room, tools)
}

/// Runs command lines, each in the way that `how` says with the line in place of `LINE`, and gives what came of each.
fn outcomes<'line>(room: &Room, how: &str, lines: &[&'line str]) -> Vec<(&'line str, Outcome)> {
    let commands = lines.iter().enumerate().map(|(number, line)| {
        let command = how.replace("LINE", &format!("/t/{line}"));
        format!("{{ {command}\n}} >{number}.out 2>{number}.err </dev/null\necho $? >{number}.code")
    });
    let script = ["cd /tmp".to_owned()].into_iter().chain(commands);
    room.run(&script.collect::<Vec<_>>().join("\n"));
    let read = |name: String| {
        String::from_utf8_lossy(&fs::read(room.path("tmp").join(name)).unwrap()).into_owned()
    };
    let outcome = |(number, line): (usize, &&'line str)| {
        let outcome = Outcome {
            output: read(format!("{number}.out")),
            errors: read(format!("{number}.err")),
            code: read(format!("{number}.code")).trim().parse().ok(),
            signal: None,
        };
        (*line, outcome)
    };
    lines.iter().enumerate().map(outcome).collect()
}

/// The tool of a command line.
fn name(line: &str) -> &str {
    line.split(' ').next().unwrap()
}

fn with(tools: &[String], words: &str) -> Vec<String> {
    tools.iter().map(|tool| format!("{tool} {words}")).collect()
}

fn words(lines: &[String]) -> Vec<&str> {
    lines.iter().map(String::as_str).collect()
}

fn is_ours() -> bool {
    Subject::chosen() == Subject::Ours
}

#[test]
fn help_fits_a_screen_and_the_version_is_one_line() {
    if !is_ours() {
        return;
    }
    let (room, tools) = room();
    for (line, outcome) in outcomes(&room, "LINE", &words(&with(&tools, "--help"))) {
        assert_eq!(
            (outcome.code, outcome.errors.as_str()),
            (Some(0), ""),
            "{line}"
        );
        let lines: Vec<&str> = outcome.output.lines().collect();
        // The prompt that follows needs a line too.
        assert!(
            (2..24).contains(&lines.len()),
            "{line}: {} lines",
            lines.len()
        );
        for text in lines {
            assert!(text.chars().count() <= 80, "{line}: {text}");
        }
    }
    for (line, outcome) in outcomes(&room, "LINE", &words(&with(&tools, "--version"))) {
        // Compat: what the original says there is looked at by scripts.
        let version = match name(line) {
            "telinit" => "SysV init version: 3.14\n\n".to_owned(),
            name => format!("{name} (sysvinit-rs) {}\n", env!("CARGO_PKG_VERSION")),
        };
        assert_eq!(outcome.output, version);
        assert_eq!(
            (outcome.code, outcome.errors.as_str()),
            (Some(0), ""),
            "{line}"
        );
    }
}

#[test]
fn output_that_cannot_be_written_is_a_failure_unless_nobody_wants_it() {
    if !is_ours() {
        return;
    }
    let (room, tools) = room();
    let lines = [
        with(&tools, "--help"),
        with(&tools, "--version"),
        REPORTS.map(str::to_owned).to_vec(),
    ]
    .concat();
    for (line, outcome) in outcomes(&room, "LINE >/dev/full", &words(&lines)) {
        assert_eq!(outcome.code, Some(1), "{line}: {outcome:?}");
        let complaint = format!("{}: standard output: No space left on device\n", name(line));
        assert_eq!(outcome.errors, complaint, "{line}");
    }
    // A pipe whose reader is gone before the first byte.
    let how = "busybox rm -f pipe; busybox mkfifo pipe; (exec 3<>pipe 4>pipe 3<&-; LINE >&4)";
    for (line, outcome) in outcomes(&room, how, &words(&lines)) {
        assert_eq!(
            (outcome.code, outcome.errors.as_str()),
            (Some(0), ""),
            "{line}"
        );
    }
}

#[test]
fn what_is_not_understood_is_an_error_that_names_the_tool_and_the_word() {
    if !is_ours() {
        return;
    }
    let (room, tools) = room();
    for (line, outcome) in outcomes(&room, "LINE", &words(&with(&tools, "--no-such-option"))) {
        let Outcome {
            output,
            errors,
            code,
            ..
        } = &outcome;
        assert!(!matches!(code, Some(0 | 101)), "{line}: {outcome:?}");
        assert_eq!(output, "", "{line}");
        // Compat: Debian's service begins with the name it was given.
        let begin = match name(line) {
            "service" => "--no-such-option: ".to_owned(),
            name => format!("{name}: "),
        };
        assert!(
            errors.starts_with(&begin) && errors.contains("no-such-option"),
            "{line}: {errors}"
        );
    }
}

#[test]
fn words_of_any_bytes_are_borne() {
    if !is_ours() {
        return;
    }
    let (room, tools) = room();
    for (line, outcome) in outcomes(
        &room,
        "LINE \"$(printf '\\377\\376 \\n*')\"",
        &words(&tools),
    ) {
        // Only `runlevel' has an answer all the same: the level is noted in more than one place.
        let succeeded = outcome.code == Some(0);
        assert_eq!(succeeded, !outcome.output.is_empty(), "{line}: {outcome:?}");
        assert_ne!(outcome.code, Some(101), "{line}");
        assert!(!outcome.errors.contains("panicked"), "{line}: {outcome:?}");
    }
}

#[test]
fn nothing_asked_and_nothing_done_is_no_success() {
    if !is_ours() {
        return;
    }
    let (room, mut tools) = room();
    tools.retain(|tool| !ACTS_WITHOUT_WORDS.contains(&tool.as_str()));
    for (
        line,
        Outcome {
            output,
            errors,
            code,
            ..
        },
    ) in outcomes(&room, "LINE", &words(&tools))
    {
        let spoke = if code == Some(0) { &output } else { &errors };
        assert!(!spoke.is_empty(), "{line}: {code:?}, {output}{errors}");
    }
}

/// The standard library asks at each start where the stack lies, for which the C library would read it.
#[test]
fn no_program_reads_its_own_memory_map_at_its_start() {
    for program in [
        env!("CARGO_BIN_EXE_init"),
        env!("CARGO_BIN_EXE_sysvtools"),
        env!("CARGO_BIN_EXE_bootlogd"),
    ] {
        let output = Command::new("strace")
            .args(["-e", "trace=openat", program, "--version"])
            .output()
            .expect("cannot start strace(1)");
        let trace = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success() && trace.contains("openat("),
            "{trace}"
        );
        assert!(!trace.contains("/proc/self/maps"), "{trace}");
    }
}

//! `PARALLEL=yes`: scripts side by side, in the order that their headers ask for.

use super::support::pty::Pty;
use super::{Root, marked, messages, succeeded};
use std::fs;
use std::time::Duration;

/// What takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

pub(crate) fn parallel() -> Root {
    let root = Root::new();
    root.file("etc/default/rc", b"PARALLEL=yes\n", 0o644);
    root
}

/// A script that requires others and provides its own name.
pub(crate) fn requiring(name: &str, required: &str, body: &str) -> String {
    format!(
        "### BEGIN INIT INFO\n# Provides: {name}\n# Required-Start: {required}\n# Required-Stop:\n\
         # Default-Start: 3\n# Default-Stop:\n### END INIT INFO\n{body}"
    )
}

/// Waits in a script until a file below the root is there.
fn until(root: &Root, file: &str) -> String {
    let path = root.path().join(file);
    format!("until [ -e {0} ]; do sleep 0.02; done", path.display())
}

#[test]
fn what_does_not_need_each_other_runs_side_by_side() {
    let root = parallel();
    let make = format!("touch {}", root.path().join("made").display());
    root.script(
        "waits",
        &requiring("waits", "", &until(&root, "made")),
        &["rc3.d/S01waits"],
    )
    .script("makes", &requiring("makes", "", &make), &["rc3.d/S02makes"]);
    let output = succeeded(&mut root.rc(&["3"]));
    assert_eq!(messages(&output), ["rc: 2 scripts in"]);
}

#[test]
fn what_is_required_has_ended_before_even_if_it_has_failed() {
    let root = parallel();
    let ended = root.path().join("ended");
    root.script(
        "later",
        &requiring(
            "later",
            "first",
            &format!("[ -e {} ] || exit 4", ended.display()),
        ),
        &["rc3.d/S01later"],
    )
    .script(
        "first",
        &requiring(
            "first",
            "",
            &format!("sleep 0.2; touch {}; exit 3", ended.display()),
        ),
        &["rc3.d/S02first"],
    );
    let output = succeeded(&mut root.rc(&["3"]));
    assert_eq!(
        messages(&output),
        ["rc: 2 scripts, 1 failed: first (exit 3),"]
    );
}

/// Numbers that look like chance and are the same each time.
pub(crate) fn chance(seed: u64) -> impl FnMut(usize) -> usize {
    let mut state = seed;
    move |below| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1);
        usize::try_from(state >> 33).unwrap() % below
    }
}

#[test]
fn in_a_crowd_nothing_begins_before_what_it_requires_has_ended() {
    const SCRIPTS: usize = 60;
    let root = parallel();
    let log = root.path().join("log");
    let mut chance = chance(12_345);
    let mut edges = Vec::new();
    for number in 0..SCRIPTS {
        let required: Vec<usize> = (0..number.min(3))
            .map(|_| chance(number))
            .filter(|_| number % 4 != 0)
            .collect();
        edges.extend(required.iter().map(|&needed| (needed, number)));
        let required: Vec<String> = required.iter().map(|needed| format!("s{needed}")).collect();
        let body = format!(
            "echo begin {number} >>{0}; sleep 0.0{1}; echo end {number} >>{0}; exit {2}",
            log.display(),
            chance(9) + 1,
            chance(2)
        );
        // The numbers of the links say the opposite.
        let (name, link) = (
            format!("s{number}"),
            format!("rc3.d/S{:02}s{number}", 99 - number),
        );
        root.script(
            &name,
            &requiring(&name, &required.join(" "), &body),
            &[&link],
        );
    }
    succeeded(&mut root.rc(&["3"]));
    let log = fs::read_to_string(log).unwrap();
    let at = |line: String| log.lines().position(|other| other == line).unwrap();
    assert_eq!(log.lines().count(), 2 * SCRIPTS, "{log}");
    for (needed, number) in edges {
        let (end, begin) = (at(format!("end {needed}")), at(format!("begin {number}")));
        assert!(end < begin, "{number} needs {needed}:\n{log}");
    }
    let together = log.lines().zip(log.lines().skip(1));
    let pairs =
        together.filter(|(one, next)| one.starts_with("begin") && next.starts_with("begin"));
    assert!(pairs.count() > 0, "nothing ran side by side:\n{log}");
}

#[test]
fn each_output_is_shown_in_one_piece_when_its_script_ends() {
    let root = parallel();
    let touch = |file: &str| format!("touch {}", root.path().join(file).display());
    let slow = format!("echo one; {}; {}; echo two", touch("a"), until(&root, "b"));
    let quick = format!(
        "{}; echo alpha; echo beta; {}",
        until(&root, "a"),
        touch("b")
    );
    root.script("slow", &requiring("slow", "", &slow), &["rc3.d/S01slow"])
        .script(
            "quick",
            &requiring("quick", "", &quick),
            &["rc3.d/S02quick"],
        );
    let output = succeeded(&mut root.rc(&["3"]));
    let blocks = [
        format!("alpha\n{}", marked("beta", " ok ]")),
        format!("one\n{}", marked("two", " ok ]")),
    ];
    let shown = String::from_utf8(output.stdout).unwrap();
    // Which of the two ends first is chance.
    assert!(
        shown == blocks.concat() || shown == format!("{}{}", blocks[1], blocks[0]),
        "{shown}"
    );
}

#[test]
fn a_script_without_a_header_keeps_its_place() {
    let root = parallel();
    let order = root.path().join("order");
    let write = |name: &str| format!("echo {name} >>{}", order.display());
    root.script("z", &requiring("z", "", &write("z")), &["rc3.d/S01z"])
        .script("none", &write("none"), &["rc3.d/S02none"])
        .script("a", &requiring("a", "", &write("a")), &["rc3.d/S03a"]);
    succeeded(&mut root.rc(&["3"]));
    assert_eq!(fs::read_to_string(order).unwrap(), "z\nnone\na\n");
}

#[test]
fn scripts_that_need_each_other_are_started_by_their_links_and_named() {
    let root = parallel();
    let order = root.path().join("order");
    let write = |name: &str| format!("echo {name} >>{}", order.display());
    root.script("a", &requiring("a", "b", &write("a")), &["rc3.d/S01a"])
        .script("b", &requiring("b", "a", &write("b")), &["rc3.d/S02b"]);
    let output = succeeded(&mut root.rc(&["3"]));
    assert_eq!(fs::read_to_string(order).unwrap(), "a\nb\n");
    let messages = messages(&output);
    assert!(messages[0].starts_with("rc: a -> b -> a: "), "{messages:?}");
}

#[test]
fn an_interactive_script_runs_alone_and_reads_from_the_console() {
    let root = parallel();
    let running = root.path().join("running");
    let busy = format!("touch {0}; sleep 0.1; rm {0}", running.display());
    root.script("busy", &requiring("busy", "", &busy), &["rc3.d/S01busy"])
        .script(
            "talk",
            &requiring(
                "talk",
                "",
                &format!(
                    "[ -e {} ] && echo not alone; printf 'Who? '; read -r who; echo \"hello $who\"",
                    running.display()
                ),
            )
            .replace("# Provides", "# X-Interactive: true\n# Provides"),
            &["rc3.d/S02talk"],
        );
    let mut terminal = Pty::open();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("Who? ", LIMIT);
    terminal.send("you\n");
    terminal.wait_for("hello you", LIMIT);
    terminal.wait_for("rc: 2 scripts in", LIMIT);
    assert!(!terminal.transcript().contains("not alone"));
    rc.wait().unwrap();
}

#[test]
fn a_script_that_takes_long_and_is_alone_is_shown_live_and_can_ask() {
    let root = parallel();
    let body = "echo begun; read -r word; echo \"got $word\"";
    root.script("ask", &requiring("ask", "", body), &["rc3.d/S01ask"]);
    let mut terminal = Pty::open();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("begun", LIMIT);
    terminal.send("it\n");
    terminal.wait_for("got it", LIMIT);
    terminal.wait_for("rc: 1 script in", LIMIT);
    rc.wait().unwrap();
}

#[test]
fn kill_leaves_none_of_several_scripts_behind() {
    use nix::sys::signal::{Signal, killpg};
    use std::io::Read;
    use std::os::unix::process::CommandExt;
    let root = parallel();
    for name in ["a", "b"] {
        let body = format!("touch {}; sleep 60", root.path().join(name).display());
        root.script(
            name,
            &requiring(name, "", &body),
            &[&format!("rc3.d/S01{name}")],
        );
    }
    let mut rc = root
        .rc(&["3"])
        .process_group(0)
        .stdout(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    super::support::wait_until(
        "both run",
        LIMIT,
        || {
            ["a", "b"]
                .iter()
                .all(|name| root.path().join(name).exists())
                .then_some(())
        },
        String::new,
    );
    killpg(
        nix::unistd::Pid::from_raw(rc.id().cast_signed()),
        Signal::SIGKILL,
    )
    .unwrap();
    // The end comes when nobody is left who could write.
    rc.stdout
        .take()
        .unwrap()
        .read_to_end(&mut Vec::new())
        .unwrap();
    rc.wait().unwrap();
}

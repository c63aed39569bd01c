//! What `/etc/default/rc` and the kernel's word ask for, and what a dry run shows of it.

use super::support::pty::Pty;
use super::{Root, messages, stdout, succeeded, words};
use std::time::Duration;

/// What takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

fn with(settings: &str) -> Root {
    let root = Root::new();
    root.file("etc/default/rc", settings.as_bytes(), 0o644);
    root
}

#[test]
fn settings_that_are_wrong_are_said_with_their_line_and_do_not_count() {
    let root = with("# mine\nDEADLINE=soon\nPARALEL=yes\n");
    root.echo("a", &["rc3.d/S01a"]);
    let output = succeeded(&mut root.rc(&["3"]));
    let file = root.path().join("etc/default/rc");
    assert_eq!(
        messages(&output),
        [
            &format!(
                "rc: {}:2: DEADLINE=soon: it takes a time such as 60 or 2m",
                file.display()
            ),
            &format!("rc: {}:3: PARALEL: unknown setting", file.display()),
            "rc: 1 script in"
        ]
    );
    assert_eq!(words(&output.stdout), "S01a start\n");
}

#[test]
fn a_script_beyond_its_deadline_is_named_with_its_processes_and_ended() {
    // Time enough for the shell to have executed its program on a busy machine.
    let root = with("DEADLINE=3\n");
    root.script("hangs", "echo here; sleep 1234; :", &["rc3.d/S01hangs"])
        .echo("next", &["rc3.d/S02next"]);
    let output = succeeded(&mut root.rc(&["3"]));
    let shown = String::from_utf8(output.stdout.clone()).unwrap();
    let warning = "rc: Starting hangs: still not done after 3 s; TERM in 5 s to\n    ";
    assert!(shown.contains(warning), "{shown}");
    assert!(shown.contains(" sleep 1234\n"), "{shown}");
    assert!(
        shown.contains("rc: Starting hangs: TERM in 1 s\n"),
        "{shown}"
    );
    assert!(shown.contains("[fail] timed out\n"), "{shown}");
    assert!(shown.contains("S02next start"), "{shown}");
    assert_eq!(
        messages(&output),
        ["rc: 2 scripts, 1 failed: hangs (timed out),"]
    );
}

#[test]
fn a_countdown_on_a_terminal_is_not_interrupted_by_the_name_of_the_silent_script() {
    let root = with("DEADLINE=1\n");
    root.script("hangs", "sleep 1234; :", &["rc3.d/S01hangs"]);
    let mut terminal = Pty::open();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("rc: 1 script, 1 failed", LIMIT);
    rc.wait().unwrap();
    let shown = terminal.transcript();
    let named: Vec<&str> = shown
        .lines()
        .filter(|line| line.starts_with("Starting hangs "))
        .collect();
    assert!(
        matches!(named[..], [line] if line.contains("[fail] timed out")),
        "{shown}"
    );
}

#[test]
fn a_script_that_ignores_term_is_killed_at_last() {
    let root = with("DEADLINE=1\n");
    root.script(
        "stubborn",
        "trap '' TERM; while :; do sleep 0.1; done",
        &["rc3.d/S01stubborn"],
    );
    let output = succeeded(&mut root.rc(&["3"]));
    let shown = String::from_utf8(output.stdout).unwrap();
    assert!(shown.contains("rc: Starting stubborn: KILL\n"), "{shown}");
    assert!(shown.ends_with("[fail] timed out\n"), "{shown}");
}

#[test]
fn confirmation_asks_before_each_script_until_told_to_go_on() {
    for kernel in [false, true] {
        let root = with(if kernel { "" } else { "CONFIRM=yes\n" });
        if kernel {
            root.file("proc/cmdline", b"quiet confirm ro\n", 0o644);
        }
        root.echo("a", &["rc3.d/S01a"])
            .echo("b", &["rc3.d/S02b"])
            .echo("c", &["rc3.d/S03c"])
            .echo("d", &["rc3.d/S04d"]);
        let mut terminal = Pty::open();
        let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
        let choice = "? (y)es, (n)o, (c)ontinue without asking ";
        terminal.wait_for(&format!("Start a{choice}"), LIMIT);
        terminal.send("y\n");
        terminal.wait_for("S01a start", LIMIT);
        terminal.wait_for(&format!("Start b{choice}"), LIMIT);
        terminal.send("what\n");
        terminal.wait_for(&format!("Start b{choice}"), LIMIT);
        terminal.send("n\n");
        terminal.wait_for("[skip] not wanted", LIMIT);
        terminal.wait_for(&format!("Start c{choice}"), LIMIT);
        terminal.send("c\n");
        terminal.wait_for("S03c start", LIMIT);
        terminal.wait_for("S04d start", LIMIT);
        terminal.wait_for("rc: 4 scripts in", LIMIT);
        assert!(!terminal.transcript().contains("S02b start"));
        rc.wait().unwrap();
    }
}

#[test]
fn where_nobody_can_answer_nobody_is_waited_for() {
    let root = with("CONFIRM=yes\n");
    root.echo("a", &["rc3.d/S01a"]).echo("b", &["rc3.d/S02b"]);
    let shown = succeeded(&mut root.rc(&["3"])).stdout;
    let shown = String::from_utf8(shown).unwrap();
    assert!(
        shown.contains("S01a start") && shown.contains("S02b start"),
        "{shown}"
    );
}

#[test]
fn a_dry_run_shows_deadlines_and_what_each_script_waits_for() {
    let root = with("DEADLINE=2m\nPARALLEL=yes\n");
    let header = |name: &str, more: &str| {
        format!("### BEGIN INIT INFO\n# Provides: {name}\n{more}\n### END INIT INFO\n")
    };
    root.script("a", &header("a", "# X-Timeout: 10"), &["rc3.d/S01a"])
        .script("b", &header("b", "# Required-Start: a"), &["rc3.d/S02b"])
        .script("c", &header("c", "# X-Interactive: true"), &["rc3.d/S03c"]);
    let folder = root.path().join("etc/rc3.d");
    let folder = folder.display();
    assert_eq!(
        stdout(&mut root.rc(&["-n", "3"])),
        format!(
            "{folder}/S01a start # at once; deadline 10 s\n\
             {folder}/S02b start # after a; deadline 120 s\n\
             {folder}/S03c start # at once; interactive\n"
        )
    );
}

//! What signals do to `rc`, to the script at hand, and to what comes after it.

use super::support::pty::Pty;
use super::{Root, marked, message, stdout};
use nix::sys::signal::{Signal, kill, killpg};
use nix::unistd::Pid;
use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// What takes longer hangs.
const LIMIT: Duration = Duration::from_secs(20);

/// Starts `rc 3` as the leader of a process group and waits for the first line of its script at hand.
fn started(root: &Root) -> (Child, BufReader<impl Read>) {
    let mut rc = root
        .rc(&["3"])
        .process_group(0)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(rc.stdout.take().unwrap());
    let mut line = Vec::new();
    // The end of a line is shown when more comes or the script ends.
    output.read_until(b'y', &mut line).unwrap();
    assert_eq!(line, b"ready");
    (rc, output)
}

fn pid(child: &Child) -> Pid {
    Pid::from_raw(child.id().cast_signed())
}

#[test]
fn ctrl_c_ends_the_script_at_hand_and_no_more() {
    let root = Root::new();
    root.script("long", "echo ready; exec sleep 60", &["rc3.d/S01long"])
        .echo("next", &["rc3.d/S02next"]);
    let mut terminal = Pty::open();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("ready", LIMIT);
    terminal.send("\x03");
    terminal.wait_for("S02next start", LIMIT);
    terminal.wait_for("rc: 2 scripts, 1 failed: long (interrupted)", LIMIT);
    assert_eq!(rc.wait().unwrap().code(), Some(0));
}

#[test]
fn ctrl_z_does_not_suspend_a_boot() {
    let root = Root::new();
    root.script(
        "long",
        "trap 'resumed=yes' CONT; echo ready; until [ \"$resumed\" ]; do sleep 0.05; done; echo resumed",
        &["rc3.d/S01long"],
    );
    let mut terminal = Pty::open();
    // A shell with job control: without one in the session the kernel would suspend nothing.
    let rc = root.rc(&["3"]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", "set -m; \"$@\"; echo shell sees $?", "sh"])
        .arg(rc.get_program())
        .args(rc.get_args());
    let mut shell = terminal.spawn(&shell);
    terminal.wait_for("ready", LIMIT);
    terminal.send("\x1a");
    terminal.wait_for("resumed", LIMIT);
    terminal.wait_for("shell sees 0", LIMIT);
    shell.wait().unwrap();
}

#[test]
fn term_is_handed_on_and_nothing_more_is_run() {
    let root = Root::new();
    root.script(
        "long",
        "trap 'echo asked to end; exit 1' TERM; echo ready; while :; do sleep 0.05; done",
        &["rc3.d/S01long"],
    )
    .echo("next", &["rc3.d/S02next"])
    .echo("after", &["rc3.d/S03after"]);
    let (rc, mut output) = started(&root);
    kill(pid(&rc), Signal::SIGTERM).unwrap();
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    let ended = rc.wait_with_output().unwrap();
    // The shell says what has become of the child it waited for.
    let rest = rest.trim_start().trim_start_matches("Terminated\n");
    assert_eq!(rest, marked("asked to end", "skip] stopped"));
    assert_eq!(ended.status.code(), Some(143));
    assert_eq!(
        message(&ended),
        "rc: ended during long; 2 scripts not run\n"
    );
}

#[test]
fn term_during_the_last_script_is_nothing_to_speak_of() {
    let root = Root::new();
    root.script("single", "echo ready; exec sleep 60", &["rc3.d/S01single"]);
    let (rc, _output) = started(&root);
    kill(pid(&rc), Signal::SIGTERM).unwrap();
    let ended = rc.wait_with_output().unwrap();
    assert_eq!((ended.status.code(), message(&ended)), (Some(143), ""));
}

#[test]
fn kill_to_the_group_leaves_nothing_of_a_script_that_does_not_heed_term() {
    let root = Root::new();
    root.script(
        "stubborn",
        "trap 'echo never' TERM; echo ready; while :; do sleep 0.05; done",
        &["rc3.d/S01stubborn"],
    );
    let (mut rc, mut output) = started(&root);
    killpg(pid(&rc), Signal::SIGTERM).unwrap();
    let mut said = Vec::new();
    output.read_until(b'v', &mut said).unwrap();
    assert!(said.ends_with(b"nev"), "{}", said.escape_ascii());
    assert!(rc.try_wait().unwrap().is_none(), "rc waits for its script");
    killpg(pid(&rc), Signal::SIGKILL).unwrap();
    // The end of the pipe: nobody is left who could write to it.
    let mut rest = String::new();
    output.read_to_string(&mut rest).unwrap();
    assert_eq!(rc.wait().unwrap().signal(), Some(9));
}

#[test]
fn kill_passes_over_what_a_script_that_has_ended_has_left() {
    let root = Root::new();
    let file = root.path().join("daemon");
    let leave = format!("sleep 60 >/dev/null 2>&1 & echo $! >{}", file.display());
    root.script("daemon", &leave, &["rc3.d/S01daemon"]).script(
        "long",
        "echo ready; sleep 60",
        &["rc3.d/S02long"],
    );
    let mut rc = root
        .rc(&["3"])
        .process_group(0)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut output = BufReader::new(rc.stdout.take().unwrap());
    output.read_until(b'y', &mut Vec::new()).unwrap();
    kill(pid(&rc), Signal::SIGKILL).unwrap();
    output.read_to_end(&mut Vec::new()).unwrap();
    rc.wait().unwrap();
    let daemon = fs::read_to_string(file).unwrap();
    let daemon = Pid::from_raw(daemon.trim().parse().unwrap());
    kill(daemon, Signal::SIGTERM).expect("it runs on");
}

#[test]
fn a_script_leads_a_group_in_the_foreground_and_ctrl_c_reaches_all_of_it() {
    let root = Root::new();
    // proc(5): the number, the name, the state, the parent, then group, session, terminal, its foreground group.
    root.script(
        "group",
        "read -r own _ _ _ group _ _ front _ </proc/$$/stat
         [ $own = $group ] && [ $own = $front ] && echo foreground
         sh -c 'trap \"echo child too; exit\" INT; echo ready; while :; do sleep 0.05; done'; :",
        &["rc3.d/S01group"],
    )
    .echo("next", &["rc3.d/S02next"]);
    let mut terminal = Pty::open();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("foreground", LIMIT);
    terminal.wait_for("ready", LIMIT);
    terminal.send("\x03");
    terminal.wait_for("child too", LIMIT);
    terminal.wait_for("[fail] interrupted", LIMIT);
    terminal.wait_for("S02next start", LIMIT);
    rc.wait().unwrap();
}

#[test]
fn a_process_that_a_script_leaves_in_the_background_is_not_waited_for() {
    let root = Root::new();
    root.script(
        "daemon",
        "sleep 60 >/dev/null 2>&1 & echo $!",
        &["rc3.d/S01daemon"],
    );
    let daemon = stdout(&mut root.rc(&["3"]));
    let daemon = Pid::from_raw(daemon.trim().parse().unwrap());
    kill(daemon, Signal::SIGTERM).expect("it runs on");
}

/// The signals that a script finds blocked and ignored, as bits, when rc was started with `ignored` ignored.
fn signals_of_a_script(ignored: &str) -> Vec<u64> {
    // The C library keeps 32 and 33 for itself and lets nobody set them, so they are as this test was started with.
    const OF_THE_C_LIBRARY: u64 = 0b11 << 31;
    let root = Root::new();
    let report = "exec sed -n 's/^Sig\\(Blk\\|Ign\\):\\t*//p' /proc/self/status";
    root.script("report", report, &["rc3.d/S01report"]);
    let rc = root.rc(&["3"]);
    let mut shell = Command::new("sh");
    shell
        .args(["-c", &format!("trap '' {ignored}; exec \"$@\""), "sh"])
        .arg(rc.get_program())
        .args(rc.get_args());
    stdout(&mut shell)
        .lines()
        .map(|line| u64::from_str_radix(line, 16).unwrap() & !OF_THE_C_LIBRARY)
        .collect()
}

#[test]
fn scripts_have_no_signal_blocked_or_ignored() {
    assert_eq!(
        signals_of_a_script("INT QUIT TERM TSTP PIPE CHLD USR1 37"),
        [0, 0]
    );
}

#[test]
fn nohup_holds_for_scripts_too() {
    assert_eq!(signals_of_a_script("HUP INT"), [0, 1]);
}

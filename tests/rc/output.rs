//! What scripts say on its way through `rc`: to a pipe, to a terminal, and after the script has ended.

use super::support::pty::Pty;
use super::support::{Deadline, wait_until};
use super::{Root, marked, messages, succeeded};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use std::fs::{self, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{ChildStdout, Command, Stdio};
use std::time::Duration;

/// What takes longer hangs.
const LIMIT: Duration = Duration::from_secs(30);

fn shown(root: &Root) -> String {
    let output = succeeded(&mut root.rc(&["3"]));
    String::from_utf8(output.stdout).unwrap()
}

fn fifo(root: &Root, name: &str) -> std::path::PathBuf {
    let path = root.path().join(name);
    nix::unistd::mkfifo(&path, nix::sys::stat::Mode::S_IRWXU).unwrap();
    path
}

/// Lets whoever reads from the FIFO go on, as soon as somebody does.
fn release(fifo: &Path) {
    let mut writing = OpenOptions::new();
    // Waiting in open(2) for a reader that does not come would be a hang.
    writing.write(true).custom_flags(libc::O_NONBLOCK);
    let mut fifo = wait_until(
        "somebody reads from the FIFO",
        LIMIT,
        || match writing.open(fifo) {
            Err(error) if error.raw_os_error() == Some(libc::ENXIO) => None,
            opened => Some(opened.unwrap()),
        },
        || fifo.display().to_string(),
    );
    fifo.write_all(b"go\n").unwrap();
}

/// Reads what is shown until it ends with `text`. Nothing may come behind it before the test lets somebody go on.
fn shown_until(output: &mut ChildStdout, text: &str) -> String {
    let deadline = Deadline::after(LIMIT);
    let mut shown = Vec::new();
    while !shown.ends_with(text.as_bytes()) {
        let left = deadline.left().unwrap_or_default();
        let left = PollTimeout::try_from(left).unwrap();
        let mut watched = [PollFd::new(output.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut watched, left).unwrap();
        let mut some = [0; 256];
        let count = if ready == 0 {
            0
        } else {
            output.read(&mut some).unwrap()
        };
        assert!(count > 0, "no {text:?} in:\n{}", shown.escape_ascii());
        shown.extend_from_slice(&some[..count]);
    }
    String::from_utf8(shown).unwrap()
}

#[test]
fn each_script_has_one_line_with_its_result() {
    let root = Root::new();
    root.script("quiet", ":", &["rc3.d/S01quiet"])
        .script(
            "one",
            "echo 'Starting cron daemon: cron.'",
            &["rc3.d/S02one"],
        )
        .script("part", "printf part; exit 3", &["rc3.d/S03part"])
        .script("crash", "kill -SEGV $$", &["rc3.d/S04crash"])
        .script("gone", "exit 5", &["rc3.d/S05gone"])
        .script("two", "echo first; echo second", &["rc3.d/S06two"]);
    let expected = [
        marked("Starting quiet", " ok ]"),
        marked("Starting cron daemon: cron.", " ok ]"),
        marked("part", "fail] exit 3"),
        marked("Starting crash", "fail] killed by SIGSEGV"),
        marked("Starting gone", "skip] not installed"),
        "first\n".to_owned(),
        marked("second", " ok ]"),
    ];
    assert_eq!(shown(&root), expected.concat());
}

#[test]
fn a_mark_of_the_script_itself_is_enough() {
    let root = Root::new();
    let functions = concat!(env!("CARGO_MANIFEST_DIR"), "/init.d/functions");
    let body = format!(
        ". {functions}\nbegin 'Starting x'; ok 'pid 1'; note 'and more'\nbegin 'Starting y'; fail why; exit $failed"
    );
    root.script("own", &body, &["rc3.d/S01own"]);
    assert_eq!(
        shown(&root),
        [
            &marked("Starting x", " ok ] pid 1"),
            "    and more\n",
            &marked("Starting y", "fail] why")
        ]
        .concat()
    );
}

#[test]
fn both_outputs_of_a_script_keep_their_order() {
    let root = Root::new();
    root.script(
        "both",
        "for i in 1 2 3; do echo out $i; echo err $i >&2; done",
        &["rc3.d/S01both"],
    );
    assert_eq!(
        shown(&root),
        format!(
            "out 1\nerr 1\nout 2\nerr 2\nout 3\n{}",
            marked("err 3", " ok ]")
        )
    );
}

#[test]
fn a_prompt_is_shown_at_once_and_answered_at_the_console() {
    for shell in ["dash", "busybox sh"] {
        let root = Root::new();
        root.script(
            "ask",
            &format!("exec {shell} -c 'printf \"Passphrase: \"; read -r word; echo \"got $word\"'"),
            &["rc3.d/S01ask"],
        );
        let mut terminal = Pty::open();
        let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
        terminal.wait_for("Passphrase: ", LIMIT);
        terminal.send("secret\n");
        terminal.wait_for("got secret .", LIMIT);
        terminal.wait_for("[ ok ]\r\nrc: 1 script in", LIMIT);
        assert_eq!(rc.wait().unwrap().code(), Some(0));
    }
}

#[test]
fn scripts_on_a_terminal_find_one_of_the_same_size() {
    let root = Root::new();
    root.script(
        "size",
        "[ -t 1 ] && [ -t 2 ] && stty size <&1",
        &["rc3.d/S01size"],
    );
    let mut terminal = Pty::open();
    let set = Command::new("stty")
        .args(["rows", "33", "cols", "77"])
        .stdin(terminal.stdio())
        .status();
    assert!(set.unwrap().success());
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("33 77 ...", LIMIT);
    rc.wait().unwrap();
}

#[test]
fn a_size_that_a_script_has_set_is_that_of_the_next_ones_terminal() {
    let root = Root::new();
    let mut terminal = Pty::open();
    let set = format!("stty rows 33 cols 77 <{}", terminal.path().display());
    root.script("set", &set, &["rc3.d/S01set"])
        .script("size", "stty size <&1", &["rc3.d/S02size"]);
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("33 77 ...", LIMIT);
    rc.wait().unwrap();
}

#[test]
fn settings_that_a_script_leaves_are_not_those_of_a_later_ones_terminal() {
    let root = Root::new();
    root.script("sane", "stty sane <&1", &["rc3.d/S01sane"])
        .script("between", ":", &["rc3.d/S02between"])
        .script(
            "raw",
            "case $(stty -a <&2) in *-opost*) echo as it was ;; esac",
            &["rc3.d/S03raw"],
        );
    let mut terminal = Pty::open();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("as it was ...", LIMIT);
    rc.wait().unwrap();
}

/// A script that talks to whoever sits at the console.
fn talking(body: &str) -> String {
    format!("### BEGIN INIT INFO\n# X-Interactive: true\n### END INIT INFO\n{body}")
}

#[test]
fn an_interactive_script_has_the_console_itself() {
    let root = Root::new();
    let body = "tty; tty <&1; tty <&2; printf 'Who? '; read -r who; echo \"hello $who\"";
    root.script("talk", &talking(body), &["rc3.d/S01talk"])
        .script("wrong", &talking("exit 3"), &["rc3.d/S02wrong"])
        .echo("next", &["rc3.d/S03next"]);
    let mut terminal = Pty::open();
    let path = terminal.path().display().to_string();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    for _ in 0..3 {
        terminal.wait_for(&format!("{path}\r\n"), LIMIT);
    }
    terminal.wait_for("Who? ", LIMIT);
    terminal.send("you\n");
    // What it has shown is not known, so it gets no line of rc's unless it fails.
    terminal.wait_for("hello you\r\nStarting wrong ", LIMIT);
    terminal.wait_for("[fail] exit 3\r\nS03next start", LIMIT);
    rc.wait().unwrap();
}

#[test]
fn what_hangs_is_named_while_it_hangs() {
    let root = Root::new();
    let go = fifo(&root, "go");
    root.script(
        "slow",
        &format!("read -r _ <{}; echo done", go.display()),
        &["rc3.d/S01slow"],
    );
    let mut terminal = Pty::open();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("Starting slow .......", LIMIT);
    release(&go);
    terminal.wait_for("\r\ndone .......", LIMIT);
    rc.wait().unwrap();
}

/// A daemon that is started without closing its output, and says something when it is told to.
fn with_daemon(root: &Root) -> (std::path::PathBuf, std::path::PathBuf) {
    let (go, witness) = (fifo(root, "go"), root.path().join("witness"));
    root.script(
        "daemon",
        &format!(
            "echo up; (read -r _ <{}; echo late words; echo lived >{}) &",
            go.display(),
            witness.display()
        ),
        &["rc3.d/S01daemon"],
    );
    (go, witness)
}

#[test]
fn a_daemon_that_holds_its_output_lives_and_is_heard_after_rc_has_ended() {
    let root = Root::new();
    let (go, witness) = with_daemon(&root);
    let mut terminal = Pty::open();
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    terminal.wait_for("rc: 1 script in", LIMIT);
    assert_eq!(rc.wait().unwrap().code(), Some(0));
    release(&go);
    terminal.wait_for("late words\r\n", LIMIT);
    // Nobody holds the terminal when the daemon has ended.
    terminal.wait_for_end(LIMIT);
    assert_eq!(fs::read_to_string(witness).unwrap(), "lived\n");
}

#[test]
fn a_daemon_that_speaks_during_a_later_script_gets_a_line_of_its_own() {
    let root = Root::new();
    let (go, witness) = with_daemon(&root);
    let go_on = fifo(&root, "go_on");
    let next = format!(
        "printf begun; read -r _ <{}; echo ' ended'",
        go_on.display()
    );
    root.script("next", &next, &["rc3.d/S02next"]);
    let mut rc = root.rc(&["3"]);
    rc.stdout(Stdio::piped()).stderr(Stdio::null());
    let mut rc = rc.spawn().unwrap();
    let mut output = rc.stdout.take().unwrap();
    let shown = shown_until(&mut output, "begun");
    assert_eq!(shown, [&marked("up", " ok ]"), "begun"].concat());
    // It speaks while the other one's line is open, and that one ends it when both were seen.
    release(&go);
    assert_eq!(shown_until(&mut output, "words\n"), "\nlate words\n");
    release(&go_on);
    let end = marked(" ended", " ok ]");
    shown_until(&mut output, &end);
    assert_eq!(rc.wait().unwrap().code(), Some(0));
    let lived = || fs::read(&witness).ok().filter(|text| text == b"lived\n");
    wait_until("the daemon lives", LIMIT, lived, String::new);
}

#[test]
fn a_console_that_is_stopped_stops_no_boot() {
    let root = Root::new();
    root.script("first", "echo first", &["rc3.d/S01first"])
        .script(
            "loud",
            "head -c 300000 /dev/zero | tr '\\0' x",
            &["rc3.d/S02loud"],
        );
    let terminal = Pty::open();
    terminal.send("\x13");
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    let ended = wait_until(
        "the end of rc",
        Duration::from_secs(60),
        || rc.try_wait().unwrap(),
        || terminal.transcript(),
    );
    assert_eq!(ended.code(), Some(0));
}

#[test]
fn what_a_console_has_missed_is_counted() {
    let root = Root::new();
    let (go, go_on) = (fifo(&root, "go"), fifo(&root, "go_on"));
    root.script(
        "loud",
        &format!(
            "head -c 300000 /dev/zero | tr '\\0' x; read -r _ <{}; read -r _ <{}",
            go.display(),
            go_on.display()
        ),
        &["rc3.d/S01loud"],
    );
    let mut terminal = Pty::open();
    terminal.send("\x13");
    let mut rc = terminal.spawn(root.rc(&["3"]).env("TERM", "dumb"));
    // The script opens it only when all that it has said was taken.
    release(&go);
    terminal.send("\x11");
    terminal.wait_for("bytes were not shown here)", LIMIT);
    // Ending before that, it would end rc as well, which waits for no console that is stopped.
    release(&go_on);
    terminal.wait_for("[ ok ]", LIMIT);
    rc.wait().unwrap();
}

#[test]
fn rc_outlives_the_reader_of_its_output() {
    let root = Root::new();
    let witness = root.path().join("witness");
    root.script("loud", "yes | head -c 200000; :", &["rc3.d/S01loud"])
        .script(
            "next",
            &format!("echo ran >{}", witness.display()),
            &["rc3.d/S02next"],
        );
    let mut rc = root
        .rc(&["3"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(rc.stdout.take());
    let output = rc.wait_with_output().unwrap();
    assert_eq!(output.status.code(), Some(0));
    assert_eq!(messages(&output), ["rc: 2 scripts in"]);
    assert_eq!(fs::read_to_string(witness).unwrap(), "ran\n");
}

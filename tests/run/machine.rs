//! One machine after the other: boot, use, reboot, power off, and every way to leave.

use std::fs;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::signal::{Signal, kill};
use nix::unistd::{Pid, Uid};

use crate::session::{Process, Session, output, wait_until_gone};

/// The launcher behind `make run`, built once.
fn launcher() -> &'static str {
    static BUILT: OnceLock<String> = OnceLock::new();
    BUILT.get_or_init(|| {
        let (status, text) =
            output(Command::new(env!("CARGO")).args(["build", "--locked", "--example", "machine"]));
        assert!(status.success(), "{text}");
        let tests = std::env::current_exe().unwrap();
        let built = tests.parent().unwrap().with_file_name("examples/machine");
        built.to_str().unwrap().to_owned()
    })
}

/// The small system, made anew once where a source of it has changed.
fn small_root() -> &'static str {
    static MADE: OnceLock<()> = OnceLock::new();
    assert!(
        Uid::effective().is_root(),
        "these tests make users and namespaces: run them as root"
    );
    MADE.get_or_init(|| {
        let testbed = concat!(env!("CARGO_MANIFEST_DIR"), "/target/testbed");
        fs::create_dir_all(testbed).unwrap();
        // Other tests want it made as well.
        let (status, text) = output(
            Command::new("flock")
                .arg(format!("{testbed}/lock"))
                .args(["make", "-s", "target/testbed/initramfs.gz"])
                .arg("target/testbed/kernel/vmlinuz")
                .env_remove("MAKEFLAGS"),
        );
        assert!(status.success(), "{text}");
    });
    concat!(env!("CARGO_MANIFEST_DIR"), "/target/testbed/small-root")
}

/// A machine of its own for one test, with somebody at its console.
pub(crate) fn machine(words: &[&str]) -> Session {
    Session::start(&[&[launcher(), small_root()], words].concat())
}

/// Does at the shell what everybody does first: runlevels and a service.
fn look_around(session: &mut Session) {
    assert_eq!(session.run("runlevel"), ("N 3\n".into(), 0));

    let shell = session.run("echo $$").0;
    session.type_line("telinit 4");
    session.expect("Switching to runlevel: 4");
    // The last script of the level and the last words of rc, which would stand among the answers to come.
    session.expect("Running /etc/rc.local");
    session.expect("\nrc: ");
    session.expect("\n");
    session.type_line("");
    session.expect("# ");
    assert_eq!(session.run("runlevel"), ("3 4\n".into(), 0));
    assert_eq!(session.run("echo $$").0, shell, "another login shell");

    for (action, status) in [
        ("status", 0),
        ("stop", 0),
        ("status", 3),
        ("start", 0),
        ("status", 0),
        ("restart", 0),
        ("status", 0),
    ] {
        let (text, found) = session.run(&format!("/etc/init.d/crond {action}"));
        assert_eq!(found, status, "crond {action}: {text}");
    }
    let zombies = session.run("grep -ls 'Z (zombie)' /proc/[0-9]*/status").0;
    assert_eq!(zombies, "");
}

#[test]
fn make_run_boots_to_a_login_prompt_and_a_system_that_obeys() {
    small_root();
    let mut session = Session::start(&["make", "run"]);
    let before = session.settings();
    session.log_in();
    look_around(&mut session);
    session.type_line("poweroff");
    let status = session.end();
    assert!(status.success(), "{status}:\n{}", session.shown());
    assert_eq!(session.settings(), before, "the terminal is not as it was");
}

#[test]
fn make_qemu_boots_the_same_system_on_a_real_kernel() {
    small_root();
    let mut session = Session::start(&["make", "qemu"]);
    session.log_in();
    // A serial line does not know how wide its terminal is.
    session.run("stty columns 250");
    look_around(&mut session);
    session.type_line("reboot");
    session.expect("reboot: Restarting system");
    session.log_in();
    session.type_line("poweroff");
    session.expect("reboot: Power down");
    let status = session.end();
    assert!(status.success(), "{status}:\n{}", session.shown());
    assert!(!session.shown().contains("Kernel panic"));
}

#[test]
fn reboot_boots_again_with_the_files_as_they_were_left() {
    let mut session = machine(&[]);
    session.log_in();
    assert_eq!(session.run("echo kept > /root/note").1, 0);
    session.type_line("reboot");
    session.log_in();
    assert_eq!(session.run("cat /root/note"), ("kept\n".into(), 0));
    assert_eq!(session.run("runlevel"), ("N 3\n".into(), 0));
    session.type_line("poweroff");
    assert!(session.end().success(), "{}", session.shown());
}

#[test]
fn closing_the_terminal_leaves_no_process_behind() {
    let mut session = machine(&[]);
    session.log_in();
    session.run("sleep 1000 & (nohup sleep 1001 >/dev/null 2>&1 &)");
    let processes = Process::tree(session.child.id());
    assert!(processes.len() >= 7, "{processes:?}");
    session.close();
    wait_until_gone(&processes[1..]);
    let status = session.child.wait().unwrap();
    assert!(!status.success(), "{status}");
}

#[test]
fn the_escape_keys_pull_the_plug_and_give_the_terminal_back() {
    let mut session = machine(&[]);
    let before = session.settings();
    session.log_in();
    let processes = Process::tree(session.child.id());
    session.type_text("\x1d\x1d\x1d");
    assert_eq!(session.end().code(), Some(1));
    assert_eq!(session.settings(), before);
    wait_until_gone(&processes);
}

#[test]
fn the_machine_has_the_size_of_the_window() {
    let mut session = machine(&[]);
    session.log_in();
    let size = "stty size </dev/console";
    assert_eq!(session.run(size).0, "40 250\n");
    session.resize(30, 200);
    // The launcher has to hear of it first.
    let wait = "until [ \"$(stty size </dev/console)\" = '30 200' ]; do usleep 20000; done";
    assert_eq!(session.run(wait).1, 0);
    session.type_line("poweroff -f");
    assert!(session.end().success());
}

#[test]
fn a_pipe_is_typed_at_the_prompts_and_its_end_changes_nothing() {
    let mut child = Command::new("timeout")
        .args(["120", launcher(), small_root()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut input = child.stdin.take().unwrap();
    input
        .write_all(b"root\nrunlevel\necho $((6*7))\npoweroff\n")
        .unwrap();
    drop(input);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success(), "{}:\n{text}", output.status);
    assert!(text.contains("\r\nN 3\r\n"), "{text}");
    assert!(text.contains("\r\n42\r\n"), "{text}");
}

#[test]
fn without_any_input_it_runs_until_it_is_told_to_end() {
    let mut child = Command::new(launcher())
        .arg(small_root())
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let mut shown = Vec::new();
    let mut stdout = child.stdout.take().unwrap();
    while !String::from_utf8_lossy(&shown).contains("login: ") {
        let mut watched = [PollFd::new(stdout.as_fd(), PollFlags::POLLIN)];
        let ready = poll(&mut watched, PollTimeout::from(60_000_u16)).unwrap();
        let mut some = [0; 256];
        let length = if ready == 0 {
            0
        } else {
            stdout.read(&mut some).unwrap()
        };
        if length == 0 {
            child.kill().unwrap();
            panic!("no prompt: {}", String::from_utf8_lossy(&shown));
        }
        shown.extend_from_slice(&some[..length]);
    }
    let processes = Process::tree(child.id());
    kill(
        Pid::from_raw(i32::try_from(child.id()).unwrap()),
        Signal::SIGTERM,
    )
    .unwrap();
    let status = child.wait().unwrap();
    assert_eq!((status.code(), status.signal()), (Some(143), None));
    wait_until_gone(&processes);
}

#[test]
fn a_launcher_that_is_killed_takes_its_machine_with_it() {
    let mut session = machine(&[]);
    session.log_in();
    let processes = Process::tree(session.child.id());
    session.child.kill().unwrap();
    session.child.wait().unwrap();
    wait_until_gone(&processes);
}

/// The small system and the launcher in a place that an ordinary user can read, owned by that user.
fn lend(place: &Path, owner: &str) -> (PathBuf, PathBuf) {
    let (root, program) = (place.join("root"), place.join("machine"));
    for (from, to) in [(small_root(), &root), (launcher(), &program)] {
        let (status, text) = output(Command::new("cp").args(["-a", from]).arg(to));
        assert!(status.success(), "{text}");
    }
    let (status, text) = output(Command::new("chown").args(["-R", owner]).arg(place));
    assert!(status.success(), "{text}");
    (root, program)
}

/// Logs in, looks around, and powers off, as a user who is nobody special.
fn use_as(user: &[&str], root: &Path, program: &Path) {
    let machine = [program.to_str().unwrap(), root.to_str().unwrap()];
    let mut session = Session::start(&[user, &machine].concat());
    session.log_in();
    assert_eq!(session.run("id -u"), ("0\n".into(), 0));
    assert_eq!(session.run("runlevel"), ("N 3\n".into(), 0));
    session.type_line("poweroff");
    let status = session.end();
    assert!(status.success(), "{status}:\n{}", session.shown());
}

#[test]
fn an_ordinary_user_without_further_ids_boots_logs_in_and_powers_off() {
    // A user id that has no account, and so nothing in /etc/subuid.
    let place = tempfile::tempdir().unwrap();
    let (root, program) = lend(place.path(), "54321:54321");
    let user = [
        "setpriv",
        "--reuid=54321",
        "--regid=54321",
        "--clear-groups",
    ];
    use_as(&user, &root, &program);
}

/// An account for one test.
struct Account(String);

impl Account {
    fn make() -> Self {
        let name = format!("machine{}", std::process::id());
        let (status, text) = output(Command::new("useradd").args(["--no-create-home", &name]));
        assert!(status.success(), "{text}");
        Self(name)
    }
}

impl Drop for Account {
    fn drop(&mut self) {
        // userdel takes the ranges in /etc/subuid and /etc/subgid away as well.
        output(Command::new("userdel").arg(&self.0));
    }
}

#[test]
fn an_ordinary_user_with_subordinate_ids_gets_them_all() {
    let account = Account::make();
    let granted = fs::read_to_string("/etc/subuid").unwrap_or_default();
    assert!(
        granted.contains(&format!("{}:", account.0)),
        "useradd gave no subordinate ids: {granted}"
    );
    let place = tempfile::tempdir().unwrap();
    let (root, program) = lend(place.path(), &format!("{}:", account.0));
    let user = [
        "setpriv",
        "--reuid",
        &account.0,
        "--regid",
        &account.0,
        "--init-groups",
    ];
    use_as(&user, &root, &program);
    let machine = [program.to_str().unwrap(), root.to_str().unwrap()];
    let mut session = Session::start(&[&user[..], &machine].concat());
    session.log_in();
    assert_eq!(session.run("su nobody -s /bin/sh -c 'id -u'").0, "65534\n");
    session.type_line("poweroff -f");
    assert!(session.end().success());
}

#[test]
fn forbidden_user_namespaces_are_named_with_the_command_that_allows_them() {
    // The limit is set in a user namespace made for it, and holds nowhere else.
    let script = "echo 0 >/proc/sys/user/max_user_namespaces; exec \"$@\"";
    let (status, text) = output(
        Command::new("unshare")
            .args(["--user", "--map-root-user", "sh", "-c", script, "sh"])
            .args([launcher(), small_root()]),
    );
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(
        text.contains("user namespaces are forbidden here")
            && text.contains("sysctl -w user.max_user_namespaces="),
        "{text}"
    );
}

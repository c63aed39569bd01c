//! `init -- COMMAND`: its status, its signals, what it leaves behind.

use crate::bundle::{BOTH, Bundle, Runtime};
use crate::support::LIMIT;
use crate::support::pty::Pty;

/// Waits until nobody but init and the shell is left, and says so.
const ALONE: &str = "while set -- /proc/[0-9]*; [ $# -gt 2 ]; do usleep 10000; done; echo alone";

fn command(runtime: Runtime, script: &str) -> Bundle {
    Bundle::new(runtime, &["--no-rc", "--", "sh", "-c", script])
}

#[test]
fn the_status_of_the_command_is_the_containers() {
    for runtime in BOTH {
        assert_eq!(command(runtime, "exit 7").run(), (String::new(), 7));
        let (said, status) = command(runtime, "echo last words; kill -9 $$").run();
        assert_eq!((said.as_str(), status), ("last words\n", 137));
        let (_, status) = command(runtime, "kill -15 $$").run();
        assert_eq!(status, 143);
    }
}

#[test]
fn every_exit_code_reaches_the_manager() {
    for code in 0..=255 {
        let (said, status) = command(Runtime::Crun, &format!("exit {code}")).run();
        assert_eq!((said.as_str(), status), ("", code));
    }
}

#[test]
fn a_command_that_is_not_there_or_no_program_has_a_shells_code_and_is_named() {
    let (said, status) = Bundle::new(Runtime::Runc, &["--no-rc", "--", "/no/such"]).run();
    assert_eq!(said, "init: /no/such: No such file or directory\n");
    assert_eq!(status, 127);
    let (said, status) = Bundle::new(Runtime::Runc, &["--no-rc", "--", "/etc"]).run();
    assert_eq!(said, "init: /etc: Permission denied\n");
    assert_eq!(status, 126);
    let (said, status) = Bundle::new(Runtime::Runc, &["--no-rc", "--"]).run();
    assert_eq!((said.as_str(), status), ("init: no command behind --\n", 1));
}

#[test]
fn the_orphans_of_a_command_that_forks_twice_are_collected() {
    let script = format!(
        "for i in 1 2 3 4 5 6 7 8 9 10; do sh -c 'sh -c \"exit 3\" & sh -c \"usleep 1000\" &' ; done; {ALONE}"
    );
    for runtime in BOTH {
        let (said, status) = command(runtime, &script).run();
        assert_eq!((said.as_str(), status), ("alone\n", 0));
    }
}

#[test]
fn signals_reach_the_commands_whole_group() {
    let script = "
        sh -c 'trap \"echo child has USR1\" USR1; trap \"echo child has TERM; exit\" TERM
            echo child; while :; do usleep 10000; done' &
        trap 'echo command has USR1' USR1
        trap 'wait; echo command has TERM; exit 5' TERM
        echo command; while :; do usleep 10000; done";
    for runtime in BOTH {
        let mut container = command(runtime, script).start();
        container.wait_for("child\n");
        container.wait_for("command\n");
        container.kill("USR1");
        container.wait_for("command has USR1");
        container.wait_for("child has USR1");
        container.kill("TERM");
        assert_eq!(container.ended(), 5, "{}", container.said());
        assert!(container.said().contains("child has TERM"));
    }
}

#[test]
fn an_init_managers_stop_signal_is_term_to_the_command() {
    let script = "trap 'exit 6' TERM; echo ready; while :; do usleep 10000; done";
    for signal in ["37", "38", "PWR"] {
        let mut container = command(Runtime::Runc, script).start();
        container.wait_for("ready");
        container.kill(signal);
        assert_eq!(container.ended(), 6, "{signal}");
    }
}

#[test]
fn what_the_command_leaves_behind_is_asked_to_end() {
    let script = "
        setsid sh -c 'trap \"echo asked; exit\" TERM; echo daemon; : >/dev/shm/there
            while :; do usleep 10000; done' &
        until [ -e /dev/shm/there ]; do usleep 10000; done; exit 4";
    let (said, status) = command(Runtime::Runc, script).run();
    // Beside it the shell may say that its usleep was terminated, too.
    let lines = said.lines().filter(|line| *line != "Terminated");
    assert!(lines.eq(["daemon", "asked"]), "{said}");
    assert_eq!(status, 4);
}

#[test]
fn what_does_not_obey_is_killed_after_the_grace_time() {
    let script = "setsid sh -c 'trap \"\" TERM; echo deaf; : >/dev/shm/there; while :; do usleep 10000; done' &
        until [ -e /dev/shm/there ]; do usleep 10000; done; exit 4";
    let words = ["--no-rc", "--grace=1", "--", "sh", "-c", script];
    for runtime in BOTH {
        let (said, status) = Bundle::new(runtime, &words).run();
        assert_eq!((said.as_str(), status), ("deaf\n", 4));
    }
}

#[test]
fn without_an_inittab_there_are_no_rc_scripts_to_leave_out() {
    let (said, status) =
        Bundle::new(Runtime::Runc, &["--", "sh", "-c", "echo alone; exit 3"]).run();
    assert_eq!((said.as_str(), status), ("alone\n", 3));
}

#[test]
fn a_user_without_rights_can_run_a_command() {
    let (said, status) = command(
        Runtime::Runc,
        "cut -f2 -d: /proc/self/status | sed -n 9p; exit 3",
    )
    .with("\"uid\": 0", "\"uid\": 1000")
    .run();
    assert!(said.starts_with("\t1000\t1000"), "{said}");
    assert_eq!(status, 3);
}

#[test]
fn keys_at_the_terminal_reach_the_command_alone() {
    let mut terminal = Pty::open();
    let script = "trap 'echo got INT; exit 5' INT; echo ready; while :; do usleep 10000; done";
    let mut container = command(Runtime::Runc, script)
        .with_terminal()
        .start_on(&terminal);
    terminal.wait_for("ready", LIMIT);
    terminal.send("\u{3}");
    terminal.wait_for("got INT", LIMIT);
    assert_eq!(container.ended(), 5);
}

#[test]
fn a_shell_at_the_terminal_has_job_control() {
    let mut terminal = Pty::open();
    let mut container = command(Runtime::Runc, "exec sh -i")
        .with_terminal()
        .start_on(&terminal);
    terminal.wait_for("# ", LIMIT);
    terminal.send("echo $((6 * 7)); cat\n");
    terminal.wait_for("42", LIMIT);
    // cat has the terminal when it answers: the key means nothing to a shell that has not let go of it yet.
    terminal.send("purr\n");
    terminal.wait_for("purr", LIMIT);
    terminal.wait_for("purr", LIMIT);
    terminal.send("\u{1a}");
    terminal.wait_for("Stopped", LIMIT);
    terminal.send("kill -KILL %1\nexit 8\nexit 8\n");
    assert_eq!(container.ended(), 8, "{}", terminal.transcript());
}

#[test]
fn another_process_than_the_first_says_so_and_still_collects() {
    let inner = format!("(sh -c 'sh -c \"exit 1\" &'); {ALONE}; exit 9").replace("-gt 2", "-gt 4");
    let script = format!(
        "/sbin/init -- sh -c '{}'; echo status $?",
        inner.replace('\'', "'\\''")
    );
    let (said, _) = command(Runtime::Runc, &script).run();
    assert!(
        said.contains("runs no rc scripts, collects the orphans of its command only"),
        "{said}"
    );
    assert!(said.ends_with("alone\nstatus 9\n"), "{said}");
}

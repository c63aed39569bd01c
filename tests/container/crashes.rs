//! The first process of a container fails: what runs goes on, and the container ends as it would have.
//!
//! A crash that somebody asks for is SIGSEGV from outside. A build of init for the tests crashes by itself.

use crate::bundle::{BOTH, Bundle, Container, Runtime};
use crate::support::root::{Root, Subject, crashing_init};
use crate::support::tracing::Held;
use crate::support::{LIMIT, wait_until};
use crate::system::{all_were_stopped_in_order, system, up};
use nix::sys::signal::Signal;
use nix::sys::stat::Mode;

/// Says its process number when it begins and for each USR1, and ends with 6 on TERM.
const COMMAND: &str = "trap 'echo $$ has USR1' USR1; trap 'exit 6' TERM; echo command $$; while :; do usleep 5000; done";

/// Crashes it, and waits until init has gone on so often.
fn crash(container: &Container, times: usize) {
    container.crash();
    wait_until(
        "init goes on",
        LIMIT,
        || (times_gone_on(&container.said()) == times).then_some(()),
        || container.said(),
    );
}

fn times_gone_on(said: &str) -> usize {
    said.matches("SIGSEGV from outside").count()
}

/// The number that the command has said at its beginning.
fn command_of(container: &Container) -> String {
    container.wait_for("command ");
    let said = container.said();
    let line = said.lines().find_map(|line| line.strip_prefix("command "));
    line.unwrap().to_owned()
}

#[test]
fn services_go_on_through_crashes_and_are_stopped_in_order_afterwards() {
    for runtime in BOTH {
        let mut container = up(runtime);
        for times in 1..=5 {
            crash(&container, times);
        }
        container.kill("TERM");
        assert_eq!(container.ended(), 0, "{}", container.said());
        let said = container.said();
        all_were_stopped_in_order(&said);
        assert_eq!(said.matches("respawned\n").count(), 1, "{said}");
        assert_eq!(said.matches("service01 started").count(), 1, "{said}");
    }
}

#[test]
fn a_command_among_services_keeps_its_process_its_signals_and_its_status() {
    for runtime in BOTH {
        let mut container = system(runtime, &["--", "sh", "-c", COMMAND]).start();
        let command = command_of(&container);
        for times in 1..=3 {
            crash(&container, times);
            container.kill("USR1");
            let heard = format!("{command} has USR1\n");
            wait_until(
                "the command hears of USR1",
                LIMIT,
                || (container.said().matches(&heard).count() == times).then_some(()),
                || container.said(),
            );
        }
        container.kill("TERM");
        assert_eq!(container.ended(), 6, "{}", container.said());
        let said = container.said();
        all_were_stopped_in_order(&said);
        assert_eq!(said.matches("command ").count(), 1, "{said}");
    }
}

/// Whether it is kill(2) of this signal to a group.
fn signals_a_group(registers: &libc::user_regs_struct, signal: Signal) -> bool {
    // Both arguments fill half a register each.
    let [group, number] = [registers.rdi, registers.rsi].map(|word| word & 0xffff_ffff);
    registers.orig_rax.cast_signed() == libc::SYS_kill
        && group & 0x8000_0000 != 0
        && number.cast_signed() == i64::from(signal as i32)
}

#[test]
fn a_signal_is_passed_on_once_also_where_init_is_replaced_just_then() {
    let mut container = system(Runtime::Crun, &["--", "sh", "-c", COMMAND]).start();
    let command = command_of(&container);
    let heard = format!("{command} has USR1\n");
    let init = Held::take(container.pid().as_raw());
    container.kill("USR1");
    init.go_on_to_end_of(|call| signals_a_group(call, Signal::SIGUSR1));
    container.wait_for(&heard);
    container.crash();
    init.let_go();
    container.wait_for("SIGSEGV from outside");
    container.kill("TERM");
    assert_eq!(container.ended(), 6, "{}", container.said());
    let said = container.said();
    assert_eq!(said.matches(&heard).count(), 1, "{said}");
}

#[test]
fn a_command_that_is_alone_goes_on_and_gives_its_status() {
    for runtime in BOTH {
        let mut container = Bundle::new(runtime, &["--no-rc", "--", "sh", "-c", COMMAND]).start();
        let command = command_of(&container);
        for _ in 0..3 {
            container.crash();
        }
        container.kill("USR1");
        container.wait_for(&format!("{command} has USR1\n"));
        container.kill("TERM");
        assert_eq!(container.ended(), 6, "{}", container.said());
    }
}

#[test]
fn a_command_that_ends_while_init_is_replaced_still_gives_its_status() {
    for _ in 0..10 {
        let table = "id:3:initdefault:\nr:3:respawn:/bin/sleep 1003\n";
        let root = Root::new(Subject::Ours);
        root.write("/etc/inittab", table);
        let go = root.at("/tmp/go");
        nix::unistd::mkfifo(&go, Mode::S_IRWXU).unwrap();
        let words = ["--", "sh", "-c", "echo ready; read line </tmp/go; exit 9"];
        let mut container = Bundle::on(Runtime::Crun, root, &words).start();
        container.wait_for("ready\n");
        container.crash();
        std::fs::write(go, "\n").unwrap();
        assert_eq!(container.ended(), 9, "{}", container.said());
    }
}

/// Has init crash so often that only the minimal one is left.
fn only_the_minimal_init_is_left(container: &Container) {
    let root = container.root();
    root.write("/run/crash-now.new", "panic Signalled(Signal(10)) always");
    std::fs::rename(root.at("/run/crash-now.new"), root.at("/run/crash-now")).unwrap();
    container.kill("USR1");
    container.wait_for("crashed twice over this");
    container.kill("USR1");
    container.wait_for("only the gettys are kept");
}

#[test]
fn the_minimal_init_obeys_the_manager() {
    for (signal, level, status) in [
        ("TERM", "0", 0),
        ("INT", "0", 0),
        ("PWR", "0", 0),
        ("37", "0", 0),
        ("38", "0", 0),
        ("39", "6", 133),
    ] {
        let root = Root::new(Subject::Ours);
        let table = "id:3:initdefault:\nl0:0:wait:/bin/down\nl6:6:wait:/bin/down\nr:3:respawn:/bin/respawned\n";
        root.write("/etc/inittab", table);
        root.script("/bin/down", "echo level $RUNLEVEL; exec /sbin/halt -d -f");
        root.script("/bin/respawned", "echo respawned; exec sleep 1003");
        root.install(crashing_init(), "/sbin/init");
        let mut container = Bundle::on(Runtime::Crun, root, &[]).start();
        container.wait_for("respawned\n");
        only_the_minimal_init_is_left(&container);
        container.kill(signal);
        assert_eq!(container.ended(), status, "{signal}: {}", container.said());
        let said = container.said();
        assert!(said.contains(&format!("level {level}\n")), "{said}");
    }
}

#[test]
fn the_minimal_init_passes_signals_and_status_of_a_command_on() {
    let root = Root::new(Subject::Ours);
    root.write(
        "/etc/inittab",
        "id:3:initdefault:\nl0:0:wait:/bin/echo down\n",
    );
    root.install(crashing_init(), "/sbin/init");
    let words = ["--", "sh", "-c", COMMAND];
    let mut container = Bundle::on(Runtime::Crun, root, &words).start();
    let command = command_of(&container);
    only_the_minimal_init_is_left(&container);
    container.kill("USR1");
    container.wait_for(&format!("{command} has USR1\n"));
    container.kill("TERM");
    assert_eq!(container.ended(), 6, "{}", container.said());
    assert!(container.said().contains("down\n"), "{}", container.said());
}

#[test]
fn a_command_that_nobody_would_start_any_more_ends_the_container() {
    let root = Root::new(Subject::Ours);
    let table = "id:3:initdefault:\nl3:3:wait:/bin/waited\nl0:0:wait:/bin/echo down\n";
    root.write("/etc/inittab", table);
    root.script("/bin/waited", "echo waited for; exec sleep 1003");
    root.install(crashing_init(), "/sbin/init");
    let words = ["--", "sh", "-c", "echo the command runs"];
    let mut container = Bundle::on(Runtime::Crun, root, &words).start();
    container.wait_for("waited for\n");
    only_the_minimal_init_is_left(&container);
    assert_eq!(container.ended(), 255, "{}", container.said());
    let said = container.said();
    assert!(said.contains("down\n"), "{said}");
    assert!(!said.contains("the command runs"), "{said}");
}

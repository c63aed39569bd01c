//! What init hands to the processes it starts: session, terminal, descriptors, signals, environment, words.

use crate::support::accounting::change_to;
use crate::support::namespace::{Plan, Process};
use crate::support::root::ours;
use crate::support::tracing::Held;
use std::fs;

/// A signal set of a process, without the two that libc keeps to itself: who starts the tests may ignore them, and
/// no program can change that.
fn signals(process: &Process, set: &str) -> u64 {
    u64::from_str_radix(&process.status(set), 16).unwrap() & !0x1_8000_0000
}

const SLEEPER: &str = "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1000\n";

#[test]
fn child_leads_a_session_without_terminal_and_holds_the_console_three_times() {
    let machine = Plan::new(SLEEPER).boot();
    let child = machine.process("/bin/sleep 1000");
    assert_eq!((child.session, child.group), (child.pid, child.pid));
    assert_eq!(child.terminal, 0);
    let descriptors = child.descriptors();
    assert_eq!(
        descriptors.keys().copied().collect::<Vec<_>>(),
        [0, 1, 2],
        "{descriptors:?}"
    );
    assert!(descriptors[&0].contains("/dev/"), "{descriptors:?}");
    assert!(
        descriptors.values().all(|one| *one == descriptors[&0]),
        "{descriptors:?}"
    );
    assert_eq!(
        child.descriptor_flags(0) & 0o7,
        2,
        "not open for reading and writing"
    );
    assert_eq!(child.descriptor_flags(0) & 0o4000, 0, "non-blocking");
}

#[test]
fn child_starts_with_default_signals_umask_and_the_root_directory() {
    let machine = Plan::new(SLEEPER).boot();
    let child = machine.process("/bin/sleep 1000");
    for set in ["SigBlk", "SigIgn", "SigCgt"] {
        assert_eq!(signals(&child, set), 0, "{set}");
    }
    assert_eq!(child.status("Umask"), "0022");
    let directory = |name| fs::read_link(format!("/proc/{}/{name}", child.pid)).unwrap();
    assert_eq!(directory("cwd"), directory("root"));
}

#[test]
fn environment_is_the_kernels_with_the_five_variables_of_init() {
    let machine = Plan::new(SLEEPER)
        .variable("BOOT_IMAGE=/vmlinuz")
        .variable("PATH=/odd")
        .variable("SELINUX_INIT=NO")
        .boot();
    let environment = machine.process("/bin/sleep 1000").environment();
    let mut environment: Vec<String> = environment
        .iter()
        .map(|(name, value)| format!("{name}={value}"))
        .collect();
    let version = environment
        .iter()
        .position(|one| one.starts_with("INIT_VERSION=sysvinit-"));
    environment.remove(version.unwrap_or_else(|| panic!("{environment:?}")));
    let expected = [
        "BOOT_IMAGE=/vmlinuz",
        "CONSOLE=/dev/console",
        "HOME=/",
        "PATH=/sbin:/usr/sbin:/bin:/usr/bin",
        "PREVLEVEL=N",
        "RUNLEVEL=3",
        "SELINUX_INIT=NO",
        "SHELL=/bin/sh",
        "TERM=linux",
    ];
    assert_eq!(environment, expected);
}

#[test]
fn start_up_entry_owns_the_console_and_the_interrupt_key_reaches_it() {
    let machine =
        Plan::new("id:3:initdefault:\ns::sysinit:/bin/sleep 1001\nr3:3:respawn:/bin/sleep 1000\n")
            .boot();
    let script = machine.process("/bin/sleep 1001");
    assert_ne!(script.terminal, 0, "{script:?}");
    assert_eq!(script.foreground, script.group, "{script:?}");
    let descriptors = script.descriptors();
    assert_eq!(
        descriptors.keys().copied().collect::<Vec<_>>(),
        [0, 1, 2],
        "{descriptors:?}"
    );
    assert_eq!(signals(&script, "SigIgn"), 0);
    machine.type_line("\u{3}");
    let later = machine.process("/bin/sleep 1000");
    assert_eq!(later.terminal, 0);
}

#[test]
fn interrupt_key_that_comes_while_a_start_up_entry_begins_does_not_hang_it_up() {
    if !ours() {
        return;
    }
    let inittab = "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1000\nw1:S:wait:/bin/asks\nw2:S:wait:/bin/note after\n";
    let script = "trap 'note interrupted' INT; trap 'note hung up' HUP; note ready
        until [ -e /out/done ]; do usleep 5000; done";
    let machine = Plan::new(inittab).script("/bin/asks", script).boot();
    machine.process("/bin/sleep 1000");
    let init = Held::take(machine.init().pid);
    machine.ask(&change_to('S'));
    let keeper = init.go_on_to_fork();
    init.let_go();
    let program = keeper.go_on_to_fork();
    program.let_go();
    machine.wait_log("ready");
    machine.type_line("\u{3}");
    machine.wait_log("interrupted");
    keeper.let_go();
    machine.write("/out/done", "");
    machine.wait_log("after");
    machine.until_true("the entry is over", || {
        !machine.is_there("/bin/sh /bin/asks")
    });
    assert_eq!(machine.log(), ["ready", "interrupted", "after"]);
}

#[test]
fn init_leads_its_own_session_and_never_owns_a_terminal() {
    let machine = Plan::new(SLEEPER).boot();
    machine.process("/bin/sleep 1000");
    let init = machine.init();
    assert_eq!(
        (init.session, init.group, init.terminal),
        (init.pid, init.pid, 0)
    );
    machine.command("telinit q");
    machine.command("telinit 4");
    machine.until_true("level 4 is entered", || {
        machine.init().command == "init [4]"
    });
    // The original picks the console up as its terminal when it looks at it after a request.
    machine.until_true("the terminal of init is as expected", || {
        (machine.init().terminal == 0) == ours()
    });
}

#[test]
fn level_and_previous_level_follow_each_change() {
    let machine = Plan::new(
        "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1000\nr4:4:respawn:/bin/sleep 1001\n",
    )
    .boot();
    machine.process("/bin/sleep 1000");
    machine.command("telinit 4");
    let environment = machine.process("/bin/sleep 1001").environment();
    assert_eq!(
        (
            environment["PREVLEVEL"].as_str(),
            environment["RUNLEVEL"].as_str()
        ),
        ("3", "4")
    );
}

#[test]
fn command_with_shell_characters_goes_to_the_shell_and_others_are_split() {
    let machine = Plan::new(
        "id:3:initdefault:
a:3:wait:/bin/args one  two:three # comment
b:3:wait:/bin/args \"one  two\" $RUNLEVEL
c:3:wait:@/bin/args \"one  two\"
d:3:wait:args by-path
r3:3:respawn:/bin/sleep 1000
",
    )
    .script(
        "/bin/args",
        "for word; do printf '<%s>' \"$word\"; done >>/out/log; echo >>/out/log",
    )
    .boot();
    machine.process("/bin/sleep 1000");
    let log = machine.log();
    assert!(log[0].starts_with("<one><two:three>"), "{log:?}");
    assert_eq!(log[1..], ["<one  two><3>", "<\"one><two\">", "<by-path>"]);
}

#[test]
fn initscript_runs_every_entry() {
    let machine =
        Plan::new("id:3:initdefault:\ns::sysinit:/bin/true\nr3:35:respawn:/bin/sleep 1000\n")
            .file(
                "/etc/initscript",
                "note \"$1|$2|$3|$4\"\neval exec \"$4\"\n",
            )
            .boot();
    machine.process("/bin/sleep 1000");
    assert_eq!(
        machine.log(),
        ["s|#|sysinit|/bin/true", "r3|35|respawn|/bin/sleep 1000"]
    );
}

#[test]
fn program_that_cannot_be_executed_is_named() {
    let machine =
        Plan::new("id:3:initdefault:\nx:3:wait:/no/such\nr3:3:respawn:/bin/sleep 1000\n").boot();
    machine.wait_console("INIT: cannot execute \"/no/such\"");
    machine.process("/bin/sleep 1000");
}

//! Changes of the runlevel while `rc` runs, and keys at its console: what init sends reaches the script at hand and
//! nothing else.

use crate::support::accounting::{RUNLEVEL, change_to, request};
use crate::support::namespace::{Machine, Plan};

const INITTAB: &str = "id:3:initdefault:
l3:3:wait:/sbin/sysvtools rc 3
r4:4:respawn:/bin/sleep 1004
";

/// A machine that enters level 3 and stays in the script `S02long` of it, a daemon having been left by the first.
fn in_the_middle_of_level_three(long: &str) -> Machine {
    let machine = Plan::new(INITTAB)
        .script(
            "/etc/rc3.d/S01daemon",
            "/bin/sleep 1001 >/dev/null 2>&1 &\n",
        )
        .script("/etc/rc3.d/S02long", long)
        .script("/etc/rc3.d/S03next", "note next")
        .boot();
    machine.process("/bin/sleep 1001");
    machine.process("/bin/sleep 1002");
    machine
}

fn is_gone(machine: &Machine, command: &str) {
    machine.until_true(command, || machine.find_process(command).is_none());
}

#[test]
fn a_change_of_level_ends_the_script_at_hand_with_all_it_waits_for() {
    let machine = in_the_middle_of_level_three("/bin/sleep 1002; note survived");
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
    is_gone(&machine, "/bin/sleep 1002");
    machine.process("/bin/sleep 1001");
    assert_eq!(machine.log(), Vec::<String>::new());
    assert!(
        !machine.transcript().contains("the KILL signal"),
        "{}",
        machine.transcript()
    );
}

#[test]
fn a_script_that_ignores_term_is_killed_with_rc_and_daemons_are_not() {
    let machine = in_the_middle_of_level_three("trap '' TERM\n/bin/sleep 1002\nnote survived");
    machine.ask(&request(RUNLEVEL, '4', 1, &[]));
    machine.wait_console("the KILL signal");
    machine.process("/bin/sleep 1004");
    is_gone(&machine, "/bin/sleep 1002");
    machine.process("/bin/sleep 1001");
    assert_eq!(machine.log(), Vec::<String>::new());
}

#[test]
fn ctrl_c_at_the_console_ends_one_script_of_the_start_up() {
    let machine = Plan::new(
        "id:3:initdefault:\nsi::sysinit:/sbin/sysvtools rcS\nr3:3:respawn:/bin/sleep 1003\n",
    )
    .script("/etc/rcS.d/S01long", "echo at it\n/bin/sleep 1001")
    .script("/etc/rcS.d/S02next", "note next")
    .boot();
    machine.wait_console("at it");
    machine.process("/bin/sleep 1001");
    machine.type_line("\x03");
    machine.wait_console("[fail] interrupted");
    machine.process("/bin/sleep 1003");
    assert_eq!(machine.log(), ["next"]);
    assert!(machine.find_process("/bin/sleep 1001").is_none());
}

#[test]
fn a_daemon_on_the_output_of_its_script_outlives_level_and_rc() {
    let machine = Plan::new(
        "id:3:initdefault:\nl3:3:wait:/sbin/sysvtools rc 3\nr4:4:respawn:/bin/sleep 1004\n",
    )
    .script(
        "/etc/rc3.d/S01daemon",
        "(until [ -e /out/go ]; do usleep 20000; done; echo late words; note lived) &\necho up",
    )
    .boot();
    machine.wait_console("rc: 1 script in");
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
    machine.write("/out/go", "");
    machine.wait_console("late words");
    machine.wait_log("lived");
}

#[test]
fn a_script_finds_its_terminal_though_the_one_before_has_mounted_others() {
    let machine = Plan::new("id:3:initdefault:\nl3:3:wait:/sbin/sysvtools rc 3\n")
        .script(
            "/etc/rc3.d/S01mount",
            "mount -t devpts -o newinstance,ptmxmode=0666 devpts /dev/pts",
        )
        .script(
            "/etc/rc3.d/S02look",
            "test -c \"$(readlink /proc/$$/fd/1)\" && note found",
        )
        .boot();
    machine.wait_console("rc: 2 scripts in");
    assert_eq!(machine.log(), ["found"]);
}

//! The actions of inittab(5), and what a re-read changes.

use crate::support::namespace::Plan;
use crate::support::root::ours;
use nix::sys::signal::{SIGHUP, SIGKILL};

const HELD: &str = "INIT: Id \"bad\" respawning too fast: disabled for 5 minutes";

#[test]
fn wait_entry_holds_back_everything_after_it() {
    let machine = Plan::new(
        "id:3:initdefault:
w1:3:wait:/bin/sleep 1000
w2:3:wait:/bin/note second
r3:3:respawn:/bin/sleep 1001
",
    )
    .boot();
    let first = machine.process("/bin/sleep 1000");
    assert!(machine.find_process("/bin/sleep 1001").is_none());
    assert_eq!(machine.log(), Vec::<String>::new());
    first.signal(SIGKILL);
    machine.process("/bin/sleep 1001");
    assert_eq!(machine.log(), ["second"]);
}

#[test]
fn failing_wait_entry_stops_nothing() {
    let machine = Plan::new(
        "id:3:initdefault:\ns::sysinit:/bin/false\nb::bootwait:/bin/false\nw:3:wait:/bin/false\nr:3:respawn:/bin/sleep 1000\n",
    )
    .boot();
    machine.process("/bin/sleep 1000");
}

#[test]
fn once_runs_on_entering_a_level_and_not_between_two_levels_it_is_in() {
    let machine = Plan::new(
        "id:3:initdefault:
both:34:once:/bin/note both
tri:3:once:/bin/note three
r3:3:respawn:/bin/sleep 1003
r4:4:respawn:/bin/sleep 1004
r5:5:respawn:/bin/sleep 1005
",
    )
    .boot();
    machine.process("/bin/sleep 1003");
    machine.until_true("both ran", || machine.log().len() == 2);
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
    machine.command("telinit 3");
    machine.process("/bin/sleep 1003");
    machine.until_true("one ran again", || machine.log().len() == 3);
    machine.command("telinit 5");
    machine.process("/bin/sleep 1005");
    machine.command("telinit 3");
    machine.until_true("both ran again", || machine.log().len() == 5);
    let count = |word: &str| machine.log().iter().filter(|line| *line == word).count();
    assert_eq!((count("both"), count("three")), (2, 3));
}

#[test]
fn respawn_entry_is_started_again_when_it_ends() {
    let machine = Plan::new("id:3:initdefault:\nr:3:respawn:/bin/sleep 1000\n").boot();
    let first = machine.process("/bin/sleep 1000");
    first.signal(SIGKILL);
    machine.until_true("another one runs", || {
        machine
            .find_process("/bin/sleep 1000")
            .is_some_and(|next| next.pid != first.pid)
    });
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

#[test]
fn entry_that_dies_at_once_is_held_after_ten_starts_and_revived_by_q_and_hup() {
    let machine = Plan::new("id:3:initdefault:\nbad:3:respawn:/bin/note start\n").boot();
    machine.wait_console(HELD);
    assert_eq!(machine.log().len(), 10);
    machine.command("telinit q");
    machine.wait_console(HELD);
    assert_eq!(machine.log().len(), 20);
    machine.signal(SIGHUP);
    machine.wait_console(HELD);
    assert_eq!(machine.log().len(), 30);
}

#[test]
fn held_entry_does_not_hold_others_and_is_revived_by_a_change_of_level() {
    let machine = Plan::new(
        "id:3:initdefault:\nbad:34:respawn:/bin/note start\nr:3:respawn:/bin/sleep 1000\n",
    )
    .boot();
    machine.wait_console(HELD);
    let sleeper = machine.process("/bin/sleep 1000");
    sleeper.signal(SIGKILL);
    machine.until_true("the other entry is respawned", || {
        machine
            .find_process("/bin/sleep 1000")
            .is_some_and(|next| next.pid != sleeper.pid)
    });
    machine.command("telinit 4");
    machine.wait_console(HELD);
    assert_eq!(machine.log().len(), 20);
}

#[test]
fn reread_starts_what_is_new_stops_what_is_gone_and_leaves_the_rest() {
    let machine = Plan::new(
        "id:3:initdefault:
kept:3:respawn:/bin/sleep 1001
edit:3:respawn:/bin/sleep 1002
gone:3:respawn:/bin/sleep 1003
off:3:respawn:/bin/sleep 1004
",
    )
    .boot();
    let kept = machine.process("/bin/sleep 1001");
    let edited = machine.process("/bin/sleep 1002");
    machine.process("/bin/sleep 1004");
    machine.write(
        "/etc/inittab",
        "id:3:initdefault:
kept:3:respawn:/bin/sleep 1001
edit:3:respawn:/bin/sleep 2002
off:3:off:/bin/sleep 1004
new:3:respawn:/bin/sleep 1005
",
    );
    machine.command("telinit q");
    machine.process("/bin/sleep 1005");
    for gone in ["/bin/sleep 1003", "/bin/sleep 1004"] {
        assert!(machine.find_process(gone).is_none(), "{gone}");
    }
    assert_eq!(machine.process("/bin/sleep 1001").pid, kept.pid);
    assert_eq!(machine.process("/bin/sleep 1002").pid, edited.pid);
    edited.signal(SIGKILL);
    machine.process("/bin/sleep 2002");
}

#[test]
fn files_of_inittab_d_count_too() {
    let machine = Plan::new("id:3:initdefault:\n")
        .file(
            "/etc/inittab.d/one.tab",
            "# a comment\na:3:respawn:/bin/sleep 1000\nb:3:respawn:/bin/sleep 1001\n",
        )
        .file("/etc/inittab.d/two.other", "c:3:respawn:/bin/sleep 1002\n")
        .boot();
    machine.process("/bin/sleep 1000");
    // The original reads only the first line of each file.
    if ours() {
        machine.process("/bin/sleep 1001");
    } else {
        assert!(machine.find_process("/bin/sleep 1001").is_none());
    }
    assert!(machine.find_process("/bin/sleep 1002").is_none());
}

//! Changes of the runlevel: who goes, who stays, how they are asked, and the levels on demand.

use crate::support::accounting::{DEAD_PROCESS, RUN_LVL, RUNLEVEL, change_to, request};
use crate::support::namespace::Plan;
use crate::support::root::ours;

const TERM: &str = "INIT: Sending processes configured via /etc/inittab the TERM signal";
const KILL: &str = "INIT: Sending processes configured via /etc/inittab the KILL signal";

#[test]
fn change_of_level_is_announced_recorded_and_shown() {
    let machine = Plan::new(
        "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n",
    )
    .boot();
    machine.process("/bin/sleep 1003");
    assert_eq!(machine.command("runlevel"), "N 3\n");
    machine.command("telinit 4");
    machine.wait_console("INIT: Switching to runlevel: 4");
    machine.process("/bin/sleep 1004");
    assert_eq!(machine.init().command, "init [4]");
    assert_eq!(machine.read("/run/runlevel"), "4");
    assert_eq!(machine.command("runlevel"), "3 4\n");
    let pid = u32::from('4') + 256 * u32::from('3');
    let recorded = |records: Vec<crate::support::accounting::Record>| {
        records
            .iter()
            .any(|one| one.kind == RUN_LVL && one.pid == pid)
    };
    assert!(recorded(machine.utmp()) && recorded(machine.wtmp()));
}

#[test]
fn leaving_a_level_ends_whole_process_groups_and_nobody_else() {
    let machine = Plan::new(
        "id:3:initdefault:
boot::boot:/bin/sleep 1000
grp:3:respawn:/bin/group
both:34:respawn:/bin/sleep 1003
r4:4:respawn:/bin/sleep 1004
",
    )
    .script("/bin/group", "/bin/sleep 1001 &\nexec /bin/sleep 1002")
    .boot();
    let boot = machine.process("/bin/sleep 1000");
    let both = machine.process("/bin/sleep 1003");
    machine.process("/bin/sleep 1001");
    machine.process("/bin/sleep 1002");
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
    machine.until_true("the group is gone", || {
        ["/bin/sleep 1001", "/bin/sleep 1002"]
            .iter()
            .all(|one| machine.find_process(one).is_none())
    });
    assert_eq!(machine.process("/bin/sleep 1000").pid, boot.pid);
    assert_eq!(machine.process("/bin/sleep 1003").pid, both.pid);
    machine.wait_console(TERM);
    assert!(
        !machine.transcript().contains(KILL),
        "{}",
        machine.transcript()
    );
    // The original writes a second record, with pid 0.
    let dead = machine
        .wtmp()
        .iter()
        .filter(|one| one.kind == DEAD_PROCESS && one.id == "grp")
        .count();
    assert_eq!(dead, if ours() { 1 } else { 2 });
}

/// A process that ignores TERM is killed when `seconds` are over.
fn stubborn_process_is_killed(seconds: u32) {
    let machine =
        Plan::new("id:3:initdefault:\nbad:3:respawn:/bin/stubborn\nr4:4:respawn:/bin/sleep 1004\n")
            .script(
                "/bin/stubborn",
                "trap '' TERM\nnote ready\nexec /bin/sleep 1000",
            )
            .boot();
    machine.wait_log("ready");
    machine.process("/bin/sleep 1000");
    machine.ask(&request(RUNLEVEL, '4', seconds, &[]));
    machine.wait_console(TERM);
    machine.wait_console(KILL);
    machine.process("/bin/sleep 1004");
    machine.until_true("it is gone", || {
        machine.find_process("/bin/sleep 1000").is_none()
    });
}

#[test]
fn process_that_ignores_term_is_killed_after_the_grace_time() {
    stubborn_process_is_killed(1);
}

#[test]
fn without_a_grace_time_kill_follows_at_once() {
    stubborn_process_is_killed(0);
}

#[test]
fn change_asked_for_while_a_wait_entry_runs_ends_that_entry() {
    let machine = Plan::new(
        "id:3:initdefault:\nw3:3:wait:/bin/sleep 1000\nx3:3:wait:/bin/note three\nr4:4:respawn:/bin/sleep 1004\n",
    )
    .boot();
    machine.process("/bin/sleep 1000");
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
    assert!(machine.find_process("/bin/sleep 1000").is_none());
    assert_eq!(machine.log(), Vec::<String>::new());
}

#[test]
fn level_that_is_none_is_refused_aloud() {
    let machine = Plan::new("id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\n").boot();
    machine.process("/bin/sleep 1003");
    machine.ask(&change_to('Z'));
    machine.wait_console("INIT: bad runlevel: Z");
    assert_eq!(machine.init().command, "init [3]");
}

#[test]
fn request_for_the_current_level_does_nothing() {
    let machine = Plan::new("id:3:initdefault:\nw3:3:once:/bin/note three\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n").boot();
    machine.process("/bin/sleep 1003");
    machine.wait_log("three");
    let mut both = change_to('3');
    both.extend(change_to('4'));
    machine.ask(&both);
    machine.process("/bin/sleep 1004");
    assert_eq!(machine.log(), ["three"]);
    assert!(!machine.transcript().contains("Switching to runlevel: 3"));
}

#[test]
fn levels_seven_to_nine_are_levels_like_others() {
    let machine = Plan::new(
        "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr9:9:respawn:/bin/sleep 1009\n",
    )
    .boot();
    machine.process("/bin/sleep 1003");
    machine.ask(&change_to('9'));
    machine.process("/bin/sleep 1009");
    assert_eq!(machine.read("/run/runlevel"), "9");
}

#[test]
fn demand_level_starts_its_entries_and_leaves_the_runlevel_alone() {
    let machine = Plan::new(
        "id:3:initdefault:
da:a:ondemand:/bin/sleep 1001
db:b:ondemand:/bin/sleep 1002
oa:a:once:/bin/note a
r3:3:respawn:/bin/sleep 1003
r4:4:respawn:/bin/sleep 1004
",
    )
    .boot();
    machine.process("/bin/sleep 1003");
    assert!(machine.find_process("/bin/sleep 1001").is_none());
    machine.command("telinit a");
    let demanded = machine.process("/bin/sleep 1001");
    machine.wait_log("a");
    assert!(machine.find_process("/bin/sleep 1002").is_none());
    assert_eq!(machine.init().command, "init [3]");
    assert_eq!(machine.command("runlevel"), "N 3\n");
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
    assert_eq!(machine.process("/bin/sleep 1001").pid, demanded.pid);
    machine.command("telinit a");
    machine.until_true("the once entry runs again", || machine.log() == ["a", "a"]);
    assert_eq!(machine.process("/bin/sleep 1001").pid, demanded.pid);
    machine.command("telinit b");
    machine.process("/bin/sleep 1002");
}

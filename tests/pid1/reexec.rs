//! `telinit u`: a new image of init takes over what the old one had.

use crate::support::accounting::{SET_ENVIRONMENT, change_to, request};
use crate::support::namespace::{Machine, Plan};
use crate::support::root::{Subject, ours};
use nix::sys::signal::{SIGHUP, SIGKILL};

const LEVELS: &str = "id:3:initdefault:
o3:3:once:/bin/note once
r3:3:respawn:/bin/sleep 1003
b3:345:respawn:/bin/sleep 1345
r4:4:respawn:/bin/sleep 1004
";

fn in_level_three(plan: Plan) -> Machine {
    let machine = plan.boot();
    machine.process("/bin/sleep 1003");
    machine.wait_log("once");
    machine
}

/// Asks for the new image and checks that nothing but the image has changed.
fn takes_over(machine: &Machine) {
    let (three, both) = (
        machine.process("/bin/sleep 1003"),
        machine.process("/bin/sleep 1345"),
    );
    machine.ask(&request(SET_ENVIRONMENT, '\0', 0, b"INIT_X=1\0\0"));
    machine.ask(&change_to('U'));
    machine.wait_console(" reloading");
    machine.until_true("the new image listens", || machine.try_ask(&[]));
    assert_eq!(machine.process("/bin/sleep 1003").pid, three.pid);
    assert_eq!(machine.process("/bin/sleep 1345").pid, both.pid);
    three.signal(SIGKILL);
    machine.wait_respawned("/bin/sleep 1003", &three);
    assert_eq!(machine.init().pid, machine.init().session);
    machine.ask(&change_to('4'));
    let environment = machine.process("/bin/sleep 1004").environment();
    assert_eq!(environment["PREVLEVEL"], "3");
    assert_eq!(environment.get("INIT_X").map(String::as_str), Some("1"));
    assert_eq!(machine.process("/bin/sleep 1345").pid, both.pid);
    assert!(machine.find_process("/bin/sleep 1003").is_none());
    assert_eq!(machine.log(), ["once"]);
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

#[test]
fn new_image_keeps_level_children_and_variables() {
    let machine = in_level_three(Plan::new(LEVELS));
    takes_over(&machine);
}

#[test]
fn other_init_takes_over_a_running_system() {
    let plan = Plan::new(LEVELS);
    plan.root()
        .install_other_init(Subject::under_test(), "/sbin/init.other");
    let machine = in_level_three(plan);
    machine.command("mv /sbin/init.other /sbin/init");
    takes_over(&machine);
}

#[test]
fn new_image_inherits_no_descriptor() {
    let machine = in_level_three(Plan::new(LEVELS));
    let kinds = || {
        let mut kinds: Vec<String> = machine.init().descriptors().into_values().collect();
        for kind in &mut kinds {
            if kind.starts_with("pipe:") {
                "pipe".clone_into(kind);
            }
        }
        kinds.sort();
        kinds
    };
    machine.until_true("init listens", || machine.try_ask(&[]));
    // A file that is being written when they are looked at is none of them.
    let resting = if ours() { 4 } else { 1 };
    let before = machine.until("init rests", || {
        Some(kinds()).filter(|kinds| kinds.len() == resting)
    });
    for _ in 0..3 {
        machine.ask(&change_to('U'));
        machine.wait_console(" reloading");
        machine.until_true("the new image listens", || machine.try_ask(&[]));
    }
    machine.until_true("its descriptors are those of the first", || {
        kinds() == before
    });
    let child = machine.process("/bin/sleep 1003");
    child.signal(SIGKILL);
    machine.wait_respawned("/bin/sleep 1003", &child);
    let descriptors = machine.process("/bin/sleep 1003").descriptors();
    assert_eq!(
        descriptors.keys().copied().collect::<Vec<_>>(),
        [0, 1, 2],
        "{descriptors:?}"
    );
}

#[test]
fn init_goes_on_when_there_is_no_new_image() {
    let machine = in_level_three(Plan::new(LEVELS));
    machine.command("mv /sbin/init /sbin/away");
    machine.ask(&change_to('U'));
    machine.wait_console("Attempt to re-exec failed");
    if !ours() {
        // The original is deaf until a signal comes.
        machine.signal(SIGHUP);
    }
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
}

#[test]
fn a_request_behind_the_one_for_a_new_image_is_not_lost() {
    if !ours() {
        // The original closes the FIFO and forgets what is in it.
        return;
    }
    let machine = in_level_three(Plan::new(LEVELS));
    for round in 0..10 {
        let (away, back) = if round % 2 == 0 {
            ('4', "/bin/sleep 1004")
        } else {
            ('3', "/bin/sleep 1003")
        };
        machine.ask(&[change_to('U'), change_to(away)].concat());
        machine.process(back);
    }
}

//! A way down that does not end by itself.

use crate::support::accounting::{SET_ENVIRONMENT, change_to, request};
use crate::support::namespace::{Ending, Machine, Plan};
use crate::support::root::ours;

#[test]
fn a_script_that_ignores_term_and_never_ends_does_not_keep_the_machine_up() {
    if !ours() {
        // The original waits for ever.
        return;
    }
    let mut machine = hanging();
    machine.process("/bin/sleep 1003");
    machine.ask(&request(SET_ENVIRONMENT, '\0', 0, b"INIT_DOWN_LIMIT=2\0\0"));
    machine.ask(&change_to('6'));
    machine.wait_console("does not end; going down without it");
    assert_eq!(machine.ended(), Ending::Restart);
}

#[test]
fn a_console_that_is_stopped_does_not_keep_the_machine_up() {
    if !ours() {
        return;
    }
    let mut machine = hanging();
    machine.process("/bin/sleep 1003");
    machine.ask(&request(SET_ENVIRONMENT, '\0', 0, b"INIT_DOWN_LIMIT=2\0\0"));
    machine.stop_console();
    machine.ask(&change_to('6'));
    assert_eq!(machine.ended(), Ending::Restart);
}

/// A machine that does not go down by itself. Its root is read-only already: on its way down init makes it so, and below it
/// lies a file system of the one who runs the tests.
fn hanging() -> Machine {
    let plan = Plan::new(
        "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nl6:6:wait:/bin/hang\nl0:0:wait:/bin/hang\n",
    )
    .script(
        "/bin/hang",
        "trap '' TERM HUP INT; while :; do sleep 1006; done",
    );
    plan.read_only().boot()
}

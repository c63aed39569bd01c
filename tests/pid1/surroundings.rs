//! A root that lacks what init likes to have.

use crate::support::namespace::Plan;

const LEVELS: &str = "id:3:initdefault:\ns::sysinit:/bin/true\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n";

fn reaches_level_four(plan: Plan) {
    let machine = plan.boot();
    machine.process("/bin/sleep 1003");
    machine.until_true("init listens", || machine.try_ask(&[]));
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

#[test]
fn read_only_root_is_enough() {
    reaches_level_four(Plan::new(LEVELS).read_only());
}

#[test]
fn system_without_proc_works() {
    reaches_level_four(Plan::new(LEVELS).without("proc"));
}

#[test]
fn system_without_pseudo_terminals_works() {
    reaches_level_four(Plan::new(LEVELS).without("pts"));
}

#[test]
fn system_without_accounting_directories_works() {
    let plan = Plan::new(LEVELS);
    std::fs::remove_file(plan.root().at("/var/run")).unwrap();
    std::fs::remove_dir_all(plan.root().at("/var/log")).unwrap();
    reaches_level_four(plan);
}

#[test]
fn without_a_console_children_get_the_null_device() {
    let machine = Plan::new(LEVELS).without("console").boot();
    let descriptors = machine.process("/bin/sleep 1003").descriptors();
    assert_eq!(
        descriptors.keys().copied().collect::<Vec<_>>(),
        [0, 1, 2],
        "{descriptors:?}"
    );
    assert!(
        descriptors.values().all(|one| one.ends_with("null")),
        "{descriptors:?}"
    );
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

#[test]
fn read_only_system_without_run_starts_its_services() {
    let machine = Plan::new(LEVELS).read_only().without("run").boot();
    let child = machine.process("/bin/sleep 1003");
    child.signal(nix::sys::signal::SIGKILL);
    machine.wait_respawned("/bin/sleep 1003", &child);
    let before = machine.processor_ticks();
    machine.command("sleep 1");
    let used = machine.processor_ticks() - before;
    assert!(used < 20, "{used} ticks used without a FIFO");
}

#[test]
fn console_named_by_the_kernel_is_used() {
    let machine = Plan::new(LEVELS).variable("CONSOLE=/dev/zero").boot();
    let child = machine.process("/bin/sleep 1003");
    assert!(
        child.descriptors()[&1].ends_with("/dev/zero"),
        "{:?}",
        child.descriptors()
    );
    assert_eq!(child.environment()["CONSOLE"], "/dev/zero");
}

#[test]
fn descriptors_that_others_have_left_open_do_not_get_into_the_way() {
    // So many that init's own come to where an image before it would have left something.
    reaches_level_four(Plan::new(LEVELS).leaving_descriptors());
}

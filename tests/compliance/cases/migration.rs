//! A running system changes from the original to the init in question, and back.
//!
//! On the original's side the next image is the original itself: what is compared is a system that changed hands
//! with one that did not.

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::support::accounting::{SET_ENVIRONMENT, change_to, request};
use crate::support::namespace::{Machine, Plan};
use nix::sys::signal::Signal::{SIGINT, SIGKILL};

/// A system with all that can be under way.
const SYSTEM: &str = "id:3:initdefault:
si::sysinit:/bin/note sysinit
b1::boot:/bin/sleep 1100
bw::bootwait:/bin/note bootwait
l3:3:wait:/bin/note rc 3
l4:4:wait:/bin/note rc 4
o3:34:once:/bin/sleep 1303
t1:2345:respawn:/bin/sleep 1345
t3:3:respawn:/bin/obeys t3
t4:4:respawn:/bin/sleep 1004
de:a:ondemand:/bin/sleep 2001
bad:3:respawn:/bin/note bad
ca:34:ctrlaltdel:/bin/note pressed
ss:S:respawn:/bin/sleep 1000
";

const PROCESSES: [&str; 4] = [
    "/bin/sleep 1100",
    "/bin/sleep 1303",
    "/bin/sleep 1345",
    "/bin/sleep 2001",
];

fn under_way(plan: Plan) -> Machine {
    let machine = plan.boot();
    machine.wait_log("t3 runs");
    machine.wait_console("respawning too fast");
    machine.go('a', 3);
    machine.wait_console("respawning too fast");
    for command in PROCESSES {
        machine.process(command);
    }
    machine.settle();
    machine
}

fn change_hands(machine: &Machine) {
    machine.replace_init();
    machine.ask(&change_to('U'));
    machine.wait_console(" reloading");
    machine.settle();
}

/// What the next image has kept, and what it does from there.
fn goes_on(b: &mut Bench, plan: Plan) {
    let machine = under_way(plan);
    let pids = |machine: &Machine| PROCESSES.map(|one| machine.pid_of(one));
    let before = pids(&machine);
    change_hands(&machine);
    // The held entry is freed and held again.
    machine.wait_console("respawning too fast");
    b.see("the same processes", before == pids(&machine));
    b.see_level(&machine);
    b.see_processes(&machine);
    machine.go('4', 3);
    machine.process("/bin/sleep 1004");
    machine.wait_log("rc 4");
    machine.settle();
    b.see(
        "the same processes in the next level",
        before == pids(&machine),
    );
    let environment = machine.process("/bin/sleep 1004").environment();
    b.see("PREVLEVEL", format!("{:?}", environment.get("PREVLEVEL")));
    b.see_processes(&machine);
    b.see_level(&machine);
    let mut log = machine.log();
    log.retain(|line| line != "bad");
    b.see_all("log", log);
    b.see_utmp(&machine);
}

/// Whether what dies afterwards is reaped and started again.
fn looks_after_children(b: &mut Bench, plan: Plan) {
    let machine = under_way(plan);
    change_hands(&machine);
    for command in ["/bin/sleep 1345", "/bin/sleep 2001"] {
        let first = machine.process(command);
        first.signal(SIGKILL);
        machine.until_true("it is respawned", || {
            machine
                .find_process(command)
                .is_some_and(|one| one.pid != first.pid)
        });
    }
    machine.process("/bin/sleep 1303").signal(SIGKILL);
    machine.until_true("it is reaped", || {
        machine.find_process("/bin/sleep 1303").is_none()
    });
    machine.settle();
    b.see_processes(&machine);
    b.see("zombies", machine.zombies().len());
    machine.signal(SIGINT);
    machine.wait_log("pressed");
    let process = machine.process("/bin/sleep 1345");
    b.see_profile(&machine, "child", &process);
}

/// A wait entry that runs while the image changes.
fn goes_on_waiting(b: &mut Bench, plan: Plan) {
    let machine = plan.boot();
    machine.wait_log("x runs");
    machine.process("/bin/sleep 1001");
    machine.settle();
    change_hands(&machine);
    b.see_processes(&machine);
    machine.end("x");
    machine.process("/bin/sleep 1002");
    machine.settle();
    b.see_log(&machine);
    b.see_processes(&machine);
    b.see_level(&machine);
}

const WAITING: &str = "id:3:initdefault:\nr1:3:respawn:/bin/sleep 1001\nx:3:wait:/bin/hold x\nr2:3:respawn:/bin/sleep 1002\n";

fn variables(b: &mut Bench, plan: Plan) {
    let machine = under_way(plan);
    machine.ask(&request(SET_ENVIRONMENT, '\0', 0, b"INIT_HALT=HALT\0\0"));
    change_hands(&machine);
    machine.go('4', 3);
    let environment = machine.process("/bin/sleep 1004").environment();
    b.see("INIT_HALT", format!("{:?}", environment.get("INIT_HALT")));
}

/// In level S, with its processes.
fn single_user(b: &mut Bench, plan: Plan) {
    let machine = under_way(plan);
    machine.go('S', 3);
    machine.process("/bin/sleep 1000");
    machine.settle();
    let before = machine.pid_of("/bin/sleep 1000");
    change_hands(&machine);
    b.see("the same", machine.pid_of("/bin/sleep 1000") == before);
    b.see_level(&machine);
    machine.go('4', 3);
    machine.process("/bin/sleep 1004");
    machine.settle();
    b.see_processes(&machine);
    b.see_utmp(&machine);
}

pub(super) const CASES: &[Case] = &[
    case(
        "from the original: processes, level and what the next level does",
        &["live migration", "re-exec"],
        |b| {
            let plan = b.plan_to_leave_the_original(SYSTEM);
            goes_on(b, plan);
        },
    ),
    case(
        "back to the original: processes, level and what the next level does",
        &["live migration", "re-exec"],
        |b| {
            let plan = b.plan_to_return_to_the_original(SYSTEM);
            goes_on(b, plan);
        },
    ),
    case(
        "from the original: children are looked after",
        &["live migration", "re-exec"],
        |b| {
            let plan = b.plan_to_leave_the_original(SYSTEM);
            looks_after_children(b, plan);
        },
    ),
    case(
        "back to the original: children are looked after",
        &["live migration", "re-exec"],
        |b| {
            let plan = b.plan_to_return_to_the_original(SYSTEM);
            looks_after_children(b, plan);
        },
    ),
    case(
        "from the original: a wait entry is waited for",
        &["live migration", "re-exec"],
        |b| {
            let plan = b.plan_to_leave_the_original(WAITING);
            goes_on_waiting(b, plan);
        },
    ),
    case(
        "back to the original: a wait entry is waited for",
        &["live migration", "re-exec"],
        |b| {
            let plan = b.plan_to_return_to_the_original(WAITING);
            goes_on_waiting(b, plan);
        },
    ),
    case(
        "from the original: variables",
        &["live migration", "environment"],
        |b| {
            let plan = b.plan_to_leave_the_original(SYSTEM);
            variables(b, plan);
        },
    ),
    case(
        "back to the original: variables",
        &["live migration", "environment"],
        |b| {
            let plan = b.plan_to_return_to_the_original(SYSTEM);
            variables(b, plan);
        },
    ),
    case("from the original: in level S", &["live migration"], |b| {
        let plan = b.plan_to_leave_the_original(SYSTEM);
        single_user(b, plan);
    }),
    case(
        "back to the original: in level S",
        &["live migration"],
        |b| {
            let plan = b.plan_to_return_to_the_original(SYSTEM);
            single_user(b, plan);
        },
    ),
    case(
        "there and back again",
        &["live migration", "re-exec"],
        |b| {
            let machine = under_way(b.plan_to_leave_the_original(SYSTEM));
            let pids = |machine: &Machine| PROCESSES.map(|one| machine.pid_of(one));
            let before = pids(&machine);
            machine.command("cp /sbin/init /sbin/init.original");
            change_hands(&machine);
            machine.command("mv /sbin/init.original /sbin/init.next");
            change_hands(&machine);
            b.see("the same processes", before == pids(&machine));
            machine.go('4', 3);
            machine.process("/bin/sleep 1004");
            machine.wait_log("rc 4");
            machine.settle();
            b.see_processes(&machine);
            b.see_level(&machine);
            b.see_utmp(&machine);
        },
    ),
];

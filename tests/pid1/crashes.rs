//! PID 1 itself fails: the next image goes on, and nobody but the console notices.
//!
//! A crash that somebody asks for is SIGSEGV from outside the namespace. Crashes of init's own come from a build of it
//! that the tests make for themselves, which fails at a given event or effect.

use crate::support::accounting::{SET_ENVIRONMENT, change_to, request};
use crate::support::namespace::{Ending, Machine, Plan};
use crate::support::root::{crashing_init, ours};
use nix::sys::signal::{SIGCHLD, SIGCONT, SIGKILL, SIGSEGV, SIGTERM, SIGTSTP};

const LEVELS: &str = "id:3:initdefault:
o3:3:once:/bin/note once
r3:3:respawn:/bin/sleep 1003
b3:345:respawn:/bin/sleep 1345
r4:4:respawn:/bin/sleep 1004
t5:5:once:trap '' TERM; while :; do sleep 1005; done
";

fn in_level_three(inittab: &str) -> Machine {
    let plan = Plan::new(inittab);
    plan.root().install(crashing_init(), "/sbin/init");
    let machine = plan.boot();
    machine.process("/bin/sleep 1003");
    machine.wait_log("once");
    machine
}

/// The number of a process as the machine knows it.
fn inside(machine: &Machine, pid: i32) -> u32 {
    let mut all = machine.descendants().into_iter();
    let found = all.find(|process| process.pid == pid);
    found.map_or(0, |process| process.inside())
}

/// Has init crash once, at the next event or effect whose description begins so.
fn crash(machine: &Machine, way: &str, place: &str) {
    machine.write("/run/crash-now.new", format!("{way} {place}"));
    std::fs::rename(
        machine.at("/run/crash-now.new"),
        machine.at("/run/crash-now"),
    )
    .unwrap();
}

fn has_crashed(machine: &Machine) {
    machine.until_true("init has crashed", || {
        !machine.at("/run/crash-now").exists()
    });
}

fn asked_for(machine: &Machine) {
    machine.signal(SIGSEGV);
    machine.wait_console("SIGSEGV from outside");
}

#[test]
fn a_hundred_crashes_under_load_cost_no_child_no_request_and_leave_no_zombie() {
    if !ours() {
        return;
    }
    let machine = in_level_three(LEVELS);
    let kept = machine.process("/bin/sleep 1345").pid;
    let mut load = machine.start("until [ -e /out/stop ]; do (sleep 0 &) ; (sleep 0 &) ; done");
    for round in 0..100_usize {
        let (to, process) = if round % 2 == 0 {
            ('4', "/bin/sleep 1004")
        } else {
            ('3', "/bin/sleep 1003")
        };
        let variable = format!("INIT_R{}={round}\0\0", round % 10);
        let wanted = [
            request(SET_ENVIRONMENT, '\0', 0, variable.as_bytes()),
            change_to(to),
        ]
        .concat();
        if round % 3 == 0 {
            machine.signal(SIGSEGV);
            machine.ask(&wanted);
        } else {
            machine.ask(&wanted);
            machine.signal(SIGSEGV);
        }
        let environment = machine.process(process).environment();
        let name = format!("INIT_R{}", round % 10);
        assert_eq!(
            environment.get(&name),
            Some(&round.to_string()),
            "round {round}"
        );
        assert_eq!(machine.process("/bin/sleep 1345").pid, kept);
        assert_eq!(environment["RUNLEVEL"], to.to_string());
        // What is told to end before it has written its line writes none.
        machine.until_true("each round of level 3 runs its entry once", || {
            machine.log().len() == 1 + round.div_ceil(2)
        });
    }
    machine.write("/out/stop", "");
    machine.until_true("the load is over", || load.try_wait().unwrap().is_some());
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
    assert!(machine.transcript().matches("PANIC").count() >= 50);
}

#[test]
fn a_request_outlives_an_image_that_crashes_before_it_has_opened_the_fifo() {
    let machine = in_level_three(LEVELS);
    // A paused init takes no request, so that this one stays in the FIFO.
    machine.signal(SIGTSTP);
    machine.wait_heard();
    machine.ask(&change_to('4'));
    crash(&machine, "segv", "\"Recovering\"");
    machine.signal(SIGSEGV);
    has_crashed(&machine);
    machine.wait_console("PANIC: SIGSEGV at");
    machine.signal(SIGCONT);
    machine.process("/bin/sleep 1004");
}

#[test]
fn a_new_image_that_crashes_before_it_has_taken_over_costs_no_process_and_no_request() {
    let machine = in_level_three(LEVELS);
    let both = machine.process("/bin/sleep 1345").pid;
    crash(&machine, "segv", "\"TakingOver\"");
    machine.ask(&[change_to('U'), change_to('4')].concat());
    has_crashed(&machine);
    machine.wait_console("PANIC: SIGSEGV at");
    let environment = machine.process("/bin/sleep 1004").environment();
    assert_eq!(environment["PREVLEVEL"], "3");
    assert_eq!(machine.process("/bin/sleep 1345").pid, both);
    assert_eq!(machine.log(), ["once"]);
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

#[test]
fn every_kind_of_failure_leads_to_the_next_image() {
    for way in ["panic", "segv", "abort", "ill", "overflow"] {
        let machine = in_level_three(LEVELS);
        let (three, both) = (
            machine.process("/bin/sleep 1003").pid,
            machine.process("/bin/sleep 1345").pid,
        );
        crash(&machine, way, "Signalled(Signal(14))");
        machine.command("kill -ALRM 1");
        has_crashed(&machine);
        let line = machine.wait_console("going on from the last state");
        let told = if way == "panic" { "provoked" } else { "SIG" };
        assert!(line.contains(told), "{way}: {line}");
        let report = machine.read("/run/initlog/crash");
        assert!(report.contains("\n0x"), "{way}: {report}");
        assert_eq!(machine.process("/bin/sleep 1003").pid, three);
        assert_eq!(machine.process("/bin/sleep 1345").pid, both);
        machine.command("telinit 4");
        let environment = machine.process("/bin/sleep 1004").environment();
        assert_eq!(environment["PREVLEVEL"], "3", "{way}");
        assert_eq!(machine.process("/bin/sleep 1345").pid, both);
        assert_eq!(machine.log(), ["once"], "{way}");
        assert_eq!(machine.init().status("Name").trim(), "init");
        machine.until_true("no zombie is left", || machine.zombies().is_empty());
    }
}

#[test]
fn a_crash_at_any_step_of_a_change_of_level_loses_nothing() {
    for place in [
        "Requested",
        "ReadTable",
        "TableLoaded",
        "SignalGroup",
        "Exited",
        "Account",
        "Spawn",
        "Spawned",
        "WriteRunlevel",
        "SetTitle",
    ] {
        let machine = in_level_three(LEVELS);
        let both = machine.process("/bin/sleep 1345").pid;
        crash(&machine, "segv", place);
        machine.ask(&change_to('4'));
        has_crashed(&machine);
        let environment = machine.process("/bin/sleep 1004").environment();
        assert_eq!(environment["RUNLEVEL"], "4", "{place}");
        assert_eq!(machine.process("/bin/sleep 1345").pid, both, "{place}");
        assert!(machine.find_process("/bin/sleep 1003").is_none(), "{place}");
        let fours = || {
            let all = machine.descendants().into_iter();
            all.filter(|process| process.command == "/bin/sleep 1004")
                .count()
        };
        assert_eq!(fours(), 1, "{place}");
        machine.until_true("no zombie is left", || machine.zombies().is_empty());
    }
}

#[test]
fn processes_on_their_way_out_still_have_their_deadline_after_a_crash() {
    let machine = in_level_three(LEVELS);
    machine.ask(&change_to('5'));
    let stubborn = machine.process("sleep 1005");
    machine.wait_console("the TERM signal");
    machine.ask(&request(1, '3', 2, b""));
    machine.wait_console("the TERM signal");
    asked_for(&machine);
    assert!(stubborn.pid > 0);
    machine.wait_console("the KILL signal");
    machine.process("/bin/sleep 1003");
}

#[test]
fn what_crashes_init_twice_is_given_up_and_three_crashes_leave_the_gettys() {
    let machine = in_level_three(LEVELS);
    // Before each third crash the file is written anew; the first two are over the same signal.
    crash(&machine, "panic", "Signalled(Signal(14)) always");
    machine.command("kill -ALRM 1");
    machine.wait_console("crashed twice over this");
    machine.process("/bin/sleep 1003");
    machine.command("kill -ALRM 1");
    machine.wait_console("only the gettys are kept");
    let getty = machine.process("/bin/sleep 1003");
    let other = machine.process("/bin/sleep 1345").pid;
    machine.command("sh -c '(sleep 0 &)'");
    getty.signal(SIGKILL);
    machine.until_true("the getty is started again", || {
        machine
            .find_process("/bin/sleep 1003")
            .is_some_and(|next| next.pid != getty.pid)
    });
    assert_eq!(machine.process("/bin/sleep 1345").pid, other);
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
    // Then the whole init tries again.
    std::fs::remove_file(machine.at("/run/crash-now")).unwrap();
    let getty = machine.process("/bin/sleep 1003").pid;
    machine.ask(&change_to('u'));
    machine.until_true("the whole init is back", || {
        machine
            .read("/run/init.state")
            .contains(&format!("PID{}", inside(&machine, getty)))
    });
    machine.until_true("the whole init is back", || {
        machine.ask(&change_to('4'));
        machine.find_process("/bin/sleep 1004").is_some()
    });
    assert_eq!(
        machine.process("/bin/sleep 1345").pid,
        other,
        "{}",
        machine.transcript()
    );
}

#[test]
fn the_minimal_init_goes_down_when_it_is_asked_to() {
    let table = format!("{LEVELS}l6:6:wait:/bin/note down $RUNLEVEL\n");
    let mut machine = in_level_three(&table);
    crash(&machine, "abort", "Signalled(Signal(14)) always");
    machine.command("kill -ALRM 1");
    machine.wait_console("crashed twice over this");
    machine.command("kill -ALRM 1");
    machine.wait_console("only the gettys are kept");
    machine.ask(&change_to('6'));
    assert_eq!(machine.ended(), Ending::Restart);
    assert_eq!(machine.log(), ["once", "down 6"]);
}

#[test]
fn signals_of_failure_that_somebody_inside_sends_mean_nothing() {
    if !ours() {
        return;
    }
    let machine = Plan::new(LEVELS).boot();
    machine.process("/bin/sleep 1003");
    for signal in ["SEGV", "BUS", "ILL", "FPE", "ABRT"] {
        machine.command(&format!("kill -{signal} 1"));
    }
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
    assert!(!machine.transcript().contains("PANIC"));
}

#[test]
fn children_that_end_while_init_is_replaced_are_reaped() {
    if !ours() {
        return;
    }
    let machine = in_level_three(LEVELS);
    for _ in 0..10 {
        let child = machine.process("/bin/sleep 1003");
        child.signal(SIGTERM);
        machine.signal(SIGSEGV);
        machine.signal(SIGCHLD);
        machine.wait_respawned("/bin/sleep 1003", &child);
        machine.until_true("no zombie is left", || machine.zombies().is_empty());
        // Ten starts in two minutes would be too many.
        machine.ask(&change_to('q'));
    }
}

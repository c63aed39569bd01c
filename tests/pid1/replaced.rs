//! Init is replaced at the one moment that is the worst: held there by ptrace(2), and asked from outside to fail.
//!
//! Our init only; the original cannot be replaced like that.

use crate::support::accounting::{RUN_LVL, change_to};
use crate::support::namespace::{Machine, Plan};
use crate::support::pause;
use crate::support::root::ours;
use crate::support::tracing::Held;
use libc::user_regs_struct as Registers;
use nix::sys::signal::{SIGCONT, SIGPWR, SIGSEGV, SIGTSTP, SIGUSR1, SIGWINCH, kill};
use nix::unistd::Pid;
use std::hint::spin_loop;
use std::sync::mpsc;
use std::thread;

const LEVELS: &str =
    "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n";

fn makes_a_node(registers: &Registers) -> bool {
    [libc::SYS_mknod, libc::SYS_mknodat]
        .into_iter()
        .any(|number| is(registers, number))
}

fn booted(inittab: &str) -> Machine {
    let machine = Plan::new(inittab).boot();
    machine.process("/bin/sleep 1003");
    machine.until_true("init listens", || machine.try_ask(&[]));
    machine
}

/// A machine whose init takes no request, with one for level 4 in the FIFO.
fn paused_with_a_request() -> Machine {
    let machine = booted(LEVELS);
    machine.signal(SIGTSTP);
    machine.wait_heard();
    machine.ask(&change_to('4'));
    machine
}

/// Whether this is the call of that number.
fn is(registers: &Registers, number: i64) -> bool {
    registers.orig_rax.cast_signed() == number
}

/// Waits until init is replaced, and holds it before the next image has run.
fn held_while_replaced(machine: &Machine) -> Held {
    let init = Held::take(machine.init().pid);
    machine.signal(SIGSEGV);
    init.go_on_to_exec();
    init
}

#[test]
fn a_signal_that_comes_while_init_is_replaced_is_not_lost() {
    if !ours() {
        return;
    }
    // What means nothing to other programs, and so is thrown away where its action is set anew.
    let machine = booted(&format!("{LEVELS}kb::kbrequest:/bin/note key\n"));
    let init = held_while_replaced(&machine);
    machine.signal(SIGWINCH);
    init.let_go();
    machine.wait_log("key");
}

#[test]
fn init_that_is_paused_and_replaced_is_still_told_to_go_on() {
    if !ours() {
        return;
    }
    let machine = paused_with_a_request();
    let init = held_while_replaced(&machine);
    machine.signal(SIGCONT);
    init.let_go();
    machine.process("/bin/sleep 1004");
}

#[test]
fn a_power_status_is_not_lost_where_init_is_replaced_as_it_reads_it() {
    if !ours() {
        return;
    }
    let entries = "pf::powerfail:/bin/note fail\npo::powerokwait:/bin/note ok\n";
    let machine = booted(&format!("{LEVELS}{entries}"));
    machine.write("/run/powerstatus", "OK\n");
    let init = Held::take(machine.init().pid);
    machine.signal(SIGPWR);
    init.go_on_to_end_of(|_| !machine.at("/run/powerstatus").exists());
    machine.signal(SIGSEGV);
    init.let_go();
    machine.until_true("an entry for power runs", || !machine.log().is_empty());
    assert_eq!(machine.log(), ["ok"]);
}

#[test]
fn a_second_wish_while_the_first_is_carried_out_costs_nothing() {
    if !ours() {
        return;
    }
    let machine = booted(LEVELS);
    let init = Held::take(machine.init().pid);
    machine.ask(&change_to('4'));
    // It has an effect at hand.
    let reads_the_table = || {
        let descriptors = machine.init().descriptors();
        descriptors.values().any(|path| path.ends_with("/inittab"))
    };
    init.go_on_to_end_of(|_| reads_the_table());
    machine.signal(SIGSEGV);
    // What has not reached the journal yet has; that init was asked to fail has not.
    init.go_on_to_end_of(|call| is(call, libc::SYS_write));
    machine.signal(SIGSEGV);
    init.let_go();
    machine.process("/bin/sleep 1004");
}

#[test]
fn requests_are_not_lost_while_the_next_image_takes_hold_of_the_fifo() {
    if !ours() {
        return;
    }
    let machine = paused_with_a_request();
    let init = held_while_replaced(&machine);
    // Under this number it was left (doc/architecture.md).
    init.go_on_to_end_of(|call| is(call, libc::SYS_close) && call.rdi == 10);
    machine.signal(SIGSEGV);
    init.let_go();
    machine.signal(SIGCONT);
    machine.process("/bin/sleep 1004");
}

#[test]
fn requests_are_not_lost_while_init_opens_its_fifo_again() {
    if !ours() {
        return;
    }
    let machine = paused_with_a_request();
    let init = Held::take(machine.init().pid);
    machine.signal(SIGUSR1);
    init.go_on_to_end_of(|call| is(call, libc::SYS_inotify_rm_watch));
    machine.signal(SIGSEGV);
    init.let_go();
    machine.wait_console("SIGSEGV from outside");
    machine.signal(SIGCONT);
    machine.process("/bin/sleep 1004");
}

#[test]
fn a_change_of_level_is_recorded_once() {
    if !ours() {
        return;
    }
    let machine = booted(LEVELS);
    let changes = || {
        let records = machine.wtmp().into_iter();
        records.filter(|record| record.kind == RUN_LVL).count()
    };
    machine.until_true("the first level is recorded", || changes() == 1);
    let init = Held::take(machine.init().pid);
    machine.ask(&change_to('4'));
    init.go_on_to_end_of(|_| changes() == 2);
    machine.signal(SIGSEGV);
    init.let_go();
    machine.process("/bin/sleep 1004");
    assert_eq!(changes(), 2);
}

#[test]
fn an_image_that_makes_way_and_is_replaced_at_that_is_replaced_after_all() {
    if !ours() {
        return;
    }
    let machine = booted(LEVELS);
    let init = Held::take(machine.init().pid);
    machine.ask(&change_to('U'));
    // The state is under its number (doc/architecture.md), and the program is not executed yet.
    init.go_on_to_end_of(|call| is(call, libc::SYS_dup2) && call.rsi == 11);
    machine.signal(SIGSEGV);
    init.go_on_to_exec();
    init.go_on_to_end_of(|call| is(call, libc::SYS_memfd_create));
    machine.signal(SIGSEGV);
    init.let_go();
    machine.wait_console("SIGSEGV from outside");
    machine.wait_console("SIGSEGV from outside");
    machine.wait_console(" reloading");
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
    assert_eq!(machine.transcript().matches(" booting").count(), 1);
}

#[test]
fn the_environment_of_the_start_is_that_of_every_image() {
    if !ours() {
        return;
    }
    let machine = Plan::new(LEVELS)
        .word("auto")
        .variable("INIT_FOO=bar")
        .boot();
    machine.process("/bin/sleep 1003");
    machine.until_true("init listens", || machine.try_ask(&[]));
    machine.signal(SIGSEGV);
    machine.wait_console("SIGSEGV from outside");
    machine.ask(&change_to('4'));
    let environment = machine.process("/bin/sleep 1004").environment();
    assert_eq!(environment.get("AUTOBOOT").map(String::as_str), Some("YES"));
    assert_eq!(environment.get("INIT_FOO").map(String::as_str), Some("bar"));
}

#[test]
fn a_boot_that_is_begun_again_hands_no_descriptor_down() {
    if !ours() {
        return;
    }
    let mut tracer = None;
    let machine = Plan::new(LEVELS).boot_held(|setup| {
        let (tell, told) = mpsc::channel();
        let work = move || {
            let init = Held::take(setup);
            tell.send(()).unwrap();
            // The FIFO is open, watched, and looked for once more; there is no journal yet.
            init.go_on_to_end_of(|call| is(call, libc::SYS_inotify_add_watch));
            init.go_on_to_end_of(makes_a_node);
            kill(Pid::from_raw(setup), SIGSEGV).unwrap();
            init.let_go();
        };
        tracer = Some(thread::Builder::new().spawn(work).unwrap());
        told.recv().unwrap();
    });
    let child = machine.process("/bin/sleep 1003");
    tracer.unwrap().join().unwrap();
    assert_eq!(machine.transcript().matches(" booting").count(), 2);
    let descriptors = child.descriptors();
    assert!(descriptors.keys().copied().eq(0..3), "{descriptors:?}");
}

#[test]
fn init_that_is_asked_to_fail_again_and_again_does_what_it_was_told_once() {
    if !ours() {
        return;
    }
    let machine = booted(&format!(
        "{LEVELS}o3:3:once:/bin/note three\nb3:34:respawn:/bin/sleep 1345\n"
    ));
    let both = machine.process("/bin/sleep 1345").pid;
    for round in 1..=60 {
        let (level, comes, goes) = if round % 2 == 0 {
            ('3', "/bin/sleep 1003", "/bin/sleep 1004")
        } else {
            ('4', "/bin/sleep 1004", "/bin/sleep 1003")
        };
        // What is told to end before it has written its line writes none.
        machine.until_true("each round of level 3 has run its entry once", || {
            machine.log().len() == 1 + (round - 1) / 2
        });
        machine.ask(&change_to(level));
        for _burst in 0..8 {
            for _ in 0..6 {
                machine.signal(SIGSEGV);
                // So that they come at each of its steps, without a sleep, which would be too long.
                for _ in 0..round * 97 % 1500 {
                    spin_loop();
                }
            }
            pause();
        }
        machine.process(comes);
        machine.until_true("the other level is left", || !machine.is_there(goes));
        assert_eq!(
            machine.process("/bin/sleep 1345").pid,
            both,
            "round {round}"
        );
    }
    machine.until_true("the last round has run its entry", || {
        machine.log().len() == 31
    });
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

//! PID 1 under signals, and PID 1 at rest.

use crate::support::accounting::change_to;
use crate::support::namespace::{Machine, Plan};
use crate::support::root::ours;
use nix::sys::signal::Signal::{SIGCONT, SIGKILL, SIGTSTP};

const LEVELS: &str =
    "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n";

fn in_level_three() -> Machine {
    let machine = Plan::new(LEVELS).boot();
    machine.process("/bin/sleep 1003");
    machine.until_true("init listens", || machine.try_ask(&[]));
    machine
}

#[test]
fn no_signal_from_inside_ends_or_disturbs_init() {
    // What SIGRTMIN+4 starts is replaced: the machine is to stay up.
    let machine = Plan::new(LEVELS)
        .script("/sbin/shutdown", "note \"shutdown $*\"")
        .boot();
    machine.process("/bin/sleep 1003");
    for signal in 1..=64 {
        // libc keeps two for itself; on SIGSEGV the original sleeps half a minute.
        if matches!(signal, 32 | 33) || (signal == 11 && !ours()) {
            continue;
        }
        machine.command(&format!("kill -{signal} 1"));
    }
    machine.command("kill -CONT 1");
    machine.until_true("the FIFO is opened again", || {
        machine.command("kill -USR1 1");
        machine.try_ask(&[])
    });
    // Release 3.06 does not know the container's stop signal.
    if ours() {
        machine.wait_log("shutdown -hP now");
    }
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

#[test]
fn no_signal_from_outside_but_kill_and_stop_ends_init() {
    let mut machine = in_level_three();
    for signal in nix::sys::signal::Signal::iterator() {
        let number = signal as i32;
        // Kernel and libc let nobody catch these; USR2, TSTP and SEGV have tests of their own.
        if matches!(
            number,
            libc::SIGKILL | libc::SIGSTOP | libc::SIGUSR2 | libc::SIGTSTP | libc::SIGSEGV
        ) {
            continue;
        }
        // The original forgets a request that comes just before it serves USR1.
        if number == libc::SIGUSR1 && !ours() {
            continue;
        }
        machine.signal(signal);
        assert!(machine.is_running(), "{signal}");
    }
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

#[test]
fn tstp_suspends_all_work_until_cont() {
    let machine = in_level_three();
    let child = machine.process("/bin/sleep 1003");
    machine.signal(SIGTSTP);
    machine.ask(&change_to('4'));
    child.signal(SIGKILL);
    machine.until_true("the child has ended", || {
        machine
            .find_process("/bin/sleep 1003")
            .is_none_or(|child| child.state == 'Z')
    });
    assert!(machine.find_process("/bin/sleep 1004").is_none());
    machine.signal(SIGCONT);
    machine.process("/bin/sleep 1004");
}

#[test]
fn idle_init_does_not_wake_up() {
    let machine = in_level_three();
    let switches = || machine.init().status("voluntary_ctxt_switches");
    // What was left to do after the boot is done once a whole second passes in silence.
    machine.until_true("init is at rest", || {
        let before = switches();
        machine.command("sleep 1");
        before == switches()
    });
    let before = switches();
    // Longer than the five seconds after which the original looks around.
    machine.command("sleep 6");
    assert_eq!(before == switches(), ours());
}

#[test]
fn descriptors_of_idle_init_are_few_and_close_on_exec() {
    let machine = in_level_three();
    let init = machine.init();
    if !ours() {
        machine.until_true("it holds the FIFO alone", || {
            init.descriptors().into_keys().eq([10])
        });
        return;
    }
    // Signals, the FIFO, the watch on it, and for a crash the journal.
    let descriptors = init.resting_descriptors(&machine, 4);
    for (number, what) in &descriptors {
        assert!(*number > 2, "{descriptors:?}");
        let known = [
            "anon_inode:[signalfd]",
            "anon_inode:inotify",
            "/memfd:init-journal",
        ];
        assert!(
            known.iter().any(|kind| what.starts_with(kind)) || what.ends_with("/run/initctl"),
            "{descriptors:?}"
        );
        assert_ne!(
            init.descriptor_flags(*number) & 0o2_000_000,
            0,
            "{number} is inherited: {what}"
        );
    }
}

#[test]
fn a_machine_shows_halt_and_telinit_that_it_does_not_listen_to_what_containers_are_told() {
    if !ours() {
        return;
    }
    let machine = in_level_three();
    let ignored = u64::from_str_radix(&machine.init().status("SigIgn"), 16).unwrap();
    // SIGRTMIN+3, +5, +13, +14 and +15. A listener is waited for, and takes them for orders.
    for signal in [37, 39, 47, 48, 49] {
        assert!(ignored & (1 << (signal - 1)) != 0, "{signal}: {ignored:x}");
    }
}

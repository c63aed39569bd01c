//! Surroundings that work against init: full, missing, blocked, exhausted. In each it reaches its level, goes on reaping,
//! and goes down.

use crate::support::accounting::{SET_ENVIRONMENT, change_to, request};
use crate::support::cgroup::Group;
use crate::support::namespace::{Ending, Machine, Plan};
use crate::support::root::ours;
use nix::sys::signal::{SIGINT, SIGKILL, Signal};

const LEVELS: &str = "id:3:initdefault:
si::sysinit:/bin/spoil
r3:3:respawn:/bin/sleep 1003
b3:345:respawn:/bin/sleep 1345
r4:4:respawn:/bin/sleep 1004
ca::ctrlaltdel:/sbin/halt -n -d -f
h0:0:wait:/sbin/halt -n -d -f
";

/// A machine whose first script spoils something.
fn spoilt(spoil: &str) -> Machine {
    Plan::new(LEVELS).script("/bin/spoil", spoil).boot()
}

/// Checks that init still does what it is for.
fn lives_and_goes_down(mut machine: Machine) {
    reaps(&machine);
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
    machine.until_true("level 3 is left", || {
        machine.find_process("/bin/sleep 1003").is_none()
    });
    machine.ask(&change_to('0'));
    assert_eq!(machine.ended(), Ending::Halt, "{}", machine.transcript());
}

/// Checks that what ends is reaped and started again, and that orphans are.
fn reaps(machine: &Machine) {
    machine.process("/bin/sleep 1003");
    let first = machine.process("/bin/sleep 1345");
    first.signal(SIGKILL);
    machine.wait_respawned("/bin/sleep 1345", &first);
    machine.command("for i in 1 2 3 4 5; do ( : & ); done");
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

#[test]
fn full_file_systems_cost_files_and_nothing_else() {
    let machine = spoilt(
        "mount -t tmpfs -o size=4k tiny /run; mount -t tmpfs -o size=4k tiny /var/log
        dd if=/dev/zero of=/run/fill bs=1k; : >/var/log/wtmp; dd if=/dev/zero of=/var/log/fill bs=1k; :",
    );
    lives_and_goes_down(machine);
}

#[test]
fn without_room_for_a_fifo_the_keys_still_bring_the_machine_down() {
    let mut machine =
        spoilt("mount -t tmpfs -o nr_inodes=2 tiny /tmp; : >/tmp/fill; mount --move /tmp /run");
    reaps(&machine);
    assert!(!machine.try_ask(&[]));
    machine.signal(SIGINT);
    assert_eq!(machine.ended(), Ending::Halt, "{}", machine.transcript());
}

#[test]
fn devices_that_vanish_leave_init_running() {
    lives_and_goes_down(spoilt(
        "umount -l /dev/console; umount -l /dev/pts; umount -l /dev",
    ));
}

#[test]
fn directories_in_place_of_the_accounting_files_are_left_alone() {
    let machine = spoilt("rm -f /run/utmp /var/log/wtmp; mkdir /run/utmp /var/log/wtmp");
    machine.process("/bin/sleep 1003");
    assert!(machine.at("/run/utmp").is_dir() && machine.at("/var/log/wtmp").is_dir());
    lives_and_goes_down(machine);
}

#[test]
fn without_run_and_proc_the_keys_still_bring_the_machine_down() {
    let plan = Plan::new(LEVELS).script("/bin/spoil", ":");
    std::fs::remove_dir(plan.root().at("/run")).unwrap();
    let mut machine = plan.without("run").without("proc").boot();
    machine.process("/bin/sleep 1003");
    machine.signal(SIGINT);
    assert_eq!(machine.ended(), Ending::Halt, "{}", machine.transcript());
}

#[test]
fn console_that_is_hung_up_is_done_without() {
    let machine = spoilt(":");
    machine.process("/bin/sleep 1003");
    machine.hang_up_console();
    lives_and_goes_down(machine);
}

#[test]
fn console_that_is_stopped_holds_nothing_up() {
    if !ours() {
        // The original waits for the console in its messages.
        return;
    }
    let machine = spoilt(":");
    machine.process("/bin/sleep 1003");
    machine.stop_console();
    lives_and_goes_down(machine);
}

#[test]
fn ten_thousand_requests_at_once_are_all_served() {
    let machine = spoilt(":");
    machine.process("/bin/sleep 1003");
    let count = if ours() { 10_000 } else { 100 };
    for number in 0..count {
        let variable = format!("INIT_N={number}\0\0");
        machine.ask(&request(SET_ENVIRONMENT, '\0', 0, variable.as_bytes()));
    }
    machine.ask(&change_to('4'));
    let environment = machine.process("/bin/sleep 1004").environment();
    assert_eq!(environment["INIT_N"], (count - 1).to_string());
    machine.ask(&change_to('0'));
}

#[test]
fn storm_of_signals_leaves_init_as_it_was() {
    // What SIGRTMIN+4 and the keys start is replaced: the machine is to stay up.
    let plan = Plan::new(&LEVELS.replacen("/sbin/halt -n -d -f", "/bin/true", 1));
    std::fs::remove_file(plan.root().at("/sbin/shutdown")).unwrap();
    let machine = plan
        .script("/bin/spoil", ":")
        .script("/sbin/shutdown", ":")
        .boot();
    machine.process("/bin/sleep 1003");
    for round in 0..200 {
        for signal in Signal::iterator() {
            // Nobody catches the first two; the faults of a program have tests of their own.
            let is_left_out = matches!(
                signal,
                SIGKILL
                    | Signal::SIGSTOP
                    | Signal::SIGSEGV
                    | Signal::SIGBUS
                    | Signal::SIGILL
                    | Signal::SIGFPE
                    | Signal::SIGABRT
            );
            // The original is deaf for a while after some of them.
            if !is_left_out && (ours() || round < 2) {
                machine.signal(signal);
            }
        }
    }
    machine.signal(Signal::SIGCONT);
    // A USR2 that is still to be served closes the FIFO again.
    machine.until_true("init listens and changes its level", || {
        machine.signal(Signal::SIGUSR1);
        machine.try_ask(&change_to('4')) && machine.is_there("/bin/sleep 1004")
    });
    machine.ask(&change_to('3'));
    lives_and_goes_down(machine);
}

#[test]
fn signals_without_end_hold_up_neither_children_nor_requests() {
    let machine = spoilt(":");
    machine.process("/bin/sleep 1003");
    let before = machine.processor_ticks();
    // From more sides than there are processors.
    let mut floods: Vec<_> = (0..4)
        .map(|_| machine.start("while :; do kill -WINCH 1; kill -TERM 1; done"))
        .collect();
    machine.until_true("init is busy with them", || {
        machine.processor_ticks() > before + 20
    });
    lives_and_goes_down(machine);
    for flood in &mut floods {
        flood.wait().unwrap();
    }
}

#[test]
fn bytes_without_end_in_the_fifo_hold_up_no_child_and_no_key() {
    if !ours() {
        return;
    }
    let mut machine = spoilt(":");
    machine.process("/bin/sleep 1003");
    machine.until_true("init listens", || machine.try_ask(&[]));
    let mut flood = machine.start("exec cat /dev/zero >/run/initctl");
    machine.wait_console("got bogus initrequest");
    reaps(&machine);
    machine.signal(SIGINT);
    assert_eq!(machine.ended(), Ending::Halt, "{}", machine.transcript());
    flood.wait().unwrap();
}

#[test]
fn refused_forks_are_tried_again_until_there_are_processes() {
    let machine = spoilt(":");
    machine.process("/bin/sleep 1003");
    let group = Group::new("pids");
    group.take(machine.init().pid);
    group.limit("pids.max", "1");
    let first = machine.process("/bin/sleep 1345");
    first.signal(SIGKILL);
    machine.wait_console("cannot fork");
    assert!(machine.is_there("/bin/sleep 1003"));
    group.limit("pids.max", "max");
    machine.until_true("it is respawned", || machine.is_there("/bin/sleep 1345"));
    lives_and_goes_down(machine);
}

#[test]
fn what_eats_all_memory_is_ended_and_not_init() {
    let machine = spoilt("");
    machine.process("/bin/sleep 1003");
    let group = Group::new("memory");
    group.limit(Group::MEMORY, &(48 << 20).to_string());
    group.take(machine.init().pid);
    // It may be gone before anybody has seen it run.
    machine
        .root()
        .script("/bin/eat", "note eats $1\nexec /bin/tail /dev/zero");
    for time in 0..3 {
        // Whatever init starts from now on is in the group.
        machine.write(
            "/etc/inittab",
            // A new entry each time: init may read the table again only when this line stands there already.
            format!("{LEVELS}e{time}:3:once:/bin/eat {time}\n"),
        );
        machine.ask(&change_to('Q'));
        machine.wait_log(&format!("eats {time}"));
        let eats = |command: &str| command.contains("/bin/eat") || command.contains("/dev/zero");
        machine.until_true("it is ended", || {
            !machine.descendants().iter().any(|one| eats(&one.command))
        });
        machine.write("/etc/inittab", LEVELS);
        machine.ask(&change_to('Q'));
    }
    lives_and_goes_down(machine);
}

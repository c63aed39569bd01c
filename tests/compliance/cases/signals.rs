//! What a signal to PID 1 does.

use crate::bench::{Drive, within};
use crate::compare::{Case, case};
use crate::support::accounting::change_to;
use nix::sys::signal::Signal::{
    self, SIGABRT, SIGALRM, SIGCONT, SIGHUP, SIGIO, SIGKILL, SIGPIPE, SIGPROF, SIGQUIT, SIGSEGV,
    SIGSYS, SIGTERM, SIGTRAP, SIGTSTP, SIGTTIN, SIGTTOU, SIGURG, SIGUSR1, SIGUSR2, SIGVTALRM,
    SIGXCPU, SIGXFSZ,
};
use std::time::Duration;

const LEVELS: &str =
    "id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nw4:4:respawn:/bin/sleep 1004\n";

/// All that are neither served nor impossible to ignore.
const IGNORED: [Signal; 14] = [
    SIGTERM, SIGQUIT, SIGABRT, SIGTRAP, SIGPIPE, SIGURG, SIGXCPU, SIGXFSZ, SIGVTALRM, SIGPROF,
    SIGIO, SIGSYS, SIGTTIN, SIGTTOU,
];

pub(super) const CASES: &[Case] = &[
    case(
        "signals that mean nothing to init change nothing",
        &["signals"],
        |b| {
            let machine = b.boot(LEVELS);
            let before = machine.process("/bin/sleep 1003").pid;
            machine.settle();
            for signal in IGNORED {
                machine.signal(signal);
            }
            machine.settle();
            b.see(
                "still runs",
                machine.process("/bin/sleep 1003").pid == before,
            );
            b.see_level(&machine);
            b.see_console(&machine);
            machine.ask(&change_to('4'));
            machine.process("/bin/sleep 1004");
        },
    ),
    case(
        "SIGHUP re-reads inittab without a word in the log",
        &["signals", "level change and re-read"],
        |b| {
            let machine = b.boot(LEVELS);
            machine.process("/bin/sleep 1003");
            machine.settle();
            machine.write(
                "/etc/inittab",
                format!("{LEVELS}n3:3:respawn:/bin/sleep 2003\n"),
            );
            machine.signal(SIGHUP);
            machine.process("/bin/sleep 2003");
            b.see_processes(&machine);
            b.see_syslog();
            b.see_console(&machine);
            b.see_level(&machine);
        },
    ),
    case(
        "SIGUSR2 closes the FIFO, and SIGUSR1 opens it again",
        &["signals", "FIFO"],
        |b| {
            let machine = b.boot(LEVELS);
            machine.process("/bin/sleep 1003");
            machine.settle();
            machine.signal(SIGUSR2);
            machine.until_true("nobody reads", || !machine.try_ask(&[]));
            machine.signal(SIGUSR1);
            machine.until_true("somebody reads", || machine.try_ask(&[]));
            machine.ask(&change_to('4'));
            machine.process("/bin/sleep 1004");
            b.see_level(&machine);
        },
    ),
    case(
        "children are looked after while the FIFO is closed",
        &["signals", "bugs of the original"],
        |b| {
            let machine = b.boot(LEVELS);
            let first = machine.process("/bin/sleep 1003");
            machine.settle();
            machine.signal(SIGUSR2);
            machine.until_true("nobody reads", || !machine.try_ask(&[]));
            first.signal(SIGKILL);
            machine.wait_respawned("/bin/sleep 1003", &first);
            let before = machine.processor_ticks();
            // In hundredths of a second. Beside much other work one that spins gets little of it, but more than a
            // hundredth part.
            let spins = within(Duration::from_secs(5), || {
                machine.processor_ticks() - before > 5
            });
            b.see("takes the processor", spins);
        },
    )
    .differs(
        "the original spins while its FIFO is closed",
        "takes the processor: true",
        "takes the processor: false",
    ),
    case(
        "SIGTSTP stops all work until SIGCONT, and children are reaped meanwhile",
        &["signals"],
        |b| {
            let machine = b.boot(LEVELS);
            let first = machine.process("/bin/sleep 1003");
            machine.settle();
            machine.signal(SIGTSTP);
            machine.command("usleep 100000");
            machine.ask(&change_to('4'));
            first.signal(SIGKILL);
            machine.until_true("it is reaped", || machine.children().is_empty());
            b.see(
                "goes on meanwhile",
                within(Duration::from_millis(300), || {
                    !machine.children().is_empty()
                }),
            );
            machine.signal(SIGCONT);
            machine.process("/bin/sleep 1004");
            machine.settle();
            b.see_processes(&machine);
            b.see_level(&machine);
        },
    ),
    case(
        "SIGALRM alone starts nothing",
        &["signals", "respawn throttle"],
        |b| {
            let machine = b.boot(
                "id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\no3:3:once:/bin/note once\n",
            );
            machine.wait_log("once");
            machine.settle();
            for _ in 0..5 {
                machine.signal(SIGALRM);
            }
            machine.settle();
            b.see_log(&machine);
            b.see_processes(&machine);
        },
    ),
    case("orphans are reaped", &["signals", "main loop"], |b| {
        let machine = b.boot(LEVELS);
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.command(
            "for i in 1 2 3 4 5 6 7 8 9; do setsid sh -c 'usleep 20000 & exit 0' & done; wait",
        );
        machine.until_true("no orphan is left", || machine.children().len() == 1);
        b.see_processes(&machine);
        b.see_console(&machine);
    }),
    case("a fatal signal does not end init", &["signals"], |b| {
        let machine = b.boot(LEVELS);
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.signal(SIGSEGV);
        machine.command("usleep 100000");
        b.see("runs", machine.find_process("/bin/sleep 1003").is_some());
    }),
    case(
        "SIGSEGV sent by somebody",
        &["signals", "bugs of the original"],
        |b| {
            let machine = b.boot(LEVELS);
            machine.process("/bin/sleep 1003");
            machine.settle();
            machine.signal(SIGSEGV);
            machine.ask(&change_to('4'));
            b.see(
                "goes on at once",
                within(Duration::from_secs(2), || {
                    machine.find_process("/bin/sleep 1004").is_some()
                }),
            );
            b.see(
                "panics",
                machine
                    .words()
                    .contains("PANIC: segmentation violation! sleeping for 30 seconds."),
            );
        },
    )
    .differs(
        "what anybody with root may send is no fault of init's",
        "goes on at once: false\npanics: true",
        "goes on at once: true\npanics: false",
    ),
    case(
        "SIGRTMIN+4 powers the machine off",
        &["signals", "power and keys", "releases"],
        |b| {
            let plan = b.plan(LEVELS).without("none");
            std::fs::remove_file(plan.root().at("/sbin/shutdown")).unwrap_or_default();
            let machine = plan
                .script("/sbin/shutdown", "words \"$@\"; sleep 1234")
                .boot();
            machine.process("/bin/sleep 1003");
            machine.settle();
            machine.command("kill -38 1");
            b.see(
                "shutdown runs",
                within(Duration::from_secs(2), || {
                    machine.find_process("sleep 1234").is_some()
                }),
            );
            b.see_log(&machine);
        },
    )
    .differs(
        "3.10 and later run shutdown; Debian's 3.06 ignores the signal",
        "shutdown runs: false",
        "shutdown runs: true\nlog: [/bin/words][-hP][now]",
    ),
];

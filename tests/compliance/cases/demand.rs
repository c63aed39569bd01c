//! The levels on demand: a, b and c.

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::support::namespace::Machine;

const TABLE: &str = "id:3:initdefault:
d1:a:ondemand:/bin/sleep 2001
d2:b:respawn:/bin/sleep 2002
d3:A:once:/bin/note once
d4:3c:ondemand:/bin/sleep 2004
w3:0123456789:respawn:/bin/sleep 1003
ss:S:respawn:/bin/sleep 1000
";

fn booted(b: &mut Bench) -> Machine {
    let machine = b.boot(TABLE);
    machine.process("/bin/sleep 1003");
    machine.process("/bin/sleep 2004");
    machine.settle();
    machine
}

pub(super) const CASES: &[Case] = &[
    case(
        "a demand starts what has the letter in either case, and changes no level",
        &["demand levels", "messages"],
        |b| {
            let machine = booted(b);
            b.see_processes(&machine);
            machine.go('a', 3);
            machine.process("/bin/sleep 2001");
            machine.wait_log("once");
            machine.settle();
            b.see_processes(&machine);
            b.see_level(&machine);
            b.see_syslog();
            b.see_console(&machine);
            b.see_log(&machine);
        },
    ),
    case(
        "a second demand runs once entries again and restarts nothing",
        &["demand levels"],
        |b| {
            let machine = booted(b);
            machine.go('a', 3);
            machine.wait_log("once");
            let first = machine.process("/bin/sleep 2001").pid;
            machine.settle();
            machine.go('A', 3);
            machine.wait_times("once", 2);
            machine.settle();
            b.see("the same", machine.process("/bin/sleep 2001").pid == first);
            b.see_log(&machine);
            b.see_processes(&machine);
        },
    ),
    case(
        "demanded entries are respawned and live through changes of level",
        &["demand levels", "level change and re-read"],
        |b| {
            let machine = booted(b);
            machine.go('b', 3);
            let first = machine.process("/bin/sleep 2002");
            machine.settle();
            for level in ['4', '7', '1', '2'] {
                machine.go(level, 3);
                machine.settle();
                b.see_level(&machine);
                b.see(
                    "the same",
                    machine
                        .find_process("/bin/sleep 2002")
                        .is_some_and(|one| one.pid == first.pid),
                );
            }
            first.signal(nix::sys::signal::Signal::SIGKILL);
            machine.wait_respawned("/bin/sleep 2002", &first);
            b.see_processes(&machine);
        },
    ),
    case("level S ends demanded entries", &["demand levels"], |b| {
        let machine = booted(b);
        machine.go('b', 3);
        machine.process("/bin/sleep 2002");
        machine.go('S', 3);
        machine.process("/bin/sleep 1000");
        machine.settle();
        b.see_processes(&machine);
        machine.go('3', 3);
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_processes(&machine);
    }),
    case("demands mean nothing in level S", &["demand levels"], |b| {
        let machine = booted(b);
        machine.go('S', 3);
        machine.process("/bin/sleep 1000");
        machine.settle();
        machine.go('a', 3);
        machine.settle();
        b.see_processes(&machine);
        b.see_log(&machine);
    }),
    case(
        "a demanded entry that is taken off the table ends",
        &["demand levels", "level change and re-read"],
        |b| {
            let machine = booted(b);
            machine.go('b', 3);
            machine.process("/bin/sleep 2002");
            machine.settle();
            machine.write("/etc/inittab", TABLE.replace("d2:b:respawn", "d2:b:off"));
            machine.go('Q', 3);
            machine.settle();
            b.see_processes(&machine);
        },
    ),
    case(
        "an on-demand entry with a level of its own is started in that level",
        &["demand levels", "inittab"],
        |b| {
            let machine = booted(b);
            machine.go('4', 3);
            machine.settle();
            b.see_processes(&machine);
            machine.go('c', 3);
            machine.process("/bin/sleep 2004");
            machine.settle();
            b.see_processes(&machine);
        },
    ),
    case(
        "a demanded wait entry holds back all behind it",
        &["demand levels", "entry state"],
        |b| {
            let machine = b.boot("id:3:initdefault:\nw:a:wait:/bin/hold w\nd:a:ondemand:/bin/sleep 2001\nr:3:respawn:/bin/sleep 1003\n");
            machine.process("/bin/sleep 1003");
            machine.settle();
            machine.go('a', 3);
            machine.wait_log("w runs");
            machine.settle();
            b.see_processes(&machine);
            machine.end("w");
            machine.process("/bin/sleep 2001");
            b.see_processes(&machine);
        },
    ),
    case(
        "a demand re-reads inittab",
        &["demand levels", "level change and re-read"],
        |b| {
            let machine = booted(b);
            machine.write(
                "/etc/inittab",
                format!("{TABLE}n3:3:respawn:/bin/sleep 3003\nn4:a:ondemand:/bin/sleep 3004\n"),
            );
            machine.go('a', 3);
            machine.process("/bin/sleep 3003");
            machine.process("/bin/sleep 3004");
            b.see("demanded at once", true);
        },
    ),
];

//! "Respawning too fast".

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::support::namespace::Machine;
use nix::sys::signal::Signal::{SIGALRM, SIGHUP};

const FAILING: &str =
    "id:3:initdefault:\nbad:34:respawn:/bin/note run\nzz:34:respawn:/bin/sleep 1003\n";
const SAID: &str = "respawning too fast: disabled for 5 minutes";

fn held(b: &mut Bench, inittab: &str) -> Machine {
    let machine = b.boot(inittab);
    machine.wait_console(SAID);
    machine.wait_times("run", 10);
    machine.process("/bin/sleep 1003");
    machine.settle();
    machine
}

fn freed_by(b: &mut Bench, act: fn(&Machine)) {
    let machine = held(b, FAILING);
    b.see("starts", machine.times("run"));
    act(&machine);
    machine.wait_console(SAID);
    machine.wait_times("run", 20);
    machine.settle();
    b.see("starts", machine.times("run"));
    b.see_console(&machine);
}

pub(super) const CASES: &[Case] = &[
    case(
        "ten starts succeed, the eleventh holds the entry for five minutes",
        &["respawn throttle", "messages"],
        |b| {
            let machine = held(b, FAILING);
            machine.command("usleep 300000");
            b.see_log(&machine);
            b.see_console(&machine);
            b.see_syslog();
            b.see_processes(&machine);
        },
    ),
    case(
        "a program that is missing is held too",
        &["respawn throttle", "running a process"],
        |b| {
            let machine = b.boot(
                "id:3:initdefault:\nbad:3:respawn:/bin/missing\nzz:3:respawn:/bin/sleep 1003\n",
            );
            machine.wait_console(SAID);
            machine.process("/bin/sleep 1003");
            machine.settle();
            let mut said = crate::observe::messages(&machine.words());
            said.sort();
            b.see_all("console", said);
        },
    ),
    case(
        "telinit q frees a held entry",
        &["respawn throttle", "level change and re-read"],
        |b| {
            freed_by(b, |machine| machine.go('Q', 3));
        },
    ),
    case(
        "SIGHUP frees a held entry",
        &["respawn throttle", "signals"],
        |b| {
            freed_by(b, |machine| machine.signal(SIGHUP));
        },
    ),
    case(
        "a change of level frees a held entry",
        &["respawn throttle", "level change and re-read"],
        |b| {
            freed_by(b, |machine| machine.go('4', 3));
        },
    ),
    case(
        "SIGALRM does not free a held entry",
        &["respawn throttle", "signals"],
        |b| {
            let machine = held(b, FAILING);
            machine.signal(SIGALRM);
            machine.settle();
            machine.command("usleep 100000");
            machine.settle();
            b.see("starts", machine.times("run"));
        },
    ),
    case(
        "two failing entries are held each for itself",
        &["respawn throttle"],
        |b| {
            let machine = b.boot("id:3:initdefault:\nb1:3:respawn:/bin/note one\nb2:3:respawn:/bin/note two\nzz:3:respawn:/bin/sleep 1003\n");
            machine.wait_console("\"b1\" respawning too fast");
            machine.until_true("the other too", || {
                machine.transcript().contains("\"b2\" respawning too fast")
            });
            machine.settle();
            b.see("one", machine.times("one"));
            b.see("two", machine.times("two"));
        },
    ),
    case(
        "an on-demand entry is held like a respawn entry",
        &["respawn throttle", "demand levels"],
        |b| {
            let machine = b.boot(
                "id:3:initdefault:\nbad:a:ondemand:/bin/note run\nzz:3:respawn:/bin/sleep 1003\n",
            );
            machine.process("/bin/sleep 1003");
            machine.settle();
            machine.go('a', 3);
            machine.wait_console(SAID);
            machine.wait_times("run", 10);
            machine.settle();
            b.see("starts", machine.times("run"));
            b.see_console(&machine);
        },
    ),
    case(
        "other entries go on while one is held",
        &["respawn throttle"],
        |b| {
            let machine = held(b, FAILING);
            let first = machine.process("/bin/sleep 1003");
            first.signal(nix::sys::signal::Signal::SIGKILL);
            machine.wait_respawned("/bin/sleep 1003", &first);
            b.see("starts", machine.times("run"));
        },
    ),
];

//! `telinit u` within one init: the next image of the same program.

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::support::accounting::{SET_ENVIRONMENT, change_to, request};
use crate::support::namespace::Machine;
use nix::sys::signal::Signal::{SIGHUP, SIGKILL};

const LEVELS: &str = "id:3:initdefault:
b1::boot:/bin/sleep 1100
o3:3:once:/bin/sleep 1303
r3:3:respawn:/bin/sleep 1003
rb:345:respawn:/bin/sleep 1345
r4:4:respawn:/bin/sleep 1004
";

fn booted(b: &mut Bench) -> Machine {
    let machine = b.boot(LEVELS);
    for command in [
        "/bin/sleep 1100",
        "/bin/sleep 1303",
        "/bin/sleep 1003",
        "/bin/sleep 1345",
    ] {
        machine.process(command);
    }
    machine.settle();
    machine
}

fn reexec(machine: &Machine) {
    machine.ask(&change_to('U'));
    machine.wait_console(" reloading");
    machine.settle();
}

/// `/sbin/init` is spoiled by `act`; init must go on.
fn failed(b: &mut Bench, act: &str) {
    let machine = booted(b);
    let before = machine.process("/bin/sleep 1003").pid;
    machine.command(act);
    machine.ask(&change_to('U'));
    machine.wait_console("Attempt to re-exec failed");
    // The original may be deaf until a signal comes.
    machine.until_true("init listens", || {
        machine.try_ask(&[]) || {
            machine.signal(SIGHUP);
            false
        }
    });
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
    machine.settle();
    b.see("the same until then", before > 0);
    b.see_processes(&machine);
    b.see_level(&machine);
}

/// Whether init takes requests after a failure, without being helped by a signal.
fn listens_after(b: &mut Bench, act: &str) {
    let machine = booted(b);
    machine.command(act);
    machine.ask(&change_to('U'));
    machine.wait_console("Attempt to re-exec failed");
    b.see(
        "listens",
        crate::bench::within(std::time::Duration::from_secs(1), || machine.try_ask(&[])),
    );
}

const DEAF: &str = "the original may be deaf until a signal arrives";

pub(super) const CASES: &[Case] = &[
    case("the next image keeps processes, level and the level before", &["re-exec", "messages"], |b| {
        let machine = booted(b);
        let pids = || ["/bin/sleep 1100", "/bin/sleep 1303", "/bin/sleep 1003", "/bin/sleep 1345"].map(|one| machine.pid_of(one));
        let before = pids();
        reexec(&machine);
        b.see("the same processes", before == pids());
        b.see_level(&machine);
        b.see_processes(&machine);
        b.see_console(&machine);
        b.see_syslog();
        machine.go('4', 3);
        machine.process("/bin/sleep 1004");
        machine.settle();
        b.see_processes(&machine);
        b.see_utmp(&machine);
    }),
    case("the next image is called with --init and shows its level as title", &["re-exec", "process title"], |b| {
        let machine = booted(b);
        reexec(&machine);
        b.see("title", machine.init().command);
        b.see("leads its session", machine.init().session == machine.init().pid);
        b.see("standard descriptors", machine.init().descriptors().keys().filter(|number| **number < 3).count());
        b.see("umask", machine.init().status("Umask"));
    }),
    case("the next image reaps and respawns", &["re-exec"], |b| {
        let machine = booted(b);
        reexec(&machine);
        let first = machine.process("/bin/sleep 1003");
        first.signal(SIGKILL);
        machine.until_true("it is respawned", || machine.find_process("/bin/sleep 1003").is_some_and(|one| one.pid != first.pid));
        let process = machine.process("/bin/sleep 1003");
        b.see_profile(&machine, "child", &process);
        machine.process("/bin/sleep 1303").signal(SIGKILL);
        machine.until_true("it is reaped", || machine.find_process("/bin/sleep 1303").is_none());
        machine.settle();
        b.see_processes(&machine);
    }),
    case("variables go along", &["re-exec", "environment"], |b| {
        let machine = booted(b);
        machine.ask(&request(SET_ENVIRONMENT, '\0', 0, b"INIT_X=1\0\0"));
        reexec(&machine);
        machine.go('4', 3);
        let environment = machine.process("/bin/sleep 1004").environment();
        b.see("INIT_X", format!("{:?}", environment.get("INIT_X")));
        b.see("RUNLEVEL", format!("{:?}", environment.get("RUNLEVEL")));
        b.see("PREVLEVEL", format!("{:?}", environment.get("PREVLEVEL")));
    }),
    case("variables that went along can still be unset", &["re-exec", "environment", "bugs of the original"], |b| {
        let machine = booted(b);
        machine.ask(&request(SET_ENVIRONMENT, '\0', 0, b"INIT_X=1\0\0"));
        reexec(&machine);
        machine.ask(&request(SET_ENVIRONMENT, '\0', 0, b"INIT_X\0\0"));
        machine.go('4', 3);
        let environment = machine.process("/bin/sleep 1004").environment();
        b.see("INIT_X", format!("{:?}", environment.get("INIT_X")));
    })
    .differs(
        "in the original they have become ordinary environment of the new image",
        "INIT_X: Some(\"1\")",
        "INIT_X: None",
    ),
    case("the next image does not read inittab by itself", &["re-exec"], |b| {
        let machine = booted(b);
        machine.write("/etc/inittab", format!("{LEVELS}n3:3:respawn:/bin/sleep 2003\n"));
        reexec(&machine);
        b.see_processes(&machine);
        machine.go('Q', 3);
        machine.process("/bin/sleep 2003");
        b.see_processes(&machine);
    }),
    case("a held entry is freed", &["re-exec", "respawn throttle"], |b| {
        let machine = b.boot("id:3:initdefault:\nbad:3:respawn:/bin/note run\nzz:3:respawn:/bin/sleep 1003\n");
        machine.wait_console("respawning too fast");
        machine.wait_times("run", 10);
        machine.settle();
        reexec(&machine);
        machine.wait_times("run", 20);
        machine.wait_console("respawning too fast");
        machine.settle();
        b.see_log(&machine);
        b.see_console(&machine);
    }),
    case("a wait entry that runs is waited for by the next image", &["re-exec", "entry state"], |b| {
        let machine = b.boot("id:3:initdefault:\nr1:3:respawn:/bin/sleep 1001\nx:3:wait:/bin/hold x\nr2:3:respawn:/bin/sleep 1002\n");
        machine.wait_log("x runs");
        machine.process("/bin/sleep 1001");
        machine.settle();
        reexec(&machine);
        b.see_processes(&machine);
        machine.end("x");
        machine.process("/bin/sleep 1002");
        b.see_log(&machine);
        b.see_processes(&machine);
    }),
    case("levels 7 to 9 are not handed over", &["re-exec"], |b| {
        let machine = b.boot("id:8:initdefault:\nr8:8:respawn:/bin/sleep 1008\n");
        machine.process("/bin/sleep 1008");
        machine.settle();
        machine.ask(&change_to('U'));
        machine.settle();
        b.see_syslog();
        b.see_console(&machine);
    }),
    case("the state text, and how the next image is called", &["re-exec"], |b| {
        let machine = b.boot(
            "id:3:initdefault:\nsi::sysinit:/bin/note si\nb1::boot:/bin/sleep 1100\nbw::bootwait:/bin/note bw\npf::powerfail:/bin/note pf\nca:12345:ctrlaltdel:/bin/note ca\nw3:3:wait:/bin/note w3\no3:3:once:/bin/sleep 1303\nr3:3:respawn:/bin/sleep 1003\nof:3:off:/bin/note of\nde:a:ondemand:/bin/sleep 2001\nss:S:wait:/bin/note ss\n",
        );
        machine.process("/bin/sleep 1003");
        machine.go('a', 7);
        machine.process("/bin/sleep 2001");
        machine.settle();
        let pids = ["/bin/sleep 1100", "/bin/sleep 1303", "/bin/sleep 1003", "/bin/sleep 2001"].map(|one| machine.pid_of(one));
        // The word that says what a namespace stands for here is handed on by an init that knows it.
        machine.command(
            "printf '#!/bin/sh\ncat /proc/self/fd/11 >/out/state.new; mv /out/state.new /out/state; [ \"$2\" != --no-container ] || set -- \"$1\"; words \"$@\"; exec /bin/sleep 9999\n' >/sbin/init.new; chmod 755 /sbin/init.new; mv /sbin/init.new /sbin/init",
        );
        machine.ask(&change_to('U'));
        machine.until_true("the state is written", || machine.at("/out/state").exists());
        machine.until_true("the words too", || machine.times("[/bin/words][--init]") > 0);
        for line in machine.read("/out/state").lines() {
            // Ours adds lines that begin with X, and two that the original reads but never writes.
            let is_common = !["X", "-LW", "-LU"].iter().any(|token| line.starts_with(token))
                    && !line.contains("VER");
            if let Some(pid) = line.strip_prefix("PID") {
                let process = pids.iter().position(|known| pid.parse() == Ok(*known));
                b.see("state", format!("PID of process {process:?}"));
            } else if is_common {
                b.see("state", line);
            }
        }
        b.see_log(&machine);
    }),
    case("five images one after another", &["re-exec"], |b| {
        let machine = booted(b);
        let before = machine.pid_of("/bin/sleep 1003");
        for _ in 0..5 {
            reexec(&machine);
        }
        b.see("the same", machine.pid_of("/bin/sleep 1003") == before);
        b.see_level(&machine);
        b.see("records in wtmp", machine.wtmp().len());
    }),
    case("no next image: init goes on", &["re-exec", "messages"], |b| failed(b, "rm /sbin/init")),
    case("a next image without permission: init goes on", &["re-exec", "messages"], |b| failed(b, "chmod 644 /sbin/init")),
    case("a next image of the wrong format: init goes on", &["re-exec", "messages"], |b| {
        failed(b, "echo nonsense >/sbin/init.new; chmod 755 /sbin/init.new; mv /sbin/init.new /sbin/init");
    }),
    case("no next image: init listens", &["re-exec", "bugs of the original"], |b| {
        listens_after(b, "rm /sbin/init");
    })
    .certain(DEAF, "listens: true"),
    case("a next image of the wrong format: init listens", &["re-exec", "bugs of the original"], |b| {
        listens_after(b, "echo nonsense >/sbin/init.new; chmod 755 /sbin/init.new; mv /sbin/init.new /sbin/init");
    })
    .certain(DEAF, "listens: true"),
];

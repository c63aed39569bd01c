//! The form of messages, the title, and how a machine ends.

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::support::accounting::change_to;
use crate::support::namespace::Machine;

const LEVELS: &str =
    "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n";

fn booted(b: &mut Bench) -> Machine {
    let machine = b.boot(LEVELS);
    machine.process("/bin/sleep 1003");
    machine.settle();
    machine
}

/// How the machine ends that has this as the entry of level 0.
fn ends(b: &mut Bench, command: &str) {
    let mut machine = b.boot(&format!(
        "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nl0:0:wait:{command}\n"
    ));
    machine.process("/bin/sleep 1003");
    machine.settle();
    machine.go('0', 3);
    let ending = machine.ended();
    b.see("ends", format!("{ending:?}"));
}

pub(super) const CASES: &[Case] = &[
    case(
        "a message on the console, byte for byte",
        &["messages"],
        |b| {
            let machine = booted(b);
            machine.ask(&change_to('Z'));
            machine.wait_console("bad runlevel");
            machine.settle();
            let transcript = machine.words();
            let at = transcript.find("INIT: bad").unwrap();
            let before = &transcript[..at];
            b.see("before", format!("{:?}", &before[before.len() - 2..]));
            b.see(
                "message",
                format!("{:?}", &transcript[at..].trim_end_matches(|_| false)),
            );
        },
    ),
    case("a message in the log, byte for byte", &["messages"], |b| {
        let machine = booted(b);
        machine.ask(&change_to('Z'));
        b.wait_syslog("bad runlevel");
        b.see_syslog();
    }),
    case(
        "the log hears of the boot what it is there for",
        &["messages", "boot phases"],
        |b| {
            let machine = b.boot("id:3:initdefault:\ns1::sysinit:/bin/missing\nr3:3:respawn:/bin/sleep 1003\nx:3:unknown:\n");
            machine.process("/bin/sleep 1003");
            machine.settle();
            b.see_syslog();
            b.see_console(&machine);
        },
    ),
    case(
        "the log says why a process ended, and who sent a signal",
        &["messages", "bugs of the original"],
        |b| {
            let machine = booted(b);
            machine
                .process("/bin/sleep 1003")
                .signal(nix::sys::signal::Signal::SIGKILL);
            // The sender must still be there when its name is looked up.
            machine.command("kill -HUP 1; usleep 300000");
            machine.settle();
            let lines = b.syslog();
            b.see(
                "why it ended",
                lines
                    .iter()
                    .any(|line| line.contains("Id \"r3\"") && line.contains("has ended: ")),
            );
            b.see(
                "who sent it",
                lines
                    .iter()
                    .any(|line| line.contains("SIGHUP from pid ") && !line.contains("()")),
            );
        },
    )
    .differs(
        "whoever looks for a cause finds it in the log",
        "why it ended: false\nwho sent it: false",
        "why it ended: true\nwho sent it: true",
    ),
    case("how it introduces itself", &["messages", "releases"], |b| {
        let machine = booted(b);
        let transcript = machine.words();
        let line = transcript
            .lines()
            .find(|line| line.contains("booting"))
            .unwrap_or_default();
        b.see("says", line.trim().replace("version", "release"));
    })
    .differs(
        "each says what it is; both begin with the release whose rules they follow",
        "says: INIT: release 3.06 booting",
        "says: INIT: release 3.14 (sysvinit-rs 0.1.0) booting",
    ),
    case(
        "the title is padded to the old command line with NULs",
        &["process title"],
        |b| {
            let machine = b
                .plan(LEVELS)
                .word("quiet")
                .word("a-rather-long-word-of-the-kernel")
                .boot();
            machine.process("/bin/sleep 1003");
            machine.settle();
            let bytes = std::fs::read(format!("/proc/{}/cmdline", machine.init().pid)).unwrap();
            b.see(
                "command line",
                format!("{:?}", String::from_utf8_lossy(&bytes)),
            );
        },
    ),
    case(
        "the title is cut to the length of the old command line",
        &["process title"],
        |b| {
            let machine = booted(b);
            machine.ask(&change_to('4'));
            machine.process("/bin/sleep 1004");
            machine.settle();
            let bytes = std::fs::read(format!("/proc/{}/cmdline", machine.init().pid)).unwrap();
            b.see(
                "command line",
                format!("{:?}", String::from_utf8_lossy(&bytes)),
            );
        },
    ),
    case(
        "the title while booting",
        &["process title", "boot phases"],
        |b| {
            let machine = b.boot("id:3:initdefault:\ns1::sysinit:/bin/hold s1\nb1::bootwait:/bin/hold b1\nr3:3:respawn:/bin/sleep 1003\n");
            machine.wait_log("s1 runs");
            b.see("title", machine.init().command);
            machine.end("s1");
            machine.wait_log("b1 runs");
            b.see("title", machine.init().command);
            machine.end("b1");
            machine.process("/bin/sleep 1003");
            machine.wait_title("init [3]");
            b.see("title", machine.init().command);
        },
    ),
    case(
        "level 0 with halt -f ends the machine",
        &["level change and re-read"],
        |b| {
            ends(b, "/sbin/halt -d -f -p");
        },
    ),
    case(
        "level 0 with reboot -f restarts it",
        &["level change and re-read"],
        |b| {
            ends(b, "/sbin/reboot -d -f");
        },
    ),
];

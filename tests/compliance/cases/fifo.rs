//! The FIFO: what is read from it, and what becomes of it.

use crate::bench::{Bench, Drive, within};
use crate::compare::{Case, case};
use crate::support::accounting::{change_to, request};
use crate::support::namespace::Machine;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::time::Duration;

const LEVELS: &str = "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\nr5:5:respawn:/bin/sleep 1005\n";

fn booted(b: &mut Bench) -> Machine {
    let machine = b.boot(LEVELS);
    machine.process("/bin/sleep 1003");
    machine.settle();
    machine
}

fn unimplemented(b: &mut Bench, command: u32) {
    let machine = booted(b);
    machine.ask(&request(command, '4', 3, &[]));
    machine.wait_console("got unimplemented initrequest.");
    machine.settle();
    b.see_console(&machine);
    b.see_syslog();
    b.see_level(&machine);
}

pub(super) const CASES: &[Case] = &[
    case("the FIFO is made with mode 600", &["FIFO"], |b| {
        let machine = booted(b);
        let file = std::fs::metadata(machine.at("/run/initctl")).unwrap();
        b.see("is a FIFO", file.file_type().is_fifo());
        b.see("mode", format!("{:o}", file.permissions().mode() & 0o7777));
    }),
    // Nothing tells one writer from another: who shares /run shares init. doc/compatibility.md says so.
    case("a chroot that shares /run speaks to the same init", &["FIFO", "bugs of the original"], |b| {
        let machine = b.boot("id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n");
        machine.process("/bin/sleep 1003");
        machine.command(
            "mkdir -p /tmp/jail/bin /tmp/jail/run && cp /bin/busybox /tmp/jail/bin/ && mount --bind /run /tmp/jail/run && \
             { printf '\\151\\031\\011\\003\\001\\000\\000\\000\\064\\000\\000\\000\\000\\000\\000\\000'; \
             dd if=/dev/zero bs=368 count=1 2>/dev/null; } >/tmp/jail/request && \
             chroot /tmp/jail /bin/busybox sh -c '/bin/busybox cat /request >/run/initctl'",
        );
        machine.process("/bin/sleep 1004");
        b.see("level", machine.read("/run/runlevel"));
    }),
    case("a FIFO that is there is used as it is", &["FIFO"], |b| {
        let plan = b.plan("id:3:initdefault:\ns1::sysinit:/bin/mkfifo -m 644 /run/initctl\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n");
        let machine = plan.boot();
        machine.process("/bin/sleep 1003");
        machine.ask(&change_to('4'));
        machine.process("/bin/sleep 1004");
        b.see("level", machine.read("/run/runlevel"));
    }),
    case(
        "several requests in one write are served in order",
        &["FIFO"],
        |b| {
            let machine = b.boot("id:3:initdefault:\nr3:345:respawn:/bin/sleep 1003\n");
            machine.process("/bin/sleep 1003");
            machine.ask(&[change_to('4'), change_to('5'), change_to('Q')].concat());
            machine.wait_title("init [5]");
            machine.settle();
            b.see_console(&machine);
            b.see_syslog();
            b.see_level(&machine);
        },
    ),
    case(
        "command 0, START, is not implemented",
        &["FIFO", "messages"],
        |b| unimplemented(b, 0),
    ),
    case(
        "command 5, BSD, is not implemented",
        &["FIFO", "messages"],
        |b| unimplemented(b, 5),
    ),
    case(
        "command 7, UNSETENV, is not implemented",
        &["FIFO", "messages"],
        |b| unimplemented(b, 7),
    ),
    case("a command that has no name is not obeyed", &["FIFO", "messages"], |b| {
        let machine = booted(b);
        machine.ask(&request(99, '4', 3, &[]));
        machine.wait_console("initrequest");
        machine.settle();
        b.see_console(&machine);
        b.see_level(&machine);
    })
    .differs(
        "what begins no request that exists is passed over, so that the next one is found",
        "console: version VERSION booting\nconsole: Entering runlevel: 3\nconsole: got unimplemented initrequest.\nlevel file: \"3\"\ntitle: init [3]",
        "console: version VERSION booting\nconsole: Entering runlevel: 3\nconsole: got bogus initrequest\nlevel file: \"3\"\ntitle: init [3]",
    ),
    case(
        "a request with another magic number is bogus",
        &["FIFO", "messages"],
        |b| {
            let machine = booted(b);
            let mut bytes = change_to('4');
            bytes[0] ^= 1;
            machine.ask(&bytes);
            machine.wait_console("got bogus initrequest");
            machine.settle();
            b.see_console(&machine);
            b.see_level(&machine);
        },
    ),
    case(
        "a request that is too short is bogus, and the next one counts",
        &["FIFO", "messages"],
        |b| {
            let machine = booted(b);
            machine.ask(&change_to('5')[..100]);
            machine.wait_console("got bogus initrequest");
            machine.ask(&change_to('4'));
            machine.process("/bin/sleep 1004");
            machine.settle();
            b.see_console(&machine);
            b.see_level(&machine);
        },
    ),
    case(
        "stray bytes in front of a request",
        &["FIFO", "bugs of the original"],
        |b| {
            let machine = booted(b);
            machine.ask(&[vec![b'x'; 100], change_to('4')].concat());
            machine.wait_console("got bogus initrequest");
            machine.settle();
            b.see(
                "reaches level 4",
                within(Duration::from_millis(500), || {
                    machine.find_process("/bin/sleep 1004").is_some()
                }),
            );
        },
    )
    .differs(
        "stray bytes never cost the request behind them",
        "reaches level 4: false",
        "reaches level 4: true",
    ),
    case("a FIFO that is removed is made again", &["FIFO"], |b| {
        let machine = booted(b);
        machine.command("rm /run/initctl");
        machine.until_true("it is there again", || machine.at("/run/initctl").exists());
        machine.ask(&change_to('4'));
        machine.process("/bin/sleep 1004");
        b.see_level(&machine);
    }),
    case(
        "a FIFO that is replaced by another is opened",
        &["FIFO"],
        |b| {
            let machine = booted(b);
            machine.command("mkfifo -m 600 /run/other && mv /run/other /run/initctl");
            machine.ask(&change_to('4'));
            machine.process("/bin/sleep 1004");
            b.see_level(&machine);
        },
    ),
    case(
        "something else in the place of the FIFO is said, and removing it helps",
        &["FIFO", "messages", "bugs of the original"],
        |b| {
            let machine = booted(b);
            machine.command("echo >/run/file && mv /run/file /run/initctl");
            machine.wait_console("/run/initctl is not a fifo");
            machine.command("rm /run/initctl");
            b.see(
                "made again",
                within(Duration::from_secs(7), || {
                    machine.at("/run/initctl").exists()
                }),
            );
        },
    )
    .differs(
        "the original sleeps until a signal arrives",
        "made again: false",
        "made again: true",
    ),
    case(
        "requests during the boot are served before the level is entered",
        &["FIFO", "boot phases"],
        |b| {
            let machine = b.boot("id:3:initdefault:\ns1::sysinit:/bin/hold s1\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n");
            machine.wait_log("s1 runs");
            machine.ask(&change_to('4'));
            machine.process("/bin/sleep 1004");
            machine.settle();
            b.see_log(&machine);
            b.see_level(&machine);
            b.see_console(&machine);
            b.see_processes(&machine);
        },
    ),
];

//! A way down with everything in it that has ever kept a machine up: who ignores TERM, who is stopped, who waits for a
//! reader that never reads, who waits in the kernel and cannot be killed, a file system that is busy and does not answer,
//! and an rc script that does not end. It ends all the same, says who was in the way, and leaves the disks clean.

use std::path::Path;
use std::process::Command;

use crate::qemu::{BOOT, COMMAND, Disk, Hardware, Machine, testbed};

/// Who is in the way. The file system of /var/log, where init's own history is, is frozen (fsfreeze(8)) as one writes to it.
const OBSTACLES: &str = "mkfifo /run/pipe
bin() { cp /bin/sh /usr/local/bin/$1; }
bin stubborn; bin stopped; bin reader; bin talker; bin writer
away='setsid -f'
$away stubborn -c 'trap \"\" TERM HUP; while :; do sleep 1; done'
$away stopped -c 'trap \"\" TERM HUP; while :; do kill -STOP $$; done'
$away reader -c 'trap \"\" TERM HUP; while :; do kill -STOP $$; done' </run/pipe &
$away talker -c 'trap \"\" TERM HUP PIPE; while :; do echo words; done' >/run/pipe
mount /dev/nvme0n2 /var/log; : >>/var/log/wtmp
$away writer -c 'cd /var/log; exec 3>>held; echo before >&3; echo $$ >/run/writer;
    until [ -e /run/frozen ]; do sleep 0.1; done; echo after >&3'
until [ -s /run/writer ]; do sleep 0.1; done
fsfreeze -f /var/log
: >/run/frozen
";

fn disks() -> (Disk, Disk) {
    let root = Disk::made_by(
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/bare-with-ours"))
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .arg(testbed().join("bare/bare.tar")),
    );
    let second = Disk::made_by(Command::new("sh").args([
        "-c",
        "truncate -s 16M \"$1\" && PATH=$PATH:/sbin:/usr/sbin mkfs.ext4 -q -F \"$1\"",
        "sh",
    ]));
    (root, second)
}

/// Puts them all in the way, and gives the number of the one that cannot be killed.
fn obstruct(machine: &mut Machine) -> String {
    machine.log_in(Some("init"));
    for line in OBSTACLES.replace("\n    ", " ").lines() {
        machine.type_line(line);
    }
    machine.wait_until("[ -e /run/frozen ]");
    let writer = machine.answer("cat /run/writer");
    machine.wait_until(&format!("grep -q 'State:.D' /proc/{writer}/status"));
    for name in ["stubborn", "stopped", "reader", "talker"] {
        machine.must_exit(&format!("pidof {name}"), 0);
    }
    machine.must_exit("grep -q 'State:.T' /proc/$(pidof stopped)/status", 0);
    writer
}

#[test]
fn a_machine_full_of_obstacles_goes_down_in_time_names_them_and_leaves_its_disks_clean() {
    let (root, second) = disks();
    let drive = format!(
        "if=none,id=second,format=raw,cache=unsafe,file={}",
        second.path().display()
    );
    // Each way down is the end of a QEMU: one that starts a machine again now and then does not.
    let start = || {
        Machine::start(&Hardware {
            disk: Some(&root),
            more: &[
                "-no-reboot",
                "-drive",
                &drive,
                "-device",
                "nvme-ns,bus=disks,drive=second",
            ],
            ..Hardware::default()
        })
    };
    let mut machine = start();
    let writer = obstruct(&mut machine);
    machine.type_line("reboot");
    let said = machine.wait_for("Restarting system", BOOT);
    must_say(
        &machine,
        &said,
        &[
            " stubborn[",
            " stopped[",
            " reader[",
            " talker[",
            &format!("does not end: pid {writer} (writer), state D, waits in "),
            "/var/log stays mounted",
            &format!("in use by pid {writer} (writer), in uninterruptible sleep, waits in "),
            "holds /var/log, /var/log/held",
            "/ is read-only",
        ],
    );

    machine.wait_for_end(COMMAND);

    // Now rc itself does not get on, and init goes down without it.
    let mut machine = start();
    let writer = obstruct(&mut machine);
    for line in [
        "printf '%s\\n' '#!/bin/sh' \"trap '' TERM HUP INT\" 'while :; do sleep 1; done' >/etc/init.d/endless",
        "chmod +x /etc/init.d/endless; ln -s ../init.d/endless /etc/rc0.d/K00endless",
        "telinit -e INIT_DOWN_LIMIT=15",
        "poweroff",
    ] {
        machine.type_line(line);
    }
    let said = machine.wait_for("reboot: Power down", BOOT);
    must_say(
        &machine,
        &said,
        &[
            "[id l0] \"/etc/init.d/rc 0\" does not end; going down without it",
            "going down without init",
            &format!("does not end: pid {writer} (writer), in uninterruptible sleep, waits in "),
            "/var/log stays mounted",
            &format!("in use by pid {writer} (writer)"),
            "/ is read-only",
        ],
    );
    machine.wait_for_end(COMMAND);
    root.must_be_clean();
    second.must_be_clean();
}

fn must_say(machine: &Machine, said: &str, wanted: &[&str]) {
    for text in wanted {
        if !said.contains(text) {
            machine.fail(&format!("on the way down it was not said: {text}"));
        }
    }
}

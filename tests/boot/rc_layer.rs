//! A Debian whose whole rc layer is ours: rc, rcS, service, update-rc.d, invoke-rc.d and insserv in place of its own,
//! under its own scripts, links and packages.
//!
//! What Debian's rc does one after another is compared with what ours does, script by script: which comes after which,
//! with which words, and in which environment.

use std::path::Path;
use std::process::Command;

use crate::debian::{PASSWORD, Subject, disk, power_off};
use crate::qemu::{BOOT, COMMAND, Disk, Hardware, Machine};

/// Has every rc script tell on the serial line that it runs, in one piece, before it does anything else. The shell does it
/// alone: a process takes its time here.
const PROBE: &str = "printf '%s\\n' 'echo \"@@ $0 $* :: $(unset PWD OLDPWD; echo $(export -p))\" >/dev/ttyS0' >/etc/probe; \
    for script in /etc/init.d/*; do case $script in */README | */rc | */rcS) ;; \
    *) sed -i '1a . /etc/probe' $script ;; esac; done";
/// By it Debian's rc runs the links one after another. It cannot read the kernel's words yet when it begins.
const ONE_AFTER_ANOTHER: &str = "touch /etc/init.d/.legacy-bootordering";
/// What an administrator does who tries our programs one by one.
const OUR_TOOLS: &str = "for name in update-rc.d invoke-rc.d service insserv; do \
    ln -sf sysvtools /usr/sbin/$name; $name --version; done | grep -c sysvinit-rs";
const OUR_RC: &str = "for name in rc rcS; do \
    ln -sf /sbin/sysvtools /lib/init/$name; /etc/init.d/$name --version; done | grep -c sysvinit-rs";

/// The disk with packages to install from.
fn disk_with_packages() -> Disk {
    let recipe = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/debian-packages");
    Disk::made_by(Command::new(recipe).arg(disk().path()))
}

/// A machine that ends where another would start again.
fn start(disk: &Disk) -> Machine {
    Machine::start(&Hardware {
        disk: Some(disk),
        more: &["-no-reboot"],
        ..Hardware::default()
    })
}

/// What the scripts told on the way down and on the way up.
#[derive(Debug, PartialEq, Eq)]
struct Told {
    down: Vec<String>,
    up: Vec<String>,
}

/// Restarts and logs in again; the disk has to be clean in between.
fn restart(mut machine: Machine, disk: &Disk) -> (Machine, Told) {
    machine.type_line("reboot");
    let down = told(&machine.wait_for("Restarting system", BOOT));
    machine.wait_for_end(COMMAND);
    disk.must_be_clean();
    let mut machine = start(disk);
    let up = told(&machine.wait_for("login: ", BOOT));
    machine.answer_the_prompt(Some(PASSWORD));
    (machine, Told { down, up })
}

fn told(said: &str) -> Vec<String> {
    let lines = said.lines().filter_map(|line| line.split_once("@@ "));
    lines.map(|(_, told)| told.trim_end().to_owned()).collect()
}

/// Tells whether a link of the script is among them.
fn is_told(told: &[String], script: &str) -> bool {
    told.iter().any(|line| {
        let path = line.split(' ').next().unwrap();
        path.starts_with("/etc/rc") && path.rsplit('/').next().unwrap().get(3..) == Some(script)
    })
}

#[test]
fn debian_does_the_same_with_our_rc_layer_and_packages_find_what_they_call() {
    let is_ours = Subject::chosen() == Subject::Ours;
    let disk = disk_with_packages();
    let mut machine = start(&disk);
    machine.log_in(Some(PASSWORD));
    if is_ours {
        machine.must_answer(OUR_TOOLS, "4");
    }
    packages_install(&mut machine);
    machine.must_exit(PROBE, 0);
    machine.must_exit(ONE_AFTER_ANOTHER, 0);
    machine.must_exit("update-rc.d cron disable", 0);

    let (mut machine, debian) = restart(machine, &disk);
    assert!(debian.up.len() > 20 && debian.down.len() > 8, "{debian:#?}");
    assert!(!is_told(&debian.up, "cron"), "{debian:#?}");
    for daemon in ["atd", "busybox-syslogd"] {
        let Told { up, down } = &debian;
        assert!(is_told(up, daemon) && is_told(down, daemon), "{debian:#?}");
        machine.must_exit(&format!("service {daemon} status"), 0);
    }
    if is_ours {
        machine.must_answer(OUR_RC, "2");
    }
    machine.must_exit("/etc/init.d/cron status", 3);

    let (mut machine, ours) = restart(machine, &disk);
    assert_eq!(ours, debian);
    machine.must_exit("/etc/init.d/cron status", 3);
    machine.must_exit("update-rc.d cron enable", 0);

    let (mut machine, enabled) = restart(machine, &disk);
    assert!(is_told(&enabled.up, "cron"), "{enabled:#?}");
    machine.must_exit("/etc/init.d/cron status", 0);
    machine.must_mention("service --status-all 2>&1", "cron");
    packages_can_be_removed(&mut machine);
    power_off(machine, &disk);
}

/// Their maintainer scripts call update-rc.d and invoke-rc.d, and dpkg stops where one of these fails.
fn packages_install(machine: &mut Machine) {
    machine.must_succeed_within(
        "DEBIAN_FRONTEND=noninteractive apt-get install -y /root/packages/*.deb </dev/null",
        BOOT,
    );
    machine.must_answer("dpkg --audit", "");
    machine.must_exit("pidof atd", 0);
    machine.must_exit("pidof syslogd", 0);
    for link in [
        "rc2.d/S??atd",
        "rc2.d/S??anacron",
        "rc6.d/K??busybox-syslogd",
    ] {
        machine.must_exit(&format!("ls /etc/{link}"), 0);
    }
}

fn packages_can_be_removed(machine: &mut Machine) {
    machine.must_succeed_within(
        "DEBIAN_FRONTEND=noninteractive dpkg --purge at </dev/null",
        BOOT,
    );
    machine.must_exit("pidof atd", 1);
    machine.must_exit("ls /etc/rc?.d/[SK]??atd", 2);
}

//! A real Debian with its own inittab and rc scripts, on an ext4 disk.

use std::path::Path;
use std::process::Command;

use crate::qemu::{BOOT, COMMAND, Disk, Hardware, Machine, testbed};

/// What `tests/setup/debian-image` sets.
pub(crate) const PASSWORD: &str = "init";

/// Whose init and tools are on the disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Ours,
    Original,
}

impl Subject {
    pub(crate) fn chosen() -> Self {
        match std::env::var("INIT_UNDER_TEST").as_deref() {
            Ok("ours") | Err(_) => Self::Ours,
            Ok("original") => Self::Original,
            Ok(other) => panic!("INIT_UNDER_TEST is {other:?}; it can be `ours` or `original`"),
        }
    }
}

/// A fresh disk with the programs under test: ours in place of Debian's own, or the original.
pub(crate) fn disk() -> Disk {
    let testbed = testbed();
    let original = testbed.join("debian/original.img");
    match Subject::chosen() {
        Subject::Original => Disk::copy_of(&original),
        Subject::Ours => Disk::made_by(
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/debian-ours"))
                .arg(original)
                .arg(testbed.join("small-root/sbin")),
        ),
    }
}

/// A machine that ends where another would start again: QEMU now and then does not.
pub(crate) fn boot(disk: &Disk, words: &str) -> Machine {
    Machine::start(&Hardware {
        disk: Some(disk),
        words,
        more: &["-no-reboot"],
        ..Hardware::default()
    })
}

pub(crate) fn power_off(mut machine: Machine, disk: &Disk) {
    machine.type_line("poweroff");
    machine.wait_for("reboot: Power down", BOOT);
    machine.wait_for_end(COMMAND);
    disk.must_be_clean();
}

#[test]
fn debian_boots_serves_restarts_by_ctrl_alt_del_and_powers_off() {
    let disk = disk();
    let mut machine = boot(&disk, "");

    machine.log_in(Some(PASSWORD));
    machine.must_answer("runlevel", "N 2");
    machine.must_mention("who -r", "run-level 2");
    machine.must_mention("who -b", "system boot");
    machine.must_mention("last -x runlevel | head -n 1", "(to lvl 2)");
    machine.must_mention("last -x reboot | head -n 1", "system boot");

    machine.must_exit("/etc/init.d/cron status", 0);
    let cron = machine.answer("pidof cron");
    machine.must_exit("service cron restart", 0);
    machine.must_exit("service cron status", 0);
    machine.must_exit(&format!("[ \"$(pidof cron)\" != '{cron}' ]"), 0);
    machine.must_have_no_zombie();

    let shell = machine.answer("echo $$");
    machine.must_exit("telinit 3", 0);
    machine.wait_until("[ \"$(runlevel)\" = '2 3' ]");
    machine.wait_until("who -r | grep -q 'run-level 3'");
    machine.wait_until("! pidof -x /etc/init.d/rc >/dev/null");
    machine.must_answer("echo $$", &shell);
    machine.must_exit("/etc/init.d/cron status", 0);

    machine.must_exit("touch /root/written-before-the-restart", 0);
    machine.press_ctrl_alt_del();
    machine.wait_for("Restarting system", BOOT);
    machine.wait_for_end(COMMAND);

    let mut machine = boot(&disk, "");
    machine.log_in(Some(PASSWORD));
    machine.must_answer("runlevel", "N 2");
    machine.must_exit("test -e /root/written-before-the-restart", 0);
    // The file system says at the mount whether it was unmounted before.
    machine.must_exit("dmesg | grep -i 'ext4.*recover'", 1);
    machine.must_answer("last -x | grep -c '^reboot .*system boot'", "2");
    for record in ["(to lvl 3)", "(to lvl 6)", "system down"] {
        machine.must_mention("last -x runlevel shutdown", record);
    }
    machine.must_have_no_zombie();

    power_off(machine, &disk);
}

#[test]
fn debian_started_with_single_asks_for_the_password_and_then_goes_to_runlevel_2() {
    let disk = disk();
    let mut machine = boot(&disk, "single");

    machine.log_in_for_maintenance(PASSWORD);
    // The start-up scripts have run, and none of a multi-user runlevel.
    machine.must_exit("mountpoint -q /run", 0);
    machine.must_exit("pidof cron", 1);
    machine.must_answer("runlevel", "N S");
    machine.type_line("exit");

    machine.log_in(Some(PASSWORD));
    machine.must_answer("runlevel", "N 2");
    machine.must_exit("/etc/init.d/cron status", 0);
    power_off(machine, &disk);
}

#[test]
fn debian_started_with_emergency_gives_a_shell_before_anything_else_ran() {
    let disk = disk();
    let mut machine = boot(&disk, "emergency");

    machine.log_in_for_maintenance(PASSWORD);
    machine.must_exit("test -e /proc/1", 1);
    machine.must_exit("test -e /run/initctl", 1);
    // Nobody has made the root file system writable.
    machine.must_exit("touch /written", 1);
    machine.must_exit("mount -t proc proc /proc", 0);
    let programs = machine.answer(
        "for pid in /proc/[0-9]*; do [ ! -e $pid/exe ] || readlink $pid/exe; done | sort -u",
    );
    for program in programs.lines() {
        let name = program.rsplit('/').next().unwrap();
        if !["init", "sulogin", "dash", "readlink", "sort"].contains(&name) {
            machine.fail(&format!("{program} is running: {programs}"));
        }
    }
    machine.must_exit("umount /proc", 0);
    machine.type_line("exit");

    machine.log_in(Some(PASSWORD));
    machine.must_answer("runlevel", "N 2");
    power_off(machine, &disk);
}

#[test]
fn debian_changes_over_to_our_init_and_back_without_anything_being_restarted() {
    let testbed = testbed();
    let disk = Disk::made_by(
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/debian-both"))
            .arg(testbed.join("debian/original.img"))
            .arg(testbed.join("small-root/sbin")),
    );
    let mut machine = boot(&disk, "");
    machine.log_in(Some(PASSWORD));
    machine.must_answer("runlevel", "N 2");
    machine.must_exit("grep -q sysvinit-rs /proc/1/exe", 1);
    let (shell, cron) = (machine.answer("echo $$"), machine.answer("pidof cron"));
    machine.must_exit("cp -p /sbin/init /sbin/init.original", 0);

    machine.must_exit(
        "cp /sbin/init.ours /sbin/init.new && mv /sbin/init.new /sbin/init",
        0,
    );
    machine.must_exit("telinit u", 0);
    machine.wait_until("grep -q sysvinit-rs /proc/1/exe");
    machine.must_answer("echo $$", &shell);
    machine.must_answer("pidof cron", &cron);
    machine.must_answer("runlevel", "N 2");
    machine.must_mention("who -r", "run-level 2");
    machine.must_exit("telinit --wait=60 3", 0);
    machine.must_answer("runlevel", "2 3");
    machine.must_answer("echo $$", &shell);
    machine.must_exit("/etc/init.d/cron status", 0);
    machine.must_have_no_zombie();

    machine.must_exit(
        "cp -p /sbin/init.original /sbin/init.new && mv /sbin/init.new /sbin/init",
        0,
    );
    machine.must_exit("telinit u", 0);
    machine.wait_until("! grep -q sysvinit-rs /proc/1/exe");
    machine.must_answer("echo $$", &shell);
    machine.must_answer("runlevel", "2 3");
    machine.must_exit("telinit 2", 0);
    machine.wait_until("[ \"$(runlevel)\" = '3 2' ]");
    machine.wait_until("! pidof -x /etc/init.d/rc >/dev/null");
    machine.must_answer("echo $$", &shell);
    machine.must_have_no_zombie();
    power_off(machine, &disk);
}

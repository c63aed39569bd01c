//! Our small system: inittab, rc scripts and links of our own, in an initramfs with busybox, and on a disk with dash and
//! util-linux.
//!
//! Our programs are named with their paths: Debian's busybox shell prefers its own applets of those names to any file.

use std::path::Path;
use std::process::Command;

use crate::qemu::{BOOT, COMMAND, Disk, Hardware, Machine, testbed};

#[test]
fn small_system_boots_changes_runlevel_restarts_and_powers_off() {
    let initramfs = testbed().join("initramfs.gz");
    let mut machine = Machine::start(&Hardware {
        initramfs: Some(&initramfs),
        ..Hardware::default()
    });

    machine.log_in(None);
    machine.must_answer("/sbin/runlevel", "N 3");
    machine.must_exit("/etc/init.d/crond status", 0);
    machine.must_exit("/etc/init.d/crond stop", 0);
    machine.must_exit("/etc/init.d/crond status", 3);
    machine.must_exit("/etc/init.d/crond start", 0);
    machine.must_exit("/etc/init.d/crond status", 0);
    let crond = machine.answer("pidof crond");
    machine.must_exit("/etc/init.d/crond restart", 0);
    machine.must_exit("/etc/init.d/crond status", 0);
    machine.must_exit(&format!("[ \"$(pidof crond)\" != '{crond}' ]"), 0);

    let shell = machine.answer("echo $$");
    machine.must_exit("telinit 4", 0);
    machine.wait_until("[ \"$(/sbin/runlevel)\" = '3 4' ]");
    // The scripts of the new runlevel print where we read.
    machine.wait_until("! pidof rc >/dev/null");
    machine.must_answer("echo $$", &shell);
    machine.must_exit("/etc/init.d/crond status", 0);
    machine.must_have_no_zombie();

    machine.type_line("/sbin/reboot");
    machine.wait_for("Restarting system", BOOT);

    machine.log_in(None);
    machine.must_answer("/sbin/runlevel", "N 3");
    machine.type_line("/sbin/poweroff");
    machine.wait_for("reboot: Power down", BOOT);
    machine.must_not_have_said("[fail]");
    machine.wait_for_end(COMMAND);
}

#[test]
fn small_system_uses_a_seed_once_and_has_a_new_one_made_while_the_boot_goes_on() {
    let initramfs = testbed().join("initramfs.gz");
    let mut machine = Machine::start(&Hardware {
        initramfs: Some(&initramfs),
        ..Hardware::default()
    });
    let seeding = "/etc/init.d/random-seed start";
    machine.log_in(None);
    machine.wait_until("[ -s /var/lib/rc/random-seed ]");
    machine.must_answer("stat -c %a:%s /var/lib/rc/random-seed", "600:512");
    machine.must_mention("/sbin/initctl log random-seed", "no seed yet");
    machine.must_exit("cp /var/lib/rc/random-seed /run/used", 0);
    machine.must_exit(&format!("{seeding} | grep -q ' ok '"), 0);
    machine.must_exit("cmp -s /var/lib/rc/random-seed /run/used", 1);
    machine.wait_until("[ -s /var/lib/rc/random-seed ]");
    machine.must_exit("cmp -s /var/lib/rc/random-seed /run/used", 1);
    machine.must_exit("mount -o bind /var/lib/rc /var/lib/rc", 0);
    machine.must_exit("mount -o remount,bind,ro /var/lib/rc", 0);
    machine.must_exit(
        &format!("{seeding} | grep -q 'the seed could not be renewed'"),
        0,
    );
    machine.type_line("/sbin/poweroff");
    machine.wait_for_end(BOOT);
}

#[test]
fn small_system_that_records_what_its_entries_say_goes_on_and_goes_down_as_ever() {
    let initramfs = testbed().join("initramfs.gz");
    let mut machine = Machine::start(&Hardware {
        initramfs: Some(&initramfs),
        ..Hardware::default()
    });
    machine.log_in(None);
    machine.must_exit("echo 'RECORD_OUTPUT=yes' >/etc/default/init", 0);
    machine.must_exit("telinit q", 0);
    let shell = machine.answer("echo $$");
    machine.must_exit("telinit 4", 0);
    machine.wait_until("[ \"$(/sbin/runlevel)\" = '3 4' ]");
    machine.wait_until("! pidof rc >/dev/null");
    // What rc shows in level 4 went through a terminal to the console, and is kept.
    machine.must_exit("/sbin/initctl log l4 | grep -q '^==> l4\\.[0-9]* <==$'", 0);
    machine.must_answer("echo $$", &shell);
    machine.must_have_no_zombie();
    machine.type_line("/sbin/poweroff");
    machine.wait_for("reboot: Power down", BOOT);
    machine.must_not_have_said("[fail]");
    machine.wait_for_end(COMMAND);
}

#[test]
fn small_system_with_util_linux_on_a_disk_leaves_a_clean_file_system() {
    let disk = Disk::made_by(
        Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/bare-with-ours"))
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .arg(testbed().join("bare/bare.tar")),
    );
    let mut machine = Machine::start(&Hardware {
        disk: Some(&disk),
        ..Hardware::default()
    });

    // What `tests/setup/debian-bare` sets.
    machine.log_in(Some("init"));
    machine.must_answer("runlevel", "N 3");
    machine.must_mention("who -r", "run-level 3");
    machine.must_exit("touch /root/the-root-is-writable", 0);
    machine.must_exit("/etc/init.d/crond status", 0);
    machine.must_exit("/etc/init.d/crond restart", 0);
    machine.must_exit("/etc/init.d/crond status", 0);
    let shell = machine.answer("echo $$");
    machine.must_exit("telinit 4", 0);
    machine.wait_until("[ \"$(runlevel)\" = '3 4' ]");
    machine.wait_until("! pidof rc >/dev/null");
    machine.must_answer("echo $$", &shell);
    machine.must_have_no_zombie();

    machine.type_line("poweroff");
    machine.wait_for("reboot: Power down", BOOT);
    machine.must_not_have_said("[fail]");
    machine.wait_for_end(COMMAND);
    disk.must_be_clean();
}

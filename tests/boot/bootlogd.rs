//! bootlogd(8) on a real kernel, the only place where the redirection of the console can be tried: it is the whole
//! machine's, in whatever namespace it is asked for.

use crate::qemu::{BOOT, COMMAND, Hardware, Machine, testbed};

#[test]
fn the_console_is_recorded_shown_and_given_back() {
    let initramfs = testbed().join("initramfs.gz");
    let mut machine = Machine::start(&Hardware {
        initramfs: Some(&initramfs),
        ..Hardware::default()
    });
    machine.log_in(None);

    machine.must_exit("/sbin/bootlogd -l /tmp/boot -p /run/bootlogd.pid", 0);
    let pid = machine.answer("/bin/pidof /sbin/bootlogd");
    machine.must_answer("cat /run/bootlogd.pid", &pid);
    // There is no log yet.
    machine.type_line("echo through the con''sole >/dev/console");
    machine.wait_for("through the console", COMMAND);
    machine.must_exit("[ -e /tmp/boot ]", 1);
    machine.must_exit(": >/tmp/boot", 0);
    machine.wait_until("grep -q ' [0-9][0-9][0-9][0-9]: through the console$' /tmp/boot");
    machine.must_mention("/sbin/bootlogd -d 2>&1", "does another bootlogd run?");

    machine.must_exit(
        "printf 'the l''ast\\n' >/dev/console; kill $(cat /run/bootlogd.pid)",
        0,
    );
    machine.wait_until("[ ! -e /run/bootlogd.pid ]");
    machine.wait_until(&format!("[ ! -d /proc/{pid} ]"));
    machine.must_exit("grep -q ': the last$' /tmp/boot", 0);
    machine.must_exit(
        "echo given ba''ck >/dev/console; grep -q 'given back' /tmp/boot",
        1,
    );
    machine.must_mention("/usr/bin/readbootlog -f /tmp/boot", ": through the console");

    machine.type_line("/sbin/poweroff");
    machine.wait_for("reboot: Power down", BOOT);
    machine.wait_for_end(COMMAND);
}

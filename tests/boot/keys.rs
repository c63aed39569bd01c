//! Ctrl-Alt-Del on a machine with a screen and a keyboard: who may use it (`shutdown -a`, shutdown(8)).

use std::path::Path;

use crate::qemu::{BOOT, COMMAND, Hardware, Machine, testbed};

/// What shutdown says on the console when it refuses.
const REFUSED: &str = "shutdown: no authorized users logged in.";

fn machine(initramfs: &Path) -> Machine {
    Machine::start(&Hardware {
        initramfs: Some(initramfs),
        more: &["-vga", "std", "-no-reboot"],
        ..Hardware::default()
    })
}

#[test]
fn ctrl_alt_del_is_for_those_in_shutdown_allow_who_are_at_the_screen() {
    let initramfs = testbed().join("initramfs.gz");
    let mut machine = machine(&initramfs);
    machine.log_in(None);
    machine.must_exit(
        "echo eve::1000:1000::/:/bin/sh >>/etc/passwd; echo eve::20000:0:99999:7::: >>/etc/shadow",
        0,
    );
    machine.must_exit(
        "echo '1:2345:respawn:/sbin/getty 38400 tty1 linux' >>/etc/inittab; telinit q",
        0,
    );
    // What is on the screen.
    machine.wait_until("grep -q 'login:' /dev/vcs1");

    // Root is logged in, but on the serial line.
    machine.must_exit("echo '# nobody' >/etc/shutdown.allow", 0);
    machine.press_ctrl_alt_del();
    machine.wait_for(REFUSED, COMMAND);
    machine.press(&["e", "v", "e", "ret"]);
    machine.wait_until("who | grep -q '^eve *tty1'");
    machine.press_ctrl_alt_del();
    machine.wait_for(REFUSED, COMMAND);
    machine.must_answer("/sbin/runlevel", "N 3");

    machine.must_exit("echo eve >>/etc/shutdown.allow", 0);
    machine.press_ctrl_alt_del();
    machine.wait_for("The system is going down for reboot NOW!", COMMAND);
    machine.wait_for("Restarting system", BOOT);
    machine.wait_for_end(COMMAND);
}

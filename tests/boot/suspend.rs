//! A machine that sleeps, suspended to memory, while a shutdown waits: it goes down when it wakes up, and not after
//! what was left of the time when it fell asleep.

use crate::qemu::{BOOT, COMMAND, Hardware, Machine, testbed};

#[test]
fn a_machine_that_slept_past_the_time_of_its_shutdown_goes_down_as_it_wakes_up() {
    let initramfs = testbed().join("initramfs.gz");
    let mut machine = Machine::start(&Hardware {
        initramfs: Some(&initramfs),
        words: "no_console_suspend",
        more: &["-no-reboot"],
        ..Hardware::default()
    });
    machine.log_in(None);
    machine.must_mention("cat /sys/power/mem_sleep", "[deep]");
    let awake = machine.answer("cut -d. -f1 /proc/uptime");
    let awake: u64 = awake.parse().unwrap();
    // Told by a shell that no change of level reaches: the time is that of the order, not of the end of a long way
    // down.
    machine.must_exit(
        "{ setsid sh -c 'shutdown -r +1 >/dev/null 2>&1; echo \"<1>the order is given\" >/dev/kmsg' & }",
        0,
    );
    machine.wait_until("shutdown --show | grep -q 'in 1 minute'");
    // The clock that goes on wakes it when the minute is over.
    machine.must_exit("echo +62 >/sys/class/rtc/rtc0/wakealarm", 0);
    machine.type_line("echo mem >/sys/power/state");
    machine.wait_for("The system is going down for reboot NOW!", BOOT);
    let down = machine.wait_for("] the order is given", BOOT);
    // The kernel dates its messages by a clock that stands still while the machine sleeps.
    let date = down.rsplit('[').next().unwrap();
    let date: u64 = date.split('.').next().unwrap().trim().parse().unwrap();
    if date >= awake + 60 {
        machine.fail(&format!("told after {awake} s, it was awake for {date} s"));
    }
    machine.wait_for("] reboot: Restarting system", BOOT);
    machine.wait_for_end(COMMAND);
}

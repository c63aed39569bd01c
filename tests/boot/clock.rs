//! The date is set, a year ahead and two years back, while init and a shutdown wait: nothing runs wild, nothing stands
//! still, and the shutdown comes when its minutes are over.

use crate::qemu::{BOOT, COMMAND, Hardware, Machine, testbed};

/// Processor time that PID 1 has used, in hundredths of a second.
const TICKS: &str = "awk '{ print $14 + $15 }' /proc/1/stat";

fn number(machine: &mut Machine, command: &str) -> u64 {
    let answer = machine.answer(command);
    answer
        .parse()
        .unwrap_or_else(|error| machine.fail(&format!("`{command}`: {answer}: {error}")))
}

#[test]
fn a_clock_that_jumps_by_years_moves_no_deadline_and_starts_no_storm() {
    let initramfs = testbed().join("initramfs.gz");
    let mut machine = Machine::start(&Hardware {
        initramfs: Some(&initramfs),
        more: &["-no-reboot"],
        ..Hardware::default()
    });
    machine.log_in(None);
    let begun = number(&mut machine, "cut -d. -f1 /proc/uptime");
    // Time enough for both rounds on an emulated processor that has little of a real one.
    machine.must_exit("{ shutdown -r +4 >/dev/null 2>&1 & }", 0);
    machine.wait_until("shutdown --show | grep -q 'in 4 minutes'");
    let mut level = 3;
    for years in ["+ 1", "- 2"] {
        let before = number(&mut machine, TICKS);
        machine.must_exit(
            &format!("date -s @$(($(date +%s) {years} * 31536000)) && sleep 3"),
            0,
        );
        let used = number(&mut machine, TICKS) - before;
        if used > 20 {
            machine.fail(&format!("{used} hundredths of a second for {years} years"));
        }
        machine.must_mention("shutdown --show", "minute");
        // A level is changed as ever.
        level = 7 - level;
        machine.must_exit(&format!("telinit --wait=60 {level}"), 0);
        machine.must_exit("/etc/init.d/crond status", 0);
    }
    machine.wait_for("The system is going down for reboot NOW!", BOOT);
    let down = machine.wait_for("] reboot: Restarting system", BOOT);
    // The kernel dates its messages by the clock that nobody sets.
    let date = down.rsplit('[').next().unwrap();
    let date: u64 = date.split('.').next().unwrap().trim().parse().unwrap();
    if date < begun + 235 {
        machine.fail(&format!(
            "told after {begun} s, it went down after {date} s"
        ));
    }
    machine.wait_for_end(COMMAND);
}

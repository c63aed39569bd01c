//! Debian's own scripts, unchanged, with every tool of ours that they call: killall5, pidof, bootlogd, halt, reboot,
//! shutdown and telinit.

use crate::debian::{PASSWORD, Subject, boot, disk};
use crate::qemu::{BOOT, Machine};

/// A daemon with the script that Debian recommends, without a pid file: only pidof can tell whether it runs.
const SLEEPER: &str = "cp /bin/sleep /usr/local/sbin/sleeper; \
    printf '%s\\n' '#!/usr/bin/env /lib/init/init-d-script' DAEMON=/usr/local/sbin/sleeper DAEMON_ARGS=infinity \
    START_ARGS=--background PIDFILE=none >/etc/init.d/sleeper; chmod +x /etc/init.d/sleeper";

/// What many an administrator has written: the power fails, so the machine goes down unless it comes back.
const POWERFAIL: &str = "printf '%s\\n' '#!/bin/sh' 'case $1 in' \
    'start) shutdown -h -P +3 \"the power has failed\" >/dev/null 2>&1 & ;;' \
    'stop) shutdown -c \"the power is back\" ;;' 'now) shutdown -h -H now ;;' 'esac' \
    'echo \"$1 $RUNLEVEL $PREVLEVEL\" >>/run/powerfail' >/etc/init.d/powerfail; chmod +x /etc/init.d/powerfail";

#[test]
fn scripts_of_debian_find_stop_and_spare_processes_by_our_tools() {
    let disk = disk();
    let mut machine = boot(&disk, "");
    machine.log_in(Some(PASSWORD));
    if Subject::chosen() == Subject::Ours {
        tools_are_ours(&mut machine);
    }
    boot_log_is_kept(&mut machine);
    bootlogd_is_told_from_other_tools(&mut machine);

    machine.must_exit(SLEEPER, 0);
    machine.must_exit("/etc/init.d/sleeper status", 3);
    machine.must_exit("/etc/init.d/sleeper start", 0);
    machine.must_exit("/etc/init.d/sleeper status", 0);
    machine.must_exit("/etc/init.d/cron status", 0);
    // pidof is asked where there is no pid file.
    machine.must_exit(
        ". /lib/lsb/init-functions; rm /run/crond.pid; pidofproc /usr/sbin/cron",
        0,
    );
    remaining_processes_are_ended_but_for_those_omitted(&mut machine);

    machine.must_exit("telinit 1", 0);
    machine.wait_for("All processes ended within", BOOT);
    machine.wait_for("Will now switch to single-user mode", BOOT);
    machine.log_in_for_maintenance(PASSWORD);
    machine.must_answer("runlevel", "1 S");
    machine.must_exit("/etc/init.d/sleeper status", 3);
    // That ends this shell too.
    machine.type_line("telinit 3");
    machine.log_in(Some(PASSWORD));
    machine.must_answer("runlevel", "S 3");
    machine.must_exit("/etc/init.d/cron status", 0);

    machine.must_exit(POWERFAIL, 0);
    power_fails_comes_back_and_is_gone(&mut machine);
    machine.wait_for("All processes ended within", BOOT);
    machine.wait_for("Will now halt", BOOT);
    machine.wait_for("reboot: System halted", BOOT);
    // It stays on, so nothing ends but by our hand.
    drop(machine);
    disk.must_be_clean();
}

fn tools_are_ours(machine: &mut Machine) {
    for tool in ["bootlogd", "killall5 ", "pidof", "halt", "shutdown"] {
        machine.must_mention(&format!("{tool} --version"), "sysvinit-rs");
    }
}

/// What was on the console before there was a place to log it, and after.
fn boot_log_is_kept(machine: &mut Machine) {
    for line in [
        "Mounting local filesystems",
        "Starting periodic command scheduler",
    ] {
        machine.must_mention("readbootlog", line);
    }
    machine.must_exit(
        "grep -q '^... ... .. ..:..:.. 20[0-9][0-9]: ' /var/log/boot",
        0,
    );
    machine.must_exit("[ -e /run/bootlog ]", 1);
    machine.must_exit("/etc/init.d/bootlogd status", 3);
}

/// The scripts ask by `start-stop-daemon --exec`, which compares files: bootlogd must not be the file of a tool that
/// waits.
fn bootlogd_is_told_from_other_tools(machine: &mut Machine) {
    machine.must_exit("{ shutdown -Q -k +600 >/dev/null 2>&1 & }", 0);
    machine.wait_until("pidof shutdown >/dev/null");
    machine.must_exit("/etc/init.d/bootlogd start", 0);
    machine.wait_until("/etc/init.d/bootlogd status");
    machine.must_exit("echo seen by the re''corder >/dev/console", 0);
    machine.wait_until("grep -q 'seen by the recorder' /run/bootlog");
    machine.must_exit("/etc/init.d/stop-bootlogd start", 0);
    machine.must_exit("/etc/init.d/stop-bootlogd status", 3);
    machine.must_exit("grep -q 'seen by the recorder' /var/log/boot", 0);
    machine.must_exit("pidof shutdown", 0);
    machine.must_exit("shutdown -c", 0);
}

/// `sendsigs`, as it runs on the way down, here from a session that lives on.
fn remaining_processes_are_ended_but_for_those_omitted(machine: &mut Machine) {
    machine.must_exit(
        "mkdir -p /run/sendsigs.omit.d; pidof sleeper >/run/sendsigs.omit.d/sleeper",
        0,
    );
    let omitted = machine.answer("pidof sleeper");
    machine.must_mention("/etc/init.d/sendsigs stop", "All processes ended within");
    machine.must_answer("pidof sleeper", &omitted);
    machine.must_exit("pidof cron", 1);
    machine.must_exit("/etc/init.d/cron start", 0);
}

fn power_fails_comes_back_and_is_gone(machine: &mut Machine) {
    machine.must_exit("printf F >/run/powerstatus; kill -PWR 1", 0);
    machine.wait_until("grep -q '^start 3 S$' /run/powerfail");
    machine.wait_until("[ -e /run/shutdown.pid ]");
    machine.must_exit("printf O >/run/powerstatus; kill -PWR 1", 0);
    machine.wait_until("grep -q '^stop 3 S$' /run/powerfail");
    machine.wait_until("! pidof shutdown");
    machine.must_answer("runlevel", "S 3");
    machine.must_exit("printf L >/run/powerstatus; kill -PWR 1", 0);
}

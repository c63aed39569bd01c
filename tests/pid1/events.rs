//! Keys, power and variables: what arrives while init runs.

use crate::support::accounting::{
    POWER_FAIL, POWER_FAIL_NOW, POWER_OK, SET_ENVIRONMENT, change_to, request,
};
use crate::support::namespace::{Machine, Plan};
use crate::support::root::ours;
use nix::sys::signal::{SIGINT, Signal};
use std::fs;

const POWER: &str = "id:3:initdefault:
pf:3:powerfail:/bin/note fail
pw:3:powerwait:/bin/note wait
pn:3:powerfailnow:/bin/note now
po:3:powerokwait:/bin/note ok
r3:3:respawn:/bin/sleep 1000
";

fn booted(inittab: &str) -> Machine {
    let machine = Plan::new(inittab).boot();
    machine.process("/bin/sleep 1000");
    machine
}

fn sorted_log(machine: &Machine) -> Vec<String> {
    let mut log = machine.log();
    log.sort();
    log
}

#[test]
fn ctrl_alt_del_runs_its_entry_each_time() {
    let machine = booted(
        "id:3:initdefault:\nca:3:ctrlaltdel:/bin/note pressed\nr3:3:respawn:/bin/sleep 1000\n",
    );
    assert_eq!(machine.log(), Vec::<String>::new());
    machine.signal(SIGINT);
    machine.until_true("the entry ran", || machine.log() == ["pressed"]);
    machine.until_true("it was reaped", || machine.children().len() == 1);
    machine.signal(SIGINT);
    machine.until_true("the entry ran again", || {
        machine.log() == ["pressed", "pressed"]
    });
}

#[test]
fn ctrl_alt_del_in_a_level_without_entry_waits_for_a_level_that_has_one() {
    let machine = booted(
        "id:3:initdefault:\nca:4:ctrlaltdel:/bin/note pressed\nr:34:respawn:/bin/sleep 1000\n",
    );
    machine.signal(SIGINT);
    machine.ask(&change_to('4'));
    machine.until_true("the entry ran", || machine.log() == ["pressed"]);
}

#[test]
fn keyboard_request_runs_its_entry() {
    let machine =
        booted("id:3:initdefault:\nkb:3:kbrequest:/bin/note asked\nr3:3:respawn:/bin/sleep 1000\n");
    machine.signal(Signal::SIGWINCH);
    machine.wait_log("asked");
}

fn power_signal_with(status: Option<&str>, expected: &[&str]) {
    let machine = booted(POWER);
    if let Some(status) = status {
        machine.write("/run/powerstatus", status);
    }
    machine.signal(Signal::SIGPWR);
    machine.until_true("the entries ran", || sorted_log(&machine) == expected);
    assert!(!machine.at("/run/powerstatus").exists());
}

#[test]
fn power_signal_without_status_means_that_power_fails() {
    power_signal_with(None, &["fail", "wait"]);
}

#[test]
fn power_status_fail_means_that_power_fails() {
    power_signal_with(Some("FAIL\n"), &["fail", "wait"]);
}

#[test]
fn empty_power_status_means_that_power_fails() {
    power_signal_with(Some(""), &["fail", "wait"]);
}

#[test]
fn power_status_ok_means_that_power_is_back() {
    power_signal_with(Some("OK\n"), &["ok"]);
}

#[test]
fn power_status_low_means_that_the_battery_is_low() {
    power_signal_with(Some("LOW\n"), &["now"]);
}

#[test]
fn old_place_of_the_power_status_is_read_with_a_warning() {
    let machine = booted(POWER);
    machine.write("/etc/powerstatus", "OK\n");
    machine.signal(Signal::SIGPWR);
    machine.wait_console(
        "INIT: warning: found obsolete path /etc/powerstatus, use /var/run/powerstatus instead",
    );
    machine.wait_log("ok");
    assert!(!machine.at("/etc/powerstatus").exists());
}

#[test]
fn power_requests_in_the_fifo_need_no_file() {
    let machine = booted(POWER);
    machine.ask(&request(POWER_FAIL, '\0', 3, &[]));
    machine.until_true("power failed", || sorted_log(&machine) == ["fail", "wait"]);
    machine.ask(&request(POWER_FAIL_NOW, '\0', 3, &[]));
    machine.until_true("the battery is low", || machine.log().len() == 3);
    machine.ask(&request(POWER_OK, '\0', 3, &[]));
    machine.until_true("power is back", || machine.log().len() == 4);
    assert_eq!(machine.log()[2..], ["now", "ok"]);
}

#[test]
fn variable_set_through_the_fifo_reaches_later_children_until_it_is_unset() {
    let machine = booted(
        "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1000\nr4:4:respawn:/bin/sleep 1004\nr5:5:respawn:/bin/sleep 1005\n",
    );
    machine.ask(&request(
        SET_ENVIRONMENT,
        '\0',
        0,
        b"INIT_HALT=HALT\0OTHER=1\0\0",
    ));
    machine.command("telinit -e INIT_MORE=2");
    machine.command("telinit 4");
    let environment = machine.process("/bin/sleep 1004").environment();
    assert_eq!(
        environment.get("INIT_HALT").map(String::as_str),
        Some("HALT")
    );
    assert_eq!(environment.get("INIT_MORE").map(String::as_str), Some("2"));
    assert_eq!(
        environment.get("OTHER"),
        None,
        "only names with INIT_ are taken"
    );
    machine.command("telinit -e INIT_HALT");
    machine.command("telinit 5");
    let environment = machine.process("/bin/sleep 1005").environment();
    assert_eq!(environment.get("INIT_HALT"), None);
    assert_eq!(environment.get("INIT_MORE").map(String::as_str), Some("2"));
}

#[test]
fn telinit_without_init_listening_says_so_and_fails() {
    let machine = booted("id:3:initdefault:\nr3:3:respawn:/bin/sleep 1000\n");
    machine.signal(Signal::SIGUSR2);
    machine.until_true("the FIFO is closed", || !machine.try_ask(&[]));
    let output = machine.run("telinit 4");
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    assert!(!output.stderr.is_empty());
    assert!(fs::metadata(machine.at("/run/initctl")).is_ok());
}

#[test]
fn power_status_that_cannot_be_read_is_said_and_means_failure() {
    if !ours() {
        return;
    }
    let machine = booted(POWER);
    fs::create_dir(machine.at("/run/powerstatus")).unwrap();
    machine.signal(Signal::SIGPWR);
    machine.wait_console("power is taken to fail");
    machine.until_true("what is for a failure ran", || {
        sorted_log(&machine) == ["fail", "wait"]
    });
}

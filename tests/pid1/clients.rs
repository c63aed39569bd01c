//! Our own clients, and Debian's unmodified ones, drive the init under test; the machine goes down by reboot(2).

use crate::support::namespace::{Ending, Machine, Plan};
use crate::support::root::ours;
use std::fs;

const SYSTEM: &str = "id:3:initdefault:
l0:0:wait:/bin/going /sbin/halt -d -f -i
l6:6:wait:/bin/going /sbin/reboot -d -f -i
r3:3:respawn:/bin/sleep 1003
r4:4:respawn:/bin/sleep 1004
";

#[derive(Clone, Copy)]
enum Clients {
    Own,
    Debian,
}

fn booted(clients: Clients) -> Machine {
    let plan = Plan::new(SYSTEM).script(
        "/bin/going",
        "note \"$* INIT_HALT=$INIT_HALT\"\nexec \"$@\"",
    );
    if matches!(clients, Clients::Debian) && ours() {
        plan.root().install_original_clients();
    }
    let machine = plan.boot();
    machine.process("/bin/sleep 1003");
    machine
}

fn goes_down(clients: Clients, command: &str, ending: Ending, noted: &str) {
    let mut machine = booted(clients);
    // The command may be killed together with the machine, so its exit status says nothing.
    let child = machine.start(command);
    assert_eq!(
        machine.ended(),
        ending,
        "{command}: {}",
        machine.transcript()
    );
    drop(child.wait_with_output());
    let log = fs::read_to_string(machine.root().at("/out/log")).unwrap();
    assert_eq!(log.trim_end(), noted, "{command}");
}

fn changes_levels(clients: Clients) {
    let machine = booted(clients);
    machine.command("telinit -t 1 4");
    machine.process("/bin/sleep 1004");
    assert_eq!(machine.command("runlevel"), "3 4\n");
    machine.command("telinit q");
    machine.command("telinit -e INIT_Y=1 && telinit 3");
    let environment = machine.process("/bin/sleep 1003").environment();
    assert_eq!(environment.get("INIT_Y").map(String::as_str), Some("1"));
    let output = machine.run("telinit x");
    assert_eq!(output.status.code(), Some(1));
}

#[test]
fn own_telinit_and_runlevel_change_and_show_levels() {
    changes_levels(Clients::Own);
}

#[test]
fn debians_telinit_and_runlevel_change_and_show_levels() {
    changes_levels(Clients::Debian);
}

#[test]
fn own_poweroff_ends_the_machine() {
    goes_down(
        Clients::Own,
        "/sbin/poweroff",
        Ending::Halt,
        "/sbin/halt -d -f -i INIT_HALT=POWEROFF",
    );
}

#[test]
fn debians_poweroff_ends_the_machine() {
    goes_down(
        Clients::Debian,
        "/sbin/poweroff",
        Ending::Halt,
        "/sbin/halt -d -f -i INIT_HALT=POWEROFF",
    );
}

#[test]
fn own_halt_ends_the_machine() {
    let wish = if ours() { "HALT" } else { "" };
    goes_down(
        Clients::Own,
        "/sbin/halt",
        Ending::Halt,
        &format!("/sbin/halt -d -f -i INIT_HALT={wish}"),
    );
}

#[test]
fn debians_halt_ends_the_machine() {
    goes_down(
        Clients::Debian,
        "/sbin/halt",
        Ending::Halt,
        "/sbin/halt -d -f -i INIT_HALT=",
    );
}

#[test]
fn own_reboot_restarts_the_machine() {
    goes_down(
        Clients::Own,
        "/sbin/reboot",
        Ending::Restart,
        "/sbin/reboot -d -f -i INIT_HALT=",
    );
}

#[test]
fn debians_reboot_restarts_the_machine() {
    goes_down(
        Clients::Debian,
        "/sbin/reboot",
        Ending::Restart,
        "/sbin/reboot -d -f -i INIT_HALT=",
    );
}

#[test]
fn own_shutdown_restarts_the_machine() {
    goes_down(
        Clients::Own,
        "/sbin/shutdown -r now going",
        Ending::Restart,
        "/sbin/reboot -d -f -i INIT_HALT=",
    );
}

#[test]
fn debians_shutdown_restarts_the_machine() {
    goes_down(
        Clients::Debian,
        "/sbin/shutdown -r now going",
        Ending::Restart,
        "/sbin/reboot -d -f -i INIT_HALT=",
    );
}

#[test]
fn own_shutdown_powers_the_machine_off() {
    goes_down(
        Clients::Own,
        "/sbin/shutdown -h -P now",
        Ending::Halt,
        "/sbin/halt -d -f -i INIT_HALT=POWEROFF",
    );
}

#[test]
fn debians_shutdown_powers_the_machine_off() {
    goes_down(
        Clients::Debian,
        "/sbin/shutdown -h -P now",
        Ending::Halt,
        "/sbin/halt -d -f -i INIT_HALT=POWEROFF",
    );
}

#[test]
fn ctrl_alt_del_entry_restarts_the_machine() {
    let mut machine = Plan::new(
        "id:3:initdefault:
ca:3:ctrlaltdel:/sbin/shutdown -t1 -a -r now
l6:6:wait:/sbin/reboot -d -f -i
r3:3:respawn:/bin/sleep 1003
",
    )
    .boot();
    machine.process("/bin/sleep 1003");
    machine.signal(nix::sys::signal::SIGINT);
    assert_eq!(machine.ended(), Ending::Restart);
}

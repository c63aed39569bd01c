//! What is different where init is the first process of a container.

use super::*;
use crate::container::Realm;

const LEVELS: &str =
    "id:3:initdefault:\nl0:0:wait:/rc0\nl3:3:wait:/rc3\nl6:6:wait:/rc6\nr:3:respawn:/r\n";

fn container(table: &str) -> Machine {
    let mut machine = Machine::new(table);
    machine.init.live_in(Realm::Container);
    machine.obedient = true;
    machine.happens(Event::Booted);
    machine
}

/// One whose level has been reached.
fn up(table: &str) -> Machine {
    let mut machine = container(table);
    machine.finish_waited_for();
    machine.log();
    machine
}

/// One whose table has the command's entry, as the reader of the table adds it.
fn with_command(table: &str) -> Machine {
    let mut machine = Machine::new(table);
    let entries = &mut machine.disk.as_mut().unwrap().entries;
    entries.push(command_entry(b"sh -c true"));
    machine.init.live_in(Realm::Container);
    machine.happens(Event::Booted);
    machine
}

fn ends(machine: &mut Machine) -> Vec<String> {
    let mut log = machine.log();
    log.retain(|line| line.starts_with("end "));
    log
}

#[test]
fn every_signal_of_a_container_manager_leads_through_level_0_to_exit_status_0() {
    for signal in [
        Signal::TERM,
        Signal::INT,
        Signal::PWR,
        Signal::HALT,
        Signal::POWER_OFF,
    ] {
        let mut machine = up(LEVELS);
        machine.signal(signal);
        assert_eq!(machine.running(), ["l0"], "{signal}");
        assert_eq!(ends(&mut machine), Vec::<String>::new());
        machine.exit("l0");
        assert_eq!(ends(&mut machine), ["end with 0"], "{signal}");
    }
}

#[test]
fn a_restart_has_a_status_of_its_own() {
    let mut machine = up(LEVELS);
    machine.signal(Signal::RESTART);
    machine.exit("l6");
    assert_eq!(ends(&mut machine), ["end with 133"]);
    let mut machine = up(LEVELS);
    machine.request(b'6');
    machine.exit("l6");
    assert_eq!(ends(&mut machine), ["end with 133"]);
}

#[test]
fn what_halt_says_at_the_end_ends_at_once() {
    for (signal, end) in [
        (Signal::HALT_NOW, "end at once with 0"),
        (Signal::POWER_OFF_NOW, "end at once with 0"),
        (Signal::RESTART_NOW, "end at once with 133"),
    ] {
        let mut machine = up(LEVELS);
        machine.signal(Signal::TERM);
        machine.signal(signal);
        assert_eq!(ends(&mut machine), [end]);
    }
}

#[test]
fn a_machine_knows_none_of_these_signals() {
    for number in [2, 15, 37, 39, 47, 48, 49] {
        let mut machine = Machine::booted(LEVELS);
        machine.finish_waited_for();
        machine.log();
        machine.signal(Signal(number));
        assert_eq!(machine.log(), Vec::<String>::new(), "{number}");
    }
}

#[test]
fn an_entry_that_claims_a_key_or_the_power_signal_has_it() {
    let claimed = format!("{LEVELS}ca:3:ctrlaltdel:/ca\npw::powerwait:/pw\n");
    let mut machine = up(&claimed);
    machine.signal(Signal::INT);
    machine.signal(Signal::PWR);
    assert_eq!(machine.started(), ["ca"]);
    machine.exit("ca");
    assert_eq!(machine.started(), ["pw"]);
    machine.exit("pw");
    assert_eq!(ends(&mut machine), Vec::<String>::new());
    assert!(machine.running().contains(&"r"));
    machine.signal(Signal::TERM);
    assert!(machine.running().contains(&"l0"));
}

#[test]
fn an_entry_claims_the_power_signal_for_its_own_status_only() {
    for (claim, status, is_claimed) in [
        ("pn::powerfailnow", PowerStatus::Low, true),
        ("pn::powerfailnow", PowerStatus::Failing, false),
        ("pf::powerfail", PowerStatus::Failing, true),
        ("pf::powerfail", PowerStatus::Low, false),
        ("po::powerokwait", PowerStatus::Failing, false),
    ] {
        let mut machine = up(&format!("{LEVELS}{claim}:/claims\n"));
        machine.power = status;
        machine.signal(Signal::PWR);
        let ends = machine.running().contains(&"l0");
        assert_eq!(ends, !is_claimed, "{claim} {status:?}");
    }
}

#[test]
fn power_that_is_back_ends_nothing() {
    let mut machine = up(LEVELS);
    machine.power = PowerStatus::Restored;
    machine.signal(Signal::PWR);
    assert_eq!(machine.running(), ["r"]);
}

#[test]
fn a_stop_during_the_boot_is_obeyed() {
    let mut machine = container("id:3:initdefault:\nsi::sysinit:/rcS\nl0:0:wait:/rc0\n");
    machine.signal(Signal::TERM);
    machine.exit("l0");
    assert_eq!(ends(&mut machine), ["end with 0"]);
}

#[test]
fn a_second_stop_changes_nothing() {
    let mut machine = up(LEVELS);
    machine.signal(Signal::TERM);
    machine.log();
    machine.signal(Signal::TERM);
    machine.signal(Signal::HALT);
    assert_eq!(machine.log(), Vec::<String>::new());
    machine.exit("l0");
    assert_eq!(ends(&mut machine), ["end with 0"]);
}

#[test]
fn a_level_0_without_entries_ends_the_container() {
    let mut machine = up("id:3:initdefault:\nr:3:respawn:/r\n");
    machine.signal(Signal::TERM);
    assert_eq!(ends(&mut machine), ["end with 0"]);
}

#[test]
fn the_command_comes_when_the_levels_scripts_have_ended() {
    let mut machine = with_command(LEVELS);
    assert_eq!(machine.running(), ["l3"]);
    machine.exit("l3");
    assert_eq!(machine.running(), ["r", "--"]);
}

#[test]
fn the_end_of_the_command_stops_the_services_and_gives_its_status() {
    for (status, end) in [
        (ExitStatus::Exited(7), "end with 7"),
        (ExitStatus::Exited(0), "end with 0"),
        (ExitStatus::Killed(Signal::KILL), "end with 137"),
    ] {
        let mut machine = with_command(LEVELS);
        machine.exit("l3");
        machine.obedient = true;
        machine.exit_with("--", status);
        assert_eq!(machine.running(), ["l0"]);
        machine.exit("l0");
        assert_eq!(ends(&mut machine), [end]);
    }
}

#[test]
fn signals_go_to_the_command_while_it_runs() {
    let mut machine = with_command(LEVELS);
    machine.exit("l3");
    machine.log();
    for signal in [Signal::TERM, Signal::HALT, Signal::PWR] {
        machine.signal(signal);
    }
    assert_eq!(machine.log(), ["TERM --"; 3]);
    machine.signal(Signal::HUP);
    assert_eq!(machine.log(), ["another signal to --"]);
    assert_eq!(machine.running(), ["r", "--"]);
}

#[test]
fn a_command_that_was_stopped_before_its_time_counts_as_ended_by_the_signal() {
    let mut machine = with_command(LEVELS);
    machine.obedient = true;
    machine.signal(Signal::TERM);
    assert_eq!(machine.running(), ["l0"]);
    machine.exit("l0");
    assert_eq!(ends(&mut machine), ["end with 143"]);
}

#[test]
fn a_level_0_that_somebody_else_asks_for_ends_the_command() {
    let mut machine = with_command(LEVELS);
    machine.exit("l3");
    machine.obedient = true;
    machine.request(b'0');
    machine.exit("l0");
    assert_eq!(ends(&mut machine), ["end with 143"]);
}

#[test]
fn the_commands_status_outlives_a_re_execution() {
    let mut machine = with_command(LEVELS);
    machine.exit("l3");
    machine.obedient = true;
    machine.exit_with("--", ExitStatus::Exited(7));
    machine.init = Supervisor::resume(machine.init.snapshot(Written::default()));
    machine.happens(Event::Resumed);
    machine.exit("l0");
    assert_eq!(ends(&mut machine), ["end with 7"]);
}

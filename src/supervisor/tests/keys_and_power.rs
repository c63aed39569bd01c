//! Entries that an event starts: power, Ctrl-Alt-Del, the keyboard request, and the container manager's stop.
#![forbid(unsafe_code)]

use super::*;

const EVENTS: &str = "\
id:2:initdefault:
r:2:respawn:/r
pf::powerfail:/pf
pw::powerwait:/pw
po::powerokwait:/po
pn::powerfailnow:/pn
ca:2:ctrlaltdel:/ca
kb:2:kbrequest:/kb
";

#[test]
fn entries_for_events_do_not_run_before_their_event() {
    let machine = Machine::booted(EVENTS);
    assert_eq!(machine.running(), ["r"]);
}

#[test]
fn each_event_starts_its_entries_alone() {
    for (event, expected) in [
        (Event::PowerChanged(PowerStatus::Failing), vec!["pf", "pw"]),
        (Event::PowerChanged(PowerStatus::Low), vec!["pn"]),
        (Event::PowerChanged(PowerStatus::Restored), vec!["po"]),
        (Event::Signalled(Signal::INT), vec!["ca"]),
        (Event::Signalled(Signal::WINCH), vec!["kb"]),
    ] {
        let mut machine = Machine::booted(EVENTS);
        machine.happens(event.clone());
        assert_eq!(machine.started(), expected, "{event:?}");
    }
}

#[test]
fn requests_of_power_daemons_do_what_the_power_signal_does() {
    for status in [
        PowerStatus::Failing,
        PowerStatus::Low,
        PowerStatus::Restored,
    ] {
        let mut by_request = Machine::booted(EVENTS);
        by_request.power(status);
        let mut by_signal = Machine::booted(EVENTS);
        by_signal.power = status;
        by_signal.signal(Signal::PWR);
        let log = by_signal.log();
        assert_eq!(log.first().unwrap(), "read power status");
        assert_eq!(by_request.log(), log.get(1..).unwrap());
    }
}

#[test]
fn a_powerwait_process_holds_back_the_start_of_everything() {
    let mut machine = Machine::booted(
        "id:2:initdefault:\nr:2:respawn:/r\npw::powerwait:/pw\npf::powerfail:/pf\n",
    );
    machine.power(PowerStatus::Failing);
    machine.exit("r");
    assert_eq!(machine.running(), ["pw"], "though the file has it behind");
    machine.exit("pw");
    assert_eq!(machine.running(), ["pf", "r"]);
}

#[test]
fn an_event_during_the_run_of_its_entry_makes_it_run_again() {
    let mut machine = Machine::booted(EVENTS);
    machine.signal(Signal::INT);
    machine.signal(Signal::INT);
    machine.signal(Signal::INT);
    assert_eq!(machine.started(), ["ca"]);
    machine.exit("ca");
    assert_eq!(machine.started(), ["ca"]);
    machine.exit("ca");
    assert_eq!(machine.started(), Vec::<String>::new());
}

#[test]
fn an_event_outside_the_entrys_level_arms_it_until_a_direct_change_to_one() {
    for (signal, id) in [(Signal::INT, "ca"), (Signal::WINCH, "kb")] {
        let mut machine = Machine::booted(EVENTS);
        machine.obedient = true;
        machine.request(b'3');
        machine.signal(signal);
        machine.exit_unknown();
        assert!(!machine.running().contains(&id));
        machine.request(b'2');
        assert!(machine.running().contains(&id));
    }
}

#[test]
fn a_re_read_in_between_disarms_the_entry() {
    let mut machine = Machine::booted(EVENTS);
    machine.obedient = true;
    machine.request(b'3');
    machine.signal(Signal::INT);
    machine.request(b'q');
    machine.request(b'2');
    assert_eq!(machine.running(), ["r"]);
}

#[test]
fn ctrl_alt_del_during_the_boot_is_served_when_its_level_is_entered() {
    let mut machine =
        Machine::new("id:2:initdefault:\nsi::sysinit:/si\nca:2:ctrlaltdel:/ca\nr:2:respawn:/r\n");
    machine.boot();
    machine.signal(Signal::INT);
    assert_eq!(machine.running(), ["si"]);
    machine.exit("si");
    assert_eq!(machine.running(), ["ca"]);
}

#[test]
fn power_entries_without_levels_run_in_level_s_too_even_while_sulogin_is_waited_for() {
    let mut machine = Machine::booted(EVENTS);
    machine.obedient = true;
    machine.request(b'S');
    assert_eq!(machine.running(), ["~~"]);
    machine.power(PowerStatus::Low);
    assert_eq!(machine.running(), ["~~", "pn"]);
}

#[test]
fn the_container_managers_signal_starts_shutdown_at_once() {
    let mut machine = Machine::booted("id:2:initdefault:\nw:2:wait:/w\n");
    machine.signal(Signal::POWER_OFF);
    assert_eq!(machine.log(), ["start ~~"]);
    let start = machine.starts.last().unwrap();
    let Program::Entry(entry) = &start.program else {
        panic!("no question was expected");
    };
    assert_eq!(entry.process.as_ref(), b"/sbin/shutdown -hP now");
    assert_eq!(start.console, ConsoleUse::Shared);
    assert_eq!((start.runlevel, start.previous), (b'2', b'N'));
}

#[test]
fn the_container_managers_signal_is_served_again_when_the_shutdown_is_over() {
    let mut machine = Machine::booted(USUAL);
    machine.signal(Signal::POWER_OFF);
    machine.signal(Signal::POWER_OFF);
    assert_eq!(machine.started(), ["~~"]);
    machine.exit("~~");
    machine.signal(Signal::POWER_OFF);
    assert_eq!(machine.log(), ["start ~~"], "and its end is not recorded");
}

#[test]
fn the_shutdown_of_the_container_managers_signal_survives_the_change_of_level_it_asks_for() {
    let mut machine = Machine::booted(USUAL);
    machine.signal(Signal::POWER_OFF);
    machine.log();
    machine.request(b'0');
    assert_eq!(machine.signals(), ["TERM g2", "TERM gb"]);
}

impl Machine {
    /// An orphan ends that init adopted.
    fn exit_unknown(&mut self) {
        self.happens(Event::Exited {
            pid: Pid::new(77_777).unwrap(),
            status: ExitStatus::Exited(0),
        });
    }
}

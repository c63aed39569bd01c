//! Keys, power, and variables that arrive while init runs.

use crate::bench::{Bench, Drive, within};
use crate::compare::{Case, case};
use crate::support::accounting::{POWER_FAIL, POWER_FAIL_NOW, POWER_OK, SET_ENVIRONMENT, request};
use crate::support::namespace::Machine;
use nix::sys::signal::Signal::{SIGINT, SIGPWR, SIGWINCH};
use std::time::Duration;

const POWER: &str = "id:3:initdefault:
pf:3:powerfail:/bin/note fail
pw:3:powerwait:/bin/note wait
pn:3:powerfailnow:/bin/note now
po:3:powerokwait:/bin/note ok
r3:0123456789:respawn:/bin/sleep 1003
";

fn booted(b: &mut Bench, inittab: &str) -> Machine {
    let machine = b.boot(inittab);
    machine.process("/bin/sleep 1003");
    machine.settle();
    machine
}

/// What runs when this is the status as SIGPWR arrives.
fn power_status(b: &mut Bench, path: &str, status: Option<&str>) {
    let machine = booted(b, POWER);
    if let Some(status) = status {
        machine.write(path, status);
    }
    machine.signal(SIGPWR);
    machine.until_true("something ran", || !machine.log().is_empty());
    machine.settle();
    machine.until_true("what was started has ended", || {
        machine.children().len() == 1
    });
    b.see_sorted_log(&machine);
    b.see("file is left", machine.at(path).exists());
    b.see_console(&machine);
}

fn power(machine: &Machine, command: u32) {
    machine.ask(&request(command, '\0', 3, &[]));
}

fn set(machine: &Machine, data: &[u8]) {
    machine.ask(&request(SET_ENVIRONMENT, '\0', 0, data));
}

/// The INIT_ variables that a new child sees.
fn variables(b: &mut Bench, machine: &Machine, level: char) {
    machine.go(level, 3);
    let process = machine.process(&format!("/bin/sleep 100{level}"));
    let environment = process.environment();
    b.see_all(
        "variable",
        environment
            .iter()
            .filter(|(name, _)| {
                name.starts_with("INIT_") && *name != "INIT_VERSION" || name.starts_with("OTHER")
            })
            .map(|(name, value)| format!("{name}={value}")),
    );
}

const LEVELS: &str = "id:3:initdefault:\nr3:0123456789:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\nr5:5:respawn:/bin/sleep 1005\nr2:2:respawn:/bin/sleep 1002\n";

pub(super) const CASES: &[Case] = &[
    case(
        "Ctrl-Alt-Del runs its entries each time",
        &["power and keys", "signals"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\nc1:3:ctrlaltdel:/bin/note one\nr3:3:respawn:/bin/sleep 1003\nc2:3:ctrlaltdel:/bin/note two\n",
            );
            for times in [1, 2] {
                machine.signal(SIGINT);
                machine.wait_times("two", times);
                machine.until_true("they are reaped", || machine.children().len() == 1);
            }
            b.see_log(&machine);
        },
    ),
    case(
        "Ctrl-Alt-Del in a level that has no entry for it fires in the next that has",
        &["power and keys", "inittab"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\nca:2:ctrlaltdel:/bin/note pressed\nr3:0123456789:respawn:/bin/sleep 1003\nw4:4:wait:/bin/note four\n",
            );
            machine.signal(SIGINT);
            machine.settle();
            b.see_log(&machine);
            machine.go('2', 3);
            machine.wait_log("pressed");
            b.see_log(&machine);
        },
    ),
    case(
        "an empty level field of ctrlaltdel includes S",
        &["power and keys", "inittab"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\nca::ctrlaltdel:/bin/note pressed\nr3:0123456789:respawn:/bin/sleep 1003\nss:S:respawn:/bin/sleep 1000\n",
            );
            machine.go('S', 3);
            machine.process("/bin/sleep 1000");
            machine.settle();
            machine.signal(SIGINT);
            machine.wait_log("pressed");
            b.see_log(&machine);
        },
    ),
    case(
        "the keyboard request runs its entry without waiting",
        &["power and keys", "signals"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\nkb:3:kbrequest:/bin/hold kb\nr3:3:respawn:/bin/sleep 1003\n",
            );
            machine.signal(SIGWINCH);
            machine.wait_log("kb runs");
            let first = machine.process("/bin/sleep 1003");
            first.signal(nix::sys::signal::Signal::SIGKILL);
            machine.wait_respawned("/bin/sleep 1003", &first);
            machine.end("kb");
            machine.wait_log("kb ends");
            b.see_log(&machine);
        },
    ),
    case(
        "an empty level field of kbrequest leaves S out",
        &["power and keys", "inittab"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\nkb::kbrequest:/bin/note asked\nr3:0123456789:respawn:/bin/sleep 1003\nss:S:respawn:/bin/sleep 1000\n",
            );
            machine.go('S', 3);
            machine.process("/bin/sleep 1000");
            machine.settle();
            machine.signal(SIGWINCH);
            machine.settle();
            b.see(
                "runs in S",
                within(Duration::from_millis(300), || !machine.log().is_empty()),
            );
        },
    ),
    case(
        "a running ctrlaltdel entry that is pressed again runs once more",
        &["power and keys"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\nca:3:ctrlaltdel:/bin/hold ca\nr3:3:respawn:/bin/sleep 1003\n",
            );
            machine.signal(SIGINT);
            machine.wait_times("ca runs", 1);
            machine.signal(SIGINT);
            machine.settle();
            machine.end("ca");
            machine.wait_times("ca runs", 2);
            machine.end("ca");
            machine.wait_times("ca ends", 2);
            b.see_log(&machine);
        },
    ),
    case(
        "SIGPWR without a status: power fails",
        &["power and keys"],
        |b| power_status(b, "/run/powerstatus", None),
    ),
    case(
        "SIGPWR with an empty status: power fails",
        &["power and keys"],
        |b| power_status(b, "/run/powerstatus", Some("")),
    ),
    case("SIGPWR with FAIL: power fails", &["power and keys"], |b| {
        power_status(b, "/run/powerstatus", Some("FAIL\n"));
    }),
    case("SIGPWR with OK: power is back", &["power and keys"], |b| {
        power_status(b, "/run/powerstatus", Some("OK\n"));
    }),
    case(
        "SIGPWR with LOW: the battery is low",
        &["power and keys"],
        |b| power_status(b, "/run/powerstatus", Some("LOW\n")),
    ),
    case(
        "SIGPWR with a small letter: power fails",
        &["power and keys"],
        |b| power_status(b, "/run/powerstatus", Some("ok\n")),
    ),
    case(
        "SIGPWR with the status in its old place",
        &["power and keys", "messages"],
        |b| power_status(b, "/etc/powerstatus", Some("OK\n")),
    ),
    case(
        "power requests in the FIFO need no file",
        &["power and keys", "FIFO"],
        |b| {
            let machine = booted(b, POWER);
            power(&machine, POWER_FAIL);
            machine.until_true("power failed", || machine.log().len() == 2);
            power(&machine, POWER_FAIL_NOW);
            machine.wait_log("now");
            power(&machine, POWER_OK);
            machine.wait_log("ok");
            let mut log = machine.log();
            log[..2].sort();
            b.see_all("log", log);
            b.see_console(&machine);
        },
    ),
    case(
        "powerwait holds back powerfail behind it",
        &["power and keys", "inittab"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\npw:3:powerwait:/bin/hold pw\npf:3:powerfail:/bin/note fail\nr3:3:respawn:/bin/sleep 1003\n",
            );
            power(&machine, POWER_FAIL);
            machine.wait_log("pw runs");
            machine.settle();
            b.see_log(&machine);
            machine.end("pw");
            machine.wait_log("fail");
            b.see_log(&machine);
        },
    ),
    case(
        "power that fails again runs the entries again",
        &["power and keys"],
        |b| {
            let machine = booted(b, POWER);
            for times in [1, 2] {
                power(&machine, POWER_FAIL);
                machine.wait_times("fail", times);
                machine.wait_times("wait", times);
                machine.until_true("they are reaped", || machine.children().len() == 1);
            }
            b.see_sorted_log(&machine);
        },
    ),
    case(
        "power entries keep to their levels",
        &["power and keys"],
        |b| {
            let machine = booted(
                b,
                "id:3:initdefault:\npf:2:powerfail:/bin/note two\npg:3:powerfail:/bin/note three\nph::powerfail:/bin/note all\nr3:3:respawn:/bin/sleep 1003\n",
            );
            power(&machine, POWER_FAIL);
            machine.wait_log("all");
            machine.wait_log("three");
            machine.settle();
            b.see_sorted_log(&machine);
        },
    ),
    case(
        "the level request takes a variable along",
        &["environment", "FIFO"],
        |b| {
            let machine = booted(b, LEVELS);
            set(&machine, b"INIT_HALT=HALT\0INIT_B=a b=c\0OTHER=1\0\0");
            variables(b, &machine, '4');
        },
    ),
    case(
        "a variable is replaced, and unset by its bare name",
        &["environment", "FIFO"],
        |b| {
            let machine = booted(b, LEVELS);
            set(&machine, b"INIT_A=1\0INIT_B=2\0INIT_C=\0\0");
            variables(b, &machine, '4');
            set(&machine, b"INIT_A=3\0INIT_B\0\0");
            variables(b, &machine, '5');
            set(&machine, b"INIT_A\0\0");
            variables(b, &machine, '2');
        },
    ),
    case(
        "a variable without an end is not taken",
        &["environment", "FIFO"],
        |b| {
            let machine = booted(b, LEVELS);
            let mut data = b"INIT_A=1\0INIT_B=".to_vec();
            data.resize(368, b'x');
            set(&machine, &data);
            variables(b, &machine, '4');
        },
    ),
    case(
        "a variable does not reach what runs already, and stays until unset",
        &["environment"],
        |b| {
            let machine = booted(b, LEVELS);
            set(&machine, b"INIT_A=1\0\0");
            machine.settle();
            b.see(
                "seen",
                machine
                    .process("/bin/sleep 1003")
                    .environment()
                    .contains_key("INIT_A"),
            );
            variables(b, &machine, '4');
            variables(b, &machine, '5');
        },
    ),
    case(
        "more than sixteen variables",
        &["environment", "FIFO", "bugs of the original"],
        |b| {
            let machine = booted(b, LEVELS);
            for number in 0..20 {
                set(
                    &machine,
                    format!("INIT_{number:02}={number}\0\0").as_bytes(),
                );
            }
            machine.go('4', 3);
            let environment = machine.process("/bin/sleep 1004").environment();
            b.see(
                "variables",
                environment
                    .keys()
                    .filter(|name| name.starts_with("INIT_") && *name != "INIT_VERSION")
                    .count(),
            );
        },
    )
    .differs(
        "the original has sixteen places and drops the rest without a word",
        "variables: 16",
        "variables: 20",
    ),
];

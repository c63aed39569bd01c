//! The console: which device it is, its settings, and whom it belongs to.

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::observe;

const LEVELS: &str = "id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nw4:4:respawn:/bin/sleep 1004\nw1:1:respawn:/bin/sleep 1001\n";

fn settings_after(b: &mut Bench, spoil_and_go: &str, level: char) {
    let machine = b.boot(LEVELS);
    machine.process("/bin/sleep 1003");
    machine.settle();
    machine.command(spoil_and_go);
    machine.go(level, 3);
    machine.process(&format!("/bin/sleep 100{level}"));
    machine.settle();
    b.see_all("console", observe::terminal_settings(&machine));
}

pub(super) const CASES: &[Case] = &[
    case("the console gets its settings at boot", &["console"], |b| {
        let machine = b.boot(LEVELS);
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_all("console", observe::terminal_settings(&machine));
    }),
    case(
        "the settings are given again on the way to level 1",
        &["console"],
        |b| {
            settings_after(
                b,
                "busybox stty -icanon -echo -onlcr intr x <>/dev/console",
                '1',
            );
        },
    ),
    case(
        "the settings are left alone on the way to level 4",
        &["console"],
        |b| {
            settings_after(b, "busybox stty -icanon -echo intr x <>/dev/console", '4');
        },
    ),
    case(
        "CONSOLE in the environment names the console",
        &["console", "environment"],
        |b| {
            let machine = b.plan(LEVELS).variable("CONSOLE=/dev/null").boot();
            let process = machine.process("/bin/sleep 1003");
            b.see_all(
                "descriptor",
                observe::descriptors(&machine, &process)
                    .into_iter()
                    .map(|(number, what)| format!("{number} {what}")),
            );
            b.see(
                "CONSOLE",
                format!("{:?}", process.environment().get("CONSOLE")),
            );
        },
    ),
    case(
        "a CONSOLE that cannot be opened leads back to /dev/console",
        &["console"],
        |b| {
            let machine = b.plan(LEVELS).variable("CONSOLE=/dev/missing").boot();
            let process = machine.process("/bin/sleep 1003");
            b.see_all(
                "descriptor",
                observe::descriptors(&machine, &process)
                    .into_iter()
                    .map(|(number, what)| format!("{number} {what}")),
            );
            b.see(
                "CONSOLE",
                format!("{:?}", process.environment().get("CONSOLE")),
            );
        },
    ),
    case(
        "without any console children get the null device",
        &["console"],
        |b| {
            let machine = b.plan(LEVELS).without("console").boot();
            let process = machine.process("/bin/sleep 1003");
            b.see(
                "descriptors",
                process
                    .descriptors()
                    .into_values()
                    .map(|one| one.rsplit('/').next().unwrap_or_default().to_owned())
                    .collect::<Vec<_>>()
                    .join(" "),
            );
            b.see(
                "CONSOLE",
                format!("{:?}", process.environment().get("CONSOLE")),
            );
        },
    ),
    case(
        "a console that appears later is used from the next request on",
        &["console"],
        |b| {
            let machine = b.plan(LEVELS).without("console").boot();
            machine.process("/bin/sleep 1003");
            machine.command("ln -s zero /dev/console");
            machine.settle();
            machine.go('4', 3);
            let process = machine.process("/bin/sleep 1004");
            b.see(
                "CONSOLE",
                format!("{:?}", process.environment().get("CONSOLE")),
            );
            b.see(
                "standard output",
                process.descriptors()[&1]
                    .rsplit('/')
                    .next()
                    .unwrap_or_default(),
            );
        },
    ),
    case(
        "init takes no controlling terminal",
        &["console", "bugs of the original"],
        |b| {
            let machine = b.boot(LEVELS);
            machine.process("/bin/sleep 1003");
            b.see("has one before a request", machine.init().terminal != 0);
            machine.settle();
            machine.go('4', 3);
            machine.process("/bin/sleep 1004");
            machine.settle();
            b.see("has one after a request", machine.init().terminal != 0);
        },
    )
    .differs(
        "the original opens the console without O_NOCTTY when it looks for it again",
        "has one before a request: false\nhas one after a request: true",
        "has one before a request: false\nhas one after a request: false",
    ),
];

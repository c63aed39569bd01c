//! From power-on to a level.

use crate::bench::{Bench, Drive, within};
use crate::compare::{Case, case};
use std::time::Duration;

/// Notes what a script may ask of its place in the boot.
const WHERE: &str = "note $1 level $RUNLEVEL after $PREVLEVEL";

/// Answers the question for a level.
fn asked(b: &mut Bench, inittab: Option<&str>, answers: &[&str]) {
    let plan = match inittab {
        Some(text) => b.plan(text),
        None => b.bare_plan(),
    };
    let machine = plan.script("/sbin/sulogin", "hold sulogin").boot();
    for answer in answers {
        machine.wait_console("\nEnter runlevel: ");
        machine.type_line(answer);
    }
    machine.until_true("a level is reached", || {
        machine.init().command.starts_with("init [")
    });
    machine.until_true("and something runs", || !machine.children().is_empty());
    b.see_level(&machine);
    b.see_processes(&machine);
    // In the log: the settings the console gets with the question may throw away what was written before.
    b.see_syslog();
}

fn default_of(b: &mut Bench, lines: &str) {
    let plan = b.plan(&format!(
        "{lines}ls:S:respawn:/bin/sleep 1000\nl2:2:respawn:/bin/sleep 1002\nl3:3:respawn:/bin/sleep 1003\nl5:5:respawn:/bin/sleep 1005\nl9:9:respawn:/bin/sleep 1009\n"
    ));
    let machine = plan.boot();
    machine.until_true("a level is reached", || {
        machine.init().command.starts_with("init [")
    });
    machine.until_true("and something runs", || !machine.children().is_empty());
    b.see_level(&machine);
    b.see_processes(&machine);
    b.see_console(&machine);
}

pub(super) const CASES: &[Case] = &[
    case("sysinit, boot, then the level, each in file order", &["boot phases", "environment"], |b| {
        let plan = b.plan(
            "id:3:initdefault:
w1:3:wait:/bin/where w1
b1::bootwait:/bin/where b1
s1::sysinit:/bin/where s1
w2:3:wait:/bin/where w2
b2::bootwait:/bin/where b2
s2::sysinit:/bin/where s2
r3:3:respawn:/bin/sleep 1003
",
        );
        let machine = plan.script("/bin/where", WHERE).boot();
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_log(&machine);
        b.see_level(&machine);
        b.see_console(&machine);
    }),
    case("each sysinit entry is waited for", &["boot phases", "entry state"], |b| {
        let machine = b.boot(
            "id:3:initdefault:\ns1::sysinit:/bin/hold s1\ns2::sysinit:/bin/hold s2\nw3:3:respawn:/bin/sleep 1003\n",
        );
        machine.wait_log("s1 runs");
        b.see_processes(&machine);
        b.see("title", machine.init().command);
        machine.end("s1");
        machine.wait_log("s2 runs");
        b.see_processes(&machine);
        machine.end("s2");
        machine.process("/bin/sleep 1003");
        b.see_log(&machine);
    }),
    case("boot entries are not waited for and live on in every level", &["boot phases", "entry state", "level change and re-read"], |b| {
        let machine = b.boot(
            "id:3:initdefault:\nb1::boot:/bin/sleep 1100\nw3:3:respawn:/bin/sleep 1003\nw4:4:respawn:/bin/sleep 1004\nw1:1:respawn:/bin/sleep 1001\nss:S:respawn:/bin/sleep 1000\n",
        );
        let boot = machine.process("/bin/sleep 1100").pid;
        machine.process("/bin/sleep 1003");
        for level in ['4', '1', 'S', '3'] {
            machine.go(level, 3);
            machine.settle();
            b.see(&format!("the same in {level}"), machine.find_process("/bin/sleep 1100").is_some_and(|one| one.pid == boot));
            b.see_processes(&machine);
        }
    }),
    case("a failing sysinit, bootwait or wait entry stops nothing", &["entry state", "boot phases"], |b| {
        let machine = b.boot(
            "id:3:initdefault:\ns1::sysinit:/bin/false\ns2::sysinit:/bin/missing\nb1::bootwait:/bin/false\nw1:3:wait:/bin/false\nw2:3:wait:/bin/missing\nw3:3:respawn:/bin/sleep 1003\n",
        );
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_level(&machine);
        b.see_console(&machine);
    }),
    case("the level field of sysinit, boot and bootwait does not matter", &["inittab", "boot phases"], |b| {
        let machine = b.boot(
            "id:3:initdefault:\ns1:5:sysinit:/bin/note s1\nb1:6:bootwait:/bin/note b1\nb2:7:boot:/bin/sleep 1100\nw3:3:respawn:/bin/sleep 1003\n",
        );
        machine.process("/bin/sleep 1003");
        machine.process("/bin/sleep 1100");
        b.see_log(&machine);
    }),
    case("sysinit entries do not run again", &["boot phases", "entry state"], |b| {
        let machine = b.boot(
            "id:3:initdefault:\ns1::sysinit:/bin/note s1\nb1::bootwait:/bin/note b1\nw3:3:respawn:/bin/sleep 1003\nw4:4:respawn:/bin/sleep 1004\n",
        );
        machine.process("/bin/sleep 1003");
        for level in ['4', '3', 'Q', 'Q', '4'] {
            machine.go(level, 3);
            machine.settle();
        }
        b.see_log(&machine);
    }),
    case("a boot to level S comes before boot entries and says nothing", &["boot phases", "runlevel file"], |b| {
        let plan = b.plan(
            "id:3:initdefault:\nsi::sysinit:/bin/where si\nb1::bootwait:/bin/where b1\nss:S:wait:/bin/single\nw3:3:wait:/bin/where w3\nr3:3:respawn:/bin/sleep 1003\n",
        );
        let machine = plan
            .script("/bin/where", WHERE)
            .script("/bin/single", "where single; hold single")
            .word("single")
            .boot();
        machine.wait_log("single runs");
        b.see_level(&machine);
        b.see_console(&machine);
        machine.end("single");
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_log(&machine);
        b.see_level(&machine);
        b.see_console(&machine);
        b.see_utmp(&machine);
    }),
    case("level S from a running system ends in initdefault", &["boot phases", "level change and re-read"], |b| {
        let plan = b.plan(
            "id:3:initdefault:\nb1::bootwait:/bin/where b1\nss:S:wait:/bin/single\nw3:3:wait:/bin/where w3\nr3:3:respawn:/bin/sleep 1003\n",
        );
        let machine = plan
            .script("/bin/where", WHERE)
            .script("/bin/single", "where single; hold single")
            .boot();
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.go('S', 3);
        machine.wait_log("single runs");
        b.see_level(&machine);
        b.see_processes(&machine);
        machine.end("single");
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_log(&machine);
        b.see_level(&machine);
        b.see_syslog();
    }),
    case("a level without anything to run is said once", &["boot phases", "messages"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:wait:/bin/note w3\nw4:4:wait:/bin/note w4\nr5:5:respawn:/bin/sleep 1005\n");
        machine.wait_console("no more processes left in this runlevel");
        machine.settle();
        machine.go('4', 3);
        machine.wait_log("w4");
        machine.until_true("it is reaped", || machine.children().is_empty());
        machine.settle();
        machine.go('5', 3);
        machine.process("/bin/sleep 1005");
        machine.settle();
        b.see_console(&machine);
        b.see_syslog();
    }),
    case("of several initdefault lines the first counts", &["boot phases"], |b| {
        default_of(b, "i1:5:initdefault:\ni2:3:initdefault:\n");
    }),
    case("of several levels in initdefault the highest counts", &["boot phases"], |b| {
        default_of(b, "id:35:initdefault:\n");
    }),
    case("S is the highest of them all", &["boot phases"], |b| {
        default_of(b, "id:25S:initdefault:\n");
    }),
    case("a small s in initdefault is S", &["boot phases"], |b| {
        default_of(b, "id:s:initdefault:\n");
    }),
    case("initdefault takes level 9", &["boot phases"], |b| {
        default_of(b, "id:9:initdefault:\n");
    }),
    case("initdefault takes level 6", &["boot phases"], |b| {
        default_of(b, "id:6:initdefault:\nl6:6:respawn:/bin/sleep 1006\n");
    }),
    case("sixty wait entries follow each other at once", &["boot phases", "main loop", "bugs of the original"], |b| {
        let lines: Vec<String> = (0..60).map(|number| format!("w{number}:3:wait:/bin/true\n")).collect();
        let machine = b.boot(&format!("id:3:initdefault:\n{}r3:3:respawn:/bin/sleep 1003\n", lines.concat()));
        b.see("without a stall", within(Duration::from_secs(25), || machine.find_process("/bin/sleep 1003").is_some()));
    })
    .certain(
        "the original can miss the end of a process by up to five seconds each time",
        "without a stall: true",
    ),
    case("the process field of initdefault does not matter", &["boot phases"], |b| {
        default_of(b, "id:5:initdefault:/bin/missing\n");
    }),
    case("an empty initdefault", &["boot phases", "bugs of the original"], |b| {
        let machine = b.plan("id::initdefault:\nl9:9:respawn:/bin/sleep 1009\nl3:3:respawn:/bin/sleep 1003\n").boot();
        let asks = || machine.transcript().contains("Enter runlevel: ");
        let runs = || machine.find_process("/bin/sleep 1009").is_some();
        machine.until_true("one or the other", || asks() || runs());
        b.see("asks", asks());
        b.see("goes to level 9", runs());
    })
    .differs(
        "nobody who leaves the field empty means level 9",
        "asks: false\ngoes to level 9: true",
        "asks: true\ngoes to level 9: false",
    ),
    case("an initdefault that names no level leads to the question", &["boot phases", "messages"], |b| {
        asked(b, Some("id:A:initdefault:\nl3:3:respawn:/bin/sleep 1003\n"), &["3"]);
    }),
    case("without initdefault the console is asked", &["boot phases"], |b| {
        asked(b, Some("l3:3:respawn:/bin/sleep 1003\n"), &["3"]);
    }),
    case("an answer that is no level leads to the question again", &["boot phases"], |b| {
        asked(b, Some("l3:3:respawn:/bin/sleep 1003\n"), &["x", "33", "", "3"]);
    }),
    case("the answer s is level S", &["boot phases"], |b| {
        asked(b, Some("l3:3:respawn:/bin/sleep 1003\nls:S:respawn:/bin/sleep 1000\n"), &["s"]);
    }),
    case("without an inittab the console is asked, and S has sulogin", &["boot phases", "inittab"], |b| {
        asked(b, None, &["S"]);
    }),
    case("sulogin is added where no line has a capital S", &["inittab", "boot phases"], |b| {
        let plan = b.plan("id:3:initdefault:\nl3:3:respawn:/bin/sleep 1003\n");
        let machine = plan.script("/sbin/sulogin", "hold sulogin").boot();
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.go('S', 3);
        machine.wait_log("sulogin runs");
        b.see_processes(&machine);
        b.see_level(&machine);
    }),
    case("sulogin is not added where a line has a capital S", &["inittab", "boot phases"], |b| {
        let plan = b.plan("id:3:initdefault:\nl3:3:respawn:/bin/sleep 1003\nss:12S:respawn:/bin/sleep 1000\n");
        let machine = plan.script("/sbin/sulogin", "hold sulogin").boot();
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.go('S', 3);
        machine.process("/bin/sleep 1000");
        machine.settle();
        b.see_processes(&machine);
    }),
    case("a single-user shell that ends at once is started again", &["boot phases"], |b| {
        let plan = b.plan("id:S:initdefault:\nss:S:wait:/bin/note shell\n");
        let machine = plan.boot();
        machine.wait_times("shell", 2);
        let quick = within(Duration::from_secs(1), || machine.times("shell") > 20);
        b.see("without a pause", quick);
    })
    .certain(
        "a shell that cannot run must not take the machine: the next one is tried after five seconds, where the \
         original starts as many as the machine is quick enough for",
        "without a pause: false",
    ),
];

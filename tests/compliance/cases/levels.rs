//! Changes of level and re-reads of the table: who goes, who stays, who comes.

use crate::bench::{Bench, Drive, within};
use crate::compare::{Case, case};
use crate::support::accounting::{RUNLEVEL, change_to, request};
use crate::support::namespace::Machine;
use std::time::Duration;

const TERM: &str = "Sending processes configured via /etc/inittab the TERM signal";
const KILL: &str = "Sending processes configured via /etc/inittab the KILL signal";

/// Level 3 with `before` as its lines, then a re-read with `after`.
fn reread(b: &mut Bench, before: &str, after: &str, until: &[&str]) -> Machine {
    let head = "id:3:initdefault:\nzz:345:respawn:/bin/sleep 1003\n";
    let machine = b.boot(&format!("{head}{before}"));
    machine.process("/bin/sleep 1003");
    for command in until {
        machine.process(command);
    }
    machine.settle();
    b.see_processes(&machine);
    machine.write("/etc/inittab", format!("{head}{after}"));
    machine.go('Q', 2);
    machine.settle();
    machine
}

pub(super) const CASES: &[Case] = &[
    case("a change of level: words, record, title, file, processes", &["level change and re-read", "messages", "process title", "runlevel file", "utmp and wtmp"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nw4:4:respawn:/bin/sleep 1004\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.go('4', 3);
        machine.process("/bin/sleep 1004");
        machine.settle();
        b.see_level(&machine);
        b.see_processes(&machine);
        b.see_console(&machine);
        b.see_syslog();
        b.see_utmp(&machine);
    }),
    case("what runs in both levels is left alone", &["level change and re-read", "entry state"], |b| {
        let machine = b.boot("id:3:initdefault:\nwb:34:respawn:/bin/sleep 1034\nob:34:once:/bin/sleep 1035\nwe::respawn:/bin/sleep 1036\nw4:4:respawn:/bin/sleep 1004\n");
        let before = ["/bin/sleep 1034", "/bin/sleep 1035", "/bin/sleep 1036"].map(|one| machine.process(one).pid);
        machine.settle();
        machine.go('4', 3);
        machine.process("/bin/sleep 1004");
        machine.settle();
        let after = ["/bin/sleep 1034", "/bin/sleep 1035", "/bin/sleep 1036"].map(|one| machine.process(one).pid);
        b.see("the same", before == after);
        b.see_console(&machine);
    }),
    case("the level init is in already is no request at all", &["level change and re-read"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.write("/etc/inittab", "id:3:initdefault:\nn3:3:respawn:/bin/sleep 2003\n");
        machine.go('3', 3);
        machine.settle();
        b.see_processes(&machine);
        b.see_console(&machine);
        b.see_syslog();
        b.see_wtmp(&machine);
    }),
    case("a level that does not exist is said, and inittab is read all the same", &["level change and re-read", "messages"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.write("/etc/inittab", "id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nn3:3:respawn:/bin/sleep 2003\n");
        machine.go('Z', 3);
        machine.process("/bin/sleep 2003");
        machine.settle();
        b.see_level(&machine);
        b.see_console(&machine);
        b.see_syslog();
    }),
    case("a small letter is the same request", &["level change and re-read"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nss:S:respawn:/bin/sleep 1000\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.write("/etc/inittab", "id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nss:S:respawn:/bin/sleep 1000\nn3:3:respawn:/bin/sleep 2003\n");
        machine.go('q', 3);
        machine.process("/bin/sleep 2003");
        machine.go('s', 3);
        machine.process("/bin/sleep 1000");
        machine.settle();
        b.see_level(&machine);
        b.see_processes(&machine);
        b.see_syslog();
    }),
    case("levels 7, 8 and 9 are levels like others", &["level change and re-read"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nw7:7:respawn:/bin/sleep 1007\nw8:8:respawn:/bin/sleep 1008\nw9:9:respawn:/bin/sleep 1009\n");
        machine.process("/bin/sleep 1003");
        for level in ['7', '8', '9'] {
            machine.go(level, 3);
            machine.process(&format!("/bin/sleep 100{level}"));
            machine.settle();
            b.see_level(&machine);
            b.see_processes(&machine);
        }
        b.see_console(&machine);
    }),
    case("re-reading on request is said in the log alone", &["level change and re-read", "messages"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.go('Q', 3);
        machine.settle();
        b.see_console(&machine);
        b.see_syslog();
    }),
    case("whole process groups get the signal", &["level change and re-read"], |b| {
        let plan = b.plan("id:3:initdefault:\ng:3:respawn:/bin/group\nw4:4:respawn:/bin/sleep 1004\n");
        let machine = plan.script("/bin/group", "sh -c 'exec /bin/obeys member' &\nexec /bin/obeys leader").boot();
        machine.wait_log("member runs");
        machine.wait_log("leader runs");
        machine.settle();
        machine.go('4', 3);
        machine.process("/bin/sleep 1004");
        machine.wait_log("member ends");
        b.see_sorted_log(&machine);
        b.see_console(&machine);
    }),
    case("who left the session of its entry is not signalled", &["level change and re-read"], |b| {
        let plan = b.plan("id:3:initdefault:\ng:3:respawn:/bin/group\nw4:4:respawn:/bin/sleep 1004\n");
        let machine = plan.script("/bin/group", "setsid /bin/sleep 1100 &\nexec /bin/sleep 1003").boot();
        let daemon = machine.process("/bin/sleep 1100").pid;
        machine.settle();
        machine.go('4', 3);
        machine.process("/bin/sleep 1004");
        machine.settle();
        b.see("lives", machine.find_process("/bin/sleep 1100").is_some_and(|one| one.pid == daemon));
    }),
    case("who does not obey TERM gets KILL after the time that was asked for", &["level change and re-read"], |b| {
        let machine = b.boot("id:3:initdefault:\nr:3:respawn:/bin/refuses r\no:3:respawn:/bin/obeys o\nw4:4:respawn:/bin/sleep 1004\n");
        machine.wait_log("r runs");
        machine.wait_log("o runs");
        machine.settle();
        machine.go('4', 1);
        machine.process("/bin/sleep 1004");
        machine.settle();
        b.see_sorted_log(&machine);
        b.see_processes(&machine);
        b.see_console(&machine);
    }),
    case("no time between TERM and KILL where none was asked for", &["level change and re-read"], |b| {
        let machine = b.boot("id:3:initdefault:\nr:3:respawn:/bin/refuses r\nw4:4:respawn:/bin/sleep 1004\n");
        machine.wait_log("r runs");
        machine.settle();
        machine.go('4', 0);
        machine.process("/bin/sleep 1004");
        machine.settle();
        b.see_processes(&machine);
        b.see_console(&machine);
    }),
    case("the time between TERM and KILL stays for later re-reads by signal", &["level change and re-read"], |b| {
        let machine = b.boot("id:3:initdefault:\nr:3:respawn:/bin/refuses r\nw3:34:respawn:/bin/sleep 1003\n");
        machine.wait_log("r runs");
        machine.settle();
        machine.go('3', 0);
        machine.settle();
        machine.write("/etc/inittab", "id:3:initdefault:\nw3:34:respawn:/bin/sleep 1003\n");
        machine.signal(nix::sys::signal::Signal::SIGHUP);
        let quick = within(Duration::from_millis(1500), || !machine.descendants().iter().any(|one| one.command.contains("refuses")));
        b.see("gone at once", quick);
        b.see_console(&machine);
    }),
    case("the other requests wait while processes end", &["level change and re-read", "FIFO"], |b| {
        let machine = b.boot("id:3:initdefault:\nr:3:respawn:/bin/refuses r\nw5:5:respawn:/bin/sleep 1005\n");
        machine.wait_log("r runs");
        machine.settle();
        machine.go('4', 1);
        machine.go('5', 1);
        machine.process("/bin/sleep 1005");
        machine.settle();
        b.see_console(&machine);
        b.see_level(&machine);
        b.see_processes(&machine);
    }),
    case("a change of level does not wait for a running wait entry", &["level change and re-read", "entry state"], |b| {
        let machine = b.boot("id:3:initdefault:\nx:3:wait:/bin/obeys x\nr:3:respawn:/bin/sleep 1003\nw4:4:respawn:/bin/sleep 1004\n");
        machine.wait_log("x runs");
        machine.settle();
        b.see_processes(&machine);
        machine.go('4', 3);
        machine.process("/bin/sleep 1004");
        machine.settle();
        b.see_log(&machine);
        b.see_processes(&machine);
    }),
    case("processes end before the new level starts anything", &["level change and re-read"], |b| {
        let plan = b.plan("id:3:initdefault:\nx:3:respawn:/bin/slow\nw4:4:wait:/bin/note four\nr4:4:respawn:/bin/sleep 1004\n");
        let machine = plan.script("/bin/slow", "trap 'usleep 300000; note gone; exit' TERM; sleep 60 & note runs; wait").boot();
        machine.wait_log("runs");
        machine.settle();
        machine.go('4', 3);
        machine.process("/bin/sleep 1004");
        b.see_log(&machine);
    }),
    case("a wait entry holds back all behind it", &["entry state"], |b| {
        let machine = b.boot("id:3:initdefault:\nr1:3:respawn:/bin/sleep 1001\nx:3:wait:/bin/hold x\nr2:3:respawn:/bin/sleep 1002\no:3:once:/bin/note once\n");
        machine.wait_log("x runs");
        machine.settle();
        b.see_processes(&machine);
        machine.end("x");
        machine.process("/bin/sleep 1002");
        machine.wait_log("once");
        machine.settle();
        b.see_processes(&machine);
        b.see_log(&machine);
    }),
    case("what dies before a running wait entry is respawned only if it stands before it", &["entry state", "main loop"], |b| {
        let machine = b.boot("id:3:initdefault:\nr1:35:respawn:/bin/sleep 1001\nr2:5:respawn:/bin/sleep 1002\nx:3:wait:/bin/hold x\nr3:35:respawn:/bin/sleep 1003\n");
        machine.wait_log("x runs");
        machine.settle();
        let first = machine.process("/bin/sleep 1001");
        first.signal(nix::sys::signal::Signal::SIGKILL);
        machine.until_true("it is respawned", || machine.find_process("/bin/sleep 1001").is_some_and(|one| one.pid != first.pid));
        b.see_processes(&machine);
    }),
    case("once and wait entries of both levels do not run again", &["entry state"], |b| {
        let machine = b.boot("id:2:initdefault:\nw:23:wait:/bin/note wait\no:23:once:/bin/note once\nr::respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.wait_log("once");
        for level in ['3', 'Q', '4', '2'] {
            machine.go(level, 3);
            machine.settle();
            b.see_level(&machine);
        }
        machine.wait_times("once", 2);
        b.see_log(&machine);
    }),
    case("a respawn entry is started again whatever its exit status", &["entry state", "inittab"], |b| {
        let plan = b.plan("id:3:initdefault:\nr:3:respawn:/bin/next\nz:3:respawn:/bin/sleep 1003\n");
        let machine = plan.script("/bin/next", "note run; [ $(grep -c run /out/log) -ge 5 ] && exec /bin/sleep 1005; exit $(grep -c run /out/log)").boot();
        machine.process("/bin/sleep 1005");
        machine.settle();
        b.see_log(&machine);
    }),
    case("a once entry is not started again", &["entry state", "inittab"], |b| {
        let machine = b.boot("id:3:initdefault:\no:3:once:/bin/hold o\nz:3:respawn:/bin/sleep 1003\n");
        machine.wait_log("o runs");
        machine.process("/bin/sleep 1003");
        machine.end("o");
        machine.wait_log("o ends");
        machine.settle();
        machine.settle();
        b.see_log(&machine);
        b.see_processes(&machine);
    }),
    case("an off entry never runs", &["inittab", "entry state"], |b| {
        let machine = b.boot("id:3:initdefault:\no:3:off:/bin/sleep 1001\nz:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_processes(&machine);
    }),
    case("a changed command is used at the next start", &["level change and re-read"], |b| {
        let machine = reread(b, "r:3:respawn:/bin/sleep 1001\n", "r:3:respawn:/bin/sleep 1002\n", &["/bin/sleep 1001"]);
        b.see_processes(&machine);
        machine.process("/bin/sleep 1001").signal(nix::sys::signal::Signal::SIGKILL);
        machine.process("/bin/sleep 1002");
        b.see_processes(&machine);
        b.see_console(&machine);
    }),
    case("a removed line ends its process", &["level change and re-read"], |b| {
        let machine = reread(b, "r:3:respawn:/bin/obeys r\n", "", &[]);
        b.see_processes(&machine);
        b.see_log(&machine);
        b.see_console(&machine);
    }),
    case("an added line starts", &["level change and re-read"], |b| {
        let machine = reread(b, "", "r:3:respawn:/bin/sleep 1001\nw:3:wait:/bin/note w\no:3:once:/bin/note o\n", &[]);
        machine.process("/bin/sleep 1001");
        machine.wait_log("o");
        b.see_processes(&machine);
        b.see_log(&machine);
    }),
    case("a changed action ends the process, and the new entry starts", &["level change and re-read"], |b| {
        let machine = reread(
            b,
            "r:3:respawn:/bin/sleep 1001\no:3:respawn:/bin/sleep 1002\n",
            "r:3:once:/bin/sleep 1011\no:3:off:/bin/sleep 1002\n",
            &["/bin/sleep 1001", "/bin/sleep 1002"],
        );
        machine.process("/bin/sleep 1011");
        machine.settle();
        b.see_processes(&machine);
        b.see_console(&machine);
    }),
    case("a level taken out of a running entry's field", &["level change and re-read", "bugs of the original"], |b| {
        let machine = reread(b, "r:3:respawn:/bin/sleep 1001\n", "r:4:respawn:/bin/sleep 1001\n", &["/bin/sleep 1001"]);
        b.see("after the first re-read: runs", machine.find_process("/bin/sleep 1001").is_some());
        machine.go('Q', 2);
        machine.settle();
        b.see("after the second: runs", machine.find_process("/bin/sleep 1001").is_some());
    })
    .differs(
        "the original looks at the field that was, so that the change takes effect one re-read late",
        "process: /bin/sleep 1001\nprocess: /bin/sleep 1003\nafter the first re-read: runs: true\nafter the second: runs: false",
        "process: /bin/sleep 1001\nprocess: /bin/sleep 1003\nafter the first re-read: runs: false\nafter the second: runs: false",
    ),
    case("a member of the group that outlives its leader and refuses TERM", &["level change and re-read", "bugs of the original"], |b| {
        let plan = b.plan("id:3:initdefault:\ng:3:respawn:/bin/group\nw4:4:respawn:/bin/sleep 1004\n");
        let machine = plan.script("/bin/group", "sh -c \"trap '' TERM; exec /bin/sleep 1100\" &\nexec /bin/obeys leader").boot();
        machine.process("/bin/sleep 1100");
        machine.wait_log("leader runs");
        machine.settle();
        machine.go('4', 1);
        machine.process("/bin/sleep 1004");
        b.see("gone soon", within(Duration::from_secs(3), || machine.find_process("/bin/sleep 1100").is_none()));
        b.see("a word about KILL", machine.words().contains(KILL));
        b.see("a word about TERM", machine.words().contains(TERM));
    })
    .differs(
        "the original looks at the leader alone, so that such a process lives on as an orphan",
        "gone soon: false\na word about KILL: false\na word about TERM: true",
        "gone soon: true\na word about KILL: false\na word about TERM: true",
    ),
    case("a line that has become invalid", &["level change and re-read", "bugs of the original"], |b| {
        let machine = reread(b, "r:3:respawn:/bin/sleep 1001\n", "r:3:respwan:/bin/sleep 1001\n", &["/bin/sleep 1001"]);
        b.see("still runs", machine.find_process("/bin/sleep 1001").is_some());
        b.see_console(&machine);
    })
    .differs(
        "a slip of the pen must not end a service: it runs on, and the line is named",
        "process: /bin/sleep 1001\nprocess: /bin/sleep 1003\nstill runs: false\nconsole: version VERSION booting\nconsole: Entering runlevel: 3\nconsole: /etc/inittab line 3: respwan: unknown action field\nconsole: Sending processes configured via /etc/inittab the TERM signal",
        "process: /bin/sleep 1001\nprocess: /bin/sleep 1003\nstill runs: true\nconsole: version VERSION booting\nconsole: Entering runlevel: 3\nconsole: /etc/inittab line 3: respwan: unknown action field\nconsole: Id \"r\": its line is broken, and what runs by the old one is kept",
    ),
    case("the line about the new level is on the console, whatever the level", &["level change and re-read", "bugs of the original"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nw1:1:respawn:/bin/sleep 1001\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        for _ in 0..5 {
            machine.ask(&change_to('1'));
            machine.process("/bin/sleep 1001");
            machine.ask(&change_to('3'));
            machine.process("/bin/sleep 1003");
        }
        machine.settle();
        let shown = machine.words().matches("Switching to runlevel: 1").count();
        b.see("shown", format!("{shown} times of 5"));
    })
    .certain(
        "the settings the console gets on the way to level 1 can throw the words of the original away",
        "shown: 5 times of 5",
    ),
    case("what has only just been started is told to end like everybody", &["level change and re-read", "bugs of the original"], |b| {
        let machine = b.boot("id:3:initdefault:\nr4:4:respawn:/bin/sleep 1004\nr5:5:respawn:/bin/sleep 1005\nw:2:respawn:/bin/sleep 1002\nz::respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        let requests = ['4', '5', '4', '5', '2'].map(|level| request(RUNLEVEL, level, 1, &[]));
        machine.ask(&requests.concat());
        machine.process("/bin/sleep 1002");
        machine.settle();
        b.see("a word about KILL", machine.words().contains(KILL));
        b.see_processes(&machine);
    })
    .certain(
        "TERM sent to a child that leads no group yet, or still ignores it, is lost in the original",
        "a word about KILL: false\nprocess: /bin/sleep 1002\nprocess: /bin/sleep 1003",
    ),
    case("inittab goes away while the system runs", &["level change and re-read", "bugs of the original"], |b| {
        let machine = b.boot("id:3:initdefault:\nr:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.command("rm /etc/inittab");
        machine.go('Q', 1);
        machine.settle();
        b.see("still runs", machine.find_process("/bin/sleep 1003").is_some());
        b.see_console(&machine);
    })
    .differs(
        "a machine must not stop its services because a file could not be read: the table in force stays",
        "still runs: false\nconsole: version VERSION booting\nconsole: Entering runlevel: 3\nconsole: No inittab file found\nconsole: Sending processes configured via /etc/inittab the TERM signal\nconsole: no more processes left in this runlevel",
        "still runs: true\nconsole: version VERSION booting\nconsole: Entering runlevel: 3\nconsole: No inittab file found",
    ),
];

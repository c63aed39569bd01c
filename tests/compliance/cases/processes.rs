//! What a started process gets, and what is made of its line.

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::support::accounting::change_to;
use crate::support::root::write_program;
use std::fs;

/// The words a program gets from this line.
fn words(b: &mut Bench, process: &str) {
    let plan = b.plan(&format!(
        "id:3:initdefault:\na:3:wait:{process}\nw3:3:respawn:/bin/sleep 1003\n"
    ));
    let machine = plan.boot();
    machine.process("/bin/sleep 1003");
    machine.settle();
    b.see_log(&machine);
    b.see_console(&machine);
}

fn profile(b: &mut Bench, line: &str, wanted: &str) {
    let machine = b.boot(&format!(
        "id:3:initdefault:\n{line}\nw3:3:respawn:/bin/sleep 1003\n"
    ));
    let process = machine.process(wanted);
    b.see_profile(&machine, "child", &process);
}

/// With `/etc/initscript`, what it is called with.
fn initscript(b: &mut Bench, inittab: &str, until: &str) {
    let plan = b
        .plan(inittab)
        .file("/etc/initscript", "words \"$@\"\neval exec \"$4\"\n");
    let machine = plan.boot();
    machine.process(until);
    machine.settle();
    machine.until_true("all else has ended", || machine.children().len() == 1);
    b.see_sorted_log(&machine);
    b.see_processes(&machine);
}

pub(super) const CASES: &[Case] = &[
    case("what a respawn entry gets", &["running a process", "environment", "console"], |b| {
        profile(b, "r:3:respawn:/bin/sleep 1234", "/bin/sleep 1234");
    }),
    case("what a once entry gets", &["running a process", "environment"], |b| {
        profile(b, "r:3:once:/bin/sleep 1234", "/bin/sleep 1234");
    }),
    case("what a wait entry gets in an ordinary level", &["running a process", "environment"], |b| {
        profile(b, "r:3:wait:/bin/sleep 1234", "/bin/sleep 1234");
    }),
    case("what a boot entry gets", &["running a process", "environment"], |b| {
        profile(b, "r::boot:/bin/sleep 1234", "/bin/sleep 1234");
    }),
    case("what a sysinit entry gets, the console for its own among it", &["running a process", "environment", "console"], |b| {
        profile(b, "r::sysinit:/bin/sleep 1234", "/bin/sleep 1234");
    }),
    case("what a bootwait entry gets", &["running a process", "environment", "console"], |b| {
        profile(b, "r::bootwait:/bin/sleep 1234", "/bin/sleep 1234");
    }),
    case("what a wait entry gets in level S", &["running a process", "environment", "console"], |b| {
        let machine = b.plan("id:S:initdefault:\nr:S:wait:/bin/sleep 1234\n").boot();
        let process = machine.process("/bin/sleep 1234");
        b.see_profile(&machine, "child", &process);
    }),
    case("what a respawn entry gets in level S", &["running a process", "environment"], |b| {
        let machine = b.plan("id:S:initdefault:\nr:S:respawn:/bin/sleep 1234\n").boot();
        let process = machine.process("/bin/sleep 1234");
        b.see_profile(&machine, "child", &process);
    }),
    case("what a ctrlaltdel entry gets", &["running a process", "power and keys"], |b| {
        let machine = b.boot("id:3:initdefault:\nca:3:ctrlaltdel:/bin/sleep 1234\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.signal(nix::sys::signal::Signal::SIGINT);
        let process = machine.process("/bin/sleep 1234");
        b.see_profile(&machine, "child", &process);
    }),
    case("a process on the console is watched over by one that init knows", &["running a process", "process title"], |b| {
        let machine = b.boot("id:3:initdefault:\nr::sysinit:/bin/sleep 1234\n");
        let process = machine.process("/bin/sleep 1234");
        let children = machine.children();
        b.see("children of init", children.len());
        b.see("is one of them", children.iter().any(|child| child.pid == process.pid));
        b.see_all("title", children.iter().map(|child| child.command.clone()));
        b.see("leads the session", children.iter().all(|child| child.session == child.pid && process.session == child.pid));
        b.see("in its group", children.iter().all(|child| process.group == child.pid));
    }),
    case("words are split at blanks and tabs", &["running a process"], |b| {
        words(b, "/bin/words a  b\tc \t d ");
    }),
    case("a # ends the command", &["running a process"], |b| words(b, "/bin/words a b#c d")),
    case("a # that begins a word leaves an empty argument", &["running a process"], |b| {
        words(b, "/bin/words a b # c d");
    }),
    case("no more than fourteen words", &["running a process", "releases"], |b| {
        words(b, "/bin/words 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16");
    })
    .differs(
        "the original drops the rest without a word",
        "log: [/bin/words][1][2][3][4][5][6][7][8][9][10][11][12][13]\nconsole: version VERSION booting\nconsole: Entering runlevel: 3",
        "log: [/bin/words][1][2][3][4][5][6][7][8][9][10][11][12][13][14][15][16]\nconsole: version VERSION booting\nconsole: Entering runlevel: 3",
    ),
    case("characters of the shell bring the shell", &["running a process"], |b| {
        let lines: String = "~`!$^&*()=|\\{}[];\"'<>?"
            .chars()
            .enumerate()
            .map(|(at, letter)| format!("c{at}:3:wait:/bin/shell {letter} x\n"))
            .collect::<Vec<_>>()
            .concat();
        let plan = b.plan(&format!("id:3:initdefault:\n{lines}w3:3:respawn:/bin/sleep 1003\n"));
        // In the place of the shell, one that tells that it was called.
        let shell = plan.root().at("/bin/sh");
        fs::remove_file(&shell).unwrap();
        write_program(&shell, "#!/bin/busybox ash\necho \"${2#exec }\" >>/out/log\n");
        let machine = plan.boot();
        machine.process("/bin/sleep 1003");
        b.see_log(&machine);
    }),
    case("characters that mean nothing to a shell do not", &["running a process"], |b| {
        words(b, "/bin/words %a ,b :c +d @e -f /g .h _i");
    }),
    case("a variable is set for the command alone", &["running a process"], |b| {
        words(b, "X=1 /bin/words $X ${X:-unset}");
    })
    .differs(
        "sh -c with exec in front, as in 3.10 and before, cannot set a variable so",
        "console: version VERSION booting\nconsole: Entering runlevel: 3",
        "log: [/bin/words][unset]\nconsole: version VERSION booting\nconsole: Entering runlevel: 3",
    ),
    case("a list of commands runs to its end", &["running a process", "releases"], |b| {
        words(b, "/bin/words a && /bin/words b; /bin/words c");
    })
    .differs(
        "3.11 and later call the shell without exec in front of the command",
        "log: [/bin/words][a]\nconsole: version VERSION booting\nconsole: Entering runlevel: 3",
        "log: [/bin/words][a]\nlog: [/bin/words][b]\nlog: [/bin/words][c]\nconsole: version VERSION booting\nconsole: Entering runlevel: 3",
    ),
    case("redirections work", &["running a process"], |b| {
        words(b, "/bin/echo redirected >>/out/log");
    }),
    case("@ keeps the shell away", &["running a process", "inittab"], |b| words(b, "@/bin/words $HOME *")),
    case("only one @ is taken off", &["running a process", "inittab"], |b| words(b, "@@/bin/words a")),
    case("+@ is both marks", &["running a process", "inittab"], |b| words(b, "+@/bin/words $HOME")),
    case("a program is searched in the path", &["running a process"], |b| words(b, "words a b")),
    case("a script without #! is run by the shell", &["running a process"], |b| {
        let plan = b.plan("id:3:initdefault:\na:3:wait:/bin/plain a b\nw3:3:respawn:/bin/sleep 1003\n").script("/bin/plain", "");
        plan.root().write("/bin/plain", "words \"$@\"\n");
        let machine = plan.boot();
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_log(&machine);
        b.see_console(&machine);
    }),
    case("what cannot be executed is named", &["running a process", "messages"], |b| {
        words(b, "/bin/missing a b");
    }),
    case("a file without permission to execute is named", &["running a process", "messages"], |b| {
        words(b, "/etc/inittab");
    }),
    case("a directory cannot be executed", &["running a process", "messages"], |b| words(b, "/etc a")),
    case("initscript is called with id, levels, action and command", &["running a process"], |b| {
        initscript(
            b,
            "id:3:initdefault:\ns1::sysinit:/bin/note s1\nb1:5:bootwait:/bin/note b1\na:345:wait:@/bin/note a\nb:3:wait:+/bin/note b\nw3:3:respawn:/bin/sleep 1003\n",
            "/bin/sleep 1003",
        );
    }),
    case("initscript is not used in level S", &["running a process"], |b| {
        initscript(b, "id:S:initdefault:\nss:S:respawn:/bin/sleep 1000\n", "/bin/sleep 1000");
    }),
    case("RUNLEVEL and PREVLEVEL follow the levels", &["environment", "level change and re-read"], |b| {
        let plan = b.plan(
            "id:3:initdefault:\nx2:2:wait:/bin/where\nx3:3:wait:/bin/where\nx4:4:wait:/bin/where\nx9:9:wait:/bin/where\nr:23459:respawn:/bin/sleep 1003\nss:S:respawn:/bin/sleep 1000\n",
        );
        let machine = plan.script("/bin/where", "note $RUNLEVEL after $PREVLEVEL").boot();
        machine.wait_log("3 after N");
        for (level, line) in [('4', "4 after 3"), ('9', "9 after 4"), ('2', "2 after 9")] {
            machine.ask(&change_to(level));
            machine.wait_log(line);
        }
        machine.ask(&change_to('S'));
        machine.process("/bin/sleep 1000");
        machine.ask(&change_to('3'));
        machine.wait_log("3 after S");
        b.see_log(&machine);
    }),
    case("the version in the environment", &["environment", "releases"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        let environment = machine.process("/bin/sleep 1003").environment();
        b.see("version", environment["INIT_VERSION"].trim_start_matches("sysvinit"));
    })
    .differs("ours names the release whose rules it follows", "version: -3.06", "version: -3.14"),
];

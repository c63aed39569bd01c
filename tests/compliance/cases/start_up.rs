//! What init does with the kernel's words, and what it is like itself.

use crate::bench::{Bench, Drive};
use crate::compare::{Case, case};
use crate::observe;

/// The level a machine boots to with these words of the kernel.
fn level_after(b: &mut Bench, words: &[&str]) {
    let mut plan = b.plan(
        "id:3:initdefault:
s1:S:wait:/bin/words S
l2:2:respawn:/bin/sleep 1002
l3:3:respawn:/bin/sleep 1003
l5:5:respawn:/bin/sleep 1005
ls:S:respawn:/bin/sleep 1000
",
    );
    for word in words {
        plan = plan.word(word);
    }
    let machine = plan.boot();
    machine.until_true("a level is reached", || {
        let last_in_level = |command: &str| command.starts_with("/bin/sleep 100");
        let all = machine.descendants();
        all.iter().any(|process| last_in_level(&process.command))
    });
    machine.settle();
    b.see_processes(&machine);
    b.see("level file", machine.read("/run/runlevel"));
    let title = machine.init().command;
    b.see(
        "title",
        title.split_inclusive(']').next().unwrap_or_default(),
    );
    b.see_log(&machine);
}

pub(super) const CASES: &[Case] = &[
    case("a word of one level chooses the level", &["start-up"], |b| {
        level_after(b, &["5"]);
    }),
    case("the last of several level words counts", &["start-up"], |b| {
        level_after(b, &["-s", "5", "2"]);
    }),
    case("the word single chooses level S", &["start-up", "boot phases"], |b| {
        level_after(b, &["single"]);
    }),
    case("the word -s chooses level S", &["start-up"], |b| {
        level_after(b, &["-s"]);
    }),
    case("a small s chooses level S", &["start-up"], |b| {
        level_after(b, &["s"]);
    }),
    case("words init does not know change nothing", &["start-up"], |b| {
        level_after(b, &["quiet", "ro", "foo=bar", "-q", "--loud", "22", ""]);
    }),
    case("-z and the word behind it are passed over", &["start-up"], |b| {
        level_after(b, &["5", "-z", "xxxxxxxxxxxxxxxxxxxx"]);
    }),
    case("the word auto puts AUTOBOOT into the environment", &["start-up", "environment"], |b| {
        let plan = b.plan("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        let machine = plan.word("auto").boot();
        let environment = machine.process("/bin/sleep 1003").environment();
        b.see("AUTOBOOT", format!("{:?}", environment.get("AUTOBOOT")));
    }),
    case("the word -a does the same", &["start-up", "environment"], |b| {
        let plan = b.plan("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        let machine = plan.word("-a").boot();
        let environment = machine.process("/bin/sleep 1003").environment();
        b.see("AUTOBOOT", format!("{:?}", environment.get("AUTOBOOT")));
    }),
    case("emergency runs sulogin first, and the boot goes on behind it", &["start-up", "boot phases"], |b| {
        let plan = b
            .plan("id:3:initdefault:\nsi::sysinit:/bin/note sysinit\nw3:3:respawn:/bin/sleep 1003\n")
            .script("/sbin/sulogin", "note sulogin $RUNLEVEL $PREVLEVEL; hold sulogin; exit 5");
        let machine = plan.word("emergency").boot();
        machine.wait_log("sulogin runs");
        b.see_processes(&machine);
        b.see("title", machine.init().command);
        machine.end("sulogin");
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_log(&machine);
        b.see_level(&machine);
    }),
    case("-b means emergency", &["start-up"], |b| {
        let plan = b
            .plan("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n")
            .script("/sbin/sulogin", "note sulogin");
        let machine = plan.word("-b").boot();
        machine.process("/bin/sleep 1003");
        b.see_log(&machine);
    }),
    case("emergency and a level word go together", &["start-up"], |b| {
        let plan = b
            .plan("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nw5:5:respawn:/bin/sleep 1005\n")
            .script("/sbin/sulogin", "note sulogin");
        let machine = plan.word("5").word("emergency").boot();
        machine.process("/bin/sleep 1005");
        b.see_log(&machine);
    }),
    case("PATH is forced, and all else the kernel gave is kept", &["start-up", "environment"], |b| {
        let plan = b
            .plan("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n")
            .variable("PATH=/nowhere")
            .variable("BOOT_IMAGE=/vmlinuz")
            .variable("SHELL=/bin/other")
            .variable("RUNLEVEL=7");
        let machine = plan.boot();
        let process = machine.process("/bin/sleep 1003");
        let environment: Vec<String> = process
            .environment()
            .into_iter()
            .map(|(name, value)| format!("{name}={value}"))
            .collect();
        b.see_all("variable", environment);
    }),
    case("init leads the session and holds no standard descriptors", &["start-up", "console"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        let init = machine.init();
        let standard = init.descriptors().keys().filter(|number| **number < 3).count();
        b.see("standard descriptors", standard);
        b.see("leads its session", init.session == init.pid);
        b.see("leads its group", init.group == init.pid);
        b.see("umask", init.status("Umask"));
    }),
    case("every signal init does not serve is ignored", &["signals", "start-up"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        // Two belong to the C library, which lets nobody set them: they are as they were found.
        let of_the_library = 0b11 << 31;
        let ignored = u64::from_str_radix(&machine.init().status("SigIgn"), 16).unwrap();
        b.see("SigIgn", format!("{:016x}", ignored & !of_the_library));
    })
    .differs(
        "all but three, and the five that only a container's init serves, are blocked and read unheeded, so that no child has to be given their default action back",
        "SigIgn: fffffffe57f0d0fc",
        "SigIgn: 0001c05040001010",
    ),
    case("--version alone is answered by anybody's init", &["start-up", "releases"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        let output = machine.run("/sbin/init --version");
        b.see("exit status", output.status.code().unwrap_or(-1));
        let said = String::from_utf8_lossy(&output.stdout).replace("version", "release");
        b.see("says", said.trim());
    })
    .differs(
        "each says what it is",
        "exit status: 0\nsays: SysV init release: 3.06",
        "exit status: 0\nsays: SysV init release: 3.14",
    ),
    case("an ordinary user is refused", &["start-up"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        let output = machine.run("busybox start-stop-daemon --start --chuid 1:1 --exec /sbin/init -- 4");
        b.see("exit status", output.status.code().unwrap_or(-1));
        b.see("says", String::from_utf8_lossy(&output.stderr));
        b.see_level(&machine);
    }),
    case("the kernel's name for init does not matter", &["start-up", "process title"], |b| {
        let plan = b.plan("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        let machine = plan.boot();
        machine.process("/bin/sleep 1003");
        machine.wait_title("init [3]");
        b.see("comm", machine.init().status("Name"));
        b.see_all("process", observe::processes(&machine));
    }),
];

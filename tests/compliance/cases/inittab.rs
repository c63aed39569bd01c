//! What a line of inittab is taken for.

use crate::bench::{Bench, Drive, within};
use crate::compare::{Case, case};
use std::time::Duration;

/// What runs, and what is said, with these lines in level 3.
fn table(b: &mut Bench, lines: &str) {
    let machine = b.boot(&format!(
        "id:3:initdefault:\n{lines}\nzzzz:3:respawn:/bin/sleep 1003\n"
    ));
    machine.process("/bin/sleep 1003");
    machine.settle();
    b.see_console(&machine);
    b.see_log(&machine);
    b.see_processes(&machine);
}

/// The same where files of inittab.d take part.
fn fragments(b: &mut Bench, lines: &str, files: &[(&str, &str)]) {
    let mut plan = b.plan(&format!(
        "id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n{lines}"
    ));
    for (name, text) in files {
        plan = plan.file(&format!("/etc/inittab.d/{name}"), text);
    }
    let machine = plan.boot();
    machine.process("/bin/sleep 1003");
    machine.settle();
    machine.command("usleep 50000");
    b.see_console(&machine);
    b.see_sorted_log(&machine);
    b.see_processes(&machine);
}

/// A notice of each level an entry ran in, with these fields.
fn levels_of(b: &mut Bench, field: &str) {
    let plan = b.plan(&format!(
        "id:3:initdefault:\nx:{field}:wait:/bin/where x\ns:S:wait:/bin/hold single\nr:0123456789:respawn:/bin/sleep 1003\n"
    ));
    let machine = plan.script("/bin/where", "note $1 in $RUNLEVEL").boot();
    machine.process("/bin/sleep 1003");
    for level in ['1', '2', '4', '5', '7', '8', '9'] {
        machine.go(level, 3);
        machine.settle();
        machine.until_true("the entry has ended", || {
            let left = machine.children();
            left.len() == 1 && left[0].command == "/bin/sleep 1003"
        });
    }
    b.see_log(&machine);
}

pub(super) const CASES: &[Case] = &[
    case("comments, blank lines and leading blanks are passed over", &["inittab"], |b| {
        table(b, "\n   \t\n# x\n   # y:3:wait:/bin/note y\n  \t a:3:wait:/bin/note a\n#b:3:wait:/bin/note b");
    }),
    case("the process field may hold colons", &["inittab"], |b| {
        table(b, "a:3:wait:/bin/words a:b::c");
    }),
    case("there is no quoting", &["inittab", "running a process"], |b| {
        table(b, "a:3:wait:@/bin/words \"a b\" 'c d'");
    }),
    case("there are no continuation lines", &["inittab"], |b| {
        table(b, "a:3:wait:@/bin/words a \\\nb:3:wait:/bin/words b");
    }),
    case("actions are compared without regard to case", &["inittab"], |b| {
        table(b, "a:3:WAIT:/bin/words a\nb:3:Wait:/bin/words b\nc:3:wAiT:/bin/words c");
    }),
    case("fields are not trimmed", &["inittab"], |b| {
        table(b, "a :3:wait:/bin/words a\na:3:wait:/bin/words b\nb:3: wait:/bin/words c\nc: 3 :wait:/bin/words d");
    })
    .differs(
        "ours warns of characters in the level field that name no level, and does as the original all the same",
        "console: version VERSION booting\nconsole: /etc/inittab line 4:  wait: unknown action field\nconsole: Entering runlevel: 3\nlog: [/bin/words][a]\nlog: [/bin/words][b]\nlog: [/bin/words][d]\nprocess: /bin/sleep 1003",
        "console: version VERSION booting\nconsole: /etc/inittab line 4:  wait: unknown action field\nconsole: /etc/inittab line 5: ' ' names no runlevel; the rest of the field counts\nconsole: Entering runlevel: 3\nlog: [/bin/words][a]\nlog: [/bin/words][b]\nlog: [/bin/words][d]\nprocess: /bin/sleep 1003",
    ),
    case("lines with too few fields are named", &["inittab", "messages"], |b| {
        table(b, "b:3\nc:3:wait\n:3:wait:/bin/note d\ne:3::/bin/note e");
    }),
    case("a line without any colon is named", &["inittab", "messages"], |b| {
        table(b, "a");
    })
    .differs(
        "ours names the first field that is missing, the original the last",
        "console: version VERSION booting\nconsole: /etc/inittab line 2: missing action field\nconsole: Entering runlevel: 3\nprocess: /bin/sleep 1003",
        "console: version VERSION booting\nconsole: /etc/inittab line 2: missing runlevel field\nconsole: Entering runlevel: 3\nprocess: /bin/sleep 1003",
    ),
    case("an id of more than four characters is refused", &["inittab", "messages"], |b| {
        table(b, "abcde:3:wait:/bin/note a\nabcd:3:wait:/bin/note b");
    }),
    case("an unknown action is named", &["inittab", "messages"], |b| {
        table(b, "a:3:respwan:/bin/note a\nb:3:wait:/bin/note b");
    }),
    case("of two lines with one id the first counts", &["inittab", "messages"], |b| {
        table(b, "a:3:wait:/bin/note first\na:3:wait:/bin/note second");
    }),
    case("the id ~~ may be used more than once", &["inittab"], |b| {
        table(b, "~~:3:wait:/bin/note first\n~~:3:wait:/bin/note second");
    }),
    case("an empty process field is an entry that cannot be executed", &["inittab", "running a process"], |b| {
        let machine = b.boot("id:3:initdefault:\na:3:once:\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        b.see("said", within(Duration::from_secs(1), || machine.transcript().contains("cannot execute \"\"")));
        b.see_processes(&machine);
    })
    .differs(
        "the original says nothing",
        "said: false\nprocess: /bin/sleep 1003",
        "said: true\nprocess: /bin/sleep 1003",
    ),
    case("what became of a line that is wrong", &["inittab", "messages"], |b| {
        let machine = b.boot("id:3:initdefault:\na:3:respwan:/bin/note a\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        let transcript = machine.words();
        b.see("says that it does not count", transcript.contains("unknown action field; line ignored"));
    })
    .differs(
        "ours says that the line does not count",
        "says that it does not count: false",
        "says that it does not count: true",
    ),
    case("where inittab is wrong: the words before the message", &["inittab", "messages"], |b| {
        let machine = b.boot("id:3:initdefault:\na:3:respwan:/bin/note a\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        let transcript = machine.words();
        let place = transcript.split_once("INIT: /etc/inittab").and_then(|(_, rest)| rest.split_once(' '));
        b.see("place", format!("file{}", place.map(|(place, _)| place).unwrap_or_default()));
    })
    .differs("file, line and column, as compilers say it", "place: file[2]:", "place: file:2:5:"),
    case("an empty level field means every digit", &["inittab"], |b| levels_of(b, "")),
    case("a level field of digits", &["inittab"], |b| levels_of(b, "2579")),
    case("levels S and the demand letters in a field mean no digit", &["inittab"], |b| levels_of(b, "SabcABC")),
    case("a small s in a level field", &["inittab", "bugs of the original"], |b| {
        let machine = b.boot("id:3:initdefault:\nss:S:respawn:/bin/sleep 1000\nsm:s:respawn:/bin/sleep 1001\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.go('S', 3);
        machine.process("/bin/sleep 1000");
        machine.settle();
        b.see("runs in level S", within(Duration::from_millis(1500), || machine.find_process("/bin/sleep 1001").is_some()));
    })
    .differs("whoever writes s means S, as the manual has it", "runs in level S: false", "runs in level S: true"),
    case("a last line without newline counts", &["inittab", "releases", "bugs of the original"], |b| {
        let machine = b.boot("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nw4:3:respawn:/bin/sleep 1004");
        machine.process("/bin/sleep 1004");
        machine.settle();
        b.see_processes(&machine);
        b.see_console(&machine);
    }),
    case("a command of more than 127 characters", &["inittab", "releases"], |b| {
        let machine = b.boot(&format!("id:3:initdefault:\na:3:wait:/bin/length {}\nw3:3:respawn:/bin/sleep 1003\n", "x".repeat(120)));
        machine.process("/bin/sleep 1003");
        b.see_console(&machine);
    })
    .differs(
        "no limit on what fits into a line",
        "console: version VERSION booting\nconsole: /etc/inittab line 2: process field too long (max 127 characters)\nconsole: Entering runlevel: 3",
        "console: version VERSION booting\nconsole: Entering runlevel: 3\nconsole: cannot execute \"/bin/length\"",
    ),
    case("a command of a thousand words", &["inittab", "running a process", "releases"], |b| {
        let plan = b.plan(&format!("id:3:initdefault:\na:3:wait:/bin/count{}\nw3:3:respawn:/bin/sleep 1003\n", " x".repeat(1000)));
        let machine = plan.script("/bin/count", "note $#").boot();
        machine.process("/bin/sleep 1003");
        b.see_log(&machine);
        let cut = machine.words().contains("/etc/inittab[");
        b.see("complains", cut);
    })
    .differs("no limit on words", "complains: true", "log: 1000\ncomplains: false"),
    case("CR before the newline", &["inittab", "bugs of the original"], |b| {
        let machine = b.boot("id:3:initdefault:\r\na:3:wait:/bin/cr x\r\nw3:3:respawn:/bin/sleep 1003\n");
        machine.process("/bin/sleep 1003");
        b.see("said", machine.words().contains("carriage return"));
    })
    .differs("a file edited elsewhere works, and is said to need a look", "said: false", "said: true"),
    case("no inittab.d directory", &["inittab", "messages"], |b| {
        let plan = b.plan("id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\n");
        std::fs::remove_dir(plan.root().at("/etc/inittab.d")).unwrap();
        let machine = plan.boot();
        machine.process("/bin/sleep 1003");
        machine.settle();
        b.see_console(&machine);
    })
    .differs(
        "a directory that nobody made is not worth a word",
        "console: version VERSION booting\nconsole: No inittab.d directory found\nconsole: Entering runlevel: 3",
        "console: version VERSION booting\nconsole: Entering runlevel: 3",
    ),
    case("files of inittab.d that end in .tab are read", &["inittab"], |b| {
        fragments(
            b,
            "",
            &[
                ("a.tab", "# comment\n\nfa:3:once:/bin/note a\n"),
                ("b.txt", "fb:3:once:/bin/note b\n"),
                (".tab", "fc:3:once:/bin/note c\n"),
                ("README", "fd:3:once:/bin/note d\n"),
            ],
        );
    }),
    case("an id of inittab is not taken again by inittab.d", &["inittab"], |b| {
        fragments(b, "fa:3:once:/bin/note main\n", &[("a.tab", "fa:3:once:/bin/note a\n")]);
    })
    .differs(
        "the message names the file the line is in",
        "console: version VERSION booting\nconsole: Reading: /etc/inittab.d/a.tab\nconsole: /etc/inittab line 5: duplicate ID field \"fa\"\nconsole: Entering runlevel: 3\nlog: main\nprocess: /bin/sleep 1003",
        "console: version VERSION booting\nconsole: Reading: /etc/inittab.d/a.tab\nconsole: /etc/inittab.d/a.tab:1:1: duplicate ID field \"fa\"\nconsole: Entering runlevel: 3\nlog: main\nprocess: /bin/sleep 1003",
    ),
    case("several lines in a file of inittab.d", &["inittab", "bugs of the original"], |b| {
        fragments(b, "", &[("a.tab", "fa:3:once:/bin/note a\nfb:3:once:/bin/note b\n")]);
    })
    .differs(
        "the original uses the first line of each file and drops the rest without a word",
        "console: version VERSION booting\nconsole: Reading: /etc/inittab.d/a.tab\nconsole: Entering runlevel: 3\nlog: a\nprocess: /bin/sleep 1003",
        "console: version VERSION booting\nconsole: Reading: /etc/inittab.d/a.tab\nconsole: Entering runlevel: 3\nlog: a\nlog: b\nprocess: /bin/sleep 1003",
    ),
    case("init.autocon=1 adds a getty for every console of the kernel", &["inittab", "messages"], |b| {
        let plan = b
            .plan("id:3:initdefault:\ns1::sysinit:/bin/mount --bind /etc/cmdline /proc/cmdline\nS0:3:respawn:/bin/sleep 1003\n")
            .file("/etc/cmdline", "quiet console=ttyS0,115200 init.autocon=1 console=null\n")
            .script("/sbin/agetty", "words \"$@\"; exec /bin/sleep 1234");
        let machine = plan.boot();
        machine.process("/bin/sleep 1003");
        machine.settle();
        machine.go('Q', 3);
        machine.process("/bin/sleep 1234");
        machine.settle();
        b.see_console(&machine);
        b.see_log(&machine);
        b.see_processes(&machine);
    }),
    case("a level field of more than eleven characters", &["inittab", "messages", "releases"], |b| {
        table(b, "a:000000000003:wait:/bin/note a");
    })
    .differs(
        "no limit on the length of a field",
        "console: version VERSION booting\nconsole: /etc/inittab line 2: rlevel field too long (max 11 characters)\nconsole: Entering runlevel: 3\nprocess: /bin/sleep 1003",
        "console: version VERSION booting\nconsole: Entering runlevel: 3\nlog: a\nprocess: /bin/sleep 1003",
    ),
    case("an action of more than thirty-two characters", &["inittab", "messages"], |b| {
        table(b, &format!("a:3:{}:/bin/note a", "x".repeat(40)));
    }),
    case("power entries go before all others, whatever the order in the file", &["inittab", "power and keys"], |b| {
        let machine = b.boot(
            "id:3:initdefault:\nw3:3:respawn:/bin/sleep 1003\nx:3:powerfail:/bin/hold x\npw:3:powerwait:/bin/hold pw\nca:3:ctrlaltdel:/bin/hold ca\n",
        );
        let first = machine.process("/bin/sleep 1003");
        machine.settle();
        machine.ask(&crate::support::accounting::request(crate::support::accounting::POWER_FAIL, '\0', 3, &[]));
        machine.wait_log("x runs");
        machine.wait_log("pw runs");
        first.signal(nix::sys::signal::Signal::SIGKILL);
        machine.until_true("it is reaped", || machine.find_process("/bin/sleep 1003").is_none());
        b.see("respawned meanwhile", within(Duration::from_millis(300), || machine.find_process("/bin/sleep 1003").is_some()));
        machine.end("pw");
        machine.process("/bin/sleep 1003");
        b.see_sorted_log(&machine);
    }),
];

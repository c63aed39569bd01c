//! The output of inittab entries in the boot record: `RECORD_OUTPUT` of /etc/default/init.

use crate::support::accounting::change_to;
use crate::support::namespace::{Ending, Machine, Plan, Process};
use crate::support::root::ours;
use nix::sys::signal::{SIGKILL, SIGSEGV, SIGTERM};
use nix::sys::stat::Mode;
use nix::unistd::mkfifo;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::OpenOptionsExt;

const SETTINGS: &str = "/etc/default/init";

fn plan(inittab: &str, setting: &str) -> Plan {
    let plan = Plan::new(inittab).file(SETTINGS, format!("# whose\nRECORD_OUTPUT=\"{setting}\"\n"));
    plan.root().link("sysvtools", "sbin/initctl");
    plan.root().link("sysvtools", "sbin/killall5");
    plan
}

/// The outputs that are kept of an entry, by the number of the process.
fn outputs(machine: &Machine, id: &str) -> Vec<(u32, String)> {
    let folder = machine.at("run/initlog/output");
    let mut found: Vec<(u32, String)> = fs::read_dir(folder)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let path = entry.ok()?.path();
            let name = path.file_name()?.to_str()?.to_owned();
            let number = name.strip_prefix(id)?.strip_prefix('.')?.parse().ok()?;
            Some((number, fs::read_to_string(path).ok()?))
        })
        .collect();
    found.sort();
    found
}

/// The output of this process, once it holds these words.
fn output_of(machine: &Machine, id: &str, pid: u32, words: &str) -> String {
    machine.until(&format!("{words:?} of {id} is kept"), || {
        let mut all = outputs(machine, id).into_iter();
        all.find(|(number, text)| *number == pid && text.contains(words))
            .map(|(_, text)| text)
    })
}

/// The only output of an entry, once it holds these words.
fn only_output(machine: &Machine, id: &str, words: &str) -> String {
    machine.until(&format!("{words:?} of {id} is kept"), || {
        match &outputs(machine, id)[..] {
            [(_, text)] if text.contains(words) => Some(text.clone()),
            _ => None,
        }
    })
}

/// The program that keeps an entry's output.
fn keeper(machine: &Machine, id: &str) -> Option<Process> {
    let words = format!("initctl keep-output {id} ");
    let mut all = machine.children().into_iter();
    all.find(|process| process.command.starts_with(&words))
}

fn is_on_console(process: &Process) -> bool {
    let descriptors = process.descriptors();
    descriptors[&0].ends_with("/console") && descriptors.values().all(|one| *one == descriptors[&0])
}

#[test]
fn what_an_entry_says_is_on_the_console_and_in_the_record() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:
r3:3:respawn:/bin/talk
r4:3:respawn:/bin/sleep 1004
",
        "r3",
    )
    .script(
        "/bin/talk",
        "[ -t 1 ] && [ -t 2 ] && echo a terminal; echo complaint >&2; exec sleep 1003",
    )
    .boot();
    let entry = machine.process("sleep 1003");
    let text = output_of(&machine, "r3", entry.inside(), "complaint");
    assert_eq!(text, "a terminal\ncomplaint\n");
    machine.wait_console("a terminal\r\ncomplaint\r\n");
    // Its words reach people and programs.
    let shown = machine.command("initctl log r3");
    assert!(shown.contains("begin  entry r3 respawn, pid "), "{shown}");
    let inside = entry.inside();
    let end = format!("==> r3.{inside} <==\na terminal\ncomplaint\n");
    assert!(shown.ends_with(&end), "{shown}");
    let told = machine.command("initctl --json log r3");
    let told: serde_json::Value = serde_json::from_str(&told).unwrap();
    assert_eq!(told["kind"], "entry");
    assert_eq!(told["outputs"][0]["pid"], inside);
    assert_eq!(told["outputs"][0]["text"], "a terminal\ncomplaint\n");
    assert_eq!(told["processes"][0]["pid"], inside);
    // Nothing else about it has changed: a child of init in a session of its own, with input from the console.
    assert_eq!(entry.parent, machine.init().pid);
    assert_eq!((entry.session, entry.group), (entry.pid, entry.pid));
    let descriptors = entry.descriptors();
    assert_eq!(descriptors.keys().copied().collect::<Vec<_>>(), [0, 1, 2]);
    assert!(descriptors[&0].ends_with("/console"), "{descriptors:?}");
    assert_eq!(entry.terminal, 0);
    // And nothing at all about one that is not named.
    assert!(is_on_console(&machine.process("/bin/sleep 1004")));
    let silent = machine.run("initctl log r4");
    let hint = String::from_utf8_lossy(&silent.stderr).into_owned();
    assert!(hint.contains("RECORD_OUTPUT"), "{hint}");
    // Init holds what it always holds.
    machine.init().resting_descriptors(&machine, 4);
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

#[test]
fn yes_means_all_but_those_who_talk_to_the_console() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:
si::sysinit:/bin/sh -c '[ -t 1 ] && readlink /proc/self/fd/2 >/out/si'
w3:3:wait:/bin/sh -c 'echo waited for; exit 3'
p3:3:respawn:+/bin/sh -c 'echo without accounts; exec sleep 1001'
sh:3:respawn:/bin/sh
no:3:respawn:/bin/sleep 1002
on:3:once:/bin/sleep 1003
",
        "yes !no",
    )
    .boot();
    let shell = machine.process("/bin/sh");
    assert!(is_on_console(&shell), "{:?}", shell.descriptors());
    assert!(is_on_console(&machine.process("/bin/sleep 1002")));
    let silent = machine.process("/bin/sleep 1003");
    assert!(!is_on_console(&silent), "{:?}", silent.descriptors());
    let marked = machine.process("sleep 1001").inside();
    output_of(&machine, "p3", marked, "without accounts\n");
    assert_eq!(only_output(&machine, "w3", "waited"), "waited for\n");
    assert!(machine.read("/out/si").contains("console"));
    assert_eq!(outputs(&machine, "on"), []);
}

#[test]
fn a_start_up_entry_that_is_named_keeps_its_terminal_and_is_recorded() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:
si::sysinit:/bin/begin
r3:3:respawn:/bin/sleep 1003
",
        "si",
    )
    .script("/bin/begin", "echo beginning; exec sleep 1001")
    .boot();
    let first = machine.process("sleep 1001");
    assert_ne!(first.terminal, 0);
    assert_eq!(first.foreground, first.group);
    machine.wait_console("beginning\r\n");
    machine.type_line("\u{3}");
    machine.process("/bin/sleep 1003");
    machine.until_true("it is recorded by the number init knows", || {
        let record = machine.read("/run/initlog/record");
        let pid = outputs(&machine, "si").first().map(|(pid, _)| *pid);
        pid.is_some_and(|pid| record.contains(&format!("id=si action=sysinit pid={pid} ")))
    });
    assert_eq!(only_output(&machine, "si", "\n"), "beginning\n");
    machine.until_true("nobody keeps it any more", || {
        keeper(&machine, "si").is_none()
    });
}

#[test]
fn each_process_of_a_respawn_entry_has_its_output_and_three_are_left() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:\nr3:3:respawn:/bin/sh -c 'echo I am $$; exec sleep 1003'\n",
        "r3",
    )
    .boot();
    let mut pids = Vec::new();
    for _ in 0..5 {
        let process = machine.process("sleep 1003");
        pids.push(process.inside());
        let words = format!("I am {}\n", process.inside());
        assert_eq!(output_of(&machine, "r3", process.inside(), &words), words);
        process.signal(SIGKILL);
        machine.wait_respawned("sleep 1003", &process);
    }
    let last = machine.process("sleep 1003").inside();
    output_of(&machine, "r3", last, "I am");
    machine.until_true("only the last three are left", || {
        let left: Vec<u32> = outputs(&machine, "r3").iter().map(|one| one.0).collect();
        left == [pids[3], pids[4], last]
    });
    let shown = machine.command("initctl log r3");
    assert!(shown.ends_with(&format!("I am {last}\n")), "{shown}");
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

#[test]
fn without_the_program_entries_run_as_ever_and_that_is_said_once() {
    if !ours() {
        return;
    }
    let table = "id:3:initdefault:
r3:3:respawn:/bin/sleep 1003
r4:3:respawn:/bin/sleep 1004
";
    for (initctl, why) in [
        ("", "/sbin/initctl: No such file or directory"),
        (
            "#!/bin/sh\necho keep-output: no such verb >&2\n",
            "no such verb",
        ),
        ("#!/bin/sh\n", "it does not get ready"),
        ("no program\n", "/sbin/initctl: Exec format error"),
    ] {
        let plan = Plan::new(table).file(SETTINGS, "RECORD_OUTPUT=yes\n");
        if !initctl.is_empty() {
            plan.root().script("/sbin/initctl", "");
            plan.root().write("/sbin/initctl", initctl);
        }
        let machine = plan.boot();
        for process in ["/bin/sleep 1003", "/bin/sleep 1004"] {
            let process = machine.process(process);
            assert!(is_on_console(&process), "{:?}", process.descriptors());
        }
        machine.wait_console("INIT: not recorded: output of \"r");
        machine.wait_console(why);
        // Said once behind each reading, of whichever is the first.
        for command in ["/bin/sleep 1003", "/bin/sleep 1004"] {
            machine.command("telinit q");
            // Init may have heard of the first of these ends before it reads the request; of the second it hears behind it.
            for command in [command, command, "/bin/sleep 1003", "/bin/sleep 1004"] {
                let former = machine.process(command);
                former.signal(SIGKILL);
                machine.wait_respawned(command, &former);
            }
        }
        machine.wait_console("INIT: not recorded: output of \"r3\"");
        machine.wait_console("INIT: not recorded: output of \"r4\"");
        let count = machine.transcript().matches("not recorded").count();
        assert_eq!(count, 3, "{}", machine.transcript());
        machine.until_true("no zombie is left", || machine.zombies().is_empty());
    }
}

#[test]
fn a_program_that_does_not_get_ready_is_not_waited_for_without_end() {
    if !ours() {
        return;
    }
    let plan = Plan::new("id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\n")
        .file(SETTINGS, "RECORD_OUTPUT=yes\n");
    plan.root()
        .script("/sbin/initctl", "echo rea >&2; exec sleep 1001");
    let machine = plan.boot();
    // Init serves others meanwhile.
    machine.until_true("init listens", || machine.try_ask(&[]));
    machine.command("telinit -e INIT_A=b");
    assert!(is_on_console(&machine.process("/bin/sleep 1003")));
    machine.wait_console("INIT: not recorded: output of \"r3\": timed out");
}

#[test]
fn settings_that_make_no_sense_are_told_with_their_line_and_record_nothing() {
    if !ours() {
        return;
    }
    let table = "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\n";
    let plan = plan(table, "r3").file(SETTINGS, "RECORD_OUTPUT=r3\nRECORD_OUTPT=yes\n");
    let machine = plan.boot();
    machine.wait_console("INIT: /etc/default/init:2: RECORD_OUTPT: unknown setting");
    machine.wait_console("INIT: /etc/default/init: no output is recorded");
    let process = machine.process("/bin/sleep 1003");
    assert!(is_on_console(&process));
    // It is read with the table.
    machine.write(SETTINGS, "RECORD_OUTPUT='r3 r9'\n");
    machine.command("telinit q");
    machine.wait_console("INIT: /etc/default/init: there is no entry \"r9\"");
    process.signal(SIGKILL);
    machine.wait_respawned("/bin/sleep 1003", &process);
    machine.until_true("it is recorded", || keeper(&machine, "r3").is_some());
    fs::remove_file(machine.at(SETTINGS)).unwrap();
    fs::create_dir(machine.at(SETTINGS)).unwrap();
    machine.command("telinit q");
    machine.wait_console("/etc/default/init: not a regular file: no output is recorded");
}

#[test]
fn a_hundred_megabytes_are_bounded_and_a_stopped_console_holds_nobody_up_for_long() {
    if !ours() {
        return;
    }
    let machine = plan("id:3:initdefault:\nr3:3:respawn:/bin/flood\n", "r3")
        .script(
            "/bin/flood",
            "echo begun; until [ -e /out/go ]; do usleep 10000; done
        dd if=/dev/zero bs=1024k count=100; echo; echo at the end; note done; exec sleep 1003",
        )
        .boot();
    machine.wait_console("begun\r\n");
    machine.stop_console();
    machine.write("/out/go", "");
    machine.wait_log("done");
    let process = machine.process("sleep 1003");
    let text = output_of(&machine, "r3", process.inside(), "at the end\n");
    assert!(text.starts_with("begun\n"));
    assert!(text.contains("bytes are left out here]"));
    assert!(text.len() < 70_000, "{}", text.len());
    let peak = keeper(&machine, "r3").unwrap().status("VmHWM");
    let peak: u64 = peak.trim_end_matches("kB").trim().parse().unwrap();
    assert!(peak < 16_000, "{peak} KiB");
}

#[test]
fn a_console_that_was_stopped_shows_what_it_missed_little_of() {
    if !ours() {
        return;
    }
    let machine = plan("id:3:initdefault:\nr3:3:respawn:/bin/talk\n", "r3")
        .script(
            "/bin/talk",
            "echo begun; until [ -e /out/go ]; do usleep 10000; done
            seq 1 1000; note done; exec sleep 1003",
        )
        .boot();
    machine.wait_console("begun\r\n");
    machine.stop_console();
    machine.write("/out/go", "");
    machine.wait_log("done");
    machine.resume_console();
    machine.wait_console("\r\n999\r\n1000\r\n");
}

#[test]
fn a_level_change_ends_the_entry_and_then_what_keeps_its_output_and_no_word_is_lost() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:
r3:3:respawn:trap 'echo going down; exit' TERM; echo here; while :; do usleep 10000; done
r4:4:respawn:/bin/sleep 1004
",
        "r3",
    )
    .boot();
    machine.wait_console("here\r\n");
    let keeping = machine.until("it is kept", || keeper(&machine, "r3"));
    // In the entry's session, and out of the reach of signals for its group.
    assert_eq!(keeping.group, keeping.pid);
    assert_ne!(keeping.session, keeping.pid);
    keeping.signal(SIGTERM);
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
    let pid = outputs(&machine, "r3")[0].0;
    // What the shell itself says of its child stands between.
    let text = output_of(&machine, "r3", pid, "going down\n");
    assert!(text.starts_with("here\n"), "{text}");
    machine.wait_console("going down\r\n");
    machine.until_true("nobody keeps it any more", || {
        keeper(&machine, "r3").is_none()
    });
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
}

fn replace_image(machine: &Machine, how: &str) {
    if how == "crash" {
        machine.signal(SIGSEGV);
        machine.wait_console("SIGSEGV from outside");
    } else {
        machine.command(how);
        machine.wait_console("reloading");
    }
}

#[test]
fn new_images_of_init_go_on_recording() {
    if !ours() {
        return;
    }
    // The shell reads by itself, so that no copy of it is taken for it.
    let plan = plan("id:3:initdefault:\nr3:3:respawn:/bin/talk\n", "r3").script(
        "/bin/talk",
        "while :; do read word </out/words && echo $word from $$; done",
    );
    let words = plan.root().at("/out/words");
    mkfifo(&words, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
    let machine = plan.boot();
    // Says a word by the entry's process, and waits until it is recorded.
    let speaks = |process: &Process, word: &str| {
        machine.until("it listens", || {
            let listener = OpenOptions::new()
                .write(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(&words);
            writeln!(listener.ok()?, "{word}").ok()
        });
        let inside = process.inside();
        output_of(&machine, "r3", inside, &format!("{word} from {inside}\n"));
    };
    let entry = machine.process("/bin/sh /bin/talk");
    let keeping = machine.until("it is kept", || keeper(&machine, "r3"));
    speaks(&entry, "first");
    for how in ["crash", "telinit u"] {
        replace_image(&machine, how);
        speaks(&entry, how);
        assert_eq!(keeper(&machine, "r3").unwrap().pid, keeping.pid);
    }
    // Images that took over record what they start, too.
    for how in ["crash", "telinit u"] {
        let former = machine.process("/bin/sh /bin/talk");
        replace_image(&machine, how);
        former.signal(SIGKILL);
        machine.wait_respawned("/bin/sh /bin/talk", &former);
        speaks(&machine.process("/bin/sh /bin/talk"), "next");
    }
    machine.until_true("no zombie is left", || machine.zombies().is_empty());
    machine.init().resting_descriptors(&machine, 4);
}

#[test]
fn whoever_spares_the_session_of_an_entry_spares_what_keeps_its_output() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:
r3:3:respawn:/bin/sleep 1003
l1:1:wait:/bin/single
r1:1:respawn:/bin/sleep 1001
",
        "yes",
    )
    .script(
        "/bin/single",
        "/sbin/killall5 -15; /sbin/killall5 -9; echo all others are gone",
    )
    .boot();
    machine.process("/bin/sleep 1003");
    // A telinit would be one of all others.
    machine.ask(&change_to('1'));
    machine.wait_console("all others are gone\r\n");
    machine.process("/bin/sleep 1001");
    let text = only_output(&machine, "l1", "gone\n");
    assert_eq!(text, "all others are gone\n");
    assert!(keeper(&machine, "r3").is_none());
}

#[test]
fn the_last_words_of_a_machine_go_straight_to_the_console() {
    if !ours() {
        return;
    }
    let mut machine = plan(
        "id:3:initdefault:
r3:3:respawn:/bin/sh -c 'echo up; exec sleep 1003'
l6:6:wait:/bin/down
",
        "yes l6",
    )
    .script(
        "/bin/down",
        "/sbin/killall5 -15; readlink /proc/self/fd/2 >/out/log; echo last words; exec /sbin/reboot -d -f",
    )
    .boot();
    machine.wait_console("up\r\n");
    machine.ask(&change_to('6'));
    machine.wait_console("last words\r\n");
    assert_eq!(machine.ended(), Ending::Restart);
    assert_eq!(
        fs::read_to_string(machine.root().at("/out/log")).unwrap(),
        "/dev/console\n"
    );
}

#[test]
fn what_is_said_before_run_is_there_is_written_when_it_is() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:
s1::sysinit:/bin/mount -o remount,ro /run
bo::boot:/bin/sh -c 'echo early'
s3:3:wait:/bin/sh -c 'echo late'
r3:3:respawn:/bin/sleep 1003
",
        "yes",
    )
    .boot();
    machine.process("/bin/sleep 1003");
    machine.wait_console("early");
    assert_eq!(outputs(&machine, "bo"), []);
    machine.command("mount -o remount,rw /run");
    machine.until_true("both are there", || {
        outputs(&machine, "bo").len() == 1 && outputs(&machine, "s3").len() == 1
    });
    machine.until_true("nobody waits any more", || keeper(&machine, "bo").is_none());
}

#[test]
fn what_was_written_below_a_file_system_that_was_mounted_over_run_is_written_again() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:\nr3:3:respawn:/bin/sh -c 'echo here; exec sleep 1003'\n",
        "r3",
    )
    .boot();
    let process = machine.process("sleep 1003");
    let number = process.inside();
    output_of(&machine, "r3", number, "here");
    machine.command("mount -t tmpfs -o mode=755 run /run");
    assert_eq!(outputs(&machine, "r3"), []);
    process.signal(SIGKILL);
    output_of(&machine, "r3", number, "here");
}

#[test]
fn rc_shows_and_records_its_scripts_as_ever() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:
l3:3:wait:/sbin/sysvtools rc 3
r3:3:respawn:/bin/sleep 1003
",
        "l3",
    )
    .script("/etc/rc3.d/S01speak", "[ -t 1 ] && echo speaking; exit 1")
    .boot();
    machine.process("/bin/sleep 1003");
    assert_eq!(
        machine.read("/run/initlog/output/speak.start"),
        "speaking\n"
    );
    // As wide as the console is, and the console's terminal adds what lines end with.
    let shown = machine.wait_console("[fail] exit 1\r\n");
    let (_, shown) = shown.split_once("speaking").unwrap();
    let kept = only_output(&machine, "l3", "[fail] exit 1\n");
    let (_, kept) = kept.split_once("speaking").unwrap();
    let kept = kept.replace('\n', "\r\n");
    assert!(kept.starts_with(shown), "{kept:?} {shown:?}");
}

#[test]
fn without_pseudo_terminals_it_is_a_pipe() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:\nr3:3:respawn:/bin/sh -c 'echo here; exec sleep 1003'\n",
        "r3",
    )
    .without("pts")
    .boot();
    let process = machine.process("sleep 1003");
    assert!(process.descriptors()[&1].starts_with("pipe:"));
    assert_eq!(
        output_of(&machine, "r3", process.inside(), "here"),
        "here\n"
    );
    machine.wait_console("here");
}

#[test]
fn in_a_container_the_managers_output_gets_it() {
    if !ours() {
        return;
    }
    let machine = plan(
        "id:3:initdefault:\nr3:3:respawn:/bin/sh -c 'echo here; exec sleep 1003'\n",
        "yes",
    )
    .in_container()
    .boot();
    let process = machine.process("sleep 1003");
    assert_eq!(
        output_of(&machine, "r3", process.inside(), "here"),
        "here\n"
    );
    machine.wait_console("here");
    // The standard three besides.
    machine.until_true("init holds no more than it should", || {
        machine.init().descriptors().len() <= 7
    });
}

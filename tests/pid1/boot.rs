//! From the first process to a runlevel: phases, kernel words, single-user mode, and what is recorded.

use crate::support::accounting::{BOOT_TIME, DEAD_PROCESS, INIT_PROCESS, RUN_LVL};
use crate::support::namespace::{Machine, Plan};

/// Reports `LEVEL PREVIOUS` beside its words.
const NOTE_LEVEL: &str = "echo \"$* $PREVLEVEL $RUNLEVEL\" >>/out/log";

fn boot_with_word(word: &str) -> Machine {
    Plan::new("id:3:initdefault:\nss::sysinit:/bin/note sysinit\nr::respawn:/bin/sleep 1000\n")
        .script("/sbin/sulogin", "note sulogin; read answer")
        .word(word)
        .boot()
}

#[test]
fn entries_run_in_the_order_sysinit_boot_level() {
    let machine = Plan::new(
        "id:3:initdefault:
w3:3:wait:/bin/level level
b1::bootwait:/bin/level bootwait
s1::sysinit:/bin/level first
s2::sysinit:/bin/level second
b2::bootwait:/bin/level another
w4:4:wait:/bin/level other
r3:3:respawn:/bin/sleep 1000
b3::boot:/bin/sleep 1001
",
    )
    .script("/bin/level", NOTE_LEVEL)
    .boot();
    machine.process("/bin/sleep 1000");
    machine.process("/bin/sleep 1001");
    let expected = [
        "first N S",
        "second N S",
        "bootwait N S",
        "another N S",
        "level N 3",
    ];
    assert_eq!(machine.log(), expected);
}

#[test]
fn title_and_runlevel_file_tell_the_phase_and_the_level() {
    let machine =
        Plan::new("id:3:initdefault:\ns::sysinit:/bin/sleep 1000\nr:3:respawn:/bin/sleep 1001\n")
            .boot();
    let blocker = machine.process("/bin/sleep 1000");
    assert_eq!(machine.init().command, "init boot");
    blocker.signal(nix::sys::signal::SIGKILL);
    machine.process("/bin/sleep 1001");
    assert_eq!(machine.init().command, "init [3]");
    machine.until_true("the level is in the file", || {
        machine.read("/run/runlevel") == "3"
    });
}

#[test]
fn start_up_is_announced_on_the_console() {
    let machine = Plan::new("id:3:initdefault:\nr:3:respawn:/bin/sleep 1000\n").boot();
    machine.wait_console("INIT: version ");
    machine.wait_console(" booting");
    machine.wait_console("INIT: Entering runlevel: 3");
}

#[test]
fn boot_level_and_processes_are_recorded() {
    let machine = Plan::new(
        "id:3:initdefault:
w3:3:wait:/bin/true
q3:3:respawn:+/bin/sleep 1000
r3:3:respawn:/bin/sleep 1001
",
    )
    .boot();
    let quiet = machine.process("/bin/sleep 1000");
    let sleeper = machine.process("/bin/sleep 1001");
    let wtmp = machine.until("the process is in wtmp", || {
        Some(machine.wtmp()).filter(|all| all.iter().any(|one| one.id == "r3"))
    });
    let at = |kind, id: &str| {
        let found = wtmp.iter().position(|one| one.kind == kind && one.id == id);
        found.unwrap_or_else(|| panic!("no record {kind} of {id:?} in {wtmp:#?}"))
    };
    let (boot, level, dead, started) = (
        at(BOOT_TIME, "~~"),
        at(RUN_LVL, "~~"),
        at(DEAD_PROCESS, "w3"),
        at(INIT_PROCESS, "r3"),
    );
    assert!(boot < level && level < dead && dead < started, "{wtmp:#?}");
    assert_eq!(
        (
            wtmp[boot].user.as_str(),
            wtmp[boot].line.as_str(),
            wtmp[boot].pid
        ),
        ("reboot", "~", 0)
    );
    assert_eq!(
        (wtmp[level].user.as_str(), wtmp[level].line.as_str()),
        ("runlevel", "~")
    );
    assert_eq!(wtmp[level].pid, u32::from('3') + 256 * u32::from('N'));
    assert_eq!(wtmp[started].pid, sleeper.inside());
    assert_eq!(
        (wtmp[started].user.as_str(), wtmp[started].line.as_str()),
        ("", "")
    );
    let release = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap();
    assert!(
        wtmp.iter()
            .all(|one| one.host == release.trim() && one.seconds > 0),
        "{wtmp:#?}"
    );
    assert!(wtmp.iter().all(|one| one.id != "q3"), "{quiet:?} {wtmp:#?}");
    let utmp = machine.utmp();
    assert_eq!(
        utmp.iter().filter(|one| one.kind == RUN_LVL).count(),
        1,
        "{utmp:#?}"
    );
    assert!(utmp.iter().any(|one| one.kind == BOOT_TIME), "{utmp:#?}");
    assert!(
        utmp.iter()
            .any(|one| one.kind == INIT_PROCESS && one.id == "r3"),
        "{utmp:#?}"
    );
    assert!(
        utmp.iter().all(|one| one.host.is_empty() && one.id != "q3"),
        "{utmp:#?}"
    );
}

#[test]
fn without_initdefault_the_level_is_asked_on_the_console_until_it_is_one() {
    let machine = Plan::new("r4:4:respawn:/bin/sleep 1000\n").boot();
    machine.wait_console("Enter runlevel: ");
    machine.type_line("x");
    machine.wait_console("Enter runlevel: ");
    machine.type_line("4");
    machine.process("/bin/sleep 1000");
    assert_eq!(machine.init().command, "init [4]");
}

#[test]
fn last_level_among_the_kernel_words_wins_and_unknown_words_do_not_matter() {
    let machine = Plan::new("id:3:initdefault:\nr5:5:respawn:/bin/sleep 1000\n")
        .word("quiet")
        .word("single")
        .word("splash")
        .word("5")
        .word("--")
        .boot();
    machine.process("/bin/sleep 1000");
}

#[test]
fn auto_tells_children_that_nobody_was_asked() {
    let machine = boot_with_word("auto");
    let environment = machine.process("/bin/sleep 1000").environment();
    assert_eq!(environment.get("AUTOBOOT").map(String::as_str), Some("YES"));
}

fn emergency_comes_first(word: &str) {
    let machine = boot_with_word(word);
    machine.wait_log("sulogin");
    assert_eq!(machine.log(), ["sulogin"]);
    machine.type_line("");
    machine.process("/bin/sleep 1000");
    assert_eq!(machine.log(), ["sulogin", "sysinit"]);
}

#[test]
fn emergency_gives_a_shell_before_anything_else_and_then_boots() {
    emergency_comes_first("emergency");
}

#[test]
fn option_b_gives_a_shell_before_anything_else_and_then_boots() {
    emergency_comes_first("-b");
}

#[test]
fn single_gives_sulogin_and_after_it_the_default_level() {
    let machine = Plan::new(
        "id:2:initdefault:
ss::sysinit:/bin/level sysinit
bw::bootwait:/bin/level bootwait
w2:2:wait:/bin/level level
r2:2:respawn:/bin/sleep 1000
",
    )
    .script("/bin/level", NOTE_LEVEL)
    .script("/sbin/sulogin", "level sulogin; read answer")
    .word("single")
    .boot();
    machine.wait_log("sulogin N S");
    assert_eq!(machine.init().command, "init [S]");
    assert_eq!(machine.log(), ["sysinit N S", "sulogin N S"]);
    machine.type_line("");
    machine.process("/bin/sleep 1000");
    let expected = ["sysinit N S", "sulogin N S", "bootwait N S", "level N 2"];
    assert_eq!(machine.log(), expected);
    assert_eq!(machine.init().command, "init [2]");
}

#[test]
fn going_single_user_stops_services_and_comes_back_to_the_default_level() {
    let machine =
        Plan::new("id:3:initdefault:\nw3:3:wait:/bin/level level\nr3:3:respawn:/bin/sleep 1000\n")
            .script("/bin/level", NOTE_LEVEL)
            .script("/sbin/sulogin", "level sulogin; read answer")
            .boot();
    machine.process("/bin/sleep 1000");
    machine.command("telinit S");
    machine.wait_log("sulogin 3 S");
    assert!(machine.find_process("/bin/sleep 1000").is_none());
    assert_eq!(machine.read("/run/runlevel"), "S");
    machine.type_line("");
    machine.process("/bin/sleep 1000");
    assert_eq!(machine.log(), ["level N 3", "sulogin 3 S", "level S 3"]);
}

#[test]
fn entry_for_level_s_takes_the_place_of_sulogin() {
    let machine = Plan::new("id:S:initdefault:\nsu:S:wait:/bin/sleep 1000\n")
        .script("/sbin/sulogin", "note sulogin; read answer")
        .boot();
    machine.process("/bin/sleep 1000");
    assert_eq!(machine.log(), Vec::<String>::new());
}

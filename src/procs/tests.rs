//! Whom pidof and killall5 mean, by table.

use super::matching::{Process, Rules, Wanted, find};
use super::*;

/// The line of a process with everything that does not matter here left at some value.
fn line(pid: i32, command: &str, state: char, session: i32, flags: u64, more: &str) -> String {
    format!(
        "{pid} ({command}) {state} 7 {pid} {session} 0 -1 {flags} 0 0 0 0 0 0 0 0 20 0 {more} 0 0 0\n"
    )
}

const ONE_THREAD_WITH_MEMORY: &str = "1 0 12 0 0 18446744073709551615 4096 8192";
const ONE_THREAD_WITHOUT: &str = "1 0 12 0 0 18446744073709551615 0 0";
const THREADS_WITHOUT_THE_FIRST: &str = "3 0 12 0 0 18446744073709551615 0 0";

fn stat(line: &str) -> Stat {
    Stat::parse(line.as_bytes()).unwrap_or_else(|| panic!("{line}"))
}

#[test]
fn a_name_may_hold_blanks_and_parentheses() {
    for name in ["sh", "a b", "x) S (y", ") R 1 1 1 (", "", "a\nb"] {
        let seen = stat(&line(42, name, 'S', 40, 0, ONE_THREAD_WITH_MEMORY));
        assert_eq!(seen.command, name.as_bytes());
        assert_eq!(
            (seen.pid, seen.state, seen.parent, seen.session),
            (42, b'S', 7, 40)
        );
        assert!(!seen.is_kernel_thread);
    }
    let mut bytes = b"5 (\xff\xfe) S 1 5 5".to_vec();
    bytes.extend(" 0".repeat(30).as_bytes());
    assert_eq!(Stat::parse(&bytes).unwrap().command, b"\xff\xfe");
}

#[test]
fn a_line_that_is_cut_short_is_no_process() {
    let whole = line(42, "sh", 'S', 40, 0, "1 0 12 0 0 0 4096");
    for end in 0..whole.len() - " 0 0 0\n".len() {
        assert_eq!(Stat::parse(&whole.as_bytes()[..end]), None, "{end}");
    }
}

#[test]
fn killall5_means_everybody_outside_its_session_but_init_the_kernel_and_the_dead() {
    let spared = Spared {
        own: 50,
        session: 40,
        omitted: vec![60, 61],
    };
    for (line, meant) in [
        (line(70, "cron", 'S', 70, 0, ONE_THREAD_WITH_MEMORY), true),
        (line(70, "stuck", 'D', 70, 0, ONE_THREAD_WITH_MEMORY), true),
        (
            line(70, "stopped", 'T', 70, 0, ONE_THREAD_WITH_MEMORY),
            true,
        ),
        (line(1, "init", 'S', 1, 0, ONE_THREAD_WITH_MEMORY), false),
        (
            line(50, "killall5", 'R', 50, 0, ONE_THREAD_WITH_MEMORY),
            false,
        ),
        (
            line(45, "sendsigs", 'S', 40, 0, ONE_THREAD_WITH_MEMORY),
            false,
        ),
        (
            line(61, "omitted", 'S', 61, 0, ONE_THREAD_WITH_MEMORY),
            false,
        ),
        (line(2, "kthreadd", 'S', 0, 0, ONE_THREAD_WITHOUT), false),
        // A kernel thread that has borrowed somebody's memory.
        (
            line(9, "vhost-1", 'S', 0, KERNEL_THREAD, ONE_THREAD_WITH_MEMORY),
            false,
        ),
        (
            line(70, "thread", 'D', 70, 0, THREADS_WITHOUT_THE_FIRST),
            true,
        ),
        (line(70, "dead", 'Z', 70, 0, ONE_THREAD_WITHOUT), false),
        (
            line(70, "threads", 'Z', 70, 0, THREADS_WITHOUT_THE_FIRST),
            true,
        ),
    ] {
        assert_eq!(spared.is_meant(&stat(&line)), meant, "{line}");
    }
}

#[test]
fn a_list_of_processes_is_taken_apart_at_comma_semicolon_and_colon() {
    use Omission::{Illegal, Parent, Pid};
    for (list, expected) in [
        ("5", vec![Pid(5)]),
        ("5,6;7:8", vec![Pid(5), Pid(6), Pid(7), Pid(8)]),
        (",5,", vec![Pid(5)]),
        ("%PPID,9", vec![Parent, Pid(9)]),
        ("0,-1", vec![Illegal("0".into()), Illegal("-1".into())]),
        (
            "5x,%PPI",
            vec![Illegal("5x".into()), Illegal("%PPI".into())],
        ),
        ("99999999999", vec![Illegal("99999999999".into())]),
        ("", vec![]),
    ] {
        assert_eq!(omissions(list), expected, "{list}");
    }
}

/// A process by the name the kernel has for it, its words, and the path of its program.
fn process(pid: i32, command: &str, words: &[&str], program: Option<&str>) -> Process {
    Process {
        stat: stat(&line(pid, command, 'S', pid, 0, ONE_THREAD_WITH_MEMORY)),
        arguments: words.iter().map(|word| word.as_bytes().to_vec()).collect(),
        program: program.map(|path| path.as_bytes().to_vec()),
    }
}

fn table() -> Vec<Process> {
    vec![
        process(40, "nap", &["/bin/nap", "20"], Some("/bin/sleep")),
        process(38, "gone", &["./gone"], Some("/tmp/gone (deleted)")),
        process(
            32,
            "longer than the",
            &["/bin/dash", "/tmp/longer than the kernel keeps"],
            Some("/bin/dash"),
        ),
        process(
            30,
            "dash",
            &["/bin/dash", "-x", "/tmp/script"],
            Some("/bin/dash"),
        ),
        process(
            29,
            "script",
            &["/bin/dash", "-e", "/tmp/script", "-q"],
            Some("/bin/dash"),
        ),
        process(28, "script", &["/bin/dash", "./script"], Some("/bin/dash")),
        process(26, "sleep", &["", "20"], Some("/bin/sleep")),
        process(25, "sleep", &["title: hello", "20"], Some("/bin/sleep")),
        process(24, "bash", &["-bash"], Some("/bin/bash")),
        process(23, "bash", &["-bash", "-i"], Some("/bin/bash")),
        process(22, "sleep", &["sleep", "9"], Some("/bin/sleep")),
        process(21, "a b", &["/tmp/a b", "20"], Some("/tmp/a b")),
        process(
            20,
            "averyveryverylo",
            &["/tmp/averyveryverylongname"],
            Some("/tmp/averyveryverylongname"),
        ),
        process(12, "hidden", &["/sbin/hidden"], None),
        process(9, "kworker/0:1", &[], None),
        process(2, "kthreadd", &[], None),
    ]
}

#[track_caller]
fn assert_found(name: &str, resolved: Option<&str>, rules: Rules, expected: &[i32]) {
    let wanted = Wanted {
        name: name.as_bytes().to_vec(),
        resolved: resolved.map(|path| path.as_bytes().to_vec()),
        rules,
    };
    let table = table();
    let found: Vec<i32> = find(&wanted, &table)
        .iter()
        .map(|process| process.stat.pid)
        .collect();
    assert_eq!(found, expected, "{name} {resolved:?} {rules:?}");
}

#[test]
fn a_name_means_processes_by_their_words() {
    for (name, expected) in [
        ("sleep", &[26, 25, 22][..]),
        ("other/sleep", &[26, 25, 22]),
        ("nap", &[40]),
        ("gone", &[38]),
        ("./gone", &[38]),
        ("-bash", &[24, 23]),
        ("bash", &[24]),
        ("title: hello", &[25]),
        ("title:", &[]),
        ("a b", &[21]),
        ("averyveryverylongname", &[20]),
        ("averyveryverylo", &[]),
        ("kthreadd", &[2]),
        ("kworker/0:1", &[9]),
        ("dash", &[32, 30, 29, 28]),
        ("script", &[]),
        ("", &[]),
        ("/", &[]),
    ] {
        assert_found(name, None, Rules::default(), expected);
    }
}

#[test]
fn a_path_means_processes_by_their_program() {
    let rules = Rules::default();
    for (name, resolved, expected) in [
        ("/bin/sleep", Some("/bin/sleep"), &[40, 26, 25, 22][..]),
        ("/bin/nap", Some("/bin/sleep"), &[40, 26, 25, 22]),
        ("/tmp/a b", Some("/tmp/a b"), &[21]),
        ("/tmp/gone", None, &[38]),
        ("/link/gone", Some("/tmp/gone"), &[38]),
        ("/bin/nap", None, &[]),
        ("/other/sleep", Some("/other/sleep"), &[]),
        ("/sbin/hidden", None, &[]),
        // Called by this path, whatever file that is now: the program was replaced, or is on a network.
        ("/bin/nap", Some("/bin/nap"), &[40]),
        ("/tmp/script", Some("/tmp/script"), &[]),
    ] {
        assert_found(name, resolved, rules, expected);
    }
}

#[test]
fn a_program_nobody_may_see_is_known_by_its_words() {
    let rules = Rules {
        unseen_programs: true,
        ..Rules::default()
    };
    assert_found(
        "/sbin/hidden",
        Some("/usr/sbin/hidden"),
        Rules::default(),
        &[12],
    );
    assert_found("/sbin/kthreadd", None, Rules::default(), &[]);
    assert_found("/usr/sbin/hidden", None, rules, &[]);
    assert_found("/sbin/hidden", None, rules, &[12]);
}

#[test]
fn a_script_is_the_first_word_behind_options_and_the_kernel_calls_it_so() {
    let rules = Rules {
        scripts: true,
        ..Rules::default()
    };
    for (name, expected) in [
        ("script", &[29, 28][..]),
        ("/tmp/script", &[29]),
        ("./script", &[28]),
        ("longer than the kernel keeps", &[32]),
        ("dash", &[32, 30, 29, 28]),
        ("20", &[]),
    ] {
        assert_found(name, None, rules, expected);
    }
}

#[test]
fn one_program_with_many_names_is_not_all_of_them() {
    // The name as an operand does not count, but as the tool's name it does.
    let words = |words: &[&str]| vec![process(5, "x", words, Some("/sbin/many"))];
    let wanted = Wanted {
        name: b"/sbin/one".to_vec(),
        resolved: Some(b"/sbin/many".to_vec()),
        rules: Rules {
            multi_call: true,
            ..Rules::default()
        },
    };
    for (table, found) in [
        (words(&["/sbin/one"]), 1),
        (words(&["/sbin/many", "one"]), 1),
        (words(&["/sbin/two", "/sbin/one"]), 0),
        (words(&["/sbin/many"]), 0),
        (words(&[]), 0),
    ] {
        assert_eq!(find(&wanted, &table).len(), found, "{table:?}");
    }
    let rules = Rules {
        multi_call: true,
        ..Rules::default()
    };
    assert_found("/bin/nap", Some("/bin/sleep"), rules, &[40]);
    assert_found("/sbin/sleep", Some("/bin/sleep"), rules, &[22]);
}

#[test]
fn places_behind_a_network_are_found_in_the_table_of_mounts() {
    let table = b"\
20 1 8:1 / / rw - nfs server:/root rw
21 20 0:20 / /proc rw,nosuid shared:5 - proc proc rw
22 20 0:30 / /net/a\\040b rw shared:1 master:2 - nfs4 s:/x rw
23 20 0:31 / /mnt rw - cifs //s/x rw
24 23 8:2 / /mnt rw - ext4 /dev/sda2 rw
25 20 0:32 / /home rw - fuse.sshfs s: rw
26 20 0:33 / /usb rw - fuseblk /dev/sdb1 rw
broken line
";
    let points = mounts::remote(table);
    assert_eq!(points, [b"/home".to_vec(), b"/net/a b".to_vec()]);
    for (path, expected) in [
        ("/home", true),
        ("/home/x", true),
        ("/homely", false),
        ("/net/a b/c", true),
        ("/mnt/x", false),
        ("/", false),
    ] {
        assert_eq!(
            mounts::is_below(path.as_bytes(), &points),
            expected,
            "{path}"
        );
    }
    assert_eq!(mounts::root(table).unwrap(), b"8:1 /");
    assert_eq!(mounts::root(b"21 20 0:20 / /proc rw - proc proc rw"), None);
}

#[test]
fn descendants_are_found_through_any_number_of_generations() {
    let process = |pid, parent| Stat {
        pid,
        command: b"x".to_vec(),
        state: b'S',
        parent,
        session: 1,
        group: 1,
        started: 0,
        threads: 1,
        is_kernel_thread: false,
    };
    let table = [
        process(1, 0),
        process(5, 1),
        process(6, 5),
        process(9, 6),
        process(8, 6),
        process(7, 1),
    ];
    let mut found = descendants(&table, 5);
    found.sort_unstable();
    assert_eq!(found, [6, 8, 9]);
    assert_eq!(descendants(&table, 7), []);
    // Numbers that were given anew while the table was read.
    assert_eq!(descendants(&[process(3, 4), process(4, 3)], 3), [4]);
}

//! Whole tables in, the exact list of findings out.

use super::*;
use crate::inittab::parse::SourceKind;

/// A machine with a handful of programs and terminals.
struct Small;

impl Surroundings for Small {
    fn program(&self, word: &[u8]) -> ProgramState {
        match word {
            b"/sbin/getty" | b"getty" | b"/etc/init.d/rcS" | b"/etc/init.d/rc"
            | b"/sbin/sulogin" | b"/bin/sh" => ProgramState::Executable,
            b"/etc/motd" => ProgramState::NotExecutable,
            _ => ProgramState::Missing,
        }
    }

    fn has_terminal(&self, name: &[u8]) -> bool {
        [b"tty1".as_slice(), b"console", b"ttyS0"].contains(&name)
    }
}

fn findings(text: &str) -> Vec<String> {
    let source = Source {
        path: "inittab",
        text: text.as_bytes(),
        kind: SourceKind::Inittab,
    };
    check(&[source], &Small)
        .iter()
        .map(ToString::to_string)
        .collect()
}

const SOUND: &str = "id:3:initdefault:\n1:23:respawn:/sbin/getty 38400 tty1\n";

/// A sound table with one more line, whose findings are returned.
fn with(line: &str) -> Vec<String> {
    findings(&format!("{SOUND}{line}\n"))
}

#[test]
fn a_sound_table_has_no_findings() {
    assert_eq!(findings(SOUND), Vec::<String>::new());
}

#[test]
fn each_broken_line_is_named_with_its_place() {
    let cases = [
        (
            "x",
            "inittab:3:2: error: missing runlevel field; line ignored",
        ),
        (
            "x:2",
            "inittab:3:4: error: missing action field; line ignored",
        ),
        (
            "x:2:once",
            "inittab:3:9: error: missing process field; line ignored",
        ),
        (
            "x:2:wat:/bin/sh",
            "inittab:3:5: error: wat: unknown action field; line ignored",
        ),
        (
            "toolong:2:once:/bin/sh",
            "inittab:3:1: error: id field too long (max 4 characters); line ignored",
        ),
        (
            "1:2:once:/bin/sh",
            "inittab:3:1: error: duplicate ID field \"1\"; line ignored, inittab:2 has the id",
        ),
        (
            "x:2:once:a\0b",
            "inittab:3:11: error: NUL byte; line ignored",
        ),
        (
            "x:2z:once:/bin/sh",
            "inittab:3:4: warning: 'z' names no runlevel; the rest of the field counts",
        ),
        (
            "x:2:once:/bin/sh\r",
            "inittab:3:17: warning: carriage return before the end of line; left out in the whole file",
        ),
        (
            "x:2:once:/bin/nosuch -v",
            "inittab:3:10: error: /bin/nosuch does not exist",
        ),
        (
            "x:2:once:nosuch",
            "inittab:3:10: error: nosuch does not exist",
        ),
        (
            "x:2:once:+@/bin/nosuch",
            "inittab:3:12: error: /bin/nosuch does not exist",
        ),
        (
            "x:2:once:/etc/motd",
            "inittab:3:10: error: /etc/motd is not executable",
        ),
        (
            "x:2:once:/bin/nosuch && true",
            "inittab:3:10: error: /bin/nosuch does not exist",
        ),
        (
            "x:2:once:",
            "inittab:3:10: error: no command: there is nothing to run",
        ),
        (
            "x:2:respawn:/sbin/getty -L ttyS9 9600",
            "inittab:3:13: warning: there is no terminal /dev/ttyS9 on this machine",
        ),
        (
            "x:2:once:/bin/sh --init=x",
            "inittab:3:24: warning: '=' sends the command to /bin/sh; begin it with @ if that is not meant",
        ),
    ];
    for (line, expected) in cases {
        assert_eq!(with(line), [expected], "{line:?}");
    }
}

#[test]
fn an_entry_without_any_level_never_runs() {
    let expected = [
        "inittab:3:3: warning: 'x' names no runlevel; the rest of the field counts",
        "inittab:3:3: warning: no runlevel is named here: the entry never runs",
    ];
    assert_eq!(with("x:xy:once:/bin/sh"), expected);
}

#[test]
fn what_is_written_for_the_shell_is_no_surprise() {
    for line in [
        "x:2:once:a=b; c",
        "x:2:once:/bin/sh -c 'x=1'",
        "x:2:once:@/bin/sh a=b",
        "x:2:once:echo $x",
    ] {
        assert_eq!(with(line), Vec::<String>::new(), "{line}");
    }
}

#[test]
fn entries_that_are_off_are_not_looked_into() {
    assert_eq!(with("x:2:off:/bin/nosuch"), Vec::<String>::new());
}

#[test]
fn sysinit_entries_need_no_level() {
    assert_eq!(with("si::sysinit:/etc/init.d/rcS"), Vec::<String>::new());
}

#[test]
fn a_table_without_default_level_asks() {
    let expected = ["inittab: warning: no initdefault: init asks for a runlevel at the console"];
    assert_eq!(findings("1:23:respawn:/sbin/getty 38400 tty1\n"), expected);
}

#[test]
fn an_empty_default_level_asks() {
    let expected =
        ["inittab:1:4: warning: no initdefault: init asks for a runlevel at the console"];
    assert_eq!(
        findings("id::initdefault:\n1:23:respawn:getty tty1\n"),
        expected
    );
}

#[test]
fn a_default_level_that_ends_the_machine_is_an_error() {
    let halt = "inittab:1:4: error: initdefault 0: the machine halts as soon as it has booted";
    assert_eq!(
        findings("id:0:initdefault:\n1:23:respawn:getty tty1\n"),
        [halt]
    );
    let reboot = "inittab:1:4: error: initdefault 6: the machine reboots as soon as it has booted";
    assert_eq!(
        findings("id:6:initdefault:\n1:23:respawn:getty tty1\n"),
        [reboot]
    );
}

#[test]
fn a_default_level_that_is_none_is_an_error() {
    let found = findings("id:a:initdefault:\n1:23:respawn:getty tty1\n");
    assert_eq!(
        found,
        ["inittab:1:4: error: 'A' is no runlevel: init asks for one at the console"]
    );
}

#[test]
fn a_default_level_without_login_is_an_error() {
    let found = findings("id:5:initdefault:\n1:23:respawn:getty tty1\n");
    assert_eq!(
        found,
        ["inittab: error: no entry is respawned in runlevel 5: nobody can log in there"]
    );
}

#[test]
fn single_user_mode_offers_a_login_by_its_fallback() {
    assert_eq!(findings("id:S:initdefault:\n"), Vec::<String>::new());
}

#[test]
fn the_dialect_of_busybox_is_recognised_once() {
    let found = findings(
        "::sysinit:/etc/init.d/rcS\ntty1::askfirst:/bin/sh\n::shutdown:/bin/umount -a -r\n",
    );
    let hints: Vec<&String> = found
        .iter()
        .filter(|finding| finding.contains("busybox init"))
        .collect();
    assert_eq!(hints.len(), 1, "{found:#?}");
    assert!(hints[0].starts_with("inittab:1:1: warning: "));
    assert!(found.contains(&"inittab:1:1: error: missing id field; line ignored".to_owned()));
    assert!(
        found.contains(
            &"inittab:2:7: error: askfirst: unknown action field; line ignored".to_owned()
        )
    );
}

#[test]
fn findings_come_in_the_order_of_the_files() {
    let main = Source {
        path: "inittab",
        text: b"id:3:initdefault:\nx:3:wat:\n",
        kind: SourceKind::Inittab,
    };
    let tab = Source {
        path: "a.tab",
        text: b"y:3:respawn:/bin/nosuch\n",
        kind: SourceKind::Fragment,
    };
    let found: Vec<String> = check(&[main, tab], &Small)
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(
        found,
        [
            "inittab:2:5: error: wat: unknown action field; line ignored",
            "a.tab:1:13: error: /bin/nosuch does not exist"
        ]
    );
}

/// A machine on which everything is there.
struct Complete;

impl Surroundings for Complete {
    fn program(&self, _word: &[u8]) -> ProgramState {
        ProgramState::Executable
    }

    fn has_terminal(&self, _name: &[u8]) -> bool {
        true
    }
}

#[test]
fn the_inittab_we_install_has_no_findings() {
    let text = include_bytes!("../../../etc/inittab");
    let source = Source {
        path: "etc/inittab",
        text,
        kind: SourceKind::Inittab,
    };
    assert_eq!(check(&[source], &Complete), []);
}

/// What is said of a file in `tests/data/inittab` on a machine on which everything is there.
fn said_of(name: &str) -> Vec<String> {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/data/inittab");
    let text = std::fs::read(folder.join(name)).unwrap();
    let source = Source {
        path: name,
        text: &text,
        kind: SourceKind::Inittab,
    };
    check(&[source], &Complete)
        .iter()
        .map(ToString::to_string)
        .collect()
}

#[test]
fn tables_in_the_form_of_distributions_with_sysvinit_have_no_findings() {
    for name in ["debian", "slackware", "yocto"] {
        assert_eq!(said_of(name), Vec::<String>::new(), "{name}");
    }
}

#[test]
fn tables_for_busybox_init_are_told_apart() {
    let dialect = "this looks like an inittab for busybox init, which has terminals for ids, no runlevels, and the \
                   actions askfirst, shutdown and restart; init(8) reads none of these";
    let no_id = |line: u8| format!("{line}:1: error: missing id field; line ignored");
    let no_action =
        |line: u8| format!("{line}:3: error: shutdown: unknown action field; line ignored");
    let asks = "warning: no initdefault: init asks for a runlevel at the console".to_owned();
    let named = |name: &str, findings: Vec<String>| -> Vec<String> {
        let (last, rest) = findings.split_last().unwrap();
        let placed = rest.iter().map(|text| format!("{name}:{text}"));
        placed.chain([format!("{name}: {last}")]).collect()
    };
    let buildroot = vec![
        no_id(2),
        format!("2:1: warning: {dialect}"),
        no_id(3),
        no_id(5),
        "6:1: error: id field too long (max 4 characters); line ignored".to_owned(),
        no_id(7),
        no_action(7),
        no_id(8),
        no_action(8),
        asks.clone(),
    ];
    assert_eq!(said_of("buildroot"), named("buildroot", buildroot));
    let alpine = vec![
        no_id(2),
        format!("2:1: warning: {dialect}"),
        no_id(3),
        no_id(4),
        no_id(7),
        no_id(8),
        no_action(8),
        asks,
    ];
    assert_eq!(said_of("alpine"), named("alpine", alpine));
}

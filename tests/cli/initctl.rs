//! `initctl` on a root whose state and record are given.

use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use tempfile::TempDir;

const STATE: &str = "12567362VER@(#) init 3.14 sysvinit-rs 0.1.0
-RL2
-TL2
-PLN
-SI0
-WR1
-WU1
-LW1
-LU1
-ST3
-DB1
XSV1
RECl2
LEV2
FL XD
PID310
EXS0
XEK1
AC wait
CMD/etc/init.d/rc 2
EOR
REC1
LEV23
FL RU
FL XD
PID400
EXS0
AC respawn
CMD/sbin/getty tty1
XST1000000
EOR
RECbad
LEV23
FL XD
PID401
EXS768
XEK1
AC once
CMD/bin/false
EOR
END
";
const RECORD: &str = "boot id=aa up=0.100000 wall=1764041184.000000
begin kind=entry id=l2 action=wait level=2 previous=N process=/etc/init.d/rc\\x202 pid=310 up=1.000000 wall=1764041185.000000
begin kind=run level=2 previous=N pid=310 up=1.010000 wall=1764041185.010000
begin kind=script name=quick argument=start level=2 previous=N link=S01quick pid=311 up=1.020000 wall=1764041185.020000
end kind=script name=quick argument=start pid=311 up=1.120000 wall=1764041185.120000 status=exit:0 verdict=ok user=0.010000 system=0.020000 peak=3456 output=6
begin kind=script name=slow argument=start level=2 previous=N link=S02slow pid=312 up=1.120000 wall=1764041185.120000
end kind=script name=slow argument=start pid=312 up=4.120000 wall=1764041188.120000 status=exit:3 verdict=failed user=0.010000 system=0.020000 peak=900 output=0
end kind=run level=2 previous=N pid=310 up=4.130000 wall=1764041188.130000 status=exit:0 verdict=ok scripts=2 failed=1
end kind=entry id=l2 action=wait pid=310 up=4.140000 wall=1764041188.140000 status=exit:0 verdict=ok user=0.100000 system=0.100000 peak=5000
";

pub(crate) struct Machine(TempDir);

impl Machine {
    pub(crate) fn new() -> Self {
        let machine = Self(TempDir::new().unwrap());
        machine.write("run/init.state", STATE);
        machine.write("run/initlog/record", RECORD);
        machine.write("run/initlog/output/quick.start", "hello\n");
        machine.write("etc/inittab", "id:2:initdefault:\nl2:2:wait:/etc/init.d/rc 2\nl3:3:wait:/etc/init.d/rc 3\n1:23:respawn:/sbin/getty tty1\n");
        machine.write("etc/init.d/quick", "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: quick\n# Short-Description: A quick one\n### END INIT INFO\n");
        let script = machine.0.path().join("etc/init.d/quick");
        fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
        fs::create_dir_all(machine.0.path().join("etc/rc3.d")).unwrap();
        symlink(
            "../init.d/quick",
            machine.0.path().join("etc/rc3.d/S01quick"),
        )
        .unwrap();
        machine
    }

    pub(crate) fn path(&self, inside: &str) -> PathBuf {
        self.0.path().join(inside)
    }

    pub(crate) fn write(&self, inside: &str, text: impl AsRef<[u8]>) {
        let path = self.0.path().join(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    pub(crate) fn run(&self, words: &[&str]) -> Output {
        Command::new(Path::new(env!("CARGO_BIN_EXE_sysvtools")))
            .arg0("initctl")
            .arg("--root")
            .arg(self.0.path())
            .args(words)
            .output()
            .unwrap()
    }

    /// What it prints when all is well.
    #[track_caller]
    pub(crate) fn told(&self, words: &[&str]) -> String {
        let output = self.run(words);
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!((output.status.code(), &*errors), (Some(0), ""), "{words:?}");
        String::from_utf8(output.stdout).unwrap()
    }

    #[track_caller]
    fn refused(&self, words: &[&str], code: i32) -> String {
        let output = self.run(words);
        assert_eq!(output.status.code(), Some(code), "{words:?}: {output:?}");
        String::from_utf8(output.stderr).unwrap()
    }
}

#[test]
fn the_list_shows_entries_and_services_with_their_state() {
    let machine = Machine::new();
    let list = machine.told(&["list"]);
    let line = |name: &str| {
        let line = list
            .lines()
            .find(|line| line.starts_with(&format!("{name} ")));
        line.unwrap_or_else(|| panic!("no {name}: {list}"))
            .split_whitespace()
            .collect::<Vec<_>>()
    };
    assert_eq!(line("1")[..3], ["1", "running", "400"]);
    assert_eq!(line("bad")[..2], ["bad", "failed"]);
    assert_eq!(line("l2")[..2], ["l2", "done"]);
    let service = line("quick");
    assert!(
        service.ends_with(&["3", "A", "quick", "one"]),
        "{service:?}"
    );
    let json = machine.told(&["list", "--json"]);
    assert!(
        json.contains(r#"{"kind": "entry", "name": "1", "state": "running", "pids": [400]"#),
        "{json}"
    );
    assert!(
        json.contains(r#""kind": "service", "name": "quick""#),
        "{json}"
    );
}

#[test]
fn debians_sendsigs_finds_no_process_to_spare_in_the_list() {
    let machine = Machine::new();
    let state = STATE.replace("/bin/false", "/usr/bin/watch process 5 6 process 7");
    machine.write("run/init.state", &state);
    let script = fs::read_to_string(machine.0.path().join("etc/init.d/quick")).unwrap();
    machine.write(
        "etc/init.d/quick",
        script.replace("A quick one", "Runs process 9, and process by process"),
    );
    let list = machine.told(&["list"]);
    // Its words: the pids of Upstart's jobs are spared.
    let mut sed = Command::new("sed")
        .args(["-n", "-e", "/process [0-9]/s/.*process //p"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut input = sed.stdin.take().unwrap();
    input.write_all(list.as_bytes()).unwrap();
    drop(input);
    let spared = sed.wait_with_output().unwrap().stdout;
    assert_eq!(String::from_utf8_lossy(&spared), "", "{list}");
    for shown in [
        r"once /usr/bin/watch process\x205 6 process\x207",
        r"Runs process\x209, and process by process",
    ] {
        assert!(list.contains(shown), "{shown}: {list}");
    }
}

/// Debian's init-functions asks so: `initctl version | grep -q upstart`.
#[test]
fn nobody_is_told_that_this_is_upstart() {
    let version = Machine::new().run(&["version"]);
    assert_eq!(
        (version.status.code(), &*version.stdout),
        (Some(2), &b""[..])
    );
}

#[test]
fn quotes_in_commands_are_shown_as_they_are() {
    let machine = Machine::new();
    let state = STATE.replace("/bin/false", "echo the \"host's\" $(name)");
    machine.write("run/init.state", &state);
    for words in [&["list"][..], &["show-config"], &["show-config", "bad"]] {
        let shown = machine.told(words);
        assert!(shown.contains("echo the \"host's\" $(name)\n"), "{shown}");
    }
}

#[test]
fn the_machine_is_well_when_it_is_in_its_level_and_nothing_waits() {
    let machine = Machine::new();
    assert_eq!(machine.told(&["status"]), "init is in runlevel 2\n");
    machine.write(
        "run/init.state",
        STATE.replace("LEV2\nFL XD", "LEV2\nFL RU\nFL WT\nFL XD"),
    );
    let waits = machine.run(&["status"]);
    assert_eq!(waits.status.code(), Some(1));
    let text = String::from_utf8(waits.stdout).unwrap();
    assert_eq!(
        text,
        "init is in runlevel 2\nwaits for l2, /etc/init.d/rc 2, process 310\n"
    );
    fs::remove_file(machine.0.path().join("run/init.state")).unwrap();
    assert!(machine.refused(&["status"], 4).contains("init.state"));
}

#[test]
fn one_entry_or_service_is_told_by_exit_statuses_scripts_know() {
    let machine = Machine::new();
    assert!(machine.told(&["status", "1"]).contains("state: running\n"));
    machine.refused(&["status", "bad"], 1);
    let service = machine.run(&["status", "quick"]);
    assert!(service.stdout.ends_with(b"; enabled in 3\n"), "{service:?}");
    assert!(
        machine
            .refused(&["status", "nobody"], 4)
            .contains("neither an inittab entry nor a service")
    );
}

#[test]
fn an_entry_that_is_held_tells_until_when_and_why() {
    let machine = Machine::new();
    machine.write(
        "run/init.state",
        STATE.replace("AC once\n", "AC respawn\nXHU999999999000000000\n"),
    );
    let note = "note kind=entry id=bad action=respawn up=3.500000 wall=1764041187.500000 text=respawning\\x20too\\x20fast\n";
    machine.write("run/initlog/record", format!("{RECORD}{note}"));
    let held = machine.run(&["status", "bad"]);
    assert_eq!(held.status.code(), Some(1));
    let held = String::from_utf8(held.stdout).unwrap();
    assert!(held.contains("state: held\n") && held.contains("held_because: respawning too fast\n"));
    let until = held
        .lines()
        .find_map(|line| line.strip_prefix("held_until: "));
    // A month, a day, a time of day.
    assert_eq!(until.unwrap().split_whitespace().count(), 3, "{held}");
    assert!(
        machine
            .told(&["status", "1"])
            .contains("held_until: -\nheld_because: -\n")
    );
    let log = machine.run(&["log", "bad"]);
    assert_eq!(
        String::from_utf8(log.stdout).unwrap(),
        "     3.500  note   entry bad respawn: respawning too fast\n"
    );
}

#[test]
fn the_slowest_is_blamed_first() {
    let blame = Machine::new().told(&["blame"]);
    assert_eq!(
        blame,
        "TIME    CPU    MEMORY   RESULT  NAME\n3.00 s  30 ms  900 KiB  exit 3  slow start\n100 ms  30 ms  3.3 MiB  exit 0  quick start\n"
    );
}

const LINES_OF_L2: &str = "     1.000  begin  entry l2 wait, pid 310  /etc/init.d/rc 2\n     4.140  end    entry l2 wait: exit 0, processor 200 ms, memory 4.8 MiB\n";

#[test]
fn the_output_of_a_script_is_shown_and_of_that_of_an_entry_how_it_can_be() {
    let machine = Machine::new();
    assert_eq!(machine.told(&["log", "quick"]), "hello\n");
    machine.write("run/initlog/output/quick.stop", "bye");
    assert_eq!(
        machine.told(&["log", "quick"]),
        "==> quick.start <==\nhello\n==> quick.stop <==\nbye\n"
    );
    let entry = machine.run(&["log", "l2"]);
    assert_eq!(String::from_utf8(entry.stdout).unwrap(), LINES_OF_L2);
    assert_eq!(
        String::from_utf8(entry.stderr).unwrap(),
        "initctl: l2: no output is recorded; RECORD_OUTPUT in /etc/default/init has init record it\n"
    );
    assert!(
        machine
            .refused(&["log", "nobody"], 1)
            .contains("nobody: no output is recorded")
    );
}

#[test]
fn the_outputs_of_an_entry_follow_the_lines_of_the_record_the_last_one_last() {
    let machine = Machine::new();
    machine.write("var/log/initlog/output/l2.17", "of another boot\n");
    let entry = machine.run(&["log", "l2"]);
    assert_eq!(String::from_utf8(entry.stdout).unwrap(), LINES_OF_L2);
    // One whose beginning is not recorded yet is the last.
    machine.write("run/initlog/output/l2.30", "next");
    machine.write("run/initlog/output/l2.310", "level 2\n");
    machine.write("run/initlog/output/l2.310.new", "half");
    machine.write("run/initlog/output/l.310", "of another entry");
    assert_eq!(
        machine.told(&["log", "l2"]),
        format!("{LINES_OF_L2}==> l2.310 <==\nlevel 2\n==> l2.30 <==\nnext\n")
    );
}

#[test]
fn the_record_is_shown_by_time_and_as_json() {
    let machine = Machine::new();
    let record = machine.told(&["record"]);
    assert_eq!(record.lines().count(), 9);
    assert!(
        record.contains(
            "     4.120  end    script slow start: exit 3, processor 30 ms, memory 900 KiB\n"
        ),
        "{record}"
    );
    let json = machine.told(&["--json", "record"]);
    assert!(
        json.contains(r#""name": "slow", "argument": "start", "what": "S02slow", "pid": 312"#),
        "{json}"
    );
}

#[test]
fn the_chart_goes_to_standard_output_or_into_a_file() {
    let machine = Machine::new();
    let svg = machine.told(&["chart"]);
    assert!(svg.starts_with("<svg ") && svg.contains("1 failed: slow"));
    let file = machine.0.path().join("boot.svg");
    assert_eq!(machine.told(&["chart", "-o", file.to_str().unwrap()]), "");
    let written = fs::read_to_string(file).unwrap();
    assert!(written.starts_with("<svg ") && written.ends_with("</svg>\n"));
}

#[test]
fn the_plan_of_a_level_names_what_init_and_rc_would_do() {
    let plan = Machine::new().told(&["plan", "3"]);
    assert!(
        plan.contains("start  l3  wait         /etc/init.d/rc 3\n"),
        "{plan}"
    );
    assert!(
        plan.contains("rc 3:\n") && plan.contains("S01quick start\n"),
        "{plan}"
    );
    assert!(
        Machine::new()
            .refused(&["plan", "x"], 1)
            .contains("not a runlevel")
    );
}

#[test]
fn what_is_set_is_shown_for_all_entries_and_for_one() {
    let machine = Machine::new();
    assert_eq!(
        machine.told(&["show-config"]).lines().nth(1),
        Some("1:23:respawn:/sbin/getty tty1")
    );
    assert!(
        machine
            .told(&["show-config", "quick"])
            .contains("description: A quick one\n")
    );
    machine.refused(&["show-config", "nobody"], 1);
}

#[test]
fn nothing_is_asked_of_this_machine_on_behalf_of_another_root() {
    let machine = Machine::new();
    for words in [
        &["emit", "powerfail"][..],
        &["reload-configuration"],
        &["start", "quick"],
    ] {
        assert!(
            machine
                .refused(words, 1)
                .contains("--root is for the verbs that only look")
        );
    }
    assert!(machine.refused(&["frobnicate"], 2).contains("no such verb"));
}

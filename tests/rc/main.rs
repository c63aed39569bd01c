//! `sysvtools rc` run as a process, below a root of its own with scripts that report what they see.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

mod critical_path;
mod crowd;
mod options;
mod output;
mod parallel;
mod record;
mod signals;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output, Stdio};

use support::root::write_program;

/// A root with the given scripts in init.d.
struct Root(tempfile::TempDir);

impl Root {
    fn new() -> Self {
        let root = Self(tempfile::tempdir().unwrap());
        fs::create_dir_all(root.0.path().join("etc/init.d")).unwrap();
        root
    }

    fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts an executable script into init.d that runs `body` and links it.
    fn script(&self, name: &str, body: &str, links: &[&str]) -> &Self {
        let text = format!("#!/bin/sh\n{body}\n");
        self.file(&format!("etc/init.d/{name}"), text.as_bytes(), 0o755);
        for link in links {
            let (folder, file_name) = link.split_once('/').unwrap();
            let folder = self.path().join("etc").join(folder);
            fs::create_dir_all(&folder).unwrap();
            symlink(format!("../init.d/{name}"), folder.join(file_name)).unwrap();
        }
        self
    }

    /// A script that prints the name it is run by and its arguments.
    fn echo(&self, name: &str, links: &[&str]) -> &Self {
        self.script(name, "echo \"${0##*/} $*\"", links)
    }

    fn file(&self, path: &str, content: &[u8], mode: u32) -> &Self {
        let path = self.path().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        if mode == 0o755 {
            write_program(&path, content);
        } else {
            fs::write(&path, content).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
        }
        self
    }

    /// The command `rc` with its root, no environment and no input.
    fn rc(&self, words: &[&str]) -> Command {
        self.tool("rc", words)
    }

    fn tool(&self, name: &str, words: &[&str]) -> Command {
        let mut command = Command::new(env!("CARGO_BIN_EXE_sysvtools"));
        command
            .arg(name)
            .arg("--root")
            .arg(self.path())
            .args(words)
            .env_clear()
            .stdin(Stdio::null());
        command
    }
}

/// What the scripts have said, without what rc adds at the end of it.
fn stdout(command: &mut Command) -> String {
    words(&succeeded(command).stdout)
}

/// Takes the marks off, and the lines that rc writes for scripts that say nothing.
fn words(stdout: &[u8]) -> String {
    let text = String::from_utf8_lossy(stdout);
    let lines = text.lines().map(|line| {
        let marks = [" [ ok ]", " [fail]", " [skip]"];
        match marks.iter().find_map(|mark| line.split_once(mark)) {
            Some((words, _)) => words.trim_end_matches(['.', ' ']),
            None => line,
        }
    });
    let is_said = |line: &&str| !line.starts_with("Starting ") && !line.starts_with("Stopping ");
    lines
        .filter(is_said)
        .flat_map(|line| [line, "\n"])
        .collect()
}

/// A line with a mark in its column.
fn marked(text: &str, mark: &str) -> String {
    let dots = ".".repeat(48 - text.chars().count());
    format!("{text} {dots} [{mark}\n")
}

fn succeeded(command: &mut Command) -> Output {
    let output = command.output().unwrap();
    assert_eq!(output.status.code(), Some(0), "{output:?}");
    output
}

fn message(output: &Output) -> &str {
    std::str::from_utf8(&output.stderr).unwrap()
}

/// The lines on standard error, without the seconds at their ends.
fn messages(output: &Output) -> Vec<&str> {
    message(output)
        .lines()
        .map(|line| {
            match line
                .strip_suffix(" s")
                .and_then(|line| line.rsplit_once(' '))
            {
                Some((words, _)) => words,
                None => line,
            }
        })
        .collect()
}

#[test]
fn kill_links_then_start_links_are_run_by_their_names() {
    let root = Root::new();
    root.echo("a", &["rc3.d/K20a", "rc3.d/S01a"])
        .echo("b", &["rc3.d/S10b", "rc3.d/K03b"]);
    let mut command = root.rc(&["3"]);
    assert_eq!(
        stdout(command.env("PREVLEVEL", "2")),
        "K03b stop\nK20a stop\nS01a start\nS10b start\n"
    );
}

#[test]
fn nothing_is_stopped_where_no_level_went_before() {
    let root = Root::new();
    root.echo("a", &["rc3.d/K20a", "rc3.d/S01a"]);
    assert_eq!(stdout(&mut root.rc(&["3"])), "S01a start\n");
    let mut command = root.rc(&["3"]);
    assert_eq!(stdout(command.env("PREVLEVEL", "N")), "S01a start\n");
}

#[test]
fn halting_stops_everything_that_is_linked() {
    let root = Root::new();
    root.echo("a", &["rc0.d/K20a"])
        .echo("halt", &["rc0.d/S90halt"]);
    for previous in ["N", "3"] {
        let mut command = root.rc(&["0"]);
        assert_eq!(
            stdout(command.env("PREVLEVEL", previous)),
            "K20a stop\nS90halt stop\n"
        );
    }
}

#[test]
fn rcs_starts_the_machine() {
    let root = Root::new();
    root.echo("a", &["rcS.d/S01a"]);
    assert_eq!(stdout(&mut root.tool("rcS", &[])), "S01a start\n");
}

#[test]
fn the_level_comes_from_the_environment_where_no_word_names_it() {
    let root = Root::new();
    root.echo("a", &["rc4.d/S01a"]);
    assert_eq!(stdout(root.rc(&[]).env("RUNLEVEL", "4")), "S01a start\n");
    assert_eq!(stdout(root.rc(&["4"]).env("RUNLEVEL", "2")), "S01a start\n");
}

#[test]
fn no_level_at_all_is_a_usage_error() {
    let output = Root::new().rc(&[]).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(message(&output), "Usage: rc <runlevel>\n");
}

#[test]
fn what_is_no_level_is_refused() {
    for word in ["Z", "33", "N", "a"] {
        let output = Root::new().rc(&[word]).output().unwrap();
        assert_eq!(output.status.code(), Some(1));
        assert_eq!(message(&output), format!("rc: {word}: no such runlevel\n"));
    }
}

#[test]
fn a_level_without_a_directory_has_nothing_to_run() {
    let output = succeeded(&mut Root::new().rc(&["4"]));
    assert_eq!((output.stdout, output.stderr), (Vec::new(), Vec::new()));
}

#[test]
fn what_is_no_script_is_left_alone() {
    let root = Root::new();
    root.echo(
        "a",
        &[
            "rc3.d/Sa",
            "rc3.d/S1a",
            "rc3.d/S05a~",
            "rc3.d/S06a.bak",
            "rc3.d/S07a.dpkg-old",
            "rc3.d/s08a",
        ],
    )
    .echo("good", &["rc3.d/S50good"])
    .file("etc/rc3.d/README", b"read me", 0o755)
    .file("etc/rc3.d/S10off", b"#!/bin/sh\necho off\n", 0o644)
    .file("etc/rc3.d/S11folder/x", b"", 0o644);
    symlink("../init.d/gone", root.path().join("etc/rc3.d/S12gone")).unwrap();
    let output = succeeded(&mut root.rc(&["3"]));
    assert_eq!(words(&output.stdout), "S50good start\n");
    assert_eq!(messages(&output), ["rc: 1 script in"]);
}

#[test]
fn a_plain_script_and_one_without_an_interpreter_line_are_run() {
    let root = Root::new();
    root.file("etc/rc3.d/S10plain", b"#!/bin/sh\necho plain $*\n", 0o755)
        .file("etc/rc3.d/S20bare", b"echo bare ${0##*/} $*\n", 0o755);
    assert_eq!(
        stdout(&mut root.rc(&["3"])),
        "plain start\nbare S20bare start\n"
    );
}

#[test]
fn any_bytes_may_stand_in_a_name() {
    use std::os::unix::ffi::OsStrExt;
    let root = Root::new();
    let name = std::ffi::OsStr::from_bytes(b"S10\xff a\n;b");
    let folder = root.path().join("etc/rc3.d");
    fs::create_dir_all(&folder).unwrap();
    let path = folder.join(name);
    write_program(&path, "#!/bin/sh\necho ran; exit 1\n");
    let output = succeeded(&mut root.rc(&["3"]));
    assert_eq!(words(&output.stdout), "ran\n");
    assert_eq!(
        messages(&output),
        ["rc: 1 script, 1 failed: \\xff a\\n;b (exit 1),"]
    );
}

#[test]
fn failures_stop_nothing_and_are_named_in_the_end() {
    let root = Root::new();
    root.script("one", "exit 1", &["rc3.d/S01one"])
        .script("missing", "exit 5", &["rc3.d/S02missing"])
        .script("bare", "exit 6", &["rc3.d/S03bare"])
        .script("crash", "kill -SEGV $$", &["rc3.d/S04crash"])
        .script("realtime", "kill -40 $$", &["rc3.d/S05realtime"])
        .file("etc/rc3.d/S06odd", b"#!/no/such/interpreter\n", 0o755)
        .echo("last", &["rc3.d/S99last"]);
    let output = succeeded(&mut root.rc(&["3"]));
    assert_eq!(words(&output.stdout), "S99last start\n");
    assert_eq!(
        messages(&output),
        [
            "rc: 7 scripts, 4 failed: one (exit 1), crash (killed by SIGSEGV), \
             realtime (killed by signal 40), odd (its interpreter is missing),"
        ]
    );
}

#[test]
fn scripts_get_the_levels_the_path_and_what_rc_inherits() {
    let root = Root::new();
    root.script(
        "env",
        "unset PWD OLDPWD _ SHLVL; env | sort; umask; pwd",
        &["rc3.d/S01env"],
    )
    .file(
        "etc/default/rcS",
        b"#VERBOSE=no\nVERBOSE='yes'\nTMPTIME=0\n",
        0o644,
    );
    let mut command = root.rc(&["3"]);
    command
        .current_dir("/")
        .env("PATH", "/elsewhere")
        .env("RUNLEVEL", "3")
        .env("PREVLEVEL", "2")
        .env("INIT_VERSION", "sysvinit-3.14")
        .env("CONSOLE", "/dev/console");
    assert_eq!(
        stdout(&mut command),
        "CONSOLE=/dev/console\nINIT_VERSION=sysvinit-3.14\nPATH=/sbin:/usr/sbin:/bin:/usr/bin\nPREVLEVEL=2\n\
         RUNLEVEL=3\nVERBOSE=yes\nprevious=2\nrunlevel=3\n0022\n/\n"
    );
}

#[test]
fn no_setting_for_verbose_leaves_the_environments_value() {
    let root = Root::new();
    root.script("env", "echo ${VERBOSE-unset} $previous", &["rc3.d/S01env"]);
    assert_eq!(stdout(&mut root.rc(&["3"])), "unset N\n");
    assert_eq!(stdout(root.rc(&["3"]).env("VERBOSE", "x")), "x N\n");
}

/// Two levels that have `both` in common, and insserv's dependency files.
fn with_dependencies() -> Root {
    let root = Root::new();
    root.echo("both", &["rc2.d/S01both", "rc3.d/S02both"])
        .echo("new", &["rc3.d/S03new"])
        .echo("old", &["rc2.d/K01old", "rc3.d/K02old"])
        .echo("gone", &["rc2.d/S04gone", "rc3.d/K01gone"]);
    for name in ["boot", "start", "stop"] {
        root.file(
            &format!("etc/init.d/.depend.{name}"),
            b"TARGETS = both\n",
            0o644,
        );
    }
    root
}

fn enter_three_from_two(root: &Root) -> String {
    stdout(root.rc(&["3"]).env("PREVLEVEL", "2"))
}

#[test]
fn dependency_files_make_rc_run_only_the_difference_and_by_the_scripts_own_path() {
    assert_eq!(
        enter_three_from_two(&with_dependencies()),
        "gone stop\nnew start\n"
    );
}

#[test]
fn every_link_is_run_where_the_dependency_files_are_not_to_be_used() {
    const EVERYTHING: &str = "K01gone stop\nK02old stop\nS02both start\nS03new start\n";
    let empty = with_dependencies();
    empty.file("etc/init.d/.depend.stop", b"", 0o644);
    let legacy = with_dependencies();
    legacy.file("etc/init.d/.legacy-bootordering", b"", 0o644);
    let kernel = with_dependencies();
    kernel.file("proc/cmdline", b"quiet concurrency=none ro\n", 0o644);
    for root in [empty, legacy, kernel] {
        assert_eq!(enter_three_from_two(&root), EVERYTHING);
    }
    let other_word = with_dependencies();
    other_word.file("proc/cmdline", b"xconcurrency=none\n", 0o644);
    assert_eq!(enter_three_from_two(&other_word), "gone stop\nnew start\n");
}

#[test]
fn red_hats_directories_are_found_and_where_it_is_red_hats_halt_is_started() {
    let root = Root::new();
    let script = b"#!/bin/sh\necho ${0##*/} $*\n";
    root.file("etc/rc.d/rc0.d/K01a", script, 0o755)
        .file("etc/rc.d/rc0.d/S01halt", script, 0o755);
    let mut command = root.rc(&["0"]);
    assert_eq!(
        stdout(command.env("PREVLEVEL", "3")),
        "K01a stop\nS01halt stop\n"
    );
    root.file("etc/rc.d/rc.sysinit", b"", 0o755);
    assert_eq!(stdout(&mut command), "K01a stop\nS01halt start\n");
}

#[test]
fn a_dry_run_shows_each_name_and_runs_nothing() {
    let root = Root::new();
    root.script("a", "echo ran", &["rc3.d/K01a", "rc3.d/S02a"])
        .file("etc/rc3.d/README", b"", 0o644)
        .file("etc/rc3.d/S10off", b"", 0o644);
    let folder = root.path().join("etc/rc3.d");
    assert_eq!(
        stdout(&mut root.rc(&["--dry-run", "3"])),
        format!(
            "{}/S02a start\n\
             # K01a: there is no previous level, so nothing runs yet\n\
             # README: the name begins with neither S nor K\n\
             # S10off: not executable\n",
            folder.display()
        )
    );
}

#[test]
fn help_and_version_are_printed_and_nothing_is_run() {
    let root = Root::new();
    for name in ["rc", "rcS"] {
        assert!(stdout(&mut root.tool(name, &["--help"])).starts_with("Usage: rc "));
        assert!(
            stdout(&mut root.tool(name, &["--version"]))
                .starts_with(&format!("{name} (sysvinit-rs) "))
        );
    }
}

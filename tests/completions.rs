//! Shell completion, asked of the shells themselves: they offer runlevels, times and services, and exactly the options
//! that the manual pages list.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

#[path = "support/mod.rs"]
mod support;

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use support::pty::Pty;

/// What takes longer hangs; a zsh reads some hundred functions for its first completion.
const LIMIT: Duration = Duration::from_secs(60);
const PROGRAMS: [&str; 21] = [
    "telinit",
    "init",
    "shutdown",
    "halt",
    "poweroff",
    "reboot",
    "runlevel",
    "initctl",
    "rc",
    "rcS",
    "service",
    "invoke-rc.d",
    "killall5",
    "takedown",
    "pidof",
    "fstab-decode",
    "bootlogd",
    "readbootlog",
    "insserv",
    "update-rc.d",
    "chkconfig",
];

fn here() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

fn file(name: &str) -> String {
    let path = here().join("completions").join(name);
    path.to_str().unwrap().to_owned()
}

/// Runs a shell to its end and returns what it has written.
fn output(shell: &str, words: &[&str], script: &str) -> String {
    let output = Command::new(shell)
        .args(words)
        .args(["-c", script])
        .output()
        .unwrap_or_else(|error| panic!("{shell}: {error}; get it by: tests/setup/need {shell}"));
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success() && errors.is_empty(),
        "{script}: {errors}"
    );
    String::from_utf8(output.stdout).unwrap()
}

/// What bash offers at the end of the line, by the function that is registered for its program.
fn bash(line: &str) -> BTreeSet<String> {
    let script = format!(
        "source {}
        COMP_WORDS=({line}); [[ '{line}' != *' ' ]] || COMP_WORDS+=('')
        COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))
        registered=$(complete -p \"${{COMP_WORDS[0]}}\")
        [[ $registered =~ -F\\ ([a-z0-9_]+) ]]
        \"${{BASH_REMATCH[1]}}\" \"${{COMP_WORDS[0]}}\"
        printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file("sysvinit.bash")
    );
    words(&output("bash", &["--norc", "--noprofile"], &script))
}

/// What fish offers at the end of the line.
fn fish(line: &str) -> BTreeSet<String> {
    let script = format!("source {}; complete -C '{line}'", file("sysvinit.fish"));
    words(&output("fish", &["--no-config"], &script))
}

/// The first word of each line; descriptions stand behind a tab.
fn words(text: &str) -> BTreeSet<String> {
    let first = text.lines().filter_map(|line| line.split('\t').next());
    first
        .filter(|word| !word.is_empty())
        .map(str::to_owned)
        .collect()
}

fn set(text: &str) -> BTreeSet<String> {
    text.split_whitespace().map(str::to_owned).collect()
}

/// The options a manual page lists, but for those in `without`.
fn options_of_page(page: &str, without: &str) -> BTreeSet<String> {
    let path = here().join("man").join(page);
    let text = fs::read_to_string(path).unwrap();
    let (_, options) = text.split_once("\n.Sh OPTIONS\n").unwrap();
    let (options, _) = options.split_once("\n.Sh ").unwrap();
    let items = options.lines().filter_map(|line| line.strip_prefix(".It "));
    let all: BTreeSet<String> = items
        .flat_map(|item| item.split(" , "))
        .filter_map(|item| item.strip_prefix("Fl "))
        .map(|item| format!("-{}", item.split(' ').next().unwrap_or_default()))
        .collect();
    all.difference(&set(without)).cloned().collect()
}

/// Each program with the options of its page, as far as they are its own.
fn options() -> Vec<(&'static str, BTreeSet<String>)> {
    let pages = [
        ("telinit", "telinit.8", ""),
        ("shutdown", "shutdown.8", ""),
        ("halt", "halt.8", "-k -m"),
        ("poweroff", "halt.8", "-p -k -m"),
        ("reboot", "halt.8", "-p"),
        ("runlevel", "runlevel.8", ""),
        ("initctl", "initctl.8", ""),
        ("rc", "rc.8", ""),
        ("service", "service.8", ""),
        ("invoke-rc.d", "invoke-rc.d.8", ""),
        ("chkconfig", "chkconfig.8", ""),
        ("pidof", "pidof.8", ""),
        ("fstab-decode", "fstab-decode.8", ""),
        ("bootlogd", "bootlogd.8", ""),
        ("readbootlog", "readbootlog.1", ""),
    ];
    pages
        .map(|(program, page, without)| (program, options_of_page(page, without)))
        .into()
}

/// A root user's own, or a mapped one's, mount namespace in which /etc/init.d is another folder.
fn with_services(shell: &[&str], script: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    for name in ["sshd", "crond", "rc", "x.sh", "README"] {
        let path = folder.path().join(name);
        fs::write(&path, "#!/bin/sh\n").unwrap();
        let mode = if name == "README" { 0o644 } else { 0o755 };
        let mode = std::os::unix::fs::PermissionsExt::from_mode(mode);
        fs::set_permissions(&path, mode).unwrap();
    }
    let words = [
        &["--map-root-user", "--mount", "sh", "-ec"],
        &["mount --bind \"$1\" /etc/init.d; shift; exec \"$@\"", "sh"][..],
        &[folder.path().to_str().unwrap()],
        shell,
    ]
    .concat();
    assert!(
        Path::new("/etc/init.d").is_dir(),
        "needs a folder /etc/init.d to cover by its own"
    );
    output("unshare", &words, script)
}

#[test]
fn bash_offers_runlevels_and_requests() {
    let all = set("0 1 2 3 4 5 6 S a b c Q U");
    assert_eq!(bash("telinit "), all);
    assert_eq!(bash("init "), all);
    assert_eq!(bash("telinit -t 5 "), all);
    assert_eq!(bash("telinit -t "), set(""));
    assert_eq!(bash("telinit --d"), set("--dry-run"));
    assert_eq!(bash("runlevel --wait "), set("0 1 2 3 4 5 6 S"));
    assert_eq!(bash("shutdown -i "), set("0 1 5 6 S a b c"));
    assert_eq!(bash("rc "), set("0 1 2 3 4 5 6 7 8 9 S"));
    assert_eq!(bash("rcS "), set(""));
}

#[test]
fn bash_offers_times_until_there_is_one() {
    assert_eq!(bash("shutdown -r +"), set("+5 +10 +30 +60"));
    assert_eq!(bash("shutdown -r now "), set(""));
    assert_eq!(bash("shutdown -c "), set(""));
}

#[test]
fn bash_offers_all_options_and_no_others() {
    for (program, options) in options() {
        assert_eq!(bash(&format!("{program} -")), options, "{program}");
    }
}

#[test]
fn bash_offers_signals_programs_and_commands() {
    // The signal is the first word, and behind it there can only be what it passes over.
    assert_eq!(bash("killall5 -1"), set("-1 -15 -18 -19"));
    assert_eq!(bash("killall5 --"), set("--help --version"));
    assert_eq!(bash("killall5 -15 -"), set("-o"));
    assert_eq!(bash("killall5 -15 -o "), set(""));
    assert_eq!(
        bash("takedown "),
        set("processes sync filesystems root --help --version")
    );
    assert_eq!(bash("takedown processes "), set("-o"));
    assert_eq!(bash("takedown sync "), set(""));
    assert!(bash("pidof ").contains("bash"));
    assert_eq!(bash("pidof -d "), set(""));
    assert_eq!(bash("pidof -o %"), set("%PPID"));
    assert!(bash("fstab-decode umo").contains("umount"));
    let manifest = here().join("Cargo.tom");
    let manifest = manifest.to_str().unwrap();
    for begun in [
        "readbootlog -f",
        "bootlogd -l",
        "bootlogd -c -p",
        "fstab-decode cat",
    ] {
        let offered = bash(&format!("{begun} {manifest}"));
        assert_eq!(offered, set(&format!("{manifest}l")), "{begun}");
    }
}

#[test]
fn fish_offers_signals_programs_and_commands() {
    assert_eq!(fish("killall5 -1"), set("-1 -15 -18 -19"));
    assert_eq!(fish("killall5 -15 -"), set("-o"));
    assert_eq!(fish("takedown "), set("processes sync filesystems root"));
    assert_eq!(fish("takedown processes -"), set("-o"));
    assert_eq!(fish("takedown sync -"), set(""));
    assert!(fish("pidof ").contains("fish"));
    assert!(fish("fstab-decode umo").contains("umount"));
}

#[test]
fn fish_offers_runlevels_and_requests() {
    let all = set("0 1 2 3 4 5 6 S a b c Q U");
    assert_eq!(fish("telinit "), all);
    assert_eq!(fish("init "), all);
    assert_eq!(fish("telinit --d"), set("--dry-run"));
    assert_eq!(fish("runlevel --wait "), set("0 1 2 3 4 5 6 S"));
    assert_eq!(fish("rc "), set("0 1 2 3 4 5 6 S"));
    assert_eq!(fish("shutdown -r "), set("now +5 +10 +30 +60"));
}

#[test]
fn fish_offers_all_options_and_no_others() {
    for (program, options) in options() {
        let mut offered = fish(&format!("{program} -"));
        offered.extend(fish(&format!("{program} --")));
        assert_eq!(offered, options, "{program}");
    }
}

#[test]
fn services_are_the_scripts_that_can_be_run() {
    let line = format!(
        "source {}; COMP_WORDS=(service ''); COMP_CWORD=1; _sysvinit_service; printf '%s\\n' \"${{COMPREPLY[@]}}\"",
        file("sysvinit.bash")
    );
    assert_eq!(words(&with_services(&["bash"], &line)), set("sshd crond"));
    let line = format!("source {}; complete -C 'service '", file("sysvinit.fish"));
    let offered = with_services(&["fish", "--no-config"], &line);
    assert_eq!(words(&offered), set("sshd crond"));
}

/// A zsh at its prompt, with our completion and nobody's settings. It finds no programs: none of the lines may ever
/// run.
fn zsh() -> Pty {
    let mut terminal = Pty::open();
    let mut command = Command::new("zsh");
    command.args(["-f", "-i"]).env("TERM", "dumb");
    drop(terminal.spawn(&command));
    let folder = here().join("completions");
    let folder = folder.to_str().unwrap();
    terminal.send(&format!(
        "PATH=/nonexistent PS1='ready''> ' LISTMAX=1000; fpath=({folder} $fpath); autoload -Uz compinit; compinit -u -D\n"
    ));
    terminal.wait_for("ready> ", LIMIT);
    terminal
}

#[test]
fn zsh_knows_all_programs() {
    let mut terminal = zsh();
    for program in PROGRAMS {
        terminal.send(&format!("echo \"=${{_comps[{program}]}}=\"\n"));
        terminal.wait_for("=_sysvinit=", LIMIT);
    }
    terminal.send("exit\n");
    terminal.wait_for_end(LIMIT);
}

#[test]
fn zsh_offers_runlevels_options_and_times() {
    for (line, offered) in [
        ("telinit ", ["single-user", "re-execute init"]),
        ("telinit --", ["--dry-run", "--wait"]),
        ("shutdown -r ", ["+10", "in ten minutes"]),
        ("shutdown --", ["--show", "say what is scheduled"]),
        (
            "reboot -",
            ["go down at once", "hand a word to the firmware"],
        ),
        ("runlevel --wait ", ["maintenance", "single-user"]),
        ("killall5 -", ["ask them to end", "end them"]),
        ("killall5 -15 -", [" -15 -o", " "]),
        ("takedown ", ["filesystems", "make the root read-only"]),
        ("pidof -", ["print nothing", "also zombies"]),
        ("pidof ", ["completions", "zsh"]),
        ("bootlogd -", ["make the log", "have each line"]),
        ("readbootlog -", ["-f", "read this log"]),
    ] {
        let mut terminal = zsh();
        terminal.send(&format!("{line}\t"));
        for words in offered {
            terminal.wait_for(words, LIMIT);
        }
        terminal.hang_up();
    }
}

#[test]
fn zsh_finishes_a_word_that_can_only_be_one() {
    let mut terminal = zsh();
    // Completed as the program's own word, then only printed.
    terminal.send("telinit --dr\t\u{1}print \n");
    terminal.wait_for("\ntelinit --dry-run", LIMIT);
    terminal.send("exit\n");
    terminal.wait_for_end(LIMIT);
}

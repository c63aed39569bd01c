//! `chkconfig` on trees of its own, in Debian's and in Red Hat's layout.

use std::fs;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use tempfile::TempDir;

const CROND: &str = "#!/bin/sh\n# chkconfig: 2345 10 90\n# description: runs commands\n";
const WEB: &str = "#!/bin/sh\n### BEGIN INIT INFO\n# Provides: web\n# Required-Start: net\n# Required-Stop: net\n# Default-Start: 3 5\n# Default-Stop: 0 1 2 4 6\n### END INIT INFO\n";
const NET: &str = "#!/bin/sh\n# chkconfig: 345 60 40\n# description: the network\n";

/// A root with three services and a script that says nothing of itself, in the layout of this folder.
fn root(layout: &str) -> TempDir {
    let root = tempfile::tempdir().unwrap();
    let scripts = root.path().join(layout).join("init.d");
    fs::create_dir_all(&scripts).unwrap();
    for (name, text) in [
        ("crond", CROND),
        ("web", WEB),
        ("net", NET),
        ("plain", "#!/bin/sh\n"),
    ] {
        fs::write(scripts.join(name), text).unwrap();
    }
    root
}

/// Runs it; standard output, standard error and the exit code.
fn chkconfig(root: &TempDir, words: &str) -> (String, String, i32) {
    let output = Command::new(env!("CARGO_BIN_EXE_sysvtools"))
        .arg0("chkconfig")
        .arg("--root")
        .arg(root.path())
        .args(words.split_whitespace())
        .output()
        .unwrap();
    (
        String::from_utf8(output.stdout).unwrap(),
        String::from_utf8(output.stderr).unwrap(),
        output.status.code().unwrap(),
    )
}

fn succeed(root: &TempDir, words: &str) {
    let outcome = chkconfig(root, words);
    assert_eq!(outcome, (String::new(), String::new(), 0), "{words}");
}

/// The links of a service, in the order of the levels.
fn links(root: &TempDir, layout: &str, name: &str) -> String {
    let mut found = Vec::new();
    for level in "0123456".chars() {
        let folder = root.path().join(layout).join(format!("rc{level}.d"));
        for entry in fs::read_dir(folder).into_iter().flatten() {
            let link = entry.unwrap().file_name().into_string().unwrap();
            let (number, rest) = link.split_at_checked(3).unwrap();
            if rest == name {
                let text =
                    fs::read_link(root.path().join(layout).join(format!("rc{level}.d/{link}")));
                assert_eq!(text.unwrap(), Path::new("../init.d").join(name));
                found.push(format!("{level}{number}"));
            }
        }
    }
    found.join(" ")
}

#[test]
fn a_service_is_added_switched_asked_about_and_taken_away() {
    for layout in ["etc", "etc/rc.d"] {
        let root = root(layout);
        let links = |name: &str| links(&root, layout, name);
        succeed(&root, "--add crond");
        assert_eq!(links("crond"), "0K90 1K90 2S10 3S10 4S10 5S10 6K90");
        succeed(&root, "--level 35 crond off");
        assert_eq!(links("crond"), "0K90 1K90 2S10 3K90 4S10 5K90 6K90");
        assert_eq!(chkconfig(&root, "--level 2 crond").2, 0);
        assert_eq!(chkconfig(&root, "--level 3 crond").2, 1);
        let line = "crond          \t0:off\t1:off\t2:on\t3:off\t4:on\t5:off\t6:off\n";
        assert_eq!(chkconfig(&root, "--list crond").0, line);
        assert_eq!(chkconfig(&root, "").0, line);
        succeed(&root, "crond off");
        assert_eq!(links("crond"), "0K90 1K90 2K90 3K90 4K90 5K90 6K90");
        succeed(&root, "crond reset");
        assert_eq!(links("crond"), "0K90 1K90 2S10 3S10 4S10 5S10 6K90");
        succeed(&root, "--del crond");
        assert_eq!(links("crond"), "");
    }
}

#[test]
fn a_header_alone_is_numbered_by_what_it_requires() {
    let root = root("etc");
    succeed(&root, "--add net");
    succeed(&root, "--add web");
    assert_eq!(
        links(&root, "etc", "web"),
        "0K39 1K39 2K39 3S61 4K50 5S61 6K39"
    );
}

#[test]
fn an_override_of_the_administrator_counts() {
    let root = root("etc");
    succeed(&root, "--add crond");
    fs::create_dir_all(root.path().join("etc/chkconfig.d")).unwrap();
    let text = CROND.replace("2345 10 90", "3 20 80");
    fs::write(root.path().join("etc/chkconfig.d/crond"), text).unwrap();
    succeed(&root, "--override crond");
    let links = links(&root, "etc", "crond");
    assert_eq!(links, "0K80 1K80 2K80 3S20 4K80 5K80 6K80");
}

#[test]
fn services_of_xinetd_are_not_known_and_left_as_they_are() {
    let root = root("etc/rc.d");
    succeed(&root, "--add crond");
    let file = root.path().join("etc/xinetd.d/telnet");
    let text = "service telnet\n{\n\tdisable = yes\n}\n";
    fs::create_dir_all(file.parent().unwrap()).unwrap();
    fs::write(&file, text).unwrap();
    let (list, errors, code) = chkconfig(&root, "--list");
    assert_eq!((list.lines().count(), &*errors, code), (1, "", 0), "{list}");
    assert!(list.starts_with("crond "), "{list}");
    let (_, errors, code) = chkconfig(&root, "telnet on");
    assert_eq!(code, 1);
    assert!(
        errors.contains("on service telnet: No such file"),
        "{errors}"
    );
    assert_eq!(fs::read_to_string(file).unwrap(), text);
}

#[test]
fn what_is_no_service_is_an_error_and_changes_nothing() {
    let root = root("etc");
    for (words, why) in [
        ("--add plain", "service plain does not support chkconfig"),
        (
            "nosuch on",
            "error reading information on service nosuch: No such file or directory",
        ),
        (
            "--list crond",
            "service crond supports chkconfig, but is not referenced in any runlevel (run 'chkconfig --add crond')",
        ),
        (
            "--add --del crond",
            "only one of --list, --add, --del, or --override may be specified",
        ),
        (
            "--level 23 crond",
            "only one runlevel may be specified for a chkconfig query",
        ),
    ] {
        let outcome = chkconfig(&root, words);
        assert_eq!(
            outcome,
            (String::new(), format!("chkconfig: {why}\n"), 1),
            "{words}"
        );
    }
    assert!(!root.path().join("etc/rc3.d").exists());
}

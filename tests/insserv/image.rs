//! The scripts of a whole Debian, taken from the disk that is booted under QEMU: each registered as its package does it,
//! with Debian's programs and with ours.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::process::Command;

use crate::debian;
use crate::tree::{State, Subject};

/// What an administrator then does to them.
const LATER: &[&str] = &[
    "update-rc.d cron disable",
    "insserv",
    "update-rc.d cron enable",
    "update-rc.d rc.local disable 2 3",
    "update-rc.d rc.local defaults",
    "insserv -r bootlogd",
    "insserv bootlogd",
    "update-rc.d networking remove",
    "update-rc.d networking defaults",
    "insserv -d",
];

/// `/etc` of the disk, below a folder of its own.
fn etc() -> tempfile::TempDir {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let testbed = here.join("target/testbed");
    fs::create_dir_all(&testbed).unwrap();
    let made = Command::new("flock")
        .arg(testbed.join("lock"))
        .arg(here.join("tests/setup/debian-image"))
        .arg(testbed.join("debian"))
        .status()
        .expect("the tests need flock (util-linux)");
    assert!(made.success(), "the disk of Debian: {made}");
    let folder = tempfile::tempdir().unwrap();
    let read = Command::new("/sbin/debugfs")
        .arg("-R")
        .arg(format!("rdump /etc {}", folder.path().display()))
        .arg(testbed.join("debian/original.img"))
        .output()
        .expect("the tests need debugfs (e2fsprogs)");
    // It succeeds whatever comes of it.
    let scripts = folder.path().join("etc/init.d");
    assert!(scripts.join("cron").exists(), "{read:?}");
    folder
}

fn names(folder: &Path) -> BTreeSet<String> {
    fs::read_dir(folder)
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name != "README" && !name.starts_with('.'))
        .collect()
}

/// The names in the rc directories, as [`State`] shows them.
pub(crate) fn links(etc: &Path) -> String {
    let levels = "S0123456".chars().map(|level| {
        let names = names(&etc.join(format!("rc{level}.d")));
        format!("{level}: {}", Vec::from_iter(names).join(" "))
    });
    levels.collect::<Vec<_>>().join(", ")
}

/// What each script waits for in the end. Debian's insserv writes some of what follows from the rest, ours none of it.
fn closure(scripts: &Path, file: &str) -> BTreeMap<String, BTreeSet<String>> {
    let text = fs::read_to_string(scripts.join(file)).unwrap_or_default();
    let split = |line: &str| {
        let (name, rest) = line.split_once([':', '=']).unwrap();
        let words = rest.split_whitespace().map(str::to_owned);
        (name.trim().to_owned(), words.collect::<BTreeSet<_>>())
    };
    let direct: BTreeMap<_, _> = text.lines().map(split).collect();
    let all = |words: &BTreeSet<String>| {
        let mut found = words.clone();
        let mut waiting = Vec::from_iter(words.clone());
        while let Some(next) = waiting.pop() {
            let behind = direct.get(&next).into_iter().flatten();
            waiting.extend(behind.filter(|name| found.insert((*name).clone())).cloned());
        }
        found
    };
    direct
        .iter()
        .map(|(name, words)| (name.clone(), all(words)))
        .collect()
}

/// Runs a command on both, and fails unless both come to the same. Returns what ours has come to.
fn same(subjects: &[(Subject<'_>, &Path); 2], command: &str) -> State {
    let words: Vec<String> = command.split_whitespace().map(str::to_owned).collect();
    let [debian, ours] = subjects.each_ref().map(|(subject, root)| {
        let state = subject.run(&words);
        let scripts = root.join("etc/init.d");
        let waits =
            [".depend.boot", ".depend.start", ".depend.stop"].map(|file| closure(&scripts, file));
        (state, waits)
    });
    let said = || format!("{command}\n{}\n{}", debian.0.said, ours.0.said);
    for aspect in ["exit", "links"] {
        assert_eq!(
            ours.0.aspects[aspect],
            debian.0.aspects[aspect],
            "{aspect}: {}",
            said()
        );
    }
    assert_eq!(ours.1, debian.1, "{}", said());
    ours.0
}

#[test]
fn a_whole_debian_gets_the_same_links_and_the_same_order() {
    let image = etc();
    let etc = image.path().join("etc");
    let scripts = names(&etc.join("init.d"));
    assert!(scripts.len() > 30, "{scripts:?}");
    let (root, folder) = (debian::Root::new(), tempfile::tempdir().unwrap());
    root.clear();
    let subjects = [
        (Subject::Debian(root.path()), root.path()),
        (Subject::Ours(folder.path()), folder.path()),
    ];
    for (subject, root) in &subjects {
        subject.prepare();
        let mut copy = Command::new("cp");
        copy.arg("-a")
            .args(scripts.iter().map(|name| etc.join("init.d").join(name)));
        assert!(
            copy.arg(root.join("etc/init.d"))
                .status()
                .unwrap()
                .success()
        );
    }
    let mut last = None;
    // These two are links to what runs the others.
    for script in scripts
        .iter()
        .filter(|name| !name.starts_with("rc") || *name == "rc.local")
    {
        last = Some(same(&subjects, &format!("update-rc.d {script} defaults")));
    }
    assert_eq!(last.unwrap().aspects["links"], links(&etc));
    for command in LATER {
        same(&subjects, command);
    }
}

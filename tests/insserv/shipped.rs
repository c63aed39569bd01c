//! The links of the repository's own rc scripts, which `make install-rc` installs: what insserv makes of their headers,
//! so that whoever enables or disables one of them later finds the others as they were.

use std::path::Path;
use std::process::Command;

use crate::debian;
use crate::image::links;
use crate::tree::Subject;

/// Puts the scripts into a tree, with their links or without.
fn install(subject: &Subject<'_>, root: &Path, parts: &[&str]) {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    subject.prepare();
    for part in parts {
        let from = here.join(part);
        let mut copy = Command::new("cp");
        copy.arg("-a").arg(from).arg(root.join("etc"));
        assert!(copy.status().unwrap().success());
    }
}

fn rc_directories() -> Vec<String> {
    "S0123456"
        .chars()
        .map(|level| format!("rc.d/rc{level}.d"))
        .collect()
}

/// The scripts that have links.
fn linked() -> Vec<String> {
    let shipped = links(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rc.d"));
    let words = shipped
        .split([' ', ','])
        .filter(|word| word.starts_with(['S', 'K']) && word.len() > 3);
    let mut names: Vec<String> = words
        .map(|word| crate::case::script_of(word).to_owned())
        .collect();
    names.sort();
    names.dedup();
    names
}

#[test]
fn the_links_we_install_are_those_that_our_insserv_and_debians_make() {
    let shipped = links(&Path::new(env!("CARGO_MANIFEST_DIR")).join("rc.d"));
    let root = debian::Root::new();
    for is_linked in [false, true] {
        root.clear();
        let folder = tempfile::tempdir().unwrap();
        let subjects = [
            (Subject::Debian(root.path()), root.path()),
            (Subject::Ours(folder.path()), folder.path()),
        ];
        for (subject, root) in &subjects {
            let directories = rc_directories();
            let mut parts = vec!["init.d", "etc/insserv.conf"];
            if is_linked {
                parts.extend(directories.iter().map(String::as_str));
            }
            install(subject, root, &parts);
            let mut words = vec!["insserv".to_owned()];
            words.extend(linked());
            let state = subject.run(&words);
            assert_eq!(state.aspects["links"], shipped, "{}", state.said);
        }
    }
}

//! rc(8), on trees whose links and dependency files our insserv has made.

use std::fs;

use crate::bench::{Bench, Subject};

/// `service NAME START STOP AFTER` makes an rc script that writes down how it is run, and links it; `change PREVIOUS LEVEL`
/// is what init does for a change of level.
const WORDS: &str = r#"
service() {
    printf '#!/bin/sh\n### BEGIN INIT INFO\n# Provides: %s\n# Required-Start: %s\n# Required-Stop: %s\n# Default-Start: %s\n# Default-Stop: %s\n### END INIT INFO\n%s\n' \
        "$1" "$4" "$4" "$(echo "$2" | sed 's/./& /g')" "$(echo "$3" | sed 's/./& /g')" \
        'echo "$0 $* $(unset PWD OLDPWD; echo $(export -p))" >>/out/told' >"/etc/init.d/$1"
    chmod 755 "/etc/init.d/$1"; sysvtools update-rc.d "$1" defaults
}
change() { echo "$1 to $2" >>/out/told; RUNLEVEL=$2 PREVLEVEL=$1 INIT_VERSION=sysvinit-3.14 rc "$2"; }
printf VERBOSE=no >/etc/default/rcS; : >/etc/insserv.conf
service disk S 06 ''
service net S 06 disk
service log 2345 016 net
service web 345 0126 log
service db 2345 016 log
service off 2345 016 log
service single 1 '' ''
service late 2345 016 '$all'
service halt '' 0 disk
service reboot '' 6 disk
sysvtools update-rc.d off disable
"#;

/// Every kind of change, and one to the level that is there.
const CHANGES: &str = "change N S; change N 2; change 2 3; change 3 2; change 2 2; change 2 1; change 1 2; change S 3; change 3 0; change 2 6";

/// What each script has told, in order, after a line for each change.
fn told(subject: Subject, script: &str) -> Vec<Vec<String>> {
    let bench = Bench::new(subject);
    let outcome = bench.play(&format!("{WORDS}{script}"));
    let told = fs::read_to_string(bench.path("out/told"))
        .unwrap_or_else(|error| panic!("{error}: {outcome:?}"));
    let mut changes = Vec::new();
    for line in told.lines() {
        if line.contains(" to ") {
            changes.push(Vec::new());
        }
        changes.last_mut().unwrap().push(line.to_owned());
    }
    changes
}

fn both(script: &str) -> [Vec<Vec<String>>; 2] {
    [Subject::Debian, Subject::Ours].map(|subject| told(subject, script))
}

#[test]
fn links_are_run_in_the_same_order_with_the_same_words_and_variables() {
    let [debian, ours] = both(&format!(
        "touch /etc/init.d/.legacy-bootordering; {CHANGES}"
    ));
    assert_eq!(ours, debian);
    let first = debian[0]
        .iter()
        .map(|line| line.split(" export").next().unwrap());
    assert_eq!(
        first.collect::<Vec<_>>(),
        [
            "N to S",
            "/etc/rcS.d/S01disk start",
            "/etc/rcS.d/S02net start"
        ]
    );
}

#[test]
fn by_dependency_files_the_same_scripts_are_run_with_the_same_words_and_variables() {
    let [debian, ours] = both(CHANGES).map(|changes| {
        // What Debian's rc does not wait for comes in any order.
        let sorted = |mut told: Vec<String>| {
            told[1..].sort();
            told
        };
        changes.into_iter().map(sorted).collect::<Vec<_>>()
    });
    assert_eq!(ours, debian);
    assert!(
        debian[3][1].starts_with("/etc/init.d/web stop "),
        "{debian:#?}"
    );
}

#[test]
fn a_link_that_no_dependency_file_names_and_a_start_link_to_halt_by_are_run_by_ours_alone() {
    let by_hand = "cp /etc/init.d/web /etc/init.d/hand; ln -s ../init.d/hand /etc/rc2.d/S10hand; \
        ln -s ../init.d/web /etc/rc6.d/S90web; change N 2; change 2 6";
    let [debian, ours] = both(by_hand);
    let is_run = |changes: &[Vec<String>], change: usize, call: &str| {
        changes[change].iter().any(|line| line.starts_with(call))
    };
    for (change, call) in [(0, "/etc/init.d/hand start "), (1, "/etc/init.d/web stop ")] {
        assert!(is_run(&ours, change, call), "{ours:#?}");
        assert!(!is_run(&debian, change, call), "{debian:#?}");
    }
}

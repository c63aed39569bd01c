//! invoke-rc.d(8).

use crate::bench::{Bench, Case, Expected, Subject, compare, differs, same};

/// One script in level 2.
const PREPARE: &str = r#"
level 2
script a 'echo "$0 $# $* $FOREIGN $PWD"; exit ${CODE:-0}'
"#;
const ACTIONS: [&str; 5] = ["start", "stop", "restart", "status", "other"];
const OPTIONS: [&str; 6] = [
    "",
    "--query ",
    "--disclose-deny ",
    "--quiet ",
    "--force ",
    "--try-anyway ",
];

fn leaked(text: String) -> &'static str {
    Box::leak(text.into_boxed_str())
}

/// Every option with one action, and every action without and with a query, in each of these trees.
fn all(trees: &[&'static str]) -> Vec<Case> {
    let mut cases = Vec::new();
    for before in trees {
        for action in ACTIONS {
            for option in OPTIONS {
                let is_varied =
                    action == "start" || before.contains("policy") && action == "status";
                if !is_varied && !["", "--query "].contains(&option) {
                    continue;
                }
                let call = leaked(format!("invoke-rc.d {option}a {action}"));
                cases.push(Case {
                    before,
                    call,
                    expected: Expected::Same,
                });
            }
        }
    }
    cases
}

#[test]
fn links_allow_and_deny_as_debians_does() {
    compare(
        PREPARE,
        &all(&[
            "",
            "link 2 S01a",
            "link 2 K01a",
            "link S S01a",
            "link S S01a; link 2 K01a",
            "link 2 S01a; link 2 K02a",
            "link 3 S01a",
            "rm /run/runlevel; link 2 S01a",
            "rm /run/runlevel; link S S01a",
        ]),
    );
}

#[test]
fn odd_links_and_scripts_are_treated_as_debians_does() {
    compare(
        PREPARE,
        &all(&[
            "mkdir /etc/rc2.d; ln -s ../init.d/gone /etc/rc2.d/S01a",
            "mkdir /etc/rc2.d; cp /etc/init.d/a /etc/rc2.d/S01a",
            "script b 'echo b'; mkdir /etc/rc2.d; ln -s ../init.d/b /etc/rc2.d/S01a",
            "link 2 S01a; chmod 644 /etc/init.d/a",
            "rm /etc/init.d/a",
            "rm /usr/sbin/init",
            "rm -r /etc/init.d",
        ]),
    );
}

#[test]
fn levels_are_read_as_debians_does() {
    compare(
        PREPARE,
        &all(&[
            "level 0",
            "level 6; link 6 K01a",
            "level 6; policy 'exit 101'",
            "level S; link S S01a",
            "level 1; link S S01a",
            "level N",
        ]),
    );
}

#[test]
fn the_policy_decides_as_it_does_with_debians() {
    let codes = [0, 1, 2, 100, 101, 102, 103, 104, 105, 106, 107, 200];
    let trees = codes.map(|code| leaked(format!("policy 'exit {code}'")));
    compare(PREPARE, &all(&trees));
    let allowed = codes.map(|code| {
        same("invoke-rc.d a start").after(leaked(format!("link 2 S01a; policy 'exit {code}'")))
    });
    compare(PREPARE, &allowed);
}

#[test]
fn other_actions_are_tried_as_debians_does() {
    let several = "link 2 S01a; policy 'echo reload stop; echo more; exit 106'";
    let one = "policy 'echo stop; exit 106'";
    compare(
        PREPARE,
        &[
            same("invoke-rc.d a start").after(several),
            same("invoke-rc.d --no-fallback a start").after(several),
            same("invoke-rc.d --no-fallback --disclose-deny a start").after(several),
            same("CODE=3 invoke-rc.d a start x 'y z'").after(several),
            same("CODE=3 invoke-rc.d --quiet a start").after(several),
            same("invoke-rc.d --force --no-fallback a start").after(several),
            same("CODE=3 invoke-rc.d a start").after(one),
            same("invoke-rc.d a status").after(one),
        ],
    );
}

#[test]
fn words_are_taken_as_debians_does() {
    compare(
        PREPARE,
        &[
            same("invoke-rc.d a"),
            same("invoke-rc.d --quiet"),
            same("invoke-rc.d --quiet a"),
            same("invoke-rc.d --bogus a start"),
            same("invoke-rc.d --quiet --bogus a start"),
            same("invoke-rc.d 'a b' start"),
            same("invoke-rc.d a 'x y'"),
            same("invoke-rc.d a ''"),
            same("invoke-rc.d '' start"),
            same("invoke-rc.d -q a"),
            same("invoke-rc.d a stop x 'y z' ''"),
            same("invoke-rc.d --query a try-restart"),
            same("invoke-rc.d --query a reload"),
            same("invoke-rc.d --query a force-reload"),
            same("invoke-rc.d --query a force-start"),
            same("invoke-rc.d a stop --quiet"),
            same("invoke-rc.d a stop --bogus"),
            same("invoke-rc.d a --query stop"),
            same("invoke-rc.d --skip-systemd-native a stop"),
            same("invoke-rc.d nobody start"),
            same("invoke-rc.d --disclose-deny nobody status"),
            same("invoke-rc.d ../init.d/a stop"),
            same("cd /tmp; CODE=3 invoke-rc.d a stop"),
            same("CODE=3 invoke-rc.d --quiet a stop"),
            same("CODE=77 invoke-rc.d --disclose-deny a status"),
            same("n=$(printf 'by\\377tes'); script \"$n\" 'echo \"$1\"'; invoke-rc.d \"$n\" stop"),
            differs(
                "printf '#!/nonexistent\\n' >/etc/init.d/a; invoke-rc.d a stop",
                "127||/usr/sbin/invoke-rc.d: 544: /etc/init.d/a: not found\ninvoke-rc.d: initscript a, action \"stop\" failed.",
                "127||invoke-rc.d: /etc/init.d/a: its interpreter is missing\ninvoke-rc.d: initscript a, action \"stop\" failed.",
            ),
        ],
    );
}

#[test]
fn help_explains_itself_and_a_call_without_words_is_an_error() {
    let outcome = Bench::new(Subject::Ours).play(
        "invoke-rc.d --help | head -n 1; invoke-rc.d >/dev/null; echo $?; invoke-rc.d --version",
    );
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        outcome.output,
        format!(
            "Usage: invoke-rc.d [OPTION...] NAME ACTION [ARGUMENT...]\n103\ninvoke-rc.d (sysvinit-rs) {version}\n"
        )
    );
    assert_eq!(
        outcome.errors,
        "invoke-rc.d: syntax error: missing required parameter, --help assumed\n"
    );
}

#[test]
fn init_that_is_still_booting_is_in_level_s_whatever_is_recorded() {
    let play = "level 6; script a 'echo ran'; link S S01a; echo 'invoke-rc.d a start' >/tmp/words
        exec /bin/bash -c 'exec -a \"init boot\" /bin/sh </tmp/words'";
    for subject in [Subject::Ours, Subject::Debian] {
        let outcome = Bench::new(subject).play(play);
        assert_eq!(
            (outcome.output.as_str(), outcome.errors.as_str()),
            ("ran\n", ""),
            "{subject:?}"
        );
    }
}

//! service(8).

use crate::bench::{Bench, Subject, compare, differs, same};

/// Scripts of every kind.
const SCRIPTS: &str = r#"
script show 'echo "0=$0 n=$# pwd=$PWD"; for word; do echo "<$word>"; done; tr "\\0" "\\n" </proc/$$/environ | grep -v ^PWD= | sort; readlink /proc/self/cwd'
script words 'for word; do echo "<$word>"; done'
script seven 'exit 7'
script both 'echo "$1"; echo "$1" >&2; [ "$1" != stop ] || exit 3; exit 4'
script killed 'kill -9 $$'
printf 'echo "no interpreter named $1"\n' >/etc/init.d/plain; chmod 755 /etc/init.d/plain
printf '#!/bin/sh\n' >/etc/init.d/text
printf '#!/nonexistent\n' >/etc/init.d/broken; chmod 755 /etc/init.d/broken
script "$(printf 'by\377tes')" 'echo "bytes $1"'
mkdir /etc/init.d/folder
"#;

#[test]
fn scripts_are_run_from_the_root_with_few_variables() {
    compare(
        SCRIPTS,
        &[
            same("service show start"),
            same("service show"),
            same("service show start 1 2 3"),
            same("service show '' start"),
            same("cd /tmp; LANG=de LC_TIME=x LC_ALL=C FOO=bar IFS=x service show start"),
            same("env -i /usr/sbin/service show start"),
            same("env -i PATH=/bin TERM=xterm LANGUAGE=de /usr/sbin/service show start"),
            same("service seven start"),
            same("service both start"),
            same("service both --full-restart"),
            same("service both --full-restart x"),
            same("service plain start"),
            same("service plain --full-restart"),
            same("service ../init.d/words a"),
            same("service \"$(printf 'by\\377tes')\" start"),
            same("service words start | head -c 1"),
            same("service words -x --y -- -"),
        ],
    );
}

#[test]
fn what_is_no_service_is_refused() {
    compare(
        SCRIPTS,
        &[
            same("service nobody start"),
            same("service nobody"),
            same("service text start"),
            same("service --nothing start"),
            same("service -- words start"),
            same("service --status-all words"),
            same("service --full-restart words"),
            same("service nobody --full-restart"),
            same("service \"$(printf 'no\\377one')\" start"),
            same("service"),
            differs(
                "service folder start",
                "126||env: '/etc/init.d/folder': Permission denied",
                "126||service: /etc/init.d/folder: Permission denied",
            ),
            differs(
                "service broken start",
                "127||env: '/etc/init.d/broken': No such file or directory",
                "127||service: /etc/init.d/broken: its interpreter is missing",
            ),
            same("service nobody start").after("rm -r /etc/init.d"),
        ],
    );
}

#[test]
fn a_script_that_a_signal_ends_ends_the_call() {
    compare(
        "script killed 'kill -9 $$'",
        &[same("service killed start; echo $?")],
    );
}

#[test]
fn words_are_handed_on_as_they_are() {
    compare(
        SCRIPTS,
        &[
            differs(
                "service words 'a b' 'r*t'",
                "0|<a>\n<b>\n<root>|",
                "0|<a b>\n<r*t>|",
            ),
            differs(
                "service words start --full-restart",
                "1||start: unrecognized service",
                "0|<start>\n<--full-restart>|",
            ),
        ],
    );
}

#[test]
fn options_are_answered_in_any_place() {
    let of_ours = Bench::new(Subject::Ours).play(
        "script x 'echo run'
        for words in -h --help 'x -h' 'x start --help'; do service $words | grep -c '^Usage: service'; done
        for words in -V --version 'x -V' 'x start --version'; do service $words; done",
    );
    assert_eq!(of_ours.errors, "");
    let version = format!("service (sysvinit-rs) {}\n", env!("CARGO_PKG_VERSION"));
    assert_eq!(
        of_ours.output,
        format!("{}{}", "1\n".repeat(4), version.repeat(4))
    );
    let of_debian = Bench::new(Subject::Debian).play(
        "script x 'echo run'
        for words in -h --help 'x -h' 'x start --help'; do service $words 2>&1 | grep -c '^Usage: service'; done
        for words in -V --version 'x -V' 'x start --version'; do service $words 2>&1 | grep -c '^service ver'; done",
    );
    assert_eq!(
        (of_debian.output.as_str(), of_debian.errors.as_str()),
        ("1\n".repeat(8).as_str(), "")
    );
}

#[test]
fn the_list_has_the_lines_and_signs_of_debians() {
    compare(
        r#"
script running 'echo running'; script silent 'exit 0'; script stopped 'echo no; exit 3'
script usage 'echo "Usage: x" >&2; exit 2'; script usage0 'echo "USAGE: x"'; script errors 'echo x >&2'
script blank 'echo'; script one-blank 'printf " "'; script nul 'printf "\\0"'; script word 'echo "usage of x"; exit 1'
script "two words" 'echo x'; script "$(printf 'by\377tes')" 'echo x'; script Upper 'echo x'; script -dash 'echo x' 2>/dev/null
for name in functions README halt killall single linuxconf kudzu skeleton rc rcS reboot bootclean.sh x.dpkg-dist x.dpkg-old .hidden; do script "$name" 'echo x'; done
script x.dpkg-new 'echo x'; script x~ 'echo x'; script rc.local 'echo x'
script sees 'echo "$# $1 $(pwd) ${FOREIGN-none}"; [ "$# $1 $(pwd) ${FOREIGN-none}" = "1 status /etc/init.d none" ] && echo usage:'
printf 'x' >/etc/init.d/text; printf 'echo x\n' >/etc/init.d/plain; chmod 755 /etc/init.d/plain
"#,
        &[
            same("service --status-all"),
            same("service --status-all 2>/dev/null"),
            same("service --status-all 2>/dev/null | :"),
            differs(
                "rm -r /etc/init.d/*; mkdir /etc/init.d/folder; service --status-all",
                "0| [ - ]  folder|",
                "0||",
            ),
        ],
    );
}

#[test]
fn without_scripts_nothing_is_listed_and_that_is_said() {
    let of_ours = Bench::new(Subject::Ours).play("rmdir /etc/init.d; service --status-all");
    assert_eq!(of_ours.output, "");
    assert_eq!(
        of_ours.errors,
        "service: /etc/init.d: No such file or directory\n"
    );
    assert_eq!(of_ours.code, "1");
    let of_debian = Bench::new(Subject::Debian).play("rmdir /etc/init.d; service --status-all");
    assert!(
        of_debian.errors.contains("can't cd to /etc/init.d"),
        "{of_debian:?}"
    );
    assert_eq!(of_debian.code, "0");
}

#[test]
fn a_hung_script_does_not_stop_the_list() {
    // Its whole group is killed, but only the shell that leads it is waited for.
    let outcome = Bench::new(Subject::Ours).play(
        "script hung 'sleep 1000'; script next 'echo x'; service --status-all
        tries=0
        while pidof sleep >/dev/null && [ $tries -lt 600 ]; do tries=$((tries + 1)); sleep 0.05; done
        pidof sleep",
    );
    assert_eq!(outcome.output, " [ + ]  next\n");
    assert_eq!(
        outcome.errors,
        "service: hung: its status action has not ended within 10 seconds\n [ ? ]  hung\n"
    );
}

/// A daemon with a pid file, and scripts that know no status.
const DAEMONS: &str = r#"
usage='case $1 in start) ;; *) echo "Usage: $0 {start|stop}" >&2; exit 3 ;; esac'
cp /bin/sleep /tmp/napd
script pidfile "PIDFILE=/run/p.pid
$usage"
script program "DAEMON=/tmp/napd
$usage"
script nothing "$usage"
script silent 'case $1 in start) ;; *) exit 2 ;; esac'
script knows 'case $1 in status) echo "all is well"; exit 0 ;; esac'
script sourced '. /tmp/actions; act "$@"'
echo 'act() { echo "$1 by the file"; exit 3; }' >/tmp/actions
"#;

fn status(script: &str) -> String {
    let outcome = Bench::new(Subject::Ours).play(&format!("{DAEMONS}\n{script}"));
    format!("{}{}", outcome.output, outcome.errors)
}

#[test]
fn status_of_a_script_without_one_is_told_by_the_pid_file() {
    let text = status(
        "echo 1 >/run/p.pid; service pidfile status; echo $?
        echo 4194304 >/run/p.pid; service pidfile status; echo $?
        echo x >/run/p.pid; service pidfile status; echo $?",
    );
    assert_eq!(
        text,
        "pidfile is running, process 1 (by /run/p.pid)\n0\n\
         pidfile is not running, and was not stopped (by /run/p.pid)\n1\n\
         pidfile may be running or not (/run/p.pid holds no number that can be read)\n4\n"
    );
}

#[test]
fn status_of_a_script_without_one_is_told_by_the_process_table() {
    let text = status(
        "service program status; echo $?
        /tmp/napd 1000 & until [ \"$(readlink /proc/$!/exe)\" = /tmp/napd ]; do :; done
        service program status | sed \"s/process $!/process N/\"; service program status >/dev/null; echo $?
        rm /tmp/napd; service program status | sed \"s/process $!/process N/\"
        kill $!; wait $! 2>/dev/null; service program status; echo $?",
    );
    assert_eq!(
        text,
        "program is not running (by who runs /tmp/napd)\n3\n\
         program is running, process N (by who runs /tmp/napd)\n0\n\
         program is running, process N (by who runs /tmp/napd)\n\
         program is not running (/tmp/napd is not installed)\n3\n"
    );
}

#[test]
fn status_of_a_script_without_one_is_told_by_the_boot_record() {
    let begin = "begin kind=script name=nothing argument=start level=2 previous=N link=S02x pid=9 up=1.0 wall=1764041184.0";
    let end = "end kind=script name=nothing argument=start pid=9 up=2.0 wall=1764041185.0";
    let text = status(&format!(
        "service nothing status; echo $?
        mkdir -p /run/initlog; echo '{begin}' >/run/initlog/record
        echo '{end} status=exit:0 verdict=ok' >>/run/initlog/record; service nothing status; echo $?
        sed -i 's/exit:0/exit:7/; s/=ok/=failed/' /run/initlog/record; service nothing status; echo $?
        service --failed 2>&1; echo $?"
    ));
    let why = "its last start failed: ";
    assert!(text.starts_with("nothing may be running or not (its script names neither a pid file nor a program, and nothing is recorded)\n4\nnothing was started and has no process of its own (by the boot record)\n0\nnothing is not running (by the boot record); "), "{text}");
    assert_eq!(text.matches(why).count(), 2, "{text}");
    assert!(text.ends_with("exit 7\n1\n"), "{text}");
}

#[test]
fn a_script_that_answers_is_believed() {
    let text = status(
        "service knows status; echo $?; service sourced status; echo $?; service silent status; echo $?; service silent x; echo $?",
    );
    assert_eq!(
        text,
        "all is well\n0\nstatus by the file\n3\nsilent may be running or not (its script names neither a pid file nor a program, and nothing is recorded)\n4\n2\n"
    );
}

#[test]
fn services_that_should_run_and_do_not_are_listed() {
    let text = status(
        "level 2; link 2 S01program; link 2 S01nothing; link 3 S01pidfile; echo 4194304 >/run/p.pid
        service --failed; echo $?; level 3; service --failed; echo $?; level 4; service --failed; echo $?",
    );
    assert_eq!(
        text,
        "program is not running (by who runs /tmp/napd)\n1\n\
         pidfile is not running, and was not stopped (by /run/p.pid)\n1\n0\n"
    );
    let without = status(
        "level 2; link 2 S01program; rm /tmp/napd; service --failed; echo $?
        link 2 S02nothing; mkdir -p /run/initlog
        echo 'end kind=script name=nothing argument=start pid=9 up=2.0 wall=1764041185.0 status=exit:6 verdict=skipped' \
            >/run/initlog/record
        service --failed; echo $?; service nothing status",
    );
    assert_eq!(
        without,
        "0\n0\nnothing is not running (by the boot record: its start had nothing to do)\n"
    );
}

#[test]
fn a_terminal_gets_a_table_and_a_suggestion() {
    let outcome = Bench::new(Subject::Ours).play(&format!(
        "{DAEMONS}
        link 2 S01pidfile; link 3 S02pidfile; link S S01program; echo 1 >/run/p.pid
        mkdir -p /dev/pts; mount -t devpts -o newinstance,ptmxmode=666 devpts /dev/pts; ln -s pts/ptmx /dev/ptmx
        script -qec 'service --status-all' /dev/null | tr -d '\\r'
        script -qec 'service pidflie start' /dev/null | tr -d '\\r'"
    ).replace("script -qec", "/usr/bin/script -qec"));
    let rows: Vec<Vec<&str>> = outcome
        .output
        .lines()
        .map(|line| line.split_whitespace().collect())
        .collect();
    let row = |name: &str| {
        rows.iter()
            .find(|row| row.first() == Some(&name))
            .unwrap_or_else(|| panic!("{outcome:?}"))
    };
    assert_eq!(row("NAME"), &["NAME", "STATE", "PID", "SINCE", "LEVELS"]);
    assert_eq!(row("pidfile")[..3], ["pidfile", "running", "1"]);
    assert_eq!(row("pidfile").last(), Some(&"23"));
    assert_eq!(row("program"), &["program", "stopped", "S"]);
    assert_eq!(row("knows"), &["knows", "ok", "-"]);
    assert_eq!(row("nothing"), &["nothing", "unknown", "-"]);
    assert!(
        outcome
            .output
            .ends_with("pidflie: unrecognized service\nDid you mean pidfile?\n"),
        "{outcome:?}"
    );
}

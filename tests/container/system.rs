//! A whole system in a container: services by rc, stopped by the manager's signal.

use crate::bundle::{BOTH, Bundle, Container, Runtime};
use crate::support::clock;
use crate::support::root::{Root, Subject};
use std::process::Stdio;
use std::time::Duration;

const INITTAB: &str = "\
id:3:initdefault:
si::sysinit:/bin/echo sysinit runs
l0:0:wait:/sbin/rc 0
l3:3:wait:/sbin/rc 3
l6:6:wait:/sbin/rc 6
r:3:respawn:/bin/respawned
";

/// A service that takes a moment to end.
fn service(name: &str) -> String {
    format!(
        "case $1 in
            start)
                sh -c 'trap \"usleep 20000; echo {name} has ended >>/proc/1/fd/1; exit\" TERM; while :; do usleep 5000; done' &
                echo $! >/tmp/{name}.pid; echo {name} started ;;
            stop)
                read from rest </proc/uptime
                read pid </tmp/{name}.pid; kill $pid
                while [ -e /proc/$pid ]; do usleep 5000; done
                read to rest </proc/uptime; echo took $from $to >>/proc/1/fd/1 ;;
        esac"
    )
}

fn names() -> impl Iterator<Item = String> {
    (1..=20).map(|number| format!("service{number:02}"))
}

/// Twenty services; the first started is the last stopped.
pub(crate) fn system(runtime: Runtime, words: &[&str]) -> Bundle {
    let root = Root::new(Subject::Ours);
    root.write("/etc/inittab", INITTAB);
    root.link("sysvtools", "sbin/rc");
    root.script("/bin/respawned", "echo respawned; exec sleep 1000");
    for level in ["0", "3", "6"] {
        root.write(&format!("/etc/rc{level}.d/README"), "");
    }
    for (number, name) in (1..).zip(names()) {
        root.script(&format!("/etc/init.d/{name}"), &service(&name));
        let target = format!("../init.d/{name}");
        root.link(&target, &format!("etc/rc3.d/S{number:02}{name}"));
        for level in ["0", "6"] {
            let number = 50 - number;
            root.link(&target, &format!("etc/rc{level}.d/K{number:02}{name}"));
        }
    }
    for (level, name) in [("0", "halt"), ("6", "reboot")] {
        let script = format!("echo {name} says good bye; exec /sbin/{name} -d -f");
        root.script(&format!("/etc/init.d/{name}"), &script);
        root.link(
            &format!("../init.d/{name}"),
            &format!("etc/rc{level}.d/S90{name}"),
        );
    }
    Bundle::on(runtime, root, words).with_tmpfs("/tmp")
}

pub(crate) fn up(runtime: Runtime) -> Container {
    let container = system(runtime, &[]).start();
    container.wait_for("respawned\n");
    container
}

/// Everything was stopped, one after another, the last started first.
pub(crate) fn all_were_stopped_in_order(said: &str) {
    let ended: Vec<&str> = said
        .lines()
        .filter_map(|line| line.strip_suffix(" has ended"))
        .collect();
    let expected: Vec<String> = names().collect();
    let expected: Vec<&str> = expected.iter().rev().map(String::as_str).collect();
    assert_eq!(ended, expected, "{said}");
}

/// What the stop scripts have taken together.
fn took_by_themselves(said: &str) -> Duration {
    let lines = said.lines().filter_map(|line| line.strip_prefix("took "));
    lines
        .map(|line| {
            let mut words = line.split_whitespace().map(|word| word.parse().unwrap());
            let mut next = || Duration::from_secs_f64(words.next().unwrap());
            let (from, to) = (next(), next());
            to.saturating_sub(from)
        })
        .sum()
}

#[test]
fn twenty_services_are_stopped_in_order_when_the_manager_says_term() {
    for runtime in BOTH {
        let mut container = up(runtime);
        let asked = clock();
        container.kill("TERM");
        assert_eq!(container.ended(), 0, "{}", container.said());
        let whole = asked.elapsed();
        let said = container.said();
        all_were_stopped_in_order(&said);
        assert!(said.contains("halt says good bye"), "{said}");
        let own = took_by_themselves(&said);
        let beyond = whole.saturating_sub(own);
        println!("{runtime:?}: stopped in {whole:?}, {beyond:?} beyond the services' own {own:?}");
        // How long it really is stands in doc/containers.md.
    }
}

#[test]
fn output_of_init_and_of_entries_is_the_containers() {
    let container = up(Runtime::Runc);
    let said = container.said();
    for line in [
        "sysinit runs\n",
        "INIT: Entering runlevel: 3\n",
        "service01 started",
    ] {
        assert!(said.contains(line), "{said}");
    }
    assert!(!said.contains('\r'), "{said:?}");
}

#[test]
fn every_stop_signal_of_a_manager_is_an_orderly_end() {
    for signal in ["INT", "PWR", "37", "38"] {
        let mut container = up(Runtime::Crun);
        container.kill(signal);
        assert_eq!(container.ended(), 0, "{signal}");
        all_were_stopped_in_order(&container.said());
    }
}

#[test]
fn a_restart_tells_itself_from_a_halt() {
    let mut container = up(Runtime::Runc);
    container.kill("39");
    assert_eq!(container.ended(), 133, "{}", container.said());
    all_were_stopped_in_order(&container.said());
    assert!(container.said().contains("reboot says good bye"));
}

#[test]
fn a_manager_that_wants_the_end_at_once_gets_it_without_the_scripts() {
    for (signal, status) in [("47", 0), ("48", 0), ("49", 133)] {
        let mut container = up(Runtime::Crun);
        container.kill(signal);
        assert_eq!(container.ended(), status, "{signal}");
        let said = container.said();
        assert!(!said.contains("INIT: Switching"), "{signal}: {said}");
        assert!(!said.contains("good bye"), "{signal}: {said}");
    }
}

#[test]
fn signals_that_mean_nothing_change_nothing() {
    let mut container = up(Runtime::Crun);
    for signal in ["QUIT", "35", "36", "40", "50", "64"] {
        container.kill(signal);
    }
    container.kill("TERM");
    assert_eq!(container.ended(), 0, "{}", container.said());
    all_were_stopped_in_order(&container.said());
}

#[test]
fn a_command_runs_among_its_services_and_gives_its_status() {
    for runtime in BOTH {
        let words = ["--", "sh", "-c", "echo command runs; exit 9"];
        let (said, status) = system(runtime, &words).run();
        assert_eq!(status, 9, "{said}");
        let (before, after) = said.split_once("command runs\n").unwrap();
        assert_eq!(before.matches(" started").count(), 20, "{said}");
        all_were_stopped_in_order(after);
    }
}

#[test]
fn a_stop_goes_to_the_command_and_its_end_stops_the_services() {
    let script =
        "trap 'echo command obeys; exit 5' TERM; echo command runs; while :; do usleep 5000; done";
    let mut container = system(Runtime::Runc, &["--", "sh", "-c", script]).start();
    container.wait_for("command runs");
    container.kill("TERM");
    assert_eq!(container.ended(), 5, "{}", container.said());
    let said = container.said();
    let (_, after) = said.split_once("command obeys\n").unwrap();
    all_were_stopped_in_order(after);
}

#[test]
fn a_command_that_is_no_program_still_stops_the_services() {
    let (said, status) = system(Runtime::Runc, &["--", "/no/such"]).run();
    assert_eq!(status, 127, "{said}");
    assert!(said.contains("cannot execute \"/no/such\""), "{said}");
    all_were_stopped_in_order(&said);
}

#[test]
fn a_level_that_does_not_halt_ends_the_container_all_the_same() {
    let root = Root::new(Subject::Ours);
    root.write(
        "/etc/inittab",
        "id:3:initdefault:\nr:3:respawn:/bin/respawned\n",
    );
    root.script(
        "/bin/respawned",
        "setsid sh -c 'trap \"echo daemon asked; exit\" TERM; echo daemon; while :; do usleep 5000; done' & exec sleep 1000",
    );
    let mut container = Bundle::on(Runtime::Runc, root, &[]).start();
    container.wait_for("daemon\n");
    container.kill("TERM");
    assert_eq!(container.ended(), 0, "{}", container.said());
    let said = container.said();
    assert!(said.contains("daemon asked\n"), "{said}");
}

#[test]
fn a_reader_that_has_gone_to_sleep_keeps_nobody_from_ending() {
    // Nobody reads this pipe, and the container fills it. (runc would stand between the two, and hang.)
    let (reader, writer) = std::io::pipe().unwrap();
    let root = Root::new(Subject::Ours);
    root.write("/etc/inittab", "id:3:initdefault:\nf:3:once:/bin/fill\n");
    root.script(
        "/bin/fill",
        "echo >&2 filling; while :; do echo xxxxxxxxxxxxxxxxxxxxxxxx; done",
    );
    let bundle = Bundle::on(Runtime::Crun, root, &[]);
    let folder = tempfile::tempdir().unwrap();
    let mut container = bundle.start_with(Stdio::from(writer), folder.path().join("output"));
    container.wait_for("filling");
    container.kill("TERM");
    assert_eq!(container.ended(), 0, "{}", container.said());
    drop(reader);
}

#[test]
fn power_and_keys_that_the_table_claims_are_left_to_its_entries() {
    let root = Root::new(Subject::Ours);
    let table = "id:3:initdefault:\nca::ctrlaltdel:/bin/echo key\npw::powerwait:/bin/echo power\nr:3:respawn:/bin/respawned\n";
    root.write("/etc/inittab", table);
    root.script("/bin/respawned", "echo respawned; exec sleep 1000");
    let mut container = Bundle::on(Runtime::Runc, root, &[]).start();
    container.wait_for("respawned\n");
    container.kill("INT");
    container.wait_for("key\n");
    container.kill("PWR");
    container.wait_for("power\n");
    container.kill("TERM");
    assert_eq!(container.ended(), 0);
}

#[test]
fn the_end_can_be_asked_for_by_name_also_where_there_is_no_fifo() {
    for (words, status) in [
        ("/sbin/halt", 0),
        ("/sbin/poweroff", 0),
        ("/sbin/reboot", 133),
        ("/sbin/telinit 6", 133),
        ("/sbin/shutdown -h now", 0),
    ] {
        let root = Root::new(Subject::Ours);
        let table = format!(
            "id:3:initdefault:\nl0:0:wait:/bin/echo down\nl6:6:wait:/bin/echo again\nx:3:once:{words}\n"
        );
        root.write("/etc/inittab", table);
        let (said, ended) = Bundle::on(Runtime::Crun, root, &[]).run();
        assert_eq!(ended, status, "{words}: {said}");
        let level = if status == 0 { "down\n" } else { "again\n" };
        assert!(said.contains(level), "{words}: {said}");
        assert!(!said.contains("No such file"), "{words}: {said}");
    }
}

#[test]
fn what_init_cannot_be_told_by_a_signal_is_an_error_without_a_fifo() {
    let script = "for level in 2 q 0 6; do telinit $level; echo $level: $?; done";
    let words = ["--no-rc", "--", "sh", "-c", script];
    let (said, _) = Bundle::new(Runtime::Crun, &words).run();
    // An init that runs one command alone knows no levels, and passes the signals on to it.
    let refused = "telinit: /run/initctl: No such file or directory\n";
    assert!(
        said.starts_with(&format!("{refused}2: 1\n{refused}q: 1\n")),
        "{said}"
    );
}

#[test]
fn a_rehearsal_knows_that_the_command_runs_on() {
    let root = Root::new(Subject::Ours);
    root.write(
        "/etc/inittab",
        "id:3:initdefault:\nr:3:respawn:/bin/sleep 1003\n",
    );
    let script = "until grep -q -e REC-- /run/init.state; do usleep 10000; done
        echo up; telinit --dry-run 4; echo down; telinit --dry-run 0";
    let words = ["--", "sh", "-c", script];
    let (said, status) = Bundle::on(Runtime::Crun, root, &words)
        .with_tmpfs("/run")
        .run();
    assert_eq!(status, 0, "{said}");
    let (up, down) = said.split_once("down\n").unwrap();
    assert!(up.contains("keep   --"), "{said}");
    assert!(down.contains("stop   --"), "{said}");
}

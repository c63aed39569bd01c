//! Machines with rc scripts, on which one command is timed.

use super::bed::{Init, LIMIT, peers, programs, run, stamped};
use super::support::namespace::Plan;
use super::support::root::Root;
use super::support::wait_until;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What busybox has and Debian's scripts call.
const APPLETS: [&str; 12] = [
    "awk", "basename", "dirname", "expr", "find", "id", "sort", "stat", "stty", "tr", "uname", "wc",
];

/// A root in which `/bin/sh` is dash, with our tools by the names they are installed by.
pub(crate) fn root() -> Root {
    let root = Init::Floor.root();
    root.install(Path::new("/bin/dash"), "bin/dash");
    fs::remove_file(root.at("/bin/sh")).unwrap();
    root.link("dash", "bin/sh");
    for applet in APPLETS {
        root.link("busybox", &format!("bin/{applet}"));
    }
    for folder in ["lib/init", "lib/lsb", "usr/sbin", "etc/init.d", "etc/rc2.d"] {
        fs::create_dir_all(root.at(folder)).unwrap();
    }
    let facilities = insserv_original().join("usr/share/insserv/insserv.conf");
    fs::copy(facilities, root.at("/etc/insserv.conf")).unwrap();
    root.install(&programs().join("sysvtools"), "sbin/sysvtools");
    for link in [
        "sbin/insserv",
        "lib/init/rc",
        "usr/sbin/service",
        "usr/sbin/update-rc.d",
    ] {
        root.link("/sbin/sysvtools", link);
    }
    root
}

/// A script with a header, which has done `what` when it ends.
pub(crate) fn script(root: &Root, name: &str, required: &str, what: &str) {
    root.script(
        &format!("/etc/init.d/{name}"),
        &format!(
            "### BEGIN INIT INFO\n# Provides: {name}\n# Required-Start: {required}\n# Required-Stop: {required}\n\
             # Default-Start: 2 3 4 5\n# Default-Stop: 0 1 6\n# Short-Description: {name}\n### END INIT INFO\n{what}"
        ),
    );
}

/// So many scripts that do nothing, each of which wants the one a tenth of them before it.
pub(crate) fn crowd(root: &Root, count: usize) {
    let apart = (count / 10).max(1);
    for number in 0..count {
        let required = number
            .checked_sub(apart)
            .map_or_else(String::new, |before| format!("s{before}"));
        let action = "case $1 in start | stop | status) exit 0 ;; esac\nexit 3";
        script(root, &format!("s{number}"), &required, action);
    }
    link(root);
}

/// Has all scripts linked into their levels, and the dependency files written.
pub(crate) fn link(root: &Root) {
    let names = fs::read_dir(root.at("/etc/init.d")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name());
    run(Command::new(programs().join("sysvtools"))
        .args(["insserv", "--root"])
        .arg(root.path())
        .args(names));
}

/// How Debian's rc runs scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Order {
    ByLinks,
    ByStartpar,
}

/// Debian's shell rc, and what it calls.
pub(crate) fn install_debians_rc(root: &Root, order: Order) {
    for file in ["lib/init/rc", "lib/init/vars.sh", "lib/lsb/init-functions"] {
        fs::remove_file(root.at(file)).unwrap_or_default();
        fs::copy(peers().join(file), root.at(file)).unwrap();
    }
    root.install(&peers().join("bin/startpar"), "bin/startpar");
    if order == Order::ByLinks {
        root.write("/etc/init.d/.legacy-bootordering", "");
    }
}

/// Debian's insserv and update-rc.d, unpacked.
pub(crate) fn insserv_original() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let original = top.join("target/testbed/insserv-original");
    run(Command::new(top.join("tests/setup/insserv-original")).arg(&original));
    original
}

/// How many milliseconds `what` takes on a machine with this root, after `before` has been done.
pub(crate) fn timed(root: Root, before: &str, what: &str) -> f64 {
    root.script(
        "/bin/work",
        &format!(
            "export PATH=/sbin:/usr/sbin:/bin:/usr/bin RUNLEVEL=2 PREVLEVEL=N\n{before}\n\
             /bin/stamp first\n{what}\necho $? >/out/status\n/bin/stamp last\nexec /bin/sleep 1000"
        ),
    );
    let machine = Plan::on(root)
        .in_container()
        .word("reap")
        .word("/bin/work")
        .boot();
    wait_until(
        "the command ends",
        LIMIT,
        || (!super::bed::noted(&machine, "last").is_empty()).then_some(()),
        || machine.transcript(),
    );
    assert_eq!(
        machine.read("/out/status").trim(),
        "0",
        "{what:?} fails\n{}",
        machine.transcript()
    );
    (stamped(&machine, "last") - stamped(&machine, "first")) / 1e6
}

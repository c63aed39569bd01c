//! `make install-bin`, `install-rc` and `install` into a directory.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::session::output;

/// Installs the static programs below `place`; gives what make said.
fn install(target: &str, place: &Path) -> String {
    let (status, text) = output(
        Command::new("make")
            .args(["-s", target, "STATIC=1"])
            .arg(format!("DESTDIR={}", place.display()))
            // The flags of a make around us are not for this one.
            .env_remove("MAKEFLAGS"),
    );
    assert!(status.success(), "{text}");
    text
}

/// What is below a directory: paths, and where links lead.
fn listing(place: &Path) -> Vec<String> {
    let (status, text) = output(
        Command::new("find")
            .arg(place)
            .args(["!", "-type", "d", "-printf", "%P %l\n"]),
    );
    assert!(status.success(), "{text}");
    let mut lines: Vec<_> = text
        .lines()
        .map(|line| line.trim_end().to_owned())
        .collect();
    lines.sort();
    lines
}

#[test]
fn programs_and_links_go_where_every_distribution_looks_for_them() {
    let place = tempfile::tempdir().unwrap();
    install("install-bin", place.path());
    assert_eq!(
        listing(place.path()),
        [
            "bin/pidof ../sbin/sysvtools",
            "lib/init/rc /sbin/sysvtools",
            "lib/init/rcS /sbin/sysvtools",
            "lib/init/takedown /sbin/sysvtools",
            "sbin/bootlogd",
            "sbin/chkconfig sysvtools",
            "sbin/fstab-decode sysvtools",
            "sbin/halt sysvtools",
            "sbin/init",
            "sbin/initctl sysvtools",
            "sbin/insserv sysvtools",
            "sbin/killall5 sysvtools",
            "sbin/poweroff sysvtools",
            "sbin/reboot sysvtools",
            "sbin/runlevel sysvtools",
            "sbin/shutdown sysvtools",
            "sbin/sysvtools",
            "sbin/telinit init",
            "usr/bin/readbootlog /sbin/sysvtools",
            "usr/sbin/invoke-rc.d /sbin/sysvtools",
            "usr/sbin/service /sbin/sysvtools",
            "usr/sbin/update-rc.d /sbin/sysvtools",
        ]
    );
}

#[test]
fn everything_brings_manual_pages_and_completions_below_the_prefix() {
    let place = tempfile::tempdir().unwrap();
    install("install", place.path());
    let found = listing(place.path());
    for line in [
        "etc/inittab",
        "sbin/init",
        "usr/share/bash-completion/completions/sysvinit",
        "usr/share/bash-completion/completions/telinit sysvinit",
        "usr/share/fish/vendor_completions.d/shutdown.fish sysvinit.fish",
        "usr/share/fish/vendor_completions.d/sysvinit.fish",
        "usr/share/man/man5/inittab.5",
        "usr/share/man/man8/init.8",
        "usr/share/zsh/site-functions/_sysvinit",
    ] {
        assert!(found.iter().any(|entry| entry == line), "{line}: {found:?}");
    }
}

#[test]
fn a_merged_usr_stays_merged() {
    let place = tempfile::tempdir().unwrap();
    for name in ["sbin", "lib"] {
        fs::create_dir_all(place.path().join("usr").join(name)).unwrap();
        std::os::unix::fs::symlink(format!("usr/{name}"), place.path().join(name)).unwrap();
    }
    install("install-bin", place.path());
    assert!(place.path().join("sbin").is_symlink());
    assert!(place.path().join("usr/sbin/init").is_file());
}

#[test]
fn static_programs_are_one_file_each_and_run_in_an_empty_root() {
    let place = tempfile::tempdir().unwrap();
    install("install-bin", place.path());
    for name in ["init", "runlevel"] {
        // In namespaces of its own: a program that can halt a machine shall not see this one.
        let (status, text) = output(
            Command::new("unshare")
                .args(["--fork", "--pid", "--mount", "--uts", "--ipc", "--net"])
                .args([
                    "sh",
                    "-c",
                    "(exec chroot \"$1\" \"/sbin/$2\" --version); exit $?",
                    "sh",
                ])
                .arg(place.path())
                .arg(name),
        );
        assert!(status.success(), "{name}: {status}: {text}");
        assert!(text.contains(name), "{name}: {text}");
    }
}

#[test]
fn inittab_scripts_and_links_make_a_whole_system() {
    let place = tempfile::tempdir().unwrap();
    install("install-rc", place.path());
    let found = listing(place.path());
    for line in [
        "etc/inittab",
        "etc/init.d/crond",
        "etc/init.d/rc /lib/init/rc",
        "etc/init.d/rcS /lib/init/rcS",
    ] {
        assert!(found.iter().any(|entry| entry == line), "{line}: {found:?}");
    }
    for entry in &found {
        let (path, link) = entry.split_once(' ').unwrap_or((entry, ""));
        if path.starts_with("etc/rc") && path.as_bytes()[6..].starts_with(b".d/") {
            let script = place.path().join("etc/init.d").join(&path[12..]);
            assert_eq!(link, format!("../init.d/{}", &path[12..]), "{path}");
            let mode = fs::metadata(&script).unwrap().permissions().mode();
            assert_eq!(mode & 0o777, 0o755, "{}", script.display());
        }
    }
}

#[test]
fn a_second_installation_changes_nothing() {
    let place = tempfile::tempdir().unwrap();
    install("install-rc", place.path());
    let first = listing(place.path());
    assert_eq!(install("install-rc", place.path()), "");
    assert_eq!(listing(place.path()), first);
}

#[test]
fn a_changed_inittab_is_kept_and_ours_put_beside_it() {
    let place = tempfile::tempdir().unwrap();
    install("install-rc", place.path());
    let inittab = place.path().join("etc/inittab");
    let ours = fs::read_to_string(&inittab).unwrap();
    fs::write(&inittab, "id:2:initdefault:\n").unwrap();
    for _ in 0..2 {
        let said = install("install-rc", place.path());
        assert!(said.contains("keeping /etc/inittab"), "{said}");
        assert_eq!(fs::read_to_string(&inittab).unwrap(), "id:2:initdefault:\n");
        let beside = place.path().join("etc/inittab.new");
        assert_eq!(fs::read_to_string(beside).unwrap(), ours);
    }
}

#[test]
fn links_that_an_administrator_moved_stay_where_they_are() {
    let place = tempfile::tempdir().unwrap();
    install("install-rc", place.path());
    for line in listing(place.path()) {
        let path = line.split(' ').next().unwrap();
        if path.starts_with("etc/rc") && path.ends_with("crond") {
            fs::remove_file(place.path().join(path)).unwrap();
        }
    }
    let own = place.path().join("etc/rc2.d/S99crond");
    std::os::unix::fs::symlink("../init.d/crond", &own).unwrap();
    let before = listing(place.path());
    install("install-rc", place.path());
    assert_eq!(listing(place.path()), before);
}

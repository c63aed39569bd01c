//! What is read of scripts, links, pid files and processes below a temporary root.

use super::*;
use crate::services::state::State;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use tempfile::TempDir;

fn root(scripts: &[(&str, &str)]) -> (TempDir, Services) {
    let folder = tempfile::tempdir().unwrap();
    for name in ["etc/init.d", "run", "etc/rc2.d"] {
        fs::create_dir_all(folder.path().join(name)).unwrap();
    }
    for (name, text) in scripts {
        let path = folder.path().join("etc/init.d").join(name);
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    std::os::unix::fs::symlink("/proc", folder.path().join("proc")).unwrap();
    let services = Services::new(Paths::new(folder.path()));
    (folder, services)
}

fn judged(services: &Services, name: &str) -> Judgement {
    services.judge(&services.script(OsStr::new(name)).unwrap())
}

#[test]
fn executable_files_are_services_in_the_order_of_their_names() {
    let (folder, services) = root(&[("b", ""), ("B", ""), ("a~", ""), ("rc", ""), ("c", "")]);
    fs::write(folder.path().join("etc/init.d/text"), "").unwrap();
    fs::create_dir(folder.path().join("etc/init.d/folder")).unwrap();
    assert_eq!(services.names().unwrap(), ["B", "b", "c"]);
    assert_eq!(services.executables().unwrap(), ["B", "a~", "b", "c"]);
}

#[test]
fn scripts_and_links_are_found_where_red_hat_has_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("etc/rc.d/init.d")).unwrap();
    fs::create_dir_all(folder.path().join("etc/rc.d/rc3.d")).unwrap();
    fs::write(folder.path().join("etc/rc.d/init.d/x"), "").unwrap();
    fs::write(folder.path().join("etc/rc.d/rc3.d/S20x"), "").unwrap();
    let services = Services::new(Paths::new(folder.path()));
    assert!(services.script(OsStr::new("x")).is_ok());
    assert_eq!(services.levels(OsStr::new("x")).to_string(), "3");
}

#[test]
fn a_pid_file_leads_to_its_process_as_long_as_there_is_one() {
    let (folder, services) = root(&[("x", "PIDFILE=/run/x.pid\n")]);
    let file = folder.path().join("run/x.pid");
    assert_eq!(judged(&services, "x").state, State::Unknown);
    let own = std::process::id();
    fs::write(&file, format!("{own}\n")).unwrap();
    let judgement = judged(&services, "x");
    let expected = vec![Pid::new(own.cast_signed()).unwrap()];
    assert_eq!(judgement.state, State::Running(expected));
    let now = sys::calendar::now().unwrap();
    assert!(services.since(&judgement).is_some_and(|since| since <= now));
    fs::write(&file, "4194304\n").unwrap();
    assert_eq!(judged(&services, "x").state, State::Dead);
    fs::write(&file, "no number").unwrap();
    assert_eq!(judged(&services, "x").state, State::Unknown);
}

#[test]
fn a_process_younger_than_the_pid_file_and_of_another_name_is_another() {
    let (folder, services) = root(&[("x", "PIDFILE=/run/x.pid\n")]);
    let file = folder.path().join("run/x.pid");
    fs::write(&file, std::process::id().to_string()).unwrap();
    let written = sys::files::metadata(&file).unwrap().mtime();
    let past = std::time::UNIX_EPOCH + Duration::from_secs(written.cast_unsigned() - 1_000_000);
    fs::File::options()
        .write(true)
        .open(&file)
        .unwrap()
        .set_modified(past)
        .unwrap();
    assert_eq!(judged(&services, "x").state, State::Dead);
}

#[test]
fn who_runs_the_program_is_found_in_the_process_table() {
    let (_folder, services) = root(&[("x", "DAEMON=/bin/sleep\n"), ("gone", "DAEMON=/no/such\n")]);
    let mut child = std::process::Command::new("/bin/sleep")
        .arg("1000")
        .spawn()
        .unwrap();
    let judgement = judged(&services, "x");
    child.kill().unwrap();
    child.wait().unwrap();
    let pid = Pid::new(child.id().cast_signed()).unwrap();
    assert!(judgement.state.processes().contains(&pid), "{judgement}");
    let judgement = judged(&services, "gone");
    assert_eq!(
        judgement.to_string(),
        "is not running (/no/such is not installed)"
    );
}

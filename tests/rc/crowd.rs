//! Hundreds of scripts, and everything that can be wrong with one of them at once.

use super::support::root::write_program;
use super::{Root, messages, succeeded};
use std::fs;
use std::path::PathBuf;
use std::process::Stdio;
use sysvinit::record::{End, Verdict};

/// A script that writes a hundred megabytes.
const LOUD: &str = "head -c 100000000 /dev/zero | tr '\\0' '\\n'; echo end";
/// The most that rc may ever hold, in KiB.
pub(crate) const MOST_MEMORY: u64 = 8 * 1024;

#[test]
fn three_hundred_scripts_get_the_machine_into_its_level_whatever_they_do() {
    let root = Root::new();
    let order = fill(&root);
    let mut command = root.rc(&["3"]);
    // The loud one is not to be kept by this test either.
    let shown = fs::File::create(root.path().join("shown")).unwrap();
    let output = succeeded(command.stdout(Stdio::from(shown)).stderr(Stdio::piped()));
    assert_eq!(
        messages(&output),
        ["rc: 299 scripts, 2 failed: 050hangs (timed out), 150crash (killed by SIGSEGV),"]
    );
    let ran: Vec<usize> = fs::read_to_string(order)
        .unwrap()
        .lines()
        .map(|line| line.parse().unwrap())
        .collect();
    let plain: Vec<usize> = (0..300)
        .filter(|number| number % 50 != 0 || *number == 0)
        .filter(|number| *number != 299)
        .collect();
    assert_eq!(ran, plain);
    check_record(&root);
    let memory = fs::read_to_string(root.path().join("memory")).unwrap();
    let memory: u64 = memory.trim().parse().unwrap();
    assert!(memory < MOST_MEMORY, "{memory} KiB");
    let size = fs::metadata(root.path().join("shown")).unwrap().len();
    assert!(size > 100_000_000, "{size}");
    fs::write(root.path().join("go"), "").unwrap();
    let lived = root.path().join("lived");
    super::support::wait_until(
        "the daemon goes on",
        super::support::LIMIT,
        || {
            fs::read_to_string(&lived)
                .ok()
                .filter(|text| text == "lived\n")
        },
        String::new,
    );
}

/// Makes the scripts; returns the file into which the ordinary ones write their numbers.
fn fill(root: &Root) -> PathBuf {
    let order = root.path().join("order");
    let links = root.path().join("etc/rc3.d");
    let write = |number: usize, name: &str, body: &str| {
        // Three digits sort as the names do.
        let path = links.join(format!("S{:02}{number:03}{name}", number / 100));
        write_program(&path, format!("#!/bin/sh\n{body}\n"));
    };
    fs::create_dir_all(&links).unwrap();
    fs::create_dir_all(root.path().join("run")).unwrap();
    for number in 0..300 {
        let ordinary = format!("echo {number} >>{}", order.display());
        match number {
            50 => write(
                number,
                "hangs",
                "### BEGIN INIT INFO\n# X-Timeout: 1\n### END INIT INFO\nsleep 600",
            ),
            100 => write(number, "loud", LOUD),
            150 => write(number, "crash", "kill -SEGV $$"),
            200 => write(
                number,
                "daemon",
                &format!(
                    "(until [ -e {0}/go ]; do sleep 0.05; done; echo late; echo lived >{0}/lived) &",
                    root.path().display()
                ),
            ),
            250 => fs::create_dir(links.join("S02250folder")).unwrap(),
            299 => write(
                number,
                "last",
                &format!(
                    "sed -n 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' /proc/$PPID/status >{}/memory",
                    root.path().display()
                ),
            ),
            _ => write(number, "plain", &ordinary),
        }
    }
    order
}

fn check_record(root: &Root) {
    let record = fs::read(root.path().join("run/initlog/record")).unwrap();
    let ends = super::record::ends(&record);
    assert_eq!(ends.len(), 299);
    for (name, verdict) in [
        ("050hangs", Verdict::TimedOut),
        ("150crash", Verdict::Failed),
    ] {
        let end = ends
            .iter()
            .find(|end| *end.subject.name == *name.as_bytes());
        assert_eq!(end.unwrap().verdict, verdict, "{name}");
    }
    let is_ok = |end: &&End| end.verdict == Verdict::Ok;
    assert_eq!(ends.iter().filter(is_ok).count(), 297);
    let loud = root.path().join("run/initlog/output/100loud.start");
    let loud = fs::metadata(loud).unwrap().len();
    assert!(loud < 70_000, "{loud}");
}

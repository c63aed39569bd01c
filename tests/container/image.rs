//! The image that the Containerfile builds: our inittab and rc scripts as they are installed, in containers as runtimes
//! make them by default.

use crate::bundle::{BOTH, Bundle, Container, Runtime};
use crate::support::root::Root;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The image, built once: what is in it, and how it says that it is run and stopped.
struct Image {
    tree: PathBuf,
    entrypoint: Vec<String>,
    stop_signal: String,
}

fn image() -> &'static Image {
    static BUILT: OnceLock<Image> = OnceLock::new();
    BUILT.get_or_init(|| {
        let top = Path::new(env!("CARGO_MANIFEST_DIR"));
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("image");
        let output = Command::new(top.join("tests/setup/image"))
            .arg(&folder)
            // A make or cargo that runs these tests is not asked to share its jobs with this one.
            .env_remove("MAKEFLAGS")
            .env_remove("MAKELEVEL")
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "tests/setup/image: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        let said = |name: &str| fs::read_to_string(folder.join(name)).unwrap();
        Image {
            tree: folder.join("rootfs"),
            entrypoint: said("entrypoint").lines().map(str::to_owned).collect(),
            stop_signal: said("stopsignal").trim().to_owned(),
        }
    })
}

fn root() -> Root {
    Root::copy_of(&image().tree)
}

fn container(runtime: Runtime, root: Root) -> Bundle {
    // A bundle begins with /sbin/init by itself.
    assert_eq!(image().entrypoint, ["/sbin/init"]);
    Bundle::on(runtime, root, &[])
}

fn up(bundle: Bundle) -> Container {
    let container = bundle.start();
    container.wait_for("there is no terminal /dev/console");
    container
}

/// Every script went down in its turn, none of them failed, and nothing was complained about.
fn went_down_in_order(said: &str) {
    let all = [
        "Mounting kernel file systems",
        "Starting cron daemon",
        "Stopping cron daemon",
        "Ending the remaining processes",
        "Unmounting file systems",
    ];
    let places: Vec<Option<usize>> = all.iter().map(|line| said.find(line)).collect();
    assert!(
        places.is_sorted() && !places.contains(&None),
        "{places:?} in {said}"
    );
    for complaint in [
        "[fail]",
        "ermission denied",
        "not permitted\n",
        "Read-only",
        "No such",
        "cannot",
    ] {
        assert!(!said.contains(complaint), "{complaint:?} in {said}");
    }
}

#[test]
fn our_own_system_comes_up_by_default_settings_and_stops_in_order() {
    for runtime in BOTH {
        for run_is_writable in [false, true] {
            let mut bundle = container(runtime, root());
            if run_is_writable {
                bundle = bundle.with_tmpfs("/run");
            }
            let mut container = up(bundle);
            container.kill(&image().stop_signal);
            assert_eq!(container.ended(), 0, "{}", container.said());
            let said = container.said();
            went_down_in_order(&said);
            assert!(said.contains("The system powers off"), "{said}");
            let crond = if run_is_writable {
                "cron daemon ............................ [ ok ]"
            } else {
                "cron daemon ............................ [skip] /run is read-only"
            };
            assert!(said.contains(crond), "{said}");
        }
    }
}

#[test]
fn every_word_of_a_manager_is_known_to_our_own_system_also_without_a_fifo() {
    for (signal, status) in [("INT", 0), ("PWR", 0), ("37", 0), ("38", 0), ("39", 133)] {
        let mut container = up(container(Runtime::Crun, root()));
        container.kill(signal);
        assert_eq!(container.ended(), status, "{signal}: {}", container.said());
        went_down_in_order(&container.said());
    }
}

#[test]
fn the_inittab_of_a_machine_serves_a_container_without_a_fifo() {
    let machines = concat!(env!("CARGO_MANIFEST_DIR"), "/etc/inittab");
    // There Ctrl-Alt-Del is an entry, which restarts.
    for (signal, status) in [("INT", 133), ("PWR", 0)] {
        let root = root();
        fs::copy(machines, root.at("/etc/inittab")).unwrap();
        let mut container = up(container(Runtime::Crun, root));
        container.kill(signal);
        assert_eq!(container.ended(), status, "{signal}: {}", container.said());
        went_down_in_order(&container.said());
    }
}

#[test]
fn our_scripts_mount_nothing_in_a_container_that_could() {
    let root = root();
    root.write("/etc/fstab", "tmpfs /mnt tmpfs defaults 0 0\n");
    let look = "cut -d' ' -f2 /proc/self/mounts | grep -x -e /run -e /mnt && echo mounted";
    root.script("/etc/rc.local", &format!("{look}; echo looked"));
    let bundle = container(Runtime::Runc, root).with_right("CAP_SYS_ADMIN");
    let mut container = up(bundle);
    container.wait_for("looked\n");
    container.kill("TERM");
    assert_eq!(container.ended(), 0);
    let said = container.said();
    assert!(!said.contains("mounted\n"), "{said}");
    for line in [
        "Mounting local file systems",
        "Mounting kernel file systems",
    ] {
        let found = said.lines().find(|found| found.starts_with(line)).unwrap();
        assert!(found.ends_with("[skip] left to the host"), "{said}");
    }
}

#[test]
fn init_takes_no_more_memory_than_twice_what_tini_takes() {
    // Both stand by while the command reads their books.
    let script = "sed -n 's/^VmRSS:[^0-9]*\\([0-9]*\\).*/rss \\1/p' /proc/1/status";
    let resident = |words: &str| {
        let words = format!("{words}, \"--\", \"sh\", \"-c\", {script:?}");
        let bundle = container(Runtime::Runc, root()).with("\"/sbin/init\"", &words);
        let tini = Path::new("/usr/bin/tini");
        bundle.root().install(tini, "bin/tini");
        let (said, _) = bundle.run();
        let number = said
            .trim()
            .strip_prefix("rss ")
            .and_then(|text| text.parse::<u32>().ok());
        number.unwrap_or_else(|| panic!("{said}"))
    };
    let ours = resident("\"/sbin/init\", \"--no-rc\"");
    let tini = resident("\"/bin/tini\"");
    println!("init {ours} KiB, tini {tini} KiB");
    assert!(ours <= 2 * tini, "init {ours} KiB, tini {tini} KiB");
}

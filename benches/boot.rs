//! Boots on a real kernel, under QEMU: from the moment the kernel starts process 1 to the login prompt.

use super::Extent;
use super::bed::run;
use super::qemu::{BOOT, Disk, Hardware, Machine, testbed};
use super::stats::Comparison;
use super::support::clock;
use super::turns::{Candidate, take_turns};
use std::fs;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;

/// What the kernel says last, with the words below.
const HANDED_OVER: &str = "Run /sbin/init as init process";
/// Makes it say that.
const TALKATIVE: &str = "loglevel=7";

/// What a Debian is started by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Debian {
    Own,
    OurInit,
    OurRc,
    OurRcParallel,
}

impl Candidate for Debian {
    fn name(self) -> &'static str {
        match self {
            Debian::Own => "sysvinit, Debian's rc",
            Debian::OurInit => "our init, Debian's rc",
            Debian::OurRc => "our init and rc",
            Debian::OurRcParallel => "our init and rc, PARALLEL=yes",
        }
    }

    fn is_peer(self) -> bool {
        self == Debian::Own
    }
}

/// What the small system is started by.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Small {
    Ours,
    Busybox,
}

impl Candidate for Small {
    fn name(self) -> &'static str {
        match self {
            Small::Ours => "ours",
            Small::Busybox => "busybox init and rcS",
        }
    }

    fn is_peer(self) -> bool {
        self == Small::Busybox
    }
}

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    let mut tables = vec![small(extent), functions_of_ours(extent)];
    // A Debian takes a quarter of a minute each time: too long for seeing that it works.
    if extent == Extent::Full {
        tables.extend([functions_of_debian(), debian()]);
    }
    tables
}

fn functions_of_ours(extent: Extent) -> Comparison {
    let initramfs = testbed().join("initramfs.gz");
    let hardware = Hardware {
        initramfs: Some(&initramfs),
        ..Hardware::default()
    };
    let mut machine = Machine::start(&hardware);
    machine.log_in(None);
    functions(
        &mut machine,
        "What the scripts of our small system pay for the functions that they read",
        "/etc/rcS.d/S* /etc/rc3.d/S*",
        extent.choose(3, 1),
    )
}

fn functions_of_debian() -> Comparison {
    let disk = disk(Debian::Own);
    let hardware = Hardware {
        disk: Some(&disk),
        ..Hardware::default()
    };
    let mut machine = Machine::start(&hardware);
    machine.log_in(Some("init"));
    functions(
        &mut machine,
        "What the scripts of a boot of Debian 12 pay for the functions that they read",
        "/etc/rcS.d/S* /etc/rc2.d/S*",
        3,
    )
}

/// What the shells of a boot's scripts take on the machine itself, with nothing in them but the lines by which they read
/// functions, and without these. Seconds of the same boot are in the tables of the boots.
fn functions(machine: &mut Machine, title: &str, scripts: &str, rounds: usize) -> Comparison {
    const NOTHING: &str = "reading nothing";
    const FUNCTIONS: &str = "reading functions";
    /// How often each script's shell is started between two looks at the clock, which counts in hundredths of a second.
    const PASSES: u32 = 3;
    let mut table = Comparison::new(
        title,
        "ms a boot",
        NOTHING,
        "A shell for each script, which does what the script does to read functions and settings (`. FILE`), and nothing \
         else. Compare it with the time of the boot.",
    );
    machine.answer(&format!(
        "mkdir /run/f; : >/run/nothing; for s in {scripts}; do sed -nE \
         's/^[^#]*(^|[[:space:];&])\\.[[:space:]]+(\\/[^[:space:];&|]+).*/\\2/p' $s | \
         while read -r f; do [ ! -r $f ] || echo \". $f\"; done >/run/f/${{s##*/}}; done"
    ));
    let number = |words: String| words.trim().parse::<f64>().unwrap();
    let all = number(machine.answer("ls /run/f | wc -l"));
    let reading = number(machine.answer("grep -l . /run/f/* | wc -l"));
    let lines = number(machine.answer("cat /run/f/* | while read -r _ f; do cat $f; done | wc -l"));
    let mut processes = [0.0, 0.0];
    for _ in 0..rounds {
        for (place, name, file) in [(0, NOTHING, "/run/nothing"), (1, FUNCTIONS, "$f")] {
            // The first line is the clock's, the second counts the processes that were made.
            let read = |machine: &mut Machine| {
                let words = machine.answer(
                    "read -r now _ </proc/uptime; echo $now; sed -n 's/^processes //p' /proc/stat",
                );
                let mut words = words
                    .lines()
                    .map(|line| line.trim().parse::<f64>().unwrap());
                [words.next().unwrap(), words.next().unwrap()]
            };
            let before = read(machine);
            machine.answer(&format!(
                "i=0; while [ $i -lt {PASSES} ]; do i=$((i + 1)); \
                 for f in /run/f/*; do sh {file} >/dev/null 2>&1; done; done"
            ));
            let after = read(machine);
            table.add(name, (after[0] - before[0]) * 1000.0 / f64::from(PASSES));
            processes[place] = (after[1] - before[1]) / f64::from(PASSES);
        }
    }
    table.explained(&format!(
        "{reading} of {all} scripts read something, {lines} lines in all; {} processes are made for it.",
        super::stats::shown((processes[1] - processes[0]).round()),
    ))
}

fn debian() -> Comparison {
    let table = Comparison::new(
        "Boot of a Debian 12 under QEMU, from the kernel's hand-over to the login prompt",
        "s",
        Debian::Own.name(),
        "The same disk and the same scripts, on one emulated processor. Debian's rc runs scripts side by side, with startpar, \
         and does not say how each has ended.",
    );
    let candidates = [
        Debian::Own,
        Debian::OurInit,
        Debian::OurRc,
        Debian::OurRcParallel,
    ];
    let [table] = take_turns(3, &candidates, [table], |subject, [table]| {
        let disk = disk(subject);
        let hardware = Hardware {
            disk: Some(&disk),
            words: TALKATIVE,
            ..Hardware::default()
        };
        table.add(subject.name(), until_login(&hardware));
    });
    table
}

fn small(extent: Extent) -> Comparison {
    let table = Comparison::new(
        "Boot of our small system under QEMU, from the kernel's hand-over to the login prompt",
        "s",
        Small::Busybox.name(),
        "The same initramfs and the same scripts. Beside busybox's init a loop of its shell runs them, in the same order.",
    );
    let folder = tempfile::tempdir_in(testbed()).unwrap();
    let busybox = with_busybox(folder.path());
    let candidates = [Small::Ours, Small::Busybox];
    let [table] = take_turns(
        extent.choose(5, 1),
        &candidates,
        [table],
        |subject, [table]| {
            let initramfs = match subject {
                Small::Ours => testbed().join("initramfs.gz"),
                Small::Busybox => busybox.clone(),
            };
            let hardware = Hardware {
                initramfs: Some(&initramfs),
                words: TALKATIVE,
                ..Hardware::default()
            };
            table.add(subject.name(), until_login(&hardware));
        },
    );
    table
}

/// How many seconds the machine takes.
fn until_login(hardware: &Hardware<'_>) -> f64 {
    let mut machine = Machine::start(hardware);
    machine.wait_for(HANDED_OVER, BOOT);
    let start = clock();
    machine.wait_for("login: ", BOOT);
    let took = (clock() - start).as_secs_f64();
    // A run takes minutes, and shall be seen to go on.
    eprintln!("a boot took {took:.1} s");
    took
}

fn disk(subject: Debian) -> Disk {
    let original = testbed().join("debian/original.img");
    let programs = testbed().join("small-root/sbin");
    let settings = match subject {
        Debian::Own => return Disk::copy_of(&original),
        Debian::OurInit => {
            let mut make = setup("debian-ours");
            return Disk::made_by(make.arg(original).arg(programs));
        }
        Debian::OurRc => "# One script after another.\n",
        Debian::OurRcParallel => "PARALLEL=yes\n",
    };
    let file = tempfile::NamedTempFile::new().unwrap();
    fs::write(file.path(), settings).unwrap();
    let mut make = setup("debian-ours-rc");
    Disk::made_by(make.arg(original).arg(programs).arg(file.path()))
}

fn setup(script: &str) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup");
    Command::new(folder.join(script))
}

/// The small system with busybox's init.
fn with_busybox(folder: &Path) -> PathBuf {
    let root = folder.join("root");
    run(Command::new("cp")
        .arg("-a")
        .arg(testbed().join("small-root"))
        .arg(&root));
    fs::remove_file(root.join("sbin/init")).unwrap();
    symlink("/bin/busybox", root.join("sbin/init")).unwrap();
    fs::write(
        root.join("etc/inittab"),
        "::sysinit:/etc/rcs-of-busybox\n::respawn:/sbin/getty -L 115200 console linux\n",
    )
    .unwrap();
    let loop_of_scripts = root.join("etc/rcs-of-busybox");
    fs::write(
        &loop_of_scripts,
        "#!/bin/sh\nfor script in /etc/rcS.d/S* /etc/rc3.d/S*; do $script start; done\n",
    )
    .unwrap();
    run(Command::new("chmod").arg("755").arg(&loop_of_scripts));
    let initramfs = folder.join("initramfs.gz");
    run(setup("initramfs").arg(&root).arg(&initramfs));
    initramfs
}

//! The machines of the benchmark: every init as process 1 of fresh namespaces, with the same work written in its own
//! configuration.

use super::support::namespace::{Machine, Plan};
use super::support::root::{Root, original};
use super::support::{Deadline, pause};
use super::turns::Candidate;
use super::work::{Work, busybox_table, finit_table, inittab, script, services};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

/// How long a machine may take to get somewhere: ten thousand processes on a busy machine.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// What is compared.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Init {
    /// The bare loop of `stamp.c`, which does only what cannot be avoided.
    Floor,
    Ours,
    OursStatic,
    Sysvinit,
    Busybox,
    Finit,
    Runit,
    Openrc,
    S6,
    Tini,
}

impl Candidate for Init {
    fn name(self) -> &'static str {
        match self {
            Init::Floor => "floor",
            Init::Ours => "ours",
            Init::OursStatic => "ours, static",
            Init::Sysvinit => "sysvinit",
            Init::Busybox => "busybox",
            Init::Finit => "finit",
            Init::Runit => "runit",
            Init::Openrc => "openrc-init",
            Init::S6 => "s6-svscan",
            Init::Tini => "tini",
        }
    }

    fn missing(self) -> Option<&'static str> {
        (self == Init::OursStatic && static_programs().is_none())
            .then_some("only `make bench` has built it")
    }

    fn is_peer(self) -> bool {
        !matches!(self, Init::Floor | Init::Ours | Init::OursStatic)
    }
}

impl Init {
    /// All but the floor, which is none.
    pub(crate) const ALL: [Init; 9] = [
        Init::Ours,
        Init::OursStatic,
        Init::Sysvinit,
        Init::Busybox,
        Init::Finit,
        Init::Runit,
        Init::Openrc,
        Init::S6,
        Init::Tini,
    ];

    /// The file that becomes `/sbin/init`.
    pub(crate) fn program(self) -> PathBuf {
        match self {
            Init::Floor => stamp().to_owned(),
            Init::Ours => programs().join("init"),
            Init::OursStatic => static_programs().unwrap().join("init"),
            Init::Sysvinit => original().join("sbin/init"),
            Init::Busybox => PathBuf::from("/bin/busybox"),
            Init::Finit => peers().join("sbin/finit"),
            Init::Runit => peers().join("sbin/runit"),
            Init::Openrc => peers().join("sbin/openrc-init"),
            Init::S6 => peers().join("usr/bin/s6-svscan"),
            Init::Tini => peers().join("usr/bin/tini"),
        }
    }

    /// A machine that does this work in order.
    pub(crate) fn machine(self, work: &[Work]) -> Machine {
        self.plan(work).boot()
    }

    pub(crate) fn plan(self, work: &[Work]) -> Plan {
        let plan = self.configured(work);
        match self {
            Init::Ours | Init::OursStatic => plan,
            // The word that tells ours that this is a machine means nothing to others.
            _ => plan.in_container(),
        }
    }

    fn configured(self, work: &[Work]) -> Plan {
        let root = self.root();
        match self {
            Init::Ours | Init::OursStatic | Init::Sysvinit => {
                root.write("/etc/inittab", inittab(work));
                Plan::on(root)
            }
            Init::Busybox => {
                root.write("/etc/inittab", busybox_table(work));
                Plan::on(root)
            }
            Init::Finit => {
                root.write("/etc/finit.conf", finit_table(work));
                Plan::on(root)
                    .file("/etc/passwd", "root::0:0::/:/bin/sh\n")
                    .file("/etc/group", "root::0:\n")
                    .file("/etc/fstab", "")
            }
            Init::Runit => {
                root.script("/etc/runit/1", "exit 0");
                root.script("/etc/runit/2", "exec /bin/runsvdir /service");
                root.script("/etc/runit/3", "exit 0");
                for program in ["runsvdir", "runsv"] {
                    root.install(
                        &peers().join("usr/bin").join(program),
                        &format!("bin/{program}"),
                    );
                }
                services(&root, "service", work);
                Plan::on(root)
            }
            Init::Openrc => {
                // What it would hand everything to: only the process 1 of OpenRC is measured.
                root.script(
                    "/sbin/openrc",
                    &format!(
                        "case $1 in sysinit | boot) exit 0 ;; esac\n{}",
                        script(work)
                    ),
                );
                Plan::on(root)
            }
            Init::S6 => {
                fs::create_dir_all(root.at("/usr/bin")).unwrap();
                root.install(
                    &peers().join("usr/bin/s6-supervise"),
                    "usr/bin/s6-supervise",
                );
                services(&root, "scan", work);
                Plan::on(root).word("/scan")
            }
            Init::Tini => {
                root.script("/bin/work", &script(work));
                Plan::on(root).word("--").word("/bin/work")
            }
            Init::Floor => {
                root.script("/bin/work", &script(work));
                Plan::on(root).word("reap").word("/bin/work")
            }
        }
    }

    /// A root with it as process 1 and nothing to do.
    pub(crate) fn root(self) -> Root {
        let root = match self {
            Init::Sysvinit => Root::new(super::support::root::Subject::Original),
            _ => Root::with_init(&self.program()),
        };
        if matches!(
            self,
            Init::Finit | Init::Runit | Init::Openrc | Init::S6 | Init::Tini
        ) {
            // What these link lies beside them, not on this machine.
            for folder in ["lib/x86_64-linux-gnu", "usr/lib/x86_64-linux-gnu"] {
                copy_libraries(&peers().join(folder), &root.at("lib/x86_64-linux-gnu"));
            }
            // Only for its libraries.
            root.install(Path::new("/bin/true"), "bin/true-of-libc");
        }
        for name in ["stamp", "nop", "orphans"] {
            let inside = root.at(&format!("/bin/{name}"));
            fs::copy(stamp(), inside).unwrap();
        }
        root
    }
}

fn copy_libraries(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for library in fs::read_dir(from).into_iter().flatten() {
        let library = library.unwrap().path();
        let inside = to.join(library.file_name().unwrap());
        if library.is_file() && !inside.exists() {
            fs::copy(&library, inside).unwrap();
        }
    }
}

/// `stamp.c`, compiled.
pub(crate) fn stamp() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let program = Path::new(env!("CARGO_TARGET_TMPDIR")).join("stamp");
        let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("benches/stamp.c");
        run(Command::new("cc")
            .args(["-O2", "-static", "-o"])
            .arg(&program)
            .arg(source));
        program
    })
}

/// Where the programs are that are measured: those of `make build`, or what this was built with.
pub(crate) fn programs() -> PathBuf {
    std::env::var_os("PROGRAMS").map_or_else(
        || {
            let init = Path::new(env!("CARGO_BIN_EXE_init"));
            init.parent().unwrap().to_owned()
        },
        PathBuf::from,
    )
}

/// Where `make build STATIC=1` has left the programs, when `make bench` says so.
pub(crate) fn static_programs() -> Option<PathBuf> {
    std::env::var_os("STATIC_PROGRAMS").map(PathBuf::from)
}

/// The other inits, unpacked.
pub(crate) fn peers() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/testbed/peers");
        run(
            Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/peers"))
                .arg(&directory),
        );
        directory
    })
}

pub(crate) fn run(command: &mut Command) {
    let status = command
        .status()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    assert!(status.success(), "{command:?}: {status}");
}

/// Waits until the machine has noted `name`, and returns when that was, in nanoseconds.
pub(crate) fn stamped(machine: &Machine, name: &str) -> f64 {
    stamps(machine, name, 1)[0]
}

/// Waits until the machine has noted `name` so many times.
pub(crate) fn stamps(machine: &Machine, name: &str, times: usize) -> Vec<f64> {
    let deadline = Deadline::after(LIMIT);
    loop {
        let found = noted(machine, name);
        if found.len() >= times {
            return found;
        }
        assert!(
            deadline.left().is_some(),
            "{name:?} was noted {} times instead of {times}\n{}",
            found.len(),
            machine.transcript()
        );
        pause();
    }
}

/// When `name` has been noted so far.
pub(crate) fn noted(machine: &Machine, name: &str) -> Vec<f64> {
    machine
        .read("/out/stamps")
        .lines()
        .filter_map(|line| line.strip_prefix(name)?.strip_prefix(' ')?.parse().ok())
        .collect()
}

/// Writes a request for init as soon as it is there to read it, and says when it was written.
pub(crate) fn ask_at(machine: &Machine, request: &[u8]) -> f64 {
    let deadline = Deadline::after(LIMIT);
    loop {
        let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).unwrap();
        if machine.try_ask(request) {
            #[expect(clippy::cast_precision_loss, reason = "less than 2^52 ns are 52 days")]
            return now.tv_sec() as f64 * 1e9 + now.tv_nsec() as f64;
        }
        assert!(
            deadline.left().is_some(),
            "nobody reads requests\n{}",
            machine.transcript()
        );
        pause();
    }
}

/// A machine whose process 1 is the bare loop, with these words.
pub(crate) fn floor(words: &[&str]) -> Plan {
    let root = Init::Floor.root();
    words
        .iter()
        .fold(Plan::on(root).in_container(), |plan, word| plan.word(word))
}

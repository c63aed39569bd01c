//! Roots with this machine's programs and folders of their own for everything a service has, one with Debian's tools
//! and one with ours.
//!
//! A play is a shell script that runs in the root, in namespaces of its own. Cases are words for a shell, each run
//! after `prepare`; what came of them is read from files.

use std::fmt::Write;
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::{Mutex, OnceLock, PoisonError};

use nix::unistd::geteuid;
use tempfile::TempDir;

use crate::support::root::copy_program;

/// Whose tools are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Debian,
    Ours,
}

/// What a case has come to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) output: String,
    pub(crate) errors: String,
    pub(crate) code: String,
}

/// One call.
#[derive(Debug, Clone)]
pub(crate) struct Case {
    /// Words for a shell, run before the call.
    pub(crate) before: &'static str,
    pub(crate) call: &'static str,
    pub(crate) expected: Expected,
}

/// What is known of a case beforehand.
#[derive(Debug, Clone)]
pub(crate) enum Expected {
    /// The two do the same.
    Same,
    /// They differ: what Debian's prints and what ours does, each as `CODE|STDOUT|STDERR`.
    Differs(&'static str, &'static str),
}

pub(crate) fn same(call: &'static str) -> Case {
    Case {
        before: "",
        call,
        expected: Expected::Same,
    }
}

pub(crate) fn differs(call: &'static str, debian: &'static str, ours: &'static str) -> Case {
    Case {
        expected: Expected::Differs(debian, ours),
        ..same(call)
    }
}

impl Case {
    pub(crate) fn after(self, before: &'static str) -> Self {
        Self { before, ..self }
    }
}

impl Outcome {
    fn line(&self) -> String {
        format!("{}|{}|{}", self.code, self.output, self.errors)
    }
}

/// Functions for every play: `script NAME TEXT` makes an rc script, `link LEVEL NAME` a link.
const WORDS: &str = r#"
script() { printf '#!/bin/sh\n%s\n' "$2" >"/etc/init.d/$1" && chmod 755 "/etc/init.d/$1"; }
link() { mkdir -p "/etc/rc$1.d" && ln -s "../init.d/${2#???}" "/etc/rc$1.d/$2"; }
level() { printf "$1" >/run/runlevel; }
policy() { printf '#!/bin/sh\necho "policy: $*" >&2\n%s\n' "$1" >/usr/sbin/policy-rc.d; chmod 755 /usr/sbin/policy-rc.d; }
"#;

/// Moves in, as root of this machine or of a user namespace.
const MOVE_IN: &str = r#"
set -eu
mount --make-rprivate /
for folder in $SHARED; do
    [ ! -d "/$folder" ] || { mkdir -p "$ROOT/$folder"; mount --rbind "/$folder" "$ROOT/$folder"; }
done
mount -t proc proc "$ROOT/proc"
for node in null zero tty; do : >"$ROOT/dev/$node"; mount --bind "/dev/$node" "$ROOT/dev/$node"; done
exec chroot "$ROOT" /usr/bin/env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM=dumb LC_ALL=C FOREIGN=x \
    /bin/sh /play
"#;

pub(crate) struct Bench {
    folder: TempDir,
}

impl Bench {
    pub(crate) fn new(subject: Subject) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let bench = Self { folder };
        for name in [
            "etc/init.d",
            "etc/default",
            "proc",
            "dev",
            "run",
            "tmp",
            "root",
            "var/log",
            "usr/sbin",
            "out",
        ] {
            fs::create_dir_all(bench.path(name)).unwrap();
        }
        fs::set_permissions(bench.path("out"), fs::Permissions::from_mode(0o777)).unwrap();
        symlink("../run", bench.path("var/run")).unwrap();
        for name in ["bin", "sbin", "lib", "lib64", "lib32"] {
            let here = Path::new("/").join(name);
            if let Ok(target) = fs::read_link(&here) {
                symlink(target, bench.path(name)).unwrap();
            }
        }
        fs::write(bench.path("etc/passwd"), "root:x:0:0::/root:/bin/sh\n").unwrap();
        let sysvtools = Path::new(env!("CARGO_BIN_EXE_sysvtools"));
        copy_program(sysvtools, &bench.path("usr/sbin/sysvtools"));
        bring_link(&bench, "runlevel");
        // Its being there is asked for by invoke-rc.d.
        symlink("sysvtools", bench.path("usr/sbin/init")).unwrap();
        match subject {
            Subject::Ours => {
                for name in ["service", "invoke-rc.d", "chkconfig", "pidof", "rc"] {
                    bring_link(&bench, name);
                }
            }
            Subject::Debian => {
                for name in ["service", "invoke-rc.d"] {
                    let program = debian().join("usr/sbin").join(name);
                    copy_program(&program, &bench.path("usr/sbin").join(name));
                }
                for (package, file) in [("sysv-rc", "lib/init/rc"), ("startpar", "bin/startpar")] {
                    let program = unpacked(package, package, file).join(file);
                    let name = program.file_name().unwrap();
                    copy_program(&program, &bench.path("usr/sbin").join(name));
                }
            }
        }
        bench
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// Runs a script in the root; returns what it has said and how it ended.
    pub(crate) fn play(&self, script: &str) -> Outcome {
        fs::write(self.path("play"), format!("{WORDS}{script}\n")).unwrap();
        let mut command = Command::new("unshare");
        if !geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        let output = command
            .args(["--pid", "--mount", "--uts", "--ipc", "--net", "--fork"])
            .args(["--kill-child=KILL", "sh", "-c", MOVE_IN])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("ROOT", self.folder.path())
            .env("SHARED", "usr/bin usr/lib usr/lib32 usr/lib64 usr/share")
            .stdin(Stdio::null())
            .output()
            .expect("the tests need unshare");
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Outcome {
            output: text(&output.stdout),
            errors: text(&output.stderr),
            code: output
                .status
                .code()
                .map_or("none".to_owned(), |code| code.to_string()),
        }
    }

    /// Plays all cases in one go, each in a tree that `prepare` has made anew.
    fn cases(&self, prepare: &str, cases: &[Case]) -> Vec<Outcome> {
        let mut script = format!("prepare() {{\n{prepare}\n}}\n");
        for (number, Case { before, call, .. }) in cases.iter().enumerate() {
            writeln!(
                script,
                "( rm -rf /etc/init.d /etc/rc?.d /run/* /usr/sbin/policy-rc.d; ln -sf sysvtools /usr/sbin/init; mkdir -p /etc/init.d; cd /root; prepare\n{before}\n\
                 {call}\n) >/out/{number}.out 2>/out/{number}.err </dev/null; echo $? >/out/{number}.code"
            )
            .unwrap();
        }
        let whole = self.play(&script);
        let read = |number: usize, what: &str| {
            let path = self.path(&format!("out/{number}.{what}"));
            let text = fs::read(&path).unwrap_or_else(|error| panic!("{error}: {whole:?}"));
            String::from_utf8_lossy(&text).trim_end().to_owned()
        };
        (0..cases.len())
            .map(|number| Outcome {
                output: read(number, "out"),
                errors: read(number, "err"),
                code: read(number, "code"),
            })
            .collect()
    }
}

fn bring_link(bench: &Bench, name: &str) {
    symlink("sysvtools", bench.path("usr/sbin").join(name)).unwrap();
}

/// Plays the cases on both sides and fails with all that are not as expected.
#[track_caller]
pub(crate) fn compare(prepare: &str, cases: &[Case]) {
    let debian = Bench::new(Subject::Debian).cases(prepare, cases);
    let ours = Bench::new(Subject::Ours).cases(prepare, cases);
    let mut wrong = String::new();
    for ((case, debian), ours) in cases.iter().zip(&debian).zip(&ours) {
        let (debian, ours) = (debian.line(), ours.line());
        let is_right = match &case.expected {
            Expected::Same => debian == ours,
            Expected::Differs(one, other) => debian == *one && ours == *other && one != other,
        };
        if !is_right {
            writeln!(
                wrong,
                "{}; {}\n  Debian: {debian}\n  ours:   {ours}",
                case.before, case.call
            )
            .unwrap();
        }
    }
    assert!(wrong.is_empty(), "\n{wrong}");
}

/// Debian's init-system-helpers, unpacked.
fn debian() -> PathBuf {
    static FOLDER: OnceLock<PathBuf> = OnceLock::new();
    let unpack = || unpacked("init-system-helpers", "helpers", "usr/sbin/service");
    FOLDER.get_or_init(unpack).clone()
}

/// Debian's file of the LSB's functions.
pub(crate) fn functions_of_debian() -> PathBuf {
    let file = "lib/lsb/init-functions";
    unpacked("sysvinit-utils", "lsb", file).join(file)
}

fn unpacked(package: &str, name: &str, file: &str) -> PathBuf {
    // Tests that start together ask for it together.
    static ONE_AT_A_TIME: Mutex<()> = Mutex::new(());
    let _mine = ONE_AT_A_TIME.lock().unwrap_or_else(PoisonError::into_inner);
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let folder = here.join("target/testbed").join(name);
    if !folder.join(file).exists() {
        let mut unpack = Command::new(here.join("tests/setup/unpack"));
        let status = unpack.arg(package).arg(&folder).status();
        assert!(status.unwrap().success(), "Debian's {package} is not here");
    }
    folder
}

//! A closed room for programs that end machines: a root of its own in fresh namespaces, with busybox and the tools
//! under test.
//!
//! Nothing that could reach this machine is started before the room has seen that it is one. Its files lie in a
//! temporary folder, so that a test reads and writes them from outside: it makes the initctl FIFO and reads what
//! arrives there, and it brings terminals whose other end it holds.
//!
//! `INIT_UNDER_TEST=original` puts Debian's unmodified sysvinit into the room instead of ours.

use std::fs::{self, File, OpenOptions};
use std::io::{ErrorKind, Read};
use std::os::unix::fs::{OpenOptionsExt, symlink};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::pty::openpty;
use nix::sys::stat::Mode;
use nix::unistd::{geteuid, mkfifo, ttyname};
use tempfile::TempDir;

use crate::support::root::{copy_program, write_program};
use crate::support::wait_until;

/// What is not over by then hangs. The tools write to the disks what is in memory, all of this machine's, which takes
/// its time while others write as well.
const LIMIT: Duration = Duration::from_secs(120);
const NAMESPACES: [&str; 5] = ["pid", "mnt", "uts", "ipc", "net"];

/// Checks that this is a room, and moves in. Everything it needs comes in variables.
const MOVE_IN: &str = r#"
set -eu
[ "$$" = 1 ] || { echo "room: not PID 1 of a namespace" >&2; exit 99; }
for outside in $OUTSIDE; do
    name=${outside%%:*}
    [ "$(readlink "/proc/self/ns/$name")" != "$outside" ] || { echo "room: shares $outside" >&2; exit 99; }
done
mount --make-rprivate /
mount -t proc proc "$ROOM/proc"
for node in null full; do mount --bind "/dev/$node" "$ROOM/dev/$node"; done
for terminal in $TERMINALS; do
    mount --bind "${terminal#*=}" "$ROOM/dev/${terminal%%=*}"
done
cd "$ROOM"
exec env -i PATH=/sbin:/bin HOME=/ TERM=dumb $ENTRANCE chroot . /bin/busybox sh -c "$SCRIPT"
"#;

/// Whose tools are in the room.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Ours,
    Original,
}

impl Subject {
    pub(crate) fn chosen() -> Self {
        match std::env::var("INIT_UNDER_TEST").as_deref() {
            Err(_) | Ok("ours") => Self::Ours,
            Ok("original") => Self::Original,
            Ok(other) => panic!("INIT_UNDER_TEST is `ours' or `original', not `{other}'"),
        }
    }
}

pub(crate) struct Room {
    folder: TempDir,
    terminals: Vec<String>,
    entrance: &'static str,
}

/// A script that runs in a room.
pub(crate) struct Running {
    child: Child,
    output: PathBuf,
    errors: PathBuf,
}

/// How a script ended.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) output: String,
    pub(crate) errors: String,
    pub(crate) code: Option<i32>,
    /// What ended the namespace: 1 where it was restarted, 2 where it was halted.
    pub(crate) signal: Option<i32>,
}

impl Room {
    /// With the programs that are asked for.
    pub(crate) fn new() -> Self {
        Self::with(Subject::chosen())
    }

    /// With these programs, whichever are asked for.
    pub(crate) fn with(subject: Subject) -> Self {
        let folder = TempDir::new_in(env!("CARGO_TARGET_TMPDIR")).unwrap();
        let room = Self {
            folder,
            terminals: Vec::new(),
            entrance: "",
        };
        for name in [
            "bin", "sbin", "usr/bin", "etc", "dev", "proc", "run", "tmp", "var/log",
        ] {
            fs::create_dir_all(room.path(name)).unwrap();
        }
        symlink("../run", room.path("var/run")).unwrap();
        room.write(
            "etc/passwd",
            "root:x:0:0::/:/bin/sh\nnobody:x:65534:65534::/:/bin/sh\n",
        );
        room.write("dev/null", "");
        room.write("dev/full", "");
        let busybox = Path::new("/bin/busybox");
        assert!(
            busybox.exists(),
            "the room needs /bin/busybox, a static one: apt-get install busybox-static"
        );
        copy_program(busybox, &room.path("bin/busybox"));
        symlink("busybox", room.path("bin/sh")).unwrap();
        match subject {
            Subject::Ours => room.bring_ours(),
            Subject::Original => room.bring_original(),
        }
        room
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, name: &str, content: impl AsRef<[u8]>) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    /// Writes a file that can be executed.
    pub(crate) fn program(&self, name: &str, text: &str) {
        let path = self.path(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_program(&path, text);
    }

    pub(crate) fn read(&self, name: &str) -> String {
        fs::read_to_string(self.path(name)).unwrap()
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.path(name).symlink_metadata().is_ok()
    }

    /// Puts a program into the room that says how it was called.
    pub(crate) fn replace_by_echo(&self, program: &str) {
        fs::remove_file(self.path(program)).unwrap();
        self.program(program, "#!/bin/sh\necho \"$0 $*\"\n");
    }

    /// Makes the initctl FIFO and opens its reading end.
    pub(crate) fn fifo(&self) -> File {
        mkfifo(&self.path("run/initctl"), Mode::from_bits_truncate(0o600)).unwrap();
        self.open_fifo()
    }

    pub(crate) fn open_fifo(&self) -> File {
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(OFlag::O_NONBLOCK.bits())
            .open(self.path("run/initctl"))
            .unwrap()
    }

    /// Brings a terminal below this name and returns its other end and the terminal itself.
    pub(crate) fn terminal(&mut self, name: &str) -> (File, File) {
        let pair = openpty(None, None).unwrap();
        let path = ttyname(&pair.slave).unwrap();
        self.write(&format!("dev/{name}"), "");
        self.terminals.push(format!("{name}={}", path.display()));
        (not_waiting(pair.master.into()), pair.slave.into())
    }

    /// Has everything in the room run by a command of this machine's that takes rights away.
    pub(crate) fn enter_through(&mut self, command: &'static str) {
        self.entrance = command;
    }

    pub(crate) fn start(&self, script: &str) -> Running {
        let output = self.path("tmp/output");
        let errors = self.path("tmp/errors");
        let outside: Vec<String> = NAMESPACES
            .iter()
            .map(|name| fs::read_link(format!("/proc/self/ns/{name}")).unwrap())
            .map(|link| link.to_string_lossy().into_owned())
            .collect();
        let mut command = Command::new("unshare");
        if !geteuid().is_root() {
            command.args(["--user", "--map-root-user", "--map-auto"]);
        }
        command
            .args(["--pid", "--mount", "--uts", "--ipc", "--net", "--fork"])
            .args(["--kill-child=KILL", "sh", "-c", MOVE_IN])
            .env_clear()
            .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
            .env("OUTSIDE", outside.join(" "))
            .env("ROOM", self.folder.path())
            .env("ENTRANCE", self.entrance)
            .env("TERMINALS", self.terminals.join(" "))
            // The shell must stay PID 1; it becomes the last command of a script.
            .env("SCRIPT", format!("{script}\nexit $?"))
            .stdin(Stdio::null())
            .stdout(File::create(&output).unwrap())
            .stderr(File::create(&errors).unwrap());
        Running {
            child: command.spawn().expect("the room needs unshare"),
            output,
            errors,
        }
    }

    pub(crate) fn run(&self, script: &str) -> Outcome {
        self.start(script).wait()
    }

    fn bring_ours(&self) {
        for (name, file) in [
            ("init", env!("CARGO_BIN_EXE_init")),
            ("sysvtools", env!("CARGO_BIN_EXE_sysvtools")),
        ] {
            self.bring(Path::new(file), &format!("sbin/{name}"));
        }
        symlink("init", self.path("sbin/telinit")).unwrap();
        for name in [
            "fstab-decode",
            "halt",
            "killall5",
            "poweroff",
            "reboot",
            "runlevel",
            "shutdown",
        ] {
            symlink("sysvtools", self.path("sbin").join(name)).unwrap();
        }
        symlink("../sbin/sysvtools", self.path("bin/pidof")).unwrap();
        symlink("../../sbin/sysvtools", self.path("usr/bin/readbootlog")).unwrap();
    }

    fn bring_original(&self) {
        let original = original();
        for name in [
            "fstab-decode",
            "halt",
            "init",
            "killall5",
            "runlevel",
            "shutdown",
        ] {
            self.bring(&original.join("sbin").join(name), &format!("sbin/{name}"));
        }
        symlink("init", self.path("sbin/telinit")).unwrap();
        symlink("halt", self.path("sbin/poweroff")).unwrap();
        symlink("halt", self.path("sbin/reboot")).unwrap();
        symlink("../sbin/killall5", self.path("bin/pidof")).unwrap();
        self.bring(&original.join("usr/bin/readbootlog"), "usr/bin/readbootlog");
    }

    /// Copies a program and the libraries it names.
    pub(crate) fn bring(&self, program: &Path, name: &str) {
        copy_program(program, &self.path(name));
        let list = Command::new("ldd").arg(program).output().unwrap();
        let list = String::from_utf8(list.stdout).unwrap();
        for library in list.split_whitespace().filter(|word| word.starts_with('/')) {
            let inside = self.path(library.trim_start_matches('/'));
            fs::create_dir_all(inside.parent().unwrap()).unwrap();
            copy_program(Path::new(library), &inside);
        }
    }
}

impl Running {
    pub(crate) fn wait(mut self) -> Outcome {
        let read = |path: &Path| String::from_utf8_lossy(&fs::read(path).unwrap()).into_owned();
        let status = wait_until(
            "the script ends",
            LIMIT,
            || self.child.try_wait().unwrap(),
            || format!("{}{}", read(&self.output), read(&self.errors)),
        );
        let outcome = Outcome {
            output: read(&self.output),
            errors: read(&self.errors),
            code: status.code(),
            signal: status.signal(),
        };
        assert_ne!(outcome.code, Some(99), "{}", outcome.errors);
        outcome
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // A test that failed half-way takes its namespaces with it.
        self.child.kill().unwrap_or_default();
        self.child.wait().map(drop).unwrap_or_default();
    }
}

/// The original's programs. Their folder is this crate's own, and appears when it is whole.
fn original() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let here = Path::new(env!("CARGO_MANIFEST_DIR"));
        let testbed = here.join("target/testbed");
        let place = testbed.join("original-tools");
        if place.exists() {
            return place;
        }
        fs::create_dir_all(&testbed).unwrap();
        let making = TempDir::new_in(&testbed).unwrap();
        let whole = making.path().join("whole");
        for package in ["sysvinit-core", "sysvinit-utils", "bootlogd"] {
            let status = Command::new(here.join("tests/setup/unpack"))
                .arg(package)
                .arg(&whole)
                .status();
            assert!(status.unwrap().success(), "Debian's {package} is not here");
        }
        // Another run of these tests may have been quicker.
        if let Err(error) = fs::rename(&whole, &place) {
            assert!(place.exists(), "{}: {error}", place.display());
        }
        place
    })
}

/// Looks until there is something to see.
#[track_caller]
pub(crate) fn eventually<T>(what: &str, look: impl FnMut() -> Option<T>) -> T {
    wait_until(what, LIMIT, look, String::new)
}

/// Has reads and writes of a file return at once.
pub(crate) fn not_waiting(file: File) -> File {
    use nix::fcntl::{FcntlArg, fcntl};
    fcntl(&file, FcntlArg::F_SETFL(OFlag::O_NONBLOCK)).unwrap();
    file
}

/// Reads what is there now.
pub(crate) fn read_now(mut file: &File) -> Vec<u8> {
    let mut bytes = Vec::new();
    match file.read_to_end(&mut bytes) {
        Err(error) if error.kind() != ErrorKind::WouldBlock => panic!("{error}"),
        _ => bytes,
    }
}

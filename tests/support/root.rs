//! A root directory for an init: busybox, the programs under test with their libraries, and the files of a case.

use std::env;
use std::ffi::OsStr;
use std::fs;
use std::io::Write;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use tempfile::TempDir;

/// Which init a case is about: `INIT_UNDER_TEST=ours` (the default) or `original`, Debian's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Subject {
    Ours,
    Original,
}

impl Subject {
    pub(crate) fn under_test() -> Self {
        match env::var("INIT_UNDER_TEST").as_deref() {
            Err(_) | Ok("ours" | "") => Subject::Ours,
            Ok("original") => Subject::Original,
            Ok(other) => panic!("INIT_UNDER_TEST={other}: say ours or original"),
        }
    }
}

pub(crate) fn ours() -> bool {
    Subject::under_test() == Subject::Ours
}

/// What of busybox the cases use. Its init, halt and their like are left out on purpose.
const APPLETS: [&str; 34] = [
    "cat", "chmod", "cp", "cut", "date", "dd", "echo", "env", "false", "grep", "head", "kill",
    "ln", "ls", "mkdir", "mkfifo", "mount", "mv", "ps", "readlink", "rm", "sed", "seq", "setsid",
    "sh", "sleep", "sync", "tail", "timeout", "touch", "true", "tty", "umount", "usleep",
];

/// The directory that becomes `/` of a machine. It goes away with the value.
pub(crate) struct Root {
    directory: TempDir,
}

impl Root {
    /// A root without an init.
    fn empty() -> Self {
        let root = Root {
            directory: scratch(),
        };
        root.lay_out();
        root
    }

    /// A root with what is in `tree`, and nothing else.
    pub(crate) fn copy_of(tree: &Path) -> Self {
        let root = Root {
            directory: scratch(),
        };
        copy_tree(tree, root.path());
        root
    }

    /// A root with `program` as `/sbin/init`, and without clients.
    pub(crate) fn with_init(program: &Path) -> Self {
        let root = Root::empty();
        root.install(program, "sbin/init");
        root
    }

    /// A root with the subject as `/sbin/init` and its clients.
    pub(crate) fn new(subject: Subject) -> Self {
        let root = Root::empty();
        match subject {
            Subject::Original => copy_tree(original(), root.path()),
            Subject::Ours => {
                root.install(Path::new(env!("CARGO_BIN_EXE_init")), "sbin/init");
                root.install(Path::new(env!("CARGO_BIN_EXE_sysvtools")), "sbin/sysvtools");
                root.link("init", "sbin/telinit");
                for tool in ["halt", "poweroff", "reboot", "shutdown", "runlevel"] {
                    root.link("sysvtools", &format!("sbin/{tool}"));
                }
            }
        }
        root
    }

    /// Another root like this one, which shares the programs' files and nothing that is written to. For a test with
    /// hundreds of machines.
    pub(crate) fn twin(&self) -> Self {
        let directory = scratch();
        let mut contents = self.path().as_os_str().to_owned();
        contents.push("/.");
        copy(&[OsStr::new("-al"), &contents, directory.path().as_os_str()]);
        let twin = Root { directory };
        fs::set_permissions(twin.path(), fs::Permissions::from_mode(0o755)).unwrap();
        fs::remove_file(twin.at("var/log/wtmp")).unwrap();
        twin.write("var/log/wtmp", "");
        twin
    }

    fn lay_out(&self) {
        fs::set_permissions(self.path(), fs::Permissions::from_mode(0o755)).unwrap();
        for folder in [
            "bin", "sbin", "etc", "dev", "proc", "run", "tmp", "var/log", "out", "old",
        ] {
            fs::create_dir_all(self.path().join(folder)).unwrap();
        }
        // Relative, so that it leads to the same place when the machine is looked at from outside.
        self.link("../run", "var/run");
        self.write("var/log/wtmp", "");
        self.script("bin/note", "echo \"$*\" >>/out/log");
        self.install(busybox(), "bin/busybox");
        for applet in APPLETS {
            self.link("busybox", &format!("bin/{applet}"));
        }
    }

    pub(crate) fn path(&self) -> &Path {
        self.directory.path()
    }

    /// Where `inside`, such as `/etc/inittab`, lies outside.
    pub(crate) fn at(&self, inside: &str) -> PathBuf {
        self.path().join(inside.trim_start_matches('/'))
    }

    pub(crate) fn write(&self, inside: &str, text: impl AsRef<[u8]>) {
        let path = self.at(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }

    /// Writes a shell script that can be executed.
    pub(crate) fn script(&self, inside: &str, text: &str) {
        let path = self.at(inside);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        write_program(&path, format!("#!/bin/sh\n{text}\n"));
    }

    pub(crate) fn link(&self, target: &str, inside: &str) {
        symlink(target, self.at(inside)).unwrap();
    }

    /// Puts a program of this machine and its libraries into the root.
    pub(crate) fn install(&self, program: &Path, inside: &str) {
        copy_program(program, &self.at(inside));
        for library in libraries(program) {
            let inside = library.display().to_string();
            if !self.at(&inside).exists() {
                fs::create_dir_all(self.at(&inside).parent().unwrap()).unwrap();
                copy_program(&library, &self.at(&inside));
            }
        }
    }

    /// Puts the other subject's init at `inside`, with the libraries it needs.
    pub(crate) fn install_other_init(&self, subject: Subject, inside: &str) {
        match subject {
            Subject::Original => self.install(Path::new(env!("CARGO_BIN_EXE_init")), inside),
            Subject::Ours => {
                copy_libraries(&original().join("lib"), &self.at("lib"));
                copy_program(&original().join("sbin/init"), &self.at(inside));
            }
        }
    }

    /// Puts Debian's own clients beside our init, in place of ours. `/sbin/init` stays.
    pub(crate) fn install_original_clients(&self) {
        let original = original();
        copy_libraries(&original.join("lib"), &self.at("lib"));
        for tool in [
            "halt", "poweroff", "reboot", "shutdown", "runlevel", "telinit",
        ] {
            fs::remove_file(self.at("sbin").join(tool)).unwrap();
            // Follows the links, so that telinit is Debian's program and not a link to our init.
            copy_program(
                &original.join("sbin").join(tool),
                &self.at("sbin").join(tool),
            );
        }
    }
}

/// Debian's init, fetched the first time somebody asks.
pub(crate) fn original() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/testbed/original");
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/original");
        let status = Command::new(&script).arg(&directory).status().unwrap();
        assert!(status.success(), "{} failed: {status}", script.display());
        directory
    })
}

/// Our init with crashes on demand: it looks into `/run/crash-now` for what is to fail, and how.
pub(crate) fn crashing_init() -> &'static Path {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(|| {
        let target = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/crash-test");
        let status = Command::new(env!("CARGO"))
            .args(["build", "--locked", "--quiet", "--bin", "init"])
            .args(["--features", "crash-test", "--target-dir"])
            .arg(&target)
            .status()
            .unwrap();
        assert!(status.success(), "building init for crash tests: {status}");
        target.join("debug/init")
    })
}

fn busybox() -> &'static Path {
    static FOUND: OnceLock<PathBuf> = OnceLock::new();
    FOUND.get_or_init(|| {
        let path = env::var_os("PATH").unwrap_or_default();
        env::split_paths(&path)
            .map(|folder| folder.join("busybox"))
            .find(|program| program.exists())
            .expect("busybox is not installed; run: tests/setup/need busybox")
    })
}

/// The shared libraries and the loader that a program of this machine asks for.
fn libraries(program: &Path) -> Vec<PathBuf> {
    let output = Command::new("ldd")
        .arg(program)
        .output()
        .expect("cannot run ldd");
    String::from_utf8_lossy(&output.stdout)
        .split_whitespace()
        .filter(|word| word.starts_with('/') && !word.ends_with(':'))
        .map(PathBuf::from)
        .collect()
}

fn scratch() -> TempDir {
    tempfile::Builder::new()
        .prefix("machine-")
        .tempdir_in(env!("CARGO_TARGET_TMPDIR"))
        .expect("cannot make a directory for the machine")
}

fn copy_tree(from: &Path, to: &Path) {
    let mut contents = from.as_os_str().to_owned();
    contents.push("/.");
    copy(&[OsStr::new("-a"), &contents, to.as_os_str()]);
}

/// Copies a directory of libraries without replacing what is there.
fn copy_libraries(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for library in fs::read_dir(from).unwrap() {
        let library = library.unwrap().path();
        copy(&[OsStr::new("-an"), library.as_os_str(), to.as_os_str()]);
    }
}

/// Writes a file that can be executed, in a process of its own.
///
/// Nobody can execute a file that somebody has open for writing. If this process had, so would each child that another
/// thread starts meanwhile, until it executes its own program, and that may come after whoever is to execute the file:
/// "text file busy".
pub(crate) fn write_program(path: &Path, text: impl AsRef<[u8]>) {
    let mut writer = Command::new("sh")
        .args(["-c", "cat >\"$1\" && chmod 755 \"$1\"", "sh"])
        .arg(path)
        .stdin(Stdio::piped())
        .spawn()
        .expect("cannot run sh");
    let mut input = writer.stdin.take().unwrap();
    input.write_all(text.as_ref()).unwrap();
    drop(input);
    let status = writer.wait().unwrap();
    assert!(status.success(), "{}: {status}", path.display());
}

/// Copies a file that can be executed, for the same reason in a process of its own.
pub(crate) fn copy_program(from: &Path, to: &Path) {
    let options = ["--dereference", "--preserve=mode", "--"].map(OsStr::new);
    copy(&[&options[..], &[from.as_os_str(), to.as_os_str()]].concat());
}

fn copy(arguments: &[&OsStr]) {
    let status = Command::new("cp").args(arguments).status().unwrap();
    assert!(status.success(), "cp {arguments:?}: {status}");
}

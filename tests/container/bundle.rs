//! A container: a root, the runtime's own default settings with our words, and what it prints.

use crate::support::pty::Pty;
use crate::support::root::{Root, Subject};
use crate::support::{LIMIT, UNTIL_DOWN, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use tempfile::TempDir;

/// Who makes the container.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Runtime {
    Runc,
    Crun,
}

pub(crate) const BOTH: [Runtime; 2] = [Runtime::Runc, Runtime::Crun];

impl Runtime {
    fn name(self) -> &'static str {
        match self {
            Runtime::Runc => "runc",
            Runtime::Crun => "crun",
        }
    }

    /// The runtime with its state in a folder of the test's. Debian's crun refuses machines whose control groups are
    /// of both kinds, even where it is told to leave them alone, so it is shown none.
    fn command(self, state: &Path) -> Command {
        let mut command = match self {
            Runtime::Runc => Command::new("runc"),
            Runtime::Crun => {
                let mut command = Command::new("unshare");
                let script = "mount -t tmpfs none /sys/fs/cgroup && exec crun --cgroup-manager=disabled \"$@\"";
                command.args(["--mount", "sh", "-c", script, "crun"]);
                command
            }
        };
        command.arg("--root").arg(state);
        command
    }
}

/// A container that has not been started.
pub(crate) struct Bundle {
    runtime: Runtime,
    root: Root,
    folder: TempDir,
    edits: Vec<(String, String)>,
    rights: Vec<&'static str>,
}

/// A container that has been. It goes away with the value.
pub(crate) struct Container {
    bundle: Bundle,
    child: Child,
    /// Where its output and its errors are put. They may be one file.
    output: PathBuf,
    errors: PathBuf,
}

impl Bundle {
    /// A container whose first process is our init with these words.
    pub(crate) fn new(runtime: Runtime, words: &[&str]) -> Self {
        Bundle::on(runtime, Root::new(Subject::Ours), words)
    }

    pub(crate) fn on(runtime: Runtime, root: Root, words: &[&str]) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let status = Command::new(runtime.name())
            .arg("spec")
            .current_dir(folder.path())
            .status()
            .unwrap_or_else(|error| {
                let name = runtime.name();
                panic!("{name}: {error}; install it: tests/setup/need {name}")
            });
        assert!(status.success(), "{} spec: {status}", runtime.name());
        let words: Vec<String> = std::iter::once("/sbin/init")
            .chain(words.iter().copied())
            .map(|word| format!("{word:?}"))
            .collect();
        let rootfs = format!("\"{}\"", root.path().display());
        let bundle = Bundle {
            runtime,
            root,
            folder,
            edits: Vec::new(),
            rights: Vec::new(),
        };
        bundle
            .with("\"terminal\": true", "\"terminal\": false")
            .with("\"sh\"", &words.join(", "))
            .with("\"rootfs\"", &rootfs)
    }

    /// Writes something else for what stands once in the default settings.
    pub(crate) fn with(mut self, default: &str, ours: &str) -> Self {
        self.edits.push((default.to_owned(), ours.to_owned()));
        self
    }

    pub(crate) fn with_terminal(self) -> Self {
        self.with("\"terminal\": false", "\"terminal\": true")
    }

    /// A folder that can be written.
    pub(crate) fn with_tmpfs(self, inside: &str) -> Self {
        let mount = format!(
            "\"mounts\": [ {{ \"destination\": {inside:?}, \"type\": \"tmpfs\", \"source\": \"tmpfs\" }},"
        );
        self.with("\"mounts\": [", &mount)
    }

    /// Gives it a capability that it has not by default.
    pub(crate) fn with_right(mut self, capability: &'static str) -> Self {
        self.rights.push(capability);
        self
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    fn command(&self) -> Command {
        let path = self.folder.path().join("config.json");
        let mut text = fs::read_to_string(&path).unwrap();
        for (default, ours) in &self.edits {
            assert_eq!(text.matches(default).count(), 1, "{default} in {text}");
            text = text.replace(default, ours);
        }
        for capability in &self.rights {
            // It is one of those that stand in every set.
            let both = format!("\"CAP_KILL\", {capability:?}");
            text = text.replace("\"CAP_KILL\"", &both);
        }
        fs::write(&path, text).unwrap();
        let mut command = self.runtime.command(&self.state());
        command.args(["run", "--bundle"]).arg(self.folder.path());
        command.arg("--pid-file").arg(self.pid_file());
        command.arg(self.id());
        command
    }

    /// The control groups of the machine are named by it, so it is nobody else's.
    fn id(&self) -> String {
        let name = self.folder.path().file_name().unwrap();
        name.to_string_lossy().replace('.', "test-")
    }

    fn pid_file(&self) -> PathBuf {
        self.folder.path().join("pid")
    }

    fn state(&self) -> PathBuf {
        self.folder.path().join("state")
    }

    pub(crate) fn start(self) -> Container {
        let output = self.folder.path().join("output");
        self.start_with(Stdio::from(appending(&output)), output)
    }

    /// Starts it with another output than the file that [`Container::said`] reads.
    pub(crate) fn start_with(self, stdout: Stdio, output: PathBuf) -> Container {
        let errors = match self.runtime {
            // It stands between the two, and copies each when it comes to it, in the middle of a line of the other.
            Runtime::Runc => self.folder.path().join("errors"),
            Runtime::Crun => output.clone(),
        };
        let child = self
            .command()
            .stdin(Stdio::null())
            .stdout(stdout)
            .stderr(appending(&errors))
            .spawn()
            .unwrap();
        Container {
            bundle: self,
            child,
            output,
            errors,
        }
    }

    /// Starts it on a terminal, as for a person.
    pub(crate) fn start_on(self, terminal: &Pty) -> Container {
        let child = terminal.spawn(&self.command());
        let output = self.folder.path().join("output");
        Container {
            errors: output.clone(),
            output,
            bundle: self,
            child,
        }
    }

    /// Runs it to its end: what it has printed, and its exit status.
    pub(crate) fn run(self) -> (String, i32) {
        let mut container = self.start();
        let status = container.ended();
        (container.said(), status)
    }
}

/// A file that several may write to.
fn appending(path: &Path) -> File {
    let mut options = File::options();
    options.append(true).create(true).open(path).unwrap()
}

fn said_in(errors: &Path, output: &Path) -> String {
    let errors = Some(errors).filter(|errors| *errors != output);
    let files = errors.into_iter().chain([output]);
    let bytes: Vec<u8> = files
        .flat_map(|file| fs::read(file).unwrap_or_default())
        .collect();
    String::from_utf8_lossy(&bytes).into_owned()
}

impl Container {
    /// What it has printed: all of its errors first where they are not in the file of its output.
    pub(crate) fn said(&self) -> String {
        said_in(&self.errors, &self.output)
    }

    pub(crate) fn wait_for(&self, text: &str) {
        wait_until(
            &format!("the container says {text:?}"),
            LIMIT,
            || self.said().contains(text).then_some(()),
            || self.said(),
        );
    }

    /// Has the runtime send its first process a signal, as the manager does to stop it.
    pub(crate) fn kill(&self, signal: &str) {
        let mut command = self.bundle.runtime.command(&self.bundle.state());
        let output = command
            .args(["kill", &self.bundle.id(), signal])
            .output()
            .unwrap();
        assert!(output.status.success(), "{output:?}\n{}", self.said());
    }

    /// Has its first process fail, which only somebody outside can ask for.
    pub(crate) fn crash(&self) {
        kill(self.pid(), Signal::SIGSEGV).unwrap();
    }

    /// Its first process, by the number that it has outside.
    pub(crate) fn pid(&self) -> Pid {
        // The runtime writes the number down when the process runs already.
        wait_until(
            "the container's process is known",
            LIMIT,
            || {
                let text = fs::read_to_string(self.bundle.pid_file()).ok()?;
                text.trim().parse().ok().map(Pid::from_raw)
            },
            || self.said(),
        )
    }

    pub(crate) fn root(&self) -> &Root {
        &self.bundle.root
    }

    /// Waits until it has ended, and returns the exit status the runtime passes on.
    pub(crate) fn ended(&mut self) -> i32 {
        let (child, errors, output) = (&mut self.child, &self.errors, &self.output);
        let status = wait_until(
            "the container ends",
            UNTIL_DOWN,
            || child.try_wait().unwrap(),
            || said_in(errors, output),
        );
        status.code().unwrap_or_else(|| panic!("{status}"))
    }
}

impl Drop for Container {
    fn drop(&mut self) {
        if matches!(self.child.try_wait(), Ok(None)) {
            let mut command = self.bundle.runtime.command(&self.bundle.state());
            command.args(["delete", "--force", &self.bundle.id()]);
            command.output().map(drop).unwrap_or_default();
            // The runtime itself may hang at an output that nobody reads.
            self.child.kill().unwrap_or_default();
            self.child.wait().map(drop).unwrap_or_default();
        }
    }
}

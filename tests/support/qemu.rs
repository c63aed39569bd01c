//! A whole machine under QEMU, driven over its serial line, and the disks it starts from.
//!
//! Every wait has a condition and a limit, and ends at once with the transcript when the kernel panics or the machine is
//! gone. The machine dies with the value, and with the thread that made it.

use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use tempfile::TempDir;

/// A boot, or a way down, of a whole Debian takes about 30 s in software emulation on an idle machine.
pub(crate) const BOOT: Duration = Duration::from_secs(300);
/// One command on an emulated processor that shares the real ones with others.
pub(crate) const COMMAND: Duration = Duration::from_secs(120);

/// After this long something typed counts as lost.
const TRY: Duration = Duration::from_secs(20);

const QEMU: &str = "qemu-system-x86_64";

/// What a command in the machine printed (standard output and error) and its exit status.
#[derive(Debug)]
pub(crate) struct Outcome {
    pub(crate) status: i32,
    pub(crate) output: String,
}

/// Where `make testbed` puts kernels and systems, all of them made by the scripts in `tests/setup`.
pub(crate) fn testbed() -> PathBuf {
    static READY: OnceLock<PathBuf> = OnceLock::new();
    READY.get_or_init(make_testbed).clone()
}

/// Brings everything up to date with the sources, so that no test looks at the programs of yesterday.
fn make_testbed() -> PathBuf {
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    let testbed = top.join("target/testbed");
    std::fs::create_dir_all(&testbed).expect("making target/testbed");
    // Test programs may run side by side, and the scripts must not.
    let output = Command::new("flock")
        .arg(testbed.join("lock"))
        .args(["make", "-s", "testbed"])
        .current_dir(top)
        // A make or cargo that runs these tests is not asked to share its jobs with this one.
        .env_remove("MAKEFLAGS")
        .env_remove("MAKELEVEL")
        .stdin(Stdio::null())
        .output()
        .expect("`flock` (util-linux) and `make` prepare the machines of these tests");
    assert!(
        output.status.success(),
        "`make testbed` failed ({}):\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    );
    testbed
}

/// A disk image of one test's own; it goes with the value.
pub(crate) struct Disk {
    path: PathBuf,
    _directory: TempDir,
}

impl Disk {
    /// Makes the image by running `make`, a command that takes the file's name as its last argument.
    pub(crate) fn made_by(make: &mut Command) -> Disk {
        let directory = tempfile::tempdir_in(testbed()).expect("a directory for the disk");
        let path = directory.path().join("disk.img");
        let output = make
            .arg(&path)
            .stdin(Stdio::null())
            .output()
            .unwrap_or_else(|error| panic!("running {make:?}: {error}"));
        assert!(
            output.status.success(),
            "{make:?} ({}):\n{}{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr)
        );
        Disk {
            path,
            _directory: directory,
        }
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    pub(crate) fn copy_of(image: &Path) -> Disk {
        Disk::made_by(Command::new("cp").arg("--sparse=always").arg(image))
    }

    /// Fails unless the file system was taken down in order and needs no repair.
    pub(crate) fn must_be_clean(&self) {
        let state = Command::new("/sbin/dumpe2fs")
            .arg("-h")
            .arg(&self.path)
            .output()
            .expect("running dumpe2fs (e2fsprogs)");
        let state = String::from_utf8_lossy(&state.stdout).into_owned();
        // A journal that waits to be replayed is no damage to e2fsck -n, but no orderly way down either.
        assert!(
            !state.contains("needs_recovery"),
            "the root file system was not unmounted:\n{state}"
        );
        let check = Command::new("/sbin/e2fsck")
            .arg("-fn")
            .arg(&self.path)
            .output()
            .expect("running e2fsck (e2fsprogs)");
        assert!(
            check.status.success(),
            "e2fsck -fn ({}):\n{}",
            check.status,
            String::from_utf8_lossy(&check.stdout)
        );
    }
}

/// What to start a machine with.
#[derive(Default)]
pub(crate) struct Hardware<'a> {
    pub(crate) initramfs: Option<&'a Path>,
    /// The root file system (`root=`), as a disk for which the kernel needs no module.
    pub(crate) disk: Option<&'a Disk>,
    /// The kernel's words after those that every machine gets.
    pub(crate) words: &'a str,
    /// QEMU's words for what only some machines have.
    pub(crate) more: &'a [&'a str],
}

/// A running machine and what its serial line has said so far.
pub(crate) struct Machine {
    qemu: Child,
    keyboard: ChildStdin,
    line: ChildStdout,
    said: String,
    /// Up to where `said` was matched; what is waited for is looked for behind it.
    seen: usize,
    commands: u32,
    directory: TempDir,
}

impl Machine {
    pub(crate) fn start(hardware: &Hardware<'_>) -> Machine {
        let directory = tempfile::tempdir().expect("a directory for the monitor's socket");
        let kernel = testbed().join("kernel/vmlinuz");
        // The kernel ends this process when the thread that started it ends, however that came about.
        let mut command = Command::new("setpriv");
        command.args(["--pdeathsig", "KILL", "--", QEMU]);
        command.args(["-accel", "tcg", "-M", "pc", "-m", "256", "-nodefaults"]);
        command.args(["-display", "none", "-serial", "stdio", "-monitor"]);
        command.arg(format!(
            "unix:{},server=on,wait=off",
            directory.path().join("monitor").display()
        ));
        command.arg("-kernel").arg(kernel);
        let mut words = String::from("console=ttyS0 quiet panic=-1");
        if let Some(initramfs) = hardware.initramfs {
            command.arg("-initrd").arg(initramfs);
            words.push_str(" rdinit=/sbin/init");
        }
        if let Some(disk) = hardware.disk {
            // Nothing but this test ever reads the image: it need not reach the real disk.
            command.arg("-drive").arg(format!(
                "if=none,id=root,format=raw,cache=unsafe,file={}",
                disk.path.display()
            ));
            command.args(["-device", "nvme,id=disks,drive=root,serial=root"]);
            // No udev here, and the image has no device nodes: /dev is the kernel's.
            words.push_str(" root=/dev/nvme0n1 ro devtmpfs.mount=1");
        }
        command.args(hardware.more);
        words.push(' ');
        words.push_str(hardware.words);
        command.arg("-append").arg(words);
        let stderr = File::create(directory.path().join("stderr")).expect("a file for complaints");
        let mut qemu = command
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(stderr)
            .spawn()
            .expect("running `setpriv` (util-linux)");
        Machine {
            keyboard: qemu.stdin.take().expect("its input is a pipe"),
            line: qemu.stdout.take().expect("its output is a pipe"),
            qemu,
            said: String::new(),
            seen: 0,
            commands: 0,
            directory,
        }
    }

    /// Waits until the machine says `text` and gives what it said since the last thing waited for.
    pub(crate) fn wait_for(&mut self, text: &str, limit: Duration) -> String {
        let heard = self.hear(text, limit);
        heard.unwrap_or_else(|| self.fail(&format!("not within {limit:?}: {text:?}")))
    }

    /// As [`Machine::wait_for`], but that it is not said in time is no failure.
    fn hear(&mut self, text: &str, limit: Duration) -> Option<String> {
        let deadline = now() + limit;
        loop {
            if let Some(found) = self.said[self.seen..].find(text) {
                let end = self.seen + found + text.len();
                let before = self.said[self.seen..end].to_owned();
                self.seen = end;
                return Some(before);
            }
            if self.said.contains("Kernel panic") {
                self.fail(&format!("the kernel panicked before {text:?}"));
            }
            match self.listen(deadline) {
                Heard::Something => {}
                Heard::End => self.fail(&format!("QEMU ended before {text:?}")),
                Heard::NothingInTime => return None,
            }
        }
    }

    pub(crate) fn type_line(&mut self, text: &str) {
        let typed = format!("{text}\n");
        self.keyboard
            .write_all(typed.as_bytes())
            .unwrap_or_else(|error| self.fail(&format!("typing {text:?}: {error}")));
    }

    /// Waits for the login prompt, logs in as root and leaves a shell ready for commands.
    pub(crate) fn log_in(&mut self, password: Option<&str>) {
        self.wait_for("login: ", BOOT);
        self.answer_the_prompt(password);
    }

    /// Logs in at a prompt that is there.
    pub(crate) fn answer_the_prompt(&mut self, password: Option<&str>) {
        self.type_line("root");
        if let Some(password) = password {
            self.wait_for("Password: ", COMMAND);
            self.type_line(password);
        }
        self.expect_shell();
    }

    /// Answers sulogin's question for the password.
    pub(crate) fn log_in_for_maintenance(&mut self, password: &str) {
        self.wait_for("for maintenance", BOOT);
        self.wait_for("): ", COMMAND);
        // sulogin throws away what was typed before it has switched the echo off, and it asks before it does that.
        let mut tries = 0;
        while tries < 5 {
            self.type_line(password);
            if self.hear("# ", TRY).is_some() {
                break;
            }
            tries += 1;
        }
        self.take_shell();
    }

    /// A login shell throws away what was typed before it was there, so it is asked only when it has prompted.
    fn expect_shell(&mut self) {
        self.wait_for("# ", COMMAND);
        self.take_shell();
    }

    fn take_shell(&mut self) {
        // The shell's place is taken by one that reads plain lines: line editors paint on the terminal, ask it
        // questions, and switch its modes under what is being typed.
        self.type_line("exec sh -c 'while IFS= read -r line; do eval \"$line\"; done'");
        self.type_line("printf '<%s>\\n' ready");
        self.wait_for("<ready>", COMMAND);
    }

    /// Runs a command in the shell. Output and exit status stand between two marks of the command's own number, which
    /// the echo of what is typed never contains as such.
    pub(crate) fn run(&mut self, command: &str) -> Outcome {
        self.run_within(command, COMMAND)
    }

    /// As [`Machine::run`], for what takes its time.
    fn run_within(&mut self, command: &str, limit: Duration) -> Outcome {
        self.commands += 1;
        let number = self.commands;
        self.type_line(&format!(
            "printf '<%s.%s>\\n' begin {number}; {command}; printf '<%s.%s:%s>\\n' end {number} $?"
        ));
        self.wait_for(&format!("<begin.{number}>"), COMMAND);
        let output = self.wait_for(&format!("<end.{number}:"), limit);
        let status = self.wait_for(">", COMMAND);
        let output = output
            .trim_end_matches(&format!("<end.{number}:"))
            .replace('\r', "");
        let status = status.trim_end_matches('>').parse();
        Outcome {
            status: status.unwrap_or_else(|error| self.fail(&format!("exit status: {error}"))),
            output: output.trim().to_owned(),
        }
    }

    /// Runs a command that must succeed, and may take its time.
    pub(crate) fn must_succeed_within(&mut self, command: &str, limit: Duration) {
        let outcome = self.run_within(command, limit);
        if outcome.status != 0 {
            self.fail(&format!("`{command}`: {outcome:?}"));
        }
    }

    /// Runs a command that must succeed and gives what it printed.
    pub(crate) fn answer(&mut self, command: &str) -> String {
        let outcome = self.run(command);
        if outcome.status != 0 {
            self.fail(&format!("`{command}`: {outcome:?}"));
        }
        outcome.output
    }

    /// Runs a command whose output must contain `expected`.
    pub(crate) fn must_mention(&mut self, command: &str, expected: &str) {
        let outcome = self.run(command);
        if !outcome.output.contains(expected) {
            self.fail(&format!(
                "`{command}` should mention {expected:?}: {outcome:?}"
            ));
        }
    }

    /// Runs a command that must succeed and print exactly `expected`.
    pub(crate) fn must_answer(&mut self, command: &str, expected: &str) {
        let outcome = self.run(command);
        if outcome.status != 0 || outcome.output != expected {
            self.fail(&format!(
                "`{command}` should print {expected:?}: {outcome:?}"
            ));
        }
    }

    /// Runs a command that must end with this exit status.
    pub(crate) fn must_exit(&mut self, command: &str, status: i32) {
        let outcome = self.run(command);
        if outcome.status != status {
            self.fail(&format!(
                "`{command}` should exit with {status}: {outcome:?}"
            ));
        }
    }

    /// Waits, in the machine, until a shell condition holds.
    pub(crate) fn wait_until(&mut self, condition: &str) {
        let outcome = self.run(&format!(
            "n=0; until {condition}; do n=$((n + 1)); [ $n -lt 60 ] || break; sleep 1; done; {condition}"
        ));
        if outcome.status != 0 {
            self.fail(&format!("in vain waited for `{condition}`: {outcome:?}"));
        }
    }

    /// Fails if there is a process that has ended and that nobody has reaped. Every one is a zombie for a moment, so
    /// only those count that still are when looked at again.
    pub(crate) fn must_have_no_zombie(&mut self) {
        self.must_answer(
            "zombies() { grep -l '^State:.Z' /proc/[0-9]*/status 2>/dev/null; }; \
            zombies >/run/zombies; sleep 1; ! zombies | grep -F -x -f /run/zombies",
            "",
        );
    }

    /// Fails if the machine has said this at any time.
    pub(crate) fn must_not_have_said(&self, text: &str) {
        if self.said.contains(text) {
            self.fail(&format!("{text:?} was said"));
        }
    }

    /// Presses Ctrl-Alt-Del on the machine's keyboard.
    pub(crate) fn press_ctrl_alt_del(&mut self) {
        self.press(&["ctrl-alt-delete"]);
    }

    /// Presses keys, or several at once where dashes join them, by the names that QEMU has for them.
    pub(crate) fn press(&mut self, keys: &[&str]) {
        let path = self.directory.path().join("monitor");
        let mut monitor = UnixStream::connect(path).expect("connecting to QEMU's monitor");
        monitor.set_read_timeout(Some(COMMAND)).expect("a limit");
        let mut prompts = Vec::new();
        let lines = keys.iter().map(|key| format!("sendkey {key}\n"));
        // QEMU carries a line out when it has prompted for it, and prompts again when it has.
        for line in lines.chain([String::new()]) {
            while !prompts.ends_with(b"(qemu) ") {
                let mut byte = [0];
                monitor
                    .read_exact(&mut byte)
                    .expect("a prompt from QEMU's monitor");
                prompts.extend(byte);
            }
            prompts.clear();
            monitor.write_all(line.as_bytes()).expect("the monitor");
        }
    }

    /// Waits until QEMU has ended by itself, and successfully.
    pub(crate) fn wait_for_end(mut self, limit: Duration) {
        let deadline = now() + limit;
        loop {
            match self.listen(deadline) {
                Heard::Something => {}
                Heard::End => break,
                Heard::NothingInTime => self.fail(&format!("QEMU did not end within {limit:?}")),
            }
        }
        let status = self.qemu.wait().expect("waiting for QEMU");
        if !status.success() || self.said.contains("Kernel panic") {
            self.fail(&format!("QEMU ended with {status}"));
        }
        show(&self.said);
    }

    /// Ends the test with the reason and all that happened.
    pub(crate) fn fail(&self, reason: &str) -> ! {
        let complaints =
            std::fs::read_to_string(self.directory.path().join("stderr")).unwrap_or_default();
        panic!(
            "{reason}\n--- the serial line ---\n{}\n--- end of the serial line ---\n{complaints}",
            self.said.replace('\r', "")
        );
    }

    fn listen(&mut self, deadline: Instant) -> Heard {
        let left = deadline.saturating_duration_since(now());
        let timeout = PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX);
        let mut waiting = [PollFd::new(self.line.as_fd(), PollFlags::POLLIN)];
        match poll(&mut waiting, timeout) {
            Ok(0) => return Heard::NothingInTime,
            Err(nix::errno::Errno::EINTR) => return Heard::Something,
            other => other.expect("waiting for the serial line"),
        };
        let mut buffer = [0; 4096];
        match self.line.read(&mut buffer).expect("the serial line") {
            0 => Heard::End,
            length => {
                self.said
                    .push_str(&String::from_utf8_lossy(&buffer[..length]));
                Heard::Something
            }
        }
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // Both fail when it has ended already, which is as well.
        self.qemu.kill().ok();
        self.qemu.wait().ok();
    }
}

/// Hands the whole story to the test harness, which shows it when asked to (`--show-output`).
#[expect(
    clippy::print_stdout,
    reason = "the test harness keeps what a test prints"
)]
fn show(said: &str) {
    println!("{}", said.replace('\r', ""));
}

enum Heard {
    Something,
    NothingInTime,
    End,
}

#[expect(
    clippy::disallowed_methods,
    reason = "a test may look at the clock, to give up on a hang"
)]
fn now() -> Instant {
    Instant::now()
}

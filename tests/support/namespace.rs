//! A machine: an init as PID 1 of fresh PID, mount, UTS, IPC and network namespaces, with its own root and console.
//!
//! Whatever an init and its clients do to "the machine", reboot(2) and kill(-1) included, ends at these namespaces.
//! The script that sets them up refuses to go on unless it sees that it is in them, and commands are run inside only
//! through descriptors of these very namespaces, so that a pid which meanwhile means something else does no harm.

use super::accounting::{Record, records};
use super::pty::Pty;
use super::root::{Root, Subject};
use super::{LIMIT, UNTIL_DOWN, wait_until};
use nix::sys::signal::{Signal, kill};
use nix::sys::stat::Mode;
use nix::sys::termios::Termios;
use nix::unistd::{Pid, geteuid, mkfifo};
use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fs::{self, File, OpenOptions};
use std::io::Write;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::process::{Child, Command, Output, Stdio};

const NAMESPACES: [&str; 5] = ["pid", "mnt", "uts", "ipc", "net"];

/// A machine before it is switched on.
pub(crate) struct Plan {
    root: Root,
    /// The word by which our init is told to be a machine's, although it is in a namespace.
    is_machine: bool,
    words: Vec<String>,
    variables: Vec<String>,
    options: Vec<&'static str>,
}

/// How a machine ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// reboot(2) for a restart: the kernel ends the namespace's init by SIGHUP.
    Restart,
    /// reboot(2) for halt or power-off: SIGINT.
    Halt,
    /// Something else, such as an exit of init.
    Other(i32),
}

/// A running machine. It and everything in it is killed when the value goes away.
pub(crate) struct Machine {
    child: Child,
    pid: i32,
    root: Root,
    /// The machine's `/` as its processes see it, with /dev, /run and /proc.
    inner: File,
    namespaces: Vec<(&'static str, File)>,
    console: RefCell<Pty>,
}

impl Plan {
    /// A machine with the init under test and this inittab.
    pub(crate) fn new(inittab: &str) -> Self {
        let plan = Plan::without_inittab();
        plan.root.write("/etc/inittab", inittab);
        plan
    }

    pub(crate) fn without_inittab() -> Self {
        Plan::on(Root::new(Subject::under_test()))
    }

    /// A machine with this root.
    pub(crate) fn on(root: Root) -> Self {
        Plan {
            is_machine: true,
            root,
            words: Vec::new(),
            variables: Vec::new(),
            options: vec!["console", "pts", "proc", "run"],
        }
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    pub(crate) fn file(self, inside: &str, text: impl AsRef<[u8]>) -> Self {
        self.root.write(inside, text);
        self
    }

    pub(crate) fn script(self, inside: &str, text: &str) -> Self {
        self.root.script(inside, text);
        self
    }

    /// A word the kernel hands to init.
    pub(crate) fn word(mut self, word: &str) -> Self {
        self.words.push(word.to_owned());
        self
    }

    /// Lets init see for itself that it is in a namespace of its own, and so in a container.
    pub(crate) fn in_container(mut self) -> Self {
        self.is_machine = false;
        self
    }

    /// A variable the kernel hands to init.
    pub(crate) fn variable(mut self, assignment: &str) -> Self {
        self.variables.push(assignment.to_owned());
        self
    }

    /// Leaves out one of `console`, `pts`, `proc`, `run`.
    pub(crate) fn without(mut self, part: &str) -> Self {
        self.options.retain(|option| *option != part);
        self
    }

    pub(crate) fn read_only(mut self) -> Self {
        self.options.push("readonly");
        self
    }

    /// Has init inherit descriptors 3 to 9 besides, as from one who has not closed his own.
    pub(crate) fn leaving_descriptors(mut self) -> Self {
        self.options.push("descriptors");
        self
    }

    /// Switches it on; returns as soon as init runs.
    pub(crate) fn boot(self) -> Machine {
        self.start(|_| ())
    }

    /// The same, but calls `before` with the pid of the process that is about to become init, and holds it until then.
    pub(crate) fn boot_held(self, before: impl FnOnce(i32)) -> Machine {
        let gate = self.root.at("/gate");
        mkfifo(&gate, Mode::S_IRUSR | Mode::S_IWUSR).unwrap();
        let mut before = Some(before);
        self.start(|unshare| {
            wait_until(
                "the machine waits to be let go",
                LIMIT,
                || {
                    let setup = children_of(unshare).into_iter().next()?;
                    // The script opens it when everything is ready; without a reader this fails.
                    let mut gate = OpenOptions::new()
                        .write(true)
                        .custom_flags(libc::O_NONBLOCK)
                        .open(&gate)
                        .ok()?;
                    before.take()?(setup);
                    gate.write_all(b"\n").ok()
                },
                || "the set-up script does not get there".to_owned(),
            );
        })
    }

    fn start(self, before: impl FnOnce(i32)) -> Machine {
        let console = Pty::open();
        let mut child = self
            .command(&console)
            .stdin(console.stdio())
            .stdout(console.stdio())
            .stderr(console.stdio())
            .spawn()
            .expect("cannot start setpriv(1) and unshare(1) of util-linux");
        before(i32::try_from(child.id()).unwrap());
        let found = wait_until(
            "init runs as process 1",
            LIMIT,
            || match child.try_wait().unwrap() {
                Some(status) => Some(Err(status)),
                None => running_init(child.id()).map(Ok),
            },
            || console.transcript(),
        );
        let pid = found.unwrap_or_else(|status| {
            panic!(
                "the machine did not start ({status}); a new PID namespace needs root or user namespaces:\n{}",
                console.transcript()
            )
        });
        let open = |path: String| {
            File::open(&path)
                .unwrap_or_else(|error| panic!("{path}: {error}\n{}", console.transcript()))
        };
        Machine {
            inner: open(format!("/proc/{pid}/root")),
            namespaces: NAMESPACES
                .into_iter()
                .chain((!geteuid().is_root()).then_some("user"))
                .map(|kind| (kind, open(format!("/proc/{pid}/ns/{kind}"))))
                .collect(),
            child,
            pid,
            root: self.root,
            console: RefCell::new(console),
        }
    }

    fn command(&self, console: &Pty) -> Command {
        let outside = NAMESPACES
            .map(|kind| {
                fs::read_link(format!("/proc/self/ns/{kind}"))
                    .unwrap()
                    .display()
                    .to_string()
            })
            .join(" ");
        let mut command = Command::new("setpriv");
        // The machine goes when the test goes, however that ends.
        command.args(["--pdeathsig", "KILL", "--", "unshare"]);
        if !geteuid().is_root() {
            command.args(["--user", "--map-root-user"]);
        }
        command
            .args([
                "--pid",
                "--mount",
                "--uts",
                "--ipc",
                "--net",
                "--fork",
                "--kill-child=KILL",
                "--",
            ])
            .args([
                "busybox",
                "busybox",
                "sh",
                "-c",
                include_str!("namespace.sh"),
                "setup",
            ])
            .arg(self.root.path())
            .arg(console.path())
            .arg(self.options.join(","))
            .arg(outside)
            .arg(self.variables.join(" "))
            .arg("--")
            // Others than ours pass over a word they do not know.
            .args(self.is_machine.then_some("--no-container"))
            .args(&self.words);
        command
    }
}

/// The child of `unshare`, once it is init and no longer the script that prepares its root.
fn running_init(unshare: u32) -> Option<i32> {
    let pid: i32 = children_of(i32::try_from(unshare).unwrap())
        .into_iter()
        .next()?;
    let program = fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    (program.file_name()? == "init").then_some(pid)
}

fn children_of(pid: i32) -> Vec<i32> {
    fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"))
        .unwrap_or_default()
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect()
}

/// A process of the machine as the outside sees it.
#[derive(Debug, Clone)]
pub(crate) struct Process {
    /// Its pid outside.
    pub(crate) pid: i32,
    pub(crate) command: String,
    pub(crate) state: char,
    pub(crate) parent: i32,
    pub(crate) group: i32,
    pub(crate) session: i32,
    /// Device number of the controlling terminal, 0 for none.
    pub(crate) terminal: i64,
    pub(crate) foreground: i32,
}

impl Process {
    fn read(pid: i32) -> Option<Self> {
        // In this order: what is found by its command has a session and a terminal of its own already.
        let command = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
        let stat = fs::read_to_string(format!("/proc/{pid}/stat")).ok()?;
        let (_, fields) = stat.rsplit_once(") ")?;
        let fields: Vec<&str> = fields.split_whitespace().collect();
        let number = |at: usize| fields.get(at)?.parse::<i64>().ok();
        Some(Process {
            pid,
            command: String::from_utf8_lossy(&command)
                .replace('\0', " ")
                .trim_end()
                .to_owned(),
            state: fields.first()?.chars().next()?,
            parent: i32::try_from(number(1)?).ok()?,
            group: i32::try_from(number(2)?).ok()?,
            session: i32::try_from(number(3)?).ok()?,
            terminal: number(4)?,
            foreground: i32::try_from(number(5)?).ok()?,
        })
    }

    /// The value of a line of `/proc/PID/status`.
    pub(crate) fn status(&self, name: &str) -> String {
        let status = fs::read_to_string(format!("/proc/{}/status", self.pid)).unwrap_or_default();
        let line = status
            .lines()
            .find_map(|line| line.strip_prefix(&format!("{name}:")));
        line.unwrap_or_else(|| panic!("{name} is not in the status of {self:?}"))
            .trim()
            .to_owned()
    }

    /// The pid inside the machine.
    pub(crate) fn inside(&self) -> u32 {
        self.status("NSpid")
            .split_whitespace()
            .last()
            .unwrap()
            .parse()
            .unwrap()
    }

    pub(crate) fn environment(&self) -> BTreeMap<String, String> {
        let bytes = fs::read(format!("/proc/{}/environ", self.pid)).unwrap();
        String::from_utf8_lossy(&bytes)
            .split_terminator('\0')
            .map(|variable| {
                let (name, value) = variable.split_once('=').unwrap_or((variable, ""));
                (name.to_owned(), value.to_owned())
            })
            .collect()
    }

    /// Its descriptors: number, and what `/proc/PID/fd` says it is.
    pub(crate) fn descriptors(&self) -> BTreeMap<u32, String> {
        fs::read_dir(format!("/proc/{}/fd", self.pid))
            .unwrap()
            .filter_map(|entry| {
                let path = entry.unwrap().path();
                let number = path.file_name().unwrap().to_string_lossy().parse().unwrap();
                Some((number, fs::read_link(&path).ok()?.display().to_string()))
            })
            .collect()
    }

    /// The same, once there are no more than it holds at rest: one that is open for a moment only is not among them.
    pub(crate) fn resting_descriptors(
        &self,
        machine: &Machine,
        count: usize,
    ) -> BTreeMap<u32, String> {
        machine.until("it holds what it holds at rest", || {
            Some(self.descriptors()).filter(|descriptors| descriptors.len() == count)
        })
    }

    /// A line of `/proc/PID/fdinfo/NUMBER`, such as `flags`.
    pub(crate) fn descriptor_flags(&self, number: u32) -> u32 {
        let text = fs::read_to_string(format!("/proc/{}/fdinfo/{number}", self.pid)).unwrap();
        let flags = text
            .lines()
            .find_map(|line| line.strip_prefix("flags:"))
            .unwrap();
        u32::from_str_radix(flags.trim(), 8).unwrap()
    }

    /// Ends it; it is a process of the machine and nothing else.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid), signal).unwrap_or_else(|error| panic!("{self:?}: {error}"));
    }
}

impl Machine {
    /// PID 1.
    pub(crate) fn init(&self) -> Process {
        Process::read(self.pid).unwrap_or_else(|| panic!("init is gone\n{}", self.transcript()))
    }

    pub(crate) fn children(&self) -> Vec<Process> {
        children_of(self.pid)
            .into_iter()
            .filter_map(Process::read)
            .collect()
    }

    pub(crate) fn zombies(&self) -> Vec<Process> {
        self.children()
            .into_iter()
            .filter(|child| child.state == 'Z')
            .collect()
    }

    /// The descendant of init whose command line is `command`, when it has appeared.
    pub(crate) fn process(&self, command: &str) -> Process {
        self.until(&format!("{command:?} runs"), || self.find_process(command))
    }

    pub(crate) fn find_process(&self, command: &str) -> Option<Process> {
        self.descendants()
            .into_iter()
            .find(|process| process.command == command)
    }

    pub(crate) fn is_there(&self, command: &str) -> bool {
        self.find_process(command).is_some()
    }

    /// Everything init has started, and everything that has started.
    pub(crate) fn descendants(&self) -> Vec<Process> {
        let mut waiting = children_of(self.pid);
        let mut found = Vec::new();
        while let Some(pid) = waiting.pop() {
            waiting.extend(children_of(pid));
            found.extend(Process::read(pid));
        }
        found
    }

    /// Waits for a condition; a failure shows console, processes and the log.
    pub(crate) fn until<T>(&self, what: &str, condition: impl FnMut() -> Option<T>) -> T {
        wait_until(what, LIMIT, condition, || self.describe())
    }

    pub(crate) fn until_true(&self, what: &str, mut condition: impl FnMut() -> bool) {
        self.until(what, || condition().then_some(()));
    }

    fn describe(&self) -> String {
        format!(
            "--- log:\n{}--- processes: {:#?}\n--- console:\n{}",
            self.read("/out/log"),
            Process::read(self.pid)
                .into_iter()
                .chain(self.children())
                .collect::<Vec<_>>(),
            self.transcript()
        )
    }

    pub(crate) fn transcript(&self) -> String {
        self.console.borrow().transcript()
    }

    /// The line settings of the console.
    pub(crate) fn console_settings(&self) -> Termios {
        self.console.borrow().settings()
    }

    /// Waits until another process than this one runs the command.
    pub(crate) fn wait_respawned(&self, command: &str, former: &Process) {
        self.until_true("it is respawned", || {
            self.find_process(command)
                .is_some_and(|next| next.pid != former.pid)
        });
    }

    /// Waits for words on the console that no earlier call has found.
    pub(crate) fn wait_console(&self, text: &str) -> String {
        let found = self.console.borrow_mut().try_wait_for(text, LIMIT);
        found.unwrap_or_else(|| panic!("the console did not show {text:?}\n{}", self.describe()))
    }

    /// Closes the far end of the console for good.
    pub(crate) fn hang_up_console(&self) {
        self.console.borrow_mut().hang_up();
    }

    /// Stops the console's output, as ^S does; nothing more is taken from it.
    pub(crate) fn stop_console(&self) {
        self.console.borrow().stop();
    }

    /// Lets the console's output go on, as ^Q does.
    pub(crate) fn resume_console(&self) {
        self.console.borrow().resume();
    }

    pub(crate) fn type_line(&self, text: &str) {
        self.console.borrow().send(&format!("{text}\n"));
    }

    /// Where `inside` lies, seen through the machine's own mounts.
    pub(crate) fn at(&self, inside: &str) -> PathBuf {
        PathBuf::from(format!("/proc/self/fd/{}/{inside}", self.inner.as_raw_fd()))
    }

    /// A file of the machine; nothing if it is not there.
    pub(crate) fn read(&self, inside: &str) -> String {
        String::from_utf8_lossy(&self.bytes(inside)).into_owned()
    }

    pub(crate) fn bytes(&self, inside: &str) -> Vec<u8> {
        fs::read(self.at(inside)).unwrap_or_default()
    }

    pub(crate) fn write(&self, inside: &str, text: impl AsRef<[u8]>) {
        fs::write(self.at(inside), text).unwrap_or_else(|error| panic!("{inside}: {error}"));
    }

    pub(crate) fn root(&self) -> &Root {
        &self.root
    }

    /// What the processes of a case have written to `/out/log`.
    pub(crate) fn log(&self) -> Vec<String> {
        self.read("/out/log").lines().map(str::to_owned).collect()
    }

    pub(crate) fn wait_log(&self, line: &str) {
        self.until(&format!("the log has {line:?}"), || {
            self.log().iter().any(|have| have == line).then_some(())
        });
    }

    pub(crate) fn utmp(&self) -> Vec<Record> {
        records(&self.bytes("/run/utmp"))
    }

    pub(crate) fn wtmp(&self) -> Vec<Record> {
        records(&self.bytes("/var/log/wtmp"))
    }

    /// Writes bytes into the FIFO as a client does.
    pub(crate) fn ask(&self, bytes: &[u8]) {
        self.until_true("the FIFO can be written", || self.try_ask(bytes));
    }

    /// The same, once; whether somebody had the FIFO open and there was room in it.
    pub(crate) fn try_ask(&self, bytes: &[u8]) -> bool {
        let fifo = OpenOptions::new()
            .write(true)
            .custom_flags(libc::O_NONBLOCK)
            .open(self.at("/run/initctl"));
        fifo.is_ok_and(|mut fifo| fifo.write_all(bytes).is_ok())
    }

    /// Sends PID 1 a signal from outside.
    pub(crate) fn signal(&self, signal: Signal) {
        kill(Pid::from_raw(self.pid), signal).unwrap();
    }

    /// Waits until init has taken every signal that was sent to it.
    pub(crate) fn wait_heard(&self) {
        self.until_true("init has heard of the signal", || {
            self.init().status("ShdPnd") == "0000000000000000"
        });
    }

    /// Runs a shell command inside and waits for its end.
    pub(crate) fn run(&self, script: &str) -> Output {
        let mut child = self.start(script);
        self.until(&format!("{script:?} ends"), || child.try_wait().unwrap());
        child
            .wait_with_output()
            .expect("waiting for a command inside")
    }

    /// Starts a shell command inside. Give halt and its like with their path: busybox has programs of these names.
    pub(crate) fn start(&self, script: &str) -> Child {
        let here = std::process::id();
        let mut command = Command::new("nsenter");
        if !geteuid().is_root() {
            command.arg("--preserve-credentials");
        }
        for (kind, file) in &self.namespaces {
            let option = if *kind == "mnt" { "mount" } else { kind };
            command.arg(format!("--{option}=/proc/{here}/fd/{}", file.as_raw_fd()));
        }
        command
            .arg(format!("--root=/proc/{here}/fd/{}", self.inner.as_raw_fd()))
            .arg("--wd=/")
            .args(["--", "/bin/sh", "-c", script])
            .env_clear()
            .env("PATH", "/sbin:/usr/sbin:/bin:/usr/bin:/usr/local/bin")
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("cannot start nsenter(1) of util-linux")
    }

    /// Runs a command that must succeed, and returns what it prints.
    pub(crate) fn command(&self, script: &str) -> String {
        let output = self.run(script);
        assert!(
            output.status.success(),
            "{script:?}: {}\n{}{}\n{}",
            output.status,
            String::from_utf8_lossy(&output.stdout),
            String::from_utf8_lossy(&output.stderr),
            self.describe()
        );
        String::from_utf8_lossy(&output.stdout).into_owned()
    }

    /// Waits until the machine has gone down, and tells how.
    pub(crate) fn ended(&mut self) -> Ending {
        let child = &mut self.child;
        let console = &self.console;
        let status = wait_until(
            "the machine goes down",
            UNTIL_DOWN,
            || child.try_wait().unwrap(),
            || console.borrow().transcript(),
        );
        match status.signal() {
            Some(libc::SIGHUP) => Ending::Restart,
            Some(libc::SIGINT) => Ending::Halt,
            Some(signal) => Ending::Other(-signal),
            None => Ending::Other(status.code().unwrap_or_default()),
        }
    }

    pub(crate) fn is_running(&mut self) -> bool {
        self.child.try_wait().unwrap().is_none()
    }

    /// Processor time PID 1 has used, in ticks of a hundredth of a second.
    pub(crate) fn processor_ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid)).unwrap();
        let (_, fields) = stat.rsplit_once(") ").unwrap();
        let fields: Vec<&str> = fields.split_whitespace().collect();
        fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        // What unshare says of the end of its child must not wait for a console that a test has stopped.
        self.resume_console();
        // While unshare has not been waited for, the pid is its child's and nobody else's. The kernel kills
        // everything in the namespace before unshare learns of the death of PID 1.
        if matches!(self.child.try_wait(), Ok(None)) {
            kill(Pid::from_raw(self.pid), Signal::SIGKILL).unwrap_or_default();
            self.child.wait().map(drop).unwrap_or_default();
        }
    }
}

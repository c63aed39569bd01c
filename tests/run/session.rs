//! A person at a terminal, played by a test: a program on a pty, what it shows, and what is typed.

use std::fs::{File, OpenOptions};
use std::io::{Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::time::{Duration, Instant};

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{Termios, tcgetattr};
use rustix::termios::{Winsize, tcsetwinsize};

/// No step of a machine takes this long, unless it hangs; not even of an emulated one on a busy computer.
pub(crate) const LIMIT: Duration = Duration::from_secs(120);

/// A build may come first.
pub(crate) const LONG: Duration = Duration::from_secs(600);

/// A program on a terminal of its own.
pub(crate) struct Session {
    pub(crate) child: Child,
    /// None once the terminal is closed.
    master: Option<PtyMaster>,
    slave: File,
    seen: Vec<u8>,
    /// How much of `seen` has been matched.
    read: usize,
}

impl Session {
    /// Starts a command as the leader of the session on a new terminal of 40 lines and 250 columns.
    pub(crate) fn start(command: &[&str]) -> Self {
        let master =
            posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC | OFlag::O_NONBLOCK)
                .unwrap();
        grantpt(&master).unwrap();
        unlockpt(&master).unwrap();
        let open = || {
            OpenOptions::new()
                .read(true)
                .write(true)
                .custom_flags(libc::O_NOCTTY)
                .open(ptsname_r(&master).unwrap())
                .unwrap()
        };
        let slave = open();
        resize(&slave, 40, 250);
        let child = Command::new("setsid")
            .args(["--ctty", "--wait"])
            .args(command)
            .current_dir(env!("CARGO_MANIFEST_DIR"))
            .env("TERM", "vt100")
            // The flags of a make around us are not for the one that may be started here.
            .env_remove("MAKEFLAGS")
            .stdin(open())
            .stdout(open())
            .stderr(open())
            .spawn()
            .unwrap();
        Self {
            child,
            master: Some(master),
            slave,
            seen: Vec::new(),
            read: 0,
        }
    }

    /// The settings of the terminal.
    pub(crate) fn settings(&self) -> Termios {
        tcgetattr(&self.slave).unwrap()
    }

    /// Changes the window's size, as a terminal emulator does.
    pub(crate) fn resize(&self, rows: u16, columns: u16) {
        resize(&self.slave, rows, columns);
    }

    /// All that was shown.
    pub(crate) fn shown(&self) -> String {
        String::from_utf8_lossy(&self.seen).into_owned()
    }

    /// Waits until `text` is shown after what was matched before; gives what came before it.
    pub(crate) fn expect(&mut self, text: &str) -> String {
        self.expect_within(text, LIMIT)
    }

    /// The same with another limit.
    pub(crate) fn expect_within(&mut self, text: &str, limit: Duration) -> String {
        let end = Instant::now() + limit;
        loop {
            let fresh = &self.seen[self.read..];
            let found = fresh
                .windows(text.len())
                .position(|window| window == text.as_bytes());
            if let Some(at) = found {
                let before = String::from_utf8_lossy(&fresh[..at]).into_owned();
                self.read += at + text.len();
                return before;
            }
            assert!(
                Instant::now() < end && self.take_more(),
                "never saw {text:?} in:\n{}",
                self.shown()
            );
        }
    }

    /// Reads what is shown within a moment; false once the terminal is closed on the other side.
    fn take_more(&mut self) -> bool {
        let master = self.master.as_mut().unwrap();
        let mut watched = [PollFd::new(master.as_fd(), PollFlags::POLLIN)];
        if poll(&mut watched, PollTimeout::from(200_u8)).unwrap() == 0 {
            return true;
        }
        let mut buffer = [0; 4096];
        match master.read(&mut buffer) {
            Ok(0) => false,
            Ok(length) => {
                self.seen.extend_from_slice(&buffer[..length]);
                true
            }
            Err(error) => error.kind() == std::io::ErrorKind::WouldBlock,
        }
    }

    /// Types bytes as they are.
    pub(crate) fn type_text(&mut self, text: &str) {
        let master = self.master.as_mut().unwrap();
        master.write_all(text.as_bytes()).unwrap();
    }

    /// Types a line.
    pub(crate) fn type_line(&mut self, line: &str) {
        self.type_text(&format!("{line}\r"));
    }

    /// Logs in at the prompt that is about to appear.
    pub(crate) fn log_in(&mut self) {
        self.expect_within("login: ", LONG);
        self.type_line("root");
        self.expect("# ");
    }

    /// Runs a command in the shell inside; gives its output and its exit status.
    pub(crate) fn run(&mut self, command: &str) -> (String, i32) {
        self.type_line(&format!("{command}; echo \"[$?]\""));
        self.expect("echo \"[$?]\"");
        self.expect("\n");
        let mut output = String::new();
        loop {
            output.push_str(&self.expect("["));
            let word = self.expect("]");
            if let Ok(status) = word.parse() {
                self.expect("# ");
                return (output.replace('\r', ""), status);
            }
            output.push_str(&format!("[{word}]"));
        }
    }

    /// Waits for the end of the program, showing on.
    pub(crate) fn end(&mut self) -> ExitStatus {
        let end = Instant::now() + LIMIT;
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                // What it wrote last may still be in the pty.
                let before = self.seen.len();
                self.take_more();
                if self.seen.len() == before {
                    return status;
                }
            }
            assert!(
                Instant::now() < end,
                "it does not end after:\n{}",
                self.shown()
            );
            self.take_more();
        }
    }

    /// Closes the terminal, as a window is closed.
    pub(crate) fn close(&mut self) {
        self.master = None;
    }
}

impl Drop for Session {
    fn drop(&mut self) {
        self.master = None;
        // A test that failed half-way leaves nothing behind: the launcher's end is its machine's.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

fn resize(terminal: &File, rows: u16, columns: u16) {
    tcsetwinsize(
        terminal,
        Winsize {
            ws_row: rows,
            ws_col: columns,
            ws_xpixel: 0,
            ws_ypixel: 0,
        },
    )
    .unwrap();
}

/// A process that is told from a later one with the same pid by its start time.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Process {
    pid: u32,
    started: String,
}

impl Process {
    /// The process and all its descendants.
    pub(crate) fn tree(pid: u32) -> Vec<Self> {
        let mut found: Vec<Self> = Self::with(pid).into_iter().collect();
        let children = std::fs::read_to_string(format!("/proc/{pid}/task/{pid}/children"));
        for child in children.unwrap_or_default().split_whitespace() {
            found.extend(Self::tree(child.parse().unwrap()));
        }
        found
    }

    fn with(pid: u32) -> Option<Self> {
        let line = std::fs::read_to_string(Path::new("/proc").join(format!("{pid}/stat"))).ok()?;
        // The name in parentheses may hold blanks; the start time is the twentieth word after it.
        let started = line.rsplit(')').next()?.split_whitespace().nth(19)?;
        Some(Self {
            pid,
            started: started.to_owned(),
        })
    }

    fn is_there(&self) -> bool {
        Self::with(self.pid).as_ref() == Some(self)
    }
}

/// Waits until none of the processes is there.
pub(crate) fn wait_until_gone(processes: &[Process]) {
    let end = Instant::now() + LIMIT;
    loop {
        let left: Vec<_> = processes
            .iter()
            .filter(|process| process.is_there())
            .collect();
        if left.is_empty() {
            return;
        }
        assert!(Instant::now() < end, "left behind: {left:?}");
        // Nothing to wait on: these are not our children.
        poll(&mut [], PollTimeout::from(20_u8)).unwrap();
    }
}

/// Runs a command to its end with nothing to read, and gives its status and all its output.
pub(crate) fn output(command: &mut Command) -> (ExitStatus, String) {
    let output = command
        .current_dir(env!("CARGO_MANIFEST_DIR"))
        .stdin(Stdio::null())
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    (output.status, String::from_utf8_lossy(&text).into_owned())
}

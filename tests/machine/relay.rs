//! The launcher: the user's terminal on one side, the machine's console on the other.
//!
//! Bytes go both ways unchanged, the window size goes in. The terminal is put back as it was on every way out. A
//! standard input that is no terminal is typed for the machine, a line whenever it waits for one; at its end the machine
//! simply runs on.

use std::fs::OpenOptions;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::process::{Child, ChildStderr, ExitCode, Stdio};

use anyhow::Context;
use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::libc;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};
use nix::sys::termios::{SetArg, Termios, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::{Pid, read, write};
use rustix::termios::{tcgetwinsize, tcsetwinsize};

use crate::stages::{self, Stage};
use crate::{Call, identity};

/// Ctrl-] : pressed three times in a row it ends the machine, as a power cut would.
const ESCAPE: u8 = 0x1d;

/// What the console shows last when somebody is meant to type.
const PROMPTS: [&[u8]; 5] = [b"login: ", b"assword: ", b"# ", b"$ ", b"> "];

/// What BusyBox's shell sends after its prompt.
const WHERE_IS_THE_CURSOR: &[u8] = b"\x1b[6n";

/// How much of what was shown is remembered: more than the longest prompt.
const TAIL: usize = 32;

/// Milliseconds for which the console has to be silent before a line from a pipe is typed at its prompt.
const AT_A_PROMPT: u16 = 100;

/// The same where no prompt is seen: a program may read without one.
const WITHOUT_A_PROMPT: u16 = 5_000;

/// Starts the machine and stays with it to its end; the exit code says how it ended.
pub(crate) fn launch(call: &Call) -> anyhow::Result<ExitCode> {
    let mut mask = SigSet::empty();
    for signal in [
        Signal::SIGCHLD,
        Signal::SIGWINCH,
        Signal::SIGHUP,
        Signal::SIGINT,
        Signal::SIGTERM,
    ] {
        mask.add(signal);
    }
    mask.thread_block()?;
    let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_CLOEXEC | SfdFlags::SFD_NONBLOCK)?;

    let console = Console::open()?;
    console.take_window_size();
    let mut keeper = Keeper::start(call, &console)?;
    let terminal = Terminal::take()?;
    say(if terminal.is_some() {
        "machine: to leave, log in and say poweroff; Ctrl-] three times pulls the plug\r\n"
    } else {
        "machine: it ends when it is powered off\r\n"
    });
    let mut relay = Relay {
        console: &console,
        source: if terminal.is_some() {
            Source::Keyboard
        } else {
            Source::Pipe
        },
        input: Input::Open,
        escapes: 0,
        waiting: Vec::new(),
        tail: Vec::new(),
    };
    let end = relay.run(&signals, &mut keeper.child);
    drop(terminal);
    match end? {
        End::PoweredOff(status) => {
            let complaint = keeper.complaint();
            anyhow::ensure!(
                status.success(),
                "{}",
                if complaint.is_empty() {
                    format!("the machine ended by {status}")
                } else {
                    complaint
                }
            );
            Ok(ExitCode::SUCCESS)
        }
        End::Escaped => {
            say("machine: the plug is pulled\n");
            Ok(ExitCode::FAILURE)
        }
        // What a shell makes of a program that a signal ended.
        End::Signalled(signal) => Ok(ExitCode::from(
            128 + u8::try_from(signal as i32).unwrap_or_default(),
        )),
    }
}

/// Tells the user something; a standard error that is gone has nobody behind it.
fn say(text: &str) {
    std::io::stderr().write_all(text.as_bytes()).ok();
}

/// How a machine came to its end.
enum End {
    /// By itself.
    PoweredOff(std::process::ExitStatus),
    /// By the escape keys.
    Escaped,
    /// By a signal to us, or because our terminal is gone.
    Signalled(Signal),
}

/// The pty whose other side is the machine's /dev/console.
struct Console {
    master: PtyMaster,
    path: PathBuf,
    /// Held open, so that the master does not report a hang-up while nobody inside has the console open.
    slave: OwnedFd,
}

impl Console {
    fn open() -> anyhow::Result<Self> {
        let master = posix_openpt(OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC)
            .context("opening a pty")?;
        grantpt(&master)?;
        unlockpt(&master)?;
        let path = PathBuf::from(ptsname_r(&master)?);
        let slave = OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOCTTY)
            .open(&path)
            .with_context(|| format!("opening {}", path.display()))?;
        fcntl(&master, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
        Ok(Self {
            master,
            path,
            slave: slave.into(),
        })
    }

    /// Gives the machine the size of the user's window, where there is one.
    fn take_window_size(&self) {
        if let Ok(size) = tcgetwinsize(std::io::stdin()) {
            // Without it programs inside assume 80 by 24.
            tcsetwinsize(&self.slave, size).ok();
        }
    }
}

/// The process that keeps the machine; it and all below it end with this value.
struct Keeper {
    child: Child,
    complaints: ChildStderr,
}

impl Keeper {
    fn start(call: &Call, console: &Console) -> anyhow::Result<Self> {
        let mut child = stages::command(
            Stage::Keeper,
            &call.root,
            &console.path,
            &call.program,
            &call.words,
        )
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .context("starting the keeper")?;
        let pid = Pid::from_raw(i32::try_from(child.id())?);
        let (Some(mut to), Some(mut from), Some(complaints)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            anyhow::bail!("the keeper has no pipes");
        };
        let mut keeper = Self { child, complaints };
        let mut ready = [0; 6];
        if from.read_exact(&mut ready).is_err() {
            anyhow::bail!("{}", keeper.complaint());
        }
        let ids = identity::map(pid)?;
        writeln!(to, "{}", ids.word()).context("answering the keeper")?;
        Ok(keeper)
    }

    /// What the stages had to say before they ended.
    fn complaint(&mut self) -> String {
        let mut text = String::new();
        // A stage that is still there would keep the pipe open.
        self.child.kill().ok();
        self.complaints.read_to_string(&mut text).ok();
        text.trim().trim_start_matches("machine: ").to_owned()
    }
}

impl Drop for Keeper {
    fn drop(&mut self) {
        // Already gone is as good. The kernel kills the others with it, and the pid namespace with them.
        self.child.kill().ok();
        self.child.wait().ok();
    }
}

/// The user's terminal in raw mode; dropping it puts it back as it was.
struct Terminal {
    before: Termios,
}

impl Terminal {
    /// Takes standard input's terminal, if that is what it is.
    fn take() -> anyhow::Result<Option<Self>> {
        let Ok(before) = tcgetattr(std::io::stdin()) else {
            return Ok(None);
        };
        let mut raw = before.clone();
        cfmakeraw(&mut raw);
        tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &raw)
            .context("setting the terminal to raw mode")?;
        Ok(Some(Self { before }))
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        // A terminal that is gone needs no restoring.
        tcsetattr(std::io::stdin(), SetArg::TCSADRAIN, &self.before).ok();
    }
}

/// What our standard input is.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Source {
    /// A terminal: everything is typed at once, as it comes.
    Keyboard,
    /// A file, a pipe, a script: a line is typed when the machine waits for one, for getty and login throw away what was
    /// typed before they asked.
    Pipe,
}

/// Whether more of it can come.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Input {
    Open,
    Ended,
}

/// The traffic between the two sides.
struct Relay<'a> {
    console: &'a Console,
    source: Source,
    input: Input,
    /// Escape keys pressed in a row.
    escapes: usize,
    /// Read from our side, not yet typed at the console.
    waiting: Vec<u8>,
    /// The last bytes that the console showed.
    tail: Vec<u8>,
}

impl Relay<'_> {
    fn run(&mut self, signals: &SignalFd, keeper: &mut Child) -> anyhow::Result<End> {
        loop {
            let mut wanted = PollFlags::POLLIN;
            if self.source == Source::Keyboard && !self.waiting.is_empty() {
                wanted |= PollFlags::POLLOUT;
            }
            let stdin = std::io::stdin();
            let mut watched = vec![
                PollFd::new(signals.as_fd(), PollFlags::POLLIN),
                PollFd::new(self.console.master.as_fd(), wanted),
            ];
            if self.waiting.is_empty() && self.input == Input::Open {
                watched.push(PollFd::new(stdin.as_fd(), PollFlags::POLLIN));
            }
            let ready = match poll(&mut watched, self.patience()) {
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            let saw = |index: usize| {
                watched
                    .get(index)
                    .and_then(PollFd::revents)
                    .is_some_and(|events| !events.is_empty())
            };
            let (signal, console, input) = (saw(0), saw(1), saw(2));
            if console {
                self.show()?;
            }
            match self.source {
                Source::Keyboard if console => self.type_all()?,
                Source::Pipe if ready == 0 => self.type_a_line()?,
                Source::Keyboard | Source::Pipe => {}
            }
            if input && let Some(end) = self.read_input()? {
                return Ok(end);
            }
            if signal && let Some(end) = self.heed(signals, keeper)? {
                self.show()?;
                return Ok(end);
            }
        }
    }

    /// How long to wait before a line from a pipe is typed.
    fn patience(&self) -> PollTimeout {
        if self.source == Source::Keyboard || self.waiting.is_empty() {
            return PollTimeout::NONE;
        }
        let shown = self.tail.strip_suffix(WHERE_IS_THE_CURSOR);
        let shown = shown.unwrap_or(&self.tail);
        let asked = PROMPTS.iter().any(|prompt| shown.ends_with(prompt));
        PollTimeout::from(if asked { AT_A_PROMPT } else { WITHOUT_A_PROMPT })
    }

    /// Shows all that the console has put out.
    fn show(&mut self) -> anyhow::Result<()> {
        let mut buffer = [0; 4096];
        loop {
            let length = match read(&self.console.master, &mut buffer) {
                // A hang-up is between two boots.
                Ok(0) | Err(Errno::EAGAIN | Errno::EIO) => return Ok(()),
                Err(Errno::EINTR) => continue,
                other => other?,
            };
            let shown = buffer.get(..length).unwrap_or_default();
            let mut stdout = std::io::stdout().lock();
            stdout
                .write_all(shown)
                .and_then(|()| stdout.flush())
                .context("writing to standard output")?;
            self.tail.extend_from_slice(shown);
            let surplus = self.tail.len().saturating_sub(TAIL);
            self.tail.drain(..surplus);
        }
    }

    /// Reads what the user typed; the terminal's end is the machine's.
    fn read_input(&mut self) -> anyhow::Result<Option<End>> {
        let mut buffer = [0; 4096];
        match read(std::io::stdin(), &mut buffer) {
            Err(Errno::EINTR | Errno::EAGAIN) => return Ok(None),
            Ok(0) | Err(Errno::EIO) if self.source == Source::Keyboard => {
                return Ok(Some(End::Signalled(Signal::SIGHUP)));
            }
            Ok(0) => self.input = Input::Ended,
            Ok(length) => {
                let typed = buffer.get(..length).unwrap_or_default();
                self.waiting.extend_from_slice(typed);
                for &byte in typed {
                    self.escapes = if byte == ESCAPE { self.escapes + 1 } else { 0 };
                    if self.source == Source::Keyboard && self.escapes == 3 {
                        return Ok(Some(End::Escaped));
                    }
                }
            }
            Err(error) => return Err(error).context("reading standard input"),
        }
        if self.source == Source::Keyboard {
            self.type_all()?;
        }
        Ok(None)
    }

    fn type_all(&mut self) -> anyhow::Result<()> {
        let typed = self.type_some(self.waiting.len())?;
        self.waiting.drain(..typed);
        Ok(())
    }

    fn type_a_line(&mut self) -> anyhow::Result<()> {
        let newline = self.waiting.iter().position(|&byte| byte == b'\n');
        let length = newline.map_or(self.waiting.len(), |at| at + 1);
        let typed = self.type_some(length)?;
        self.waiting.drain(..typed);
        // The next line waits for the next prompt.
        self.tail.clear();
        Ok(())
    }

    /// Types the first bytes that wait, as many as the console takes now.
    fn type_some(&self, length: usize) -> anyhow::Result<usize> {
        let bytes = self.waiting.get(..length).unwrap_or_default();
        if bytes.is_empty() {
            return Ok(0);
        }
        match write(&self.console.master, bytes) {
            Ok(typed) => Ok(typed),
            Err(Errno::EAGAIN | Errno::EINTR) => Ok(0),
            Err(error) => Err(error).context("typing at the console"),
        }
    }

    /// Handles the signals that have come.
    fn heed(&self, signals: &SignalFd, keeper: &mut Child) -> anyhow::Result<Option<End>> {
        while let Some(information) = signals.read_signal()? {
            let number = i32::try_from(information.ssi_signo)?;
            match Signal::try_from(number)? {
                Signal::SIGCHLD => {
                    if let Some(status) = keeper.try_wait()? {
                        return Ok(Some(End::PoweredOff(status)));
                    }
                }
                Signal::SIGWINCH => self.console.take_window_size(),
                other => return Ok(Some(End::Signalled(other))),
            }
        }
        Ok(None)
    }
}

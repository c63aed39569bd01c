//! A terminal whose other end we hold: start a program on it, type, and wait for words to appear.
//!
//! A thread reads all the time, so that a program never stands still because nobody takes its output. Everything
//! that was ever read is kept, and a failure shows it.

use super::Deadline;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::pty::{PtyMaster, grantpt, posix_openpt, ptsname_r, unlockpt};
use nix::sys::termios::{FlowArg, Termios, tcflow, tcgetattr};
use std::fs::{File, OpenOptions};
use std::io::{PipeReader, PipeWriter, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Condvar, Mutex, MutexGuard};
use std::thread::{Builder, JoinHandle};
use std::time::Duration;

/// What the reading thread has taken from the terminal so far.
#[derive(Default)]
struct Heard {
    bytes: Vec<u8>,
    ended: bool,
}

/// One terminal: our end, and the end programs are started on.
pub(crate) struct Pty {
    master: Option<Arc<PtyMaster>>,
    slave: Option<File>,
    path: PathBuf,
    heard: Arc<(Mutex<Heard>, Condvar)>,
    listener: Option<(PipeWriter, JoinHandle<()>)>,
    /// How far `wait_for` has consumed what was heard.
    seen: usize,
}

impl Pty {
    /// Opens a new terminal. None of its descriptors is inherited by programs that other tests start meanwhile.
    pub(crate) fn open() -> Self {
        let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
        let master = posix_openpt(flags).expect("no terminal to be had: is /dev/ptmx there?");
        grantpt(&master).expect("grantpt");
        unlockpt(&master).expect("unlockpt");
        let path = PathBuf::from(ptsname_r(&master).expect("the terminal has no name"));
        let slave = open_slave(&path);
        let master = Arc::new(master);
        let heard = Arc::new((Mutex::new(Heard::default()), Condvar::new()));
        let listener = listen(Arc::clone(&master), Arc::clone(&heard));
        Pty {
            master: Some(master),
            slave: Some(slave),
            path,
            heard,
            listener: Some(listener),
            seen: 0,
        }
    }

    /// The name of the end that programs use, such as `/dev/pts/7`.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// The line settings as they are now; compare before and after a program that should leave them alone.
    pub(crate) fn settings(&self) -> Termios {
        let slave = self.slave.as_ref().expect("this end was closed");
        tcgetattr(slave).expect("tcgetattr")
    }

    /// Stops output, as the stop key does: what programs write waits.
    pub(crate) fn stop(&self) {
        let slave = self.slave.as_ref().expect("this end was closed");
        tcflow(slave, FlowArg::TCOOFF).expect("tcflow");
    }

    /// Lets output go on after a [`stop`](Self::stop).
    pub(crate) fn resume(&self) {
        if let Some(slave) = &self.slave {
            tcflow(slave, FlowArg::TCOON).expect("tcflow");
        }
    }

    /// Another descriptor of the program's end, for a program that gets no controlling terminal.
    pub(crate) fn stdio(&self) -> Stdio {
        Stdio::from(open_slave(&self.path))
    }

    /// Starts `program` on the terminal as a terminal emulator does: leader of a new session, controlling terminal,
    /// all three standard descriptors. Arguments, environment and directory are taken from `command`.
    pub(crate) fn spawn(&self, command: &Command) -> Child {
        let mut setsid = Command::new("setsid");
        setsid.arg("--ctty").arg("--").arg(command.get_program());
        setsid.args(command.get_args());
        for (name, value) in command.get_envs() {
            match value {
                Some(value) => setsid.env(name, value),
                None => setsid.env_remove(name),
            };
        }
        if let Some(directory) = command.get_current_dir() {
            setsid.current_dir(directory);
        }
        setsid
            .stdin(self.stdio())
            .stdout(self.stdio())
            .stderr(self.stdio());
        setsid
            .spawn()
            .unwrap_or_else(|error| panic!("cannot start {command:?} on a terminal: {error}"))
    }

    /// Types `text`.
    pub(crate) fn send(&self, text: &str) {
        let mut master: &PtyMaster = self.master.as_ref().expect("the terminal was hung up");
        master
            .write_all(text.as_bytes())
            .unwrap_or_else(|error| panic!("cannot type {text:?}: {error}"));
    }

    /// Waits until `text` has appeared after what earlier calls have found; yields all up to and including it.
    pub(crate) fn wait_for(&mut self, text: &str, limit: Duration) -> String {
        self.try_wait_for(text, limit).unwrap_or_else(|| {
            panic!(
                "the terminal did not show {text:?} within {limit:?}. Since the last words found:\n{}\n--- all of it:\n{}",
                self.unseen(),
                self.transcript()
            )
        })
    }

    /// The same, and `None` when the time is over or the last program has closed the terminal.
    pub(crate) fn try_wait_for(&mut self, text: &str, limit: Duration) -> Option<String> {
        let deadline = Deadline::after(limit);
        let (lock, news) = &*self.heard;
        let mut heard = held(lock);
        loop {
            let fresh = &heard.bytes[self.seen..];
            if let Some(at) = find(fresh, text.as_bytes()) {
                let end = at + text.len();
                let words = String::from_utf8_lossy(&fresh[..end]).into_owned();
                self.seen += end;
                return Some(words);
            }
            if heard.ended {
                return None;
            }
            let left = deadline.left()?;
            heard = match news.wait_timeout(heard, left) {
                Ok((heard, _)) => heard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
    }

    /// What has appeared since the last words found.
    pub(crate) fn unseen(&self) -> String {
        String::from_utf8_lossy(&held(&self.heard.0).bytes[self.seen..]).into_owned()
    }

    /// Everything that ever appeared.
    pub(crate) fn transcript(&self) -> String {
        String::from_utf8_lossy(&held(&self.heard.0).bytes).into_owned()
    }

    /// Closes our hold on the program's end: once the last program is gone too, the terminal has ended and
    /// everything written to it has been read.
    pub(crate) fn release(&mut self) {
        self.slave = None;
    }

    /// Waits until nobody holds the terminal any more (see [`Pty::release`]) and all was read.
    pub(crate) fn wait_for_end(&mut self, limit: Duration) -> String {
        self.release();
        let deadline = Deadline::after(limit);
        let (lock, news) = &*self.heard;
        let mut heard = held(lock);
        while !heard.ended {
            let Some(left) = deadline.left() else {
                let all = String::from_utf8_lossy(&heard.bytes).into_owned();
                panic!("somebody still holds the terminal after {limit:?}:\n{all}");
            };
            heard = match news.wait_timeout(heard, left) {
                Ok((heard, _)) => heard,
                Err(poisoned) => poisoned.into_inner().0,
            };
        }
        String::from_utf8_lossy(&heard.bytes).into_owned()
    }

    /// Closes the terminal as a user closes a window: programs on it get SIGHUP.
    pub(crate) fn hang_up(&mut self) {
        self.slave = None;
        if let Some((stop, thread)) = self.listener.take() {
            drop(stop);
            thread.join().expect("the terminal's reader failed");
        }
        self.master = None;
    }
}

fn open_slave(path: &Path) -> File {
    OpenOptions::new()
        .read(true)
        .write(true)
        .custom_flags(libc::O_NOCTTY)
        .open(path)
        .unwrap_or_else(|error| panic!("cannot open {}: {error}", path.display()))
}

fn held(lock: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    lock.lock()
        .unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn find(text: &[u8], part: &[u8]) -> Option<usize> {
    text.windows(part.len()).position(|window| window == part)
}

/// Starts the thread that takes everything from the terminal until nobody can write to it any more, or until the
/// pipe that is handed out is closed.
fn listen(
    master: Arc<PtyMaster>,
    heard: Arc<(Mutex<Heard>, Condvar)>,
) -> (PipeWriter, JoinHandle<()>) {
    let (stopped, stop) = std::io::pipe().expect("pipe");
    let thread = Builder::new()
        .name("terminal".into())
        .spawn(move || {
            take_precedence();
            while let Some(bytes) = take(&master, &stopped) {
                held(&heard.0).bytes.extend(bytes);
                heard.1.notify_all();
            }
            held(&heard.0).ended = true;
            heard.1.notify_all();
        })
        .expect("cannot start a thread");
    (stop, thread)
}

/// Has this thread run as soon as there is something to read: the original empties the queues of its console, and what
/// nobody has read by then is lost. An ordinary user may not ask for it, and reads soon enough on a machine at rest.
fn take_precedence() {
    let own = nix::unistd::gettid().to_string();
    let asked = Command::new("chrt")
        .args(["--fifo", "--pid", "1", &own])
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    drop(asked);
}

/// The next bytes; `None` at the end of the terminal or of the pipe.
fn take(mut master: &PtyMaster, stopped: &PipeReader) -> Option<Vec<u8>> {
    let mut watched = [
        PollFd::new(master.as_fd(), PollFlags::POLLIN),
        PollFd::new(stopped.as_fd(), PollFlags::POLLIN),
    ];
    match poll(&mut watched, PollTimeout::NONE) {
        Err(nix::errno::Errno::EINTR) => return Some(Vec::new()),
        Err(error) => panic!("poll: {error}"),
        Ok(_) => {}
    }
    if watched[0].revents().is_none_or(|events| events.is_empty()) {
        return None;
    }
    let mut buffer = [0; 4096];
    match master.read(&mut buffer) {
        Ok(count) if count > 0 => Some(buffer[..count].to_vec()),
        Err(error) if error.kind() == std::io::ErrorKind::Interrupted => Some(Vec::new()),
        // End of file, or EIO: the last holder of the other end has closed it.
        _ => None,
    }
}

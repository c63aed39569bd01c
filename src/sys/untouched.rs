//! A terminal that served one script and serves the next, because nothing tells it from a new one.
//!
//! A pair of pseudo-terminals is dear. The kernel makes two of its largest structures for it, gives it a name in `/dev/pts`,
//! and has a worker take it apart again: as much as half of all that a runner does about a script that says nothing. The
//! other end of one that all have let go of can be opened once more (`TIOCGPTPEER` of `ioctl_tty(2)`). Whatever can be changed
//! about a terminal by whoever had it is looked at then, and one that differs in anything is not used again.

use std::io;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, FromRawFd, OwnedFd};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::termios::{FlowArg, Termios, tcflow, tcgetattr};

/// The line discipline of a new terminal (`ioctl_tty(2)`).
const N_TTY: libc::c_int = 0;

/// How a terminal was when nobody had been given it.
#[derive(Debug)]
pub(super) struct Untouched {
    path: PathBuf,
    node: Node,
    settings: Termios,
}

/// What a name leads to, and who may use it.
#[derive(Debug, PartialEq, Eq)]
struct Node {
    file: (u64, u64),
    device: u64,
    mode: u32,
    owner: (u32, u32),
}

/// What can be asked of a terminal and answered by a number.
#[derive(Debug, Clone, Copy)]
enum Question {
    /// Which session it controls.
    Session,
    /// Who edits its lines.
    Discipline,
    /// Whether it must not be opened any more.
    IsExclusive,
    /// How many bytes are there to be read.
    Unread,
}

impl Untouched {
    /// Takes note of a terminal that was opened just now. None of one that has no name.
    pub(super) fn of(taker: BorrowedFd<'_>) -> Option<Self> {
        let path = nix::unistd::ttyname(taker).ok()?;
        Some(Self {
            node: Node::at(&path).ok()?,
            settings: tcgetattr(taker).ok()?,
            path,
        })
    }

    /// Tells whether its name still leads to it, nothing having been mounted over that, and the same may use it.
    pub(super) fn is_found(&self) -> bool {
        Node::at(&self.path).is_ok_and(|node| node == self.node)
    }

    /// Opens the end that is written to, when nobody holds it any more. None where anything about it has changed that
    /// [`is_found`](Self::is_found) does not tell.
    pub(super) fn open_again(&self, reader: BorrowedFd<'_>) -> Option<OwnedFd> {
        // A process that it controls hears of its end, which so must come.
        if ask(reader, Question::Session) != Err(Errno::ENOTTY) {
            return None;
        }
        let taker = super::fd::keep_above_standard(open_other_end(reader).ok()?).ok()?;
        let answers = |question| ask(taker.as_fd(), question);
        let is_as_before = answers(Question::Discipline) == Ok(N_TTY)
            && answers(Question::IsExclusive) == Ok(0)
            && answers(Question::Unread) == Ok(0)
            && tcgetattr(&taker).is_ok_and(|settings| settings == self.settings);
        // Nothing tells whether its output has been stopped.
        let goes_on = is_as_before && tcflow(&taker, FlowArg::TCOON).is_ok();
        Some(taker).filter(|_| goes_on)
    }
}

impl Node {
    fn at(path: &Path) -> io::Result<Self> {
        let metadata = std::fs::metadata(path)?;
        Ok(Self {
            file: (metadata.dev(), metadata.ino()),
            device: metadata.rdev(),
            mode: metadata.mode(),
            owner: (metadata.uid(), metadata.gid()),
        })
    }
}

fn ask(terminal: BorrowedFd<'_>, question: Question) -> Result<libc::c_int, Errno> {
    let request = match question {
        Question::Session => libc::TIOCGSID,
        Question::Discipline => libc::TIOCGETD,
        Question::IsExclusive => libc::TIOCGEXCL,
        Question::Unread => libc::FIONREAD,
    };
    let mut answer: libc::c_int = 0;
    // SAFETY: each of these requests fills in one number of this type, and keeps no pointer.
    Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), request, &raw mut answer) })?;
    Ok(answer)
}

/// Opens the other end of a pair without going by its name.
fn open_other_end(reader: BorrowedFd<'_>) -> io::Result<OwnedFd> {
    let flags = libc::O_RDWR | libc::O_NOCTTY | libc::O_CLOEXEC;
    // SAFETY: the request takes flags and no memory.
    let opened =
        Errno::result(unsafe { libc::ioctl(reader.as_raw_fd(), libc::TIOCGPTPEER, flags) })?;
    // SAFETY: the kernel has just given us this descriptor, and nobody else knows it.
    Ok(unsafe { OwnedFd::from_raw_fd(opened) })
}

#[cfg(test)]
mod tests {
    use super::super::redirect::Terminal;
    use super::*;
    use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
    use nix::sys::termios::{LocalFlags, SetArg, tcsetattr};
    use nix::unistd::write;

    fn opened() -> (Terminal, Untouched) {
        let terminal = Terminal::open().unwrap();
        let untouched = Untouched::of(terminal.taker.as_fd()).unwrap();
        (terminal, untouched)
    }

    #[test]
    fn a_terminal_that_nobody_has_changed_is_opened_again() {
        let (Terminal { taker, reader }, untouched) = opened();
        drop(taker);
        let taker = untouched.open_again(reader.as_fd()).unwrap();
        write(&taker, b"once more").unwrap();
        let mut buffer = [0; 16];
        let count = nix::unistd::read(&reader, &mut buffer).unwrap();
        assert_eq!(&buffer[..count], b"once more");
    }

    #[test]
    fn one_with_other_settings_is_not() {
        let (Terminal { taker, reader }, untouched) = opened();
        let mut settings = tcgetattr(&taker).unwrap();
        settings.local_flags.toggle(LocalFlags::ICANON);
        tcsetattr(&taker, SetArg::TCSANOW, &settings).unwrap();
        drop(taker);
        assert!(untouched.open_again(reader.as_fd()).is_none());
    }

    #[test]
    fn one_for_others_to_write_to_is_another_one() {
        let (terminal, untouched) = opened();
        assert!(untouched.is_found());
        let mode = nix::sys::stat::Mode::from_bits_truncate(0o622);
        nix::sys::stat::fchmod(&terminal.taker, mode).unwrap();
        assert!(!untouched.is_found());
    }

    #[test]
    fn one_with_something_to_be_read_is_not() {
        let (Terminal { taker, reader }, untouched) = opened();
        write(&reader, b"typed").unwrap();
        let mut arrives = [PollFd::new(taker.as_fd(), PollFlags::POLLIN)];
        poll(&mut arrives, PollTimeout::NONE).unwrap();
        drop(taker);
        assert!(untouched.open_again(reader.as_fd()).is_none());
    }

    #[test]
    fn one_that_controls_a_session_is_not_even_if_nobody_holds_it() {
        let (Terminal { taker, reader }, untouched) = opened();
        let mut daemon = std::process::Command::new("setsid")
            .args(["--ctty", "sh", "-c", "exec sleep 1000 <&- >&- 2>&-"])
            .stdin(taker.try_clone().unwrap())
            .stdout(taker.try_clone().unwrap())
            .stderr(taker)
            .spawn()
            .unwrap();
        // Not blocking: nothing as long as somebody holds it, and then an error.
        while nix::unistd::read(&reader, &mut [0]) != Err(Errno::EIO) {
            poll(&mut [], 10_u8).unwrap();
        }
        assert!(untouched.open_again(reader.as_fd()).is_none());
        daemon.kill().unwrap();
        daemon.wait().unwrap();
    }

    #[test]
    fn one_whose_output_was_stopped_goes_on() {
        let (Terminal { taker, reader }, untouched) = opened();
        tcflow(&taker, FlowArg::TCOOFF).unwrap();
        drop(taker);
        let taker = untouched.open_again(reader.as_fd()).unwrap();
        write(&taker, b"x").unwrap();
        assert_eq!(nix::unistd::read(&reader, &mut [0; 4]), Ok(1));
    }
}

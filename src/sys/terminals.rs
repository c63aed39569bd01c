//! Terminals of other people: writing to them without waiting for them.

use std::fs::{File, OpenOptions};
use std::io::{self, ErrorKind, IsTerminal, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::{FileTypeExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::wait::waitpid;
use nix::unistd::{ForkResult, fork, setsid, ttyname};

use super::clock::now;

/// Writes a text to all these terminals. Returns at once; a process of its own does the writing and gives up after
/// the limit, as a terminal may be stopped, and even closing one may take the kernel half a minute.
pub(crate) fn write_to_all(terminals: &[PathBuf], text: &[u8], limit: Duration) -> io::Result<()> {
    // SAFETY: our programs have one thread, so the child may do whatever the parent may.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => {
            waitpid(child, None)?;
            Ok(())
        }
        ForkResult::Child => {
            // The child of a child is init's to reap, and in its own session nobody's to interrupt.
            // SAFETY: as above.
            if matches!(unsafe { fork() }, Ok(ForkResult::Child)) {
                setsid().map(drop).unwrap_or_default();
                deliver(terminals, text, limit).unwrap_or_default();
            }
            // SAFETY: ends the process at once; nothing of the parent's is flushed or dropped here.
            unsafe { libc::_exit(0) }
        }
    }
}

/// A terminal and what it has not taken yet.
struct Delivery<'text> {
    terminal: File,
    rest: &'text [u8],
}

fn deliver(terminals: &[PathBuf], text: &[u8], limit: Duration) -> io::Result<()> {
    let deadline = now().after(limit);
    let mut open: Vec<Delivery<'_>> = terminals
        .iter()
        .filter_map(|path| open(path).ok())
        .map(|terminal| Delivery {
            terminal,
            rest: text,
        })
        .collect();
    loop {
        open.retain_mut(|delivery| delivery.advance().is_ok() && !delivery.rest.is_empty());
        let left = deadline.since(now());
        if open.is_empty() || left.is_zero() {
            return Ok(());
        }
        let mut watched: Vec<PollFd<'_>> = open
            .iter()
            .map(|delivery| PollFd::new(delivery.terminal.as_fd(), PollFlags::POLLOUT))
            .collect();
        let limit = PollTimeout::try_from(left.as_millis().saturating_add(1));
        poll(&mut watched, limit.unwrap_or(PollTimeout::MAX))?;
    }
}

impl Delivery<'_> {
    /// Writes what the terminal takes now.
    fn advance(&mut self) -> io::Result<()> {
        while !self.rest.is_empty() {
            match self.terminal.write(self.rest) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(taken) => self.rest = self.rest.get(taken..).unwrap_or_default(),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

/// Opens a terminal. A link to a device that has several names is none, as one of them may be somebody's trap.
fn open(path: &Path) -> io::Result<File> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let terminal = OpenOptions::new()
        .write(true)
        .custom_flags(flags.bits())
        .open(path)?;
    let metadata = terminal.metadata()?;
    if metadata.file_type().is_char_device() && metadata.nlink() == 1 && terminal.is_terminal() {
        Ok(terminal)
    } else {
        Err(io::Error::new(ErrorKind::InvalidInput, "not a terminal"))
    }
}

/// Tells whether the path is one of the virtual consoles, at which somebody sits in person.
pub(crate) fn is_virtual_console(path: &Path) -> bool {
    const TTY_MAJOR: u64 = 4;
    const LAST_CONSOLE: u64 = 63;
    path.metadata().is_ok_and(|metadata| {
        let device = metadata.rdev();
        metadata.file_type().is_char_device()
            && nix::sys::stat::major(device) == TTY_MAJOR
            && nix::sys::stat::minor(device) <= LAST_CONSOLE
    })
}

/// Returns the terminal on standard input, without `/dev/`.
pub(crate) fn own_name() -> Option<String> {
    let path = ttyname(io::stdin()).ok()?;
    let name = path.strip_prefix("/dev").unwrap_or(&path);
    Some(name.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use nix::pty::openpty;
    use std::io::Read;

    #[test]
    fn what_is_no_terminal_is_left_alone() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tty1");
        std::fs::write(&file, "").unwrap();
        let terminals = [file.clone(), "/dev/null".into(), folder.path().into()];
        deliver(&terminals, b"hello", Duration::ZERO).unwrap();
        assert_eq!(std::fs::read(&file).unwrap(), b"");
        assert!(!is_virtual_console(&file));
    }

    #[test]
    fn a_terminal_that_takes_nothing_is_given_up_and_the_others_are_served() {
        let stuck = openpty(None, None).unwrap();
        let served = openpty(None, None).unwrap();
        let terminals = [
            ttyname(&stuck.slave).unwrap(),
            ttyname(&served.slave).unwrap(),
        ];
        let text = [b'x'; 3000];
        // Nobody reads the first one, so that it is full after a few texts.
        for _ in 0..20 {
            deliver(&terminals[..1], &text, Duration::ZERO).unwrap();
        }
        deliver(&terminals, &text, Duration::from_millis(50)).unwrap();
        let mut seen = [0; 3000];
        File::from(served.master).read_exact(&mut seen).unwrap();
        assert_eq!(seen, text);
    }
}

//! The system console: messages on it, its terminal settings, and the one question init asks there.

use nix::errno::Errno;
use nix::fcntl::{OFlag, open};
use nix::poll::{PollFd, PollFlags, PollTimeout};
use nix::sys::stat::Mode;
use nix::sys::termios::{
    ControlFlags, InputFlags, LocalFlags, OutputFlags, SetArg, SpecialCharacterIndices as Key,
    tcgetattr, tcsetattr,
};
use std::ffi::CString;
use std::io::{self, IsTerminal};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Where init's messages go, and the output of what it starts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Console {
    /// A device: mostly a terminal.
    Device(PathBuf),
    /// Descriptors 1 and 2 of process 1, as a container's manager has given them.
    Output,
}

impl Console {
    /// The device for a system call, if it is one.
    pub(super) fn device(&self) -> Option<CString> {
        match self {
            Self::Device(device) => CString::new(device.as_os_str().as_bytes()).ok(),
            Self::Output => None,
        }
    }

    /// A name by which scripts can open it.
    pub(crate) fn name(&self) -> &Path {
        match self {
            Self::Device(device) => device,
            Self::Output => Path::new("/dev/stdout"),
        }
    }
}

/// Opens the console for output. It never becomes the caller's controlling terminal, and never makes it wait.
fn open_for_output(device: &Path) -> nix::Result<OwnedFd> {
    let flags = OFlag::O_WRONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open(device, flags, Mode::empty())
}

/// Tells whether a device can be opened for reading.
pub(crate) fn opens(device: &Path) -> bool {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open(device, flags, Mode::empty()).is_ok()
}

/// Tells whether a device is a terminal.
pub(crate) fn is_terminal(device: &Path) -> bool {
    let flags = OFlag::O_RDONLY | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    open(device, flags, Mode::empty()).is_ok_and(|fd| fd.is_terminal())
}

/// Gives up the controlling terminal that a container's manager has given process 1, so that a getty or a shell can have
/// it. What the kernel sends for that is nothing to a process that ignores it or has it at its default.
pub(crate) fn give_up_controlling() {
    let flags = OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    if let Ok(terminal) = open("/dev/tty", flags, Mode::empty()) {
        // SAFETY: this request has no argument; the descriptor is open.
        unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNOTTY) };
    }
}

/// Writes a message, waiting at most `patience` milliseconds in all for a console that takes nothing.
///
/// # Errors
/// The console cannot be opened, or has not taken everything in that time.
pub(crate) fn write(device: &Path, text: &[u8], patience: u8) -> io::Result<()> {
    let fd = open_for_output(device)?;
    let mut rest = text;
    let mut waits = patience / 10;
    while !rest.is_empty() {
        match nix::unistd::write(&fd, rest) {
            Ok(written) => rest = rest.get(written..).unwrap_or_default(),
            Err(Errno::EINTR) => {}
            Err(Errno::EAGAIN) if waits > 0 => {
                waits -= 1;
                let mut fds = [PollFd::new(fd.as_fd(), PollFlags::POLLOUT)];
                nix::poll::poll(&mut fds, PollTimeout::from(10_u8))?;
            }
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}

/// Gives the console the settings a login or a shell expects, whatever the last program left.
///
/// Output that is still on its way is let out, never thrown away: the last line before a level change is
/// often the one that matters.
pub(crate) fn reset(device: &Path) -> io::Result<()> {
    let flags = OFlag::O_RDWR | OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let fd = open(device, flags, Mode::empty())?;
    reset_terminal(fd.as_fd())?;
    Ok(())
}

/// As [`reset`], for a terminal that is already open.
pub(crate) fn reset_terminal(fd: BorrowedFd<'_>) -> nix::Result<()> {
    let mut settings = tcgetattr(fd)?;
    settings.control_flags &= ControlFlags::from_bits_truncate(libc::CBAUD)
        | ControlFlags::CSIZE
        | ControlFlags::CSTOPB
        | ControlFlags::PARENB
        | ControlFlags::PARODD;
    settings.control_flags |= ControlFlags::HUPCL | ControlFlags::CLOCAL | ControlFlags::CREAD;
    settings.input_flags &= InputFlags::IUTF8;
    settings.input_flags |=
        InputFlags::IGNPAR | InputFlags::ICRNL | InputFlags::IXON | InputFlags::IXANY;
    settings.output_flags = OutputFlags::OPOST | OutputFlags::ONLCR;
    settings.local_flags = LocalFlags::ISIG
        | LocalFlags::ICANON
        | LocalFlags::ECHO
        | LocalFlags::ECHOCTL
        | LocalFlags::ECHOE
        | LocalFlags::ECHOKE;
    let keys: [(Key, u8); 17] = [
        (Key::VINTR, 3),
        (Key::VQUIT, 28),
        (Key::VERASE, 127),
        (Key::VKILL, 21),
        (Key::VEOF, 4),
        (Key::VSTART, 17),
        (Key::VSTOP, 19),
        (Key::VSUSP, 26),
        (Key::VREPRINT, 18),
        (Key::VDISCARD, 15),
        (Key::VWERASE, 23),
        (Key::VLNEXT, 22),
        (Key::VEOL, 0),
        (Key::VEOL2, 0),
        (Key::VSWTC, 0),
        (Key::VTIME, 0),
        (Key::VMIN, 1),
    ];
    for (key, byte) in keys {
        if let Some(slot) = settings.control_chars.get_mut(key as usize) {
            *slot = byte;
        }
    }
    // TCSANOW neither waits for output, as TCSADRAIN would on a blocked line, nor discards it.
    tcsetattr(fd, SetArg::TCSANOW, &settings)
}

/// Asks for a runlevel on the terminal at standard input until a line of one character is accepted.
/// Returns the character; nothing where the terminal has ended.
pub(crate) fn ask(prompt: &str, accepted: fn(u8) -> bool) -> Option<u8> {
    let (input, output) = (io::stdin(), io::stdout());
    loop {
        let mut written = 0;
        while let Some(rest) = prompt
            .as_bytes()
            .get(written..)
            .filter(|rest| !rest.is_empty())
        {
            written += nix::unistd::write(output.as_fd(), rest).ok()?;
        }
        let mut line = [0_u8; 8];
        match nix::unistd::read(input.as_fd(), &mut line) {
            Ok(0) => return None,
            Ok(_) => {}
            Err(Errno::EINTR) => continue,
            Err(_) => return None,
        }
        if let [answer, b'\r' | b'\n', ..] = line
            && accepted(answer)
        {
            return Some(answer);
        }
    }
}

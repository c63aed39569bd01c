//! Processes as proc(5) shows them, read without touching a file that could make us wait: the link to a process's
//! program is read and never followed.

use std::fs;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use nix::errno::Errno;
use nix::sys::mman::{MlockAllFlags, mlockall};
use nix::sys::signal::{SigHandler, Signal as Number, kill, signal};
use nix::unistd::{Pid as Target, getsid};

use crate::process::{Pid, Signal};

/// More than the kernel puts into any of these files for one process, long argument lists apart.
const MOST: u64 = 64 * 1024;

/// Lists the processes in the order of their numbers. `folder` is /proc.
pub(crate) fn pids(folder: &Path) -> io::Result<Vec<Pid>> {
    let mut pids = numbers(folder)?;
    pids.sort_unstable();
    Ok(pids)
}

/// Lists the threads of a process.
pub(crate) fn threads(process: &Path) -> io::Result<Vec<Pid>> {
    numbers(&process.join("task"))
}

fn numbers(folder: &Path) -> io::Result<Vec<Pid>> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder)? {
        // An entry that is gone already is none.
        let Ok(entry) = entry else { continue };
        let name = entry.file_name();
        found.extend(name.to_str().and_then(|name| Pid::new(name.parse().ok()?)));
    }
    Ok(found)
}

/// Returns the number that /proc has for this process. Fails where the /proc is that of other processes.
pub(crate) fn own_number(folder: &Path) -> io::Result<i32> {
    let link = fs::read_link(folder.join("self"))?;
    let number = link.to_str().and_then(|text| text.parse().ok());
    number.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "not a process number"))
}

/// Reads the kernel's line about a process.
pub(crate) fn stat(process: &Path) -> io::Result<Vec<u8>> {
    super::files::read(&process.join("stat"), MOST)
}

/// Reads what is shown of a process's words, as far as it is of use for a comparison.
pub(crate) fn arguments(process: &Path) -> io::Result<Vec<Vec<u8>>> {
    use std::io::Read;
    let mut text = Vec::new();
    let file = fs::File::open(process.join("cmdline"))?;
    file.take(MOST).read_to_end(&mut text)?;
    let text = text.strip_suffix(b"\0").unwrap_or(&text);
    if text.is_empty() {
        return Ok(Vec::new());
    }
    Ok(text
        .split(|&byte| byte == 0)
        .map(<[u8]>::to_owned)
        .collect())
}

/// Reads where a link of a process leads, without going there: `exe`, `root`, or `ns/mnt`.
pub(crate) fn link(process: &Path, name: &str) -> io::Result<Vec<u8>> {
    let target = fs::read_link(process.join(name))?;
    Ok(target.into_os_string().into_vec())
}

/// Lists the numbers of a process's descriptors.
pub(crate) fn descriptors(process: &Path) -> Vec<u32> {
    let Ok(entries) = fs::read_dir(process.join("fd")) else {
        return Vec::new();
    };
    let names = entries.flatten().map(|entry| entry.file_name());
    names
        .filter_map(|name| name.to_str().and_then(|name| name.parse().ok()))
        .collect()
}

/// Tells whether a descriptor of a process is open for writing.
pub(crate) fn is_open_for_writing(process: &Path, number: u32) -> bool {
    let path = process.join("fdinfo").join(number.to_string());
    let text = super::files::read(&path, MOST).unwrap_or_default();
    let mut lines = text.split(|&byte| byte == b'\n');
    let flags = lines.find_map(|line| line.strip_prefix(b"flags:"));
    let flags = flags.and_then(|flags| std::str::from_utf8(flags.trim_ascii()).ok());
    let flags = flags.and_then(|flags| i32::from_str_radix(flags, 8).ok());
    flags.is_some_and(|flags| flags & libc::O_ACCMODE != libc::O_RDONLY)
}

/// Reads the mounts a process sees.
pub(crate) fn mounts(process: &Path) -> io::Result<Vec<u8>> {
    const MANY_MOUNTS: u64 = 16 * 1024 * 1024;
    super::files::read(&process.join("mountinfo"), MANY_MOUNTS)
}

/// Returns how many of the ticks that /proc counts in make a second.
pub(crate) fn ticks_per_second() -> u64 {
    // SAFETY: takes a number and touches no memory.
    let ticks = unsafe { libc::sysconf(libc::_SC_CLK_TCK) };
    u64::try_from(ticks).unwrap_or(1).max(1)
}

/// Mounts /proc.
pub(crate) fn mount(folder: &Path) -> io::Result<()> {
    use nix::mount::MsFlags;
    let flags = MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC | MsFlags::MS_NODEV;
    nix::mount::mount(Some("proc"), folder, Some("proc"), flags, None::<&str>)?;
    Ok(())
}

/// Returns the session of this process.
pub(crate) fn own_session() -> io::Result<i32> {
    Ok(getsid(None)?.as_raw())
}

/// Has this process live through SIGTERM, and keeps its memory where it is: what it would be read in from may be
/// about to stop.
pub(crate) fn stand_fast() {
    // SAFETY: ignoring a signal installs no handler that could do anything.
    unsafe { signal(Number::SIGTERM, SigHandler::SigIgn) }
        .map(drop)
        .unwrap_or_default();
    // Without the right to do so it has to do without.
    mlockall(MlockAllFlags::all()).unwrap_or_default();
}

/// Sends a signal to a process.
pub(crate) fn send(pid: i32, signal: Signal) -> io::Result<()> {
    let number = Number::try_from(signal.0)?;
    if pid < 1 {
        return Err(Errno::ESRCH.into());
    }
    Ok(kill(Target::from_raw(pid), number)?)
}

/// Holds every process but init and this one as long as it lives.
#[derive(Debug)]
pub(crate) struct Standstill(());

impl Standstill {
    /// Stops them.
    pub(crate) fn begin() -> io::Result<Self> {
        match kill(Target::from_raw(-1), Number::SIGSTOP) {
            // Nobody is there to be stopped.
            Ok(()) | Err(Errno::ESRCH) => Ok(Self(())),
            Err(error) => Err(error.into()),
        }
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        kill(Target::from_raw(-1), Number::SIGCONT).unwrap_or_default();
    }
}

//! The shutdown that is waiting already: its pid file, and whether it still lives.

use crate::paths::Paths;
use crate::process::Pid;
use crate::sys;

/// Names the kernel has for a running shutdown: as a link, and as `sysvtools shutdown`.
const NAMES: [&[u8]; 2] = [b"shutdown", b"sysvtools"];

/// Returns the process in the pid file.
pub(super) fn recorded(paths: &Paths) -> Option<Pid> {
    let content = sys::files::read(&paths.shutdown_pid(), 64).ok()?;
    let number = std::str::from_utf8(&content).ok()?.trim().parse().ok()?;
    Pid::new(number)
}

/// Tells whether the process is a shutdown. The file of one that was killed may by now hold a stranger's pid; where
/// /proc does not tell, the pid is believed.
pub(super) fn is_shutdown(paths: &Paths, pid: Pid) -> bool {
    sys::signalling::is_there(pid)
        && sys::signalling::name(&paths.at("/proc"), pid)
            .map_or(true, |name| NAMES.contains(&name.as_slice()))
}

/// Writes this process into the pid file.
pub(super) fn record(name: &str, paths: &Paths) {
    let path = paths.shutdown_pid();
    let pid = format!("{}\n", std::process::id());
    let what = path.display().to_string();
    super::warn(name, &what, sys::files::write(&path, pid.as_bytes()));
}

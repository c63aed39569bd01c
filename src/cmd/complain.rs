//! Where killall5 and pidof say what is wrong: on the terminal they are used at, else in the system log.

use std::io::IsTerminal;
use std::path::Path;

use crate::sys;

/// Says it once. Scripts that run as the machine starts and stops often have nobody to read their standard error,
/// so that the system log comes first there; where none is running, standard error is better than nothing.
pub(super) fn complain(name: &str, text: &str) {
    let tag = format!("{name}[{}]", std::process::id());
    let log = Path::new("/dev/log");
    if std::io::stdin().is_terminal()
        || sys::syslog::send(log, sys::syslog::DAEMON_ERROR, &tag, text).is_err()
    {
        sys::print::error(&format!("{name}: {text}"));
    }
}

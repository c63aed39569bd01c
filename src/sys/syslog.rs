//! Messages to the system log, as syslog(3) sends them, without waiting for anybody.

use std::io;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

/// Facility daemon, level info: syslog(3).
pub(crate) const DAEMON_INFO: u8 = 3 << 3 | 6;
/// Facility daemon, level error.
pub(crate) const DAEMON_ERROR: u8 = 3 << 3 | 3;
/// Facility user, level notice.
pub(crate) const USER_NOTICE: u8 = 1 << 3 | 5;

/// Sends one message. A log daemon that is not there, or does not keep up, is an error at once.
pub(crate) fn send(socket: &Path, priority: u8, tag: &str, text: &str) -> io::Result<()> {
    // Asked first, as nobody is there for most of what a boot has to say.
    std::fs::metadata(socket)?;
    let stamp = super::calendar::local(super::calendar::now()?)?.stamp();
    let sender = UnixDatagram::unbound()?;
    sender.set_nonblocking(true)?;
    let message = format!("<{priority}>{stamp} {tag}: {text}");
    sender.send_to(message.as_bytes(), socket)?;
    Ok(())
}

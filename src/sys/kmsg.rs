//! The kernel's message buffer, which outlives every console and is there before any log daemon.

use nix::fcntl::OFlag;
use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Writes one message (kmsg(4) takes one for each write), without waiting.
pub(crate) fn write(device: &Path, message: &str) -> io::Result<()> {
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let mut device = OpenOptions::new()
        .write(true)
        .custom_flags(flags)
        .open(device)?;
    device.write_all(message.as_bytes())
}

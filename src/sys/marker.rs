//! Small files that tell others what goes on: the runlevel, the pid of a shutdown, that nobody may log in.

use std::fs::OpenOptions;
use std::io::{self, Read};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Longest content that is read.
const LIMIT: u64 = 4096;

/// Reads the beginning of a small file. Waits for nobody, whatever the path is.
pub(crate) fn read(path: &Path) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)?;
    let mut content = Vec::new();
    file.take(LIMIT).read_to_end(&mut content)?;
    Ok(content)
}

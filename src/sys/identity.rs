//! Who runs this program, and where.

use std::io;

use nix::sys::utsname::uname;
use nix::unistd::{geteuid, getuid, setuid};

/// Tells whether the program may do what only root may.
pub(crate) fn is_superuser() -> bool {
    geteuid().is_root()
}

/// Tells whether root runs the program, or the program has become root for good.
pub(crate) fn is_superuser_for_good() -> bool {
    getuid().is_root()
}

/// Returns the number of the user who runs the program.
pub(crate) fn user() -> u32 {
    getuid().as_raw()
}

/// Becomes for good who the program runs as, so that the programs it starts do not fall back.
pub(crate) fn become_effective_user() -> io::Result<()> {
    Ok(setuid(geteuid())?)
}

/// Returns the name of this machine; empty where the kernel does not tell.
pub(crate) fn host_name() -> String {
    uname().map_or_else(
        |_| String::new(),
        |names| names.nodename().to_string_lossy().into_owned(),
    )
}

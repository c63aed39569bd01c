//! Who runs this program.

use nix::unistd::geteuid;

/// Tells whether the program may do what only root may.
pub(crate) fn is_superuser() -> bool {
    geteuid().is_root()
}

//! Taking file systems out of use.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;

use nix::mount::{MntFlags, MsFlags, mount, umount2};

/// Unmounts what is mounted at a place.
pub(crate) fn unmount(point: &[u8]) -> io::Result<()> {
    Ok(umount2(
        OsStr::from_bytes(point),
        MntFlags::UMOUNT_NOFOLLOW,
    )?)
}

/// Makes the file system mounted at a place read-only.
pub(crate) fn make_read_only(point: &[u8]) -> io::Result<()> {
    let flags = MsFlags::MS_REMOUNT | MsFlags::MS_RDONLY;
    let nothing = None::<&OsStr>;
    Ok(mount(
        nothing,
        OsStr::from_bytes(point),
        nothing,
        flags,
        nothing,
    )?)
}

//! Memory that a process and all that it forks have in common.

use nix::errno::Errno;
use std::io;
use std::ptr::{self, NonNull};

/// Asks the kernel for memory that holds one `T`, all of its bytes zero. It is never given back.
///
/// # Errors
/// There is none to be had.
pub(super) fn open<T>() -> io::Result<NonNull<T>> {
    // SAFETY: the kernel chooses the place, so nothing that is there already is touched.
    let place = unsafe {
        libc::mmap(
            ptr::null_mut(),
            size_of::<T>(),
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
            -1,
            0,
        )
    };
    let failed = place == libc::MAP_FAILED;
    let memory = NonNull::new(place.cast()).filter(|_| !failed);
    Ok(memory.ok_or_else(Errno::last)?)
}

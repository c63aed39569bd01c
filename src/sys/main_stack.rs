//! What the standard library is told of the main thread's stack: nothing.
//!
//! It asks at the start of each program where that stack lies, so that its handler can tell an overflow from another fault.
//! The C library finds out by opening `/proc/self/maps` and reading it line by line with sscanf(3): a tenth of what the start
//! of `telinit` takes, and two pages that process 1 would keep for as long as the machine runs. Process 1 has a handler of
//! its own ([`crash`](super::crash)), and in the tools an overflow is a segmentation fault like any other.

use std::ffi::c_int;

/// Takes the place of the C library's `pthread_getattr_np`, and says that this is not known, which the standard library bears.
/// Whatever it is given is left alone. A test's program is left the original, which a sanitizer needs.
#[unsafe(no_mangle)]
extern "C" fn pthread_getattr_np(
    _thread: libc::pthread_t,
    _attributes: *mut libc::pthread_attr_t,
) -> c_int {
    libc::ENOSYS
}

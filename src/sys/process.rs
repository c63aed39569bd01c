//! This process itself: its session, its umask, its environment.

use nix::sys::stat::{Mode, umask};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Gives the process the umask, directory and search path that everything it starts inherits.
pub(crate) fn prepare(search_path: &str) {
    let group_and_others_write = Mode::S_IWGRP | Mode::S_IWOTH;
    let old = umask(group_and_others_write);
    umask(old | group_and_others_write);
    // The root is always there; a refusal leaves the directory the kernel gave, which is the root.
    nix::unistd::chdir(Path::new("/")).unwrap_or_default();
    set_variable("PATH", search_path);
}

/// Sets a variable of the environment.
pub(crate) fn set_variable(name: &str, value: &str) {
    #[expect(
        clippy::disallowed_methods,
        reason = "the one place where PID 1 changes its own environment"
    )]
    // SAFETY: our programs have one thread, so nobody reads the environment meanwhile.
    unsafe {
        std::env::set_var(name, value);
    }
}

/// Takes the variables whose names begin with `prefix` out of the environment and returns them as `NAME=VALUE`.
pub(crate) fn take_variables(prefix: &[u8]) -> Vec<Box<[u8]>> {
    let mut taken = Vec::new();
    for (name, value) in std::env::vars_os() {
        if name.as_bytes().starts_with(prefix) {
            taken.push([name.as_bytes(), b"=", value.as_bytes()].concat().into());
            // SAFETY: our programs have one thread, so nobody reads the environment meanwhile.
            unsafe { std::env::remove_var(name) };
        }
    }
    taken
}

/// Becomes session and group leader; PID 1 is one already when it was re-executed.
pub(crate) fn lead_session() {
    nix::unistd::setsid().map(drop).unwrap_or_default();
}

/// Has everybody read the files this process makes, and nobody else write them.
pub(crate) fn use_the_usual_umask() {
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
}

/// Gives the process the name that `ps` and `pidof` know it by: one that was executed through
/// `/proc/self/exe` has that link's.
pub(crate) fn set_name(name: &std::ffi::CStr) {
    // SAFETY: the kernel reads at most 16 bytes up to the NUL.
    unsafe { libc::prctl(libc::PR_SET_NAME, name.as_ptr()) };
}

/// Exits, which process 1 of a container does when all is done.
pub(crate) fn exit(code: u8) -> ! {
    super::child::exit_now(code)
}

//! Going on in the background.

use std::io;

use nix::unistd::{ForkResult, Pid, fork, setsid};

/// Which of the two processes this one is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Side {
    /// The one that was called; the number of the other.
    Front(Pid),
    /// The one that goes on, in a session of its own.
    Back,
}

/// Makes a second process of this one.
pub(crate) fn divide() -> io::Result<Side> {
    // SAFETY: our programs have one thread, so the child may do whatever the parent may.
    match unsafe { fork() }? {
        ForkResult::Parent { child } => Ok(Side::Front(child)),
        ForkResult::Child => {
            setsid()?;
            Ok(Side::Back)
        }
    }
}

/// Lets go of the terminal, or whatever the standard files are.
pub(crate) fn let_go_of_standard_files() -> io::Result<()> {
    let nothing = std::fs::File::options()
        .read(true)
        .write(true)
        .open("/dev/null")?;
    nix::unistd::dup2_stdin(&nothing)?;
    nix::unistd::dup2_stdout(&nothing)?;
    nix::unistd::dup2_stderr(&nothing)?;
    Ok(())
}

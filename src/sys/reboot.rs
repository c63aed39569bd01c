//! The end of the machine: reboot(2), and what is asked of the kernel and of init just before.

use std::ffi::CStr;
use std::io;

use nix::sys::reboot::{RebootMode, reboot, set_cad_enabled};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

const INIT: Pid = Pid::from_raw(1);

/// What the kernel is to do.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// Start again.
    Restart,
    /// Start the kernel that kexec loaded.
    Kexec,
    /// Stop, with the power on.
    Halt,
    /// Stop and switch the power off.
    PowerOff,
}

/// Ends the machine, or in a PID namespace the namespace. Only a failure returns.
pub(crate) fn end(how: End) -> io::Error {
    let mode = match how {
        End::Restart => RebootMode::RB_AUTOBOOT,
        End::Kexec => RebootMode::RB_KEXEC,
        End::Halt => RebootMode::RB_HALT_SYSTEM,
        End::PowerOff => RebootMode::RB_POWER_OFF,
    };
    match reboot(mode) {
        Ok(never) => match never {},
        Err(error) => error.into(),
    }
}

/// Restarts with a word for the firmware or the boot loader. Only a failure returns.
pub(crate) fn restart_with(word: &CStr) -> io::Error {
    // SAFETY: the fourth argument of this command is a NUL-terminated string the kernel only reads, and `word`
    // is one that lives across the call.
    unsafe {
        libc::syscall(
            libc::SYS_reboot,
            libc::LINUX_REBOOT_MAGIC1,
            libc::LINUX_REBOOT_MAGIC2,
            libc::LINUX_REBOOT_CMD_RESTART2,
            word.as_ptr(),
        )
    };
    io::Error::last_os_error()
}

/// Has Ctrl-Alt-Del restart the machine at once, which is all that can be done to one that is halted.
pub(crate) fn let_ctrl_alt_del_restart() -> io::Result<()> {
    Ok(set_cad_enabled(true)?)
}

/// Has Ctrl-Alt-Del send a signal to init.
pub(crate) fn let_ctrl_alt_del_ask_init() -> io::Result<()> {
    Ok(set_cad_enabled(false)?)
}

/// Has init start nothing any more.
pub(crate) fn pause_init() -> io::Result<()> {
    Ok(kill(INIT, Signal::SIGTSTP)?)
}

/// Has init go on.
pub(crate) fn resume_init() -> io::Result<()> {
    Ok(kill(INIT, Signal::SIGCONT)?)
}

/// Writes what the kernel still holds for the disks.
pub(crate) fn sync() {
    nix::unistd::sync();
}

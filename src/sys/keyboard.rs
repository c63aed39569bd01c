//! What the kernel's keyboard is told: send init a signal for Ctrl-Alt-Del and for the keyboard request.

use nix::fcntl::{OFlag, open};
use nix::sys::stat::Mode;
use std::path::Path;

/// `KDSIGACCEPT` of `<linux/kd.h>`: names the signal for the keyboard request.
const KDSIGACCEPT: libc::c_ulong = 0x4B4E;

nix::ioctl_write_int_bad!(accept_signal, KDSIGACCEPT);

/// Makes Ctrl-Alt-Del a SIGINT to PID 1 instead of a reset: reboot(2), `RB_DISABLE_CAD`.
pub(crate) fn catch_ctrl_alt_del() -> nix::Result<()> {
    nix::sys::reboot::set_cad_enabled(false)
}

/// Makes the keyboard request key a SIGWINCH to PID 1, where there is a keyboard.
pub(crate) fn catch_keyboard_request(console: &Path) -> nix::Result<()> {
    let fd = open(
        console,
        OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_NONBLOCK | OFlag::O_CLOEXEC,
        Mode::empty(),
    )?;
    // SAFETY: the argument is a signal number, no pointer.
    unsafe { accept_signal(std::os::fd::AsRawFd::as_raw_fd(&fd), libc::SIGWINCH) }?;
    Ok(())
}

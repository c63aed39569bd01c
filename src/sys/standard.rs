//! The standard descriptors of a child of init. Calls the kernel as a child that shares init's memory must (`bare`), which
//! serves a forked one as well.

use super::bare;
use super::reports::{Kind, Reports};
use std::ffi::{CStr, c_int};

/// Puts the console, or `/dev/null` where it cannot be opened, on descriptors 0, 1 and 2. Where there is no device at
/// all they get the root directory, which can be neither read nor written: a program that begins without them takes
/// the first files it opens for them, and one in Rust, such as our halt, does not begin at all.
///
/// Where there is no console because it is init's own output, that stays on 1 and 2; there is no input.
pub(super) fn take(console: Option<&CStr>, reports: Reports) {
    let (opened, last) = match console {
        Some(device) => (open_console(device, reports).or_else(|_| nothing()), 2),
        None => (nothing(), 0),
    };
    let Ok(opened) = opened else { return };
    for standard in 0..=last {
        if standard != opened {
            bare::duplicate(opened, standard);
        }
    }
    // One that is one of the standard three itself stays.
    if opened > 2 {
        bare::close(opened);
    }
}

fn nothing() -> Result<c_int, c_int> {
    bare::open(c"/dev/null", libc::O_RDWR).or_else(|_| bare::open(c"/", libc::O_RDONLY))
}

/// Opens without waiting for a modem line, then makes the descriptor an ordinary blocking one. It is the child's
/// to keep through exec: PID 1 has nothing on 0 to 2, so it may be one of these at once.
fn open_console(device: &CStr, reports: Reports) -> Result<c_int, c_int> {
    let opened = bare::open(device, libc::O_RDWR | libc::O_NOCTTY | libc::O_NONBLOCK)
        .and_then(|opened| bare::set_flags(opened, libc::O_RDWR).map(|_| opened));
    if let Err(error) = opened {
        reports.tell(Kind::NoConsole, device.to_bytes(), error);
    }
    opened
}

//! The terminal behind standard output, where it is one.

use std::io::{self, IsTerminal};

use nix::sys::termios::{OutputFlags, SetArg, tcgetattr, tcsetattr};

/// Makes a line end return to the first column, which a program that used the terminal before may have switched
/// off.
pub(crate) fn return_at_line_ends() -> io::Result<()> {
    let output = io::stdout();
    if !output.is_terminal() {
        return Ok(());
    }
    let mut settings = tcgetattr(&output)?;
    if !settings.output_flags.contains(OutputFlags::ONLCR) {
        settings.output_flags.insert(OutputFlags::ONLCR);
        tcsetattr(&output, SetArg::TCSANOW, &settings)?;
    }
    Ok(())
}

//! Text to standard output and standard error, with a closed pipe treated as an error and not as a panic.

use std::io::{self, ErrorKind, IsTerminal, Write};

use nix::errno::Errno;

/// Writes text to standard output. A reader that has gone away has read all it wanted; any other failure is one.
pub(crate) fn text(text: &str) -> io::Result<()> {
    bytes(text.as_bytes())
}

/// As [`text`], for what need not be text.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut output = io::stdout();
    match output.write_all(bytes).and_then(|()| output.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => Err(named(&error)),
        _ => Ok(()),
    }
}

/// Says what could not be written: no caller could say more, and each would have to say it.
fn named(error: &io::Error) -> io::Error {
    let why = error.raw_os_error().map_or_else(
        || error.to_string(),
        |number| Errno::from_raw(number).desc().to_owned(),
    );
    io::Error::new(error.kind(), format!("standard output: {why}"))
}

/// Writes one line to standard error. A standard error that cannot be written leaves nobody to tell.
pub(crate) fn error(line: &str) {
    error_bytes(line.as_bytes());
}

/// As [`error`], for what need not be text.
pub(crate) fn error_bytes(line: &[u8]) {
    let text = [line, b"\n"].concat();
    io::stderr().write_all(&text).unwrap_or_default();
}

/// Tells whether somebody at a terminal reads standard error.
pub(crate) fn is_error_terminal() -> bool {
    io::stderr().is_terminal()
}

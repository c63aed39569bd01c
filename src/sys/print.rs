//! Text to standard output and standard error, with a closed pipe treated as an error and not as a panic.

use std::io::{self, Write};

/// Writes one line to standard error. A standard error that cannot be written leaves nobody to tell.
pub(crate) fn error(line: &str) {
    let text = format!("{line}\n");
    io::stderr().write_all(text.as_bytes()).unwrap_or_default();
}

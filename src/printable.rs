//! Foreign bytes as a message or a table may show them.
#![forbid(unsafe_code)]

use std::fmt::{self, Write};

/// Bytes of a file, a name or a request: printable ones of ASCII as they are, others escaped.
#[derive(Debug, Clone, Copy)]
pub struct Printable<'a>(pub &'a [u8]);

impl fmt::Display for Printable<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for &byte in self.0 {
            if byte.is_ascii_graphic() || byte == b' ' {
                f.write_char(char::from(byte))?;
            } else {
                write!(f, "{}", byte.escape_ascii())?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_can_be_printed_stays_as_it_is_quotes_included() {
        let shown = |bytes| Printable(bytes).to_string();
        assert_eq!(shown(b"the \"host's\" a\\b"), "the \"host's\" a\\b");
        assert_eq!(shown(b"\x1b[2J\n\xff"), "\\x1b[2J\\n\\xff");
    }
}

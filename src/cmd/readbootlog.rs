//! `readbootlog`: prints the boot log without what was meant for the terminal only (readbootlog(1)).

use std::fs::File;
use std::io::{ErrorKind, Read, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;
use lexopt::Arg;

use super::Invocation;
use crate::bootlog::escapes::{Besides, Filter};
use crate::sys;

/// Where bootlogd(8) writes, if nothing else was said.
const LOG: &str = "/var/log/boot";

const HELP: &str = "\
Usage: readbootlog [-h] [-f FILE]

Prints the boot log without escape sequences and control characters.

  -f FILE   read this log instead of /var/log/boot
  -h, --help, --version
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let mut path = PathBuf::from(LOG);
    let mut parser = lexopt::Parser::from_args(&call.arguments);
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short('f') => path = parser.value()?.into(),
            Arg::Short('h') | Arg::Long("help") => {
                sys::print::text(HELP)?;
                return Ok(ExitCode::SUCCESS);
            }
            Arg::Long("version") => {
                sys::print::text(&super::version_line(&call.name))?;
                return Ok(ExitCode::SUCCESS);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    // Compat: the words up to the path are those of readbootlog(1).
    let what = || format!("Unable to open file {}", path.display());
    let mut log = File::open(&path).with_context(what)?;
    let mut filter = Filter::new(Besides::Controls);
    let mut output = std::io::stdout().lock();
    let mut text = vec![0; 64 * 1024];
    loop {
        let count = match log.read(&mut text) {
            Err(error) if error.kind() == ErrorKind::Interrupted => continue,
            result => result.with_context(|| path.display().to_string())?,
        };
        let piece = match text.get(..count).filter(|piece| !piece.is_empty()) {
            Some(piece) => filter.pass(piece),
            None => filter.end().to_vec(),
        };
        match output.write_all(&piece).and_then(|()| output.flush()) {
            // Its reader has read all it wanted.
            Err(error) if error.kind() == ErrorKind::BrokenPipe => return Ok(ExitCode::SUCCESS),
            result => result.context("standard output")?,
        }
        if count == 0 {
            return Ok(ExitCode::SUCCESS);
        }
    }
}

//! Orchestration: from the name a program was run as to its main function, and from its error to a message.
//!
//! Ring `cmd`: may use the pure modules and `sys`; owns loops, exit codes and anyhow.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// How a program was called.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// The last part of `argv[0]` without a leading `-`; messages begin with it.
    pub(crate) name: String,
    /// The words after it, any bytes.
    pub(crate) arguments: Vec<OsString>,
}

/// A tool's main function; an error is printed once, as `name: outer: inner`, and ends in exit code 1.
type Tool = fn(&Invocation) -> anyhow::Result<ExitCode>;

/// Every name `sysvtools` answers to.
const TOOLS: &[(&str, Tool)] = &[];

/// Runs `init`: PID 1, or the client that asks it.
pub fn init_main() -> ExitCode {
    ExitCode::FAILURE
}

/// Runs the tool named by `argv[0]`, or by the first argument when called as `sysvtools`.
pub fn sysvtools_main() -> ExitCode {
    let mut words = std::env::args_os();
    let Some(mut call) = Invocation::next(&mut words) else {
        return ExitCode::FAILURE;
    };
    if call.name == "sysvtools"
        && let Some(named) = Invocation::next(&mut words)
    {
        call = named;
    }
    call.arguments = words.collect();
    let Some((_, tool)) = TOOLS.iter().find(|(name, _)| *name == call.name) else {
        crate::sys::print::error(&format!("sysvtools: {}: no such tool", call.name));
        return ExitCode::FAILURE;
    };
    match tool(&call) {
        Ok(code) => code,
        Err(error) => {
            crate::sys::print::error(&format!("{}: {error:#}", call.name));
            ExitCode::FAILURE
        }
    }
}

impl Invocation {
    /// Takes the next word as a program's name.
    fn next(words: &mut impl Iterator<Item = OsString>) -> Option<Self> {
        let word = words.next()?;
        let last = word
            .as_bytes()
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default();
        let name = last.strip_prefix(b"-").unwrap_or(last);
        Some(Self {
            name: String::from_utf8_lossy(name).into_owned(),
            arguments: Vec::new(),
        })
    }
}

//! Becoming another program, and running one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, IsTerminal};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Command, ExitStatus, Stdio};

use crate::process::ExitStatus as Ended;

/// Replaces this program by another one, called by the last part of its path. Only a failure returns.
pub(crate) fn replace(program: &Path, arguments: &[OsString]) -> io::Error {
    Command::new(program)
        .arg0(program.file_name().unwrap_or(program.as_os_str()))
        .args(arguments)
        .exec()
}

/// Runs a program to its end as this one's own kind: called by the last part of its path, with the same environment
/// and files.
pub(crate) fn run_in_place(program: &Path, arguments: &[OsString]) -> io::Result<ExitStatus> {
    Command::new(program)
        .arg0(program.file_name().unwrap_or(program.as_os_str()))
        .args(arguments)
        .status()
}

/// Replaces this program by another one with exactly this environment. Only a failure returns.
pub(crate) fn replace_with(
    program: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> io::Error {
    with(program, arguments, environment).exec()
}

/// Runs a program to its end with exactly this environment.
pub(crate) fn run_with(
    program: &Path,
    arguments: &[OsString],
    environment: &[(OsString, OsString)],
) -> io::Result<Ended> {
    let status = with(program, arguments, environment).status()?;
    Ok(Ended::from_word(status.into_raw().cast_unsigned()))
}

fn with(program: &Path, arguments: &[OsString], environment: &[(OsString, OsString)]) -> Command {
    let mut command = Command::new(program);
    let environment = environment.iter().map(|(name, value)| (name, value));
    command.args(arguments).env_clear().envs(environment);
    command
}

/// Runs a program to its end and returns what it has printed; the rest is as this program has it.
pub(crate) fn output_of(program: &Path, arguments: &[OsString]) -> io::Result<(Vec<u8>, Ended)> {
    let output = Command::new(program)
        .args(arguments)
        .stdin(Stdio::inherit())
        .stderr(Stdio::inherit())
        .output()?;
    let status = output.status.into_raw().cast_unsigned();
    Ok((output.stdout, Ended::from_word(status)))
}

/// Replaces this program by the one of this name, looked for as a shell does. Only a failure returns.
pub(crate) fn replace_by_name(name: &OsStr, arguments: &[OsString]) -> io::Error {
    Command::new(name).args(arguments).exec()
}

/// Runs a program to its end, with this environment and nothing to read.
pub(crate) fn run(
    program: &Path,
    arguments: &[&str],
    environment: &[(&str, &str)],
) -> io::Result<ExitStatus> {
    Command::new(program)
        .args(arguments)
        .env_clear()
        .envs(environment.iter().copied())
        .stdin(Stdio::null())
        .status()
}

/// Lets go of the files this program was started with, except terminals.
pub(crate) fn let_go_of_files() {
    let nothing = File::options().read(true).write(true).open("/dev/null");
    if let Ok(nothing) = nothing {
        // A descriptor that cannot be replaced stays as it is.
        if !io::stdin().is_terminal() {
            nix::unistd::dup2_stdin(&nothing).unwrap_or_default();
        }
        if !io::stdout().is_terminal() {
            nix::unistd::dup2_stdout(&nothing).unwrap_or_default();
        }
        if !io::stderr().is_terminal() {
            nix::unistd::dup2_stderr(&nothing).unwrap_or_default();
        }
    }
    for descriptor in 3..256 {
        // SAFETY: all descriptors of our own live as long as the call that needs them, and none is in progress.
        unsafe { libc::close(descriptor) };
    }
}

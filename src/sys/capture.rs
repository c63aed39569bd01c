//! Running a program to hear what it says, with a limit on how long that may take.

use std::ffi::OsStr;
use std::io::{self, ErrorKind, Read};
use std::os::fd::AsFd;
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::signal::{Signal, killpg};
use nix::unistd::Pid;

use crate::process::ExitStatus;

/// How often a program is looked at that has closed its output, or whose output somebody else holds open.
const PAUSE: Duration = Duration::from_millis(20);

/// What a program has said, and how it ended.
#[derive(Debug)]
pub(crate) struct Captured {
    /// Standard output and standard error as they came, as much as was asked for.
    pub(crate) output: Vec<u8>,
    /// None where it had not ended in time, and was killed with its process group.
    pub(crate) status: Option<ExitStatus>,
    /// Our end of its output, where somebody whom it has left behind still holds the other one. Closing it means a signal
    /// for whoever writes to it.
    pub(crate) held: Option<Held>,
}

/// An output that somebody holds.
#[derive(Debug)]
pub(crate) struct Held(io::PipeReader);

/// Runs a program in a process group of its own, with nothing to read and exactly the environment given, until it
/// ends or the time is over. A process that it leaves behind may keep its output open; nobody waits for that one.
pub(crate) fn capture(
    program: &Path,
    words: &[&OsStr],
    environment: &[(&OsStr, &OsStr)],
    limit: Duration,
    most: usize,
) -> io::Result<Captured> {
    let (mut reader, writer) = io::pipe()?;
    fcntl(&reader, FcntlArg::F_SETFL(OFlag::O_NONBLOCK))?;
    let mut command = Command::new(program);
    command
        .args(words)
        .env_clear()
        .envs(environment.iter().copied())
        .process_group(0)
        .stdin(Stdio::null())
        .stderr(writer.try_clone()?)
        .stdout(writer);
    let mut child = command.spawn()?;
    // It holds the writing ends, and they would keep the pipe open.
    drop(command);
    let deadline = super::clock::now().after(limit);
    let mut output = Vec::new();
    let mut is_open = true;
    loop {
        is_open = is_open && read_all(&mut reader, &mut output, most)?;
        if let Some(status) = child.try_wait()? {
            // What it wrote last may have come since.
            is_open = is_open && read_all(&mut reader, &mut output, most)?;
            let status = ExitStatus::from_word(status.into_raw().cast_unsigned());
            return Ok(Captured {
                output,
                status: Some(status),
                held: is_open.then_some(Held(reader)),
            });
        }
        let left = deadline.since(super::clock::now());
        if left.is_zero() {
            kill(&mut child)?;
            return Ok(Captured {
                output,
                status: None,
                held: None,
            });
        }
        let source = is_open.then(|| reader.as_fd());
        super::poll::wait([source], Some(left.min(PAUSE)));
    }
}

impl Held {
    /// Reads and throws away what still comes, until nobody is left who could write.
    pub(crate) fn drain(mut self) -> io::Result<()> {
        fcntl(&self.0, FcntlArg::F_SETFL(OFlag::empty()))?;
        io::copy(&mut self.0, &mut io::sink()).map(drop)
    }
}

/// Reads what is there; tells whether more may come. What is more than `most` is thrown away.
fn read_all(reader: &mut io::PipeReader, output: &mut Vec<u8>, most: usize) -> io::Result<bool> {
    let mut part = [0; 4096];
    loop {
        match reader.read(&mut part) {
            Ok(0) => return Ok(false),
            Ok(length) => {
                let room = most.saturating_sub(output.len()).min(length);
                output.extend(part.get(..room).unwrap_or_default());
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(true),
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
}

fn kill(child: &mut Child) -> io::Result<()> {
    // The child is not waited for yet, so that its number is still its own.
    killpg(Pid::from_raw(child.id().cast_signed()), Signal::SIGKILL).unwrap_or_default();
    child.kill()?;
    child.wait().map(drop)
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(60);

    fn shell(script: &str, limit: Duration) -> Captured {
        let words = [OsStr::new("-c"), OsStr::new(script)];
        capture(Path::new("/bin/sh"), &words, &[], limit, 100).unwrap()
    }

    #[test]
    fn both_outputs_and_the_status_are_heard() {
        let Captured { output, status, .. } = shell("echo a; echo b >&2; exit 3", LONG);
        assert_eq!(output, b"a\nb\n");
        assert_eq!(status, Some(ExitStatus::Exited(3)));
    }

    #[test]
    fn what_is_too_much_is_thrown_away_and_does_not_stop_the_program() {
        let script = "i=0; while [ $i -lt 9000 ]; do echo 0123456789012345; i=$((i+1)); done";
        let Captured { output, status, .. } = shell(script, LONG);
        assert_eq!((output.len(), status), (100, Some(ExitStatus::Exited(0))));
    }

    #[test]
    fn a_program_that_does_not_end_is_killed_and_its_children_with_it() {
        let Captured { output, status, .. } = shell(
            "echo here; /bin/sleep 1000 & echo $!; wait",
            Duration::from_millis(300),
        );
        assert_eq!(status, None);
        let text = String::from_utf8(output).unwrap();
        let (first, pid) = text.trim().split_once('\n').unwrap();
        assert_eq!(first, "here");
        let line = std::fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
        assert!(!line.contains(" S "), "{line}");
    }

    #[test]
    fn nobody_waits_for_a_daemon_that_keeps_the_output_open() {
        let Captured {
            output,
            status,
            held,
        } = shell("/bin/sleep 5 & echo done", LONG);
        assert_eq!(output, b"done\n");
        assert_eq!(status, Some(ExitStatus::Exited(0)));
        assert!(held.is_some());
        assert!(shell("echo done", LONG).held.is_none());
    }
}

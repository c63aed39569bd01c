//! `machine`: starts a small system on this terminal, with its own `/sbin/init` as PID 1 of fresh namespaces.
//!
//! ```text
//! machine [--exec PATH] ROOT [WORD...]
//! ```
//!
//! ROOT is a directory with a whole system (`tests/setup/small-root` makes one). It is copied into memory, so that a
//! machine leaves no trace; what is changed inside lasts until it is powered off, and over a reboot. Each WORD is handed
//! to init as the kernel would (`single`, `4`, `-b`). `--exec` names another program than `/sbin/init` in ROOT.
//!
//! Four processes, each the parent of the next, and each killed by the kernel when its parent ends:
//! ```text
//! launcher  the user's terminal and the pty that is the machine's console        (relay.rs)
//!  keeper   user namespace, and the machine's root in a tmpfs                     (stages.rs)
//!   booter  pid, mount, uts, ipc and net namespaces: one for each boot            (stages.rs)
//!    init   mounts /dev, /proc, /run, takes the root, and becomes ROOT/sbin/init  (stages.rs)
//! ```
//! reboot(2) in a PID namespace kills its init: by SIGHUP for a reboot, by SIGINT for halt and power-off. The booter
//! sees it and says so in its exit code.

mod identity;
mod relay;
mod stages;

use std::io::Write;
use std::process::ExitCode;

use anyhow::Context;

fn main() -> ExitCode {
    match dispatch() {
        Ok(code) => code,
        Err(error) => {
            // Nothing is left to report to where standard error is gone.
            writeln!(std::io::stderr(), "machine: {error:#}").ok();
            ExitCode::FAILURE
        }
    }
}

/// Closes descriptors that our caller left open (make's job server, a shell's redirections): init would inherit them.
fn close_what_we_did_not_open() -> anyhow::Result<()> {
    let open: Vec<i32> = std::fs::read_dir("/proc/self/fd")
        .context("listing our descriptors")?
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse().ok())
        .collect();
    for descriptor in open {
        if descriptor > 2 {
            // The listing's own is among them, and closed by now.
            nix::unistd::close(descriptor).ok();
        }
    }
    Ok(())
}

/// What to start, as the command line says it.
#[derive(Debug)]
struct Call {
    /// The directory with the system.
    root: std::path::PathBuf,
    /// The program that becomes PID 1, as a path in the system.
    program: std::ffi::OsString,
    /// What the kernel would hand to it.
    words: Vec<std::ffi::OsString>,
}

/// Runs the launcher, or the later stage named by the first argument.
fn dispatch() -> anyhow::Result<ExitCode> {
    let mut arguments: Vec<_> = std::env::args_os().skip(1).collect();
    let stage = arguments
        .first()
        .and_then(|word| word.to_str())
        .and_then(stages::Stage::named);
    if let Some(stage) = stage {
        arguments.remove(0);
        return stages::run(stage, &arguments);
    }
    close_what_we_did_not_open()?;
    let mut call = Call {
        root: std::path::PathBuf::new(),
        program: "/sbin/init".into(),
        words: Vec::new(),
    };
    let mut parser = lexopt::Parser::from_args(arguments);
    // Words after ROOT belong to init, with or without a dash.
    while let Some(argument) = parser.next()? {
        match argument {
            lexopt::Arg::Long("exec") => call.program = parser.value()?,
            lexopt::Arg::Value(root) => {
                call.root = root.into();
                call.words.extend(parser.raw_args()?);
            }
            other => return Err(other.unexpected().into()),
        }
    }
    anyhow::ensure!(
        !call.root.as_os_str().is_empty(),
        "usage: machine [--exec PATH] ROOT [WORD...]"
    );
    call.root = call
        .root
        .canonicalize()
        .with_context(|| format!("looking for {}", call.root.display()))?;
    relay::launch(&call)
}

//! `bootlogd`: records what appears on the console while the machine boots (bootlogd(8)).
//!
//! The kernel hands all output of /dev/console to a terminal of ours. From there it goes to the real consoles and
//! into the log, neither of which can stop the other.

mod args;
mod relay;

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::Context;

use self::args::{Options, Wish};
use self::relay::{Console, Ended, Log, Relay};
use super::Invocation;
use super::complain::complain;
use crate::bootlog::{active_consoles, named_consoles};
use crate::paths::Paths;
use crate::process::Signal;
use crate::sys;
use crate::sys::background::Side;
use crate::sys::redirect::Terminal;
use crate::sys::signal::SignalQueue;

/// Where the log is, if no option says otherwise: bootlogd(8).
const LOG: &str = "/var/log/boot";
const USAGE: &str = "Usage: bootlogd [-v] [-r] [-d] [-e] [-s] [-c] [-p pidfile] [-l logfile]";
const HELP: &str = "
Takes what is written to /dev/console, shows it on real consoles, and logs it.

  -c        make the log where there is none; without, it waits for it to appear
  -d        stay in the foreground
  -e        log escape sequences and carriage returns too
  -l FILE   the log, instead of /var/log/boot
  -p FILE   write the process number into a file
  -r        rename the log that is there to NAME~
  -s        have each line on the disk before going on
  -v, --help, --version
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let options = match args::parse(&call.arguments) {
        Ok(Wish::Help) => {
            sys::print::text(&format!("{USAGE}\n{HELP}"))?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Wish::Version) => {
            sys::print::text(&super::version_line(&call.name))?;
            return Ok(ExitCode::SUCCESS);
        }
        Ok(Wish::Record(options)) => options,
        Err(error) => {
            sys::print::error(&format!("{}: {error}\n{USAGE}", call.name));
            return Ok(ExitCode::FAILURE);
        }
    };
    record(&call.name, options)
}

fn record(name: &str, options: Options) -> anyhow::Result<ExitCode> {
    let paths = Paths::default();
    let terminal = Terminal::open().context("opening a terminal; is /dev/pts mounted?")?;
    let consoles = consoles(&paths);
    if consoles.is_empty() {
        sys::print::error(&format!(
            "{name}: no console can be opened; what is written to /dev/console will only be logged"
        ));
    }
    // Everything that could go wrong does so before the console's output is taken away.
    let pid_file = options.pid_file.map(absolute).transpose()?;
    if let Some(file) = &pid_file {
        sys::files::write(file, b"").with_context(|| file.display().to_string())?;
    }
    let log = Log::new(
        absolute(options.log.unwrap_or_else(|| LOG.into()))?,
        relay::Keeping {
            create: options.create,
            rename: options.rename,
            sync: options.sync,
            escapes: options.escapes,
        },
    );
    std::env::set_current_dir("/").context("changing to /")?;
    sys::interrupt::ignore_terminal().context("ignoring the terminal's signals")?;
    let signals = SignalQueue::open(&[Signal::TERM, Signal::INT, Signal::QUIT])
        .context("asking for signals")?;
    terminal
        .take_console()
        .context("taking the console's output; does another bootlogd run?")?;
    let mut own = std::process::id().to_string();
    if options.foreground {
        began(pid_file.as_deref(), &own)?;
    } else {
        match sys::background::divide().context("going to the background")? {
            Side::Front(child) => {
                began(pid_file.as_deref(), &child.to_string())?;
                return Ok(ExitCode::SUCCESS);
            }
            Side::Back => {
                own = std::process::id().to_string();
                sys::background::let_go_of_standard_files().unwrap_or_default();
            }
        }
    }
    let ended = Relay::new(terminal, consoles, log).run(&signals, &paths.at("/dev/console"))?;
    if let Some(file) = pid_file {
        // Somebody else may have written another number meanwhile.
        let is_ours =
            sys::files::read(&file, 64).is_ok_and(|text| text.trim_ascii() == own.as_bytes());
        if is_ours {
            sys::files::remove(&file).unwrap_or_default();
        }
    }
    match ended {
        Ended::AllWritten => Ok(ExitCode::SUCCESS),
        Ended::LogLost(path, error) => {
            // In the background there is no standard error any more.
            let reason = super::reason(&error);
            complain(
                name,
                &format!("{}: {reason}; what was logged is lost", path.display()),
            );
            Ok(ExitCode::FAILURE)
        }
    }
}

fn began(pid_file: Option<&Path>, pid: &str) -> anyhow::Result<()> {
    if let Some(file) = pid_file {
        sys::files::write(file, format!("{pid}\n").as_bytes())
            .with_context(|| file.display().to_string())?;
    }
    Ok(())
}

/// The folder it is called in is left at once.
fn absolute(path: PathBuf) -> anyhow::Result<PathBuf> {
    std::path::absolute(&path).with_context(|| path.display().to_string())
}

/// The consoles that can be opened: those the kernel was told, or else those it has found.
fn consoles(paths: &Paths) -> Vec<Console> {
    let read = |path: &Path| sys::files::read(path, 64 * 1024).unwrap_or_default();
    let mut names = named_consoles(&read(&paths.kernel_words()));
    if names.is_empty() {
        names = active_consoles(&read(&paths.active_consoles()));
    }
    if names.is_empty() {
        names.push("tty1".to_owned());
    }
    let devices = names.iter().map(|name| paths.at("/dev").join(name));
    devices
        .filter_map(|device| Console::open(device).ok())
        .collect()
}

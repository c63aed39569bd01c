//! `killall5`: sends a signal to all processes outside its own session (killall5(8)).
//!
//! The last means of rc scripts before file systems are unmounted.

use std::ffi::OsString;
use std::io::ErrorKind;
use std::path::Path;
use std::process::ExitCode;

use anyhow::Context;

use super::Invocation;
use super::complain::complain;
use super::usage::UsageError;
use crate::paths::Paths;
use crate::process::Signal;
use crate::procs::{Omission, Spared, Stat, omissions};
use crate::sys;

/// Nothing was there to be signalled; scripts see by it that all have ended.
const NOBODY: u8 = 2;
/// Signals without a real-time one: killall5(8).
const SIGNALS: std::ops::RangeInclusive<i32> = 1..=31;

const USAGE: &str = "usage: killall5 -SIGNALNUMBER [-o PID[,PID...]]...";
const HELP: &str = "
Sends a signal to all processes but init, kernel threads and its own session.
Without any argument the signal is 9 (KILL).

  -o PID     pass over this process; several with a comma, or with further -o
  --help, --version   only as the single argument

Exit code: 0 somebody was signalled, 2 nobody was, 1 it could not be tried.
";

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    signal: Signal,
    omit: Vec<Omission>,
    /// `-o` was there, whether or not it named a process.
    omits: bool,
}

/// What became of the processes.
#[derive(Debug, Default)]
struct Tally {
    signalled: usize,
    refused: usize,
}

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let help = format!("{USAGE}\n{HELP}");
    if let Some(standard) = super::answer_standard_options(call, &help)? {
        return Ok(standard);
    }
    let request = match parse(&call.arguments) {
        Ok(request) => request,
        Err(UsageError(what)) => {
            complain(&call.name, &format!("{what}; {USAGE}"));
            return Ok(ExitCode::FAILURE);
        }
    };
    match send(&call.name, &request) {
        Ok(result) => {
            if result.refused > 0 {
                let count = result.refused;
                complain(
                    &call.name,
                    &format!("no permission to signal {count} processes"),
                );
            }
            let nobody = result.signalled == 0;
            Ok(ExitCode::from(if nobody { NOBODY } else { 0 }))
        }
        Err(error) => {
            let reasons: Vec<String> = error.chain().map(super::reason).collect();
            complain(&call.name, &reasons.join(": "));
            Ok(ExitCode::FAILURE)
        }
    }
}

fn parse(words: &[OsString]) -> Result<Request, UsageError> {
    let Some((first, rest)) = words.split_first() else {
        return Ok(Request {
            signal: Signal::KILL,
            omit: Vec::new(),
            omits: false,
        });
    };
    let number = first
        .to_str()
        .map(|word| word.strip_prefix('-').unwrap_or(word));
    let signal = number
        .filter(|word| word.bytes().all(|byte| byte.is_ascii_digit()))
        .and_then(|word| word.parse().ok())
        .filter(|number| SIGNALS.contains(number))
        .ok_or_else(|| {
            UsageError(format!(
                "`{}' is no signal number from 1 to 31",
                first.display()
            ))
        })?;
    let mut parser = lexopt::Parser::from_args(rest);
    let mut omit = Vec::new();
    let mut omits = false;
    let unusable = |error: lexopt::Error| UsageError(error.to_string());
    while let Some(argument) = parser.next().map_err(unusable)? {
        if argument != lexopt::Arg::Short('o') {
            return Err(unusable(argument.unexpected()));
        }
        omits = true;
        let list = parser.value().map_err(unusable)?;
        omit.extend(omissions(&list.to_string_lossy()));
    }
    Ok(Request {
        signal: Signal(signal),
        omit,
        omits,
    })
}

fn send(name: &str, request: &Request) -> anyhow::Result<Tally> {
    let folder = Paths::default().processes();
    if !sys::files::is_readable(&folder.join("version")) {
        sys::proc::mount(&folder).context("mounting /proc")?;
    }
    // Of another /proc the numbers would be those of other processes.
    let own = sys::proc::own_number(&folder).context("finding this process in /proc")?;
    if u32::try_from(own) != Ok(std::process::id()) {
        anyhow::bail!("/proc is that of another PID namespace; nothing was signalled");
    }
    let mut omitted = Vec::new();
    for omission in &request.omit {
        match omission {
            Omission::Pid(pid) => omitted.push(*pid),
            Omission::Parent => complain(name, "illegal omit pid value (%PPID)!"),
            Omission::Illegal(text) => complain(name, &format!("illegal omit pid value ({text})!")),
        }
    }
    let spared = Spared {
        own,
        session: sys::proc::own_session().context("finding its session")?,
        omitted,
    };
    sys::proc::stand_fast();
    // Whoever is stopped can neither start others behind our back nor flee. One that is to be spared would notice.
    let standstill = if request.omits {
        None
    } else {
        // Where there is no permission to stop anybody, there is none to signal anybody, which is said below.
        sys::proc::Standstill::begin().ok()
    };
    let result = signal_all(&folder, request.signal, &spared);
    drop(standstill);
    result
}

/// Looks at one small file of the kernel's for each process: everybody who serves other files may stand still.
fn signal_all(folder: &Path, signal: Signal, spared: &Spared) -> anyhow::Result<Tally> {
    let pids = sys::proc::pids(folder).context("listing /proc")?;
    let mut result = Tally::default();
    let meant: Vec<i32> = pids
        .iter()
        .filter_map(|pid| sys::proc::stat(&folder.join(pid.to_string())).ok())
        .filter_map(|line| Stat::parse(&line))
        .filter(|process| spared.is_meant(process))
        .map(|process| process.pid)
        .collect();
    for pid in meant {
        match sys::proc::send(pid, signal) {
            Ok(()) => result.signalled += 1,
            Err(error) if error.kind() == ErrorKind::PermissionDenied => result.refused += 1,
            // It has ended by itself.
            Err(_) => {}
        }
    }
    Ok(result)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Request, UsageError> {
        let words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
        parse(&words)
    }

    #[test]
    fn the_signal_is_the_first_word_and_kill_where_there_is_none() {
        for (words, number) in [
            ("", 9),
            ("-15", 15),
            ("15", 15),
            ("-1", 1),
            ("-31 -o 5", 31),
        ] {
            assert_eq!(parsed(words).unwrap().signal, Signal(number), "{words}");
        }
    }

    #[test]
    fn what_is_no_signal_is_refused_and_so_is_what_nobody_asked_for() {
        for words in [
            "-o 5 -9",
            "-0",
            "-32",
            "-64",
            "-TERM",
            "x",
            "18x",
            "--18",
            "-",
            "-15 5",
            "-15 -x",
            "-15 -o",
            "-+5",
            "-15 -o 5 6",
        ] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }

    #[test]
    fn every_list_of_processes_counts() {
        let request = parsed("-15 -o 5,6;7:8 -o9").unwrap();
        let pids: Vec<Omission> = (5..=9).map(Omission::Pid).collect();
        assert_eq!(request.omit, pids);
        assert!(request.omits);
        assert!(parsed("-15 -o x").unwrap().omits);
        assert!(!parsed("-15").unwrap().omits);
    }
}

//! `init -- COMMAND` without rc scripts: starts the command, passes signals on, collects what ends, and exits with the
//! command's status (init(8), "CONTAINERS"). Also the last act of a container that goes down.

use super::args::Words;
use crate::cmd::{Invocation, reason};
use crate::container::Namespace;
use crate::container::entrypoint::{
    CANNOT_EXECUTE, DEFAULT_GRACE, Effect, Entrypoint, Event, NOT_FOUND, listened,
};
use crate::paths::Paths;
use crate::process::{Pid, Signal};
use crate::procs::{Stat, descendants};
use crate::sys;
use crate::sys::signal::SignalQueue;
use anyhow::Context;
use nix::errno::Errno;
use std::ffi::CString;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// Runs the command as the only thing there is. Returns when it, and all it has left behind, has ended.
///
/// # Errors
/// The command could not be started, or there is none.
pub(super) fn main(
    call: &Invocation,
    words: &Words,
    namespace: Namespace,
) -> anyhow::Result<ExitCode> {
    let name = call.name.as_str();
    let argv = command_words(words)?;
    let program = words.command.first().map(|word| word.to_string_lossy());
    let program = program.unwrap_or_default();
    let signals = SignalQueue::of_init(&listened()).context("opening a descriptor for signals")?;
    let paths = Paths::default();
    let is_first = std::process::id() == 1;
    if !is_first {
        settle_for_descendants(name);
    }
    let failed = |error: io::Error| {
        sys::print::error(&format!("{name}: {program}: {}", reason(&error)));
        error
            .raw_os_error()
            .map_or(CANNOT_EXECUTE, |number| code_of(Errno::from_raw(number)))
    };
    let pid = sys::command::start(&argv, &failed).context("starting the command")?;
    let entrypoint = Entrypoint::started(pid, words.grace.unwrap_or(DEFAULT_GRACE));
    let attendant = Attendant {
        paths: &paths,
        signals: &signals,
        namespace,
        command: Some(pid),
        entrypoint,
    };
    let status = attendant.run(None);
    if !is_first {
        // Whoever has started us goes on at the terminal.
        sys::command::take_foreground();
    }
    Ok(ExitCode::from(status))
}

/// The exit code for a command that cannot be executed.
pub(super) fn code_of(error: Errno) -> u8 {
    match error {
        Errno::ENOENT | Errno::ENOTDIR => NOT_FOUND,
        _ => CANNOT_EXECUTE,
    }
}

/// The words of the command as the kernel takes them.
pub(super) fn command_words(words: &Words) -> anyhow::Result<Vec<CString>> {
    anyhow::ensure!(!words.command.is_empty(), "no command behind --");
    let argv = words
        .command
        .iter()
        .map(|word| CString::new(word.as_bytes()));
    argv.collect::<Result<_, _>>()
        .context("a word of the command")
}

/// Says what is different where another process is the first.
fn settle_for_descendants(name: &str) {
    let what = match sys::namespace::collect_orphans() {
        Ok(()) => "collects the orphans of its command only".to_owned(),
        Err(error) => format!("cannot collect orphans: {}", reason(&error)),
    };
    let pid = std::process::id();
    sys::print::error(&format!(
        "{name}: not process 1 but {pid}: runs no rc scripts, {what}"
    ));
}

/// Who looks after a command, and after what it leaves behind.
pub(super) struct Attendant<'a> {
    pub(super) paths: &'a Paths,
    pub(super) signals: &'a SignalQueue,
    pub(super) namespace: Namespace,
    pub(super) command: Option<Pid>,
    pub(super) entrypoint: Entrypoint,
}

impl Attendant<'_> {
    /// Runs until nothing is left, and returns the exit status.
    pub(super) fn run(mut self, first: Option<Effect>) -> u8 {
        let mut effect = first;
        loop {
            if let Some(status) = effect.and_then(|effect| self.perform(effect)) {
                return status;
            }
            let event = self.next_event();
            if event.is_none() {
                self.wait();
            }
            effect = event.and_then(|event| self.entrypoint.handle(sys::clock::now(), event));
        }
    }

    /// The next thing that has happened, if anything has.
    fn next_event(&mut self) -> Option<Event> {
        while let Some((signal, _)) = self.signals.take() {
            // One SIGCHLD may stand for any number of children: they are asked for below.
            if signal != Signal::CHLD {
                return Some(Event::Signalled(signal));
            }
        }
        if let Some(reaped) = sys::child::reap() {
            return Some(Event::Exited(reaped.pid, reaped.status));
        }
        let deadline = self.entrypoint.next_deadline()?;
        if !sys::child::has_children() {
            return Some(Event::Alone);
        }
        (deadline <= sys::clock::now()).then_some(Event::DeadlinePassed)
    }

    fn wait(&self) {
        let deadline = self.entrypoint.next_deadline();
        let limit = deadline.map(|deadline| deadline.since(sys::clock::now()));
        sys::poll::wait([Some(self.signals.as_fd())], limit);
    }

    /// Does what is asked for; what ends it all gives the exit status.
    fn perform(&self, effect: Effect) -> Option<u8> {
        match effect {
            Effect::Forward(signal) => {
                if let Some(command) = self.command {
                    // A group that is gone needs no signal: its exit is on the way.
                    sys::signal::send_to_group(command, signal).unwrap_or_default();
                }
            }
            Effect::SignalRest(signal) => self.signal_rest(signal),
            Effect::Exit(status) => return Some(status),
        }
        None
    }

    /// Nobody being left, or nobody that may be signalled, shows by the children.
    fn signal_rest(&self, signal: Signal) {
        // What is stopped hears of TERM only when it goes on.
        for signal in [signal, Signal::CONT] {
            if std::process::id() == 1 {
                sys::namespace::signal_all(self.namespace, signal).unwrap_or_default();
            } else {
                for pid in self.descendants() {
                    sys::proc::send(pid, signal).unwrap_or_default();
                }
            }
        }
    }

    fn descendants(&self) -> Vec<i32> {
        let folder = self.paths.processes();
        let pids = sys::proc::pids(&folder).unwrap_or_default();
        let table: Vec<Stat> = pids
            .into_iter()
            .filter_map(|pid| Stat::parse(&sys::proc::stat(&folder.join(pid.to_string())).ok()?))
            .collect();
        // The numbers of another namespace's /proc mean other processes here.
        let own = sys::proc::own_number(&folder).ok();
        let own = own.filter(|own| u32::try_from(*own) == Ok(std::process::id()));
        own.map_or_else(Vec::new, |own| descendants(&table, own))
    }
}

//! From a `Spawn` effect to a forked child: its words, its environment, what is tried if it cannot be executed.

use super::accounting::{Writer, account};
use super::entrypoint;
use crate::initctl::Assignment;
use crate::inittab::command::{Accounting, Initscript, command};
use crate::inittab::{Entry, EntryId};
use crate::paths::Paths;
use crate::printable::Printable;
use crate::process::Pid;
use crate::runlevel::Runlevel;
use crate::supervisor::outputs::Outputs;
use crate::supervisor::{ConsoleUse, Phase, Program, Start, command_entry, is_command};
use crate::sys;
use crate::sys::child::{Body, Nursery, Terminal};
use crate::sys::console::Console;
use crate::sys::execution::{After, Attempt, Execution};
use crate::sys::relay::Relay;
use nix::errno::Errno;
use std::ffi::{CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::time::Duration;

/// The search path of init and everything it starts, whatever the kernel passed: init(8), "ENVIRONMENT".
pub(super) const PATH: &str = "/sbin:/usr/sbin:/bin:/usr/bin";
/// What scripts test to learn that init started them; the prefix is what they compare.
pub(super) const INIT_VERSION: &str = "sysvinit-3.14";
/// The program that gives a shell to whoever knows root's password.
const SULOGIN: &[u8] = b"/sbin/sulogin";

/// How long the program that keeps an output may take to be ready: longer than a slow disk needs for it. The entry waits so
/// long at most.
const READY_WITHIN: Duration = Duration::from_secs(10);

/// What a process gets beside what its entry says.
pub(super) struct Surroundings<'a> {
    pub(super) paths: &'a Paths,
    pub(super) console: &'a Console,
    pub(super) nursery: &'a Nursery,
    pub(super) extras: &'a [Assignment],
    pub(super) command: Option<&'a OneCommand>,
    pub(super) outputs: &'a Outputs,
}

impl Surroundings<'_> {
    /// Starts the process.
    ///
    /// # Errors
    /// The kernel has no process to give.
    pub(super) fn spawn(&self, start: &Start, forked: &mut dyn FnMut(Pid)) -> io::Result<Pid> {
        let (console, nursery) = (self.console, self.nursery);
        let terminal = match start.console {
            ConsoleUse::Shared => Terminal::Shared,
            ConsoleUse::Controlling => Terminal::Controlling,
        };
        let entry = match &start.program {
            Program::AskRunlevel => {
                let body = Body::Call(ask_runlevel);
                return sys::child::spawn(console, terminal, None, nursery, None, body, forked);
            }
            Program::Entry(entry) => entry,
        };
        let mut environment = environment(console.name(), self.extras, start);
        let (attempts, terminal, failed): (_, _, fn(Errno) -> u8) = match self.command {
            Some(command) if is_command(&entry.id) => {
                environment.retain(|variable| !variable.as_bytes().starts_with(b"PATH="));
                environment.extend(command.path_variable());
                let attempts = vec![command.attempt()];
                (attempts, Terminal::OfInit, entrypoint::code_of)
            }
            _ => (attempts(self.paths, entry, start.phase), terminal, |_| 1),
        };
        let relay = self.outputs.take(start).then(|| relay(self.paths, entry));
        let relay = relay.as_ref();
        let body = Body::Exec(Execution::new(attempts, environment, failed));
        let writer = Writer::towards(level_of(start.phase));
        let account = match Accounting::of(&entry.process) {
            Accounting::Recorded => account(self.paths, entry.id.as_bytes(), writer),
            Accounting::Suppressed => None,
        };
        sys::child::spawn(console, terminal, relay, nursery, account, body, forked)
    }
}

/// What keeps the output of an entry's process: `initctl keep-output ID PID`.
fn relay(paths: &Paths, entry: &Entry) -> Relay {
    let program = CString::new(paths.output_keeper().as_os_str().as_bytes()).unwrap_or_default();
    // The parser lets no NUL through.
    let id = CString::new(entry.id.as_bytes()).unwrap_or_default();
    Relay {
        program,
        words: vec![c"initctl".to_owned(), c"keep-output".to_owned(), id],
        name: format!("output of \"{}\"", Printable(entry.id.as_bytes())),
        patience: READY_WITHIN,
    }
}

/// Asks at the console; the exit code is the character that was typed, and 0 stands for none.
fn ask_runlevel() -> u8 {
    sys::console::ask("\nEnter runlevel: ", |byte| {
        Runlevel::from_byte(byte).is_some()
    })
    .unwrap_or(0)
}

/// The level that init is in, or changes to.
pub(super) fn level_of(phase: Phase) -> Option<Runlevel> {
    match phase {
        Phase::SysInit | Phase::Boot => None,
        Phase::Normal(level) => Some(level),
    }
}

/// What to execute, in the order in which it is tried.
fn attempts(paths: &Paths, entry: &Entry, phase: Phase) -> Vec<Attempt> {
    let level = level_of(phase);
    let initscript = if sys::files::is_readable(&paths.initscript()) {
        Initscript::Present
    } else {
        Initscript::Absent
    };
    let command = command(entry, level, initscript);
    let argv = command.argv();
    let is_last_way_in =
        entry.id == EntryId::fallback() && argv.first().is_some_and(|word| **word == *SULOGIN);
    let mut attempts = vec![attempt(argv, After::Nothing)];
    attempts.extend(
        command
            .fallback_shell()
            .map(|argv| attempt(argv, After::NoExec)),
    );
    if is_last_way_in {
        // A machine without sulogin would otherwise have no way in at all when it needs one most.
        attempts.push(attempt(vec![Box::from(*b"/bin/sh")], After::NotFound));
    }
    attempts
}

/// The command of `init -- COMMAND`, and where it is looked for: as the container's manager has it, not as init does.
#[derive(Debug)]
pub(super) struct OneCommand {
    pub(super) argv: Vec<CString>,
    pub(super) path: Option<OsString>,
}

impl OneCommand {
    fn path_variable(&self) -> Option<CString> {
        let path = self.path.as_ref()?;
        CString::new([b"PATH=", path.as_bytes()].concat()).ok()
    }

    fn attempt(&self) -> Attempt {
        let path = self
            .path
            .as_ref()
            .map_or(PATH.as_bytes(), |path| path.as_bytes());
        attempt_below(path, self.argv.clone(), After::Nothing)
    }

    /// The line that stands for it in the table.
    pub(super) fn entry(&self) -> Entry {
        let words: Vec<_> = self.argv.iter().map(CString::as_bytes).collect();
        command_entry(&words.join(&b' '))
    }
}

fn attempt(argv: Vec<Box<[u8]>>, after: After) -> Attempt {
    // The parser lets no NUL through, so no word is lost here.
    let argv: Vec<CString> = argv
        .into_iter()
        .filter_map(|word| CString::new(word).ok())
        .collect();
    attempt_below(PATH.as_bytes(), argv, after)
}

fn attempt_below(path: &[u8], argv: Vec<CString>, after: After) -> Attempt {
    let program = argv
        .first()
        .map(|word| word.as_bytes().to_vec())
        .unwrap_or_default();
    let candidates = if program.contains(&b'/') {
        CString::new(program).into_iter().collect()
    } else {
        path.split(|&byte| byte == b':')
            .filter_map(|directory| CString::new([directory, b"/", &program].concat()).ok())
            .collect()
    };
    Attempt {
        candidates,
        argv,
        after,
    }
}

/// The environment: init's own, what `telinit -e` has set, and the five that say where the machine stands.
fn environment(console: &Path, extras: &[Assignment], start: &Start) -> Vec<CString> {
    let shell: &[u8] = b"/bin/sh";
    let five: [(&[u8], &[u8]); 5] = [
        (b"SHELL", shell),
        (b"RUNLEVEL", &[start.runlevel]),
        (b"PREVLEVEL", &[start.previous]),
        (b"CONSOLE", console.as_os_str().as_bytes()),
        (b"INIT_VERSION", INIT_VERSION.as_bytes()),
    ];
    let mut pairs = own_and_extra(extras);
    for (name, value) in five {
        set(&mut pairs, name, value);
    }
    joined(pairs)
}

/// The environment of the next image of init: the five are its own to set.
pub(super) fn environment_for_next_image(extras: &[Assignment]) -> Vec<CString> {
    joined(own_and_extra(extras))
}

type Pair = (Vec<u8>, Vec<u8>);

fn own_and_extra(extras: &[Assignment]) -> Vec<Pair> {
    let mut pairs: Vec<Pair> = std::env::vars_os()
        .map(|(name, value): (OsString, OsString)| (name.into_vec(), value.into_vec()))
        .collect();
    for extra in extras {
        if let Some(value) = &extra.value {
            set(&mut pairs, &extra.name, value);
        }
    }
    pairs
}

fn set(pairs: &mut Vec<Pair>, name: &[u8], value: &[u8]) {
    match pairs.iter_mut().find(|(known, _)| known == name) {
        Some((_, old)) => *old = value.to_vec(),
        None => pairs.push((name.to_vec(), value.to_vec())),
    }
}

fn joined(pairs: Vec<Pair>) -> Vec<CString> {
    pairs
        .into_iter()
        .filter_map(|(name, value)| CString::new([name.as_slice(), b"=", &value].concat()).ok())
        .collect()
}

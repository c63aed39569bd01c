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
use crate::sys::execution::{After, Attempt, Execution, WordVector};
use crate::sys::relay::Relay;
use std::ffi::{CStr, CString, OsString};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::rc::Rc;
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
    /// Of the processes of its entries.
    pub(super) environment: Rc<WordVector>,
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
        let (execution, terminal) = match self.command {
            Some(command) if is_command(&entry.id) => {
                (command.execution(&self.environment), Terminal::OfInit)
            }
            _ => {
                let execution = Execution {
                    attempts: attempts(self.paths, entry, start.phase),
                    environment: Rc::clone(&self.environment),
                    failed: |_| 1,
                };
                (execution, terminal)
            }
        };
        let relay = self.outputs.take(start).then(|| relay(self.paths, entry));
        let relay = relay.as_ref();
        let body = Body::Exec(execution);
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
    let mut attempts = vec![attempt(&argv, After::Nothing)];
    attempts.extend(
        command
            .fallback_shell()
            .map(|argv| attempt(&argv, After::NoExec)),
    );
    if is_last_way_in {
        // A machine without sulogin would otherwise have no way in at all when it needs one most.
        attempts.push(attempt(&[Box::from(*b"/bin/sh")], After::NotFound));
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
    /// How it is executed, where the entries' processes have this environment.
    fn execution(&self, environment: &WordVector) -> Execution {
        let path = self.path.as_ref().map(|path| path.as_bytes());
        let argv: Vec<&[u8]> = self.argv.iter().map(CString::as_bytes).collect();
        let attempt = attempt_below(path.unwrap_or(PATH.as_bytes()), &argv, After::Nothing);
        let variable = path.map(|path| [b"PATH=", path].concat());
        let others = environment.iter().map(CStr::to_bytes);
        let others = others.filter(|variable| !variable.starts_with(b"PATH="));
        Execution {
            attempts: vec![attempt],
            environment: Rc::new(WordVector::new(others.chain(variable.as_deref()))),
            failed: entrypoint::code_of,
        }
    }

    /// The line that stands for it in the table.
    pub(super) fn entry(&self) -> Entry {
        let words: Vec<_> = self.argv.iter().map(CString::as_bytes).collect();
        command_entry(&words.join(&b' '))
    }
}

fn attempt(argv: &[Box<[u8]>], after: After) -> Attempt {
    let argv: Vec<&[u8]> = argv.iter().map(AsRef::as_ref).collect();
    attempt_below(PATH.as_bytes(), &argv, after)
}

fn attempt_below(path: &[u8], argv: &[&[u8]], after: After) -> Attempt {
    // The parser lets no NUL through, so no word is lost here.
    let program = argv.first().copied().unwrap_or_default();
    let candidates = if program.contains(&b'/') {
        WordVector::new([program])
    } else {
        let directories = path.split(|&byte| byte == b':');
        let files: Vec<_> = directories
            .map(|directory| [directory, b"/", program].concat())
            .collect();
        WordVector::new(files.iter().map(Vec::as_slice))
    };
    Attempt {
        candidates,
        argv: WordVector::new(argv.iter().copied()),
        after,
    }
}

/// What the environment of a process depends on beside init's own, which does not change.
#[derive(Debug, PartialEq, Eq)]
struct Circumstances {
    runlevel: u8,
    previous: u8,
    console: PathBuf,
    extras: Vec<Assignment>,
}

impl Circumstances {
    /// Tells whether these are still given. Compares without allocating: it is done for every start.
    fn are(&self, console: &Path, extras: &[Assignment], start: &Start) -> bool {
        let Self {
            runlevel, previous, ..
        } = *self;
        (runlevel, previous) == (start.runlevel, start.previous)
            && self.console == console
            && self.extras == extras
    }
}

/// The environment of the last process that was started, for the next one: it stays the same for the whole of a level.
#[derive(Debug, Default)]
pub(super) struct Environment {
    last: Option<(Circumstances, Rc<WordVector>)>,
}

impl Environment {
    /// Returns that of a process: init's own, what `telinit -e` has set, and the five that say where the machine stands.
    pub(super) fn of(
        &mut self,
        console: &Path,
        extras: &[Assignment],
        start: &Start,
    ) -> Rc<WordVector> {
        if let Some((circumstances, words)) = &self.last
            && circumstances.are(console, extras, start)
        {
            return Rc::clone(words);
        }
        let words = Rc::new(environment(console, extras, start));
        let circumstances = Circumstances {
            runlevel: start.runlevel,
            previous: start.previous,
            console: console.to_owned(),
            extras: extras.to_owned(),
        };
        self.last = Some((circumstances, Rc::clone(&words)));
        words
    }
}

fn environment(console: &Path, extras: &[Assignment], start: &Start) -> WordVector {
    let five: [(&[u8], &[u8]); 5] = [
        (b"SHELL", b"/bin/sh"),
        (b"RUNLEVEL", &[start.runlevel]),
        (b"PREVLEVEL", &[start.previous]),
        (b"CONSOLE", console.as_os_str().as_bytes()),
        (b"INIT_VERSION", INIT_VERSION.as_bytes()),
    ];
    let mut pairs = own_and_extra(extras);
    for (name, value) in five {
        set(&mut pairs, name, value);
    }
    joined(&pairs)
}

/// The environment of the next image of init: the five are its own to set.
pub(super) fn environment_for_next_image(extras: &[Assignment]) -> Vec<CString> {
    let environment = joined(&own_and_extra(extras));
    environment.iter().map(CStr::to_owned).collect()
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

fn joined(pairs: &[Pair]) -> WordVector {
    let pairs = pairs.iter();
    WordVector::of_variables(pairs.map(|(name, value)| (name.as_slice(), value.as_slice())))
}

//! PID 1: from the kernel's words, or from the state of the image before, to the loop.

mod accounting;
mod args;
pub(crate) mod check;
mod control;
mod entrypoint;
mod journal;
mod last_resort;
mod lull;
mod perform;
#[cfg(feature = "crash-test")]
mod provoked;
mod recording;
mod recovery;
mod report;
mod run;
mod settings;
mod spawn;
mod state_file;
mod table;

pub(crate) use table::read as read_table;

use crate::COMPATIBLE_VERSION;
use crate::cmd::Invocation;
use crate::container::{self, Namespace, Realm};
use crate::initctl::{Assignment, ENVIRONMENT_PREFIX, RequestStream};
use crate::paths::Paths;
use crate::rescue;
use crate::snapshot::{SIGNATURE, Snapshot, hex};
use crate::supervisor::{Event, Phase, Sink, Supervisor};
use crate::sys;
use crate::sys::child::Nursery;
use crate::sys::handover::Left;
use crate::sys::signal::SignalQueue;
use crate::sys::title::TitleArea;
use accounting::Ledger;
use args::{Auto, Rc, Words};
use control::Control;
use journal::Journal;
use last_resort::LastResort;
use lull::Lull;
use recording::Recording;
use report::Reporter;
use run::{Home, Init};
use spawn::{Environment, OneCommand};
use state_file::StateFile;
use std::collections::{BTreeMap, VecDeque};
use std::ffi::CString;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;
use std::time::Duration;

/// Largest state text taken over: a hundred thousand entries.
const LARGEST_STATE: usize = 64 << 20;

/// Pause before the kernel is asked again for what there is no init without.
const AGAIN: Duration = Duration::from_millis(500);

/// Runs a command as another process than the first.
///
/// # Errors
/// The command could not be started, or there is none.
pub(crate) fn command(call: &Invocation) -> anyhow::Result<ExitCode> {
    // Whatever namespace this is, its other processes are not this one's to end.
    entrypoint::main(call, &args::read(&call.arguments), Namespace::Initial)
}

/// Becomes init.
///
/// # Errors
/// The caller is not root, or the one command that it was to run could not be started.
pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    match prepare(call)? {
        Prepared::Init(init) => init.run(),
        Prepared::LastResort(last_resort) => Ok(last_resort.run()),
        Prepared::Done(code) => Ok(code),
    }
}

/// What init has become. On the heap: what has led to it is to leave nothing on the stack for years.
enum Prepared {
    Init(Box<Init>),
    LastResort(Box<LastResort>),
    /// The command has ended that it was to run without an inittab.
    Done(ExitCode),
}

#[inline(never)]
fn prepare(call: &Invocation) -> anyhow::Result<Prepared> {
    let words = args::read(&call.arguments);
    let paths = Paths::default();
    let home = home(&words, &paths);
    if home.realm == Realm::Container
        && words.names_command
        && (words.rc == Rc::LeftOut || !table::is_there(&paths))
    {
        return entrypoint::main(call, &words, home.namespace).map(Prepared::Done);
    }
    anyhow::ensure!(
        home.realm == Realm::Container || sys::identity::is_superuser(),
        "must be superuser."
    );
    let home = with_command(home, &words)?;
    if home.realm == Realm::Container {
        sys::console::give_up_controlling();
    }
    let all_words: Vec<_> = std::env::args_os().collect();
    let title = TitleArea::find(&all_words);
    let served = home.served();
    let mut report = Reporter::new(&paths, home.realm);
    let mut insist = Insist(&mut report);
    let signals = insist.on("a descriptor for signals", || SignalQueue::of_init(&served));
    let nursery = insist.on("memory for children", Nursery::open);
    let program = CString::new(paths.init().as_os_str().as_bytes()).unwrap_or_default();
    // Before the environment of the next image is put by.
    if words.auto == Auto::Said {
        sys::process::set_variable("AUTOBOOT", "YES");
    }
    // Where it cannot be armed, a panic is reported and the loop goes on, and a fault is the end.
    sys::crash::arm(&program, &all_words).unwrap_or_default();
    let crashed = recovery::Crashed::find();
    // One that crashed while it made way has left its state as well, which says less than the journal.
    let left = match crashed {
        Some(_) => {
            sys::handover::refuse();
            None
        }
        None => sys::handover::receive(SIGNATURE, LARGEST_STATE),
    };
    sys::process::prepare(spawn::PATH);
    report::start_log();
    let crashed = match crashed.map(recovery::Crashed::replay) {
        None => None,
        Some(Ok(found)) => Some(found),
        Some(Err(crashed)) => {
            sys::process::set_name(c"init");
            home.let_go_of_standard();
            let last_resort = LastResort {
                home,
                paths,
                report,
                nursery,
                signals,
                command: rescue::command(&crashed.text),
                status: rescue::command_status(&crashed.text),
                text: crashed.text,
                held: crashed.fifo,
                journal: Journal::new(Some(crashed.file), Vec::new()),
                is_done: false,
            };
            return Ok(Prepared::LastResort(Box::new(last_resort)));
        }
    };
    let mut init = Box::new(Init::over(home, paths, report, nursery, signals, title));
    match crashed {
        Some((crashed, found)) => init.recover(crashed, found, words.origin),
        None => init.start(call, left),
    }
    Ok(Prepared::Init(init))
}

/// Finds out where init runs.
fn home(words: &Words, paths: &Paths) -> Home {
    let namespace = sys::namespace::of_init(&paths.processes());
    let variable = std::env::var_os(container::VARIABLE);
    let variable_is_set = variable.is_some_and(|name| !name.is_empty());
    Home {
        realm: Realm::decide(words.realm, variable_is_set, namespace),
        told: words.realm,
        namespace,
        command: None,
    }
}

/// Adds the command behind `--`. On a machine there is no end for it to bring about.
fn with_command(home: Home, words: &Words) -> anyhow::Result<Home> {
    if home.realm == Realm::Machine || !words.names_command {
        return Ok(home);
    }
    let argv = entrypoint::command_words(words)?;
    let path = std::env::var_os("PATH");
    let command = Some(OneCommand { argv, path });
    Ok(Home { command, ..home })
}

/// Asks the kernel until it gives. An end of PID 1 would be the end of the machine; one that waits for memory or for
/// descriptors can be waited for.
struct Insist<'a>(&'a mut Reporter);

impl Insist<'_> {
    fn on<T>(&mut self, what: &str, ask: impl Fn() -> io::Result<T>) -> T {
        loop {
            match ask() {
                Ok(given) => return given,
                Err(error) => {
                    let text = format!("{what}: {error}: trying again");
                    self.0.say(Sink::Console, &text);
                    sys::poll::wait([None], Some(AGAIN));
                }
            }
        }
    }
}

impl Init {
    /// One that has not begun anything yet.
    fn over(
        home: Home,
        paths: Paths,
        report: Reporter,
        nursery: Nursery,
        signals: SignalQueue,
        title: Option<TitleArea>,
    ) -> Self {
        Self {
            supervisor: Supervisor::new(&crate::supervisor::BootOptions::default()),
            control: Control::new(&paths),
            ledger: Ledger::new(&paths),
            recording: Recording::new(&paths),
            state_file: StateFile::new(paths.init_state()),
            journal: Journal::new(None, Vec::new()),
            results: VecDeque::new(),
            waiting: VecDeque::new(),
            kept: BTreeMap::new(),
            effects: VecDeque::new(),
            taken: sys::clock::now(),
            rest_at: None,
            has_unreaped: true,
            lull: Lull::default(),
            is_settled: false,
            environment: Environment::default(),
            home,
            paths,
            report,
            nursery,
            signals,
            title,
        }
    }

    fn start(&mut self, call: &Invocation, left: Option<Left>) {
        let Some(left) = left else {
            return self.boot(call);
        };
        match Snapshot::from_text(&left.text) {
            Ok((snapshot, problems)) => {
                self.install_panic_hook();
                self.journal = Journal::new(left.journal, Vec::new());
                self.report
                    .say(Sink::Console, &format!("version {} reloading", version()));
                for problem in problems {
                    self.report.say(Sink::Both, &problem.to_string());
                }
                self.home.let_go_of_standard();
                let held = sys::handover::receive_fifo();
                #[cfg(feature = "crash-test")]
                provoked::look(&self.paths, &"TakingOver");
                self.control.look(sys::clock::now(), &mut self.report);
                drop(held);
                self.take_over(snapshot);
                self.begin(Event::Resumed);
            }
            Err(error) => {
                drop(left.journal);
                self.report
                    .say(Sink::Both, &format!("{error}: starting afresh"));
                self.boot(call);
            }
        }
    }

    fn take_over(&mut self, mut snapshot: Snapshot) {
        // Compat: the original hands them over in the environment alone. There they could never be unset again.
        let inherited = sys::process::take_variables(ENVIRONMENT_PREFIX);
        let name = |word: &[u8]| Assignment::parse(word).name;
        for word in inherited {
            if !snapshot
                .environment
                .iter()
                .any(|known| name(known) == name(&word))
            {
                snapshot.environment.push(word);
            }
        }
        self.take_over_accounts(&snapshot);
        let mut stream = RequestStream::new();
        // As much as fits: the image before has kept no more in one of its own.
        let _no_room = stream.push(&snapshot.under_way.unread);
        self.control.resume(stream, snapshot.under_way.fifo_closed);
        self.supervisor = Supervisor::resume(snapshot);
        self.supervisor.live_in(self.home.realm);
    }

    fn take_over_accounts(&mut self, snapshot: &Snapshot) {
        let level = match snapshot.phase {
            Phase::Normal(level) => snapshot.level.filter(|known| *known == level),
            Phase::SysInit | Phase::Boot => None,
        };
        let boot_over = snapshot.phase != Phase::SysInit;
        self.ledger.resume(
            snapshot.written,
            boot_over,
            level.map(|level| (snapshot.previous_level, level)),
        );
        self.recording.resume(snapshot);
        let report = &mut self.report;
        self.recording
            .read_outputs(&self.paths, &mut |text| report.say(Sink::Both, text));
    }

    fn boot(&mut self, call: &Invocation) {
        let mut words = args::read(&call.arguments);
        words.boot.realm = self.home.realm;
        // Both fail where there is no keyboard or it is not ours. A container's is never its own.
        if self.home.realm == Realm::Machine {
            sys::keyboard::catch_ctrl_alt_del().unwrap_or_default();
            sys::keyboard::catch_keyboard_request(&self.paths.at("/dev/tty0")).unwrap_or_default();
        }
        self.home.let_go_of_standard();
        sys::process::lead_session();
        self.install_panic_hook();
        self.reset_console();
        self.ledger.begin();
        self.report
            .say(Sink::Console, &format!("version {} booting", version()));
        // One that an image before this one had, of which nothing else is known: nobody else is to inherit it.
        let held = sys::handover::receive_fifo();
        // Before anybody is started who may have something to ask.
        self.control.look(sys::clock::now(), &mut self.report);
        drop(held);
        self.supervisor = Supervisor::new(&words.boot);
        self.begin(Event::Booted);
    }

    /// Sees to it that the loop begins, and with a journal that tells where.
    fn begin(&mut self, first: Event) {
        self.keep_journal(sys::clock::now());
        self.queue(first);
    }

    /// Has a panic lead to the next image. Where there is none, it is told on the console: there is no standard error.
    fn install_panic_hook(&self) {
        let console = self.report.console().clone();
        std::panic::set_hook(Box::new(move |panic| {
            sys::crash::restart_after_panic(&hex(panic.to_string().as_bytes()));
            let text = format!("PANIC: {panic}").replace('\n', " ");
            report::write(&console, &text, 0).unwrap_or_default();
        }));
    }
}

/// What `init` says of itself as it starts.
fn version() -> String {
    format!(
        "{COMPATIBLE_VERSION} (sysvinit-rs {})",
        env!("CARGO_PKG_VERSION")
    )
}

//! PID 1: from the kernel's words, or from the state of the image before, to the loop.

mod accounting;
mod args;
pub(crate) mod check;
mod control;
mod journal;
mod last_resort;
mod perform;
#[cfg(feature = "crash-test")]
mod provoked;
mod recording;
mod recovery;
mod report;
mod run;
mod spawn;
mod state_file;
mod table;

pub(crate) use table::read as read_table;

use crate::COMPATIBLE_VERSION;
use crate::cmd::Invocation;
use crate::initctl::{Assignment, ENVIRONMENT_PREFIX, RequestStream};
use crate::paths::Paths;
use crate::snapshot::{SIGNATURE, Snapshot, hex};
use crate::supervisor::{Event, Phase, Sink, Supervisor};
use crate::sys;
use crate::sys::child::Reports;
use crate::sys::signal::SignalQueue;
use crate::sys::title::TitleArea;
use accounting::Ledger;
use args::Auto;
use control::Control;
use journal::Journal;
use last_resort::LastResort;
use recording::Recording;
use report::Reporter;
use run::Init;
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

/// Becomes init.
///
/// # Errors
/// Only where the caller is not root.
pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(sys::identity::is_superuser(), "must be superuser.");
    let words: Vec<_> = std::env::args_os().collect();
    let title = TitleArea::find(&words);
    // What is served arrives through a descriptor, and SIGCHLD set to be ignored would take the exits away.
    sys::signal::ignore_all_but(&run::SERVED);
    let paths = Paths::default();
    let mut report = Reporter::new(&paths);
    let mut insist = Insist(&mut report);
    let signals = insist.on("a descriptor for signals", || {
        SignalQueue::open(&run::SERVED)
    });
    let reports = insist.on("a pipe for children", Reports::open);
    let crashed = recovery::Crashed::find();
    let program = CString::new(paths.init().as_os_str().as_bytes()).unwrap_or_default();
    // Where it cannot be armed, a panic is reported and the loop goes on, and a fault is the end.
    sys::crash::arm(&program, &words).unwrap_or_default();
    let inherited = sys::handover::receive(SIGNATURE, LARGEST_STATE);
    sys::process::prepare(spawn::PATH);
    report::start_log();
    let crashed = match crashed.map(recovery::Crashed::replay) {
        None => None,
        Some(Ok(found)) => Some(found),
        Some(Err(crashed)) => {
            sys::process::set_name(c"init");
            sys::fd::close_standard();
            let last_resort = LastResort {
                paths,
                report,
                reports,
                signals,
                text: crashed.text,
                journal: Journal::new(Some(crashed.file), Vec::new()),
            };
            return Ok(last_resort.run());
        }
    };
    let init = Init {
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
        paths,
        report,
        reports,
        signals,
        title,
    };
    match crashed {
        Some((crashed, found)) => init.recover(crashed, found),
        None => init.start(call, inherited),
    }
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
    fn start(mut self, call: &Invocation, inherited: Option<Vec<u8>>) -> ! {
        let snapshot = inherited.map(|text| Snapshot::from_text(&text));
        match snapshot {
            Some(Ok((snapshot, problems))) => {
                self.install_panic_hook();
                self.report
                    .say(Sink::Console, &format!("version {} reloading", version()));
                for problem in problems {
                    self.report.say(Sink::Both, &problem.to_string());
                }
                sys::fd::close_standard();
                let held = sys::handover::receive_fifo();
                self.control.keep_open(sys::clock::now(), &mut self.report);
                drop(held);
                self.take_over(snapshot);
                self.begin(Event::Resumed)
            }
            Some(Err(error)) => {
                self.report
                    .say(Sink::Both, &format!("{error}: starting afresh"));
                self.boot(call)
            }
            None => self.boot(call),
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
    }

    fn boot(mut self, call: &Invocation) -> ! {
        let words = args::read(&call.arguments);
        if words.auto == Auto::Said {
            sys::process::set_variable("AUTOBOOT", "YES");
        }
        // Both fail where there is no keyboard or it is not ours, as in a container.
        sys::keyboard::catch_ctrl_alt_del().unwrap_or_default();
        sys::keyboard::catch_keyboard_request(&self.paths.at("/dev/tty0")).unwrap_or_default();
        sys::fd::close_standard();
        sys::process::lead_session();
        self.install_panic_hook();
        self.reset_console();
        self.ledger.begin();
        self.report
            .say(Sink::Console, &format!("version {} booting", version()));
        self.supervisor = Supervisor::new(&words.boot);
        self.begin(Event::Booted)
    }

    /// Enters the loop, with a journal that tells where it began.
    fn begin(mut self, first: Event) -> ! {
        self.keep_journal(sys::clock::now());
        self.queue(first);
        self.run()
    }

    /// Has a panic lead to the next image. Where there is none, it is told on the console: there is no standard error.
    fn install_panic_hook(&self) {
        let console = self.report.console().to_owned();
        std::panic::set_hook(Box::new(move |panic| {
            sys::crash::restart_after_panic(&hex(panic.to_string().as_bytes()));
            let line = format!("\rINIT: PANIC: {panic}\r\n").replace('\n', " ");
            sys::console::write(&console, line.as_bytes(), 0).unwrap_or_default();
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

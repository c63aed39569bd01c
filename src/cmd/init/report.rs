//! Messages of PID 1: to the console, to syslog, or to both, and never a reason to wait.

use crate::container::Realm;
use crate::paths::Paths;
use crate::supervisor::Sink;
use crate::sys;
use crate::sys::console::Console;
use std::io;
use std::path::{Path, PathBuf};

/// How long, in milliseconds, a message waits for a console that takes nothing.
const PATIENCE: u8 = 100;
/// Name of the console in the environment, where the kernel or a boot loader chose one.
const CONSOLE: &str = "CONSOLE";

/// Variable of the environment, and so a word for the kernel's command line, that asks for every event and effect.
const DEBUG: &str = "INIT_DEBUG";

/// The log of PID 1's inner life, in the kernel's message buffer: it has no standard error.
#[derive(Debug)]
struct KernelLog;

impl log::Log for KernelLog {
    fn enabled(&self, metadata: &log::Metadata<'_>) -> bool {
        metadata.level() <= log::max_level()
    }

    fn log(&self, record: &log::Record<'_>) {
        if self.enabled(record.metadata()) {
            // Facility daemon, level debug: what a log daemon reads later is sorted as its own.
            let message = format!("<31>init: {}", record.args());
            sys::kmsg::write(Path::new("/dev/kmsg"), &message).unwrap_or_default();
        }
    }

    fn flush(&self) {}
}

/// Has every event and effect logged, where the environment asks for it.
pub(super) fn start_log() {
    static LOG: KernelLog = KernelLog;
    if std::env::var_os(DEBUG).is_some() && log::set_logger(&LOG).is_ok() {
        log::set_max_level(log::LevelFilter::Debug);
    }
}

/// Where messages go.
#[derive(Debug)]
pub(super) struct Reporter {
    realm: Realm,
    console: Console,
    syslog: PathBuf,
    kernel: PathBuf,
    /// What is waited for a console: nothing after it once took nothing, until it takes something again.
    patience: u8,
}

impl Reporter {
    /// Chooses the console.
    pub(super) fn new(paths: &Paths, realm: Realm) -> Self {
        Self {
            realm,
            console: choose(paths, realm),
            syslog: paths.at("/dev/log"),
            kernel: paths.at("/dev/kmsg"),
            patience: PATIENCE,
        }
    }

    /// The console that was chosen.
    pub(super) fn console(&self) -> &Console {
        &self.console
    }

    /// Chooses again, as devices may have appeared.
    pub(super) fn choose_again(&mut self, paths: &Paths) {
        self.console = choose(paths, self.realm);
    }

    /// Tells everybody, and the kernel's message buffer: what must not be missed.
    pub(super) fn alarm(&mut self, text: &str) {
        let line = text.replace(['\r', '\n'], " ");
        // Facility daemon, level critical.
        sys::kmsg::write(&self.kernel, &format!("<26>init: {line}")).unwrap_or_default();
        self.say(Sink::Both, &line);
    }

    /// Tells people. What cannot be told now is lost: nothing is queued, as init(8) has it.
    pub(super) fn say(&mut self, sink: Sink, text: &str) {
        if matches!(sink, Sink::Syslog | Sink::Both) {
            // No log daemon runs early in a boot; that is not worth a word on the console each time.
            sys::syslog::send(&self.syslog, sys::syslog::DAEMON_INFO, "init", text)
                .unwrap_or_default();
        }
        if matches!(sink, Sink::Console | Sink::Both) {
            let written = write(&self.console, text, self.patience);
            self.patience = if written.is_ok() { PATIENCE } else { 0 };
        }
    }
}

/// Writes a message as people are to see it there.
pub(super) fn write(console: &Console, text: &str, patience: u8) -> io::Result<()> {
    match console {
        Console::Device(device) => {
            let line = format!("\rINIT: {text}\r\n");
            sys::console::write(device, line.as_bytes(), patience)
        }
        // A log, not a screen.
        Console::Output => {
            sys::container_output::write(format!("INIT: {text}\n").as_bytes(), patience)
        }
    }
}

/// The first device that opens of: what the environment names, `/dev/console`, `/dev/tty0`. In a container, what is no
/// terminal gives way to the output its manager reads, and the screen is somebody else's.
fn choose(paths: &Paths, realm: Realm) -> Console {
    let named = std::env::var_os(CONSOLE).map(|name| paths.at(name));
    let named = named.filter(|device| sys::console::opens(device));
    let [console, screen] = ["/dev/console", "/dev/tty0"].map(|device| paths.at(device));
    let found = match (named, realm) {
        (Some(named), _) => Some(named),
        (None, Realm::Machine) => {
            let mut usual = [console, screen].into_iter();
            usual.find(|device| sys::console::opens(device))
        }
        (None, Realm::Container) => {
            let terminal = Some(console).filter(|device| sys::console::is_terminal(device));
            if terminal.is_none() && sys::container_output::is_there() {
                return Console::Output;
            }
            terminal
        }
    };
    Console::Device(found.unwrap_or_else(|| paths.at("/dev/null")))
}

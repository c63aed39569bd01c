//! Orchestration: from the name a program was run as to its main function, and from its error to a message.
//!
//! Ring `cmd`: may use the pure modules and `sys`; owns loops, exit codes and anyhow.

mod bootlogd;
mod chkconfig;
mod complain;
pub(crate) mod console;
mod fstab_decode;
mod halt;
mod headers;
mod init;
mod initctl;
mod insserv;
mod invoke_rcd;
mod killall5;
mod links;
mod pidof;
mod rc;
mod readbootlog;
mod recorded_level;
pub(crate) mod recorder;
mod runlevel;
mod service;
mod services;
mod shutdown;
mod state;
mod sysvtools;
mod takedown;
mod telinit;
mod update_rcd;
mod usage;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::ExitCode;

/// How a program was called.
#[derive(Debug, Clone)]
pub(crate) struct Invocation {
    /// The last part of `argv[0]` without a leading `-`; messages begin with it.
    pub(crate) name: String,
    /// The words after it, any bytes.
    pub(crate) arguments: Vec<OsString>,
}

/// A tool's main function; an error is printed once, as `name: outer: inner`, and ends in exit code 1.
type Tool = fn(&Invocation) -> anyhow::Result<ExitCode>;

/// Every name `sysvtools` answers to.
const TOOLS: &[(&str, Tool)] = &[
    ("bootlogd", bootlogd::main),
    ("chkconfig", chkconfig::main),
    ("fstab-decode", fstab_decode::main),
    ("halt", halt::main),
    ("initctl", initctl::main),
    ("insserv", insserv::main),
    ("invoke-rc.d", invoke_rcd::main),
    ("killall5", killall5::main),
    ("pidof", pidof::main),
    ("poweroff", halt::main),
    ("rc", rc::main),
    ("rcS", rc::main),
    ("readbootlog", readbootlog::main),
    ("reboot", halt::main),
    ("runlevel", runlevel::main),
    ("service", service::main),
    ("shutdown", shutdown::main),
    ("takedown", takedown::main),
    ("update-rc.d", update_rcd::main),
];

/// Runs `init`: PID 1, or the client that asks it.
pub fn init_main() -> ExitCode {
    let mut words = std::env::args_os();
    let Some(mut call) = Invocation::next(&mut words) else {
        return ExitCode::FAILURE;
    };
    call.arguments = words.collect();
    // What stands behind -- are a command's own words.
    let own = || call.arguments.iter().take_while(|word| *word != "--");
    let asked_for = |word: &OsString| word == "-i" || word == "--init";
    if std::process::id() == 1 || own().any(asked_for) {
        return run(&call, init::main);
    }
    if own().any(|word| word == "--check") {
        return init::check::main(&call);
    }
    if call.name == "init" && call.arguments.iter().any(|word| word == "--") {
        return run(&call, init::command);
    }
    run(&call, telinit::main)
}

/// Runs the tool named by `argv[0]`, or by the first argument when called as `sysvtools`.
pub fn sysvtools_main() -> ExitCode {
    // Silent unless RUST_LOG asks for more.
    env_logger::init();
    let mut words = std::env::args_os().peekable();
    let Some(mut call) = Invocation::next(&mut words) else {
        return ExitCode::FAILURE;
    };
    let names_tool = |word: &OsString| !word.as_bytes().starts_with(b"-");
    if call.name == "sysvtools"
        && words.peek().is_some_and(names_tool)
        && let Some(named) = Invocation::next(&mut words)
    {
        call = named;
    }
    call.arguments = words.collect();
    match TOOLS.iter().find(|(name, _)| *name == call.name) {
        Some((_, tool)) => run(&call, *tool),
        None => run(&call, sysvtools::main),
    }
}

/// Runs `bootlogd` as a program of its own. Scripts tell by its file whether it runs (`start-stop-daemon --exec`), and
/// the file of `sysvtools` is that of `rc` too.
pub fn bootlogd_main() -> ExitCode {
    let mut words = std::env::args_os();
    let Some(mut call) = Invocation::next(&mut words) else {
        return ExitCode::FAILURE;
    };
    call.arguments = words.collect();
    run(&call, bootlogd::main)
}

fn run(call: &Invocation, tool: Tool) -> ExitCode {
    match tool(call) {
        Ok(code) => code,
        Err(error) => {
            crate::sys::print::error(&format!("{}: {}", call.name, reasons(&error)));
            ExitCode::FAILURE
        }
    }
}

/// What an error and everything behind it say.
fn reasons(error: &anyhow::Error) -> String {
    let reasons: Vec<String> = error.chain().map(reason).collect();
    reasons.join(": ")
}

/// What an error says. The number the standard library adds to the kernel's reasons tells nobody anything.
fn reason(error: &(dyn std::error::Error + 'static)) -> String {
    let text = error.to_string();
    let number = error
        .downcast_ref::<std::io::Error>()
        .and_then(std::io::Error::raw_os_error)
        .map(|number| format!(" (os error {number})"));
    match number.and_then(|number| text.strip_suffix(&number).map(str::to_owned)) {
        Some(text) => text,
        None => text,
    }
}

/// Answers `--help` and `--version` for tools that have no other options, where one of them is the only argument.
fn answer_standard_options(call: &Invocation, help: &str) -> anyhow::Result<Option<ExitCode>> {
    match call.arguments.as_slice() {
        [word] if word == "--help" => crate::sys::print::text(help)?,
        [word] if word == "--version" => crate::sys::print::text(&version_line(&call.name))?,
        _ => return Ok(None),
    }
    Ok(Some(ExitCode::SUCCESS))
}

/// What a tool says to `--version`.
fn version_line(name: &str) -> String {
    format!("{name} (sysvinit-rs) {}\n", env!("CARGO_PKG_VERSION"))
}

impl Invocation {
    /// Takes the next word as a program's name.
    fn next(words: &mut impl Iterator<Item = OsString>) -> Option<Self> {
        let word = words.next()?;
        let last = word
            .as_bytes()
            .rsplit(|&byte| byte == b'/')
            .next()
            .unwrap_or_default();
        let name = last.strip_prefix(b"-").unwrap_or(last);
        Some(Self {
            name: String::from_utf8_lossy(name).into_owned(),
            arguments: Vec::new(),
        })
    }
}

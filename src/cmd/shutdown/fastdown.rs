//! `-n`: goes down without init, for a machine whose init does not answer any more.

use std::ffi::OsStr;
use std::process::ExitCode;
use std::time::Duration;

use super::args::{Halt, Plan};
use crate::cmd::takedown::Takedown;
use crate::paths::Paths;
use crate::schedule::Ending;
use crate::sys;
use crate::sys::bounded::{Outcome, within};
use crate::sys::interrupt::Interrupts;
use crate::sys::reboot::End;
use crate::utmp::Record;

/// Time between TERM and KILL where `-t` does not say otherwise.
const DEFAULT_GRACE: Duration = Duration::from_secs(3);
/// What programs are started with; the operator's environment may lead to file systems that go away.
const ENVIRONMENT: [(&str, &str); 4] = [
    ("HOME", "/"),
    ("PATH", "/bin:/usr/bin:/sbin:/usr/sbin"),
    ("TERM", "dumb"),
    ("SHELL", "/bin/sh"),
];
/// What is to be let go of before the file systems are unmounted, in this order, and where it may be.
const PROGRAMS: [(&str, &[&str]); 3] = [
    ("accton", &["off"]),
    ("quotaoff", &["-a"]),
    ("swapoff", &["-a"]),
];
/// How long one of them may take.
const PATIENCE: Duration = Duration::from_secs(30);
/// How long a line may take to be said.
const FOR_WORDS: Duration = Duration::from_secs(5);
const FOLDERS: [&str; 4] = ["/sbin", "/usr/sbin", "/bin", "/usr/bin"];

/// Ends all processes, puts the file systems to rest and goes down. Only a failure returns.
pub(super) fn run(name: &str, plan: &Plan, paths: &Paths) -> anyhow::Result<ExitCode> {
    let mut console = Console {
        name,
        takes_words: true,
    };
    let mut say = |text: &str| console.say(text);
    say("going down without init");
    // A file of ours on a file system would keep it from being unmounted.
    sys::exec::let_go_of_files();
    drop(sys::reboot::pause_init());
    say("sending all processes the TERM signal");
    // That nobody is left to be asked is fine.
    drop(sys::signalling::ask_all_to_end());
    drop(Interrupts::hold().and_then(|nobody| nobody.wait_for_one(grace(plan))));
    say("sending all processes the KILL signal");
    drop(sys::signalling::end_all());
    let mut takedown = Takedown::new(paths);
    // They hold what is to be unmounted until they are gone. Without /proc nobody can be named.
    drop(takedown.processes(&[]));
    // A disk that does not answer takes no record either.
    let record = || sys::utmp::append(&paths.wtmp(), &Record::shutdown());
    drop(within(PATIENCE, record));
    takedown.sync();
    for (program, arguments) in PROGRAMS {
        let places = FOLDERS.map(|folder| paths.at(folder).join(program));
        if let Some(path) = places.iter().find(|path| path.exists()) {
            say(program);
            let run = || sys::exec::run(path, arguments, &ENVIRONMENT).map(drop);
            match within(PATIENCE, run) {
                Ok(Outcome::Done) => {}
                Ok(Outcome::Failed(error)) | Err(error) => {
                    say(&format!("{program}: {}", super::reason(&error)));
                }
                Ok(Outcome::Late(_)) => {
                    say(&format!("{program}: does not end: going on without it"));
                }
            }
        }
    }
    takedown.file_systems();
    takedown.root();
    for line in &takedown.lines {
        say(line);
    }
    drop(sys::reboot::let_ctrl_alt_del_restart());
    let mut error = sys::reboot::end(match (plan.ending, plan.halt) {
        (Ending::HALT, Some(Halt::PowerOff)) => End::PowerOff,
        (Ending::HALT, _) => End::Halt,
        _ => End::Restart,
    });
    if plan.halt == Some(Halt::PowerOff) {
        error = sys::reboot::end(End::Halt);
    }
    drop(sys::reboot::resume_init());
    Err(anyhow::Error::new(error).context("the kernel refuses to go down"))
}

/// Standard error, which may be a console that takes nothing: then the rest is left unsaid.
struct Console<'a> {
    name: &'a str,
    takes_words: bool,
}

impl Console<'_> {
    fn say(&mut self, text: &str) {
        if self.takes_words {
            let line = format!("{}: {text}", self.name);
            let say = || {
                sys::print::error(&line);
                Ok(())
            };
            self.takes_words = !matches!(within(FOR_WORDS, say), Ok(Outcome::Late(_)));
        }
    }
}

fn grace(plan: &Plan) -> Duration {
    let seconds = plan.grace.as_deref().and_then(OsStr::to_str);
    seconds
        .and_then(|seconds| seconds.parse().ok())
        .map_or(DEFAULT_GRACE, Duration::from_secs)
}

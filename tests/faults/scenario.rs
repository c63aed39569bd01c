//! The life of a machine, from power-on to halt, driven from outside as an operator would: each step is asked for, its
//! outcome is waited for, and what does not come is asked for again.

use crate::support::accounting::{change_to, request};
use crate::support::namespace::{Ending, Machine, Plan};
use crate::support::root::Root;
use crate::support::{Deadline, pause};
use crate::tracer::{self, Fault, Seen, Shared, Site};
use nix::sys::signal::{SIGKILL, SIGPWR};
use std::collections::BTreeSet;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

/// What a machine goes through, in this order.
pub(crate) const STAGES: [&str; 7] = [
    "boot", "end", "change", "power", "reload", "re-exec", "halt",
];

/// How long a step may take before the operator asks again. Init itself looks again after five seconds.
const PATIENCE: Duration = Duration::from_secs(8);
/// How often the operator asks.
const TRIES: usize = 3;
/// More calls than an undisturbed machine makes, and so many in a second, are no longer life but spinning.
const CALLS_A_SECOND: usize = 400;

const TABLE: &str = "id:3:initdefault:
si::sysinit:/bin/note sysinit
bw::bootwait:/bin/note bootwait
w3:3:wait:/bin/note three
r3:3:respawn:/bin/sleep 1003
r:345:respawn:/bin/sleep 1345
w4:4:wait:/bin/note four
r4:4:respawn:/bin/sleep 1004
po:4:powerokwait:/bin/note power
h0:0:wait:/sbin/halt -n -d -f
h6:6:wait:/sbin/reboot -n -d -f
";
const MORE: &str = "n4:4:respawn:/bin/sleep 1044\n";

/// One whose output is recorded: it is attached by the copy of init that will execute it.
const SETTINGS: &str = "RECORD_OUTPUT=r3\n";

/// How a machine fared.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Verdict {
    /// Everything came as it comes without a fault.
    Unharmed,
    /// Something did not come, or only when it was asked for again, and the console or the log said why.
    Said,
    /// The call was not made in this run.
    NotReached,
    /// The same as `Said`, without a word.
    Silent,
    /// Init used the processor without an end.
    Spinning,
    /// A step never came.
    Stuck,
    /// PID 1 ended.
    Dead,
}

/// What was seen of a run.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    /// What did not come at once, and what was said.
    pub(crate) details: String,
    pub(crate) calls: usize,
    pub(crate) said: BTreeSet<String>,
    pub(crate) seen: Vec<Seen>,
    pub(crate) unknown: Vec<i64>,
}

/// What an undisturbed machine does.
pub(crate) struct Usual {
    pub(crate) calls: usize,
    pub(crate) said: BTreeSet<String>,
    /// The sites that every such life has.
    pub(crate) steady: BTreeSet<Site>,
}

/// Runs one machine from power-on to halt, with a fault or without.
pub(crate) fn run(template: &Root, fault: Option<&Fault>, usual: Option<&Usual>) -> Outcome {
    let root = template.twin();
    root.write("/etc/inittab", TABLE);
    root.write("/etc/default/init", SETTINGS);
    root.link("sysvtools", "sbin/initctl");
    let log = std::os::unix::net::UnixDatagram::bind(root.at("/log.socket")).unwrap();
    log.set_nonblocking(true).unwrap();
    let shared = Arc::new(Shared::default());
    let mut tracer = None;
    let machine = Plan::on(root).boot_held(|setup| {
        tracer = Some(tracer::follow(setup, fault.cloned(), &shared));
    });
    let mut run = Run {
        machine,
        shared: Arc::clone(&shared),
        late: Vec::new(),
        verdict: Verdict::Unharmed,
    };
    let started = crate::support::clock();
    run.live();
    let seconds = usize::try_from(started.elapsed().as_secs()).unwrap() + 1;
    let Run {
        machine,
        late,
        mut verdict,
        ..
    } = run;
    let transcript = machine.transcript();
    drop(machine);
    tracer.unwrap().join().unwrap();

    let mut said = messages(&transcript);
    let mut buffer = [0; 2048];
    while let Ok(length) = log.recv(&mut buffer) {
        said.insert(plain(&String::from_utf8_lossy(&buffer[..length])));
    }
    let calls = shared.calls.load(Ordering::SeqCst);
    let mut details = String::new();
    if let Some(usual) = usual {
        let news: Vec<&String> = said.difference(&usual.said).collect();
        if verdict == Verdict::Unharmed && !late.is_empty() {
            verdict = if news.is_empty() && !needs_no_word(fault) {
                Verdict::Silent
            } else {
                Verdict::Said
            };
        }
        if calls > 3 * usual.calls + CALLS_A_SECOND * seconds {
            verdict = verdict.max(Verdict::Spinning);
        }
        if shared.injected.load(Ordering::SeqCst) == 0 {
            verdict = Verdict::NotReached.max(verdict);
        }
        details = format!("late: {late:?}; said: {news:?}");
        if verdict > Verdict::NotReached {
            details = format!(
                "{details}\n{calls} calls (usually {}) in {seconds} s\n{transcript}",
                usual.calls
            );
        }
    }
    let seen = std::mem::take(&mut *shared.seen.lock().unwrap());
    let unknown = std::mem::take(&mut *shared.unknown.lock().unwrap());
    Outcome {
        verdict,
        details,
        calls,
        said,
        seen,
        unknown,
    }
}

/// A power status that is not there means that power fails: init(8).
fn needs_no_word(fault: Option<&Fault>) -> bool {
    fault.is_some_and(|fault| {
        STAGES[fault.site.stage] == "power" && fault.error == nix::errno::Errno::ENOENT
    })
}

/// One thing the operator does; whether it came about.
type Step = fn(&mut Run) -> bool;

struct Run {
    machine: Machine,
    shared: Arc<Shared>,
    /// What did not come when it was first asked for.
    late: Vec<&'static str>,
    verdict: Verdict,
}

impl Run {
    fn live(&mut self) {
        let steps: [(&'static str, Step); 7] = [
            ("the level of the table is entered", Self::boot),
            ("what ends is started again", Self::end),
            ("the level is changed", Self::change),
            ("the power entry runs", Self::power),
            ("the table is read again", Self::reload),
            ("another image takes over", Self::re_exec),
            ("the machine goes down", Self::halt),
        ];
        for (stage, (name, step)) in steps.into_iter().enumerate() {
            self.shared.stage.store(stage, Ordering::SeqCst);
            if !step(self) {
                self.verdict = if stage < 6 && !self.machine.is_running() {
                    Verdict::Dead
                } else {
                    Verdict::Stuck
                };
                self.late.push(name);
                return;
            }
            if stage < 6 && !self.machine.is_running() {
                self.verdict = Verdict::Dead;
                self.late.push(name);
                return;
            }
        }
    }

    /// Asks, waits, and asks again; whether it came in the end.
    fn insist(
        &mut self,
        what: &'static str,
        ask: impl Fn(&Machine),
        mut came: impl FnMut(&Machine) -> bool,
    ) -> bool {
        for attempt in 0..TRIES {
            if attempt == 1 {
                self.late.push(what);
            }
            ask(&self.machine);
            let deadline = Deadline::after(PATIENCE);
            while deadline.left().is_some() {
                if came(&self.machine) {
                    return true;
                }
                if !self.machine.is_running() {
                    return false;
                }
                pause();
            }
        }
        false
    }

    fn boot(&mut self) -> bool {
        let came = self.insist(
            "level 3",
            |machine| {
                // Without a table init asks at the console for a level, and has to be told when there is one again.
                if machine.transcript().contains("Enter runlevel: ") {
                    machine.type_line("3");
                    machine.try_ask(&change_to('Q'));
                }
            },
            |machine| {
                machine.find_process("/bin/sleep 1003").is_some()
                    && machine.find_process("/bin/sleep 1345").is_some()
                    && machine.try_ask(&[])
            },
        );
        for (line, what) in [
            ("sysinit", "sysinit"),
            ("bootwait", "bootwait"),
            ("three", "the wait entry of level 3"),
        ] {
            self.expect_log(line, what);
        }
        came
    }

    /// An entry that runs once and was not run is no second time asked for.
    fn expect_log(&mut self, line: &str, what: &'static str) {
        if !self.machine.log().iter().any(|have| have == line) {
            self.late.push(what);
        }
    }

    fn end(&mut self) -> bool {
        let first = self
            .machine
            .find_process("/bin/sleep 1345")
            .map(|process| process.pid);
        self.insist(
            "a respawn",
            |machine| {
                if let Some(process) = machine
                    .find_process("/bin/sleep 1345")
                    .filter(|process| Some(process.pid) == first)
                {
                    process.signal(SIGKILL);
                }
            },
            |machine| {
                let process = machine.find_process("/bin/sleep 1345");
                process.is_some_and(|process| Some(process.pid) != first)
                    && machine.zombies().is_empty()
            },
        )
    }

    fn change(&mut self) -> bool {
        let came = self.insist(
            "level 4",
            |machine| {
                machine.try_ask(&change_to('4'));
            },
            |machine| {
                machine.find_process("/bin/sleep 1004").is_some()
                    && machine.find_process("/bin/sleep 1003").is_none()
            },
        );
        self.expect_log("four", "the wait entry of level 4");
        came
    }

    fn power(&mut self) -> bool {
        self.insist(
            "the power entry",
            |machine| {
                machine.write("/run/powerstatus", "OK\n");
                machine.signal(SIGPWR);
            },
            |machine| machine.log().iter().any(|line| line == "power"),
        )
    }

    fn reload(&mut self) -> bool {
        self.machine.write("/etc/inittab", format!("{TABLE}{MORE}"));
        self.insist(
            "the new table",
            |machine| {
                machine.try_ask(&change_to('Q'));
            },
            |machine| machine.find_process("/bin/sleep 1044").is_some(),
        )
    }

    fn re_exec(&mut self) -> bool {
        let images = self.shared.images.load(Ordering::SeqCst);
        let shared = Arc::clone(&self.shared);
        let first = self
            .machine
            .find_process("/bin/sleep 1044")
            .map(|process| process.pid);
        let replaced = self.insist(
            "a new image",
            |machine| {
                machine.try_ask(&request(6, '\0', 0, b"INIT_X=1\0\0"));
                machine.try_ask(&change_to('U'));
            },
            |machine| shared.images.load(Ordering::SeqCst) > images && machine.try_ask(&[]),
        );
        replaced
            && self.insist(
                "a respawn after it",
                |machine| {
                    if let Some(process) = machine
                        .find_process("/bin/sleep 1044")
                        .filter(|process| Some(process.pid) == first)
                    {
                        process.signal(SIGKILL);
                    }
                },
                |machine| {
                    let process = machine.find_process("/bin/sleep 1044");
                    process.is_some_and(|process| Some(process.pid) != first)
                        && machine.zombies().is_empty()
                },
            )
    }

    /// Asks for level 0. Where the entry that halts could not be run, the operator asks for a restart.
    fn halt(&mut self) -> bool {
        for level in ['0', '6', '0'] {
            self.machine.try_ask(&change_to(level));
            let deadline = Deadline::after(PATIENCE);
            while deadline.left().is_some() {
                if !self.machine.is_running() {
                    return self.machine.ended() != Ending::Other(0) && self.went_down();
                }
                pause();
            }
            if level == '0' {
                self.late.push("level 0");
            }
        }
        false
    }

    fn went_down(&mut self) -> bool {
        matches!(self.machine.ended(), Ending::Halt | Ending::Restart)
    }
}

/// What init says on the console, numbers aside.
fn messages(transcript: &str) -> BTreeSet<String> {
    transcript
        .lines()
        .filter_map(|line| line.split_once("INIT: "))
        .map(|(_, text)| plain(text))
        .collect()
}

/// A message without its time and pids, which differ from run to run.
fn plain(text: &str) -> String {
    let text = text.rsplit_once(" init: ").map_or(text, |(_, text)| text);
    text.trim()
        .chars()
        .filter(|letter| !letter.is_ascii_digit())
        .collect()
}

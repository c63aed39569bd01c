//! What a case works with: it switches machines on with the init in question, and writes down what it sees.

use crate::observe;
use crate::support::accounting::DEAD_PROCESS;
use crate::support::namespace::{Machine, Plan, Process};
use crate::support::root::{Root, Subject, copy_program};
use crate::support::{Deadline, LIMIT, pause, wait_until};
use crate::syslog::Syslog;
use std::fs;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::time::Duration;

/// Whose init a case runs on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Side {
    Original,
    Ours,
    Other(PathBuf),
}

/// Where `/sbin/init` of the next image waits to be put in place.
pub(crate) const NEXT: &str = "/sbin/init.next";

pub(crate) struct Bench {
    side: Side,
    facts: Vec<String>,
    syslog: Option<Syslog>,
    pids: observe::Names,
}

impl Bench {
    pub(crate) fn new(side: Side) -> Self {
        Bench {
            side,
            facts: Vec::new(),
            syslog: None,
            pids: observe::Names::default(),
        }
    }

    pub(crate) fn into_facts(self) -> Vec<String> {
        self.facts
    }

    fn root(&self) -> Root {
        match &self.side {
            Side::Original => Root::new(Subject::Original),
            Side::Ours => Root::new(Subject::Ours),
            Side::Other(program) => Root::with_init(program),
        }
    }

    /// A machine of the init in question with this inittab, not yet switched on.
    pub(crate) fn plan(&mut self, inittab: &str) -> Plan {
        let plan = self.bare_plan();
        plan.root().write("/etc/inittab", inittab);
        plan
    }

    /// The same without an inittab.
    pub(crate) fn bare_plan(&mut self) -> Plan {
        let root = self.root();
        self.furnish(root)
    }

    /// A machine that starts with the original; the init in question lies ready as its next image.
    pub(crate) fn plan_to_leave_the_original(&mut self, inittab: &str) -> Plan {
        let root = Root::new(Subject::Original);
        match &self.side {
            Side::Original => copy_of_own(&root),
            Side::Ours => root.install_other_init(Subject::Original, NEXT),
            Side::Other(program) => root.install(program, NEXT.trim_start_matches('/')),
        }
        root.write("/etc/inittab", inittab);
        self.furnish(root)
    }

    /// A machine that starts with the init in question; the original lies ready as its next image.
    pub(crate) fn plan_to_return_to_the_original(&mut self, inittab: &str) -> Plan {
        let root = self.root();
        match &self.side {
            Side::Original => copy_of_own(&root),
            Side::Ours | Side::Other(_) => root.install_other_init(Subject::Ours, NEXT),
        }
        root.write("/etc/inittab", inittab);
        self.furnish(root)
    }

    fn furnish(&mut self, root: Root) -> Plan {
        // Without it the original complains at every read; one case is about that.
        fs::create_dir_all(root.at("/etc/inittab.d")).unwrap();
        root.script(
            "/bin/words",
            "for word in \"$0\" \"$@\"; do printf '[%s]' \"$word\"; done >>/out/log; echo >>/out/log",
        );
        // Says when it starts and when it is told to end; then it ends.
        root.script(
            "/bin/obeys",
            "trap 'note $1 ends; exit' TERM; sleep 60 & note $1 runs; wait",
        );
        // Says the same, and does not end.
        root.script(
            "/bin/refuses",
            "trap 'note $1 refuses' TERM; sleep 60 & note $1 runs; wait; while :; do sleep 60 & wait; done",
        );
        // Runs until it is told to end, which is when somebody opens the FIFO of its name.
        root.script(
            "/bin/hold",
            "mkfifo /out/$1 2>/dev/null; note $1 runs; : </out/$1; note $1 ends",
        );
        self.syslog = Some(Syslog::listen(root.path()));
        Plan::on(root)
    }

    /// Switches a machine with this inittab on.
    pub(crate) fn boot(&mut self, inittab: &str) -> Machine {
        self.plan(inittab).boot()
    }

    /// Writes down a fact.
    pub(crate) fn see(&mut self, what: &str, seen: impl std::fmt::Display) {
        let seen = self.pids.normalised(&seen.to_string());
        self.facts.push(format!("{what}: {seen}"));
    }

    pub(crate) fn see_all<T: std::fmt::Display>(
        &mut self,
        what: &str,
        seen: impl IntoIterator<Item = T>,
    ) {
        for one in seen {
            self.see(what, one);
        }
    }

    /// What the processes of the case have noted.
    pub(crate) fn see_log(&mut self, machine: &Machine) {
        self.see_all("log", machine.log());
    }

    /// The same where the order is nobody's promise.
    pub(crate) fn see_sorted_log(&mut self, machine: &Machine) {
        let mut log = machine.log();
        log.sort();
        self.see_all("log", log);
    }

    /// The messages of init on the console.
    pub(crate) fn see_console(&mut self, machine: &Machine) {
        machine.until_true("the console shows something", || {
            !observe::messages(&machine.transcript()).is_empty()
        });
        let messages = at_rest(machine, || observe::messages(&machine.transcript()));
        self.see_all("console", messages);
    }

    pub(crate) fn syslog(&self) -> Vec<String> {
        let heard = self.syslog.as_ref().map(Syslog::lines);
        heard.unwrap_or_default()
    }

    /// What init has logged, without the kinds of lines that only ours has; one case is about these.
    pub(crate) fn see_syslog(&mut self) {
        let mut lines = at_rest_within(LIMIT, || self.syslog());
        lines.retain(|line| !observe::is_our_addition(line));
        self.see_all("syslog", lines);
    }

    pub(crate) fn wait_syslog(&self, part: &str) {
        wait_until(
            &format!("syslog has {part:?}"),
            LIMIT,
            || {
                self.syslog()
                    .iter()
                    .any(|line| line.contains(part))
                    .then_some(())
            },
            || self.syslog().join("\n"),
        );
    }

    /// Which processes there are, init left out, in the order of their command lines.
    pub(crate) fn see_processes(&mut self, machine: &Machine) {
        machine.until_true("every child has become what it is to be", || {
            !observe::has_half_started(machine)
        });
        let processes = at_rest(machine, || observe::processes(machine));
        self.see_all("process", processes);
    }

    /// Level file, title.
    pub(crate) fn see_level(&mut self, machine: &Machine) {
        self.see("level file", format!("{:?}", machine.read("/run/runlevel")));
        self.see("title", machine.init().command);
    }

    /// Everything a child gets from init.
    pub(crate) fn see_profile(&mut self, machine: &Machine, what: &str, process: &Process) {
        let lines = observe::profile(machine, process);
        self.see_all(what, lines);
    }

    /// The records of utmp, by id: which process gets its slot first is chance.
    pub(crate) fn see_utmp(&mut self, machine: &Machine) {
        let mut records = machine.utmp();
        records.sort_by(|one, other| (&one.id, one.kind).cmp(&(&other.id, other.kind)));
        for mut record in records {
            if record.kind == DEAD_PROCESS {
                // The original writes a second record with pid 0 over it where init has ended the process.
                record.pid = 0;
            }
            let text = observe::record(&record, &mut self.pids);
            self.see("utmp", text);
        }
    }

    pub(crate) fn see_wtmp(&mut self, machine: &Machine) {
        let records = machine.wtmp();
        for record in &records {
            let text = observe::record(record, &mut self.pids);
            self.see("wtmp", text);
        }
    }
}

/// What is seen once it has stopped changing for a moment.
fn at_rest<T: PartialEq + Default>(machine: &Machine, look: impl FnMut() -> T) -> T {
    // A machine that is gone changes nothing any more.
    machine.init();
    at_rest_within(LIMIT, look)
}

fn at_rest_within<T: PartialEq + Default>(limit: Duration, mut look: impl FnMut() -> T) -> T {
    let mut last = T::default();
    let mut unchanged = 0;
    wait_until(
        "what is seen comes to rest",
        limit,
        || {
            let now = look();
            unchanged = if now == last { unchanged + 1 } else { 0 };
            last = now;
            (unchanged >= 12).then_some(())
        },
        String::new,
    );
    last
}

fn copy_of_own(root: &Root) {
    copy_program(&root.at("/sbin/init"), &root.at(NEXT));
}

/// Whether a condition comes true soon; for things that one init does and the other does not.
pub(crate) fn within(limit: Duration, mut condition: impl FnMut() -> bool) -> bool {
    let deadline = Deadline::after(limit);
    loop {
        if condition() {
            return true;
        }
        if deadline.left().is_none() {
            return false;
        }
        pause();
    }
}

/// What cases do with a machine beyond what every suite does.
pub(crate) trait Drive {
    /// Asks for a level with this time between TERM and KILL.
    fn go(&self, level: char, grace: u32);
    /// Waits until init has taken every request, and has done all that follows from those before this call.
    fn settle(&self);
    /// Everything on the console, once a level was entered and nothing more is coming.
    fn words(&self) -> String;
    fn wait_title(&self, title: &str);
    /// Puts the next image in place.
    fn replace_init(&self);
    /// The pid, as the machine sees it, of a process that runs.
    fn pid_of(&self, command: &str) -> u32;
    /// How often a line stands in the log.
    fn times(&self, line: &str) -> usize;
    /// Waits until a line stands in the log that often.
    fn wait_times(&self, line: &str, times: usize);
    /// Tells a process of `hold` to end.
    fn end(&self, name: &str);
}

impl Drive for Machine {
    fn go(&self, level: char, grace: u32) {
        use crate::support::accounting::{RUNLEVEL, request};
        self.ask(&request(RUNLEVEL, level, grace, &[]));
    }

    fn settle(&self) {
        use crate::support::accounting::{SET_ENVIRONMENT, request};
        // A variable that init does not take: a request that means nothing. Once it is taken, the ones before it
        // have been dealt with.
        self.ask(&request(SET_ENVIRONMENT, '\0', 0, b"NOTHING=1\0\0"));
        self.until_true("init has taken all requests", || {
            fs::OpenOptions::new()
                .read(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(self.at("/run/initctl"))
                .is_ok_and(|fifo| rustix::io::ioctl_fionread(&fifo).is_ok_and(|left| left == 0))
        });
    }

    fn words(&self) -> String {
        self.until_true("a level is entered", || {
            self.transcript().contains("Entering runlevel: ")
        });
        at_rest(self, || self.transcript())
    }

    fn wait_title(&self, title: &str) {
        self.until_true(&format!("the title is {title:?}"), || {
            self.init().command == title
        });
    }

    fn replace_init(&self) {
        fs::rename(self.at(NEXT), self.at("/sbin/init")).unwrap();
    }

    fn pid_of(&self, command: &str) -> u32 {
        self.process(command).inside()
    }

    fn times(&self, line: &str) -> usize {
        self.log().iter().filter(|have| *have == line).count()
    }

    fn wait_times(&self, line: &str, times: usize) {
        self.until_true(&format!("the log has {line:?} {times} times"), || {
            self.times(line) >= times
        });
    }

    fn end(&self, name: &str) {
        self.until_true(&format!("{name} can be told to end"), || {
            fs::OpenOptions::new()
                .write(true)
                .custom_flags(libc::O_NONBLOCK)
                .open(self.at(&format!("/out/{name}")))
                .is_ok()
        });
    }
}

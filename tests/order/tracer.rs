//! The tracer: a breakpoint at each function, taken away when it is reached.
//!
//! It takes hold of the script that becomes init, and follows what init forks until that is another program.

use crate::support::tracing;
use crate::symbols::{Program, Symbol};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::unix::fs::FileExt;
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// `int3`.
const BREAKPOINT: u8 = 0xcc;

/// Who runs the program.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Who {
    /// Process 1, or a copy of it that is about to be something else.
    Init,
    /// Another process.
    Client,
}

/// A function that was reached by one of them for the first time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Reached {
    /// Which of those that were given.
    pub(crate) function: usize,
    pub(crate) by: Who,
}

/// What was seen of the machine.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// In this order.
    pub(crate) reached: Vec<Reached>,
    /// The variables of process 1 that once held something else than at its beginning.
    pub(crate) written: BTreeSet<usize>,
}

/// Follows the process until nothing of the machine is left.
pub(crate) fn follow(setup: i32, program: Arc<Program>, seen: &Arc<Mutex<Seen>>) -> JoinHandle<()> {
    let places = program.functions.iter().enumerate();
    let places = places.map(|(number, function)| (function.address, number));
    let mut tracer = Tracer {
        places: places.collect(),
        init: Pid::from_raw(setup),
        seen: Arc::clone(seen),
        program,
        before: Vec::new(),
        codes: HashMap::new(),
        left: HashMap::new(),
        start: 0,
        clients: HashMap::new(),
    };
    tracing::follow(setup, move |status| tracer.look(status))
}

struct Tracer {
    init: Pid,
    seen: Arc<Mutex<Seen>>,
    program: Arc<Program>,
    /// What the variables of process 1 held before it ran.
    before: Vec<Vec<u8>>,
    /// The first bytes of the functions.
    codes: HashMap<usize, u8>,
    /// Which function begins at an address of the program's file.
    places: HashMap<u64, usize>,
    /// What init has not reached, and what no client has.
    left: HashMap<Who, HashSet<usize>>,
    /// Where the program of init begins, and those of the processes that have executed it besides.
    start: u64,
    clients: HashMap<Pid, u64>,
}

impl Tracer {
    fn look(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => self.executed(pid),
            WaitStatus::PtraceEvent(pid, _, _) => go_on(pid, None),
            WaitStatus::Stopped(pid, Signal::SIGTRAP) => {
                let signal = (!self.reach(pid)).then_some(Signal::SIGTRAP);
                go_on(pid, signal);
            }
            WaitStatus::Stopped(pid, signal) => go_on(pid, Some(signal)),
            WaitStatus::Exited(..)
            | WaitStatus::Signaled(..)
            | WaitStatus::PtraceSyscall(_)
            | WaitStatus::Continued(_)
            | WaitStatus::StillAlive => {}
        }
    }

    /// Puts the breakpoints into an image of the program, and lets go of any other.
    fn executed(&mut self, pid: Pid) {
        let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        if program.file_name().is_none_or(|name| name != "init") {
            if pid == self.init {
                // The script has not come to it yet.
                go_on(pid, None);
            } else {
                ptrace::detach(pid, None).unwrap_or_default();
            }
            return;
        }
        let memory = memory(pid).unwrap();
        let start = start(pid);
        if pid == self.init {
            let options = Options::PTRACE_O_EXITKILL
                | Options::PTRACE_O_TRACEEXEC
                | Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACEVFORK
                | Options::PTRACE_O_TRACECLONE;
            ptrace::setoptions(pid, options).unwrap();
            self.start = start;
            self.before = contents(pid, &self.program.variables);
        } else {
            self.clients.insert(pid, start);
        }
        let all = 0..self.program.functions.len();
        let left = self.left.entry(self.who(pid)).or_insert(all.collect());
        for &number in left.iter() {
            let address = start + self.program.functions[number].address;
            let mut code = [0];
            memory.read_exact_at(&mut code, address).unwrap();
            memory.write_all_at(&[BREAKPOINT], address).unwrap();
            self.codes.insert(number, code[0]);
        }
        go_on(pid, None);
    }

    /// Takes the breakpoint away that a process has run into, and notes the function. Tells whether there was one.
    fn reach(&mut self, pid: Pid) -> bool {
        let Ok(mut registers) = ptrace::getregs(pid) else {
            return false;
        };
        let address = registers.rip - 1;
        let start = self.clients.get(&pid).copied().unwrap_or(self.start);
        let Some(&function) = self.places.get(&address.wrapping_sub(start)) else {
            return false;
        };
        let code = [self.codes[&function]];
        registers.rip = address;
        // Where that fails the process is gone, as at the end of the machine.
        let is_there = memory(pid)
            .and_then(|memory| memory.write_all_at(&code, address))
            .is_ok_and(|()| ptrace::setregs(pid, registers).is_ok());
        if !is_there {
            return true;
        }
        // Often enough to see also what is put back afterwards, such as a lock.
        if pid == self.init {
            let now = contents(pid, &self.program.variables);
            let pairs = now.iter().zip(&self.before).enumerate();
            let written = pairs.filter_map(|(number, (now, was))| (now != was).then_some(number));
            self.seen.lock().unwrap().written.extend(written);
        }
        // Two images of clients have breakpoints of their own.
        let by = self.who(pid);
        if self.left.get_mut(&by).unwrap().remove(&function) {
            self.seen
                .lock()
                .unwrap()
                .reached
                .push(Reached { function, by });
        }
        true
    }

    fn who(&self, pid: Pid) -> Who {
        if self.clients.contains_key(&pid) {
            Who::Client
        } else {
            Who::Init
        }
    }
}

/// A process that is gone meanwhile needs nothing more.
fn go_on(pid: Pid, signal: Option<Signal>) {
    ptrace::cont(pid, signal).unwrap_or_default();
}

fn memory(pid: Pid) -> io::Result<File> {
    OpenOptions::new()
        .read(true)
        .write(true)
        .open(format!("/proc/{pid}/mem"))
}

/// What the variables of the program hold in this process.
fn contents(pid: Pid, variables: &[Symbol]) -> Vec<Vec<u8>> {
    let (memory, start) = (memory(pid).unwrap(), start(pid));
    let read = |variable: &Symbol| {
        let mut bytes = vec![0; variable.size];
        memory
            .read_exact_at(&mut bytes, start + variable.address)
            .unwrap();
        bytes
    };
    variables.iter().map(read).collect()
}

/// What is to be added to the addresses in the file: nothing where it says that the program has a fixed place.
fn start(pid: Pid) -> u64 {
    let mut header = [0; 18];
    let program = File::open(format!("/proc/{pid}/exe")).unwrap();
    program.read_exact_at(&mut header, 0).unwrap();
    if u16::from_le_bytes([header[16], header[17]]) == libc::ET_EXEC {
        return 0;
    }
    // The lowest mapping is the program's own.
    let maps = fs::read_to_string(format!("/proc/{pid}/maps")).unwrap();
    let (first, _) = maps.split_once('-').unwrap();
    u64::from_str_radix(first, 16).unwrap()
}

//! The tracer: follows PID 1 and what it forks, names each system call's site, and makes one call fail.
//!
//! It takes hold of the script that becomes init, and looks on from the exec of init. What init forks is followed until it is
//! another program.

use crate::errnos::{self, Call, Shape};
use crate::support::tracing;
use nix::errno::Errno;
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal;
use nix::sys::wait::WaitStatus;
use nix::unistd::Pid;
use std::collections::{BTreeSet, HashMap};
use std::fmt;
use std::fs::{self, File};
use std::os::unix::fs::FileExt;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::thread::JoinHandle;

/// `PTRACE_EVENT_STOP` of ptrace(2).
const EVENT_STOP: i32 = 128;

/// Where a call is made: what the machine is going through, who makes it, which call, and about what.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct Site {
    pub(crate) stage: usize,
    pub(crate) who: &'static str,
    pub(crate) call: &'static str,
    pub(crate) about: String,
}

impl fmt::Display for Site {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let stage = crate::scenario::STAGES[self.stage];
        let call = self.call.trim_start_matches("SYS_");
        write!(f, "{stage}/{} {call}({})", self.who, self.about)
    }
}

/// A site, and the errors its call can return.
pub(crate) type Seen = (Site, &'static [Errno]);

/// One call to fail: the first at this site.
#[derive(Debug, Clone)]
pub(crate) struct Fault {
    pub(crate) site: Site,
    pub(crate) error: Errno,
}

/// What a run is told and tells while it goes on.
#[derive(Debug, Default)]
pub(crate) struct Shared {
    /// What the machine goes through, as the driver sees it.
    pub(crate) stage: AtomicUsize,
    /// How often `/sbin/init` has been executed as PID 1.
    pub(crate) images: AtomicUsize,
    /// How many calls were seen.
    pub(crate) calls: AtomicUsize,
    pub(crate) injected: AtomicUsize,
    /// The sites in the order of their first calls, with the errors each can return.
    pub(crate) seen: Mutex<Vec<Seen>>,
    pub(crate) unknown: Mutex<Vec<i64>>,
}

/// A process that is traced.
#[derive(Debug, Clone, Copy)]
struct Tracee {
    who: &'static str,
    /// Whether it has come to our own code: what the loader and the libraries do before is not ours.
    started: bool,
    /// Whether a call has begun and not ended.
    inside: bool,
    /// The result to give at the end of the present call.
    result: Option<Errno>,
}

/// Follows the process until nothing of the machine is left.
pub(crate) fn follow(setup: i32, fault: Option<Fault>, shared: &Arc<Shared>) -> JoinHandle<()> {
    let mut tracer = Tracer {
        init: Pid::from_raw(setup),
        is_init: false,
        tracees: HashMap::new(),
        fault,
        shared: Arc::clone(shared),
        counted: BTreeSet::new(),
    };
    tracing::follow(setup, move |status| tracer.look(status))
}

struct Tracer {
    init: Pid,
    is_init: bool,
    tracees: HashMap<Pid, Tracee>,
    fault: Option<Fault>,
    shared: Arc<Shared>,
    counted: BTreeSet<Site>,
}

impl Tracer {
    fn look(&mut self, status: WaitStatus) {
        match status {
            WaitStatus::PtraceSyscall(pid) => {
                self.at_call(pid);
                self.go_on(pid, None);
            }
            WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => self.executed(pid),
            WaitStatus::PtraceEvent(pid, _, EVENT_STOP) => {
                self.tracees.entry(pid).or_insert(Tracee::forked());
                self.go_on(pid, None);
            }
            WaitStatus::PtraceEvent(pid, _, _) => self.go_on(pid, None),
            WaitStatus::Stopped(pid, signal) => self.go_on(pid, Some(signal)),
            WaitStatus::Exited(pid, _) | WaitStatus::Signaled(pid, _, _) => {
                self.tracees.remove(&pid);
            }
            WaitStatus::Continued(_) | WaitStatus::StillAlive => {}
        }
    }

    /// A process that is gone meanwhile needs nothing more.
    fn go_on(&self, pid: Pid, signal: Option<Signal>) {
        if self.is_init {
            ptrace::syscall(pid, signal).unwrap_or_default();
        } else {
            ptrace::cont(pid, signal).unwrap_or_default();
        }
    }

    fn executed(&mut self, pid: Pid) {
        if pid != self.init {
            self.tracees.remove(&pid);
            ptrace::detach(pid, None).unwrap_or_default();
            return;
        }
        let program = fs::read_link(format!("/proc/{pid}/exe")).unwrap_or_default();
        if program.file_name().is_some_and(|name| name == "init") {
            self.is_init = true;
            self.shared.images.fetch_add(1, Ordering::SeqCst);
            let options = Options::PTRACE_O_EXITKILL
                | Options::PTRACE_O_TRACEEXEC
                | Options::PTRACE_O_TRACESYSGOOD
                | Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACEVFORK
                | Options::PTRACE_O_TRACECLONE;
            ptrace::setoptions(pid, options).unwrap_or_default();
            let tracee = Tracee {
                who: "init",
                started: false,
                inside: true,
                result: None,
            };
            self.tracees.insert(pid, tracee);
        }
        self.go_on(pid, None);
    }

    fn at_call(&mut self, pid: Pid) {
        let Ok(mut registers) = ptrace::getregs(pid) else {
            return;
        };
        let mut tracee = *self.tracees.entry(pid).or_insert(Tracee::forked());
        // At the beginning of a call the kernel has put ENOSYS where the result will be.
        let may_begin = registers.rax.cast_signed() == -i64::from(Errno::ENOSYS as i32);
        tracee.inside = !tracee.inside && may_begin;
        if tracee.inside {
            self.shared.calls.fetch_add(1, Ordering::SeqCst);
            let number = registers.orig_rax.cast_signed();
            // The first thing main does is to ask who it is.
            tracee.started |= number == libc::SYS_geteuid;
            if tracee.started
                && let Some((call, error)) = self.enter(pid, tracee, number, &registers)
            {
                tracee.result = Some(error);
                if !call.is_done_anyhow() {
                    registers.orig_rax = u64::MAX;
                    ptrace::setregs(pid, registers).unwrap_or_default();
                }
            }
        } else if let Some(error) = tracee.result.take() {
            registers.rax = (-i64::from(error as i32)).cast_unsigned();
            ptrace::setregs(pid, registers).unwrap_or_default();
            self.shared.injected.fetch_add(1, Ordering::SeqCst);
        }
        self.tracees.insert(pid, tracee);
    }

    /// Takes note of a call that begins, and says how it is to fail if it is the one.
    fn enter(
        &mut self,
        pid: Pid,
        tracee: Tracee,
        number: i64,
        registers: &libc::user_regs_struct,
    ) -> Option<(&'static Call, Errno)> {
        let Some(call) = errnos::call(number) else {
            self.shared.unknown.lock().unwrap().push(number);
            return None;
        };
        if call.errors.is_empty() {
            return None;
        }
        let stage = self.shared.stage.load(Ordering::SeqCst);
        if let Some(fault) = &self.fault
            && (fault.site.stage != stage
                || fault.site.call != call.name
                || fault.site.who != tracee.who)
        {
            return None;
        }
        let site = Site {
            stage,
            who: tracee.who,
            call: call.name,
            about: about(pid, call.shape, registers)?,
        };
        match &self.fault {
            Some(fault) if fault.site == site => {
                let error = fault.error;
                self.fault = None;
                Some((call, error))
            }
            Some(_) => None,
            None => {
                if self.counted.insert(site.clone()) {
                    self.shared.seen.lock().unwrap().push((site, call.errors));
                }
                None
            }
        }
    }
}

impl Tracee {
    /// A copy of init that is about to become something else.
    fn forked() -> Self {
        Tracee {
            who: "child",
            started: true,
            inside: false,
            result: None,
        }
    }
}

/// What the call is about; `None` for calls that are none of the product's.
fn about(pid: Pid, shape: Shape, registers: &libc::user_regs_struct) -> Option<String> {
    let arguments = [registers.rdi, registers.rsi, registers.rdx, registers.r10];
    Some(match shape {
        Shape::Plain => String::new(),
        Shape::Path(at) => path(pid, arguments[at]),
        Shape::PathAndFlags(at) => {
            let flags = i32::try_from(arguments[at + 1] & 0xffff_ffff).unwrap_or(0);
            let name = path(pid, arguments[at]);
            match flags & libc::O_ACCMODE {
                libc::O_RDONLY => name,
                libc::O_WRONLY => format!("{name} for writing"),
                _ => format!("{name} for both"),
            }
        }
        Shape::Descriptor => descriptor(pid, arguments[0]),
        Shape::DescriptorAndRequest => {
            if registers.orig_rax.cast_signed() == libc::SYS_fcntl
                && arguments[1] == libc::F_GETFD as u64
            {
                // The standard library's check of its own in debug builds.
                return None;
            }
            format!("{} {:#x}", descriptor(pid, arguments[0]), arguments[1])
        }
        Shape::Number(at) => (arguments[at] & 0xffff_ffff).cast_signed().to_string(),
        Shape::Target => {
            let target = (arguments[0] & 0xffff_ffff) as u32;
            let target = if target.cast_signed() < 0 {
                "group"
            } else {
                "process"
            };
            format!("{target} {}", arguments[1])
        }
    })
}

fn path(pid: Pid, address: u64) -> String {
    let mut bytes = [0; 256];
    let read = File::open(format!("/proc/{pid}/mem"))
        .and_then(|memory| memory.read_at(&mut bytes, address));
    let text = &bytes[..read.unwrap_or(0)];
    let end = text
        .iter()
        .position(|byte| *byte == 0)
        .unwrap_or(text.len());
    without_numbers(&String::from_utf8_lossy(&text[..end]))
}

fn descriptor(pid: Pid, number: u64) -> String {
    let link = fs::read_link(format!(
        "/proc/{pid}/fd/{}",
        (number & 0xffff_ffff).cast_signed()
    ));
    let name = link
        .map(|link| link.display().to_string())
        .unwrap_or_default();
    let name = without_numbers(&name);
    // The machine's own root is a folder of the tests.
    name.rsplit_once("/machine-")
        .map_or(name.clone(), |(_, inside)| {
            inside
                .split_once('/')
                .map_or(String::new(), |(_, path)| format!("/{path}"))
        })
}

/// A pid or the number of a pipe says nothing of what the call is about; the level in a name does.
fn without_numbers(text: &str) -> String {
    if text.starts_with("/proc/") || text.contains(":[") || text.starts_with("/dev/pts/") {
        text.chars()
            .filter(|letter| !letter.is_ascii_digit())
            .collect()
    } else {
        text.to_owned()
    }
}

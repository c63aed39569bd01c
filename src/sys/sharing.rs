//! A child that shares PID 1's memory until it executes its program: what costs most about a fork is the copy of memory
//! that nobody needs, and it grows with the table.
//!
//! vfork(2) would do the same, but keeps the parent waiting until the program is executed, and a program on a disk that does
//! not answer is never executed. Here PID 1 goes on at once. The price is that the child must not disturb it: it runs on a
//! stack of its own, calls the kernel without the C library, allocates nothing, and only reads what was prepared for it,
//! which stays where it is until the kernel says that the memory is no longer shared (clone(2), `CLONE_CHILD_CLEARTID`).

use super::bare;
use super::execution::Execution;
use super::reports::Reports;
use super::utmp::Account;
use super::{signal, standard};
use crate::process::Pid;
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous, mprotect, munmap};
use std::ffi::{CString, c_int, c_void};
use std::io;
use std::mem::ManuallyDrop;
use std::num::NonZeroUsize;
use std::ptr::{self, NonNull};
use std::sync::atomic::{AtomicI32, Ordering};

/// Size of a child's stack. Its functions take 6 KiB of it, and 12 in a build that optimises nothing; the kernel's frame for a
/// signal takes up to 11.
const STACK: usize = 32 << 10;

/// What lies below a stack and cannot be touched: a page of the largest size there is.
const GAP: usize = 64 << 10;

/// The stack of a child: pages of its own, which leave no hole in the heap, above some that cannot be touched. A child that
/// needs more ends there, and does not write over what PID 1 has.
#[derive(Debug)]
pub(super) struct Stack {
    base: NonNull<c_void>,
}

impl Stack {
    /// Asks the kernel for one.
    pub(super) fn new() -> io::Result<Self> {
        let size = NonZeroUsize::MIN.saturating_add(GAP + STACK - 1);
        let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE | MapFlags::MAP_STACK;
        // SAFETY: the kernel chooses the place, so nothing that is there already is touched.
        let base = unsafe { mmap_anonymous(None, size, ProtFlags::PROT_NONE, flags) }?;
        let stack = Self { base };
        let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
        // SAFETY: the pages were mapped above, and nobody has them yet.
        unsafe { mprotect(stack.bottom(), STACK, access) }?;
        Ok(stack)
    }

    fn bottom(&self) -> NonNull<c_void> {
        // SAFETY: inside of what was mapped.
        unsafe { self.base.byte_add(GAP) }
    }

    /// Its upper end, aligned as pages are.
    pub(super) fn top(&self) -> *mut c_void {
        self.bottom().as_ptr().wrapping_byte_add(STACK)
    }
}

impl Drop for Stack {
    fn drop(&mut self) {
        // SAFETY: it was mapped with this size, and no child uses it any more.
        unsafe { munmap(self.base, GAP + STACK) }.unwrap_or_default();
    }
}

/// A child that has not executed its program yet, as far as is known.
#[derive(Debug)]
pub(super) struct Starting {
    pid: Pid,
    desk: Desk,
}

/// A stack with a job for who runs on it, at its upper end: so the heap has no holes where jobs have been.
#[derive(Debug)]
struct Desk {
    /// Stays mapped where the desk is not cleared: somebody may still run on it.
    stack: ManuallyDrop<Stack>,
    /// What the child reads, which this process leaves alone meanwhile.
    job: NonNull<Job>,
}

impl Desk {
    fn new(stack: Stack, job: Job) -> Self {
        let place = stack.top().cast::<Job>().wrapping_sub(1);
        // SAFETY: pages begin where any type may begin, and the size of a type is a multiple of its alignment; the memory is
        // the stack's, and nobody runs on it yet.
        unsafe { place.write(job) };
        // SAFETY: what is inside of a mapping is not at null.
        let job = unsafe { NonNull::new_unchecked(place) };
        let stack = ManuallyDrop::new(stack);
        Self { stack, job }
    }

    fn job(&self) -> &Job {
        // SAFETY: it was written by `new` and lives as long as this value.
        unsafe { self.job.as_ref() }
    }

    /// Where the stack of who does the job begins, aligned as calls want it.
    fn top(&self) -> *mut c_void {
        let place = self.job.as_ptr().cast::<c_void>();
        place.wrapping_byte_sub(place as usize % 16)
    }

    /// Gives up the job. Nobody may run on the stack any more.
    fn clear(self) -> Stack {
        // SAFETY: as in `job`; and it is not looked at again.
        unsafe { self.job.drop_in_place() };
        ManuallyDrop::into_inner(self.stack)
    }
}

impl Starting {
    /// Tells whether the child still uses this process's memory.
    pub(super) fn shares(&self) -> bool {
        self.desk.job().shares.load(Ordering::Acquire) != 0
    }

    /// The child's number.
    pub(super) fn pid(&self) -> Pid {
        self.pid
    }

    /// Takes note that the child has been reaped. A kernel that writes a core file does not say that memory is let go of.
    pub(super) fn note_end(&self) {
        self.desk.job().shares.store(0, Ordering::Release);
    }
}

/// Gives back what children had that have executed, and keeps their stacks for the next: memory that is asked for and given
/// back all the time costs more than all else about a child.
pub(super) fn tidy(starting: &mut Vec<Starting>, spare: &mut Vec<Stack>) {
    for done in starting.extract_if(.., |starting| !starting.shares()) {
        spare.push(done.desk.clear());
    }
}

/// All that the child needs.
#[derive(Debug)]
struct Job {
    /// Set to zero by the kernel when the child has executed a program, or has ended.
    shares: AtomicI32,
    /// What becomes descriptors 0, 1 and 2; none where 1 and 2 stay what they are.
    console: Option<CString>,
    /// What it records of its start, if anything.
    account: Option<Account>,
    execution: Execution,
    reports: Reports,
}

/// Starts a child that becomes a session leader on the console and executes a program.
pub(super) fn start(
    console: Option<CString>,
    account: Option<Account>,
    execution: Execution,
    reports: Reports,
    spare: Option<Stack>,
) -> io::Result<Starting> {
    let stack = spare.map_or_else(Stack::new, Ok)?;
    let job = Job {
        shares: AtomicI32::new(1),
        console,
        account,
        execution,
        reports,
    };
    let desk = Desk::new(stack, job);
    let flags = libc::CLONE_VM | libc::CLONE_CHILD_CLEARTID | libc::SIGCHLD;
    // SAFETY: the child runs `enter` on a stack of its own, which is large enough, and reads the job, which lives until
    // `shares` is zero or the child has been reaped. It writes nothing but its stack and a report.
    let result = unsafe {
        libc::clone(
            enter,
            desk.top(),
            flags,
            desk.job.as_ptr().cast::<c_void>(),
            ptr::null_mut::<c_int>(),
            ptr::null_mut::<c_void>(),
            desk.job().shares.as_ptr(),
        )
    };
    let failed = Errno::last();
    if let Some(pid) = Pid::new(result) {
        return Ok(Starting { pid, desk });
    }
    // There is no child.
    desk.clear();
    Err(failed.into())
}

/// Where the child begins.
extern "C" fn enter(job: *mut c_void) -> c_int {
    // SAFETY: the parent has passed a job that lives as long as the child shares its memory.
    let job = unsafe { &*job.cast_const().cast::<Job>() };
    for signal in signal::ignored() {
        bare::set_default_action(signal);
    }
    bare::unblock_all_signals();
    bare::lead_session();
    standard::take(job.console.as_deref(), job.reports);
    job.account.as_ref().map(Account::write).unwrap_or_default();
    bare::exit(job.execution.run(job.reports))
}

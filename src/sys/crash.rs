//! PID 1's own failure: the next image is started from a signal handler, or from the panic hook.
//!
//! In the handler nothing is sure any more: the heap may be damaged, a lock may be held, the stack may be used up. So
//! all it needs is prepared beforehand, and it only makes system calls, on a stack of its own: it adds a few lines to
//! the journal (which `journal::crash` reads), leaves journal and FIFO under agreed numbers, and executes the program
//! anew. It allocates nothing, and takes no decision but whose fault the signal is.

use super::journal_tail::Tail;
use nix::errno::Errno;
use nix::sys::mman::{MapFlags, ProtFlags, mmap_anonymous};
use std::ffi::{CStr, CString, OsString, c_char, c_int, c_void};
use std::io;
use std::num::NonZeroUsize;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::ptr;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, Ordering};

/// Where the next image finds the journal.
pub(super) const JOURNAL_FD: c_int = 12;
/// Where the open FIFO is kept across a hand-over, as across a crash, so that requests in it are not forgotten: the number under which
/// the original keeps its own, which it therefore replaces without leaving ours open.
pub(super) const FIFO_FD: c_int = 10;
/// Size of the handler's stack. The kernel's frame takes up to 11 KiB of it with the largest register sets.
const STACK_SIZE: usize = 64 << 10;
/// How many words of the stack are looked at for return addresses, and how many are told.
const WORDS: usize = 512;
const MOST_PLACES: usize = 24;
/// Pause between attempts to execute the next image, which needs memory, in milliseconds.
const PAUSE: c_int = 500;

/// What the handler needs. Made once and never given back.
struct Plan {
    pid: c_int,
    path: CString,
    argv: Box<[*const c_char]>,
    environment: Box<[*const c_char]>,
}

static PLAN: AtomicPtr<Plan> = AtomicPtr::new(ptr::null_mut());
static JOURNAL: AtomicPtr<Tail> = AtomicPtr::new(ptr::null_mut());
static FIFO: AtomicI32 = AtomicI32::new(-1);
/// Whether the next image is on its way. A crash that is asked for meanwhile asks for nothing more.
static IS_DOWN: AtomicBool = AtomicBool::new(false);
/// Whether something is going on that must not be cut in two.
static IS_WHOLE: AtomicBool = AtomicBool::new(false);
/// Whether a crash was asked for meanwhile.
static IS_PUT_OFF: AtomicBool = AtomicBool::new(false);

unsafe extern "C" {
    /// The first byte of the program, as the linker has it.
    static __executable_start: u8;
    /// The first byte behind its code.
    static etext: u8;
}

/// Prepares everything, and has a failure of this process lead to the program being executed anew with these words.
pub(crate) fn arm(path: &CStr, words: &[OsString]) -> io::Result<()> {
    let environment = std::env::vars_os().map(|(name, value)| {
        CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).unwrap_or_default()
    });
    let words = words
        .iter()
        .map(|word| CString::new(word.as_bytes()).unwrap_or_default());
    let plan = Plan {
        pid: nix::unistd::getpid().as_raw(),
        path: path.to_owned(),
        argv: kept(words),
        environment: kept(environment),
    };
    PLAN.store(Box::leak(Box::new(plan)), Ordering::Release);
    // A mapping of its own, which takes no memory as long as it is not used, and leaves no hole in the heap.
    let flags = MapFlags::MAP_PRIVATE | MapFlags::MAP_NORESERVE | MapFlags::MAP_STACK;
    let access = ProtFlags::PROT_READ | ProtFlags::PROT_WRITE;
    let size = NonZeroUsize::MIN.saturating_add(STACK_SIZE - 1);
    // SAFETY: the kernel chooses the place, so nothing that is there already is touched.
    let place = unsafe { mmap_anonymous(None, size, access, flags) }?;
    let stack = libc::stack_t {
        ss_sp: place.as_ptr(),
        ss_flags: 0,
        ss_size: STACK_SIZE,
    };
    // SAFETY: the memory is ours for good and of that size; the old stack is not asked for.
    Errno::result(unsafe { libc::sigaltstack(&raw const stack, ptr::null_mut()) })?;
    for signal in super::signal::FAULTS {
        handle(signal)?;
    }
    Ok(())
}

/// Says where the journal is from now on. It must say so again, or that there is none, before that is gone.
pub(super) fn set_journal(tail: &Tail) {
    JOURNAL.store(ptr::from_ref(tail).cast_mut(), Ordering::Release);
}

/// Says that there is none, if this was it.
pub(super) fn forget_journal(tail: &Tail) {
    let tail = ptr::from_ref(tail).cast_mut();
    // Another one has taken its place otherwise.
    let _known =
        JOURNAL.compare_exchange(tail, ptr::null_mut(), Ordering::AcqRel, Ordering::Acquire);
}

/// What must not be cut in two, until this goes away: reading something that is then gone and writing it down, or doing
/// what others notice and writing that down.
///
/// The one crash that can come at any instruction is the one that somebody outside asks for, and it is put off. A fault is
/// init's own and can not be; it comes from what is done here no more than from a system call. Held back by a mask, it would
/// be deadly.
#[derive(Debug)]
pub(crate) struct Whole {
    /// Whether something greater was going on already.
    is_part: bool,
}

impl Whole {
    /// Begins it.
    pub(crate) fn begin() -> Self {
        Self {
            is_part: IS_WHOLE.swap(true, Ordering::SeqCst),
        }
    }
}

impl Drop for Whole {
    fn drop(&mut self) {
        IS_WHOLE.store(self.is_part, Ordering::SeqCst);
        if !self.is_part && IS_PUT_OFF.swap(false, Ordering::SeqCst) {
            restart_as_asked();
        }
    }
}

/// Does what was put off. Returns only in a copy of this process, or where there is no next image.
fn restart_as_asked() {
    let Some(plan) = plan().filter(|plan| plan.is_this_process()) else {
        return;
    };
    IS_DOWN.store(true, Ordering::SeqCst);
    write_gathered();
    crash_line(*b"XCD", libc::SIGSEGV, 0);
    execute(plan);
    IS_DOWN.store(false, Ordering::SeqCst);
}

/// Says where the FIFO is from now on, if anywhere.
pub(crate) fn set_fifo(fd: Option<BorrowedFd<'_>>) {
    FIFO.store(fd.map_or(-1, |fd| fd.as_raw_fd()), Ordering::Release);
}

/// Starts the next image after a panic; the hexadecimal message goes into the journal. Returns only in a copy of this
/// process, or where there is no next image.
pub(crate) fn restart_after_panic(message: &str) {
    let Some(plan) = plan().filter(|plan| plan.is_this_process()) else {
        return;
    };
    let mut line = Line::new();
    line.text(b"XCR");
    line.time();
    line.text(b" 0 ");
    IS_DOWN.store(true, Ordering::SeqCst);
    write_gathered();
    write(line.bytes());
    write(message.as_bytes());
    write(b" 0\n");
    let here = ptr::from_ref(&line) as usize;
    tell_places(0, here);
    execute(plan);
    IS_DOWN.store(false, Ordering::SeqCst);
}

/// Starts the next image as if nothing had happened before: what crashed init may be gone. Returns only where there is
/// no next image.
pub(crate) fn start_over() {
    if let Some(plan) = plan().filter(|plan| plan.is_this_process()) {
        IS_DOWN.store(true, Ordering::SeqCst);
        write_gathered();
        write(b"XCZ\n");
        execute(plan);
        IS_DOWN.store(false, Ordering::SeqCst);
    }
}

fn kept(words: impl Iterator<Item = CString>) -> Box<[*const c_char]> {
    // They live as long as the process: the handler needs them.
    words
        .map(|word| CString::into_raw(word).cast_const())
        .chain([ptr::null()])
        .collect()
}

fn handle(signal: c_int) -> io::Result<()> {
    let mut action = std::mem::MaybeUninit::<libc::sigaction>::zeroed();
    // SAFETY: all bytes zero are a valid sigaction: default handler, empty mask, no flags.
    let action = unsafe { action.assume_init_mut() };
    action.sa_sigaction = on_fault as *const () as libc::sighandler_t;
    // A fault in the handler itself comes back to it, and is passed over faster.
    action.sa_flags = libc::SA_SIGINFO | libc::SA_ONSTACK | libc::SA_NODEFER | libc::SA_RESTART;
    // SAFETY: `action` is initialised, and the handler keeps to what signal-safety(7) allows.
    Errno::result(unsafe { libc::sigaction(signal, action, ptr::null_mut()) })?;
    Ok(())
}

fn plan() -> Option<&'static Plan> {
    // SAFETY: null, or a plan that was leaked, so it is there for good and never changes.
    unsafe { PLAN.load(Ordering::Acquire).as_ref() }
}

impl Plan {
    fn is_this_process(&self) -> bool {
        nix::unistd::getpid().as_raw() == self.pid
    }
}

/// The handler.
extern "C" fn on_fault(signal: c_int, info: *mut libc::siginfo_t, context: *mut c_void) {
    let errno = Errno::last_raw();
    let Some(plan) = plan().filter(|plan| plan.is_this_process()) else {
        // A child before it executes its program: it ends as any program does, at the same instruction, or by the signal
        // that it was sent. The handler is its own, even where the memory is not.
        // SAFETY: a constant disposition.
        unsafe { libc::signal(signal, libc::SIG_DFL) };
        // SAFETY: the kernel passes a valid pointer with SA_SIGINFO.
        if unsafe { &*info }.si_code <= 0 {
            let own = nix::unistd::getpid().as_raw();
            // SAFETY: no memory is involved.
            unsafe { libc::kill(own, signal) };
        }
        Errno::set_raw(errno);
        return;
    };
    // SAFETY: the kernel passes a valid pointer with SA_SIGINFO.
    let info = unsafe { &*info };
    // SAFETY: the field is filled in wherever a process has sent the signal, and is only looked at then.
    let sender = unsafe { info.si_pid() };
    let was_sent = info.si_code <= 0 && sender != plan.pid;
    let was_asked = was_sent && signal == libc::SIGSEGV && sender == 0;
    let is_on_its_way = was_asked && IS_DOWN.load(Ordering::SeqCst);
    let is_put_off = was_asked && !is_on_its_way && IS_WHOLE.load(Ordering::SeqCst);
    if is_put_off {
        IS_PUT_OFF.store(true, Ordering::SeqCst);
    }
    if is_on_its_way || is_put_off || was_sent && !was_asked {
        Errno::set_raw(errno);
        return;
    }
    let (ip, sp) = registers(context);
    if !IS_DOWN.swap(true, Ordering::AcqRel) {
        write_gathered();
        let refused = super::memory::refused();
        let had_no_memory = signal == libc::SIGABRT && !was_asked && refused > 0;
        // SAFETY: the field is filled in for a fault; otherwise it holds some number, which does no harm.
        let address = unsafe { info.si_addr() };
        let (word, number) = match (was_asked, had_no_memory) {
            (true, _) => (*b"XCD", 0),
            (false, true) => (*b"XCM", refused as u64),
            (false, false) if was_sent => (*b"XCR", 0),
            (false, false) => (*b"XCR", address as u64),
        };
        crash_line(word, signal, number);
        // Where it was short of memory says nothing about why.
        if !had_no_memory {
            tell_places(ip, sp);
        }
    }
    loop {
        execute(plan);
        if was_asked {
            IS_DOWN.store(false, Ordering::Release);
            Errno::set_raw(errno);
            return;
        }
        // There is nothing to return to. Memory, or the file, may come back.
        // SAFETY: no descriptors are passed.
        unsafe { libc::poll(ptr::null_mut(), 0, PAUSE) };
    }
}

/// Writes down that it has crashed: by which signal, and at which address or for want of how many bytes.
fn crash_line(word: [u8; 3], signal: c_int, number: u64) {
    let mut line = Line::new();
    line.text(&word);
    line.time();
    line.text(b" ");
    line.number(u64::from(signal.unsigned_abs()), 10);
    line.text(b" ");
    line.number(number, 16);
    line.text(b" 0\n");
    write(line.bytes());
}

/// Executes the program anew, with journal and FIFO under their numbers.
fn execute(plan: &Plan) {
    let journal = journal().map_or(-1, Tail::fd);
    for (fd, to) in [
        (journal, JOURNAL_FD),
        (FIFO.load(Ordering::Acquire), FIFO_FD),
    ] {
        if fd >= 0 {
            // SAFETY: the descriptors this may close are replaced with the image.
            unsafe { libc::dup2(fd, to) };
        }
    }
    // The very file that runs, whatever has its name by now: it reads what this image has written. Without /proc the one
    // of that name has to do.
    for program in [c"/proc/self/exe", &plan.path] {
        // SAFETY: both vectors end with a null pointer and hold strings that live for good.
        unsafe {
            libc::execve(
                program.as_ptr(),
                plan.argv.as_ptr(),
                plan.environment.as_ptr(),
            )
        };
    }
}

/// Where the journal is.
fn journal() -> Option<&'static Tail> {
    // SAFETY: null, or that of a journal that is there: whoever ends it says so before.
    unsafe { JOURNAL.load(Ordering::Acquire).as_ref() }
}

/// Writes what has not reached the journal yet, as far as it can be.
fn write_gathered() {
    // There is nobody to tell.
    journal().map(Tail::write).transpose().unwrap_or_default();
}

/// Writes to the journal, as far as it can be.
fn write(bytes: &[u8]) {
    let fd = journal().map_or(-1, Tail::fd);
    // SAFETY: the pointer and the length are those of a live slice.
    unsafe { libc::write(fd, bytes.as_ptr().cast(), bytes.len()) };
}

/// The beginning of the program's file, as it lies in memory (elf(5)).
fn header() -> [u8; 18] {
    // SAFETY: the kernel has mapped the whole header there, for good and for nobody to write to.
    unsafe { (&raw const __executable_start).cast::<[u8; 18]>().read() }
}

/// How far from where its file has it a program lies whose first byte is at this address. Static programs lie where it says;
/// others begin at zero there.
fn moved_by(header: [u8; 18], first: usize) -> usize {
    let [.., low, high] = header;
    match u16::from_ne_bytes([low, high]) {
        libc::ET_EXEC => 0,
        _ => first,
    }
}

/// Writes down where the program was, in addresses of its file: the instruction, and what on the stack looks like a return
/// into it.
fn tell_places(ip: usize, sp: usize) {
    let first = &raw const __executable_start as usize;
    let end = &raw const etext as usize;
    let moved = moved_by(header(), first);
    let mut told = 0;
    let mut tell = |place: usize| {
        if (first..end).contains(&place) && told < MOST_PLACES {
            told += 1;
            let mut line = Line::new();
            line.text(b"Y ");
            line.number((place - moved) as u64, 16);
            line.text(b"\n");
            write(line.bytes());
        }
    };
    tell(ip);
    let mut words = [0_usize; WORDS];
    let local = libc::iovec {
        iov_base: words.as_mut_ptr().cast(),
        iov_len: size_of_val(&words),
    };
    let remote = libc::iovec {
        iov_base: (sp & !(size_of::<usize>() - 1)) as *mut c_void,
        iov_len: size_of_val(&words),
    };
    let own = nix::unistd::getpid().as_raw();
    // A copy by the kernel, which stops where there is no stack instead of failing again.
    // SAFETY: one vector each, and the local one is as long as the array.
    unsafe { libc::process_vm_readv(own, &raw const local, 1, &raw const remote, 1, 0) };
    words.into_iter().for_each(tell);
}

/// Instruction and stack pointer at the fault.
fn registers(context: *mut c_void) -> (usize, usize) {
    #[cfg(target_arch = "x86_64")]
    {
        // SAFETY: the kernel passes a valid context with SA_SIGINFO.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext.gregs };
        let register = |index: c_int| {
            let index = usize::try_from(index).unwrap_or(0);
            registers
                .get(index)
                .map_or(0, |word| usize::from_ne_bytes(word.to_ne_bytes()))
        };
        (register(libc::REG_RIP), register(libc::REG_RSP))
    }
    #[cfg(target_arch = "aarch64")]
    {
        // SAFETY: the kernel passes a valid context with SA_SIGINFO.
        let registers = unsafe { &(*context.cast::<libc::ucontext_t>()).uc_mcontext };
        (registers.pc as usize, registers.sp as usize)
    }
    #[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
    {
        // Elsewhere the handler's own stack has to tell.
        (0, context as usize)
    }
}

/// A short line, put together without memory from the heap.
struct Line {
    bytes: [u8; 96],
    length: usize,
}

impl Line {
    fn new() -> Self {
        Self {
            bytes: [0; 96],
            length: 0,
        }
    }

    fn bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    fn text(&mut self, text: &[u8]) {
        for byte in text {
            if let Some(slot) = self.bytes.get_mut(self.length) {
                *slot = *byte;
                self.length += 1;
            }
        }
    }

    fn number(&mut self, number: u64, base: u64) {
        let mut digits = [0_u8; 20];
        let mut rest = number;
        let mut used = 0;
        for slot in digits.iter_mut().rev() {
            let digit = u8::try_from(rest % base).unwrap_or(0);
            *slot = if digit < 10 {
                b'0' + digit
            } else {
                b'a' + digit - 10
            };
            used += 1;
            rest /= base;
            if rest == 0 {
                break;
            }
        }
        self.text(digits.get(digits.len() - used..).unwrap_or_default());
    }

    /// The monotonic clock in nanoseconds.
    fn time(&mut self) {
        let now = super::clock::now().0.as_nanos();
        self.number(u64::try_from(now).unwrap_or(0), 10);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_told_as_the_file_has_them() {
        let mut header = [0; 18];
        header[16] = 3;
        assert_eq!(moved_by(header, 0x55e0_1000_0000), 0x55e0_1000_0000);
        header[16] = 2;
        assert_eq!(moved_by(header, 0x20_0000), 0);
    }

    #[test]
    fn the_header_is_that_of_a_program() {
        let header = header();
        assert!(header.starts_with(b"\x7fELF"));
        assert!([libc::ET_EXEC, libc::ET_DYN].contains(&u16::from(header[16])));
    }

    #[test]
    fn miri_numbers_are_written_without_the_heap() {
        for (number, base, text) in [
            (0, 10, "0"),
            (u64::MAX, 10, "18446744073709551615"),
            (0xdead_beef, 16, "deadbeef"),
        ] {
            let mut line = Line::new();
            line.number(number, base);
            assert_eq!(line.bytes(), text.as_bytes());
        }
    }

    #[test]
    fn miri_a_line_that_is_too_long_is_cut() {
        let mut line = Line::new();
        for _ in 0..20 {
            line.text(b"0123456789");
        }
        assert_eq!(line.bytes().len(), 96);
    }
}

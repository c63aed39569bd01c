//! System calls without the C library, for a child that shares this process's memory: the library keeps the number of the
//! last error in memory, where the child's would overwrite the parent's.

use nix::errno::Errno;
use std::ffi::{CStr, c_char, c_int, c_long};

/// A path that ends with NUL, or a vector of such strings that ends with null, for the kernel to read.
pub(super) type Strings = *const *const c_char;

/// Tells whether the calls are made here without the C library.
pub(super) const IS_KNOWN: bool = cfg!(any(target_arch = "x86_64", target_arch = "aarch64"));

/// One system call of four arguments.
///
/// # Safety
/// As the call with these arguments. It must not be one that returns twice.
#[cfg(target_arch = "x86_64")]
unsafe fn call(number: c_long, first: usize, second: usize, third: usize, fourth: usize) -> c_long {
    let result: c_long;
    // SAFETY: the kernel's convention on this architecture; it changes rax, rcx and r11, and memory as the call says.
    unsafe {
        std::arch::asm!(
            "syscall",
            inlateout("rax") number => result,
            in("rdi") first,
            in("rsi") second,
            in("rdx") third,
            in("r10") fourth,
            lateout("rcx") _,
            lateout("r11") _,
            options(nostack),
        );
    }
    result
}

/// One system call of four arguments.
///
/// # Safety
/// As the call with these arguments. It must not be one that returns twice.
#[cfg(target_arch = "aarch64")]
unsafe fn call(number: c_long, first: usize, second: usize, third: usize, fourth: usize) -> c_long {
    let result: c_long;
    // SAFETY: the kernel's convention on this architecture; it changes x0, and memory as the call says.
    unsafe {
        std::arch::asm!(
            "svc 0",
            in("x8") number,
            inlateout("x0") first => result,
            in("x1") second,
            in("x2") third,
            in("x3") fourth,
            options(nostack),
        );
    }
    result
}

/// Elsewhere the library has to do it, which is why nobody shares memory there.
///
/// # Safety
/// As the call with these arguments.
#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
unsafe fn call(number: c_long, first: usize, second: usize, third: usize, fourth: usize) -> c_long {
    // SAFETY: as the caller promises.
    unsafe { libc::syscall(number, first, second, third, fourth) }
}

/// What a call has returned: a number, or an error number between -4095 and -1.
fn outcome(result: c_long) -> Result<c_int, c_int> {
    // None of these calls has larger numbers.
    let number = c_int::try_from(result).unwrap_or(0);
    if (-4095..0).contains(&number) {
        Err(-number)
    } else {
        Ok(number)
    }
}

/// A number as the kernel's registers have it.
fn register(number: c_int) -> usize {
    (number as isize).cast_unsigned()
}

/// Gives a signal its default action.
pub(super) fn set_default_action(signal: c_int) {
    // The kernel's structure: action, flags, restorer and mask, all zero.
    let action = [0_u64; 4];
    // SAFETY: the kernel reads the structure, and is asked for no old one. What it refuses stays as it is.
    let _refused = unsafe {
        call(
            libc::SYS_rt_sigaction,
            register(signal),
            action.as_ptr() as usize,
            0,
            size_of::<u64>(),
        )
    };
}

/// Blocks no signal.
pub(super) fn unblock_all_signals() {
    let none = 0_u64;
    // SAFETY: the kernel reads the mask, and is asked for no old one.
    let _done = unsafe {
        call(
            libc::SYS_rt_sigprocmask,
            register(libc::SIG_SETMASK),
            &raw const none as usize,
            0,
            size_of::<u64>(),
        )
    };
}

/// Becomes the leader of a session, which only one who leads a group already cannot.
pub(super) fn lead_session() {
    // SAFETY: no memory is involved.
    let _leads_one_already = unsafe { call(libc::SYS_setsid, 0, 0, 0, 0) };
}

/// Becomes the leader of a process group, which only one who leads a session already cannot.
pub(super) fn lead_group() {
    // SAFETY: no memory is involved.
    let _leads_one_already = unsafe { call(libc::SYS_setpgid, 0, 0, 0, 0) };
}

/// Puts a process group into the foreground of a terminal.
pub(super) fn put_into_foreground(terminal: c_int, group: c_int) {
    // The request's number fits the register whatever its type is on this architecture.
    #[expect(
        clippy::cast_possible_truncation,
        reason = "requests of terminals have sixteen bits"
    )]
    let request = libc::TIOCSPGRP as c_int;
    // SAFETY: the kernel reads the number, which lives until the call returns.
    let _refused = unsafe {
        call(
            libc::SYS_ioctl,
            register(terminal),
            register(request),
            &raw const group as usize,
            0,
        )
    };
}

/// The number of this process.
pub(super) fn own_pid() -> c_int {
    // SAFETY: no memory is involved.
    outcome(unsafe { call(libc::SYS_getpid, 0, 0, 0, 0) }).unwrap_or(0)
}

/// Opens a file that is there.
pub(super) fn open(path: &CStr, flags: c_int) -> Result<c_int, c_int> {
    // SAFETY: the kernel reads the path up to its NUL.
    outcome(unsafe {
        call(
            libc::SYS_openat,
            register(libc::AT_FDCWD),
            path.as_ptr() as usize,
            register(flags),
            0,
        )
    })
}

/// Sets the flags of an open file.
pub(super) fn set_flags(descriptor: c_int, flags: c_int) -> Result<c_int, c_int> {
    // SAFETY: no memory is involved.
    outcome(unsafe {
        call(
            libc::SYS_fcntl,
            register(descriptor),
            register(libc::F_SETFL),
            register(flags),
            0,
        )
    })
}

/// Has another descriptor, which must not be the same, mean the same file, and stay open when a program is executed.
pub(super) fn duplicate(descriptor: c_int, onto: c_int) {
    // SAFETY: no memory is involved; descriptors are this process's own, the table is a copy.
    let _done = unsafe { call(libc::SYS_dup3, register(descriptor), register(onto), 0, 0) };
}

/// Closes a descriptor.
pub(super) fn close(descriptor: c_int) {
    // SAFETY: as above.
    let _done = unsafe { call(libc::SYS_close, register(descriptor), 0, 0, 0) };
}

/// Sends a signal to a process.
pub(super) fn signal(pid: c_int, signal: c_int) {
    // SAFETY: no memory is involved.
    let _gone = unsafe { call(libc::SYS_kill, register(pid), register(signal), 0, 0) };
}

/// Executes a program. Only a failure returns, with its number.
///
/// # Safety
/// Both vectors end with null, and what they point to ends with NUL.
pub(super) unsafe fn execute(program: &CStr, argv: Strings, environment: Strings) -> Errno {
    // SAFETY: as the caller promises.
    let result = unsafe {
        call(
            libc::SYS_execve,
            program.as_ptr() as usize,
            argv as usize,
            environment as usize,
            0,
        )
    };
    Errno::from_raw(outcome(result).err().unwrap_or(0))
}

/// Ends the process.
pub(super) fn exit(code: u8) -> ! {
    loop {
        // SAFETY: ends this process and no other that shares its memory.
        unsafe { call(libc::SYS_exit_group, usize::from(code), 0, 0, 0) };
    }
}

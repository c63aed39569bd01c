//! System calls without the C library, for a child that shares this process's memory: the library keeps the number of the
//! last error in memory, where the child's would overwrite the parent's.

use nix::errno::Errno;
use std::ffi::{CStr, c_char, c_int, c_long};
use std::mem::MaybeUninit;

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

/// What the C library's function has returned, where that does what the kernel's call cannot be asked for here: on the
/// architectures where nobody shares memory.
fn of_library(result: c_long) -> Result<c_int, c_int> {
    Errno::result(result)
        .map(|number| c_int::try_from(number).unwrap_or(0))
        .map_err(|error| error as c_int)
}

/// How many bytes were moved.
fn count(result: Result<c_int, c_int>) -> Result<usize, Errno> {
    match result {
        Ok(count) => Ok(usize::try_from(count).unwrap_or(0)),
        Err(error) => Err(Errno::from_raw(error)),
    }
}

/// Reads from an open file.
pub(super) fn read(descriptor: c_int, into: &mut [u8]) -> Result<usize, Errno> {
    let (place, room) = (into.as_mut_ptr() as usize, into.len());
    // SAFETY: the kernel writes no more than there is room for.
    count(outcome(unsafe {
        call(libc::SYS_read, register(descriptor), place, room, 0)
    }))
}

/// Writes to an open file.
pub(super) fn write(descriptor: c_int, bytes: &[u8]) -> Result<usize, Errno> {
    let (place, length) = (bytes.as_ptr() as usize, bytes.len());
    // SAFETY: the kernel reads as much as there is.
    count(outcome(unsafe {
        call(libc::SYS_write, register(descriptor), place, length, 0)
    }))
}

/// Writes to an open file, at an offset.
pub(super) fn write_at(descriptor: c_int, bytes: &[u8], offset: u64) -> Result<usize, Errno> {
    let (place, length) = (bytes.as_ptr() as usize, bytes.len());
    if IS_KNOWN {
        let offset = usize::try_from(offset).unwrap_or(usize::MAX);
        // SAFETY: as above.
        count(outcome(unsafe {
            call(
                libc::SYS_pwrite64,
                register(descriptor),
                place,
                length,
                offset,
            )
        }))
    } else {
        let offset = offset.try_into().unwrap_or(libc::off64_t::MAX);
        // SAFETY: as above.
        let written = unsafe { libc::pwrite64(descriptor, bytes.as_ptr().cast(), length, offset) };
        count(of_library(written as c_long))
    }
}

/// The length of an open file, where it is a regular one.
pub(super) fn length_if_regular(descriptor: c_int) -> Result<Option<u64>, Errno> {
    let mut status = MaybeUninit::<libc::stat64>::uninit();
    let place = status.as_mut_ptr();
    let result = if IS_KNOWN {
        // SAFETY: on these architectures the library's structure is the kernel's.
        outcome(unsafe { call(libc::SYS_fstat, register(descriptor), place as usize, 0, 0) })
    } else {
        // SAFETY: the structure is the library's.
        of_library(c_long::from(unsafe { libc::fstat64(descriptor, place) }))
    };
    result.map_err(Errno::from_raw)?;
    // SAFETY: it was filled in.
    let status = unsafe { status.assume_init() };
    let is_regular = status.st_mode & libc::S_IFMT == libc::S_IFREG;
    Ok(is_regular.then_some(u64::try_from(status.st_size).unwrap_or(0)))
}

/// Cuts an open file, or makes it longer.
pub(super) fn set_length(descriptor: c_int, length: u64) -> Result<(), Errno> {
    let result = if IS_KNOWN {
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        // SAFETY: no memory is involved.
        outcome(unsafe { call(libc::SYS_ftruncate, register(descriptor), length, 0, 0) })
    } else {
        let length = length.try_into().unwrap_or(libc::off64_t::MAX);
        // SAFETY: no memory is involved.
        of_library(c_long::from(unsafe {
            libc::ftruncate64(descriptor, length)
        }))
    };
    result.map(drop).map_err(Errno::from_raw)
}

/// Takes the lock on a whole open file for writing, if it is free. It goes with the open file (fcntl(2), `F_OFD_SETLK`).
pub(super) fn try_lock(descriptor: c_int) -> bool {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both constants are below 3"
    )]
    let (kind, whence) = (libc::F_WRLCK as i16, libc::SEEK_SET as i16);
    let lock = libc::flock {
        l_type: kind,
        l_whence: whence,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let result = if IS_KNOWN {
        // SAFETY: on these architectures the library's structure is the kernel's, who reads it.
        outcome(unsafe {
            call(
                libc::SYS_fcntl,
                register(descriptor),
                register(libc::F_OFD_SETLK),
                &raw const lock as usize,
                0,
            )
        })
    } else {
        // SAFETY: the structure is the library's.
        of_library(c_long::from(unsafe {
            libc::fcntl(descriptor, libc::F_OFD_SETLK, &raw const lock)
        }))
    };
    result.is_ok()
}

/// The time of day: seconds since 1970, and nanoseconds.
pub(super) fn wall_clock() -> Result<(i64, i64), Errno> {
    let mut now = libc::timespec {
        tv_sec: 0,
        tv_nsec: 0,
    };
    let result = if IS_KNOWN {
        // SAFETY: on these architectures the library's structure is the kernel's.
        outcome(unsafe {
            call(
                libc::SYS_clock_gettime,
                register(libc::CLOCK_REALTIME),
                &raw mut now as usize,
                0,
                0,
            )
        })
    } else {
        // SAFETY: the structure is the library's.
        of_library(c_long::from(unsafe {
            libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now)
        }))
    };
    result.map_err(Errno::from_raw)?;
    #[expect(
        clippy::useless_conversion,
        reason = "they are shorter on some architectures"
    )]
    Ok((now.tv_sec.into(), now.tv_nsec.into()))
}

/// Waits a millisecond.
pub(super) fn pause() {
    let pause = libc::timespec {
        tv_sec: 0,
        tv_nsec: 1_000_000,
    };
    if IS_KNOWN {
        // SAFETY: as above; nobody asks what was left of the time.
        let _interrupted = unsafe { call(libc::SYS_nanosleep, &raw const pause as usize, 0, 0, 0) };
    } else {
        // SAFETY: the structure is the library's.
        unsafe { libc::nanosleep(&raw const pause, std::ptr::null_mut()) };
    }
}

/// The kernel's names.
pub(super) fn names() -> Result<libc::utsname, Errno> {
    let mut names = MaybeUninit::<libc::utsname>::zeroed();
    // SAFETY: the structure is the kernel's on every architecture.
    outcome(unsafe { call(libc::SYS_uname, names.as_mut_ptr() as usize, 0, 0, 0) })
        .map_err(Errno::from_raw)?;
    // SAFETY: all bytes are valid, and it was filled in.
    Ok(unsafe { names.assume_init() })
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

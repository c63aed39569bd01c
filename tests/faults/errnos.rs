//! Which errors a system call can return, by the ERRORS sections of the manual pages (section 2).
//!
//! Left out is what only a wrong argument of our own could bring about (EFAULT, and EBADF where the descriptor is
//! one the process has just made). In stand EPERM, EACCES and ENOSYS wherever a security module, a seccomp filter or an
//! old kernel may say so.

use nix::errno::Errno::{
    self, E2BIG, EACCES, EADDRINUSE, EAFNOSUPPORT, EAGAIN, EBUSY, ECHILD, ECONNREFUSED, ECONNRESET,
    EDEADLK, EDQUOT, EEXIST, EFBIG, EINTR, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, EMFILE, EMLINK,
    EMSGSIZE, ENAMETOOLONG, ENFILE, ENOBUFS, ENODEV, ENOENT, ENOEXEC, ENOLCK, ENOMEM, ENOPROTOOPT,
    ENOSPC, ENOSYS, ENOTCONN, ENOTDIR, ENOTEMPTY, ENOTTY, ENXIO, EOPNOTSUPP, EOVERFLOW, EPERM,
    EPIPE, EPROTONOSUPPORT, EPROTOTYPE, EROFS, ESPIPE, ESRCH, ESTALE, ETXTBSY, EUSERS, EXDEV,
};

/// One system call.
pub(crate) struct Call {
    pub(crate) number: i64,
    pub(crate) name: &'static str,
    /// What its arguments are, as far as they tell one site from another.
    pub(crate) shape: Shape,
    pub(crate) errors: &'static [Errno],
}

/// What of the arguments belongs to a site's name.
#[derive(Clone, Copy)]
pub(crate) enum Shape {
    /// Nothing.
    Plain,
    /// The argument with this index is a path; the one after it, with `Flags`, is flags that matter.
    Path(usize),
    PathAndFlags(usize),
    /// The first argument is a descriptor.
    Descriptor,
    /// The first is a descriptor, the second says what is asked.
    DescriptorAndRequest,
    /// The argument with this index is a number that matters.
    Number(usize),
    /// A process or group, and a signal.
    Target,
}

impl Call {
    /// Whether the call is carried out all the same: the kernel closes and unmaps whatever it says.
    pub(crate) fn is_done_anyhow(&self) -> bool {
        [libc::SYS_close, libc::SYS_close_range, libc::SYS_munmap].contains(&self.number)
    }
}

const PATH: &[Errno] = &[
    EACCES,
    ELOOP,
    ENAMETOOLONG,
    ENOENT,
    ENOMEM,
    ENOTDIR,
    EIO,
    ESTALE,
];
const OPEN: &[Errno] = &[
    EACCES,
    EBUSY,
    EDQUOT,
    EEXIST,
    EINTR,
    EISDIR,
    ELOOP,
    EMFILE,
    ENAMETOOLONG,
    ENFILE,
    ENODEV,
    ENOENT,
    ENOMEM,
    ENOSPC,
    ENOTDIR,
    ENXIO,
    EOVERFLOW,
    EPERM,
    EROFS,
    ETXTBSY,
    EAGAIN,
    EIO,
    ESTALE,
];
const READ: &[Errno] = &[EAGAIN, EINTR, EINVAL, EIO, EISDIR];
const WRITE: &[Errno] = &[
    EAGAIN, EDQUOT, EFBIG, EINTR, EINVAL, EIO, ENOSPC, EPERM, EPIPE,
];
const MEMORY: &[Errno] = &[EAGAIN, ENOMEM];
const SEEK: &[Errno] = &[EINVAL, EOVERFLOW, ESPIPE];

macro_rules! calls {
    ($($name:ident $shape:expr => $errors:expr;)*) => {
        /// Every call PID 1 and its children make before they are another program. The run fails on one that is
        /// not here.
        pub(crate) const CALLS: &[Call] = &[$(Call {
            number: libc::$name,
            name: stringify!($name),
            shape: $shape,
            errors: $errors,
        },)*];
    };
}

calls! {
    // Files
    SYS_open Shape::PathAndFlags(0) => OPEN;
    SYS_openat Shape::PathAndFlags(1) => OPEN;
    SYS_read Shape::Descriptor => READ;
    SYS_pread64 Shape::Descriptor => READ;
    SYS_readv Shape::Descriptor => READ;
    SYS_write Shape::Descriptor => WRITE;
    SYS_pwrite64 Shape::Descriptor => WRITE;
    SYS_writev Shape::Descriptor => WRITE;
    SYS_close Shape::Descriptor => &[EINTR, EIO, ENOSPC, EDQUOT];
    SYS_close_range Shape::Plain => &[EMFILE, ENOMEM, EINVAL, ENOSYS, EPERM];
    SYS_fstat Shape::Descriptor => &[ENOMEM, EOVERFLOW, EIO, EACCES];
    SYS_stat Shape::Path(0) => PATH;
    SYS_lstat Shape::Path(0) => PATH;
    SYS_newfstatat Shape::Path(1) => PATH;
    SYS_statx Shape::Path(1) => &[EACCES, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EIO, ENOSYS, EPERM];
    SYS_access Shape::Path(0) => &[EACCES, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EROFS, ETXTBSY];
    SYS_faccessat Shape::Path(1) => &[EACCES, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EROFS, ETXTBSY];
    SYS_readlink Shape::Path(0) => &[EACCES, EINVAL, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR];
    SYS_rename Shape::Path(0) => &[EACCES, EBUSY, EDQUOT, EISDIR, ELOOP, EMLINK, ENAMETOOLONG, ENOENT, ENOMEM, ENOSPC, ENOTDIR, ENOTEMPTY, EPERM, EROFS, EXDEV, EIO];
    SYS_renameat Shape::Path(1) => &[EACCES, EBUSY, ENOENT, ENOSPC, EPERM, EROFS, EIO];
    SYS_unlink Shape::Path(0) => &[EACCES, EBUSY, EIO, EISDIR, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR, EPERM, EROFS];
    SYS_mknod Shape::Path(0) => &[EACCES, EDQUOT, EEXIST, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EPERM, EROFS];
    SYS_mknodat Shape::Path(1) => &[EACCES, EDQUOT, EEXIST, EINVAL, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EPERM, EROFS];
    SYS_mkdir Shape::Path(0) => &[EACCES, EDQUOT, EEXIST, ELOOP, EMLINK, ENAMETOOLONG, ENOENT, ENOMEM, ENOSPC, ENOTDIR, EPERM, EROFS];
    SYS_ftruncate Shape::Descriptor => &[EFBIG, EINTR, EINVAL, EIO, EPERM, EROFS, ETXTBSY];
    SYS_fallocate Shape::Descriptor => &[EFBIG, EINTR, EINVAL, EIO, ENODEV, ENOMEM, ENOSPC, ENOSYS, EOPNOTSUPP, EPERM];
    SYS_fchmod Shape::Descriptor => &[EIO, ENOMEM, EPERM, EROFS];
    SYS_fsync Shape::Descriptor => &[EDQUOT, EINVAL, EIO, ENOSPC, EROFS];
    SYS_lseek Shape::Descriptor => SEEK;
    SYS_getdents64 Shape::Descriptor => &[EINVAL, ENOENT, ENOTDIR, EIO];
    SYS_fcntl Shape::DescriptorAndRequest => &[EACCES, EAGAIN, EINTR, EINVAL, EMFILE, ENOLCK, EPERM, EDEADLK];
    SYS_ioctl Shape::DescriptorAndRequest => &[EINVAL, ENOTTY, EIO, EPERM, EINTR];
    SYS_dup Shape::Descriptor => &[EMFILE];
    SYS_dup2 Shape::Number(1) => &[EBUSY, EINTR, EMFILE];
    SYS_dup3 Shape::Number(1) => &[EBUSY, EINTR, EMFILE, EINVAL];
    SYS_chdir Shape::Path(0) => &[EACCES, EIO, ELOOP, ENAMETOOLONG, ENOENT, ENOMEM, ENOTDIR];
    SYS_getcwd Shape::Plain => &[EACCES, ENOENT, ENOMEM];
    SYS_sync Shape::Plain => &[];
    // Pipes, events, sockets
    SYS_pipe2 Shape::Plain => &[EMFILE, ENFILE, EINVAL];
    SYS_memfd_create Shape::Plain => &[EMFILE, ENFILE, ENOMEM, EINVAL, EPERM];
    SYS_poll Shape::Number(1) => &[EINTR, EINVAL, ENOMEM];
    SYS_ppoll Shape::Number(1) => &[EINTR, EINVAL, ENOMEM];
    SYS_signalfd4 Shape::Plain => &[EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM];
    SYS_inotify_init1 Shape::Plain => &[EINVAL, EMFILE, ENFILE, ENOMEM];
    SYS_inotify_add_watch Shape::Path(1) => &[EACCES, EEXIST, EINVAL, ENAMETOOLONG, ENOENT, ENOMEM, ENOSPC, ENOTDIR];
    SYS_inotify_rm_watch Shape::Descriptor => &[EINVAL];
    SYS_eventfd2 Shape::Plain => &[EMFILE, ENFILE, ENODEV, ENOMEM];
    SYS_timerfd_create Shape::Plain => &[EMFILE, ENFILE, ENODEV, ENOMEM];
    SYS_epoll_create1 Shape::Plain => &[EMFILE, ENFILE, ENOMEM];
    SYS_pidfd_open Shape::Plain => &[EINVAL, EMFILE, ENFILE, ENODEV, ENOMEM, ESRCH, ENOSYS];
    SYS_pidfd_send_signal Shape::Number(1) => &[EINVAL, EPERM, ESRCH, ENOSYS];
    SYS_socket Shape::Plain => &[EACCES, EAFNOSUPPORT, EINVAL, EMFILE, ENFILE, ENOBUFS, ENOMEM, EPROTONOSUPPORT];
    SYS_connect Shape::Plain => &[EACCES, EAGAIN, ECONNREFUSED, EINTR, ENOENT, EPERM, EPROTOTYPE];
    SYS_sendto Shape::Plain => &[EACCES, EAGAIN, ECONNREFUSED, ECONNRESET, EINTR, EMSGSIZE, ENOBUFS, ENOENT, ENOMEM, ENOTCONN, EPERM, EPIPE, EPROTOTYPE];
    SYS_sendmsg Shape::Plain => &[EACCES, EAGAIN, ENOBUFS, ENOMEM, EPIPE];
    SYS_setsockopt Shape::Plain => &[EINVAL, ENOPROTOOPT];
    SYS_bind Shape::Plain => &[EACCES, EADDRINUSE, EINVAL, ENOMEM];
    // Processes
    SYS_fork Shape::Plain => &[EAGAIN, ENOMEM, ENOSYS];
    SYS_vfork Shape::Plain => &[EAGAIN, ENOMEM];
    SYS_clone Shape::Plain => &[EAGAIN, ENOMEM, ENOSPC, EPERM, EINVAL, EUSERS];
    SYS_clone3 Shape::Plain => &[EAGAIN, ENOMEM, ENOSPC, EPERM, ENOSYS];
    SYS_execve Shape::Path(0) => &[E2BIG, EACCES, EAGAIN, EINVAL, EIO, EISDIR, ELIBBAD, ELOOP, EMFILE, ENAMETOOLONG, ENFILE, ENOENT, ENOEXEC, ENOMEM, ENOTDIR, EPERM, ETXTBSY];
    SYS_wait4 Shape::Plain => &[ECHILD, EINTR, EINVAL];
    SYS_waitid Shape::Plain => &[ECHILD, EINTR, EINVAL];
    SYS_kill Shape::Target => &[EINVAL, EPERM, ESRCH];
    SYS_tgkill Shape::Plain => &[EAGAIN, EINVAL, EPERM, ESRCH];
    SYS_setsid Shape::Plain => &[EPERM];
    SYS_setpgid Shape::Plain => &[EACCES, EINVAL, EPERM, ESRCH];
    SYS_getpgid Shape::Plain => &[ESRCH, EPERM];
    SYS_getsid Shape::Plain => &[ESRCH, EPERM];
    SYS_prctl Shape::Number(0) => &[EINVAL, EPERM, EACCES];
    SYS_prlimit64 Shape::Number(1) => &[EINVAL, EPERM, ESRCH];
    SYS_getrlimit Shape::Plain => &[EINVAL];
    SYS_setrlimit Shape::Plain => &[EINVAL, EPERM];
    SYS_getrusage Shape::Plain => &[EINVAL];
    SYS_rt_sigaction Shape::Plain => &[EINVAL];
    SYS_rt_sigprocmask Shape::Number(0) => &[EINVAL];
    SYS_rt_sigtimedwait Shape::Plain => &[EAGAIN, EINTR, EINVAL];
    SYS_sigaltstack Shape::Plain => &[ENOMEM, EPERM, EINVAL];
    SYS_sched_getaffinity Shape::Plain => &[EINVAL, EPERM, ESRCH];
    SYS_sched_setscheduler Shape::Plain => &[EINVAL, EPERM, ESRCH];
    SYS_reboot Shape::Number(2) => &[EINVAL, EPERM];
    SYS_uname Shape::Plain => &[EPERM];
    SYS_sethostname Shape::Plain => &[EINVAL, EPERM];
    SYS_clock_gettime Shape::Number(0) => &[EINVAL, EPERM, ENOSYS];
    SYS_clock_nanosleep Shape::Plain => &[EINTR, EINVAL];
    SYS_nanosleep Shape::Plain => &[EINTR, EINVAL];
    SYS_getrandom Shape::Plain => &[EAGAIN, EINTR, EINVAL, ENOSYS];
    SYS_mount Shape::Path(1) => &[EACCES, EBUSY, EINVAL, EPERM, ENODEV, ENOENT];
    SYS_umount2 Shape::Path(0) => &[EBUSY, EINVAL, EPERM];
    // Memory
    SYS_mmap Shape::Plain => MEMORY;
    SYS_mremap Shape::Plain => MEMORY;
    SYS_brk Shape::Plain => &[ENOMEM];
    SYS_munmap Shape::Plain => &[EINVAL, ENOMEM];
    SYS_mprotect Shape::Plain => &[EACCES, EINVAL, ENOMEM];
    SYS_madvise Shape::Plain => &[EAGAIN, EINVAL, EIO, ENOMEM];
    // These cannot fail.
    SYS_getpid Shape::Plain => &[];
    SYS_getppid Shape::Plain => &[];
    SYS_gettid Shape::Plain => &[];
    SYS_getpgrp Shape::Plain => &[];
    SYS_getuid Shape::Plain => &[];
    SYS_geteuid Shape::Plain => &[];
    SYS_getgid Shape::Plain => &[];
    SYS_getegid Shape::Plain => &[];
    SYS_umask Shape::Plain => &[];
    SYS_alarm Shape::Plain => &[];
    SYS_rt_sigreturn Shape::Plain => &[];
    SYS_restart_syscall Shape::Plain => &[];
    SYS_exit Shape::Plain => &[];
    SYS_exit_group Shape::Plain => &[];
    SYS_set_tid_address Shape::Plain => &[];
    SYS_arch_prctl Shape::Plain => &[];
    SYS_set_robust_list Shape::Plain => &[];
    SYS_rseq Shape::Plain => &[];
    SYS_futex Shape::Plain => &[];
}

/// The call with this number.
pub(crate) fn call(number: i64) -> Option<&'static Call> {
    CALLS.iter().find(|call| call.number == number)
}

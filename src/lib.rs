//! sysvinit-rs: a SysV-compatible init system for Linux.
//!
//! Two programs live in this library: `init`, which is PID 1 and its client `telinit`, and `sysvtools`, which is
//! every other tool by the name it is run as. `doc/architecture.md` tells the whole story with a drawing; in short:
//!
//! 1. The kernel starts `/sbin/init`; `cmd::init` reads the kernel's words, makes signals an input, and closes
//!    the standard descriptors.
//! 2. [`inittab`] turns `/etc/inittab` into a table and diagnostics.
//! 3. [`supervisor`] is told `Booted` and answers with effects: start the sysinit entries, which run the scripts
//!    of `/etc/rcS.d`. `sys::child` forks and executes.
//! 4. A child's end is the next event. boot and bootwait entries follow, then the runlevel that the kernel's word or
//!    initdefault names: accounting records ([`utmp`]), `rc` for the level's scripts, then the gettys.
//! 5. `telinit` and `shutdown` write requests ([`initctl`]) into a FIFO; the supervisor answers with TERM, a
//!    deadline, KILL, and the start of what the new level asks for.
//! 6. [`snapshot`] is the whole state as text: for `telinit u`, and for everybody in `/run/init.state`.
//!
//! Three rings: the public modules are pure and decide; `cmd` orchestrates; `sys` talks to the kernel. The public
//! modules are reachable from outside for fuzzing and benchmarks and are no stable interface.

pub mod bootlog;
pub mod columns;
pub mod container;
pub mod defaults;
pub mod fstab;
pub mod initctl;
pub mod inittab;
pub mod journal;
pub mod json;
pub mod paths;
pub mod printable;
pub mod process;
pub mod procs;
pub mod rcdir;
pub mod record;
pub mod rescue;
pub mod runlevel;
pub mod schedule;
pub mod services;
pub mod snapshot;
pub mod supervisor;
pub mod uptime;
pub mod utmp;

/// The release of the C sysvinit whose behaviour this package follows; `INIT_VERSION` and `init --version` name it,
/// because scripts compare it.
pub const COMPATIBLE_VERSION: &str = "3.14";

mod cmd;
mod sys;

pub use cmd::{bootlogd_main, init_main, sysvtools_main};

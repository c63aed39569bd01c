//! sysvinit-rs: a SysV-compatible init system for Linux.
//!
//! Three rings: pure modules decide, `cmd` orchestrates, `sys` talks to the kernel. See `doc/architecture.md`.

pub mod initctl;
pub mod inittab;
pub mod paths;
pub mod process;
pub mod runlevel;
pub mod snapshot;
pub mod supervisor;
pub mod uptime;
pub mod utmp;

/// The release of the C sysvinit whose behaviour this package follows; `INIT_VERSION` and `init --version` name it,
/// because scripts compare it.
pub const COMPATIBLE_VERSION: &str = "3.14";

mod cmd;
mod sys;

pub use cmd::{init_main, sysvtools_main};

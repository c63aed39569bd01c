//! sysvinit-rs: a SysV-compatible init system for Linux.
//!
//! Three rings: pure modules decide, `cmd` orchestrates, `sys` talks to the kernel. See `doc/architecture.md`.

pub mod initctl;
pub mod inittab;
pub mod paths;
pub mod process;
pub mod runlevel;
pub mod uptime;
pub mod utmp;

mod cmd;
mod sys;

pub use cmd::{init_main, sysvtools_main};

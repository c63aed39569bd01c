//! The kernel, and nothing else: every system call, file, clock, process and terminal.
//!
//! Ring `sys`: one short safe function for each thing asked of the kernel; the only place where `unsafe` is
//! allowed. Makes no decision: no retry policy, no rate limit, no default path. Every descriptor opened here
//! is close-on-exec.
#![allow(
    unsafe_code,
    clippy::allow_attributes,
    reason = "system calls that nix does not wrap"
)]

pub(crate) mod appending;
pub(crate) mod background;
mod bare;
pub(crate) mod bounded;
pub(crate) mod calendar;
pub(crate) mod capture;
pub(crate) mod child;
pub(crate) mod clock;
pub(crate) mod command;
pub(crate) mod console;
pub(crate) mod container_output;
pub(crate) mod crash;
pub(crate) mod disks;
pub(crate) mod exec;
pub(crate) mod execution;
pub(crate) mod fd;
pub(crate) mod fifo;
pub(crate) mod files;
pub(crate) mod guard;
pub(crate) mod handover;
pub(crate) mod identity;
pub(crate) mod interfaces;
pub(crate) mod interrupt;
pub(crate) mod journal_file;
mod journal_tail;
pub(crate) mod keyboard;
pub(crate) mod kmsg;
mod launch;
#[cfg(not(test))]
mod main_stack;
pub(crate) mod memory;
pub(crate) mod namespace;
pub(crate) mod output;
pub(crate) mod output_terminal;
pub(crate) mod pid_file;
pub(crate) mod poll;
pub(crate) mod print;
pub(crate) mod proc;
pub(crate) mod process;
#[cfg(feature = "crash-test")]
pub(crate) mod provoked;
pub(crate) mod reboot;
pub(crate) mod redirect;
pub(crate) mod relay;
pub(crate) mod reports;
pub(crate) mod request;
pub(crate) mod script;
mod shared_page;
mod sharing;
pub(crate) mod signal;
pub(crate) mod signalling;
mod standard;
pub(crate) mod syslog;
pub(crate) mod terminals;
pub(crate) mod title;
pub(crate) mod unmount;
mod untouched;
pub(crate) mod usage;
pub(crate) mod utmp;

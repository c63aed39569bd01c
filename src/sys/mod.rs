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

pub(crate) mod disks;
pub(crate) mod exec;
pub(crate) mod identity;
pub(crate) mod interfaces;
pub(crate) mod marker;
pub(crate) mod print;
pub(crate) mod reboot;
pub(crate) mod request;
#[allow(dead_code, reason = "PID 1 and runlevel are its users, and come next")]
pub(crate) mod utmp;

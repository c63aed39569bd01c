//! Whole systems on a real kernel, under QEMU in software emulation: our small system, and a real Debian on a disk
//! whose own init and tools are replaced by ours.
//!
//! With `INIT_UNDER_TEST=original` the Debian cases run against Debian's untouched init. Everything they need is made by
//! `make testbed`.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails loudly"
)]

#[path = "../support/qemu.rs"]
mod qemu;

mod bootlogd;
mod clock;
mod crashes;
mod debian;
mod keys;
mod obstacles;
mod rc_layer;
mod scripts;
mod small;
mod suspend;

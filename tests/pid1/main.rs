//! An init as PID 1 of fresh namespaces, driven and watched from outside.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    reason = "a test fails loudly"
)]

#[path = "../support/mod.rs"]
mod support;

mod boot;
mod children;
mod clients;
mod crashes;
mod crowds;
mod down;
mod entries;
mod events;
mod fifo;
mod hostile;
mod levels;
mod memory;
mod outputs;
mod rc;
mod record;
mod reexec;
mod replaced;
mod signals;
mod surroundings;
mod tables;
mod terminal;
mod walk;

//! Our init as the first process of containers, as runc and crun make them by their own default settings: a root that is
//! read-only, no `CAP_SYS_BOOT`, no `/dev/console`, no `/run` of its own.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    clippy::string_slice,
    reason = "a test fails loudly"
)]

#[path = "../support/mod.rs"]
mod support;

mod bundle;
mod command;
mod crashes;
mod image;
mod system;

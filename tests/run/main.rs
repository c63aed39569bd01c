//! The small system as `make run` starts it, used as a person would, and what `make install` puts where.
//!
//! Needs root. What the machines are made of is built first where it is not there yet.

#![allow(
    clippy::allow_attributes,
    clippy::disallowed_methods,
    clippy::expect_used,
    clippy::format_push_string,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::string_slice,
    clippy::unwrap_used,
    reason = "a test fails loudly"
)]

mod install;
mod machine;
mod session;
mod tutorial;

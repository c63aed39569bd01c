//! service(8), invoke-rc.d(8), chkconfig(8) and rc(8): every case is played with Debian's program, where it has one, and
//! with ours, in roots that are alike, and what they say, how they end and what the scripts have seen is compared.
//! Differences on purpose are asserted on both sides.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

#[path = "../support/mod.rs"]
mod support;

mod bench;
mod invoke_rcd;
mod lsb;
mod rc;
mod service;

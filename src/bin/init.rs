//! PID 1, and the client when it is run as any other process.
use std::process::ExitCode;

fn main() -> ExitCode {
    sysvinit::init_main()
}

/// Decides how `make` links this (link/cc), so that another order makes it be linked anew.
const _: &str = include_str!("../../link/order");

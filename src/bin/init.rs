//! PID 1, and the client when it is run as any other process.
use std::process::ExitCode;

fn main() -> ExitCode {
    sysvinit::init_main()
}

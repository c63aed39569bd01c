//! The multi-call binary: every tool beside init, chosen by the name it is run as.
use std::process::ExitCode;

fn main() -> ExitCode {
    sysvinit::sysvtools_main()
}

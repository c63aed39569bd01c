//! The recorder of the console, in a file of its own: scripts tell it from other tools by its file.
use std::process::ExitCode;

fn main() -> ExitCode {
    sysvinit::bootlogd_main()
}

//! PID 1 of a real kernel fails a hundred times, of itself, in every way there is.
//!
//! Three crashes within a minute would leave the minimal init, so they are half a minute apart; QEMU's clock runs ahead
//! while the machine has nothing to do, so that this takes no time.

use crate::qemu::{BOOT, COMMAND, Hardware, Machine, testbed};
use std::path::Path;
use std::process::Command;

/// How a crash is had: `crash WAY` returns when init has crashed, and the image after it has told so.
const CRASH: &str = "crash() { rm -f /run/initlog/crash; echo \"$1 Signalled(Signal(14))\" >/run/crash-now.new; \
    mv /run/crash-now.new /run/crash-now; kill -ALRM 1; \
    until [ ! -e /run/crash-now ] && [ -e /run/initlog/crash ]; do usleep 20000; done; }";

/// The initramfs with an init that crashes on demand.
fn crashing_system() -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new_in(testbed()).unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/crashing-initramfs");
    let output = Command::new(script)
        .arg(testbed().join("initramfs.gz"))
        .arg(file.path())
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{said}");
    file
}

#[test]
fn a_hundred_crashes_on_a_real_kernel_change_nothing() {
    let system = crashing_system();
    let mut machine = Machine::start(&Hardware {
        initramfs: Some(system.path()),
        more: &["-icount", "shift=1,sleep=off"],
        ..Hardware::default()
    });
    machine.log_in(None);
    let shell = machine.answer("echo $$");
    let crond = machine.answer("pidof crond");
    machine.must_exit(CRASH, 0);
    for way in ["panic", "segv", "abort", "ill", "overflow"] {
        for _ in 0..4 {
            let five = format!("for n in 1 2 3 4 5; do crash {way}; sleep 31; done");
            machine.must_exit(&five, 0);
            machine.must_answer("/sbin/runlevel", "N 3");
        }
        machine.must_answer("pidof crond", &crond);
        machine.must_have_no_zombie();
    }
    machine.must_not_have_said("only the gettys are kept");
    machine.must_not_have_said("given up");

    // It still does what it is for.
    machine.must_exit("telinit 4", 0);
    machine.wait_until("[ \"$(/sbin/runlevel)\" = '3 4' ]");
    machine.wait_until("! pidof rc >/dev/null");
    machine.must_answer("echo $$", &shell);
    machine.must_answer("pidof crond", &crond);
    machine.type_line("/sbin/poweroff");
    machine.wait_for("reboot: Power down", BOOT);
    machine.wait_for_end(COMMAND);
}

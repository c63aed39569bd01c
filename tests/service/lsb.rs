//! `/lib/lsb/init-functions`: the same calls with Debian's file and with ours, in dash and in BusyBox.

use std::path::Path;
use std::process::Command;

use crate::bench::functions_of_debian;

/// Calls that start and signal nothing.
const CALLS: &str = r#"
. "$1"; cd "$2"; TERM=dumb
r() { "$@"; echo "=$?"; }
r log_success_msg ok it; r log_failure_msg bad; r log_warning_msg hm; r log_begin_msg Doing
r log_end_msg 0; r log_end_msg 1; r log_end_msg 255; r log_end_msg
r log_daemon_msg "Starting X" xd; r log_progress_msg part; r log_end_msg 0
r log_daemon_msg Only; r log_end_msg 3; r log_daemon_msg
r log_action_msg A; r log_action_begin_msg B; r log_action_cont_msg C
r log_action_end_msg 0; r log_action_end_msg 1; r log_action_end_msg 0 why; r log_action_end_msg 1 why
r pidofproc -p "$2/none" x; r pidofproc nosuchprogram
for pid in 4194304 1 junk ""; do
    echo "$pid" >pid; r pidofproc -p "$2/pid" x; r status_of_proc -p "$2/pid" /bin/x x
done
r status_of_proc /bin/nosuchprogram x; r killproc -p "$2/none" /bin/nosuchprogram HUP
r get_lsb_header_val "$3" Provides; r get_lsb_header_val "$3" Nothing
r init_is_upstart; r log_use_fancy_output
for kind in daemon begin end action action_begin action_end; do
    for when in pre post; do eval "log_${kind}_msg_$when() { echo \"<$kind $when \$*>\"; }"; done
done
r log_daemon_msg X x; r log_begin_msg B b; r log_end_msg 0; r log_end_msg 3; r log_action_msg A a
r log_action_begin_msg A a; r log_action_end_msg 1 why; r log_daemon_msg; r log_end_msg
for file in "${1%/*}"/init-functions.d/*; do [ ! -r "$file" ] || . "$file"; done
for VERBOSE in no yes ''; do
    r vlog_daemon_msg X x; r vlog_begin_msg B; r vlog_end_msg 0; r vlog_end_msg 3; r vlog_end_msg
    r vlog_action_msg A; r vlog_action_begin_msg A; r vlog_action_end_msg 0; r vlog_action_end_msg 1 why
done
"#;

fn said(shell: &[&str], functions: &Path) -> String {
    let folder = tempfile::tempdir().unwrap();
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("init.d/crond");
    let output = Command::new(shell[0])
        .args(&shell[1..])
        .args(["-c", CALLS, "calls"])
        .args([functions, folder.path(), &script])
        .output()
        .unwrap();
    let text = [output.stdout, output.stderr].concat();
    String::from_utf8_lossy(&text).into_owned()
}

#[test]
fn every_shell_and_debians_file_say_the_same() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("lib/lsb/init-functions");
    let debians = said(&["dash"], &functions_of_debian());
    assert!(debians.contains("x is running."), "{debians}");
    for shell in [&["dash"][..], &["busybox", "sh"]] {
        assert_eq!(said(shell, &ours), debians, "{shell:?}");
    }
}

#[test]
fn a_daemon_is_started_once_and_ended() {
    let ours = Path::new(env!("CARGO_MANIFEST_DIR")).join("lib/lsb/init-functions");
    let folder = tempfile::tempdir().unwrap();
    let calls = r#"
        . "$1"; cp /bin/sleep "$2/napd"; napd=$2/napd
        printf '#!/bin/sh\n"%s" 1000 >/dev/null 2>&1 & echo $! >"%s"\n' "$napd" "$2/pid" >"$2/daemon"; chmod 755 "$2/daemon"
        start_daemon -p "$2/pid" "$2/daemon"; echo $?; first=$(cat "$2/pid")
        start_daemon -p "$2/pid" "$2/daemon"; echo $?; [ "$first" = "$(cat "$2/pid")" ] && echo once
        killproc -p "$2/pid" "$napd"; echo $?; pidofproc -p "$2/pid" "$napd"; echo $?
        [ -e "$2/pid" ] || echo removed; kill -0 "$first" 2>/dev/null || echo ended
        start_daemon "$2/nothing"; echo $?"#;
    for shell in [&["dash"][..], &["busybox", "sh"]] {
        let output = Command::new(shell[0])
            .args(&shell[1..])
            .args(["-c", calls, "calls"])
            .args([&ours, folder.path()])
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text, "0\n0\nonce\n0\n3\nremoved\nended\n5\n", "{shell:?}");
    }
}

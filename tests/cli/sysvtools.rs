//! The multi-call binary itself.

use crate::room::{Room, Subject};

#[test]
fn a_tool_is_found_by_its_link_and_by_its_name() {
    if Subject::chosen() == Subject::Original {
        return;
    }
    let room = Room::new();
    room.write("run/runlevel", "3");
    let outcome = room.run(
        "busybox ln -s sysvtools /sbin/rnlvl
        /sbin/sysvtools runlevel; /sbin/runlevel; /sbin/sysvtools /sbin/runlevel
        /sbin/sysvtools; echo $?; /sbin/rnlvl; echo $?; /sbin/sysvtools rnlvl; echo $?
        /sbin/sysvtools --version",
    );
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        outcome.output,
        format!("N 3\nN 3\nN 3\n1\n1\n1\nsysvtools (sysvinit-rs) {version}\n")
    );
    let lines: Vec<&str> = outcome.errors.lines().collect();
    assert_eq!(lines.len(), 3);
    assert!(
        lines
            .iter()
            .all(|line| line.contains(" halt ") && line.contains("shutdown"))
    );
    assert!(lines[1].starts_with("rnlvl: "), "{}", lines[1]);
}

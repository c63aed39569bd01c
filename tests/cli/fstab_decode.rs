//! fstab-decode(8): what it decodes, and what it returns.

use crate::room::Room;

#[test]
fn arguments_are_decoded_and_the_command_is_not() {
    let room = Room::new();
    let outcome = room.run(
        r"PATH=/bin /sbin/fstab-decode busybox printf '[%s]' 'a\040b' 'c\011d' 'e\012f' '\\' '\134' '\041' '\'
        echo; /sbin/fstab-decode '/bin/busy\142ox' true; echo $?
        /sbin/fstab-decode /bin/sh -c 'exit 7'; echo $?
        /sbin/fstab-decode /nowhere; echo $?
        /sbin/fstab-decode /tmp; echo $?
        /sbin/fstab-decode; echo $?",
    );
    assert_eq!(
        outcome.output,
        "[a b][c\td][e\nf][\\][\\][\\041][\\]\n127\n7\n127\n127\n1\n"
    );
    let errors: Vec<&str> = outcome.errors.lines().collect();
    assert_eq!(
        errors,
        [
            r"fstab-decode: /bin/busy\142ox: No such file or directory",
            "fstab-decode: /nowhere: No such file or directory",
            "fstab-decode: /tmp: Permission denied",
            "Usage: fstab-decode command [arguments]",
        ]
    );
}

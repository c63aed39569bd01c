//! `init --check`: what it prints and how it exits.

use crate::room::{Room, Subject};

const SOUND: &str = "id:3:initdefault:\n1:3:respawn:/bin/sh\n";

#[test]
fn the_exit_code_tells_how_bad_it_is() {
    if Subject::chosen() == Subject::Original {
        // It has no such option, and would take the words for a runlevel.
        return;
    }
    let room = Room::new();
    room.write("etc/inittab", SOUND);
    room.write("etc/warning", "id:3:initdefault:\n1:3y:respawn:/bin/sh\n");
    room.write("etc/error", "id:3:initdefault:\n1:3:respawn:/bin/nosuch\n");
    let outcome = room.run(
        "/sbin/init --check; echo $?
        /sbin/init --check /etc/warning; echo $?
        /sbin/init --check /etc/error; echo $?
        /sbin/init --check /etc/nosuch; echo $?
        /sbin/init --check --colour; echo $?",
    );
    assert_eq!(
        outcome.output,
        "0
/etc/warning:2:4: warning: 'y' names no runlevel; the rest of the field counts
    1:3y:respawn:/bin/sh
       ^
1
/etc/error:2:13: error: /bin/nosuch does not exist
    1:3:respawn:/bin/nosuch
                ^
2
2
2
"
    );
}

#[test]
fn files_of_the_directory_beside_it_are_read_too() {
    if Subject::chosen() == Subject::Original {
        // It has no such option, and would take the words for a runlevel.
        return;
    }
    let room = Room::new();
    room.write("etc/inittab", SOUND);
    room.write("etc/inittab.d/b.tab", "x:3:wat:/bin/sh\n");
    room.write("etc/inittab.d/README", "this is not read\n");
    let outcome = room.run("/sbin/init --check --json");
    assert_eq!(
        outcome.output,
        "[\n  {\"file\": \"/etc/inittab.d/b.tab\", \"line\": 1, \"column\": 5, \"severity\": \"error\", \
         \"text\": \"wat: unknown action field; line ignored\"}\n]\n"
    );
    assert_eq!(outcome.code, Some(2));
}

//! The terminal that all other cases stand on.

use crate::support::pty::Pty;
use std::process::Command;
use std::time::Duration;

const LIMIT: Duration = Duration::from_secs(10);

fn shell(script: &str) -> Command {
    let mut command = Command::new("sh");
    command.arg("-c").arg(script);
    command
}

#[test]
fn program_leads_a_session_and_owns_the_terminal() {
    let mut pty = Pty::open();
    let mut child = pty.spawn(&shell("tty; ps -o sid= -o pid= -o tpgid= -p $$; echo over"));
    let words = pty.wait_for("over", LIMIT);
    let name = pty.path().display().to_string();
    assert!(words.contains(&name), "{words}");
    let leader = child.id().to_string();
    assert_eq!(words.matches(&leader).count(), 3, "{words}");
    assert!(child.wait().unwrap().success());
}

#[test]
fn what_is_typed_arrives_and_each_wait_goes_on_where_the_last_ended() {
    let mut pty = Pty::open();
    let mut child = pty.spawn(&shell("read a; echo \"<$a>\"; read b; echo \"<$b>\""));
    pty.send("one\n");
    pty.wait_for("<one>", LIMIT);
    pty.send("two\n");
    let words = pty.wait_for("<two>", LIMIT);
    assert!(!words.contains("<one>"), "{words}");
    assert!(child.wait().unwrap().success());
    assert!(pty.wait_for_end(LIMIT).contains("<one>"));
}

#[test]
fn hanging_up_ends_the_program() {
    let mut pty = Pty::open();
    let mut child = pty.spawn(&shell("echo ready; read a"));
    pty.wait_for("ready", LIMIT);
    pty.hang_up();
    assert!(!child.wait().unwrap().success());
}

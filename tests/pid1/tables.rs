//! Inittabs that are broken: what is said about them, and that there is still a way in.

use crate::support::namespace::{Machine, Plan};
use crate::support::root::ours;

const GOOD: &str = "id:3:initdefault:\ngood:3:respawn:/bin/sleep 1000\n";

/// The words on the console about a line: ours with file, line and column, the original's in its own form.
fn said(machine: &Machine, line: usize, column: usize, text: &str) {
    let place = if ours() {
        format!("INIT: /etc/inittab:{line}:{column}: {text}")
    } else {
        format!("INIT: /etc/inittab[{line}]: {text}")
    };
    machine.until_true(&format!("the console says {place:?}"), || {
        machine.transcript().contains(&place)
    });
}

/// Bytes as random as can be, and the same each time.
fn noise(length: usize) -> Vec<u8> {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    std::iter::repeat_with(|| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        state.to_le_bytes()[3]
    })
    .take(length)
    .collect()
}

#[test]
fn good_lines_among_random_bytes_count() {
    let mut table = noise(3000);
    table.push(b'\n');
    table.extend(GOOD.as_bytes());
    table.extend(noise(3000));
    table.extend(b"\nmore:3:respawn:/bin/sleep 1001\n");
    let machine = Plan::without_inittab().file("/etc/inittab", table).boot();
    machine.process("/bin/sleep 1000");
    machine.process("/bin/sleep 1001");
    said_something(&machine);
}

fn said_something(machine: &Machine) {
    let form = if ours() {
        "INIT: /etc/inittab:1:"
    } else {
        "INIT: /etc/inittab[1]: "
    };
    machine.wait_console(form);
}

#[test]
fn random_bytes_alone_still_give_a_way_in() {
    let machine = Plan::without_inittab()
        .file("/etc/inittab", noise(5000))
        .script("/sbin/sulogin", "note sulogin; read answer")
        .boot();
    machine.wait_console("Enter runlevel: ");
    machine.type_line("S");
    machine.wait_log("sulogin");
}

#[test]
fn missing_inittab_is_said_and_gives_a_way_in() {
    let machine = Plan::without_inittab()
        .script("/sbin/sulogin", "note sulogin; read answer")
        .boot();
    // The original throws the message away again when it sets the console for the question.
    if ours() {
        machine.wait_console("INIT: No inittab file found");
    }
    machine.wait_console("Enter runlevel: ");
    machine.type_line("S");
    machine.wait_log("sulogin");
}

#[test]
fn last_line_without_newline_counts() {
    let machine = Plan::new("id:3:initdefault:\nlast:3:respawn:/bin/sleep 1000").boot();
    machine.process("/bin/sleep 1000");
}

#[test]
fn table_with_carriage_returns_works_and_is_said_to_have_them() {
    let machine =
        Plan::new("id:3:initdefault:\r\na:3:wait:/bin/args x\r\nb:3:respawn:/bin/sleep 1000\r\n")
            .script("/bin/args", "printf %s \"$1\" >/out/args; note ready")
            .boot();
    machine.wait_log("ready");
    // The original hands the CR on to the command.
    assert_eq!(machine.read("/out/args"), if ours() { "x" } else { "x\r" });
    if ours() {
        machine.process("/bin/sleep 1000");
        said(&machine, 1, 18, "carriage return before the end of line");
    }
}

#[test]
fn first_of_two_lines_with_one_id_counts() {
    let machine = Plan::new(&format!("{GOOD}aa:3:respawn:/bin/sleep 1001\naa:3:respawn:/bin/sleep 1002\nzz:3:respawn:/bin/sleep 1003\n")).boot();
    machine.process("/bin/sleep 1001");
    machine.process("/bin/sleep 1003");
    assert!(machine.find_process("/bin/sleep 1002").is_none());
    said(&machine, 4, 1, "duplicate ID field \"aa\"");
}

#[test]
fn unknown_action_is_named_and_the_lines_around_it_count() {
    let machine = Plan::new(&format!(
        "{GOOD}aa:3:respwan:/bin/sleep 1001\nzz:3:respawn:/bin/sleep 1003\n"
    ))
    .boot();
    machine.process("/bin/sleep 1000");
    machine.process("/bin/sleep 1003");
    said(&machine, 3, 6, "respwan: unknown action field");
}

#[test]
fn line_with_too_few_fields_is_named() {
    let machine = Plan::new(&format!(
        "{GOOD}# fine\naa:3:respawn\nlonger:3:respawn:/bin/true\n"
    ))
    .boot();
    machine.process("/bin/sleep 1000");
    said(&machine, 4, 13, "missing process field");
    said(&machine, 5, 1, "id field too long (max 4 characters)");
}

#[test]
fn command_of_ten_thousand_characters_is_run_whole() {
    let word = "x".repeat(9_985);
    let machine = Plan::new(&format!(
        "{GOOD}long:3:once:/bin/length {word}\nend:3:respawn:/bin/sleep 1001\n"
    ))
    .script("/bin/length", "note ${#1}")
    .boot();
    machine.process("/bin/sleep 1000");
    machine.process("/bin/sleep 1001");
    // The original cuts such a line to pieces and complains about each.
    if ours() {
        machine.wait_log("9985");
    } else {
        machine.wait_console("INIT: /etc/inittab[");
        assert_eq!(machine.log(), Vec::<String>::new());
    }
}

#[test]
fn good_table_replaced_by_a_broken_one_and_back_again_keeps_init_usable() {
    let machine = Plan::new(&format!("{GOOD}r4:4:respawn:/bin/sleep 1004\n")).boot();
    machine.process("/bin/sleep 1000");
    machine.write("/etc/inittab", noise(2000));
    machine.command("telinit q");
    said_something(&machine);
    machine.write(
        "/etc/inittab",
        format!("{GOOD}r4:4:respawn:/bin/sleep 1004\n"),
    );
    machine.command("telinit q");
    machine.process("/bin/sleep 1000");
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

#[test]
fn single_user_mode_without_sulogin_gives_a_shell() {
    if !ours() {
        // The original goes on to the default level, whatever was asked for.
        let machine = Plan::new(GOOD).word("single").boot();
        machine.wait_console("INIT: cannot execute \"/sbin/sulogin\"");
        machine.process("/bin/sleep 1000");
        return;
    }
    let machine = Plan::new(GOOD).word("single").boot();
    machine.wait_console("/sbin/sulogin");
    machine.until_true("the shell answers", || {
        machine.type_line("note shell $((40 + 2))");
        machine.log().iter().any(|line| line == "shell 42")
    });
}

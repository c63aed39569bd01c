//! Ten thousand of everything.

use crate::support::namespace::Plan;
use crate::support::root::ours;
use crate::support::wait_until;
use std::fmt::Write;
use std::time::Duration;

/// For what takes real work, on a machine that does other work too.
const LONG: Duration = Duration::from_secs(150);

#[test]
fn ten_thousand_wait_entries_run_one_after_another_without_a_stall() {
    // A signal that comes as the original goes to sleep costs it five seconds each time: a few entries will do there.
    let count = if ours() { 10_000 } else { 50 };
    let mut table = String::from("id:3:initdefault:\n");
    for number in 0..count {
        // Without accounting: utmp with ten thousand slots, searched for each record, would take all the time.
        writeln!(table, "{number:x}:3:wait:+/bin/note {number}").unwrap();
    }
    table.push_str("zend:3:respawn:/bin/sleep 1000\n");
    let machine = Plan::new(&table).boot();
    wait_until(
        "the last entry runs",
        LONG,
        || machine.find_process("/bin/sleep 1000"),
        || machine.transcript(),
    );
    let expected: Vec<String> = (0..count).map(|number| number.to_string()).collect();
    assert!(
        machine.log() == expected,
        "{} of {count} ran, or not in order",
        machine.log().len()
    );
    assert_eq!(machine.children().len(), 1);
}

#[test]
fn ten_thousand_orphans_leave_no_zombie_and_hold_up_no_request() {
    let count = if ours() { 10_000 } else { 1_000 };
    let machine = Plan::new("id:3:initdefault:\no3:3:once:/bin/orphans\nr4:4:respawn:/bin/sleep 1004\n")
        .script(
            "/bin/orphans",
            &format!("i=0; while [ $i -lt {count} ]; do ( : & ); i=$((i+1)); done; note done; exec /bin/sleep 1000"),
        )
        .boot();
    wait_until(
        "all have been made",
        LONG,
        || machine.find_process("/bin/sleep 1000"),
        || machine.transcript(),
    );
    // The last of them may still be on its way out.
    machine.until_true("only the entry's process is left", || {
        machine.children().len() == 1
    });
    assert!(machine.zombies().is_empty());
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

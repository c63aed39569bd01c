//! The control channel: lost, replaced, closed, and full of rubbish.

use crate::support::Deadline;
use crate::support::accounting::{SET_ENVIRONMENT, change_to, request};
use crate::support::namespace::{Machine, Plan};
use crate::support::root::ours;
use crate::support::tracing;
use nix::fcntl::{AT_FDCWD, RenameFlags, renameat2};
use nix::sys::ptrace::{self, Options};
use nix::sys::signal::Signal::{SIGCONT, SIGHUP, SIGTSTP, SIGUSR1, SIGUSR2};
use nix::sys::wait::WaitStatus;
use std::fs;
use std::hint::spin_loop;
use std::os::unix::fs::{FileTypeExt, PermissionsExt};
use std::sync::mpsc;
use std::time::Duration;

const LEVELS: &str =
    "id:3:initdefault:\nr3:3:respawn:/bin/sleep 1003\nr4:4:respawn:/bin/sleep 1004\n";

fn in_level_three() -> Machine {
    let machine = Plan::new(LEVELS).boot();
    machine.process("/bin/sleep 1003");
    machine.until_true("init listens", || machine.try_ask(&[]));
    machine
}

#[test]
fn fifo_is_made_for_root_alone() {
    let machine = in_level_three();
    let fifo = fs::symlink_metadata(machine.at("/run/initctl")).unwrap();
    assert!(fifo.file_type().is_fifo());
    assert_eq!(fifo.permissions().mode() & 0o777, 0o600);
}

#[test]
fn fifo_is_there_before_anybody_can_ask_for_something() {
    if !ours() {
        // The original starts the first entries, and looks then.
        return;
    }
    let (tell, told) = mpsc::channel();
    let look = move |status| match status {
        WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_EXEC) => {
            let options = Options::PTRACE_O_TRACEEXEC
                | Options::PTRACE_O_TRACEFORK
                | Options::PTRACE_O_TRACEVFORK
                | Options::PTRACE_O_TRACECLONE;
            ptrace::setoptions(pid, options).unwrap();
            ptrace::cont(pid, None).unwrap();
        }
        // The child.
        WaitStatus::PtraceEvent(pid, _, libc::PTRACE_EVENT_STOP) => {
            ptrace::detach(pid, None).unwrap();
        }
        // It has one.
        WaitStatus::PtraceEvent(pid, ..) => {
            let path = format!("/proc/{pid}/root/run/initctl");
            tell.send(fs::exists(path).unwrap()).unwrap();
            ptrace::detach(pid, None).unwrap();
        }
        WaitStatus::Stopped(pid, signal) => ptrace::cont(pid, signal).unwrap(),
        other => panic!("{other:?}"),
    };
    let mut tracer = None;
    let machine = Plan::new(LEVELS).boot_held(|setup| tracer = Some(tracing::follow(setup, look)));
    machine.process("/bin/sleep 1003");
    assert_eq!(told.recv(), Ok(true));
    tracer.unwrap().join().unwrap();
}

#[test]
fn removed_fifo_is_made_again() {
    let machine = in_level_three();
    fs::remove_file(machine.at("/run/initctl")).unwrap();
    machine.until_true("there is a new one", || machine.try_ask(&[]));
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

/// The kernel tells of a removal before the name is gone, and init may look in between.
#[test]
fn fifo_that_is_removed_again_and_again_is_made_again_each_time() {
    if !ours() {
        // The original looks every few seconds.
        return;
    }
    let machine = in_level_three();
    let path = machine.at("/run/initctl");
    for time in 0..10_000 {
        machine.until_true("there is one to remove", || {
            (0..10_000).any(|_| path.exists())
        });
        // So that init is found at each of its steps, without a sleep, which would be too long.
        let moment = Deadline::after(Duration::from_micros(time % 200));
        while moment.left().is_some() {
            spin_loop();
        }
        fs::remove_file(&path).unwrap();
    }
    machine.until_true("init listens", || machine.try_ask(&[]));
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

/// What is in the way is named, and once it is gone there is a FIFO again.
fn recovers_from(in_the_way: &str, repair: &str, is_named: bool) {
    let machine = in_level_three();
    machine.command(in_the_way);
    // In one step: where the name is free for a moment, init makes another FIFO.
    renameat2(
        AT_FDCWD,
        &machine.at("/run/new"),
        AT_FDCWD,
        &machine.at("/run/initctl"),
        RenameFlags::RENAME_EXCHANGE,
    )
    .unwrap();
    if is_named {
        machine.wait_console("/run/initctl is not a fifo");
    }
    machine.command(repair);
    if !ours() {
        // The original sleeps until a signal comes, and takes no notice of anything else.
        machine.signal(SIGHUP);
    }
    machine.until_true("there is a new one", || machine.try_ask(&[]));
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

#[test]
fn fifo_replaced_by_a_file_comes_back_once_that_is_gone() {
    recovers_from("echo >/run/new", "rm /run/initctl", true);
}

#[test]
fn fifo_replaced_by_a_directory_comes_back_once_that_is_gone() {
    recovers_from(
        "mkdir /run/new",
        "rmdir /run/initctl",
        // The original cannot open a directory for writing, and says nothing.
        ours(),
    );
}

#[test]
fn fifo_replaced_by_another_fifo_is_taken() {
    let machine = in_level_three();
    machine.command("mkfifo /run/new && mv /run/new /run/initctl");
    machine.until_true("init listens", || machine.try_ask(&[]));
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

#[test]
fn stray_bytes_in_one_write_with_a_request_do_not_cost_it() {
    let machine = in_level_three();
    let mut bytes = vec![b'x'; 100];
    bytes.extend(change_to('4'));
    machine.ask(&bytes);
    machine.wait_console("got bogus initrequest");
    if !ours() {
        // The original takes 384 bytes at a time, and the request is lost; the next one finds the pipe empty.
        machine.until_true("the rest is read", || {
            machine
                .transcript()
                .matches("got bogus initrequest")
                .count()
                == 2
        });
        machine.ask(&change_to('4'));
    }
    machine.process("/bin/sleep 1004");
}

#[test]
fn stray_bytes_of_their_own_do_not_cost_the_request_after_them() {
    let machine = in_level_three();
    machine.ask(&[b'x'; 100]);
    machine.wait_console("got bogus initrequest");
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
}

#[test]
fn request_that_init_does_not_serve_is_named_and_costs_nothing() {
    let machine = in_level_three();
    machine.ask(&request(5, '\0', 0, &[]));
    machine.wait_console("got unimplemented initrequest.");
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
}

#[test]
fn request_with_a_number_that_has_no_name_costs_nothing() {
    let machine = in_level_three();
    machine.ask(&request(77, '\0', 0, &[]));
    // For us it is no request at all, but bytes to be skipped.
    machine.wait_console(if ours() {
        "got bogus initrequest"
    } else {
        "got unimplemented initrequest."
    });
    machine.ask(&change_to('4'));
    machine.process("/bin/sleep 1004");
}

#[test]
fn requests_written_together_are_served_in_order() {
    let machine = in_level_three();
    let mut bytes = request(SET_ENVIRONMENT, '\0', 0, b"INIT_X=1\0\0");
    bytes.extend(change_to('4'));
    machine.ask(&bytes);
    let environment = machine.process("/bin/sleep 1004").environment();
    assert_eq!(environment.get("INIT_X").map(String::as_str), Some("1"));
}

#[test]
fn fifo_is_closed_by_usr2_opened_by_usr1_and_costs_no_processor_time_meanwhile() {
    let machine = in_level_three();
    machine.signal(SIGUSR2);
    machine.until_true("the FIFO is closed", || !machine.try_ask(&[]));
    let before = machine.processor_ticks();
    // Another process waits for a second: a spinning init uses most of it.
    machine.command("sleep 1");
    let used = machine.processor_ticks() - before;
    if ours() {
        assert!(used < 10, "{used} ticks used while closed");
    } else {
        assert!(used > 10, "the original is known to spin here");
    }
    machine.signal(SIGUSR1);
    machine.until_true("the FIFO is open", || machine.try_ask(&[]));
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

#[test]
fn usr1_opens_a_fifo_that_was_replaced() {
    let machine = in_level_three();
    machine.command("rm /run/initctl; mkfifo /run/initctl || test -p /run/initctl");
    machine.signal(SIGUSR1);
    machine.command("telinit 4");
    machine.process("/bin/sleep 1004");
}

#[test]
fn request_that_lies_in_the_fifo_while_usr1_reopens_it_is_not_lost() {
    let machine = in_level_three();
    // Suspended, init lets both wait, and then serves the signal first.
    machine.signal(SIGTSTP);
    // SIGCONT would take one back that is only on its way.
    machine.wait_heard();
    machine.ask(&change_to('4'));
    machine.signal(SIGUSR1);
    machine.signal(SIGCONT);
    if !ours() {
        // The original closes the FIFO with the request in it; only one that comes later is served.
        machine.until_true("a later request is served", || {
            machine.try_ask(&change_to('4'));
            machine.init().command == "init [4]"
        });
    }
    machine.process("/bin/sleep 1004");
}

//! `make order`: which functions process 1 runs between its start and its rest, and to which variables it writes, for the
//! linker to lay them together.
//!
//! The kernel maps a program's file in pieces of 64 kB around each page that is used. Where what is used lies everywhere in
//! the file, nearly all of it becomes resident; where it lies together, half. And each page in
//! which a variable is written to is one that no other process shares. So a machine is brought up under ptrace(2) with a breakpoint at the
//! beginning of each function of its init, which is taken away when it is reached, and lives through what a machine does;
//! what was reached is written down by its name, in the order of the first time. The names that only the client reaches,
//! which is the same program, come after those, and the variables last.
//!
//! Arguments: the program, with its symbols, and the file to write. Without them (and so in `cargo test`) the program of
//! the tests is looked at, to see that it works, and nothing is written.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::print_stdout,
    reason = "a tool of the build that fails loudly, and prints what it has found"
)]

#[path = "../support/mod.rs"]
mod support;

mod symbols;
mod tracer;

use nix::sys::signal::SIGKILL;
use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;
use support::accounting::change_to;
use support::namespace::{Machine, Plan};
use support::root::Root;
use support::{Deadline, pause};
use symbols::{Program, Symbol};
use tracer::{Seen, Who};

/// How long nothing new may be reached until the machine is taken to be at rest: longer than any deadline of init's then.
const REST: Duration = Duration::from_secs(3);

const TABLE: &str = "id:3:initdefault:
si::sysinit:/bin/note sysinit
bw::bootwait:/bin/note bootwait
w3:3:wait:/bin/note three
r3:3:respawn:/bin/sleep 1003
r:345:respawn:/bin/sleep 1345
o4:4:once:/bin/note four
r4:4:respawn:/bin/sleep 1004
c5:5:once:/sbin/telinit 4
ca::ctrlaltdel:/bin/note ctrlaltdel
";

/// So many more.
const ENTRIES: usize = 60;

const HEAD: &str = "\
# What process 1 runs between its start and its rest, in the order of the first time, after that what only telinit(8) runs,
# and last the variables that it writes to; one a line, by the name that nm -C gives it. Made by `make order`; link/cc has the
# linker lay them together.
";

fn main() {
    let mut words = std::env::args_os().skip(1);
    // What a test runner may add says nothing here.
    let file = words.next().filter(|word| word != "--nocapture");
    let output = words.next();
    let file = file.map_or(PathBuf::from(env!("CARGO_BIN_EXE_init")), PathBuf::from);
    let program = Arc::new(Program::read(&file));
    let lives = [Kind::Machine, Kind::Container, Kind::Command];
    let lives = lives.map(|kind| live(&file, kind, &program));
    let [functions, variables] = names(&program, &lives);
    assert!(
        functions.len() > 100 && variables.len() > 10,
        "of {} functions only {} were reached, and {} variables written to",
        program.functions.len(),
        functions.len(),
        variables.len()
    );
    if let Some(output) = output {
        let names = functions.iter().chain(&variables);
        let text = names.fold(HEAD.to_owned(), |text, name| text + name + "\n");
        std::fs::write(&output, text)
            .unwrap_or_else(|error| panic!("{}: {error}", Path::new(&output).display()));
    }
    println!(
        "order: of {} functions process 1 and its client reached {}, and wrote to {} of {} variables",
        program.functions.len(),
        functions.len(),
        variables.len(),
        program.variables.len()
    );
}

/// The table, with as many entries as a machine may have, so that what is kept for them grows as it does there.
fn table() -> String {
    (0..ENTRIES).fold(TABLE.to_owned(), |table, number| {
        table + &format!("e{number}:2345:respawn:/bin/sleep 2{number:03}\n")
    })
}

/// The names of the functions that were reached, each once: those of process 1 first, then what only the client has
/// reached; and those of the variables that were written to.
fn names(program: &Program, lives: &[Seen]) -> [Vec<String>; 2] {
    let reached = |who| {
        let all = lives.iter().flat_map(|life| &life.reached);
        all.filter(move |at| at.by == who).map(|at| at.function)
    };
    let written = lives.iter().flat_map(|life| life.written.iter().copied());
    [
        once(
            &program.functions,
            reached(Who::Init).chain(reached(Who::Client)),
        ),
        once(&program.variables, written),
    ]
}

/// Each name the first time it comes.
fn once(symbols: &[Symbol], numbers: impl Iterator<Item = usize>) -> Vec<String> {
    let mut seen = HashSet::new();
    let names = numbers.map(|number| symbols[number].name.clone());
    names.filter(|name| seen.insert(name.clone())).collect()
}

/// What init is there for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    /// A machine whose console is a terminal.
    Machine,
    /// A container whose console is its manager's pipe.
    Container,
    /// One command in a container.
    Command,
}

/// Brings a machine up with this program as init, and has it do what machines do.
fn live(file: &Path, kind: Kind, program: &Arc<Program>) -> Seen {
    let root = Root::with_init(file);
    root.link("init", "sbin/telinit");
    root.write("/etc/inittab", table());
    let seen: Arc<Mutex<Seen>> = Arc::default();
    let mut tracer = None;
    let plan = match kind {
        Kind::Machine => Plan::on(root),
        Kind::Container => Plan::on(root).in_container().without("console"),
        Kind::Command => ["--no-rc", "--", "/bin/sleep", "1003"]
            .into_iter()
            .fold(Plan::on(root).in_container(), Plan::word),
    };
    let machine = plan.boot_held(|setup| {
        tracer = Some(tracer::follow(setup, Arc::clone(program), &seen));
    });
    let process = machine.process("/bin/sleep 1003");
    if kind != Kind::Command {
        process.signal(SIGKILL);
        machine.wait_respawned("/bin/sleep 1003", &process);
        for request in ['Q', '5'] {
            machine.until_true("init listens", || machine.try_ask(&change_to(request)));
        }
        machine.process("/bin/sleep 1004");
    }
    rest(&machine, || seen.lock().unwrap().reached.len());
    drop(machine);
    tracer.unwrap().join().unwrap();
    std::mem::take(&mut *seen.lock().unwrap())
}

/// Waits until nothing new has happened for a while.
fn rest(machine: &Machine, count: impl Fn() -> usize) {
    let mut last = count();
    let mut deadline = Deadline::after(REST);
    machine.until_true("init is at rest", || {
        let now = count();
        if now != last {
            last = now;
            deadline = Deadline::after(REST);
        }
        pause();
        deadline.left().is_none()
    });
}

//! A random walk: whatever an operator, a client or an accident may do to a running init, in any order. Every few steps
//! a level is asked for, and exactly its processes must run.
//!
//! `make walk` walks for ten minutes (`WALK_SECONDS`), `WALK_SEED` walks the same way again.

use crate::support::accounting::{POWER_FAIL, SET_ENVIRONMENT, change_to, request};
use crate::support::namespace::{Machine, Plan};
use crate::support::root::ours;
use crate::support::{Deadline, LIMIT};
use nix::sys::signal::Signal;
use std::fs;
use std::io::Write;
use std::time::Duration;

/// How long a walk takes without a word from outside.
const SHORT: u64 = 20;
/// So many steps, then init must show that it is well.
const STEPS: usize = 25;

const LEVELS: &str = "id:3:initdefault:
r2:2:respawn:/bin/sleep 1002
r3:3:respawn:/bin/sleep 1003
r4:4:respawn:/bin/sleep 1004
r5:5:respawn:/bin/sleep 1005
b:2345:respawn:/bin/sleep 1345
f:45:respawn:/bin/false
w:24:wait:/bin/usleep 20000
o:35:once:/bin/true
d:a:ondemand:/bin/sleep 1777
ca::ctrlaltdel:/bin/true
pf::powerfail:/bin/true
kb::kbrequest:/bin/true
";
/// What an edit of the table adds: nothing, something that runs, something that fails, something that is none.
const EDITS: [&str; 5] = [
    "",
    "x:2345:respawn:/bin/sleep 1999\n",
    "y:2345:respawn:/bin/not-there\nz:3:once:/bin/false\n",
    "r3:3:off:/bin/true\nbad line\n:::\n",
    "w2:2345:wait:/bin/sh -c 'trap : TERM; sleep 1'\n",
];

/// xorshift64: enough to choose by, and the same everywhere.
struct Dice(u64);

impl Dice {
    fn below(&mut self, most: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 % u64::try_from(most).unwrap()).unwrap()
    }

    fn one<'a, T>(&mut self, of: &'a [T]) -> &'a T {
        &of[self.below(of.len())]
    }
}

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

/// Replaces the table in one step: init may be about to read it, and would believe a half.
fn put_table(machine: &Machine, text: &str) {
    machine.write("/etc/inittab.new", text);
    fs::rename(machine.at("/etc/inittab.new"), machine.at("/etc/inittab")).unwrap();
}

/// Does one thing, and says what: a client's or a person's, or one that happens to the machine.
fn step(machine: &Machine, dice: &mut Dice) -> String {
    if dice.below(2) == 0 {
        request_something(machine, dice)
    } else {
        disturb_something(machine, dice)
    }
}

fn request_something(machine: &Machine, dice: &mut Dice) -> String {
    match dice.below(7) {
        0 | 1 => {
            let level = *dice.one(&['2', '3', '4', '5', '5', 'a', 'Q', 'U', 'x', 'b']);
            machine.try_ask(&change_to(level));
            format!("telinit {level}")
        }
        2 => {
            let edit = *dice.one(&EDITS);
            put_table(machine, &format!("{LEVELS}{edit}"));
            machine.try_ask(&change_to('Q'));
            format!("edit {edit:?} and telinit q")
        }
        3 => {
            let junk: Vec<u8> = (0..=dice.below(900))
                .map(|_| u8::try_from(dice.below(256)).unwrap())
                .collect();
            machine.try_ask(&junk);
            format!("{} bytes of junk", junk.len())
        }
        4 => {
            machine.try_ask(&request(SET_ENVIRONMENT, '\0', 0, b"INIT_X=1\0\0"));
            machine.try_ask(&request(POWER_FAIL, '\0', 1, &[]));
            "a variable and a power failure".to_owned()
        }
        5 => {
            machine.try_ask(
                &[
                    change_to('2'),
                    change_to('3'),
                    change_to('U'),
                    change_to('5'),
                ]
                .concat(),
            );
            "four requests at once".to_owned()
        }
        _ => {
            fs::remove_file(machine.at("/etc/inittab")).unwrap_or_default();
            machine.try_ask(&change_to('Q'));
            put_table(machine, LEVELS);
            "a table that is not there for a moment".to_owned()
        }
    }
}

fn disturb_something(machine: &Machine, dice: &mut Dice) -> String {
    match dice.below(7) {
        0 | 1 => {
            let children = machine.children();
            let signal = *dice.one(&[Signal::SIGKILL, Signal::SIGTERM, Signal::SIGSTOP]);
            if !children.is_empty() {
                let child = dice.one(&children);
                // It may have ended meanwhile; its pid comes round again only after all the others.
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(child.pid), signal)
                    .unwrap_or_default();
            }
            format!("kill a child by {signal}")
        }
        2 => {
            let signal = *dice.one(&[
                Signal::SIGHUP,
                Signal::SIGINT,
                Signal::SIGUSR1,
                Signal::SIGCHLD,
                Signal::SIGWINCH,
                Signal::SIGPWR,
                Signal::SIGALRM,
                Signal::SIGTERM,
            ]);
            machine.signal(signal);
            format!("{signal}")
        }
        3 => {
            machine.signal(Signal::SIGTSTP);
            machine.try_ask(&change_to('4'));
            machine.signal(Signal::SIGCONT);
            "pause, telinit 4, go on".to_owned()
        }
        4 => {
            machine.signal(Signal::SIGUSR2);
            machine.signal(Signal::SIGUSR1);
            "close and open the FIFO".to_owned()
        }
        5 => {
            fs::remove_file(machine.at("/run/initctl")).unwrap_or_default();
            "remove the FIFO".to_owned()
        }
        _ => {
            machine
                .start("for i in 1 2 3 4 5 6 7 8; do ( : & ); done")
                .wait()
                .unwrap();
            "eight orphans".to_owned()
        }
    }
}

/// Whatever has been done: a level that is asked for is reached, and exactly its processes run.
fn is_well(machine: &Machine, dice: &mut Dice, past: &[String]) {
    put_table(machine, LEVELS);
    machine.signal(Signal::SIGCONT);
    let level = *dice.one(&['2', '3', '4', '5']);
    // From another level, so that the table is read and the entries are started anew.
    let other = if level == '2' { '3' } else { '2' };
    for level in [other, level] {
        let own = format!("/bin/sleep 100{level}");
        let foreign = |command: &str| {
            command.starts_with("/bin/sleep 100") && command != own || command == "/bin/sleep 1999"
        };
        let deadline = Deadline::after(LIMIT);
        // A request that came while the FIFO was away is asked for again, as an operator would.
        let mut asked = Deadline::after(Duration::ZERO);
        loop {
            let running = machine.descendants();
            // One that was stopped counts as running, for init as for everybody.
            for stopped in running.iter().filter(|one| one.state == 'T') {
                nix::sys::signal::kill(nix::unistd::Pid::from_raw(stopped.pid), Signal::SIGCONT)
                    .unwrap_or_default();
            }
            let count = |wanted: &str| running.iter().filter(|one| one.command == wanted).count();
            if count(&own) == 1
                && count("/bin/sleep 1345") == 1
                && !running
                    .iter()
                    .any(|one| foreign(&one.command) || one.state == 'Z')
            {
                break;
            }
            if asked.left().is_none() {
                machine.signal(Signal::SIGUSR1);
                machine.try_ask(&[change_to('Q'), change_to(level)].concat());
                asked = Deadline::after(Duration::from_secs(3));
            }
            assert!(
                deadline.left().is_some(),
                "level {level} is not reached after {past:#?}\n{running:#?}\n{:?}\n{}\n{}",
                machine.init(),
                machine.read("/run/init.state"),
                machine.transcript()
            );
            crate::support::pause();
        }
    }
}

#[test]
fn random_walk_never_leads_where_no_way_leads_back() {
    if !ours() {
        // The original loses requests and signals on such a way.
        return;
    }
    let seed = number("WALK_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let seconds = number("WALK_SECONDS").unwrap_or(SHORT);
    // Shown when the walk fails.
    writeln!(std::io::stdout(), "WALK_SEED={seed}").unwrap();
    let mut dice = Dice(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) | 1);
    let machine = Plan::new(LEVELS).boot();
    let deadline = Deadline::after(Duration::from_secs(seconds));
    let (mut past, mut steps) = (Vec::new(), 0);
    while deadline.left().is_some() {
        past.clear();
        for _ in 0..STEPS {
            past.push(step(&machine, &mut dice));
            steps += 1;
        }
        is_well(&machine, &mut dice, &past);
    }
    writeln!(std::io::stdout(), "{steps} steps in {seconds} s").unwrap();
}

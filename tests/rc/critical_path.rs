//! `PARALLEL=yes` with scripts that take their time: what each waits for, and how long all of it takes.

use std::collections::BTreeMap;
use std::fs;
use std::process::Stdio;
use std::time::Duration;

use sysvinit::record::{Begin, End, Kept, Kind, Line, parse};

use super::parallel::{chance, parallel, requiring};
use super::{Root, messages, succeeded};

/// So many scripts run side by side at most; rc lets four run for each processor, and this machine has two or more.
const LANES: usize = 6;
/// So many follow each other in a lane.
const ROWS: usize = 4;

/// A script of a random level.
struct Planned {
    needs: Vec<usize>,
    /// How long it sleeps, in hundredths of a second.
    sleeps: u64,
}

/// A level whose scripts sleep: each needs the one before it in its lane and some of any lane, so that never more than
/// the lanes are ready.
fn level(seed: u64) -> Vec<Planned> {
    let mut chance = chance(seed);
    (0..LANES * ROWS)
        .map(|number| {
            let before = number - number % LANES;
            let own = number.checked_sub(LANES);
            let others = if before == 0 { 0 } else { chance(3) };
            let others: Vec<usize> = (0..others).map(|_| chance(before)).collect();
            let mut needs: Vec<usize> = own.into_iter().chain(others).collect();
            needs.sort_unstable();
            needs.dedup();
            Planned {
                needs,
                sleeps: 20 + chance(60) as u64,
            }
        })
        .collect()
}

/// Writes the scripts; each tells when it begins and when it ends.
fn write(root: &Root, level: &[Planned]) {
    let log = root.path().join("log");
    fs::create_dir_all(root.path().join("run")).unwrap();
    for (number, planned) in level.iter().enumerate() {
        let needs: Vec<String> = planned.needs.iter().map(|n| format!("s{n}")).collect();
        let body = format!(
            "echo begin {number} >>{0}; sleep 0.{1:02}; echo end {number} >>{0}",
            log.display(),
            planned.sleeps
        );
        let name = format!("s{number}");
        // The numbers of the links say the opposite.
        let link = format!("rc3.d/S{:02}{name}", 99 - number);
        root.script(&name, &requiring(&name, &needs.join(" "), &body), &[&link]);
    }
}

/// The longest way through the level, given how long each script takes.
fn critical_path(level: &[Planned], took: impl Fn(usize) -> Duration) -> Duration {
    let mut ends: Vec<Duration> = Vec::new();
    for (number, planned) in level.iter().enumerate() {
        let begins = planned.needs.iter().map(|&needed| ends[needed]).max();
        ends.push(begins.unwrap_or_default() + took(number));
    }
    ends.into_iter().max().unwrap()
}

/// The beginning and the end of the run and of each script, as rc has recorded them.
struct Recorded {
    begins: BTreeMap<Vec<u8>, Begin>,
    ends: BTreeMap<Vec<u8>, End>,
}

impl Recorded {
    fn of(root: &Root) -> Self {
        let (lines, problems) = parse(&fs::read(root.path().join("run/initlog/record")).unwrap());
        assert!(problems.is_empty(), "{problems:?}");
        let mut recorded = Self {
            begins: BTreeMap::new(),
            ends: BTreeMap::new(),
        };
        for line in lines {
            match line {
                Line::Begin(begin) if begin.subject.kind != Kind::Entry => {
                    recorded.begins.insert(begin.subject.name.to_vec(), begin);
                }
                Line::End(end) if end.subject.kind != Kind::Entry => {
                    recorded.ends.insert(end.subject.name.to_vec(), end);
                }
                _ => {}
            }
        }
        recorded
    }

    fn took(&self, name: &str) -> Duration {
        let name = name.as_bytes();
        self.ends[name].at.up.since(self.begins[name].at.up)
    }
}

#[test]
#[expect(
    clippy::print_stdout,
    reason = "what is measured is told and not asserted"
)]
fn random_levels_keep_their_order_and_take_as_long_as_their_longest_way() {
    let levels: Vec<(u64, Root, Vec<Planned>)> = (1..=4)
        .map(|seed| (seed, parallel(), level(seed)))
        .collect();
    // All at once: they sleep.
    let runs: Vec<_> = levels
        .iter()
        .map(|(_, root, level)| {
            write(root, level);
            let mut rc = root.rc(&["3"]);
            rc.stdout(Stdio::null()).stderr(Stdio::piped());
            rc.spawn().unwrap()
        })
        .collect();
    for ((seed, root, level), run) in levels.iter().zip(runs) {
        let output = run.wait_with_output().unwrap();
        assert!(output.status.success(), "{output:?}");
        assert_eq!(messages(&output), ["rc: 24 scripts in"]);
        let log = fs::read_to_string(root.path().join("log")).unwrap();
        assert_eq!(log.lines().count(), 2 * level.len(), "seed {seed}: {log}");
        let at = |line: String| log.lines().position(|other| other == line).unwrap();
        let recorded = Recorded::of(root);
        for (number, planned) in level.iter().enumerate() {
            for &needed in &planned.needs {
                let (end, begin) = (at(format!("end {needed}")), at(format!("begin {number}")));
                assert!(end < begin, "seed {seed}: {number} needs {needed}:\n{log}");
                assert!(
                    recorded.ends[format!("s{needed}").as_bytes()].at.up
                        <= recorded.begins[format!("s{number}").as_bytes()].at.up,
                    "seed {seed}: {number} needs {needed}"
                );
            }
        }
        // Told and not asserted: how busy this machine is just now is nothing that rc could help.
        let run = recorded.took("3");
        let slept = critical_path(level, |number| {
            Duration::from_millis(level[number].sleeps * 10)
        });
        let measured = critical_path(level, |number| recorded.took(&format!("s{number}")));
        let per_cent = |of: Duration| (run.as_secs_f64() / of.as_secs_f64() - 1.0) * 100.0;
        println!(
            "seed {seed}: {run:.3?}, {:.1} % more than the longest way of sleeps ({slept:.3?}), {:.1} % more than that \
             of the scripts as they ran ({measured:.3?})",
            per_cent(slept),
            per_cent(measured),
        );
        assert!(measured <= run, "seed {seed}: {measured:?} of {run:?}");
    }
}

#[test]
#[expect(clippy::print_stdout, reason = "what is measured is told")]
fn three_hundred_scripts_side_by_side_with_much_to_say_need_little_memory() {
    let root = parallel();
    fs::create_dir_all(root.path().join("run")).unwrap();
    let loud = "head -c 30000000 /dev/zero | tr '\\0' '\\n'; echo end";
    for number in 0..299 {
        let name = format!("s{number:03}");
        let body = if number == 150 {
            loud.to_owned()
        } else {
            "head -c 60000 /dev/zero | tr '\\0' 'x'; echo; echo done".to_owned()
        };
        let link = format!("rc3.d/S{:02}{name}", number / 4);
        root.script(&name, &requiring(&name, "", &body), &[&link]);
    }
    let memory = root.path().join("memory");
    let look = format!(
        "sed -n -e 's/^VmHWM:[^0-9]*\\([0-9]*\\).*/\\1/p' -e 's/^RssFile:[^0-9]*\\([0-9]*\\).*/\\1/p' \
         /proc/$PPID/status >{}",
        memory.display()
    );
    root.script(
        "last",
        &requiring("last", "$all", &look),
        &["rc3.d/S99last"],
    );
    let shown = fs::File::create(root.path().join("shown")).unwrap();
    let mut rc = root.rc(&["3"]);
    let output = succeeded(rc.stdout(Stdio::from(shown)).stderr(Stdio::piped()));
    assert_eq!(messages(&output), ["rc: 300 scripts in"]);
    let memory = fs::read_to_string(memory).unwrap();
    let numbers: Vec<u64> = memory
        .split_whitespace()
        .map(|word| word.parse().unwrap())
        .collect();
    let [most, program] = numbers[..] else {
        panic!("{memory}");
    };
    // The program that is installed needs 3 MiB for itself, one that is built for tests twice as much.
    let own = most - program;
    println!("{most} KiB, {own} of them beside the program");
    // What two processors have at a time is in that; with more of them more outputs wait for their ends.
    let processors = std::thread::available_parallelism().unwrap().get() as u64;
    let more = processors.saturating_sub(2) * 4 * (Kept::MOST as u64 / 1024);
    assert!(
        own + 3 * 1024 < super::crowd::MOST_MEMORY + more,
        "{memory}"
    );
    let said = fs::read_to_string(root.path().join("shown")).unwrap();
    assert_eq!(said.matches("\ndone ").count(), 298, "each is shown whole");
}

//! The systematic fault run: every system call that PID 1 makes in its life, and every error it can return.
//!
//! A first machine runs undisturbed under the tracer, which writes down each site: what the machine goes through, who
//! calls (init, or its copy between fork and exec), which call, about what. Then, for every site and every error, a machine
//! of its own lives through the same, and the call fails there once. It must still reach its level or say on the console
//! why not, and it must still go down; PID 1 must not end, hang or spin.
//!
//! Without a word it tries every call with every error at its first site; with `--all` every site. Prints what it has
//! tried and how the machines fared.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a test fails loudly, and this one prints its own table"
)]

#[path = "../support/mod.rs"]
mod support;

mod errnos;
mod scenario;
mod tracer;

use scenario::{Outcome, Usual, Verdict, run};
use std::collections::{BTreeMap, BTreeSet};
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use support::root::{Root, Subject};
use tracer::{Fault, Seen, Site};

const HELP: &str = "\
usage: faults [OPTION...] [WORD...]
Has each system call of PID 1 fail once with each error it can return.
With WORDs only faults whose names hold all of them are tried, as `boot/init' or `ENOMEM'.

  --all        every site, not only the first of each call and error
  --list       print the faults that would be tried
  --show       print how every machine fared
  --jobs N     machines at a time (4)";

/// What the command line asks for.
#[derive(Default)]
struct Options {
    all: bool,
    list: bool,
    show: bool,
    jobs: usize,
    words: Vec<String>,
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        jobs: 4,
        ..Options::default()
    };
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("all") => options.all = true,
            Long("list") => options.list = true,
            Long("show") => options.show = true,
            Long("jobs") => options.jobs = parser.value()?.parse()?,
            Value(word) => options.words.push(word.string()?),
            // What test runners add to every test program.
            Long("exact" | "ignored" | "nocapture" | "quiet") => {}
            other => return Err(other.unexpected()),
        }
    }
    Ok(Some(options))
}

fn main() -> ExitCode {
    let options = match options() {
        Ok(Some(options)) => options,
        Ok(None) => {
            println!("{HELP}");
            return ExitCode::SUCCESS;
        }
        Err(error) => {
            eprintln!("faults: {error}\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let template = Root::new(Subject::Ours);
    let Some((usual, seen)) = undisturbed(&template) else {
        return ExitCode::FAILURE;
    };
    let faults = faults(&options, &seen);
    if options.list {
        for fault in &faults {
            println!("{}", name(fault));
        }
        return ExitCode::SUCCESS;
    }
    println!(
        "{} calls at {} sites in an undisturbed life; {} faults to try",
        usual.calls,
        seen.len(),
        faults.len()
    );
    let fared = try_all(&options, &template, &usual, &faults);
    report(&usual, &faults, &fared)
}

fn name(fault: &Fault) -> String {
    format!("{} {:?}", fault.site, fault.error)
}

/// Two undisturbed lives, so that what differs by chance is taken for neither usual nor news.
fn undisturbed(template: &Root) -> Option<(Usual, Vec<Seen>)> {
    let mut usual = Usual {
        calls: 0,
        said: BTreeSet::new(),
        steady: BTreeSet::new(),
    };
    let mut seen: Vec<Seen> = Vec::new();
    let mut lives: Vec<BTreeSet<Site>> = Vec::new();
    for _ in 0..2 {
        let Outcome {
            verdict,
            calls,
            said,
            seen: more,
            unknown,
            details,
        } = run(template, None, None);
        if verdict != Verdict::Unharmed || !unknown.is_empty() {
            println!(
                "undisturbed: {verdict:?}; calls without a row in errnos.rs: {unknown:?}\n{details}\n{said:?}"
            );
            return None;
        }
        usual.calls = usual.calls.max(calls);
        usual.said.extend(said);
        lives.push(more.iter().map(|(site, _)| site.clone()).collect());
        let known: BTreeSet<Site> = seen.iter().map(|(site, _)| site.clone()).collect();
        seen.extend(more.into_iter().filter(|(site, _)| !known.contains(site)));
    }
    usual.steady = lives.iter().skip(1).fold(lives[0].clone(), |common, life| {
        common.intersection(life).cloned().collect()
    });
    Some((usual, seen))
}

/// The faults to try: of each call and error the first site, or all.
fn faults(options: &Options, seen: &[Seen]) -> Vec<Fault> {
    let mut tried = BTreeSet::new();
    let every = seen.iter().flat_map(|(site, errors)| {
        errors.iter().map(|&error| Fault {
            site: site.clone(),
            error,
        })
    });
    every
        .filter(|fault| {
            // A copy of init runs other code than init itself.
            options.all || tried.insert((fault.site.call, fault.site.who, fault.error as i32))
        })
        .filter(|fault| {
            let name = name(fault);
            options.words.iter().all(|word| name.contains(word))
        })
        .collect()
}

fn try_all(
    options: &Options,
    template: &Root,
    usual: &Usual,
    faults: &[Fault],
) -> BTreeMap<usize, Outcome> {
    let next = AtomicUsize::new(0);
    let fared = Mutex::new(BTreeMap::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs {
            scope.spawn(|| {
                loop {
                    let at = next.fetch_add(1, Ordering::SeqCst);
                    let Some(fault) = faults.get(at) else {
                        return;
                    };
                    let mut outcome = run(template, Some(fault), Some(usual));
                    if outcome.verdict == Verdict::NotReached {
                        // Which of two children comes first is chance.
                        outcome = run(template, Some(fault), Some(usual));
                    }
                    if options.show || outcome.verdict > Verdict::NotReached {
                        println!(
                            "{:?}: {}\n    {}",
                            outcome.verdict,
                            name(fault),
                            outcome.details
                        );
                    }
                    let mut fared = fared.lock().unwrap();
                    fared.insert(at, outcome);
                    if fared.len() % 100 == 0 {
                        println!("{} of {}", fared.len(), faults.len());
                    }
                }
            });
        }
    });
    fared.into_inner().unwrap()
}

fn report(usual: &Usual, faults: &[Fault], fared: &BTreeMap<usize, Outcome>) -> ExitCode {
    let calls: BTreeSet<&str> = faults.iter().map(|fault| fault.site.call).collect();
    let kinds: BTreeSet<(&str, i32)> = faults
        .iter()
        .map(|fault| (fault.site.call, fault.error as i32))
        .collect();
    let sites: BTreeSet<&Site> = faults.iter().map(|fault| &fault.site).collect();
    let count = |verdict| {
        fared
            .values()
            .filter(|outcome| outcome.verdict == verdict)
            .count()
    };
    println!(
        "{} system calls, {} of them with each of its errors; {} sites, {} faults injected",
        calls.len(),
        kinds.len(),
        sites.len(),
        faults.len() - count(Verdict::NotReached),
    );
    for verdict in [
        Verdict::Unharmed,
        Verdict::Said,
        Verdict::NotReached,
        Verdict::Silent,
        Verdict::Spinning,
        Verdict::Stuck,
        Verdict::Dead,
    ] {
        println!("{:>6} {verdict:?}", count(verdict));
    }
    let bad = fared
        .values()
        .filter(|outcome| outcome.verdict > Verdict::NotReached)
        .count();
    // Chance may let a site go by, above all one that not every life has; more than one in fifty of the others is a
    // fault of this run.
    let missed = fared
        .iter()
        .filter(|(at, outcome)| {
            outcome.verdict == Verdict::NotReached && usual.steady.contains(&faults[**at].site)
        })
        .count();
    if bad == 0 && missed * 50 <= faults.len().max(50) {
        println!("test result: ok. {} passed; 0 failed", fared.len());
        ExitCode::SUCCESS
    } else {
        println!(
            "test result: FAILED. {} passed; {bad} failed",
            fared.len() - bad
        );
        ExitCode::FAILURE
    }
}

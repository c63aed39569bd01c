//! The conformance suite: each case is written once, runs on the original and on ours, and compares what was seen.
//!
//! `cargo test --test compliance -- --help` says how to choose cases and how to try another init. What is compared,
//! and how a case is written, is told in `doc/conformance.md`.

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

mod bench;
mod cases;
mod compare;
mod observe;
mod syslog;

use bench::Side;
use compare::{Case, Verdict};
use std::collections::BTreeMap;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

const HELP: &str = "\
usage: compliance [OPTION...] [CASE...]
Runs each case on Debian's init and on ours, and compares what was seen.
A CASE is a name or a part of one; without any, all cases run.

  --subject FILE   compare this init with the original instead of ours
  --show           print what was seen, also where it is the same
  --list           print the names of the cases and what they cover
  --exact          a CASE is a whole name
  --jobs N         cases at a time (2)";

/// What the command line asks for.
struct Options {
    subject: Side,
    wanted: Vec<String>,
    exact: bool,
    listing: Option<Listing>,
    show: bool,
    jobs: usize,
}

/// How to list the cases.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Listing {
    WithChapters,
    /// As test runners want it.
    Terse,
}

fn options() -> Result<Option<Options>, lexopt::Error> {
    use lexopt::prelude::*;
    let mut options = Options {
        subject: Side::Ours,
        wanted: Vec::new(),
        exact: false,
        listing: None,
        show: false,
        jobs: 2,
    };
    let (mut listing, mut terse) = (false, false);
    let mut parser = lexopt::Parser::from_env();
    while let Some(argument) = parser.next()? {
        match argument {
            Long("help") | Short('h') => return Ok(None),
            Long("subject") => options.subject = Side::Other(PathBuf::from(parser.value()?)),
            Long("list") => listing = true,
            Long("show") => options.show = true,
            Long("exact") => options.exact = true,
            Long("jobs") => options.jobs = parser.value()?.parse()?,
            // What test runners add to every test program.
            Long("format") => terse = parser.value()? == "terse",
            Long("ignored" | "nocapture" | "quiet") => {}
            Value(name) => options.wanted.push(name.string()?),
            other => return Err(other.unexpected()),
        }
    }
    options.listing = listing.then_some(if terse {
        Listing::Terse
    } else {
        Listing::WithChapters
    });
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
            eprintln!("compliance: {error}\n{HELP}");
            return ExitCode::from(2);
        }
    };
    let all: Vec<&'static Case> = cases::all().collect();
    let chosen: Vec<&'static Case> = all
        .iter()
        .copied()
        .filter(|case| is_wanted(&options, case.name))
        .collect();
    if let Some(listing) = options.listing {
        for case in chosen {
            if listing == Listing::Terse {
                println!("{}: test", case.name);
            } else {
                println!("{} [{}]", case.name, case.sections.join(", "));
            }
        }
        return ExitCode::SUCCESS;
    }
    if chosen.is_empty() {
        eprintln!("compliance: no such case; --list prints them");
        return ExitCode::from(2);
    }
    run(&options, &chosen)
}

fn is_wanted(options: &Options, name: &str) -> bool {
    options.wanted.is_empty()
        || options.wanted.iter().any(|wanted| {
            if options.exact {
                wanted == name
            } else {
                name.contains(wanted.as_str())
            }
        })
}

fn run(options: &Options, cases: &[&'static Case]) -> ExitCode {
    compare::keep_panics_quiet();
    let next = AtomicUsize::new(0);
    let done = Mutex::new(Vec::new());
    std::thread::scope(|scope| {
        for _ in 0..options.jobs.max(1) {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    let outcome = compare::run(case, &options.subject);
                    println!("{}", outcome.report(options.show));
                    done.lock().unwrap().push((*case, outcome.verdict));
                }
            });
        }
    });
    let done = done.into_inner().unwrap();
    print_sections(&done);
    let failed = done
        .iter()
        .filter(|(_, verdict)| *verdict == Verdict::Differs)
        .count();
    let known = done
        .iter()
        .filter(|(_, verdict)| *verdict == Verdict::Known)
        .count();
    println!(
        "\n{} cases: {} the same, {known} different on purpose, {failed} different",
        done.len(),
        done.len() - known - failed
    );
    println!("{} passed, {failed} failed", done.len() - failed);
    ExitCode::from(u8::from(failed > 0))
}

fn print_sections(done: &[(&Case, Verdict)]) {
    let mut counts: BTreeMap<&str, (usize, usize)> = BTreeMap::new();
    for (case, verdict) in done {
        for section in case.sections {
            let (cases, failed) = counts.entry(section).or_default();
            *cases += 1;
            *failed += usize::from(*verdict == Verdict::Differs);
        }
    }
    println!("\n{:26} cases  failed", "section");
    for (section, (cases, failed)) in counts {
        println!("{section:26} {cases:5} {failed:7}");
    }
}

//! `make bench`: this init beside its peers, measured in one run on one machine, as ratios.
//!
//! Candidates take turns and the order rotates, so that a machine that grows warm or busy favours nobody. Every number is
//! the median of its rounds, with half of the distance between the quartiles as spread. A floor, a loop in C that does
//! only what cannot be avoided (`stamp.c`), says how much of a number is the kernel's.
//!
//! Arguments: `--full` for enough rounds; without it (and so in `cargo test`) one round of everything with small numbers,
//! which shows that it works and measures nothing. `--write FILE` for the report; other words choose the chapters whose
//! names have them.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::string_slice,
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "a benchmark that cannot measure fails loudly, and prints its tables"
)]

#[path = "../tests/support/qemu.rs"]
#[expect(dead_code, reason = "the tests of whole systems use the rest of it")]
mod qemu;
#[path = "../tests/support/mod.rs"]
mod support;

mod bed;
mod boot;
mod calls;
mod changes;
mod growth;
mod latency;
mod rc;
mod reaping;
mod rest;
mod scripts;
mod size;
mod spawning;
mod stats;
mod tools;
mod turns;
mod work;

use stats::Comparison;
use std::fmt::Write;

/// How much is measured.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Extent {
    /// Enough for medians.
    Full,
    /// Enough to see that it works.
    Short,
}

impl Extent {
    /// One of two numbers.
    pub(crate) fn choose<T>(self, full: T, short: T) -> T {
        match self {
            Extent::Full => full,
            Extent::Short => short,
        }
    }
}

type Chapter = fn(Extent) -> Vec<Comparison>;

const CHAPTERS: &[(&str, Chapter)] = &[
    ("size", size::measure),
    ("rest", rest::measure),
    ("spawning", spawning::measure),
    ("calls", calls::measure),
    ("latency", latency::measure),
    ("changes", changes::measure),
    ("reaping", reaping::measure),
    ("rc", rc::measure),
    ("tools", tools::measure),
    (WHOLE_SYSTEMS, boot::measure),
];
/// Takes long however little of it is done: the short form leaves it out unless it is named.
const WHOLE_SYSTEMS: &str = "boot";

fn main() {
    let mut extent = Extent::Short;
    let mut report = None;
    let mut wanted = Vec::new();
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        match word.as_str() {
            // The second is cargo bench's.
            "--full" | "--bench" => extent = Extent::Full,
            "--write" => report = words.next(),
            _ => wanted.push(word),
        }
    }
    let is_wanted = |name: &str| match wanted.as_slice() {
        [] => extent == Extent::Full || name != WHOLE_SYSTEMS,
        words => words
            .iter()
            .any(|word: &String| name.contains(word.as_str())),
    };
    let (chapters, left_out): (Vec<_>, Vec<_>) =
        CHAPTERS.iter().partition(|(name, _)| is_wanted(name));
    assert!(
        !chapters.is_empty(),
        "no chapter has these words in its name: {wanted:?}"
    );
    let mut missing: Vec<&str> = CHAPTERS.iter().map(|(name, _)| *name).collect();
    for (name, _) in left_out {
        eprintln!("left out: {name}");
    }
    let mut tables = Vec::new();
    for (name, measure) in chapters {
        eprintln!("measuring: {name}");
        let start = support::clock();
        let measured = measure(extent);
        let took = support::clock() - start;
        for comparison in &measured {
            print!("{}", comparison.to_table());
        }
        eprintln!("measured: {name}, in {} s", took.as_secs());
        tables.extend(measured);
        missing.retain(|chapter| *chapter != name);
        // After each chapter: a run that is broken off leaves what it has measured.
        if let Some(file) = &report {
            let whole = document(&tables, &missing);
            std::fs::write(file, whole).unwrap_or_else(|error| panic!("{file}: {error}"));
        }
    }
    print!("{}", growth::table(&tables));
    println!("{} comparisons", tables.len());
}

/// The document with these tables, without these chapters.
fn document(tables: &[Comparison], missing: &[&str]) -> String {
    let (heading, growth) = (heading(), growth::table(tables));
    let missing = match missing.join(", ") {
        names if names.is_empty() => names,
        names => format!("Not in this run: {names}.\n\n"),
    };
    let reasons = include_str!("reasons.md");
    let tables: String = tables.iter().map(Comparison::to_table).collect();
    let growth = growth.trim_end();
    format!("{heading}{missing}{tables}{growth}\n{reasons}")
}

/// What was compared, on which machine.
fn heading() -> String {
    let first_line = |file: &str, name: &str| {
        let text = std::fs::read_to_string(file).unwrap_or_default();
        text.lines()
            .find(|line| line.starts_with(name))
            .map(|line| {
                line.trim_start_matches(name)
                    .trim_start_matches([' ', '\t', ':', '='])
                    .to_owned()
            })
            .unwrap_or_default()
    };
    let kernel = std::fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let mut text = String::from(include_str!("heading.md"));
    writeln!(
        text,
        "\nMeasured on {} x {}, Linux {}, {}.\n",
        std::thread::available_parallelism().map_or(1, usize::from),
        first_line("/proc/cpuinfo", "model name"),
        kernel.trim(),
        first_line("/etc/os-release", "PRETTY_NAME").trim_matches('"'),
    )
    .unwrap();
    writeln!(text, "| what | release |\n|---|---|").unwrap();
    writeln!(text, "| ours | {} |", env!("CARGO_PKG_VERSION")).unwrap();
    for (name, version) in size::versions() {
        writeln!(text, "| {name} | {version} |").unwrap();
    }
    text.push('\n');
    text
}

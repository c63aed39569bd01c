//! The arithmetic of the benchmarks, which themselves have no test harness.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::float_cmp,
    reason = "a test fails loudly, and these numbers are exact"
)]

#[path = "../benches/growth.rs"]
mod growth;
#[path = "../benches/stats.rs"]
mod stats;

use growth::{exponent, slope, table};
use stats::{Comparison, Sample, turns};

fn sample(values: &[f64]) -> Sample {
    let mut sample = Sample::default();
    for value in values {
        sample.add(*value);
    }
    sample
}

#[test]
fn median_is_the_middle_or_between_the_two_in_the_middle() {
    assert_eq!(sample(&[9.0, 1.0, 5.0]).median(), 5.0);
    assert_eq!(sample(&[4.0, 1.0, 2.0, 9.0]).median(), 3.0);
}

#[test]
fn spread_is_half_of_what_lies_between_the_quartiles_and_heeds_no_outlier() {
    let spread = sample(&[8.0, 9.0, 10.0, 11.0, 1000.0]).spread();
    assert_eq!(spread, Some(0.1));
}

#[test]
fn one_measurement_and_a_median_of_nothing_have_no_spread() {
    assert_eq!(sample(&[3.0]).spread(), None);
    assert_eq!(sample(&[0.0, 0.0, 0.0]).spread(), None);
}

#[test]
fn every_candidate_has_a_turn_in_every_round_and_another_one_is_first_each_time() {
    assert_eq!(
        turns(3, &['a', 'b', 'c']),
        "abcbcacab".chars().collect::<Vec<_>>()
    );
}

#[test]
fn what_was_measured_may_explain_the_table() {
    let table =
        Comparison::new("Speed", "ms", "floor", "How fast.").explained("2 ms are the start.");
    let text = table.to_table();
    assert!(
        text.contains("\n\nHow fast. 2 ms are the start.\n\n"),
        "{text}"
    );
}

#[test]
fn table_shows_ratios_to_its_base_and_says_who_is_missing() {
    let mut table = Comparison::new("Speed", "ms", "floor", "How fast.");
    table.add("floor", 2.0);
    table.add("ours", 3.0);
    table.absent("other", "it does not start");
    let text = table.to_table();
    let row = text.lines().find(|line| line.contains("ours")).unwrap();
    let cells: Vec<&str> = row.split('|').map(str::trim).collect();
    assert_eq!(cells, ["", "ours", "3", "", "1.50", ""]);
    assert!(
        text.contains("\nWithout other: it does not start.\n"),
        "{text}"
    );
    assert_eq!(table.median("ours"), Some(3.0));
    assert_eq!(table.median("other"), None);
}

#[test]
fn what_grows_with_the_square_has_the_exponent_two() {
    let near = |found: Option<f64>, expected: f64| (found.unwrap() - expected).abs() < 1e-9;
    let line: Vec<_> = [1.0, 10.0, 100.0]
        .map(|count| (count, 7.0 + 3.0 * count))
        .into();
    assert!(near(slope(&line), 3.0));
    let square: Vec<_> = [1.0, 10.0, 100.0]
        .map(|count| (count, 5.0 * count * count))
        .into();
    assert!(near(exponent(&square), 2.0));
    assert_eq!(slope(&[(1.0, 2.0)]), None);
}

#[test]
fn growth_is_shown_for_what_was_measured_at_several_sizes() {
    let of_size = |count| {
        let mut table = Comparison::new("Starts", "us", "ours", "Each.")
            .with(count, "entries")
            .for_each();
        table.add("ours", 2.0);
        table
    };
    let alone = Comparison::new("Size", "KiB", "ours", "Of the file.").with(1, "files");
    let text = table(&[of_size(10), alone, of_size(100)]);
    assert!(
        text.ends_with("| entries | us | 10: 20, 100: 200 | 2 | 1.00 |\n\n"),
        "{text}"
    );
    assert_eq!(table(&[of_size(10)]), "");
}

//! How what our init takes grows with the number of things it is given.

use super::stats::{Comparison, shown};
use std::fmt::Write;

/// The whole of what ours has taken, for each count.
struct Family<'a> {
    of: &'static str,
    unit: &'a str,
    points: Vec<(f64, f64)>,
}

/// The straight line through points that lies nearest to them: its slope, if there is one.
pub(crate) fn slope(points: &[(f64, f64)]) -> Option<f64> {
    #[expect(clippy::cast_precision_loss, reason = "a handful of points")]
    let number = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / number;
    let (x, y) = (mean(|point| point.0), mean(|point| point.1));
    let across: f64 = points.iter().map(|point| (point.0 - x).powi(2)).sum();
    let both: f64 = points
        .iter()
        .map(|point| (point.0 - x) * (point.1 - y))
        .sum();
    Some(both / across).filter(|slope| slope.is_finite())
}

/// The power of the count that the whole grows with: 1 where twice as many take twice as long, 2 where they take four
/// times as long.
pub(crate) fn exponent(points: &[(f64, f64)]) -> Option<f64> {
    let logarithms: Vec<_> = points
        .iter()
        .map(|(count, whole)| (count.ln(), whole.ln()))
        .collect();
    slope(&logarithms)
}

/// A Markdown table of everything that was measured at several sizes; nothing where that is nothing.
pub(crate) fn table(comparisons: &[Comparison]) -> String {
    let mut families: Vec<Family<'_>> = Vec::new();
    for comparison in comparisons {
        let (Some(size), Some(median)) = (comparison.size, comparison.median("ours")) else {
            continue;
        };
        let point = (size.count, median * size.scale);
        match families.iter_mut().find(|family| family.of == size.of) {
            Some(family) => family.points.push(point),
            None => families.push(Family {
                of: size.of,
                unit: comparison.unit,
                points: vec![point],
            }),
        }
    }
    families.retain(|family| family.points.len() > 1);
    if families.is_empty() {
        return String::new();
    }
    let mut text = String::from(include_str!("growth.md"));
    text.push_str(
        "\n| what | unit | number: whole | each further one | exponent |\n|---|---|---|--:|--:|\n",
    );
    for Family { of, unit, points } in families {
        let wholes: Vec<String> = points
            .iter()
            .map(|(count, whole)| format!("{count}: {}", shown(*whole)))
            .collect();
        writeln!(
            text,
            "| {of} | {unit} | {} | {} | {} |",
            wholes.join(", "),
            slope(&points).map_or_else(String::new, shown),
            exponent(&points).map_or_else(String::new, |power| format!("{power:.2}")),
        )
        .unwrap();
    }
    text.push('\n');
    text
}

//! Medians, spread, ratios, and the tables that show them.

use std::fmt::Write;

/// The size of one measurement among several of different sizes.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Size {
    /// What there are so many of.
    pub(crate) of: &'static str,
    pub(crate) count: f64,
    /// By what the measured number has to be multiplied for the whole.
    pub(crate) scale: f64,
}

/// What was measured of one candidate, one number a round.
#[derive(Debug, Clone, Default)]
pub(crate) struct Sample(Vec<f64>);

impl Sample {
    pub(crate) fn add(&mut self, value: f64) {
        self.0.push(value);
    }

    /// The value that half of the measurements lie below, between its neighbours where they are even in number.
    pub(crate) fn median(&self) -> f64 {
        self.quantile(0.5)
    }

    /// The value below which this share of the measurements lies.
    fn quantile(&self, share: f64) -> f64 {
        let mut sorted = self.0.clone();
        sorted.sort_by(f64::total_cmp);
        let Some(last) = sorted.len().checked_sub(1) else {
            return f64::NAN;
        };
        #[expect(clippy::cast_precision_loss, reason = "a handful of measurements")]
        let place = share * last as f64;
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a place within the list"
        )]
        let below = place.floor() as usize;
        let above = (below + 1).min(last);
        sorted[below] + (sorted[above] - sorted[below]) * place.fract()
    }

    /// Half of the distance between the quartiles, as a share of the median. One measurement alone has none.
    pub(crate) fn spread(&self) -> Option<f64> {
        let spread = (self.quantile(0.75) - self.quantile(0.25)) / 2.0 / self.median();
        (self.0.len() > 1 && spread.is_finite()).then_some(spread)
    }
}

/// One measurement of several candidates, taken in the same run.
pub(crate) struct Comparison {
    title: String,
    /// What the numbers are: `ms`, `KiB`.
    pub(crate) unit: &'static str,
    /// Where it is one of several that differ in size.
    pub(crate) size: Option<Size>,
    /// Whose median the ratios are relative to.
    base: &'static str,
    /// What the numbers mean, and what they do not.
    meaning: String,
    rows: Vec<(String, Sample)>,
    /// Who could not be measured, and why.
    absent: Vec<(String, String)>,
}

impl Comparison {
    pub(crate) fn new(
        title: impl Into<String>,
        unit: &'static str,
        base: &'static str,
        meaning: &'static str,
    ) -> Self {
        Comparison {
            title: title.into(),
            unit,
            size: None,
            base,
            meaning: meaning.to_owned(),
            rows: Vec::new(),
            absent: Vec::new(),
        }
    }

    /// The same, as one of several measurements that differ in how many things there are.
    pub(crate) fn with(self, count: usize, of: &'static str) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        let count = count as f64;
        let scale = 1.0;
        Comparison {
            size: Some(Size { of, count, scale }),
            ..self
        }
    }

    /// With one more sentence on what the numbers mean, which may be about what was measured.
    pub(crate) fn explained(mut self, sentence: &str) -> Self {
        self.meaning.push(' ');
        self.meaning.push_str(sentence);
        self
    }

    /// Its numbers are for one thing, not for all of them.
    pub(crate) fn for_each(mut self) -> Self {
        if let Some(size) = &mut self.size {
            size.scale = size.count;
        }
        self
    }

    pub(crate) fn add(&mut self, candidate: &str, value: f64) {
        match self.rows.iter_mut().find(|(name, _)| name == candidate) {
            Some((_, sample)) => sample.add(value),
            None => self.rows.push((candidate.to_owned(), Sample(vec![value]))),
        }
    }

    /// Says why a candidate has no number.
    pub(crate) fn absent(&mut self, candidate: &str, reason: &str) {
        self.absent.push((candidate.to_owned(), reason.to_owned()));
    }

    /// The median of a candidate that was measured.
    pub(crate) fn median(&self, candidate: &str) -> Option<f64> {
        self.rows
            .iter()
            .find(|(name, _)| name == candidate)
            .map(|(_, sample)| sample.median())
    }

    /// A Markdown table, which reads well on a terminal too.
    pub(crate) fn to_table(&self) -> String {
        let names = self.rows.iter().map(|(name, _)| name.len());
        let width = names.max().unwrap_or(0).max(10);
        let mut text = format!("### {}\n\n{}\n\n", self.title, self.meaning);
        let ratio = format!("of {}", self.base);
        let unit = self.unit;
        writeln!(
            text,
            "| {:width$} | {unit:>12} | {:>7} | {ratio:>14} |",
            "", "spread"
        )
        .unwrap();
        writeln!(
            text,
            "|{:-<1$}|{2:->14}|{2:->9}|{2:->16}|",
            "",
            width + 2,
            ":"
        )
        .unwrap();
        let base = self.median(self.base);
        for (name, sample) in &self.rows {
            let median = sample.median();
            let ratio = base
                .map(|base| median / base)
                .filter(|ratio| ratio.is_finite());
            writeln!(
                text,
                "| {name:width$} | {:>12} | {:>7} | {:>14} |",
                shown(median),
                or_nothing(sample.spread(), |share| format!("{:.1}%", share * 100.0)),
                or_nothing(ratio, |ratio| format!("{ratio:.2}")),
            )
            .unwrap();
        }
        for (name, reason) in &self.absent {
            writeln!(text, "\nWithout {name}: {reason}.").unwrap();
        }
        text.push('\n');
        text
    }
}

fn or_nothing(value: Option<f64>, show: impl FnOnce(f64) -> String) -> String {
    value.map_or_else(String::new, show)
}

/// Three significant digits or so.
pub(crate) fn shown(value: f64) -> String {
    if value.abs() >= 100.0 || value.fract() == 0.0 {
        format!("{value:.0}")
    } else if value.abs() >= 10.0 {
        format!("{value:.1}")
    } else {
        format!("{value:.3}")
    }
}

/// Whose turn it is, in so many rounds; the order rotates, so that nobody is always first.
pub(crate) fn turns<C: Copy>(rounds: usize, candidates: &[C]) -> Vec<C> {
    let places = candidates.len();
    (0..rounds)
        .flat_map(|round| (0..places).map(move |place| candidates[(place + round) % places]))
        .collect()
}

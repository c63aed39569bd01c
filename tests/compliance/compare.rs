//! One case on two inits: its script runs on each, and what was seen is compared.

use crate::bench::{Bench, Side};
use std::cell::RefCell;
use std::fmt::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A case: a scenario that is played on every init alike.
pub(crate) struct Case {
    /// A sentence about behaviour.
    pub(crate) name: &'static str,
    /// The chapters of `doc/conformance.md` that it belongs to.
    pub(crate) sections: &'static [&'static str],
    script: fn(&mut Bench),
    known: Option<Known>,
}

/// A difference on purpose: why, and what is seen on either side.
struct Known {
    reason: &'static str,
    /// `None` where it is chance what is seen.
    original: Option<&'static str>,
    ours: &'static str,
}

pub(crate) const fn case(
    name: &'static str,
    sections: &'static [&'static str],
    script: fn(&mut Bench),
) -> Case {
    Case {
        name,
        sections,
        script,
        known: None,
    }
}

impl Case {
    /// Marks the case as one where ours differs on purpose, with what is seen of each, a fact a line.
    pub(crate) const fn differs(
        self,
        reason: &'static str,
        original: &'static str,
        ours: &'static str,
    ) -> Self {
        Case {
            known: Some(Known {
                reason,
                original: Some(original),
                ours,
            }),
            ..self
        }
    }

    /// Marks the case as one where the original does now this, now that, and ours always the same.
    pub(crate) const fn certain(self, reason: &'static str, ours: &'static str) -> Self {
        Case {
            known: Some(Known {
                reason,
                original: None,
                ours,
            }),
            ..self
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Verdict {
    Same,
    Known,
    Differs,
}

/// What came of one case.
pub(crate) struct Outcome {
    pub(crate) verdict: Verdict,
    name: &'static str,
    reason: &'static str,
    original: Seen,
    subject: Seen,
}

/// What was seen on one init.
struct Seen {
    facts: Vec<String>,
    /// Why the script did not come to its end.
    stopped: Option<String>,
}

thread_local! {
    static LAST_PANIC: RefCell<String> = const { RefCell::new(String::new()) };
}

/// A script that cannot go on panics; the words are shown with its case, not in between.
pub(crate) fn keep_panics_quiet() {
    std::panic::set_hook(Box::new(|panic| {
        LAST_PANIC.with(|last| *last.borrow_mut() = panic.to_string());
    }));
}

fn play(case: &Case, side: &Side) -> Seen {
    let mut bench = Bench::new(side.clone());
    let ended = catch_unwind(AssertUnwindSafe(|| (case.script)(&mut bench)));
    Seen {
        facts: bench.into_facts(),
        stopped: ended
            .err()
            .map(|_| LAST_PANIC.with(|last| last.borrow().clone())),
    }
}

pub(crate) fn run(case: &'static Case, subject: &Side) -> Outcome {
    let mut original = play(case, &Side::Original);
    if original.stopped.is_some() {
        // Once in a thousand boots the original hangs. That is no verdict about the other one.
        original = play(case, &Side::Original);
    }
    let subject = play(case, subject);
    let went_through = original.stopped.is_none() && subject.stopped.is_none();
    let is =
        |seen: &Seen, expected: &str| seen.facts.iter().map(String::as_str).eq(expected.lines());
    let same = original.facts == subject.facts;
    let verdict = match &case.known {
        None if went_through && same => Verdict::Same,
        Some(known)
            if went_through
                && known.original.is_none_or(|text| is(&original, text))
                && is(&subject, known.ours) =>
        {
            Verdict::Known
        }
        None | Some(_) => Verdict::Differs,
    };
    Outcome {
        verdict,
        name: case.name,
        reason: match &case.known {
            None => "",
            Some(known) if same && known.original.is_some() => {
                "the known difference is not there any more"
            }
            Some(known) => known.reason,
        },
        original,
        subject,
    }
}

impl Outcome {
    /// A line for the table, and what there is to explain.
    pub(crate) fn report(&self, show: bool) -> String {
        let mut text = match self.verdict {
            Verdict::Same => format!("same             {}", self.name),
            Verdict::Known => format!("differs (known)  {}: {}", self.name, self.reason),
            Verdict::Differs => format!("DIFFERS          {} {}", self.name, self.reason),
        };
        if show || self.verdict == Verdict::Differs {
            for line in side_by_side(&self.original.facts, &self.subject.facts) {
                write!(text, "\n    {line}").unwrap();
            }
            for (who, seen) in [("original", &self.original), ("subject", &self.subject)] {
                if let Some(why) = &seen.stopped {
                    write!(
                        text,
                        "\n    {who} stopped: {}",
                        why.replace('\n', "\n      ")
                    )
                    .unwrap();
                }
            }
        }
        text
    }
}

/// Both lists in one: `=` both, `-` the original alone, `+` the subject alone.
fn side_by_side(original: &[String], subject: &[String]) -> Vec<String> {
    // Length of the longest common part of what begins at each pair of places.
    let mut common = vec![vec![0_usize; subject.len() + 1]; original.len() + 1];
    for (i, left) in original.iter().enumerate().rev() {
        for (j, right) in subject.iter().enumerate().rev() {
            common[i][j] = if left == right {
                common[i + 1][j + 1] + 1
            } else {
                common[i + 1][j].max(common[i][j + 1])
            };
        }
    }
    let (mut i, mut j) = (0, 0);
    let mut lines = Vec::new();
    while i < original.len() || j < subject.len() {
        if i < original.len() && j < subject.len() && original[i] == subject[j] {
            lines.push(format!("= {}", original[i]));
            (i, j) = (i + 1, j + 1);
        } else if j == subject.len() || (i < original.len() && common[i + 1][j] >= common[i][j + 1])
        {
            lines.push(format!("- {}", original[i]));
            i += 1;
        } else {
            lines.push(format!("+ {}", subject[j]));
            j += 1;
        }
    }
    lines
}

//! Who is measured when, and what becomes of one that cannot be.

use super::stats::{Comparison, turns};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// What is measured beside others.
pub(crate) trait Candidate: Copy + PartialEq {
    /// What the tables call it.
    fn name(self) -> &'static str;

    /// Why there is nothing to measure.
    fn missing(self) -> Option<&'static str> {
        None
    }

    /// Whether it is Debian's and may fail here; ours and the floor must not.
    fn is_peer(self) -> bool;
}

/// Lets candidates take turns at `measure`, which fills the tables. A peer that fails is left out from then on, and the
/// tables say why.
pub(crate) fn take_turns<C: Candidate, const N: usize>(
    rounds: usize,
    candidates: &[C],
    mut tables: [Comparison; N],
    mut measure: impl FnMut(C, &mut [Comparison; N]),
) -> [Comparison; N] {
    let mut left_out = Vec::new();
    for candidate in candidates {
        if let Some(reason) = candidate.missing() {
            leave_out(*candidate, reason, &mut tables);
            left_out.push(*candidate);
        }
    }
    for candidate in turns(rounds, candidates) {
        if left_out.contains(&candidate) {
            continue;
        }
        let attempt = AssertUnwindSafe(|| measure(candidate, &mut tables));
        let Err(cause) = catch_unwind(attempt) else {
            continue;
        };
        if !candidate.is_peer() {
            resume_unwind(cause);
        }
        let reason = cause.downcast_ref::<String>().map_or("", String::as_str);
        let reason = reason.lines().next().unwrap_or_default();
        leave_out(candidate, reason, &mut tables);
        left_out.push(candidate);
    }
    tables
}

fn leave_out(candidate: impl Candidate, reason: &str, tables: &mut [Comparison]) {
    for table in tables {
        table.absent(candidate.name(), reason);
    }
}

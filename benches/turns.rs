//! Who is measured when, and what becomes of one that cannot be.

use super::bed::Init;
use super::stats::{Comparison, turns};
use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};

/// Lets candidates take turns at `measure`. A peer that fails is left out from then on, and `tables` say why; ours and the
/// floor must not fail.
pub(crate) fn take_turns<const N: usize>(
    rounds: usize,
    candidates: &[Init],
    tables: &mut [Comparison; N],
    mut measure: impl FnMut(Init, &mut [Comparison; N]),
) {
    let mut left_out = Vec::new();
    for init in candidates {
        if let Some(reason) = init.missing() {
            leave_out(*init, reason, tables);
            left_out.push(*init);
        }
    }
    for init in turns(rounds, candidates) {
        if left_out.contains(&init) {
            continue;
        }
        let attempt = AssertUnwindSafe(|| measure(init, tables));
        let Err(cause) = catch_unwind(attempt) else {
            continue;
        };
        if matches!(init, Init::Floor | Init::Ours | Init::OursStatic) {
            resume_unwind(cause);
        }
        let reason = cause.downcast_ref::<String>().map_or("", String::as_str);
        let reason = reason.lines().next().unwrap_or_default();
        leave_out(init, reason, tables);
        left_out.push(init);
    }
}

fn leave_out(init: Init, reason: &str, tables: &mut [Comparison]) {
    for table in tables {
        table.absent(init.name(), reason);
    }
}

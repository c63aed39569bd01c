//! A thousand processes, one after another.

use super::Extent;
use super::bed::{Init, stamped};
use super::stats::Comparison;
use super::turns::{Candidate, take_turns};
use super::work::Work;

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    let counts = extent.choose(vec![10, 100, 200, 1000, 10_000], vec![10, 100]);
    counts
        .into_iter()
        .map(|count| one_after_another(extent, count))
        .collect()
}

fn one_after_another(extent: Extent, count: usize) -> Comparison {
    let table = Comparison::new(
        format!("{count} `wait` entries, one after another"),
        "us an entry",
        "floor",
        "From the first to the last; each runs a program of one line. No accounting records (`+`).",
    )
    .with(count, "`wait` entries, one after another")
    .for_each();
    let mut work = vec![Work::Wait("/bin/stamp first".into())];
    work.extend((0..count).map(|number| Work::Wait(format!("/bin/nop {number}"))));
    work.push(Work::Once("/bin/stamp last".into()));
    let peers = [
        Init::Floor,
        Init::Ours,
        Init::OursStatic,
        Init::Sysvinit,
        Init::Busybox,
        Init::Finit,
    ];
    // The others are quadratic in this, or need minutes.
    let candidates = if count > 1000 {
        &peers[..3]
    } else {
        &peers[..]
    };
    let rounds = extent.choose(if count > 1000 { 2 } else { 7 }, 1);
    let [table] = take_turns(rounds, candidates, [table], |init, [table]| {
        let plan = if init == Init::Floor {
            super::bed::floor(&["floor", &count.to_string(), "/bin/nop"])
        } else {
            init.plan(&work)
        };
        let machine = plan.boot();
        let last = stamped(&machine, "last");
        let first = stamped(&machine, "first");
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        table.add(init.name(), (last - first) / 1000.0 / count as f64);
    });
    table
}

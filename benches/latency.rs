//! How soon something happens after it should.

use super::Extent;
use super::bed::{Init, stamps};
use super::stats::Comparison;
use super::turns::{Candidate, take_turns};
use super::work::Work;

/// As many as the original starts in two minutes before it holds an entry.
const STARTS: usize = 9;

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    vec![respawn(extent)]
}

fn respawn(extent: Extent) -> Comparison {
    let table = Comparison::new(
        "From the end of an entry's process to the start of the next",
        "us",
        "floor",
        "The process notes the time and ends; between two notes lie its end, init, and the start of a program.",
    );
    let candidates = [Init::Floor, Init::Ours, Init::OursStatic, Init::Sysvinit];
    let [table] = take_turns(
        extent.choose(15, 1),
        &candidates,
        [table],
        |init, [table]| {
            let plan = if init == Init::Floor {
                super::bed::floor(&["respawn", "/bin/stamp", "again"])
            } else {
                init.plan(&[Work::Respawn("/bin/stamp again".into())])
            };
            let machine = plan.boot();
            let times = stamps(&machine, "again", STARTS);
            let mut gaps: Vec<f64> = times[..STARTS]
                .windows(2)
                .map(|pair| pair[1] - pair[0])
                .collect();
            gaps.sort_by(f64::total_cmp);
            table.add(init.name(), gaps[gaps.len() / 2] / 1000.0);
        },
    );
    table
}

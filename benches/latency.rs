//! How soon something happens after it should.

use super::Extent;
use super::bed::{Init, stamps};
use super::stats::Comparison;
use super::support::namespace::Machine;
use super::turns::take_turns;
use super::work::Work;

/// As many as the original starts in two minutes before it holds an entry.
const STARTS: usize = 9;

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    vec![respawn(extent), level(extent)]
}

fn respawn(extent: Extent) -> Comparison {
    let table = Comparison::new(
        "From the end of an entry's process to the start of the next",
        "us",
        "floor",
        "The process notes the time and ends; between two notes lie its end, init, and the start of a program.",
    );
    let candidates = [Init::Floor, Init::Ours, Init::OursStatic, Init::Sysvinit];
    let mut tables = [table];
    take_turns(
        extent.choose(15, 1),
        &candidates,
        &mut tables,
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
    let [table] = tables;
    table
}

fn level(extent: Extent) -> Comparison {
    let table = Comparison::new(
        "From a request for a level to its first process",
        "us",
        "sysvinit",
        "A request is written into /run/initctl; nothing has to be stopped.",
    );
    let candidates = [Init::Ours, Init::OursStatic, Init::Sysvinit];
    let mut tables = [table];
    take_turns(
        extent.choose(15, 1),
        &candidates,
        &mut tables,
        |init, [table]| {
            let plan = init.plan(&[Work::Respawn("/bin/stamp -s up".into())]);
            plan.root().write(
            "/etc/inittab",
            "id:3:initdefault:\nr:34:respawn:+/bin/stamp -s up\nf:4:once:+/bin/stamp -s level\n",
        );
            let machine = plan.boot();
            stamps(&machine, "up", 1);
            let asked = asked_for_level_4(&machine);
            let reached = stamps(&machine, "level", 1)[0];
            table.add(init.name(), (reached - asked) / 1000.0);
        },
    );
    let [table] = tables;
    table
}

/// Writes the request when init is there to read it, and says when it was written.
fn asked_for_level_4(machine: &Machine) -> f64 {
    let mut request = [0_u8; 384];
    request[..4].copy_from_slice(&0x0309_1969_u32.to_ne_bytes());
    request[4..8].copy_from_slice(&1_u32.to_ne_bytes());
    request[8..12].copy_from_slice(&u32::from(b'4').to_ne_bytes());
    loop {
        let now = nix::time::clock_gettime(nix::time::ClockId::CLOCK_MONOTONIC).unwrap();
        if machine.try_ask(&request) {
            #[expect(clippy::cast_precision_loss, reason = "less than 2^52 ns are 52 days")]
            return now.tv_sec() as f64 * 1e9 + now.tv_nsec() as f64;
        }
        super::support::pause();
    }
}

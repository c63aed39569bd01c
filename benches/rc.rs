//! A level's scripts, run by rc.

use super::Extent;
use super::bed::{peers, run, stamped};
use super::scripts::{Order, crowd, install_debians_rc, link, root, script, timed};
use super::stats::{Comparison, turns};
use super::support::namespace::Plan;
use super::support::root::Root;
use super::turns::{Candidate, take_turns};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Who runs the scripts.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Rc {
    /// The same shells started by the bare loop.
    Floor,
    Ours,
    OursParallel,
    Debian,
    Startpar,
    Openrc,
}

impl Candidate for Rc {
    fn name(self) -> &'static str {
        match self {
            Rc::Floor => "floor",
            Rc::Ours => "ours",
            Rc::OursParallel => "ours, PARALLEL=yes",
            Rc::Debian => "Debian's rc",
            Rc::Startpar => "Debian's rc with startpar",
            Rc::Openrc => "OpenRC",
        }
    }

    fn is_peer(self) -> bool {
        matches!(self, Rc::Debian | Rc::Startpar | Rc::Openrc)
    }
}

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    let mut tables: Vec<Comparison> = extent
        .choose(vec![10, 100, 300, 1000], vec![10])
        .into_iter()
        .map(|count| trivial(extent, count))
        .collect();
    tables.push(chains(extent));
    tables.push(functions(extent));
    tables
}

fn trivial(extent: Extent, count: usize) -> Comparison {
    let table = Comparison::new(
        format!("{count} scripts that do nothing"),
        "ms",
        "floor",
        "The scripts are dash's, of one line and an LSB header. The floor starts the same shells one after another. OpenRC's \
         scripts are its own: it starts more than one shell for each.",
    )
    .with(count, "scripts run by rc, one after another");
    let all = [
        Rc::Floor,
        Rc::Ours,
        Rc::OursParallel,
        Rc::Debian,
        Rc::Startpar,
        Rc::Openrc,
    ];
    let candidates = if count > 300 { &all[..3] } else { &all[..] };
    let rounds = match count {
        0..=300 => 5,
        _ => 1,
    };
    let [table] = take_turns(
        extent.choose(rounds, 1),
        candidates,
        [table],
        |rc, [table]| {
            let time = match rc {
                Rc::Floor => {
                    let root = root();
                    crowd(&root, 1);
                    bare(root, count, "/etc/init.d/s0")
                }
                Rc::Openrc => openrc(count),
                _ => {
                    let root = root();
                    crowd(&root, count);
                    level(rc, root)
                }
            };
            table.add(rc.name(), time);
        },
    );
    table
}

/// Scripts that wait, so that the longest chain of them is all that has to be waited for.
fn chains(extent: Extent) -> Comparison {
    const CHAINS: usize = 4;
    const LENGTH: usize = 6;
    let table = Comparison::new(
        format!("{CHAINS} chains of {LENGTH} scripts that sleep for 0.1 s each"),
        "ms",
        "floor",
        "Each script requires the one before it in its chain. The floor runs one chain, the critical path.",
    );
    let candidates = [
        Rc::Floor,
        Rc::Ours,
        Rc::OursParallel,
        Rc::Debian,
        Rc::Startpar,
    ];
    let [table] = take_turns(extent.choose(5, 1), &candidates, [table], |rc, [table]| {
        let root = root();
        for chain in 0..CHAINS {
            for place in 0..LENGTH {
                let required = place
                    .checked_sub(1)
                    .map_or_else(String::new, |before| format!("c{chain}p{before}"));
                script(
                    &root,
                    &format!("c{chain}p{place}"),
                    &required,
                    "exec sleep 0.1",
                );
            }
        }
        let time = if rc == Rc::Floor {
            bare(root, LENGTH, "/etc/init.d/c0p0")
        } else {
            link(&root);
            level(rc, root)
        };
        table.add(rc.name(), time);
    });
    table
}

/// How many milliseconds one of our or of Debian's rc takes for level 2.
fn level(rc: Rc, root: Root) -> f64 {
    match rc {
        Rc::OursParallel => root.write("/etc/default/rc", "PARALLEL=yes\n"),
        Rc::Debian => install_debians_rc(&root, Order::ByLinks),
        Rc::Startpar => install_debians_rc(&root, Order::ByStartpar),
        _ => {}
    }
    timed(root, "", "/lib/init/rc 2")
}

/// How many milliseconds the bare loop takes to start a script so many times.
fn bare(root: Root, times: usize, script: &str) -> f64 {
    let words = ["floor", &times.to_string(), script, "start"];
    let plan = words
        .iter()
        .fold(Plan::on(root).in_container(), |plan, word| plan.word(word));
    let machine = plan.boot();
    (stamped(&machine, "last") - stamped(&machine, "first")) / 1e6
}

fn openrc(count: usize) -> f64 {
    let root = root();
    fs::remove_dir_all(root.at("/lib/init")).unwrap();
    run(Command::new("cp")
        .args(["-a", "--no-clobber"])
        .args(["lib", "sbin", "etc", "usr"].map(|folder| peers().join(folder)))
        .arg(root.path()));
    for level in ["sysinit", "boot", "default"] {
        fs::create_dir_all(root.at("/etc/runlevels").join(level)).unwrap();
    }
    fs::remove_dir_all(root.at("/etc/init.d")).unwrap();
    for number in 0..count {
        let file = format!("/etc/init.d/s{number}");
        root.script(&file, "");
        fs::write(root.at(&file), "#!/sbin/openrc-run\nstart() { :; }\n").unwrap();
        root.link(&file, &format!("etc/runlevels/default/s{number}"));
    }
    timed(
        root,
        "mkdir -p /run/openrc; openrc sysinit; openrc boot",
        "openrc default",
    )
}

/// What a script pays for the functions that it reads before it does anything.
fn functions(extent: Extent) -> Comparison {
    const SCRIPTS: [(&str, &str); 4] = [
        ("none", "exit 0"),
        (
            "Debian's vars.sh and init-functions",
            ". /lib/init/vars.sh\n. /lib/lsb/init-functions",
        ),
        ("our init.d/functions", ". /etc/init.d/functions"),
        ("our lsb/init-functions", ". /lib/lsb/ours"),
    ];
    let starts = extent.choose(100, 10);
    let mut table = Comparison::new(
        "Start of a script that reads functions first",
        "ms",
        "none",
        "The bare loop starts the script many times. Most of Debian's scripts read both of its files.",
    );
    let top = Path::new(env!("CARGO_MANIFEST_DIR"));
    for (name, text) in turns(extent.choose(9, 1), &SCRIPTS) {
        let root = root();
        install_debians_rc(&root, Order::ByLinks);
        for (file, inside) in [
            ("init.d/functions", "/etc/init.d/functions"),
            ("lib/lsb/init-functions", "/lib/lsb/ours"),
        ] {
            fs::copy(top.join(file), root.at(inside)).unwrap();
        }
        root.script("/etc/init.d/reads", text);
        #[expect(clippy::cast_precision_loss, reason = "small counts")]
        table.add(
            name,
            bare(root, starts, "/etc/init.d/reads") / starts as f64,
        );
    }
    table
}

//! What an administrator's commands take, on a machine with three hundred scripts.

use super::Extent;
use super::bed::run;
use super::scripts::{crowd, insserv_original, root, timed};
use super::stats::Comparison;
use super::support::root::Root;
use super::turns::{Candidate, take_turns};
use std::fs;
use std::process::Command;

/// Whose tools are called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Tools {
    Ours,
    Debian,
}

impl Candidate for Tools {
    fn name(self) -> &'static str {
        match self {
            Tools::Ours => "ours",
            Tools::Debian => "Debian's",
        }
    }

    fn is_peer(self) -> bool {
        self == Tools::Debian
    }
}

pub(crate) fn measure(extent: Extent) -> Vec<Comparison> {
    let many = extent.choose(300, 20);
    let mut tables = vec![
        command(extent, "service s7 status", 20, many),
        command(extent, "update-rc.d s7 defaults", 3, many),
    ];
    let counts = extent.choose(vec![10, 100, 300, 1000], vec![10]);
    tables.extend(
        counts
            .into_iter()
            .map(|count| command(extent, "insserv", 3, count)),
    );
    tables
}

fn command(extent: Extent, command: &str, times: u32, scripts: usize) -> Comparison {
    let table = Comparison::new(
        format!("`{command}` with {scripts} scripts"),
        "ms",
        "Debian's",
        "Time of one call among several, with the start of the program, and for a shell script of its interpreter.",
    );
    let table = if command == "insserv" {
        table.with(scripts, "scripts put in order by insserv")
    } else {
        table
    };
    // Debian's insserv needs ten times as long for three times the scripts.
    let all = [Tools::Ours, Tools::Debian];
    let candidates = if scripts > 300 { &all[..1] } else { &all[..] };
    let [table] = take_turns(
        extent.choose(5, 1),
        candidates,
        [table],
        |tools, [table]| {
            let root = root();
            crowd(&root, scripts);
            if tools == Tools::Debian {
                install_debians_tools(&root);
            }
            let numbers: Vec<String> = (0..times).map(|number| number.to_string()).collect();
            let calls = format!(
                "for call in {}; do {command} >/dev/null 2>&1 || break; done",
                numbers.join(" ")
            );
            table.add(tools.name(), timed(root, "", &calls) / f64::from(times));
        },
    );
    table
}

/// Debian's service, update-rc.d and insserv, with the Perl that the second is written in.
fn install_debians_tools(root: &Root) {
    let original = insserv_original();
    for link in ["sbin/insserv", "usr/sbin/service", "usr/sbin/update-rc.d"] {
        fs::remove_file(root.at(link)).unwrap();
    }
    run(Command::new("cp")
        .arg("-al")
        .arg(original.join("usr"))
        .arg(root.path()));
    root.link("../usr/sbin/insserv", "sbin/insserv");
    root.link("../usr/bin/perl", "bin/perl");
}

//! What a program weighs on a disk.

use super::Extent;
use super::bed::{Init, peers, programs, static_programs};
use super::stats::Comparison;
use super::turns::{Candidate, take_turns};
use std::fs;
use std::iter;
use std::path::Path;

pub(crate) fn measure(_: Extent) -> Vec<Comparison> {
    let inits = Comparison::new(
        "Size of the program of process 1",
        "KiB",
        "sysvinit",
        "The file itself, without the libraries it links. busybox is all of its programs in one file, linked statically.",
    );
    let [inits] = take_turns(1, &Init::ALL, [inits], |init, [inits]| {
        inits.add(init.name(), kib(&init.program()));
    });
    let mut all = Comparison::new(
        "Size of init and all tools",
        "KiB",
        "ours",
        "Every program of ours that `make install-bin` installs.",
    );
    let dynamic = ("ours", programs());
    let linked = static_programs().map(|folder| ("ours, static", folder));
    for (name, folder) in iter::once(dynamic).chain(linked) {
        let programs = ["init", "sysvtools", "bootlogd"];
        all.add(
            name,
            programs
                .iter()
                .map(|program| kib(&folder.join(program)))
                .sum(),
        );
    }
    vec![inits, all]
}

#[expect(clippy::cast_precision_loss, reason = "a file of less than 2^52 bytes")]
fn kib(file: &Path) -> f64 {
    let length = fs::metadata(file)
        .unwrap_or_else(|error| panic!("{}: {error}", file.display()))
        .len();
    length as f64 / 1024.0
}

/// The releases of what is compared, from the names of Debian's package files.
pub(crate) fn versions() -> Vec<(String, String)> {
    let packages = peers().parent().unwrap().join("packages");
    let mut found: Vec<_> = fs::read_dir(packages)
        .into_iter()
        .flatten()
        .filter_map(|entry| {
            let name = entry.ok()?.file_name().into_string().ok()?;
            let (package, rest) = name.split_once('_')?;
            let (version, _) = rest.split_once('_')?;
            let known = [
                "sysvinit-core",
                "busybox-static",
                "finit",
                "runit",
                "openrc",
                "s6",
                "tini",
            ];
            known
                .contains(&package)
                .then(|| (package.to_owned(), version.replace("%3a", ":")))
        })
        .collect();
    found.sort();
    found
}

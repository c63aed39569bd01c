//! Our programs on a tree: both take its root as an option.

use crate::tree::bare;
use std::path::Path;
use std::process::Output;

pub(crate) fn run(root: &Path, words: &[String]) -> Output {
    let (name, rest) = words.split_first().unwrap();
    bare(env!("CARGO_BIN_EXE_sysvtools"))
        .arg(name)
        .arg("--root")
        .arg(root)
        .args(rest)
        .output()
        .unwrap()
}

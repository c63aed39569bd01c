//! The rings of `doc/architecture.md`, read from the sources: a forbidden name in a file fails the build's tests.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::fs;
use std::path::{Path, PathBuf};

/// Files and folders below `src` that are not pure.
const IMPURE: [&str; 4] = ["bin", "cmd", "sys", "lib.rs"];
const PURE_MUST_NOT_NAME: [&str; 14] = [
    "crate::sys",
    "crate::cmd",
    "nix::",
    "libc::",
    "anyhow",
    "std::fs",
    "std::io",
    "std::env",
    "std::process",
    "std::thread",
    "std::net",
    "Instant",
    "SystemTime",
    "env_logger",
];
/// What PID 1 runs. `sys` and `utmp` are shared with tools, and name none of these either.
const OF_PID_1: [&str; 7] = [
    "cmd/init",
    "initctl",
    "inittab",
    "snapshot",
    "supervisor",
    "sys",
    "utmp",
];
/// A hash table asks the kernel for a random seed, and ends the process where there is none yet: early in a boot, on a
/// kernel before 5.6, without `/dev/urandom`.
const PID_1_MUST_NOT_NAME: [&str; 3] = ["HashMap", "HashSet", "RandomState"];
const SYS_MUST_NOT_NAME: [&str; 3] = ["crate::supervisor", "crate::cmd", "anyhow"];

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
    found
}

/// The code of a file: what stands before its unit tests, without comments.
fn code(path: &Path) -> String {
    let text = fs::read_to_string(path).unwrap();
    let code = text.split("#[cfg(test)]").next().unwrap_or_default();
    let lines: Vec<&str> = code
        .lines()
        .filter(|line| !line.trim_start().starts_with("//"))
        .collect();
    lines.join("\n")
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

fn pure_files() -> Vec<PathBuf> {
    rust_files(&src())
        .into_iter()
        .filter(|path| {
            let inside = path.strip_prefix(src()).unwrap();
            let first = inside.components().next().unwrap();
            !IMPURE.iter().any(|name| first.as_os_str() == *name)
                && !inside.ends_with("tests.rs")
                && !inside.components().any(|part| part.as_os_str() == "tests")
        })
        .collect()
}

fn offences(files: &[PathBuf], words: &[&str]) -> Vec<String> {
    let mut found = Vec::new();
    for path in files {
        let code = code(path);
        for word in words {
            if code.contains(word) {
                found.push(format!("{}: names {word}", path.display()));
            }
        }
    }
    found
}

#[test]
fn pure_modules_name_neither_the_system_nor_a_clock() {
    let files = pure_files();
    assert!(files.len() >= 4, "found only {files:?}");
    assert_eq!(offences(&files, &PURE_MUST_NOT_NAME), Vec::<String>::new());
}

#[test]
fn pure_modules_forbid_unsafe_code_themselves() {
    for path in pure_files() {
        let text = fs::read_to_string(&path).unwrap();
        assert!(
            text.contains("#![forbid(unsafe_code)]"),
            "{}",
            path.display()
        );
    }
}

#[test]
fn the_kernel_ring_knows_neither_supervisor_nor_commands() {
    let files = rust_files(&src().join("sys"));
    assert!(!files.is_empty());
    assert_eq!(offences(&files, &SYS_MUST_NOT_NAME), Vec::<String>::new());
}

#[test]
fn unsafe_stands_in_the_kernel_ring_only() {
    let sys = src().join("sys");
    for path in rust_files(&src()) {
        if !path.starts_with(&sys) {
            let words = code(&path).replace("unsafe_code", "");
            assert!(!words.contains("unsafe"), "{}", path.display());
        }
    }
}

#[test]
fn every_module_begins_by_saying_what_it_is() {
    for path in rust_files(&src()) {
        let text = fs::read_to_string(&path).unwrap();
        assert!(text.starts_with("//!"), "{}", path.display());
    }
}

#[test]
fn no_module_is_a_drawer() {
    for path in rust_files(&src()) {
        let name = path.file_stem().unwrap().to_string_lossy().into_owned();
        assert!(
            !["utils", "util", "helpers", "misc", "common", "core"].contains(&name.as_str()),
            "{}",
            path.display()
        );
    }
}

#[test]
fn pid_1_needs_no_random_numbers() {
    let files: Vec<PathBuf> = OF_PID_1
        .iter()
        .flat_map(|folder| rust_files(&src().join(folder)))
        .filter(|path| !path.ends_with("tests.rs"))
        .collect();
    assert!(files.len() > 50);
    assert_eq!(offences(&files, &PID_1_MUST_NOT_NAME), Vec::<String>::new());
}

//! The readers of foreign bytes against the seeds of the fuzzer, without a fuzzer: each seed as it is, cut short
//! at every place, with every byte changed in turn, and joined with the others.
//!
//! `make fuzz` looks for new ones. What it finds is kept in `fuzz/seeds`, under a name that says what it is.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::panic,
    clippy::string_slice,
    clippy::indexing_slicing,
    reason = "a test fails loudly"
)]

#[path = "../fuzz/readers.rs"]
mod readers;

use readers::READERS;
use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

/// What takes the place of a byte: the marks of our formats, and the ends of its range.
const REPLACEMENTS: &[u8] = b"\0\n:#= %~S0\x7f\x80\xff";
/// Longer seeds are not changed at every place, but at so many.
const MOST_PLACES: usize = 400;

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/seeds")
}

fn seeds(reader: &str) -> Vec<(PathBuf, Vec<u8>)> {
    let mut seeds: Vec<_> = fs::read_dir(folder().join(reader))
        .unwrap_or_else(|error| panic!("fuzz/seeds/{reader}: {error}"))
        .map(|entry| entry.unwrap().path())
        .map(|path| (path.clone(), fs::read(path).unwrap()))
        .collect();
    seeds.sort();
    seeds
}

/// Runs the reader on bytes; a panic shows them.
fn holds(reader: fn(&[u8]), bytes: &[u8], seed: &Path) {
    assert!(
        catch_unwind(|| reader(bytes)).is_ok(),
        "{}, changed to:\n{}",
        seed.display(),
        bytes.escape_ascii()
    );
}

#[test]
fn every_reader_has_seeds_and_every_folder_of_seeds_a_reader() {
    let mut folders: Vec<String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    folders.sort();
    let mut names = READERS.map(|(name, _)| name);
    names.sort_unstable();
    assert_eq!(folders, names);
    let manifest = fs::read_to_string(folder().with_file_name("Cargo.toml")).unwrap();
    for name in names {
        assert!(!seeds(name).is_empty(), "{name}");
        assert!(manifest.contains(&format!("path = \"targets/{name}.rs\"")));
    }
}

#[test]
fn what_holds_for_any_bytes_holds_for_the_seeds() {
    for (name, reader) in READERS {
        reader(b"");
        for (path, bytes) in seeds(name) {
            holds(reader, &bytes, &path);
        }
    }
}

#[test]
fn what_holds_for_any_bytes_holds_for_seeds_that_were_changed() {
    for (name, reader) in READERS {
        for (path, bytes) in seeds(name) {
            let step = bytes.len().div_ceil(MOST_PLACES).max(1);
            for at in (0..bytes.len()).step_by(step) {
                holds(reader, &bytes[..at], &path);
                let mut changed = bytes.clone();
                changed[at] = REPLACEMENTS[at % REPLACEMENTS.len()];
                holds(reader, &changed, &path);
                changed.remove(at);
                holds(reader, &changed, &path);
            }
        }
    }
}

#[test]
fn what_holds_for_any_bytes_holds_for_seeds_put_together() {
    for (name, reader) in READERS {
        let seeds = seeds(name);
        for (path, first) in &seeds {
            for (_, second) in &seeds {
                holds(reader, &[first.as_slice(), second].concat(), path);
                let half = first.len() / 2;
                holds(reader, &[&first[..half], second.as_slice()].concat(), path);
            }
        }
    }
}

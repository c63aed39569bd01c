//! inittab and inittab.d from disk to a table, with a message for every line that is not as it should be.

use crate::inittab::Inittab;
use crate::inittab::autocon::add_consoles;
use crate::inittab::parse::{Parsed, Source, SourceKind, parse};
use crate::paths::Paths;
use crate::sys;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// The most that is read of all files together: some hundred thousand lines. What is larger is not an inittab.
pub(super) const LARGEST: u64 = 16 << 20;
/// Most names of inittab.d that are looked at.
const MOST_FRAGMENTS: usize = 1_000;
/// Most messages about one reading; the rest is counted. A console at 9600 baud needs a minute for these.
const MOST_MESSAGES: usize = 50;

/// How often a file is tried. Much follows from what stands in it, and what a disk or a kernel short of memory refuses
/// once it often gives the next moment.
const TRIES: usize = 3;

/// Reads the table, says what is wrong with it, and returns what is right.
///
/// # Errors
/// There is an inittab, but it cannot be read; or there is neither an inittab nor a file in inittab.d. Which has
/// been said, and what it means is the caller's to decide.
pub(crate) fn read(paths: &Paths, say: &mut dyn FnMut(&str)) -> io::Result<Inittab> {
    let main = paths.inittab();
    let mut files: Vec<(PathBuf, SourceKind, Vec<u8>)> = Vec::new();
    let mut room = LARGEST;
    let missing = match read_file(&main, LARGEST) {
        Ok(text) => {
            room = room_beside(room, &text);
            files.push((main, SourceKind::Inittab, text));
            None
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            say("No inittab file found");
            Some(error)
        }
        Err(error) => {
            say(&format!("{}: {error}: it is not used", main.display()));
            return Err(error);
        }
    };
    for path in fragments_of(&paths.inittab_directory()) {
        match read_file(&path, room) {
            Ok(text) => {
                room = room_beside(room, &text);
                say(&format!("Reading: {}", path.display()));
                files.push((path, SourceKind::Fragment, text));
            }
            Err(error) => say(&format!("{}: {error}: it is not used", path.display())),
        }
    }
    if let Some(error) = missing.filter(|_| files.is_empty()) {
        return Err(error);
    }
    let shown: Vec<String> = files
        .iter()
        .map(|(path, _, _)| path.display().to_string())
        .collect();
    let sources: Vec<Source<'_>> = files
        .iter()
        .zip(&shown)
        .map(|((_, kind, text), path)| Source {
            path,
            text,
            kind: *kind,
        })
        .collect();
    let Parsed {
        mut table,
        diagnostics,
    } = parse(&sources);
    for diagnostic in diagnostics.iter().take(MOST_MESSAGES) {
        say(&diagnostic.to_string());
    }
    if let Some(more) = diagnostics
        .len()
        .checked_sub(MOST_MESSAGES)
        .filter(|&more| more > 0)
    {
        say(&format!("{more} more problems in the table"));
    }
    add_kernel_consoles(paths, &mut table, say);
    Ok(table)
}

fn room_beside(room: u64, text: &[u8]) -> u64 {
    room.saturating_sub(u64::try_from(text.len()).unwrap_or(room))
}

/// Reads a file, and tries again where that may help: a file that is not there or is none stays so.
pub(super) fn read_file(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let mut result = sys::files::read(path, most);
    for _ in 1..TRIES {
        let may_pass = result.as_ref().is_err_and(|error| {
            error.raw_os_error().is_some() && error.kind() != io::ErrorKind::NotFound
        });
        if !may_pass {
            break;
        }
        result = sys::files::read(path, most);
    }
    result
}

/// Tells whether there is anything to read a table from.
pub(super) fn is_there(paths: &Paths) -> bool {
    paths.inittab().exists() || !fragments_of(&paths.inittab_directory()).is_empty()
}

/// The `*.tab` files of a directory, sorted by name. A directory that is not there holds none.
pub(super) fn fragments_of(directory: &Path) -> Vec<PathBuf> {
    let mut names = sys::files::names(directory, MOST_FRAGMENTS).unwrap_or_default();
    names.retain(|name| name.len() > ".tab".len() && name.as_bytes().ends_with(b".tab"));
    names.sort();
    names.into_iter().map(|name| directory.join(name)).collect()
}

/// Adds a getty for every console the kernel was given, where its command line asks for that.
fn add_kernel_consoles(paths: &Paths, table: &mut Inittab, say: &mut dyn FnMut(&str)) {
    let Ok(words) = sys::files::read(&paths.at("/proc/cmdline"), LARGEST) else {
        return;
    };
    for added in add_consoles(table, &words) {
        let device = String::from_utf8_lossy(&added.device).into_owned();
        say(&format!("added agetty on {device} with id {}", added.id));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_files_together_are_no_larger_than_one_may_be() {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::new(root.path());
        std::fs::create_dir_all(paths.inittab_directory()).unwrap();
        std::fs::write(paths.inittab(), "1:3:once:/bin/true\n").unwrap();
        for (name, id) in [("a.tab", 'a'), ("b.tab", 'b'), ("c.tab", 'c')] {
            let mut text = format!("{id}:3:once:/bin/true\n");
            if id != 'c' {
                text.push_str(&"#\n".repeat(5 << 20));
            }
            std::fs::write(paths.inittab_directory().join(name), text).unwrap();
        }
        let mut said = Vec::new();
        let table = read(&paths, &mut |text| said.push(text.to_owned())).unwrap();
        let ids: Vec<String> = table
            .entries
            .iter()
            .map(|entry| entry.id.to_string())
            .collect();
        // With the way in that init adds.
        assert_eq!(ids, ["1", "~~", "a", "c"], "{said:?}");
        assert!(
            said.iter().any(|text| text.contains("b.tab: larger than")),
            "{said:?}"
        );
    }
}

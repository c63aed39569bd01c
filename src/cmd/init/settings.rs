//! `/etc/default/init` from disk to a value: whose output is recorded. Read whenever the table is, and by a new image of
//! init. Whatever is wrong there is said, and means that none is.

use super::table::read_file;
use crate::inittab::Inittab;
use crate::paths::Paths;
use crate::supervisor::outputs::Outputs;
use std::io;

/// The most that is read: a setting that names every entry of a large table, and many words about it.
const LARGEST: u64 = 64 << 10;
/// Most messages about the file; the rest is likely to be of the same kind.
const MOST_MESSAGES: usize = 5;

/// Reads whose output is recorded.
pub(super) fn read(paths: &Paths, say: &mut dyn FnMut(&str)) -> Outputs {
    let path = paths.init_settings();
    let shown = path.display();
    let file = match read_file(&path, LARGEST) {
        Ok(file) => file,
        Err(error) => {
            if error.kind() != io::ErrorKind::NotFound {
                say(&format!("{shown}: {error}: no output is recorded"));
            }
            return Outputs::default();
        }
    };
    Outputs::parse(&file).unwrap_or_else(|diagnostics| {
        for diagnostic in diagnostics.iter().take(MOST_MESSAGES) {
            let (line, problem) = (diagnostic.line, &diagnostic.problem);
            say(&format!("{shown}:{line}: {problem}"));
        }
        say(&format!("{shown}: no output is recorded"));
        Outputs::default()
    })
}

/// Says which names in it stand for no entry.
pub(super) fn tell_unknown(
    paths: &Paths,
    outputs: &Outputs,
    table: &Inittab,
    say: &mut dyn FnMut(&str),
) {
    for id in outputs.unknown(table).take(MOST_MESSAGES) {
        let path = paths.init_settings();
        say(&format!("{}: there is no entry \"{id}\"", path.display()));
    }
}

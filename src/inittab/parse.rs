//! Bytes of inittab(5) to a table and a list of what is wrong.
//!
//! Reads `/etc/inittab` and the fragments of `/etc/inittab.d`, never fails as a whole and never loses a good
//! line because of a bad one. Does not read files, and does not compare with the table init works by.
//!
//! The grammar is the original's: blanks before the first field are skipped, `#` starts a comment line, the
//! first three colons split, fields are not trimmed, and there is neither quoting nor continuation. Lines may
//! be of any length. Where this differs from the original is listed in `doc/compatibility.md`.
#![forbid(unsafe_code)]

use super::diagnostic::{Diagnostic, Field, Problem};
use super::{Action, Entry, EntryId, Inittab, MAX_DIAGNOSTICS, MAX_ENTRIES, MAX_ID};
use crate::runlevel::{PseudoLevel, Runlevel};
use std::collections::BTreeMap;

/// The longest third field that is quoted in a message; every action's name is much shorter.
const MAX_ACTION: usize = 32;

/// What a file is to init.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// `/etc/inittab` itself; only its entries decide whether single user mode needs the fallback.
    Inittab,
    /// A file of `/etc/inittab.d`.
    Fragment,
}

/// One file that has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Source<'a> {
    /// The name messages show.
    pub path: &'a str,
    /// Its bytes. The caller bounds them.
    pub text: &'a [u8],
    /// Which kind of file it is.
    pub kind: SourceKind,
}

/// What became of the files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Parsed {
    /// The good lines and the fallback, in working order.
    pub table: Inittab,
    /// Everything that is wrong, in the order of the files.
    pub diagnostics: Vec<Diagnostic>,
}

/// Reads all files into one table.
///
/// The inittab comes first whatever its place in the list, then the fragments in theirs, which is the
/// caller's to sort. With no file at all the table holds the fallback `~~:S:wait:/sbin/sulogin` alone.
pub fn parse(sources: &[Source<'_>]) -> Parsed {
    let Reading {
        kept,
        broken,
        diagnostics,
    } = read(sources);
    let (mut entries, rest): (Vec<_>, Vec<_>) = kept
        .into_iter()
        .map(|kept| kept.entry)
        .partition(|entry| entry.action.goes_first());
    entries.extend(rest);
    Parsed {
        table: Inittab { entries, broken },
        diagnostics,
    }
}

/// An entry and where it stands; the fallback stands nowhere.
#[derive(Debug, Clone)]
pub(crate) struct Kept<'a> {
    pub(crate) entry: Entry,
    pub(crate) place: Option<Place<'a>>,
}

/// Where the fields of an entry begin.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place<'a> {
    pub(crate) path: &'a str,
    pub(crate) line: usize,
    pub(crate) runlevels: usize,
    pub(crate) process: usize,
}

/// What the lines of all files came to.
pub(crate) struct Reading<'a> {
    pub(crate) kept: Vec<Kept<'a>>,
    pub(crate) broken: Vec<EntryId>,
    pub(crate) diagnostics: Vec<Diagnostic>,
}

/// Reads all files in the order of their lines.
pub(crate) fn read<'a>(sources: &[Source<'a>]) -> Reading<'a> {
    let mut reader = Reader::default();
    reader.read_all(sources, SourceKind::Inittab);
    let has_way = |kept: &Kept<'_>| gives_a_way_into_single_user(&kept.entry);
    if !reader.kept.iter().any(has_way) {
        reader.kept.push(Kept {
            entry: single_user_fallback(),
            place: None,
        });
    }
    reader.read_all(sources, SourceKind::Fragment);
    Reading {
        kept: reader.kept,
        broken: reader.broken,
        diagnostics: reader.diagnostics,
    }
}

/// The entry that single user mode gets where the inittab has none for it.
pub fn single_user_fallback() -> Entry {
    Entry::new(
        EntryId::fallback(),
        b"S",
        Action::Wait,
        b"/sbin/sulogin".as_slice(),
    )
}

/// Compat: the original looks for a capital S in any runlevels field, also where nothing can start by it
/// (off, initdefault, or the field an empty ctrlaltdel gets), and then leaves single user mode empty.
fn gives_a_way_into_single_user(entry: &Entry) -> bool {
    entry.action.is_started_by_level() && entry.runlevels.contains(Runlevel::SINGLE)
}

/// The four fields of a line as far as it has them, each with its column.
struct Fields<'a> {
    id: Placed<'a>,
    runlevels: Option<Placed<'a>>,
    action: Option<Placed<'a>>,
    process: Option<Placed<'a>>,
    /// The column behind the last byte of the line.
    end: usize,
}

/// Bytes of a line and the column of the first of them.
#[derive(Clone, Copy)]
struct Placed<'a> {
    bytes: &'a [u8],
    column: usize,
}

impl Placed<'_> {
    /// Splits at the first colon.
    fn split(self) -> (Self, Option<Self>) {
        let mut parts = self.bytes.splitn(2, |&byte| byte == b':');
        let bytes = parts.next().unwrap_or_default();
        let before = Self { bytes, ..self };
        let after = parts.next().map(|bytes| Self {
            bytes,
            column: self.column + before.bytes.len() + 1,
        });
        (before, after)
    }
}

impl<'a> Fields<'a> {
    fn split(line: Placed<'a>) -> Self {
        let (id, rest) = line.split();
        let (runlevels, rest) = rest.map(Placed::split).unzip();
        let (action, rest) = rest.flatten().map(Placed::split).unzip();
        Self {
            id,
            runlevels,
            action,
            process: rest.flatten(),
            end: line.column + line.bytes.len(),
        }
    }
}

/// Where the kept entry with some id stands.
struct Origin<'a> {
    path: &'a str,
    line: usize,
}

/// The place in the files that is being read, and what came of it so far.
#[derive(Default)]
struct Reader<'a> {
    path: &'a str,
    line: usize,
    kept: Vec<Kept<'a>>,
    broken: Vec<EntryId>,
    ids: BTreeMap<&'a [u8], Origin<'a>>,
    diagnostics: Vec<Diagnostic>,
}

impl<'a> Reader<'a> {
    fn read_all(&mut self, sources: &[Source<'a>], kind: SourceKind) {
        for source in sources.iter().filter(|source| source.kind == kind) {
            self.read(source);
        }
    }

    fn read(&mut self, source: &Source<'a>) {
        self.path = source.path;
        let mut has_carriage_returns = false;
        // The piece behind the last newline is a line as well, or empty and skipped as such.
        for (index, line) in source.text.split(|&byte| byte == b'\n').enumerate() {
            self.line = index + 1;
            let line = match line.split_last() {
                Some((b'\r', before)) => {
                    if !has_carriage_returns {
                        has_carriage_returns = true;
                        self.report(line.len(), Problem::CarriageReturn);
                    }
                    before
                }
                _ => line,
            };
            let content = without_leading_blanks(line);
            let column = line.len() - content.len() + 1;
            if matches!(content.first(), None | Some(b'#')) {
                continue;
            }
            if self.kept.len() >= MAX_ENTRIES {
                self.report(column, Problem::TooManyEntries);
                break;
            }
            self.read_line(Placed {
                bytes: content,
                column,
            });
        }
    }

    /// Keeps a line as an entry, or says why not; every problem of the line is reported.
    fn read_line(&mut self, line: Placed<'a>) {
        if let Some(offset) = line.bytes.iter().position(|&byte| byte == 0) {
            self.report(line.column + offset, Problem::Nul);
            self.note_broken(line.split().0);
            return;
        }
        let fields = Fields::split(line);
        let Some(runlevels) = fields.runlevels else {
            self.report(fields.end, Problem::Missing(Field::Runlevels));
            self.note_broken(fields.id);
            return;
        };
        // All three run whatever the others find, so that one reading shows everything there is to correct.
        let id = self.check_id(fields.id);
        let action = self.check_action(&fields, runlevels);
        if let (Some(id), Some((action, process))) = (id, action) {
            if id != b"~~" {
                let origin = Origin {
                    path: self.path,
                    line: self.line,
                };
                self.ids.insert(id, origin);
            }
            self.kept.push(Kept {
                entry: Entry::new(EntryId::new(id), runlevels.bytes, action, process.bytes),
                place: Some(Place {
                    path: self.path,
                    line: self.line,
                    runlevels: runlevels.column,
                    process: process.column,
                }),
            });
        } else {
            self.note_broken(fields.id);
        }
    }

    /// Remembers whose line was left out. A process that runs for that id is not to suffer for it.
    fn note_broken(&mut self, id: Placed<'a>) {
        let is_one = !id.bytes.is_empty() && id.bytes.len() <= MAX_ID;
        if is_one && self.broken.len() < MAX_ENTRIES {
            self.broken.push(EntryId::new(id.bytes));
        }
    }

    fn check_id(&mut self, id: Placed<'a>) -> Option<&'a [u8]> {
        let problem = if id.bytes.is_empty() {
            Problem::Missing(Field::Id)
        } else if id.bytes.len() > MAX_ID {
            Problem::IdTooLong
        } else if let Some(first) = self.ids.get(id.bytes) {
            Problem::DuplicateId {
                id: EntryId::new(id.bytes),
                first_path: first.path.to_owned(),
                first_line: first.line,
            }
        } else {
            return Some(id.bytes);
        };
        self.report(id.column, problem);
        None
    }

    /// Checks the second to fourth field and returns what the third and fourth hold.
    fn check_action(
        &mut self,
        fields: &Fields<'a>,
        runlevels: Placed<'a>,
    ) -> Option<(Action, Placed<'a>)> {
        let named = fields.action.filter(|action| !action.bytes.is_empty());
        let Some(word) = named else {
            self.check_runlevels(runlevels);
            let column = fields.action.map_or(fields.end, |action| action.column);
            self.report(column, Problem::Missing(Field::Action));
            return None;
        };
        let action = Action::from_name(word.bytes);
        // What stands in the second field of these never counts, so nothing in it can be wrong.
        if !matches!(
            action,
            Some(Action::SysInit | Action::Boot | Action::BootWait)
        ) {
            self.check_runlevels(runlevels);
        }
        if action.is_none() {
            let problem = if word.bytes.len() > MAX_ACTION {
                Problem::ActionTooLong
            } else {
                Problem::UnknownAction(word.bytes.into())
            };
            self.report(word.column, problem);
        }
        if fields.process.is_none() {
            self.report(fields.end, Problem::Missing(Field::Process));
        }
        action.zip(fields.process)
    }

    /// Warns of the first character that names nothing.
    fn check_runlevels(&mut self, field: Placed<'_>) {
        let stranger = field.bytes.iter().enumerate().find(|(_, byte)| {
            Runlevel::from_byte(**byte).is_none() && PseudoLevel::from_byte(**byte).is_none()
        });
        if let Some((offset, &byte)) = stranger {
            self.report(field.column + offset, Problem::UnknownRunlevel(byte));
        }
    }

    fn report(&mut self, column: usize, problem: Problem) {
        let problem = match self.diagnostics.len() {
            0..MAX_DIAGNOSTICS => problem,
            MAX_DIAGNOSTICS => Problem::TooManyProblems,
            _ => return,
        };
        self.diagnostics.push(Diagnostic {
            path: self.path.to_owned(),
            line: self.line,
            column,
            problem,
        });
    }
}

/// Leaves out the blanks a line may begin with.
fn without_leading_blanks(line: &[u8]) -> &[u8] {
    let mut rest = line;
    while let Some((b' ' | b'\t', after)) = rest.split_first() {
        rest = after;
    }
    rest
}

#[cfg(test)]
mod tests;

//! `initctl log NAME`: what a script has printed, or what the record tells of an inittab entry.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::{Context, bail};

use super::args::Form;
use super::{boot, printable};
use crate::cmd::recorder::reading::history;
use crate::json::Value;
use crate::paths::Paths;
use crate::record::{History, Kept, Kind, Line, Note};
use crate::sys;

/// An output with the line that says what is left out of it.
const LARGEST_OUTPUT: u64 = Kept::MOST as u64 + 200;
/// More files than any machine has scripts.
const MOST_OUTPUTS: usize = 10_000;

/// What a script has printed when it was last called with a word.
struct Output {
    /// The script's name, a dot, and the word.
    file: OsString,
    bytes: Vec<u8>,
}

/// Prints what a script has printed, for each argument it was called with. The output of an entry goes to the console
/// and not through init; what else is recorded of it is shown.
pub(super) fn log(paths: &Paths, name: &OsStr, form: Form) -> anyhow::Result<()> {
    let outputs = outputs(paths, name)?;
    let (kind, history) = if outputs.is_empty() {
        let known = history(paths).with_context(|| format!("log: {}", printable(name)))?;
        if !is_known_entry(&known, name) {
            bail!("{}: no output is recorded", printable(name));
        }
        (Kind::Entry, Some(known))
    } else {
        (Kind::Script, history(paths).ok())
    };
    match (form, kind) {
        (Form::Json, _) => {
            let value = value(name, kind, &outputs, history.as_ref());
            Ok(sys::print::text(&value.to_text())?)
        }
        (Form::Text, Kind::Entry) => print_lines(paths, name),
        (Form::Text, Kind::Script | Kind::Run) => print_outputs(&outputs),
    }
}

fn is_known_entry(history: &History, name: &OsStr) -> bool {
    let items = history.items.iter().map(|item| &item.subject);
    let mut subjects = items.chain(history.notes.iter().map(|note| &note.subject));
    subjects.any(|subject| subject.kind == Kind::Entry && *subject.name == *name.as_bytes())
}

fn print_outputs(outputs: &[Output]) -> anyhow::Result<()> {
    for output in outputs {
        if outputs.len() > 1 {
            sys::print::text(&format!("==> {} <==\n", printable(&output.file)))?;
        }
        sys::print::bytes(&output.bytes)?;
        if !output.bytes.is_empty() && !output.bytes.ends_with(b"\n") {
            sys::print::text("\n")?;
        }
    }
    Ok(())
}

fn print_lines(paths: &Paths, name: &OsStr) -> anyhow::Result<()> {
    let mut lines = boot::lines(paths)?;
    lines.retain(|line| {
        let subject = match line {
            Line::Boot(_) => return false,
            Line::Begin(begin) => &begin.subject,
            Line::End(end) => &end.subject,
            Line::Note(note) => &note.subject,
        };
        subject.kind == Kind::Entry && *subject.name == *name.as_bytes()
    });
    sys::print::text(&lines.iter().map(boot::told).collect::<String>())?;
    sys::print::error(&format!(
        "initctl: {}: the output of inittab entries goes to the console and is not kept",
        printable(name)
    ));
    Ok(())
}

fn value(name: &OsStr, kind: Kind, outputs: &[Output], history: Option<&History>) -> Value {
    let is_its = |subject: &crate::record::Subject| {
        subject.kind == kind && *subject.name == *name.as_bytes()
    };
    let items = history.iter().flat_map(|history| &history.items);
    let notes = history.iter().flat_map(|history| &history.notes);
    let note = |note: &Note| {
        Value::Object(vec![
            ("up", Value::Seconds(note.at.up.0)),
            ("wall", Value::Seconds(note.at.wall)),
            ("text", Value::bytes(&note.text)),
        ])
    };
    let output = |output: &Output| {
        let argument = argument(&output.file, name).unwrap_or_default();
        Value::Object(vec![
            ("argument", Value::bytes(argument)),
            ("text", Value::bytes(&output.bytes)),
        ])
    };
    Value::Object(vec![
        ("kind", Value::text(kind.name())),
        ("name", Value::bytes(name.as_bytes())),
        ("outputs", Value::List(outputs.iter().map(output).collect())),
        (
            "processes",
            Value::List(
                items
                    .filter(|item| is_its(&item.subject))
                    .map(boot::item_value)
                    .collect(),
            ),
        ),
        (
            "notes",
            Value::List(
                notes
                    .filter(|note| is_its(&note.subject))
                    .map(note)
                    .collect(),
            ),
        ),
    ])
}

/// The word in the name of an output's file, if it is of this script.
fn argument<'a>(file: &'a OsStr, name: &OsStr) -> Option<&'a [u8]> {
    let rest = file.as_bytes().strip_prefix(name.as_bytes())?;
    let word = rest.strip_prefix(b".")?;
    (!word.is_empty() && word.iter().all(u8::is_ascii_lowercase)).then_some(word)
}

/// Reads the outputs of a script, of this boot or of the last one that was carried to where it lasts.
fn outputs(paths: &Paths, name: &OsStr) -> anyhow::Result<Vec<Output>> {
    for folder in [
        paths.script_output(),
        paths.lasting_boot_log().join("output"),
    ] {
        let outputs = outputs_in(&folder, name)?;
        if !outputs.is_empty() {
            return Ok(outputs);
        }
    }
    Ok(Vec::new())
}

fn outputs_in(folder: &Path, name: &OsStr) -> anyhow::Result<Vec<Output>> {
    let mut files = sys::files::names(folder, MOST_OUTPUTS).unwrap_or_default();
    files.retain(|file| argument(file, name).is_some());
    files.sort_unstable();
    let read = |file: OsString| {
        let path = folder.join(&file);
        let bytes =
            sys::files::read(&path, LARGEST_OUTPUT).with_context(|| path.display().to_string())?;
        Ok(Output { file, bytes })
    };
    files.into_iter().map(read).collect()
}

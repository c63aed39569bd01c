//! `initctl log NAME`: what a script has printed, or what is recorded of an inittab entry, with what its processes have
//! printed where that is kept.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};

use super::args::Form;
use super::{boot, printable};
use crate::cmd::recorder::reading::history;
use crate::json::Value;
use crate::paths::Paths;
use crate::process::Pid;
use crate::record::{History, Item, Kept, Kind, Line, Note, Subject, process_of_output};
use crate::sys;

/// An output with the line that says what is left out of it.
const LARGEST_OUTPUT: u64 = Kept::MOST as u64 + 200;
/// More files than any machine has scripts.
const MOST_OUTPUTS: usize = 10_000;

/// What a script has printed when it was last called with a word, or what a process of an entry has printed.
struct Output {
    whose: Whose,
    file: OsString,
    bytes: Vec<u8>,
}

/// What tells the outputs of one name apart.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Whose {
    /// The word that a script was called with.
    Argument(Vec<u8>),
    /// The process of an entry.
    Process(Pid),
}

/// Prints what a script has printed, for each argument it was called with. Of an entry it prints what is recorded, and the
/// output of its last processes.
pub(super) fn log(paths: &Paths, name: &OsStr, form: Form) -> anyhow::Result<()> {
    let folders = [paths.kept_output(), paths.lasting_boot_log().join("output")];
    let scripts = outputs(&folders, |file| argument(file, name).map(Whose::Argument))?;
    let (kind, outputs, history) = if scripts.is_empty() {
        let known = history(paths);
        let is_known = known
            .as_ref()
            .is_ok_and(|known| is_known_entry(known, name));
        // Numbers of another boot would be taken for those of processes that are recorded of this one.
        let folders = if is_known { &folders[..1] } else { &folders };
        let processes = outputs(folders, |file| {
            process_of_output(file, name.as_bytes()).map(Whose::Process)
        })?;
        if processes.is_empty() && !is_known {
            known.with_context(|| format!("log: {}", printable(name)))?;
            bail!("{}: no output is recorded", printable(name));
        }
        let history = known.ok();
        let processes = in_order(processes, name, history.as_ref());
        (Kind::Entry, processes, history)
    } else {
        (Kind::Script, scripts, history(paths).ok())
    };
    match (form, kind) {
        (Form::Json, _) => {
            let value = value(name, kind, &outputs, history.as_ref());
            Ok(sys::print::text(&value.to_text())?)
        }
        (Form::Text, Kind::Entry) => {
            if history.is_some() {
                print_lines(paths, name)?;
            }
            if outputs.is_empty() {
                tell_how_to_record(name);
            }
            print_outputs(&outputs)
        }
        (Form::Text, Kind::Script | Kind::Run) => print_outputs(&outputs),
    }
}

/// Sorts the outputs of an entry's processes by when these began, as far as that is known.
fn in_order(mut outputs: Vec<Output>, id: &OsStr, history: Option<&History>) -> Vec<Output> {
    let began = |pid: Pid| {
        let items = history.into_iter().flat_map(|history| &history.items);
        let its = items.filter(|item| item.pid == Some(pid) && is_of_entry(&item.subject, id));
        its.filter_map(Item::began).next_back()
    };
    outputs.sort_by_key(|output| {
        let pid = match output.whose {
            Whose::Process(pid) => Some(pid),
            Whose::Argument(_) => None,
        };
        // Of one that was started a moment ago the record may not tell yet.
        let began = pid.and_then(began);
        (began.is_none(), began, pid)
    });
    outputs
}

fn is_of_entry(subject: &Subject, id: &OsStr) -> bool {
    subject.kind == Kind::Entry && *subject.name == *id.as_bytes()
}

fn is_known_entry(history: &History, name: &OsStr) -> bool {
    let items = history.items.iter().map(|item| &item.subject);
    let mut subjects = items.chain(history.notes.iter().map(|note| &note.subject));
    subjects.any(|subject| is_of_entry(subject, name))
}

fn print_outputs(outputs: &[Output]) -> anyhow::Result<()> {
    for output in outputs {
        // An entry's stand behind the lines of the record.
        let is_of_process = matches!(output.whose, Whose::Process(_));
        if outputs.len() > 1 || is_of_process {
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
        is_of_entry(subject, name)
    });
    Ok(sys::print::text(
        &lines.iter().map(boot::told).collect::<String>(),
    )?)
}

fn tell_how_to_record(name: &OsStr) {
    sys::print::error(&format!(
        "initctl: {}: no output is recorded; RECORD_OUTPUT in /etc/default/init has init record it",
        printable(name)
    ));
}

fn value(name: &OsStr, kind: Kind, outputs: &[Output], history: Option<&History>) -> Value {
    let is_its = |subject: &Subject| subject.kind == kind && *subject.name == *name.as_bytes();
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
        let whose = match &output.whose {
            Whose::Argument(word) => ("argument", Value::bytes(word)),
            Whose::Process(pid) => (
                "pid",
                Value::known(u64::try_from(pid.get()).ok(), Value::Number),
            ),
        };
        Value::Object(vec![whose, ("text", Value::bytes(&output.bytes))])
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
fn argument(file: &[u8], name: &OsStr) -> Option<Vec<u8>> {
    let rest = file.strip_prefix(name.as_bytes())?;
    let word = rest.strip_prefix(b".")?;
    let is_word = !word.is_empty() && word.iter().all(u8::is_ascii_lowercase);
    is_word.then(|| word.to_owned())
}

/// Reads outputs from the first of the folders that has any: of this boot, or of the last one that was carried to where it
/// lasts. Taken are those of which `whose` knows whose they are by the name of the file.
fn outputs(
    folders: &[PathBuf],
    whose: impl Fn(&[u8]) -> Option<Whose>,
) -> anyhow::Result<Vec<Output>> {
    for folder in folders {
        let outputs = outputs_in(folder, &whose)?;
        if !outputs.is_empty() {
            return Ok(outputs);
        }
    }
    Ok(Vec::new())
}

fn outputs_in(
    folder: &Path,
    whose: &impl Fn(&[u8]) -> Option<Whose>,
) -> anyhow::Result<Vec<Output>> {
    let mut files = sys::files::names(folder, MOST_OUTPUTS).unwrap_or_default();
    files.sort_unstable();
    let read = |file: OsString| {
        let whose = whose(file.as_bytes())?;
        let path = folder.join(&file);
        let bytes = match sys::files::read(&path, LARGEST_OUTPUT) {
            Ok(bytes) => bytes,
            // A later process of the entry has taken its place meanwhile.
            Err(error) if error.kind() == io::ErrorKind::NotFound => return None,
            Err(error) => {
                return Some(Err(error).with_context(|| path.display().to_string()));
            }
        };
        Some(Ok(Output { whose, file, bytes }))
    };
    files.into_iter().filter_map(read).collect()
}

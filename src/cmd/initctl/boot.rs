//! What `initctl` tells of the whole boot: `record`, `blame`, `chart`.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use anyhow::Context;

use super::args::Form;
use crate::cmd::recorder::reading::{history, text};
use crate::columns::aligned;
use crate::json::Value;
use crate::paths::Paths;
use crate::record::{
    self, Fate, History, Item, Line, Moment, Share, ending, memory, parse, shown, took,
};
use crate::sys;

/// Letters of a process field that are shown.
const LONGEST: usize = 60;

/// Prints the whole record, a line each.
pub(super) fn record(paths: &Paths, form: Form) -> anyhow::Result<()> {
    let lines = lines(paths)?;
    let value = || {
        let items = History::of(lines.iter().cloned()).items;
        Value::List(items.iter().map(item_value).collect())
    };
    match form {
        Form::Text => sys::print::text(&lines.iter().map(told).collect::<String>())?,
        Form::Json => sys::print::text(&value().to_text())?,
    }
    Ok(())
}

/// Reads the record, by time.
pub(super) fn lines(paths: &Paths) -> anyhow::Result<Vec<Line>> {
    let path = paths.record();
    let text = text(paths).with_context(|| path.display().to_string())?;
    let (mut lines, problems) = parse(&text);
    // What was held comes behind what was not.
    lines.sort_by_key(|line| line.at().up);
    for problem in problems {
        sys::print::error(&format!("initctl: {}: {problem}", path.display()));
    }
    Ok(lines)
}

/// A line of the record as people read it.
pub(super) fn told(line: &Line) -> String {
    let at = line.at().up.0.as_secs_f64();
    let whose = |subject: &record::Subject| {
        format!(
            "{} {} {}",
            subject.kind.name(),
            shown(&subject.name, LONGEST),
            shown(&subject.argument, LONGEST)
        )
    };
    let text = match line {
        Line::Boot(boot) => {
            let id = boot.id.as_deref().unwrap_or(b"not known yet");
            format!("boot   {}", shown(id, LONGEST))
        }
        Line::Begin(begin) => {
            let pid = begin
                .pid
                .map_or_else(String::new, |pid| format!(", pid {pid}"));
            format!(
                "begin  {}{pid}  {}",
                whose(&begin.subject),
                shown(&begin.what, LONGEST)
            )
        }
        Line::End(end) => {
            let usage = end.usage.map_or_else(String::new, |usage| {
                format!(
                    ", processor {}, memory {}",
                    took(usage.user + usage.system),
                    memory(usage.peak)
                )
            });
            format!("end    {}: {}{usage}", whose(&end.subject), ending(end))
        }
        Line::Note(note) => format!(
            "note   {}: {}",
            whose(&note.subject),
            shown(&note.text, 200)
        ),
    };
    format!("{at:10.3}  {}\n", text.trim_end())
}

/// Prints what took the time.
pub(super) fn blame(paths: &Paths, form: Form) -> anyhow::Result<()> {
    let history = history(paths)?;
    let shares = record::blame(&history, sys::clock::now());
    let heads = ["TIME", "CPU", "MEMORY", "RESULT", "NAME"];
    let mut rows = vec![heads.map(str::to_owned)];
    rows.extend(shares.iter().map(blame_row));
    let values = shares.iter().map(|share| item_value(share.item)).collect();
    super::print(form, || aligned(&rows), &Value::List(values))
}

fn blame_row(share: &Share<'_>) -> [String; 5] {
    let usage = share.item.end().and_then(|end| end.usage);
    let result = match &share.item.fate {
        Fate::Running => "still runs".to_owned(),
        Fate::Lost => "not recorded".to_owned(),
        Fate::Ended(end) => ending(end),
    };
    let subject = &share.item.subject;
    [
        took(share.time),
        usage.map_or_else(String::new, |usage| took(usage.user + usage.system)),
        usage.map_or_else(String::new, |usage| memory(usage.peak)),
        result,
        format!(
            "{} {}",
            shown(&subject.name, LONGEST),
            shown(&subject.argument, LONGEST)
        ),
    ]
}

/// All that is recorded of a process, for programs.
pub(super) fn item_value(item: &Item) -> Value {
    let begin = item.begin.as_ref();
    let end = item.end();
    let usage = end.and_then(|end| end.usage);
    let state = match &item.fate {
        Fate::Running => "running",
        Fate::Lost => "lost",
        Fate::Ended(_) => "ended",
    };
    let up = |at: Moment| Value::Seconds(at.up.0);
    let wall = |at: Moment| Value::Seconds(at.wall);
    Value::Object(vec![
        ("kind", Value::text(item.subject.kind.name())),
        ("name", Value::bytes(&item.subject.name)),
        ("argument", Value::bytes(&item.subject.argument)),
        (
            "what",
            Value::known(begin, |begin| Value::bytes(&begin.what)),
        ),
        (
            "pid",
            Value::known(
                item.pid.and_then(|pid| u64::try_from(pid.get()).ok()),
                Value::Number,
            ),
        ),
        ("state", Value::text(state)),
        ("begin_up", Value::known(begin.map(|begin| begin.at), up)),
        (
            "begin_wall",
            Value::known(begin.map(|begin| begin.at), wall),
        ),
        ("end_up", Value::known(end.map(|end| end.at), up)),
        ("end_wall", Value::known(end.map(|end| end.at), wall)),
        ("result", Value::known(end, |end| Value::text(ending(end)))),
        (
            "verdict",
            Value::known(end, |end| Value::text(end.verdict.name())),
        ),
        (
            "user",
            Value::known(usage, |usage| Value::Seconds(usage.user)),
        ),
        (
            "system",
            Value::known(usage, |usage| Value::Seconds(usage.system)),
        ),
        (
            "peak",
            Value::known(usage, |usage| Value::Number(usage.peak)),
        ),
        (
            "output",
            Value::known(end.and_then(|end| end.output), Value::Number),
        ),
    ])
}

/// Draws the boot. For programs, what is drawn stands beside the picture.
pub(super) fn chart(paths: &Paths, output: Option<&Path>, form: Form) -> anyhow::Result<()> {
    let history = history(paths)?;
    let heading = heading(&history);
    let svg = record::chart(&history, &heading, sys::clock::now());
    if let Some(path) = output {
        sys::files::write(path, svg.as_bytes()).with_context(|| path.display().to_string())?;
    }
    match form {
        Form::Text if output.is_some() => Ok(()),
        Form::Text => Ok(sys::print::text(&svg)?),
        Form::Json => {
            let value = Value::Object(vec![
                ("heading", Value::text(heading)),
                (
                    "file",
                    Value::known(output, |path| Value::bytes(path.as_os_str().as_bytes())),
                ),
                (
                    "svg",
                    Value::known(output.is_none().then_some(svg), Value::Text),
                ),
                (
                    "processes",
                    Value::List(history.items.iter().map(item_value).collect()),
                ),
            ]);
            Ok(sys::print::text(&value.to_text())?)
        }
    }
}

/// Names the boot by the machine and the time of its last line's clock, which is the best set one.
fn heading(history: &History) -> String {
    let mut text = String::from("Boot");
    let name = sys::identity::host_name();
    if !name.is_empty() {
        // Writing to a String cannot fail.
        write!(text, " of {name}").unwrap_or_default();
    }
    let mut moments = history
        .items
        .iter()
        .filter_map(|item| Some(item.begin.as_ref()?.at));
    if let Some(at) = moments.next_back()
        && let Some(started) = at.wall.checked_sub(at.up.0)
        && let Ok(time) = sys::calendar::local(started)
    {
        write!(text, ", {time}").unwrap_or_default();
    }
    text
}

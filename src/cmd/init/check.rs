//! `init --check [--json] [FILE]`: reads a table as PID 1 would and says what is wrong with it, all at once.

use super::spawn::PATH;
use super::table::{LARGEST, fragments_of};
use crate::cmd::Invocation;
use crate::inittab::check::{Finding, ProgramState, Severity, Surroundings, check};
use crate::inittab::parse::{Source, SourceKind};
use crate::json::literal;
use crate::paths::Paths;
use crate::sys;
use anyhow::Context;
use std::ffi::OsStr;
use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// Exit codes: nothing to say, warnings only, errors.
const WARNINGS: u8 = 1;
const ERRORS: u8 = 2;

const HELP: &str = "\
Usage: init --check [--json] [FILE]

Reads FILE (/etc/inittab) and the *.tab files of FILE.d as init would, and lists
every problem with file, line and column.

  --json   the list as JSON
  --help   this text

Exit status: 0 nothing found, 1 warnings, 2 errors or no such file.
";

/// What is asked for.
#[derive(Debug, Default, PartialEq, Eq)]
struct Options {
    file: Option<PathBuf>,
    form: Form,
    help: bool,
}

/// How the findings are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Form {
    #[default]
    Text,
    Json,
}

/// Checks a table. What keeps it from being read counts as an error of the table.
pub(crate) fn main(call: &Invocation) -> ExitCode {
    let paths = Paths::default();
    let outcome = Options::read(call).and_then(|options| run(&options, &paths));
    outcome.unwrap_or_else(|error| {
        sys::print::error(&format!("{}: {error:#}", call.name));
        ExitCode::from(ERRORS)
    })
}

impl Options {
    fn read(call: &Invocation) -> anyhow::Result<Self> {
        let mut options = Self::default();
        let mut parser = lexopt::Parser::from_args(call.arguments.iter().cloned());
        while let Some(argument) = parser.next()? {
            match argument {
                lexopt::Arg::Long("check") => {}
                lexopt::Arg::Long("json") => options.form = Form::Json,
                lexopt::Arg::Long("help") | lexopt::Arg::Short('h') => options.help = true,
                lexopt::Arg::Value(file) if options.file.is_none() => {
                    options.file = Some(file.into());
                }
                other => return Err(other.unexpected().into()),
            }
        }
        Ok(options)
    }
}

fn run(options: &Options, paths: &Paths) -> anyhow::Result<ExitCode> {
    if options.help {
        sys::print::text(HELP)?;
        return Ok(ExitCode::SUCCESS);
    }
    let main = options.file.clone().unwrap_or_else(|| paths.inittab());
    let mut directory = main.clone().into_os_string();
    directory.push(".d");
    let files = std::iter::once((main, SourceKind::Inittab))
        .chain(
            fragments_of(Path::new(&directory))
                .into_iter()
                .map(|path| (path, SourceKind::Fragment)),
        )
        .map(|(path, kind)| {
            let text =
                sys::files::read(&path, LARGEST).with_context(|| path.display().to_string())?;
            Ok((path.display().to_string(), kind, text))
        })
        .collect::<anyhow::Result<Vec<_>>>()?;
    let sources: Vec<Source<'_>> = files
        .iter()
        .map(|(path, kind, text)| Source {
            path,
            text,
            kind: *kind,
        })
        .collect();
    let findings = check(&sources, &Machine { paths });
    let text = match options.form {
        Form::Text => as_text(&findings, &sources),
        Form::Json => as_json(&findings),
    };
    sys::print::text(&text)?;
    Ok(
        match findings.iter().map(|finding| finding.severity).max() {
            None => ExitCode::SUCCESS,
            Some(Severity::Warning) => ExitCode::from(WARNINGS),
            Some(Severity::Error) => ExitCode::from(ERRORS),
        },
    )
}

/// This machine.
struct Machine<'a> {
    paths: &'a Paths,
}

impl Surroundings for Machine<'_> {
    fn program(&self, word: &[u8]) -> ProgramState {
        let word = OsStr::from_bytes(word);
        let candidates: Vec<PathBuf> = if word.as_bytes().contains(&b'/') {
            vec![self.paths.at(word)]
        } else {
            PATH.split(':')
                .map(|directory| self.paths.at(directory).join(word))
                .collect()
        };
        if candidates
            .iter()
            .any(|file| sys::files::is_executable(file))
        {
            ProgramState::Executable
        } else if candidates.iter().any(|file| file.exists()) {
            ProgramState::NotExecutable
        } else {
            ProgramState::Missing
        }
    }

    fn has_terminal(&self, name: &[u8]) -> bool {
        self.paths.at("/dev").join(OsStr::from_bytes(name)).exists()
    }
}

/// Each finding with its line and a caret below the place.
fn as_text(findings: &[Finding], sources: &[Source<'_>]) -> String {
    let mut text = String::new();
    for finding in findings {
        // Writing to a String cannot fail.
        writeln!(text, "{finding}").unwrap_or_default();
        let line = sources
            .iter()
            .find(|source| source.path == finding.path)
            .and_then(|source| {
                source
                    .text
                    .split(|&byte| byte == b'\n')
                    .nth(finding.line.checked_sub(1)?)
            });
        if let Some(line) = line {
            let (shown, caret) = shown_with_caret(line, finding.column);
            writeln!(text, "    {shown}\n    {caret}").unwrap_or_default();
        }
    }
    text
}

/// The line as it can be printed, and what stands below it. Tabs stay tabs in both, so that the caret meets its
/// byte; every other byte takes one place.
fn shown_with_caret(line: &[u8], column: usize) -> (String, String) {
    let shown = line
        .iter()
        .map(|&byte| {
            if byte == b'\t' || byte == b' ' || byte.is_ascii_graphic() {
                char::from(byte)
            } else {
                '?'
            }
        })
        .collect();
    let before = line
        .iter()
        .chain(std::iter::repeat(&b' '))
        .take(column.saturating_sub(1));
    let mut caret: String = before
        .map(|&byte| if byte == b'\t' { '\t' } else { ' ' })
        .collect();
    caret.push('^');
    (shown, caret)
}

fn as_json(findings: &[Finding]) -> String {
    let items: Vec<String> = findings
        .iter()
        .map(|finding| {
            format!(
                "  {{\"file\": {}, \"line\": {}, \"column\": {}, \"severity\": \"{}\", \"text\": {}}}",
                literal(&finding.path),
                finding.line,
                finding.column,
                finding.severity.name(),
                literal(&finding.text)
            )
        })
        .collect();
    if items.is_empty() {
        "[]\n".to_owned()
    } else {
        format!("[\n{}\n]\n", items.join(",\n"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_caret_stands_below_its_byte_also_behind_tabs() {
        let (shown, caret) = shown_with_caret(b"\t1:2:wat:/x", 6);
        assert_eq!(shown, "\t1:2:wat:/x");
        assert_eq!(caret, "\t    ^");
    }

    #[test]
    fn each_finding_is_followed_by_its_line_and_a_caret() {
        let source = Source {
            path: "inittab",
            text: b"id:3:initdefault:\n\tx:3:wat:/bin/sh\n1:3:respawn:/bin/sh\n",
            kind: SourceKind::Inittab,
        };
        let paths = Paths::default();
        let findings = check(&[source], &Machine { paths: &paths });
        let expected = "\
inittab:2:6: error: wat: unknown action field; line ignored
    \tx:3:wat:/bin/sh
    \t    ^
";
        assert_eq!(as_text(&findings, &[source]), expected);
    }

    #[test]
    fn a_caret_may_stand_behind_the_line() {
        assert_eq!(shown_with_caret(b"abc", 4).1, "   ^");
    }

    #[test]
    fn bytes_that_no_terminal_should_see_are_not_printed() {
        assert_eq!(shown_with_caret(b"a\x1b[2J\xff", 1).0, "a?[2J?");
    }
}

//! Variables of the files below /etc/default, which are shell fragments of plain assignments.
//!
//! Reads what such a file promises to be, and runs nothing: `NAME=value`, with quotes, comments and `export`.
//! A value that only a shell could work out (`$OTHER`, `` `command` ``) counts as not set. [`expanded`] may be told what
//! other variables hold, and then knows more.
#![forbid(unsafe_code)]

use std::fmt;
use std::iter::Peekable;

/// Returns the value a variable has at the end of the file: that of its last assignment, if there is one and it
/// is plain.
pub fn value_of(name: &str, file: &[u8]) -> Option<Vec<u8>> {
    file.split(|&byte| byte == b'\n')
        .filter_map(|line| assigned(name, line))
        .next_back()
        .and_then(plain)
}

/// One line that is neither empty nor a comment.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Assignment<'a> {
    /// Its number, from 1.
    pub line: usize,
    /// The variable; `None` if the line assigns to none.
    pub name: Option<&'a [u8]>,
    /// Its value, if it is plain.
    pub value: Option<Vec<u8>>,
}

/// Returns all lines of a file of which each has to assign to one variable.
pub fn assignments(file: &[u8]) -> impl Iterator<Item = Assignment<'_>> {
    let lines = (1..).zip(file.split(|&byte| byte == b'\n'));
    lines.filter_map(|(number, line)| {
        let line = without_export(line);
        if line.is_empty() || line.starts_with(b"#") {
            return None;
        }
        let is_of_name = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
        let length = line.iter().take_while(|byte| is_of_name(byte)).count();
        let (name, rest) = line.split_at_checked(length)?;
        let value = rest.strip_prefix(b"=").filter(|_| length > 0);
        Some(Assignment {
            line: number,
            name: value.map(|_| name),
            value: value.and_then(plain),
        })
    })
}

/// A line of a file of settings that does not count, and why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// The line, from 1.
    pub line: usize,
    /// What is wrong.
    pub problem: Problem,
}

/// What can be wrong with a line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// Nobody knows this setting.
    UnknownName(Box<[u8]>),
    /// It does not assign anything, or what only a shell could work out.
    NotPlain,
    /// This setting has no such value.
    Value {
        /// The setting.
        name: &'static str,
        /// What stands there.
        value: Box<[u8]>,
        /// What it takes, in words.
        wanted: &'static str,
    },
}

impl Problem {
    /// The setting has no such value.
    pub fn value(name: &'static str, value: &[u8], wanted: &'static str) -> Self {
        let value = value.into();
        Self::Value {
            name,
            value,
            wanted,
        }
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownName(name) => write!(f, "{}: unknown setting", name.escape_ascii()),
            Self::NotPlain => f.write_str("not of the form NAME=value"),
            Self::Value {
                name,
                value,
                wanted,
            } => write!(f, "{name}={}: it takes {wanted}", value.escape_ascii()),
        }
    }
}

/// Reads a file of settings: gives each to `set`, and lists the lines that do not count.
pub fn read(
    file: &[u8],
    mut set: impl FnMut(&[u8], &[u8]) -> Result<(), Problem>,
) -> Vec<Diagnostic> {
    let problem = |assignment: Assignment<'_>| {
        let outcome = match (assignment.name, assignment.value) {
            (Some(name), Some(value)) => set(name, &value),
            _ => Err(Problem::NotPlain),
        };
        let line = assignment.line;
        outcome.err().map(|problem| Diagnostic { line, problem })
    };
    assignments(file).filter_map(problem).collect()
}

/// Returns what stands behind the equals sign of a line that assigns to the variable.
fn assigned<'a>(name: &str, line: &'a [u8]) -> Option<&'a [u8]> {
    without_export(line)
        .strip_prefix(name.as_bytes())?
        .strip_prefix(b"=")
}

/// Takes the blanks around a line away, and the word that makes a variable one of the environment.
fn without_export(line: &[u8]) -> &[u8] {
    let line = line.trim_ascii();
    match line.strip_prefix(b"export") {
        Some(rest) if rest.first().is_some_and(u8::is_ascii_whitespace) => rest.trim_ascii_start(),
        _ => line,
    }
}

#[derive(Clone, Copy, PartialEq)]
enum Quotes {
    None,
    Single,
    Double,
}

/// Takes the quotes off the first word; `None` if a shell would have to expand it or it does not end.
fn plain(word: &[u8]) -> Option<Vec<u8>> {
    expanded(word, &|_| None)
}

/// Takes the quotes off the first word and puts in what variables hold, as far as `known` says; `None` if there is
/// more to be expanded, or it does not end.
pub fn expanded(word: &[u8], known: &dyn Fn(&[u8]) -> Option<Vec<u8>>) -> Option<Vec<u8>> {
    let mut value = Vec::new();
    let mut quotes = Quotes::None;
    let mut bytes = word.iter().copied().peekable();
    while let Some(byte) = bytes.next() {
        match (quotes, byte) {
            (Quotes::None, b';' | b'&') => break,
            (Quotes::None, byte) if byte.is_ascii_whitespace() => break,
            (Quotes::None, b'\'') => quotes = Quotes::Single,
            (Quotes::None, b'"') => quotes = Quotes::Double,
            (Quotes::Single, b'\'') | (Quotes::Double, b'"') => quotes = Quotes::None,
            (Quotes::Single, byte) => value.push(byte),
            (_, b'$') => value.extend(known(&reference(&mut bytes)?)?),
            (_, b'`') => return None,
            (Quotes::None, b'\\') => value.push(bytes.next()?),
            (Quotes::Double, b'\\') => {
                let next = bytes.next()?;
                if !b"$`\"\\".contains(&next) {
                    value.push(b'\\');
                }
                value.push(next);
            }
            (_, byte) => value.push(byte),
        }
    }
    (quotes == Quotes::None).then_some(value)
}

/// Reads the name behind a `$`, with or without braces; `None` for anything but a variable's plain value.
fn reference(bytes: &mut Peekable<impl Iterator<Item = u8>>) -> Option<Vec<u8>> {
    let in_braces = bytes.next_if_eq(&b'{').is_some();
    let mut name = Vec::new();
    while let Some(byte) = bytes.next_if(|&byte| byte.is_ascii_alphanumeric() || byte == b'_') {
        name.push(byte);
    }
    let ends = !in_braces || bytes.next_if_eq(&b'}').is_some();
    (ends && !name.is_empty()).then_some(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verbose(file: &str) -> Option<String> {
        value_of("VERBOSE", file.as_bytes()).map(|value| String::from_utf8(value).unwrap())
    }

    #[test]
    fn plain_assignments_are_read_as_a_shell_reads_them() {
        for (file, expected) in [
            ("VERBOSE=no\n", "no"),
            ("VERBOSE=no", "no"),
            ("  VERBOSE='a b' # why\n", "a b"),
            ("export VERBOSE=\"a\\\"b\\c\"\r\n", "a\"b\\c"),
            ("VERBOSE=a\\ b c\n", "a b"),
            ("VERBOSE=yes; echo no\n", "yes"),
            ("VERBOSE=ye's'\"!\"\n", "yes!"),
            ("VERBOSE=\n", ""),
            ("VERBOSE=no\nOTHER=x\nVERBOSE=yes\n", "yes"),
        ] {
            assert_eq!(verbose(file).as_deref(), Some(expected), "{file:?}");
        }
    }

    #[test]
    fn values_of_other_variables_are_put_in_where_they_are_known() {
        let known = |name: &[u8]| (name == b"NAME").then(|| b"cron d".to_vec());
        for (word, expected) in [
            ("/run/$NAME.pid", Some("/run/cron d.pid")),
            ("\"/run/${NAME}x\" y", Some("/run/cron dx")),
            ("'$NAME'", Some("$NAME")),
            ("\\$NAME", Some("$NAME")),
            ("$OTHER", None),
            ("${NAME:-x}", None),
            ("${NAME", None),
            ("$(basename $0)", None),
            ("$", None),
            ("${}", None),
        ] {
            let value = expanded(word.as_bytes(), &known);
            assert_eq!(value, expected.map(Into::into), "{word}");
        }
    }

    #[test]
    fn what_is_no_plain_assignment_sets_nothing() {
        for file in [
            "",
            "#VERBOSE=no\n",
            "VERBOSE no\n",
            "VERBOSE_X=no\n",
            "XVERBOSE=no\n",
            "VERBOSE=$OTHER\n",
            "VERBOSE=\"`cat x`\"\n",
            "VERBOSE='no\n",
            "VERBOSE=\\",
            "VERBOSE=no\nVERBOSE=$X\n",
        ] {
            assert_eq!(verbose(file), None, "{file:?}");
        }
    }
}

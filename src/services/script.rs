//! What an rc script tells of its service to whoever reads it: name, description, pid file, program.
//!
//! Nothing is run. The words that scripts have for these things are a custom, not a standard: the comments of
//! chkconfig (`# pidfile:`), the variables of Debian's init-d-script(5) and of Red Hat's scripts, the options of
//! start-stop-daemon. Where a script has none of them, the places are tried that most daemons use.
#![forbid(unsafe_code)]

use crate::defaults::expanded;
use crate::rcdir::lsb;
use std::collections::BTreeMap;

/// The variables that name the pid file, the more usual one first.
const PID_FILE_VARIABLES: [&[u8]; 4] = [b"PIDFILE", b"pidfile", b"PID_FILE", b"PID"];
/// The variables that hold the path of the program.
const PROGRAM_VARIABLES: [&[u8]; 3] = [b"DAEMON", b"exec", b"daemon"];
/// Those that may hold its name alone.
const PROGRAM_NAME_VARIABLES: [&[u8]; 3] = [b"program", b"prog", b"processname"];
/// What reads a script and has the actions for it, so that the word `status` need not stand in the script itself.
const READERS: [&[u8]; 2] = [b"init-d-script", b"openrc-run"];

/// What is known of a service from its script.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Script {
    /// The name of the file.
    pub name: Box<[u8]>,
    /// One line for people; empty where it says nothing of itself.
    pub description: Box<[u8]>,
    /// The names by which others require it.
    pub provides: lsb::Names,
    /// The pid files it names.
    pub pid_files: Vec<Box<[u8]>>,
    /// The program it names, a path or a name. Absent where it names none, as a script that only sets something does.
    pub program: Option<Box<[u8]>>,
    /// It may know the action `status`.
    pub has_status: bool,
}

impl Script {
    /// Reads the text of a script.
    pub fn read(name: &[u8], text: &[u8]) -> Self {
        let (header, _) = lsb::parse(text);
        let comments = Comments::read(text);
        let code = Code::read(name, text);
        let mut description = header.short_description;
        if description.is_empty() {
            description = comments.description.into();
        }
        let mut pid_files: Vec<Box<[u8]>> = Vec::new();
        let set =
            |names: &'static [&[u8]]| names.iter().filter_map(|name| code.variables.get(*name));
        let in_variables = set(&PID_FILE_VARIABLES);
        for path in comments
            .pid_file
            .iter()
            .chain(in_variables)
            .chain(&code.pid_file)
        {
            let is_new = !pid_files.iter().any(|known| **known == **path);
            if path.starts_with(b"/") && is_new {
                pid_files.push(path.as_slice().into());
            }
        }
        let mut paths = set(&PROGRAM_VARIABLES).filter(|path| path.starts_with(b"/"));
        let mut others = code
            .program
            .iter()
            .chain(set(&PROGRAM_NAME_VARIABLES))
            .chain(&comments.program);
        let program = paths
            .next()
            .or_else(|| others.next())
            .filter(|program| is_program(program));
        Self {
            name: name.into(),
            description,
            provides: header.provides,
            pid_files,
            program: program.map(|program| program.as_slice().into()),
            has_status: code.has_status,
        }
    }

    /// Lists where the pid file may lie: where the script says, or else where most daemons put it.
    pub fn possible_pid_files(&self) -> Vec<Box<[u8]>> {
        if !self.pid_files.is_empty() {
            return self.pid_files.clone();
        }
        let program = self.program.as_deref().map(base);
        let mut names = vec![&*self.name];
        names.extend(program.filter(|program| *program != &*self.name));
        let places = names.iter().flat_map(|name| {
            [
                [b"/run/".as_slice(), name, b".pid"].concat(),
                [b"/var/run/".as_slice(), name, b".pid"].concat(),
                [b"/run/".as_slice(), name, b"/", name, b".pid"].concat(),
            ]
        });
        places.map(Into::into).collect()
    }
}

/// Init-d-script(5) has `none` for a service without a process.
fn is_program(word: &[u8]) -> bool {
    !word.is_empty() && word != b"none" && !word.ends_with(b"/") && !word.contains(&b' ')
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

/// What chkconfig's comments say.
#[derive(Debug, Default)]
struct Comments {
    description: Vec<u8>,
    pid_file: Option<Vec<u8>>,
    program: Option<Vec<u8>>,
}

impl Comments {
    fn read(text: &[u8]) -> Self {
        let mut comments = Self::default();
        let lines = text.split(|&byte| byte == b'\n');
        for line in lines.filter_map(|line| line.strip_prefix(b"#")) {
            let line = line.trim_ascii();
            let value = |keyword: &[u8]| Some(line.strip_prefix(keyword)?.trim_ascii().to_vec());
            if let Some(text) = value(b"description:") {
                comments.description = text
                    .strip_suffix(b"\\")
                    .unwrap_or(&text)
                    .trim_ascii_end()
                    .to_vec();
            } else if let Some(path) = value(b"pidfile:") {
                comments.pid_file = Some(path);
            } else if let Some(name) = value(b"processname:") {
                comments.program = Some(name);
            }
        }
        comments
    }
}

/// What the lines that a shell reads say.
#[derive(Debug, Default)]
struct Code {
    variables: BTreeMap<Vec<u8>, Vec<u8>>,
    /// Behind `--pidfile`.
    pid_file: Option<Vec<u8>>,
    /// Behind `--exec`.
    program: Option<Vec<u8>>,
    has_status: bool,
}

impl Code {
    fn read(name: &[u8], text: &[u8]) -> Self {
        let mut code = Self::default();
        // What a script that does not name itself is called by those that read it.
        code.variables.insert(b"NAME".to_vec(), name.to_vec());
        for (number, line) in text.split(|&byte| byte == b'\n').enumerate() {
            let is_interpreter = number == 0 && line.starts_with(b"#!");
            let has = |word: &&[u8]| contains(line, word);
            if is_interpreter || !line.trim_ascii_start().starts_with(b"#") {
                code.has_status |= contains(line, b"status") || READERS.iter().any(has);
            }
            if !line.trim_ascii_start().starts_with(b"#") {
                code.take(line);
            }
        }
        code
    }

    /// Takes the assignments a line begins with, and the options in it.
    fn take(&mut self, line: &[u8]) {
        let mut rest = line.trim_ascii();
        for word in [b"export ".as_slice(), b"readonly "] {
            rest = rest.strip_prefix(word).unwrap_or(rest).trim_ascii_start();
        }
        let is_indented = line.first().is_some_and(u8::is_ascii_whitespace);
        while let Some((name, value)) = assignment(rest) {
            // What is set inside of a function or under a condition counts only where nothing else does.
            if !is_indented || !self.variables.contains_key(name) {
                match self.expanded(value) {
                    Some(text) => self.variables.insert(name.to_vec(), text),
                    None => self.variables.remove(name),
                };
            }
            rest = behind_word(value).trim_ascii_start();
        }
        for (option, is_pid_file) in [(b"--pidfile".as_slice(), true), (b"--exec", false)] {
            let Some(value) = option_value(rest, option).and_then(|word| self.expanded(word))
            else {
                continue;
            };
            let known = if is_pid_file {
                &mut self.pid_file
            } else {
                &mut self.program
            };
            known.get_or_insert(value);
        }
    }

    fn expanded(&self, word: &[u8]) -> Option<Vec<u8>> {
        expanded(word, &|name| self.variables.get(name).cloned())
    }
}

/// Takes `NAME=` off the front.
fn assignment(text: &[u8]) -> Option<(&[u8], &[u8])> {
    let equals = text.iter().position(|&byte| byte == b'=')?;
    let (name, value) = text.split_at(equals);
    let is_name = !name.is_empty()
        && name
            .iter()
            .all(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
    is_name.then_some((name, value.strip_prefix(b"=")?))
}

/// Returns what stands behind the first word, whose quotes may hold blanks.
fn behind_word(text: &[u8]) -> &[u8] {
    let mut quote = None;
    let mut is_escaped = false;
    let end = text.iter().position(|&byte| {
        if std::mem::take(&mut is_escaped) {
            return false;
        }
        match (quote, byte) {
            (None, b'\'' | b'"') => quote = Some(byte),
            (Some(open), _) if open == byte => quote = None,
            (None | Some(b'"'), b'\\') => is_escaped = true,
            (None, _) => return byte.is_ascii_whitespace(),
            _ => {}
        }
        false
    });
    end.and_then(|end| text.get(end..)).unwrap_or_default()
}

/// Returns what follows an option of start-stop-daemon(8).
fn option_value<'line>(line: &'line [u8], option: &[u8]) -> Option<&'line [u8]> {
    let at = line.windows(option.len()).position(|part| part == option)?;
    let behind = line.get(at.checked_add(option.len())?..)?;
    let value = match behind.first()? {
        b'=' => behind.get(1..)?,
        byte if byte.is_ascii_whitespace() => behind.trim_ascii_start(),
        _ => return None,
    };
    (!value.starts_with(b"-") && !value.is_empty()).then_some(value)
}

pub(super) fn contains(line: &[u8], word: &[u8]) -> bool {
    line.windows(word.len()).any(|part| part == word)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(text: &str) -> Script {
        Script::read(b"crond", text.as_bytes())
    }

    #[track_caller]
    fn assert_found(text: &str, pid_file: Option<&str>, program: Option<&str>) {
        let script = script(text);
        let found = script
            .pid_files
            .first()
            .map(|path| path.escape_ascii().to_string());
        assert_eq!(found.as_deref(), pid_file, "{text}");
        let found = script.program.map(|path| path.escape_ascii().to_string());
        assert_eq!(found.as_deref(), program, "{text}");
    }

    #[test]
    fn variables_of_every_custom_name_pid_file_and_program() {
        for (text, pid_file, program) in [
            (
                "PIDFILE=/run/cron.pid\nDAEMON=/usr/sbin/cron\n",
                Some("/run/cron.pid"),
                Some("/usr/sbin/cron"),
            ),
            (
                "NAME=x\nPIDFILE=/var/run/$NAME.pid\nDAEMON=\"/usr/sbin/${NAME}d\"",
                Some("/var/run/x.pid"),
                Some("/usr/sbin/xd"),
            ),
            ("PIDFILE=/run/$NAME.pid\n", Some("/run/crond.pid"), None),
            (
                "what='weather station' program=weatherd pidfile=/run/w.pid\n",
                Some("/run/w.pid"),
                Some("weatherd"),
            ),
            (
                "# processname: crond\n# pidfile: /var/run/c.pid\nPIDFILE=/x\n",
                Some("/var/run/c.pid"),
                Some("crond"),
            ),
            (
                "start-stop-daemon --start --pidfile /run/sshd.pid --exec /usr/sbin/sshd -- -D\n",
                Some("/run/sshd.pid"),
                Some("/usr/sbin/sshd"),
            ),
            (
                "start-stop-daemon --start --pidfile=/run/a.pid --exec $UNKNOWN\n",
                Some("/run/a.pid"),
                None,
            ),
            ("#PIDFILE=/run/cron.pid\n  # DAEMON=/x\n", None, None),
            ("DAEMON=none\nPIDFILE=none\n", None, None),
            (
                "DAEMON=/usr/sbin/a\nif x; then\n\tDAEMON=/usr/sbin/b\nfi\n",
                None,
                Some("/usr/sbin/a"),
            ),
            ("DAEMON=$(which x)\nPIDFILE=`mktemp`\n", None, None),
            ("", None, None),
        ] {
            assert_found(text, pid_file, program);
        }
    }

    #[test]
    fn pid_files_are_looked_for_where_most_daemons_put_them_if_none_is_named() {
        let places = |text: &str| -> Vec<String> {
            let places = script(text).possible_pid_files();
            places
                .iter()
                .map(|place| place.escape_ascii().to_string())
                .collect()
        };
        let of_crond = [
            "/run/crond.pid",
            "/var/run/crond.pid",
            "/run/crond/crond.pid",
        ];
        assert_eq!(places(""), of_crond);
        assert_eq!(places("DAEMON=/sbin/crond\n"), of_crond);
        assert_eq!(places("DAEMON=/sbin/x\n").len(), 6);
        assert_eq!(places("PIDFILE=/run/x\n"), ["/run/x"]);
    }

    #[test]
    fn a_script_without_the_word_has_no_status_action() {
        for (text, expected) in [
            ("case $1 in start|status) ;; esac", true),
            ("#!/usr/bin/env /lib/init/init-d-script\nNAME=x\n", true),
            ("# no status here\ncase $1 in start) ;; esac", false),
            ("", false),
        ] {
            assert_eq!(script(text).has_status, expected, "{text}");
        }
    }

    #[test]
    fn descriptions_come_from_the_header_or_from_the_comment_of_chkconfig() {
        let header = "### BEGIN INIT INFO\n# Provides: cron other\n# Short-Description: Runs commands\n### END INIT INFO\n";
        assert_eq!(&*script(header).description, b"Runs commands");
        assert_eq!(script(header).provides.len(), 2);
        assert_eq!(
            &*script("# description: Runs \\\n#  more\n").description,
            b"Runs"
        );
        assert_eq!(&*script("").description, b"");
    }

    #[test]
    fn any_bytes_are_read() {
        for text in [
            &b"\xff=\"'$"[..],
            b"PIDFILE='/\xff'",
            b"--pidfile",
            b"A=\\",
            b"=",
            b"--exec=\n\0",
        ] {
            Script::read(b"\xff", text);
        }
    }
}

//! Which processes a name means: pidof(8).
#![forbid(unsafe_code)]

use super::Stat;

/// How much of a name the kernel keeps: `TASK_COMM_LEN` without the NUL, proc(5).
const COMMAND_NAME_LENGTH: usize = 15;
/// What the kernel appends to the path of a program whose file is gone.
const DELETED: &[u8] = b" (deleted)";

/// A process as pidof sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Process {
    /// The kernel's line about it.
    pub stat: Stat,
    /// Its words, as it shows them.
    pub arguments: Vec<Vec<u8>>,
    /// The path of its program, where the kernel tells.
    pub program: Option<Vec<u8>>,
}

/// A name that processes are looked for by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wanted {
    /// As it was written.
    pub name: Vec<u8>,
    /// Where it leads when all links are followed; only for one that begins with a slash.
    pub resolved: Option<Vec<u8>>,
    /// What else counts.
    pub rules: Rules,
}

/// What counts besides a program's path and the name it was called by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Rules {
    /// `-x`: shells that run a script of this name.
    pub scripts: bool,
    /// A process whose program cannot be seen may be meant by a path: the caller has no right to see it.
    pub unseen_programs: bool,
    /// The file the name leads to is a program with many names, so that its path alone tells nothing.
    pub multi_call: bool,
}

/// Returns those that are meant, in the order given.
///
/// A path means the processes that run the file it leads to. Where there is none, or the name is no path, the
/// words of the processes are looked at.
pub fn find<'table>(wanted: &Wanted, table: &'table [Process]) -> Vec<&'table Process> {
    let by_file: Vec<&Process> = table
        .iter()
        .filter(|process| wanted.means_by_file(process))
        .collect();
    if by_file.is_empty() {
        let by_words = table
            .iter()
            .filter(|process| wanted.means_by_words(process));
        return by_words.collect();
    }
    by_file
}

impl Wanted {
    fn means_by_file(&self, process: &Process) -> bool {
        let Some(resolved) = &self.resolved else {
            return false;
        };
        let called = process.arguments.first();
        let runs_it = process.program.as_ref() == Some(resolved) && self.fits_multi_call(process);
        runs_it || called == Some(&self.name)
    }

    fn means_by_words(&self, process: &Process) -> bool {
        if self.runs_file_that_is_gone(process) {
            return true;
        }
        let is_path = self.name.starts_with(b"/");
        let unseen = self.rules.unseen_programs && process.program.is_none();
        if is_path && !unseen && !self.rules.scripts {
            return false;
        }
        self.is_called_so(process) || (self.rules.scripts && self.is_script_of(process))
    }

    /// The kernel marks the path of a program whose file was removed or replaced.
    fn runs_file_that_is_gone(&self, process: &Process) -> bool {
        let Some(program) = &process.program else {
            return false;
        };
        let path = program.strip_suffix(DELETED).unwrap_or(program);
        let names_it = path == self.name
            || program == &self.name
            || (path.len() < program.len() && self.resolved.as_deref() == Some(path));
        names_it && self.fits_multi_call(process)
    }

    /// Run through a link, or by its own name with the tool's behind it.
    fn fits_multi_call(&self, process: &Process) -> bool {
        let mut words = process.arguments.iter().map(|word| base(word));
        let called = words.next().unwrap_or_default();
        let called = called.strip_prefix(b"-").unwrap_or(called);
        let wanted = base(&self.name);
        let own_name = self.resolved.as_deref().map(base);
        !self.rules.multi_call
            || called == wanted
            || (own_name == Some(called) && words.next() == Some(wanted))
    }

    fn is_called_so(&self, process: &Process) -> bool {
        let command = &process.stat.command;
        let called = process.arguments.first().map(Vec::as_slice);
        let called = called.unwrap_or_default();
        if !called.is_empty() && self.equals(called) {
            return true;
        }
        // A title in place of the words, or no words at all: a kernel thread, a zombie.
        let is_title = called.is_empty() || called.contains(&b' ');
        let is_login_shell = called.starts_with(b"-") && process.arguments.len() == 1;
        (is_title || is_login_shell) && !self.name.is_empty() && {
            let wanted = base(&self.name);
            command == wanted || command == shortened(wanted) || *command == self.name
        }
    }

    /// The first word behind the shell's options is the script, if the kernel calls the process by it.
    fn is_script_of(&self, process: &Process) -> bool {
        let mut words = process.arguments.iter().skip(1);
        words
            .find(|word| !word.starts_with(b"-"))
            .is_some_and(|script| {
                process.stat.command == shortened(base(script)) && self.equals(script)
            })
    }

    /// The same word, or one of the two is the other's last part. Two different paths are never the same.
    fn equals(&self, word: &[u8]) -> bool {
        word == self.name || word == base(&self.name) || base(word) == self.name
    }
}

fn base(path: &[u8]) -> &[u8] {
    path.rsplit(|&byte| byte == b'/').next().unwrap_or(path)
}

fn shortened(name: &[u8]) -> &[u8] {
    name.get(..COMMAND_NAME_LENGTH).unwrap_or(name)
}

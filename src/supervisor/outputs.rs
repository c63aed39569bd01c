//! Whose output is recorded: `RECORD_OUTPUT` of `/etc/default/init` (init(8), "FILES").
//!
//! Without the setting nobody's is. `yes` stands for all entries that nobody is likely to talk to at the console: those
//! that get it as controlling terminal (what is waited for in sysinit, boot and level S), sulogin, login, and a shell that
//! was given nothing to run are left out. A name stands for that entry, whatever it is, and a name behind `!` leaves one
//! out.
//!
//! Nothing is recorded in the levels 0 and 6: what is in /run is about to be lost, and nothing shall stand between the
//! last words of a machine and its console, or be in the way of what has to be unmounted. The same goes for what no line
//! of the table stands for, and for the sulogin entry that init adds.
#![forbid(unsafe_code)]

use super::{ConsoleUse, Phase, Program, Start, is_command};
use crate::defaults::{self, Diagnostic, Problem};
use crate::inittab::command::is_interactive;
use crate::inittab::{EntryId, Inittab, MAX_ID};
use crate::runlevel::Runlevel;

/// The setting, and what it takes.
const NAME: &str = "RECORD_OUTPUT";
const WANTED: &str = "yes, ids of entries, and !id for those to leave out";

/// The setting as a value.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Outputs {
    others: Others,
    named: Vec<EntryId>,
    left_out: Vec<EntryId>,
}

/// What becomes of the output of entries that are not named.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
enum Others {
    /// It is not recorded.
    #[default]
    Passed,
    /// It is, unless somebody is likely to talk to them.
    Recorded,
}

impl Outputs {
    /// Reads the file.
    ///
    /// # Errors
    /// A line of it does not count, so that nobody knows what is wanted.
    pub fn parse(file: &[u8]) -> Result<Self, Vec<Diagnostic>> {
        let mut outputs = Self::default();
        let diagnostics = defaults::read(file, |name, value| {
            if name != NAME.as_bytes() {
                return Err(Problem::UnknownName(name.into()));
            }
            outputs = Self::of(value).ok_or_else(|| Problem::value(NAME, value, WANTED))?;
            Ok(())
        });
        if diagnostics.is_empty() {
            Ok(outputs)
        } else {
            Err(diagnostics)
        }
    }

    fn of(value: &[u8]) -> Option<Self> {
        let mut outputs = Self::default();
        let words = value.split(u8::is_ascii_whitespace);
        for word in words.filter(|word| !word.is_empty()) {
            let left_out = word.strip_prefix(b"!");
            let id = left_out.unwrap_or(word);
            if id.is_empty() || id.len() > MAX_ID {
                return None;
            }
            match (word, left_out) {
                (b"yes", _) => outputs.others = Others::Recorded,
                (b"no", _) => outputs.others = Others::Passed,
                (_, None) => outputs.named.push(EntryId::new(id)),
                (_, Some(_)) => outputs.left_out.push(EntryId::new(id)),
            }
        }
        Some(outputs)
    }

    /// Tells whether the output of a process that is to be started is recorded.
    pub fn take(&self, start: &Start) -> bool {
        let Program::Entry(entry) = &start.program else {
            return false;
        };
        let is_last = matches!(
            start.phase,
            Phase::Normal(Runlevel::HALT | Runlevel::REBOOT)
        );
        let is_nobodys = entry.id == EntryId::fallback() || is_command(&entry.id);
        if is_last || is_nobodys || self.left_out.contains(&entry.id) {
            return false;
        }
        let is_for_people = start.console == ConsoleUse::Controlling || is_interactive(entry);
        self.named.contains(&entry.id) || (self.others == Others::Recorded && !is_for_people)
    }

    /// Returns the names that stand for no entry of the table.
    pub fn unknown<'a>(&'a self, table: &'a Inittab) -> impl Iterator<Item = &'a EntryId> {
        let all = self.named.iter().chain(&self.left_out);
        all.filter(|id| table.entries.iter().all(|entry| entry.id != **id))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inittab::{Action, Entry};
    use crate::supervisor::SlotKey;

    fn outputs(setting: &str) -> Outputs {
        Outputs::parse(format!("RECORD_OUTPUT='{setting}'\n").as_bytes()).unwrap()
    }

    fn start(id: &str, process: &str) -> Start {
        let id = EntryId::new(id.as_bytes());
        Start {
            key: SlotKey(1),
            program: Program::Entry(Entry::new(id, b"3", Action::Respawn, process.as_bytes())),
            console: ConsoleUse::Shared,
            runlevel: b'3',
            previous: b'N',
            phase: Phase::Normal(Runlevel::from_byte(b'3').unwrap()),
        }
    }

    #[test]
    fn without_the_setting_nothing_is_recorded() {
        for file in [
            "",
            "# RECORD_OUTPUT=yes\n",
            "RECORD_OUTPUT=\n",
            "RECORD_OUTPUT=no\n",
        ] {
            let outputs = Outputs::parse(file.as_bytes()).unwrap();
            assert_eq!(outputs, Outputs::default(), "{file}");
            assert!(!outputs.take(&start("r3", "/usr/sbin/foo")), "{file}");
        }
    }

    #[test]
    fn a_name_stands_for_its_entry_whatever_that_is() {
        let outputs = outputs("si  r3");
        assert!(outputs.take(&start("r3", "/usr/sbin/foo")));
        assert!(!outputs.take(&start("r4", "/usr/sbin/foo")));
        let mut first = start("si", "/bin/sh");
        first.console = ConsoleUse::Controlling;
        first.phase = Phase::SysInit;
        assert!(outputs.take(&first));
    }

    #[test]
    fn yes_stands_for_all_that_nobody_is_likely_to_talk_to() {
        let outputs = outputs("yes !no3");
        for (process, is_taken) in [
            ("/usr/sbin/foo -f", true),
            ("/sbin/getty 38400 tty1", true),
            ("/bin/sh /etc/rc.local", true),
            ("/bin/sh -c /etc/rc.local", true),
            ("exec /bin/foo >/dev/null", true),
            ("+/usr/sbin/foo", true),
            ("/bin/sh", false),
            ("-/bin/ash", false),
            ("/bin/bash -l", false),
            ("/sbin/sulogin", false),
            ("/bin/login -f root", false),
            ("/sbin/sulogin # in need", false),
        ] {
            assert_eq!(outputs.take(&start("r3", process)), is_taken, "{process}");
        }
        assert!(!outputs.take(&start("no3", "/usr/sbin/foo")));
        let mut waited_for = start("si", "/etc/init.d/rcS");
        waited_for.console = ConsoleUse::Controlling;
        assert!(!outputs.take(&waited_for));
    }

    #[test]
    fn the_last_words_of_a_machine_go_to_the_console_alone() {
        let outputs = outputs("yes l0");
        for level in *b"06" {
            let mut last = start("l0", "/etc/init.d/rc 0");
            last.phase = Phase::Normal(Runlevel::from_byte(level).unwrap());
            assert!(!outputs.take(&last));
        }
    }

    #[test]
    fn what_no_line_of_the_table_stands_for_is_never_recorded() {
        let outputs = outputs("yes ~~ --");
        assert!(!outputs.take(&start("~~", "/sbin/shutdown -hP now")));
        assert!(!outputs.take(&start("--", "/bin/foo")));
        let mut question = start("r3", "");
        question.program = Program::AskRunlevel;
        assert!(!outputs.take(&question));
    }

    #[test]
    fn what_is_wrong_is_told_with_its_line_and_nothing_is_recorded_then() {
        let file = b"RECORD_OUTPUT=yes\nRECORD_OUTPT=yes\nRECORD_OUTPUT=r3,r4\nRECORD_OUTPUT=$X\n";
        let told: Vec<String> = Outputs::parse(file)
            .unwrap_err()
            .iter()
            .map(|one| format!("{}: {}", one.line, one.problem))
            .collect();
        assert_eq!(
            told,
            [
                "2: RECORD_OUTPT: unknown setting",
                "3: RECORD_OUTPUT=r3,r4: it takes yes, ids of entries, and !id for those to leave out",
                "4: not of the form NAME=value",
            ]
        );
        assert!(Outputs::parse(b"RECORD_OUTPUT='yes !'\n").is_err());
    }

    #[test]
    fn names_of_no_entry_are_found() {
        let Program::Entry(entry) = start("r3", "/bin/foo").program else {
            panic!("no entry");
        };
        let table = Inittab {
            entries: vec![entry],
            broken: Vec::new(),
        };
        let outputs = outputs("yes r3 r4 !r5");
        let unknown: Vec<_> = outputs.unknown(&table).map(ToString::to_string).collect();
        assert_eq!(unknown, ["r4", "r5"]);
    }
}

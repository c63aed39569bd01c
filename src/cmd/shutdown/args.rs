//! The words after `shutdown` as a value: shutdown(8). Pure; `mod.rs` acts on it.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use lexopt::Arg;

use crate::cmd::usage::UsageError;
use crate::schedule::{Ending, Warnings, When, join_message};

/// An option that is there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    /// `-a`: only if somebody who may is logged in.
    CheckAllowed,
    /// `-k`: warn and do nothing.
    OnlyWarn,
    /// `-f`: no file system check after the reboot.
    FastBoot,
    /// `-F`: a file system check after the reboot.
    ForceCheck,
    /// `-n`: go down without init.
    WithoutInit,
}

/// What `-h` does with the power, as rc scripts find it in `INIT_HALT`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Halt {
    /// `-H`: leave it on.
    Stay,
    /// `-P`: switch it off.
    PowerOff,
}

impl Halt {
    pub(super) const fn variable(self) -> &'static [u8] {
        match self {
            Self::Stay => b"HALT",
            Self::PowerOff => b"POWEROFF",
        }
    }
}

/// A shutdown.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Plan {
    switches: Vec<Switch>,
    pub(super) when: When,
    pub(super) ending: Ending,
    /// What `INIT_HALT` is set to, if not unset.
    pub(super) halt: Option<Halt>,
    pub(super) warnings: Warnings,
    /// `-t`: handed on to init.
    pub(super) grace: Option<OsString>,
    pub(super) message: Vec<u8>,
}

impl Plan {
    pub(super) fn has(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }
}

/// What the words come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Version,
    /// `--show`: say what is scheduled.
    Show,
    Cancel {
        message: Vec<u8>,
    },
    GoDown(Plan),
}

/// Why the words make no sense.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Problem {
    /// Told with the usage.
    Usage(UsageError),
    HaltWithoutMinusH,
    BadLevel(OsString),
    WithoutInitElsewhere,
}

impl Problem {
    fn usage(what: &str) -> Self {
        Self::Usage(what.into())
    }
}

impl From<lexopt::Error> for Problem {
    fn from(error: lexopt::Error) -> Self {
        Self::Usage(error.into())
    }
}

/// The words as they come, before they are looked at together.
struct Words {
    switches: Vec<Switch>,
    ending: Ending,
    halt: Option<Halt>,
    warnings: Warnings,
    grace: Option<OsString>,
    time: Option<OsString>,
    operands: Vec<OsString>,
    cancels: bool,
    shows: bool,
}

pub(super) fn parse(arguments: &[OsString]) -> Result<Wish, Problem> {
    let mut parser = lexopt::Parser::from_args(arguments);
    let mut words = Words {
        switches: Vec::new(),
        ending: Ending::MAINTENANCE,
        halt: None,
        warnings: Warnings::All,
        grace: None,
        time: None,
        operands: Vec::new(),
        cancels: false,
        shows: false,
    };
    while let Some(argument) = parser.next()? {
        match argument {
            Arg::Short(letter @ ('t' | 'g' | 'i')) => {
                let value = parser.value()?;
                words.take_value(letter, value)?;
            }
            Arg::Short(letter) => words.take_letter(letter)?,
            Arg::Value(word) => words.operands.push(word),
            Arg::Long("help") => return Ok(Wish::Help),
            Arg::Long("version") => return Ok(Wish::Version),
            Arg::Long("show") => words.shows = true,
            Arg::Long(_) => return Err(argument.unexpected().into()),
        }
    }
    words.together()
}

impl Words {
    fn take_letter(&mut self, letter: char) -> Result<(), Problem> {
        match letter {
            'H' => self.halt = Some(Halt::Stay),
            'P' => self.halt = Some(Halt::PowerOff),
            'r' => self.ending = Ending::REBOOT,
            'h' => self.ending = Ending::HALT,
            'q' => self.warnings = Warnings::Fewer,
            'Q' => self.warnings = Warnings::None,
            'c' => self.cancels = true,
            'a' => self.switches.push(Switch::CheckAllowed),
            'k' => self.switches.push(Switch::OnlyWarn),
            'f' => self.switches.push(Switch::FastBoot),
            'F' => self.switches.push(Switch::ForceCheck),
            'n' => self.switches.push(Switch::WithoutInit),
            // Compat: System V's `-y` answered a question that nobody asks here.
            'y' => {}
            _ => return Err(Arg::Short(letter).unexpected().into()),
        }
        Ok(())
    }

    fn take_value(&mut self, letter: char, value: OsString) -> Result<(), Problem> {
        match letter {
            't' => self.grace = Some(value),
            'g' => self.time = Some(value),
            _ => match value.as_bytes().first() {
                Some(&level) if b"0156aAbBcCsS".contains(&level) => self.ending = Ending(level),
                _ => return Err(Problem::BadLevel(value)),
            },
        }
        Ok(())
    }

    fn together(mut self) -> Result<Wish, Problem> {
        if self.shows {
            // Who has more to say has meant something else.
            let is_alone = self.operands.is_empty() && !self.cancels && self.time.is_none();
            return is_alone
                .then_some(Wish::Show)
                .ok_or_else(|| Problem::usage("--show stands alone"));
        }
        if self.halt.is_some() && self.ending != Ending::HALT {
            return Err(Problem::HaltWithoutMinusH);
        }
        let mut operands = self.operands.into_iter().map(OsString::into_vec);
        if !self.cancels && self.time.is_none() {
            self.time = operands.next().map(OsString::from_vec);
        }
        let operands: Vec<Vec<u8>> = operands.collect();
        let message = join_message(&operands);
        if self.cancels {
            return Ok(Wish::Cancel { message });
        }
        // Nothing is touched before the time is understood.
        let missing = || Problem::usage("name the time; `now' is one");
        let time = self.time.ok_or_else(missing)?;
        let wrong = |_| Problem::Usage(UsageError::with(&time, "no such time"));
        let when = When::parse(time.as_bytes()).map_err(wrong)?;
        if self.switches.contains(&Switch::WithoutInit)
            && !matches!(self.ending, Ending::HALT | Ending::REBOOT)
        {
            return Err(Problem::WithoutInitElsewhere);
        }
        Ok(Wish::GoDown(Plan {
            switches: self.switches,
            when,
            ending: self.ending,
            halt: self.halt,
            warnings: self.warnings,
            grace: self.grace,
            message,
        }))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &[&str]) -> Result<Wish, Problem> {
        let words: Vec<OsString> = words.iter().map(OsString::from).collect();
        parse(&words)
    }

    fn plan(words: &[&str]) -> Plan {
        match parsed(words) {
            Ok(Wish::GoDown(plan)) => plan,
            other => panic!("{words:?}: {other:?}"),
        }
    }

    #[test]
    fn a_time_alone_leads_to_maintenance() {
        let plan = plan(&["+5"]);
        assert_eq!(plan.ending, Ending::MAINTENANCE);
        assert_eq!(plan.when, When::After { minutes: 5 });
        assert_eq!((plan.halt, plan.grace), (None, None));
        assert_eq!(plan.message, b"");
    }

    #[test]
    fn options_stand_before_and_behind_the_time() {
        let plan = plan(&["-h", "now", "-H", "-t", "7", "so", "long"]);
        assert_eq!(plan.ending, Ending::HALT);
        assert_eq!(plan.halt, Some(Halt::Stay));
        assert_eq!(plan.grace, Some("7".into()));
        assert_eq!(plan.message, b"so long \r\n");
    }

    #[test]
    fn the_last_of_halt_and_reboot_wins() {
        assert_eq!(plan(&["-hr", "now"]).ending, Ending::REBOOT);
        assert_eq!(plan(&["-rh", "now"]).ending, Ending::HALT);
    }

    #[test]
    fn system_v_spellings_are_understood() {
        let plan = plan(&["-y", "-g0", "-i", "5", "bye"]);
        assert_eq!(plan.ending, Ending(b'5'));
        assert_eq!(plan.when, When::After { minutes: 0 });
        assert_eq!(plan.message, b"bye \r\n");
    }

    #[test]
    fn ctrl_alt_del_from_inittab_is_understood() {
        let plan = plan(&["-t1", "-a", "-r", "now"]);
        assert!(plan.has(Switch::CheckAllowed));
        assert_eq!(plan.ending, Ending::REBOOT);
        assert_eq!(plan.grace, Some("1".into()));
    }

    #[test]
    fn cancelling_takes_all_words_for_the_message() {
        assert_eq!(
            parsed(&["-c", "never", "mind"]),
            Ok(Wish::Cancel {
                message: b"never mind \r\n".to_vec()
            })
        );
    }

    #[test]
    fn showing_stands_alone() {
        assert_eq!(parsed(&["--show"]), Ok(Wish::Show));
        for words in [["--show", "now"], ["--show", "-c"], ["-g5", "--show"]] {
            assert!(matches!(parsed(&words), Err(Problem::Usage(_))));
        }
    }

    #[test]
    fn power_and_halt_need_minus_h() {
        for words in [["-P", "now"], ["-rH", "now"]] {
            assert_eq!(parsed(&words), Err(Problem::HaltWithoutMinusH));
        }
    }

    #[test]
    fn other_levels_are_refused_by_name() {
        assert_eq!(
            parsed(&["-i", "9", "now"]),
            Err(Problem::BadLevel("9".into()))
        );
        assert_eq!(parsed(&["-n", "now"]), Err(Problem::WithoutInitElsewhere));
    }

    #[test]
    fn without_a_time_or_with_a_bad_one_the_usage_is_shown() {
        for words in [
            &[][..],
            &["-r"],
            &["abc"],
            &["-r", "25:00"],
            &["-x", "now"],
            &["now", "--halt"],
        ] {
            let wish = parsed(words);
            assert!(matches!(wish, Err(Problem::Usage(_))), "{wish:?}");
        }
    }
}

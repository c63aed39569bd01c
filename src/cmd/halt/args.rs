//! The words after `halt`, `poweroff` or `reboot` as a value: halt(8). Pure; `mod.rs` acts on it.

use std::ffi::{CString, OsString};
use std::os::unix::ffi::OsStringExt;

use lexopt::Arg;

use crate::cmd::usage::UsageError;
use crate::sys::reboot::End;

/// An option that is there or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Switch {
    /// `-n`: neither sync nor record.
    NoSync,
    /// `-w`: write the record and go on living.
    RecordOnly,
    /// `-d`: no record.
    NoRecord,
    /// `-f`: go down now, without shutdown and init.
    Force,
    /// `-i`: network interfaces down first.
    TakeInterfacesDown,
    /// `-h`: disks to standby first.
    StandDisksBy,
    /// `-p`: power off where the name says halt.
    PowerOff,
    /// `-k`: restart by way of kexec.
    Kexec,
}

/// What is asked for.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Options {
    switches: Vec<Switch>,
    /// `-m`: a word for the firmware or the boot loader.
    pub(super) restart_word: Option<CString>,
    /// `-t`: handed on to shutdown.
    pub(super) grace: Option<OsString>,
    /// How the machine ends, by name and `-p`.
    pub(super) end: End,
}

/// What the words come to.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Wish {
    Help,
    Version,
    GoDown(Options),
}

impl Options {
    pub(super) fn has(&self, switch: Switch) -> bool {
        self.switches.contains(&switch)
    }

    /// Tells whether init and shutdown are left out, whatever the runlevel.
    pub(super) fn is_forced(&self) -> bool {
        self.has(Switch::Force) || self.has(Switch::RecordOnly) || self.restart_word.is_some()
    }

    /// The words for shutdown that bring about the same end.
    pub(super) fn for_shutdown(&self) -> Vec<OsString> {
        let mut words: Vec<OsString> = match self.end {
            End::Restart | End::Kexec => vec!["-r".into()],
            End::PowerOff => vec!["-h".into(), "-P".into()],
            End::Halt => vec!["-h".into(), "-H".into()],
        };
        if let Some(grace) = &self.grace {
            words.extend(["-t".into(), grace.clone()]);
        }
        words.push("now".into());
        words
    }
}

pub(super) fn parse(name: &str, words: &[OsString]) -> Result<Wish, UsageError> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut switches = Vec::new();
    let mut restart_word = None;
    let mut grace = None;
    while let Some(argument) = parser.next()? {
        let switch = match argument {
            Arg::Short('m') => {
                let word = parser.value()?;
                let word = CString::new(word.into_vec());
                restart_word = Some(word.map_err(|_| UsageError::from("-m: a NUL in the word"))?);
                continue;
            }
            Arg::Short('t') => {
                grace = Some(parser.value()?);
                continue;
            }
            Arg::Short(letter) => switch(letter).ok_or(argument.unexpected())?,
            Arg::Long("help") => return Ok(Wish::Help),
            Arg::Long("version") => return Ok(Wish::Version),
            Arg::Long(_) | Arg::Value(_) => return Err(argument.unexpected().into()),
        };
        switches.push(switch);
    }
    // Whoever wants another kernel or a word for the firmware does not want the machine to stay down.
    if name != "reboot" && (restart_word.is_some() || switches.contains(&Switch::Kexec)) {
        return Err("-k and -m are for reboot only".into());
    }
    let end = match name {
        "reboot" if switches.contains(&Switch::Kexec) => End::Kexec,
        "reboot" => End::Restart,
        "poweroff" => End::PowerOff,
        _ if switches.contains(&Switch::PowerOff) => End::PowerOff,
        _ => End::Halt,
    };
    Ok(Wish::GoDown(Options {
        switches,
        restart_word,
        grace,
        end,
    }))
}

const fn switch(letter: char) -> Option<Switch> {
    Some(match letter {
        'n' => Switch::NoSync,
        'w' => Switch::RecordOnly,
        'd' => Switch::NoRecord,
        'f' => Switch::Force,
        'i' => Switch::TakeInterfacesDown,
        'h' => Switch::StandDisksBy,
        'p' => Switch::PowerOff,
        'k' => Switch::Kexec,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(words: &str) -> Result<Wish, UsageError> {
        let mut words = words.split(' ');
        let name = words.next().unwrap();
        let words: Vec<OsString> = words.map(OsString::from).collect();
        parse(name, &words)
    }

    fn options(words: &str) -> Options {
        match parsed(words) {
            Ok(Wish::GoDown(options)) => options,
            other => panic!("{words}: {other:?}"),
        }
    }

    #[test]
    fn the_name_chooses_the_end() {
        for (words, end) in [
            ("halt", End::Halt),
            ("halt -p", End::PowerOff),
            ("poweroff", End::PowerOff),
            ("reboot", End::Restart),
            ("reboot -p", End::Restart),
            ("reboot -k", End::Kexec),
        ] {
            assert_eq!(options(words).end, end, "{words}");
        }
    }

    #[test]
    fn what_rc_scripts_write_is_understood() {
        let halt = options("halt -d -f -i -p -h");
        for switch in [
            Switch::NoRecord,
            Switch::Force,
            Switch::TakeInterfacesDown,
            Switch::PowerOff,
            Switch::StandDisksBy,
        ] {
            assert!(halt.has(switch), "{switch:?}");
        }
        assert!(!halt.has(Switch::NoSync));
        assert_eq!(options("reboot -dfi").end, End::Restart);
    }

    #[test]
    fn only_force_record_and_restart_word_leave_shutdown_out() {
        for words in ["halt -f", "halt -w", "reboot -m recovery"] {
            assert!(options(words).is_forced(), "{words}");
        }
        assert!(!options("halt -n -d -i -h -p -t 5").is_forced());
    }

    #[test]
    fn shutdown_is_asked_for_the_same_end() {
        for (words, expected) in [
            ("halt", "-h -H now"),
            ("halt -p", "-h -P now"),
            ("poweroff -t 5", "-h -P -t 5 now"),
            ("reboot", "-r now"),
        ] {
            let asked = options(words).for_shutdown();
            let asked: Vec<_> = asked.iter().map(|word| word.to_str().unwrap()).collect();
            assert_eq!(asked.join(" "), expected);
        }
    }

    #[test]
    fn operands_and_unknown_options_are_usage_errors() {
        for words in [
            "halt now",
            "reboot -x",
            "halt --force",
            "reboot -m",
            "halt -k",
            "poweroff -f -m recovery",
        ] {
            assert!(parsed(words).is_err(), "{words}");
        }
    }
}

//! How the administrator wants scripts to be run: `/etc/default/rc` and the word `confirm` of the kernel.
//!
//! Without them everything is as it always was: one script after another, as long as each takes, unasked.
#![forbid(unsafe_code)]

use super::deadline::duration;
use crate::defaults::{self, Diagnostic, Problem};
use std::time::Duration;

/// What settings take.
const TIME: &str = "a time such as 60 or 2m";
const YES_OR_NO: &str = "yes or no";

/// The settings.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Settings {
    /// How long a script may take that does not say so itself.
    pub deadline: Option<Duration>,
    /// Whether somebody is asked before each script.
    pub asking: Asking,
    /// Whether scripts may run side by side.
    pub order: Order,
}

/// Whether somebody at the console is asked before each script.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Asking {
    /// No.
    #[default]
    Never,
    /// Yes.
    Each,
}

/// What decides when a script may begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Order {
    /// The numbers of the links, one script after another.
    #[default]
    Links,
    /// The headers of the scripts: those that do not need each other run side by side.
    Headers,
}

/// Reads the settings; a line that is wrong costs itself only.
pub fn parse(file: &[u8]) -> (Settings, Vec<Diagnostic>) {
    let mut settings = Settings::default();
    let diagnostics = defaults::read(file, |name, value| settings.set(name, value));
    (settings, diagnostics)
}

impl Settings {
    fn set(&mut self, name: &[u8], value: &[u8]) -> Result<(), Problem> {
        let refuse = |name, wanted| Problem::value(name, value, wanted);
        match name {
            // An empty value takes a setting back.
            b"DEADLINE" if value.is_empty() => self.deadline = None,
            b"DEADLINE" => {
                self.deadline = Some(duration(value).ok_or_else(|| refuse("DEADLINE", TIME))?);
            }
            b"CONFIRM" => {
                self.asking = match yes_or_no(value).ok_or_else(|| refuse("CONFIRM", YES_OR_NO))? {
                    Answer::Yes => Asking::Each,
                    Answer::No => Asking::Never,
                };
            }
            b"PARALLEL" => {
                self.order = match yes_or_no(value).ok_or_else(|| refuse("PARALLEL", YES_OR_NO))? {
                    Answer::Yes => Order::Headers,
                    Answer::No => Order::Links,
                };
            }
            name => return Err(Problem::UnknownName(name.into())),
        }
        Ok(())
    }

    /// Adds what the kernel's command line says.
    pub fn obey_kernel(&mut self, words: &[u8]) {
        if words
            .split(u8::is_ascii_whitespace)
            .any(|word| word == b"confirm")
        {
            self.asking = Asking::Each;
        }
    }
}

enum Answer {
    Yes,
    No,
}

fn yes_or_no(value: &[u8]) -> Option<Answer> {
    match value {
        b"yes" => Some(Answer::Yes),
        b"no" | b"" => Some(Answer::No),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_empty_file_changes_nothing() {
        assert_eq!(parse(b""), (Settings::default(), Vec::new()));
        let commented = b"# DEADLINE=60\n\n  #CONFIRM=yes\n";
        assert_eq!(parse(commented), (Settings::default(), Vec::new()));
    }

    #[test]
    fn each_setting_is_one_line() {
        let (settings, diagnostics) =
            parse(b"DEADLINE=2m # long\nexport CONFIRM='yes'\nPARALLEL=\"yes\"\n");
        assert_eq!(diagnostics, Vec::new());
        assert_eq!(settings.deadline, Some(Duration::from_secs(120)));
        assert_eq!(settings.asking, Asking::Each);
        assert_eq!(settings.order, Order::Headers);
        let (settings, _) = parse(b"PARALLEL=yes\nPARALLEL=no\nDEADLINE=1\nDEADLINE=\n");
        assert_eq!(settings, Settings::default());
    }

    #[test]
    fn what_is_wrong_is_said_with_its_line_and_costs_nothing_else() {
        let (settings, diagnostics) =
            parse(b"DEADLINE=soon\nCONFIRM=maybe\nDEDLINE=60\nhello\nDEADLINE=$X\nPARALLEL=yes\n");
        let said: Vec<String> = diagnostics
            .iter()
            .map(|one| format!("{}: {}", one.line, one.problem))
            .collect();
        assert_eq!(
            said,
            [
                "1: DEADLINE=soon: it takes a time such as 60 or 2m",
                "2: CONFIRM=maybe: it takes yes or no",
                "3: DEDLINE: unknown setting",
                "4: not of the form NAME=value",
                "5: not of the form NAME=value",
            ]
        );
        assert_eq!((settings.deadline, settings.order), (None, Order::Headers));
    }

    #[test]
    fn the_kernels_word_asks_too() {
        let mut settings = Settings::default();
        settings.obey_kernel(b"quiet confirmed=1 ro\n");
        assert_eq!(settings.asking, Asking::Never);
        settings.obey_kernel(b"quiet confirm ro\n");
        assert_eq!(settings.asking, Asking::Each);
    }
}

//! Confirmation: the question before each script, and the answer of whoever sits at the console.

use std::os::fd::AsFd;

use crate::cmd::console::Console;
use crate::rcdir::plan::{Argument, Step};
use crate::sys;
use crate::sys::output::wait;
use crate::sys::script::{HeldSignals, Occurrence};

/// What somebody wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Answer {
    /// To run this script.
    Yes,
    /// Not to run it.
    No,
    /// To run it and all others. So does who is not there to answer.
    Always,
    /// The whole run is to end.
    Ended,
}

/// What is asked for a step, such as `Start cron`.
pub(super) fn title(step: &Step) -> Vec<u8> {
    let word = match step.argument {
        Argument::Start => "Start ",
        Argument::Stop => "Stop ",
    };
    format!("{word}{}", step.link.name.escape_ascii()).into_bytes()
}

/// Asks until an answer can be understood.
pub(super) fn ask(question: &str, console: &mut Console, signals: &HeldSignals) -> Answer {
    let input = std::io::stdin();
    loop {
        console.show(question.as_bytes());
        console.finish();
        let sources = [signals.as_fd(), input.as_fd()];
        let has_input = loop {
            let ready = wait(&sources, None, None);
            while let Some(occurrence) = signals.take() {
                match occurrence {
                    Occurrence::Terminate => {
                        console.show(b"\n");
                        return Answer::Ended;
                    }
                    // Ctrl-C at a question means that this is not wanted.
                    Occurrence::Interrupt(_) => {
                        console.show(b"\n");
                        return Answer::No;
                    }
                    Occurrence::ChildChanged | Occurrence::Suspend => {}
                }
            }
            if let [_, true] = ready[..] {
                break sys::script::answer();
            }
        };
        match has_input.as_deref().map(answer) {
            Some(Some(answer)) => return answer,
            Some(None) => {}
            None => {
                console.show(b"\n");
                return Answer::Always;
            }
        }
    }
}

/// Understands a line.
fn answer(line: &[u8]) -> Option<Answer> {
    match line.trim_ascii().to_ascii_lowercase().as_slice() {
        b"y" | b"yes" => Some(Answer::Yes),
        b"n" | b"no" => Some(Answer::No),
        b"c" | b"continue" => Some(Answer::Always),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn answers_are_letters_or_words() {
        assert_eq!(answer(b"y\n"), Some(Answer::Yes));
        assert_eq!(answer(b" No\r\n"), Some(Answer::No));
        assert_eq!(answer(b"continue\n"), Some(Answer::Always));
        for line in [&b"\n"[..], b"x\n", b"yy\n", b"\xff"] {
            assert_eq!(answer(line), None);
        }
    }
}

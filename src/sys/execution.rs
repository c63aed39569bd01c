//! What a child of init executes: made before there is a child, so that one which shares init's memory only reads it.

use super::bare;
use super::reports::{Kind, Reports};
use nix::errno::Errno;
use std::ffi::{CStr, CString, c_char};
use std::ptr;

/// One program to try.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The files to execute, in the order of the search path.
    pub(crate) candidates: Vec<CString>,
    /// The words it gets.
    pub(crate) argv: Vec<CString>,
    /// After which failure of the attempt before it is made.
    pub(crate) after: After,
}

/// When an attempt is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum After {
    /// At first.
    Nothing,
    /// When the program before has no format the kernel knows.
    NoExec,
    /// When the program before is not there; the failure is reported all the same.
    NotFound,
}

impl After {
    /// Tells whether the time has come, after what the attempt before has failed with.
    fn is_wanted(self, failure: Option<Errno>) -> bool {
        match self {
            After::Nothing => true,
            After::NoExec => failure == Some(Errno::ENOEXEC),
            After::NotFound => matches!(failure, Some(Errno::ENOENT | Errno::ENOTDIR)),
        }
    }
}

/// Programs, tried in turn, with their environment.
#[derive(Debug)]
pub(crate) struct Execution {
    /// Each with the vector of its words.
    attempts: Vec<(Attempt, Vec<*const c_char>)>,
    environment: Vec<*const c_char>,
    failed: fn(Errno) -> u8,
    /// What the environment's pointers point into.
    _owner: Vec<CString>,
}

impl Execution {
    /// Prepares to try these, all with this environment. `failed` makes the exit code where none can be executed; it only
    /// computes.
    pub(crate) fn new(
        attempts: Vec<Attempt>,
        environment: Vec<CString>,
        failed: fn(Errno) -> u8,
    ) -> Self {
        let with_vector = |attempt: Attempt| {
            let argv = pointers(&attempt.argv);
            (attempt, argv)
        };
        Self {
            attempts: attempts.into_iter().map(with_vector).collect(),
            environment: pointers(&environment),
            failed,
            _owner: environment,
        }
    }

    /// Executes the first attempt that works. Returns the exit code where none does.
    pub(super) fn run(&self, reports: Reports) -> u8 {
        let mut failure = None;
        for (attempt, argv) in &self.attempts {
            if !attempt.after.is_wanted(failure) {
                continue;
            }
            let error = self.search(&attempt.candidates, argv);
            failure = Some(error);
            if error != Errno::ENOEXEC {
                let name = attempt
                    .argv
                    .first()
                    .map_or(b"".as_slice(), |word| word.as_bytes());
                reports.tell(Kind::ExecFailed, name, error as i32);
            }
        }
        (self.failed)(failure.unwrap_or(Errno::ENOENT))
    }

    /// As execvp(3) searches: a file that may not be executed is remembered, one that is not there passed over.
    fn search(&self, candidates: &[CString], argv: &[*const c_char]) -> Errno {
        let mut result = Errno::ENOENT;
        for candidate in candidates {
            let candidate: &CStr = candidate;
            // SAFETY: both vectors were made by `pointers` of strings that live with this value.
            let error =
                unsafe { bare::execute(candidate, argv.as_ptr(), self.environment.as_ptr()) };
            match error {
                Errno::ENOENT | Errno::ENOTDIR => {}
                Errno::EACCES => result = Errno::EACCES,
                error => return error,
            }
        }
        result
    }
}

/// A vector for execve(2). It is valid as long as the strings are.
pub(super) fn pointers(strings: &[CString]) -> Vec<*const c_char> {
    let strings = strings.iter().map(|string| string.as_ptr());
    strings.chain([ptr::null()]).collect()
}

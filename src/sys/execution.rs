//! What a child of init executes: made before there is a child, so that one which shares init's memory only reads it.

use super::bare;
use super::reports::{Kind, Reports};
use nix::errno::Errno;
use std::ffi::{CStr, c_char};
use std::ptr;
use std::rc::Rc;

/// Words as execve(2) takes them: one piece of memory for all of them and one for the vector, so that a child leaves no holes
/// in the heap.
#[derive(Debug)]
pub(crate) struct WordVector {
    /// Each ends with its NUL. Not a box: where one goes, nothing may have pointed before.
    bytes: Vec<u8>,
    /// Points into `bytes`; the last one is null.
    vector: Vec<*const c_char>,
}

impl WordVector {
    /// Copies words. One with a NUL in it cannot be passed on and is left out.
    pub(crate) fn new<'a>(words: impl IntoIterator<Item = &'a [u8]>) -> Self {
        let mut bytes = Vec::new();
        for word in words.into_iter().filter(|word| !word.contains(&0)) {
            bytes.extend_from_slice(word);
            bytes.push(0);
        }
        bytes.shrink_to_fit();
        let words = bytes.split_inclusive(|&byte| byte == 0);
        let vector = words.map(|word| word.as_ptr().cast());
        let vector = vector.chain([ptr::null()]).collect();
        Self { bytes, vector }
    }

    /// Makes an environment of names and values. One with a NUL in either is left out.
    pub(crate) fn of_variables<'a>(
        variables: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Self {
        let variables = variables.into_iter();
        let words: Vec<_> = variables
            .map(|(name, value)| [name, b"=", value].concat())
            .collect();
        Self::new(words.iter().map(Vec::as_slice))
    }

    /// The words in their order. Allocates nothing.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &CStr> {
        let words = self.bytes.split_inclusive(|&byte| byte == 0);
        words.filter_map(|word| CStr::from_bytes_with_nul(word).ok())
    }

    /// The vector for execve(2), valid as long as these words are.
    pub(super) fn as_ptr(&self) -> *const *const c_char {
        self.vector.as_ptr()
    }
}

/// One program to try.
#[derive(Debug)]
pub(crate) struct Attempt {
    /// The files to execute, in the order of the search path.
    pub(crate) candidates: WordVector,
    /// The words it gets.
    pub(crate) argv: WordVector,
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
    /// In the order in which they are tried.
    pub(crate) attempts: Vec<Attempt>,
    /// `NAME=VALUE`; that of the next process is most often the same.
    pub(crate) environment: Rc<WordVector>,
    /// Makes the exit code where none can be executed; it only computes.
    pub(crate) failed: fn(Errno) -> u8,
}

impl Execution {
    /// Executes the first attempt that works. Returns the exit code where none does.
    pub(super) fn run(&self, reports: Reports) -> u8 {
        let mut failure = None;
        for attempt in &self.attempts {
            if !attempt.after.is_wanted(failure) {
                continue;
            }
            let error = self.search(attempt);
            failure = Some(error);
            if error != Errno::ENOEXEC {
                let name = attempt.argv.iter().next().unwrap_or_default();
                reports.tell(Kind::ExecFailed, name.to_bytes(), error as i32);
            }
        }
        (self.failed)(failure.unwrap_or(Errno::ENOENT))
    }

    /// As execvp(3) searches: a file that may not be executed is remembered, one that is not there passed over.
    fn search(&self, attempt: &Attempt) -> Errno {
        let (argv, environment) = (attempt.argv.as_ptr(), self.environment.as_ptr());
        let mut result = Errno::ENOENT;
        for candidate in attempt.candidates.iter() {
            // SAFETY: both are vectors of words that live with this value.
            let error = unsafe { bare::execute(candidate, argv, environment) };
            match error {
                Errno::ENOENT | Errno::ENOTDIR => {}
                Errno::EACCES => result = Errno::EACCES,
                error => return error,
            }
        }
        result
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(words: &WordVector) -> Vec<&[u8]> {
        words.iter().map(CStr::to_bytes).collect()
    }

    #[test]
    fn words_stay_in_their_order_and_an_empty_one_is_one() {
        let words = WordVector::new([&b"sh"[..], b"-c", b"", b"exit 0"]);
        assert_eq!(seen(&words), [&b"sh"[..], b"-c", b"", b"exit 0"]);
        assert_eq!(words.vector.len(), 5);
    }

    #[test]
    fn the_vector_points_at_every_word_and_ends_with_null() {
        let words = WordVector::new([&b"one"[..], b"", b"three"]);
        let (last, pointers) = words.vector.split_last().unwrap();
        assert!(last.is_null());
        for (pointer, word) in pointers.iter().zip(words.iter()) {
            assert_eq!(*pointer, word.as_ptr());
        }
    }

    #[test]
    fn no_words_are_a_vector_with_nothing_but_its_end() {
        let words = WordVector::new([]);
        assert!(seen(&words).is_empty());
        assert_eq!(words.vector, [ptr::null()]);
    }

    #[test]
    fn a_word_with_a_nul_in_it_is_left_out() {
        let words = WordVector::new([&b"A=1"[..], b"B=\0", b"C=3"]);
        assert_eq!(seen(&words), [b"A=1", b"C=3"]);
    }
}

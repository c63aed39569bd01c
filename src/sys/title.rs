//! The process title: the memory of the original command line, which `ps` reads.

use nix::libc::c_char;
use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;

unsafe extern "C" {
    /// The C library's environment: environ(7).
    static environ: *const *const c_char;
}

/// The bytes that the kernel laid the command line out in.
#[derive(Debug)]
pub(crate) struct TitleArea {
    start: *mut u8,
    length: usize,
}

impl TitleArea {
    /// Finds the area from the arguments. Must be called before anything changes the environment; nothing where
    /// the memory does not look as expected.
    pub(crate) fn find(arguments: &[OsString]) -> Option<Self> {
        // SAFETY: `environ` is set before main and only read here; we run one thread.
        let environment = unsafe { environ };
        // SAFETY: nothing has changed the environment, so its pointers are those of the initial stack.
        unsafe { Self::before(environment, arguments) }
    }

    /// Finds the area of the arguments whose pointers lie before those of the environment.
    ///
    /// # Safety
    /// `environment` is null, or it is the place behind as many pointers to NUL-terminated words as there are arguments
    /// and a null pointer, and the words can be read and written as long as the result is used.
    unsafe fn before(environment: *const *const c_char, arguments: &[OsString]) -> Option<Self> {
        let count = arguments.len();
        if environment.is_null() || count == 0 {
            return None;
        }
        // SAFETY: the initial stack holds argv[0..count], a null pointer and then the environment's pointers
        // (System V ABI, "Process Initialization"), so that many pointers lie before it.
        let vector = unsafe { environment.sub(count + 1) };
        let mut start = None;
        let mut end: *const u8 = std::ptr::null();
        for (index, argument) in arguments.iter().enumerate() {
            // SAFETY: `index` is below `count`, see above.
            let slot = unsafe { vector.add(index) };
            // SAFETY: the slot lies in the vector, see above.
            let word: *const u8 = unsafe { *slot }.cast();
            if word.is_null() || (start.is_some() && word != end) {
                return None;
            }
            let length = argument.len();
            // SAFETY: the kernel stored the argument's bytes and a NUL here; they are compared, so a wrong guess
            // about the stack is found before anything is written.
            let bytes = unsafe { std::slice::from_raw_parts(word, length + 1) };
            if bytes.strip_suffix(&[0]) != Some(argument.as_bytes()) {
                return None;
            }
            start = start.or(Some(word));
            // SAFETY: one past the word's NUL, still within the stack's strings.
            end = unsafe { word.add(length + 1) };
        }
        let start = start?;
        let length = (end as usize).checked_sub(start as usize)?;
        Some(Self {
            start: start.cast_mut(),
            length,
        })
    }

    /// Shows a title, cut to the length of the original command line and padded with NULs.
    pub(crate) fn set(&mut self, title: &str) {
        // SAFETY: `find` has checked that these bytes are the arguments; the stack lives as long as the process,
        // and nothing else refers to them (the standard library copies arguments when asked for them).
        let area = unsafe { std::slice::from_raw_parts_mut(self.start, self.length) };
        let room = self.length.saturating_sub(1);
        let text = title
            .as_bytes()
            .iter()
            .take(room)
            .chain(std::iter::repeat(&0));
        for (byte, new) in area.iter_mut().zip(text) {
            *byte = *new;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What the kernel leaves on a new program's stack: pointers to the words, and the words one behind the other.
    struct Stack {
        words: Vec<u8>,
        pointers: Vec<*const c_char>,
    }

    impl Stack {
        fn with(words: &[&str]) -> Self {
            let mut stack = Self {
                words: words
                    .iter()
                    .flat_map(|word| [word.as_bytes(), &[0]].concat())
                    .collect(),
                pointers: Vec::new(),
            };
            let mut word = stack.words.as_mut_ptr();
            for length in words.iter().map(|word| word.len() + 1) {
                stack.pointers.push(word.cast());
                word = word.wrapping_add(length);
            }
            stack.pointers.extend([std::ptr::null(); 2]);
            stack
        }

        fn area(&self, arguments: &[&str]) -> Option<TitleArea> {
            let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
            let environment = self.pointers.as_ptr().wrapping_add(self.pointers.len() - 1);
            // SAFETY: the pointers are laid out as on a stack, and they live longer than the area.
            unsafe { TitleArea::before(environment, &arguments) }
        }
    }

    #[test]
    fn miri_title_takes_the_place_of_the_arguments_and_no_more() {
        let stack = Stack::with(&["/sbin/init", "auto", "3"]);
        let mut area = stack.area(&["/sbin/init", "auto", "3"]).unwrap();
        area.set("init [3]");
        assert_eq!(&stack.words, b"init [3]\0\0\0\0\0\0\0\0\0\0");
        area.set("a title that is longer than the line");
        assert_eq!(&stack.words, b"a title that is l\0");
    }

    #[test]
    fn miri_stack_that_does_not_hold_the_arguments_is_left_alone() {
        let stack = Stack::with(&["init", "3"]);
        assert!(stack.area(&["init", "4"]).is_none());
        assert!(stack.area(&[]).is_none());
        assert_eq!(&stack.words, b"init\x003\0");
    }
}

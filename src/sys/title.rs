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
        let count = arguments.len();
        // SAFETY: `environ` is set before main and only read here; we run one thread.
        let environment = unsafe { environ };
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

//! The system's allocator, which remembers what it has refused: the end of a program that had no memory is abort(3), and
//! PID 1 goes on from that in another way than from a fault of its own.

use std::alloc::{GlobalAlloc, Layout, System};
use std::sync::atomic::{AtomicUsize, Ordering};

/// How much was asked for when there was nothing to give; zero where nothing was refused lately.
static REFUSED: AtomicUsize = AtomicUsize::new(0);

#[global_allocator]
static ALLOCATOR: Remembering = Remembering;

struct Remembering;

impl Remembering {
    /// Passes on what the system gave.
    fn passed(given: *mut u8, size: usize) -> *mut u8 {
        if given.is_null() {
            REFUSED.store(size, Ordering::Release);
        }
        given
    }
}

// SAFETY: everything is the system's; nothing is added but a note.
unsafe impl GlobalAlloc for Remembering {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        // SAFETY: the caller keeps the contract of this function, which is that one's.
        Self::passed(unsafe { System.alloc(layout) }, layout.size())
    }

    unsafe fn alloc_zeroed(&self, layout: Layout) -> *mut u8 {
        // SAFETY: as above.
        Self::passed(unsafe { System.alloc_zeroed(layout) }, layout.size())
    }

    unsafe fn realloc(&self, old: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        // SAFETY: as above.
        Self::passed(unsafe { System.realloc(old, layout, size) }, size)
    }

    unsafe fn dealloc(&self, old: *mut u8, layout: Layout) {
        // SAFETY: as above.
        unsafe { System.dealloc(old, layout) }
    }
}

/// How much memory was refused since the last call of [`forget`]; zero where none was.
pub(super) fn refused() -> usize {
    REFUSED.load(Ordering::Acquire)
}

/// Takes note that the program has done without what was refused.
pub(crate) fn forget() {
    REFUSED.store(0, Ordering::Release);
}

/// What is left below a variable for the rest of its frame and for what is called from it: a system call and its wrapper,
/// which together need less than a tenth of this.
const CALLEES: usize = 2 << 10;
/// How far down from where it is used now the stack may have reached. Below it the kernel keeps a gap of a megabyte.
const REACH: usize = 256 << 10;

/// Gives the kernel back what the program has used for a moment and will not need again soon: free parts of the heap, which
/// the C library gives back by itself only with much more than PID 1 ever has, and the stack below this function.
pub(crate) fn give_back() {
    #[cfg(target_env = "gnu")]
    // SAFETY: only memory that nobody has is given back.
    unsafe {
        libc::malloc_trim(0)
    };
    give_back_stack();
}

fn give_back_stack() {
    // Only the first thread's stack has nothing but a gap below it.
    if nix::unistd::gettid() != nix::unistd::getpid() {
        return;
    }
    let Some(page) = nix::unistd::sysconf(nix::unistd::SysconfVar::PAGE_SIZE)
        .ok()
        .flatten()
        .and_then(|size| usize::try_from(size).ok())
    else {
        return;
    };
    let here = 0_u8;
    let used = &raw const here as usize;
    let end = (used - CALLEES) & !(page - 1);
    let start = end - REACH;
    // SAFETY: stacks grow downwards, so nothing is in use there, and what is used next is filled with zeros first. Where the
    // stack has never reached nothing is mapped, which is passed over.
    unsafe { libc::madvise(start as *mut libc::c_void, REACH, libc::MADV_DONTNEED) };
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_refused_is_remembered_until_it_is_done_without() {
        let too_much = Layout::from_size_align(isize::MAX as usize - 4096, 1).unwrap();
        // SAFETY: the size is not zero.
        let given = unsafe { std::alloc::alloc(too_much) };
        assert!(given.is_null());
        assert_eq!(refused(), too_much.size());
        forget();
        assert_eq!(refused(), 0);
    }
}

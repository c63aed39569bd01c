//! Ways to crash, for the tests of crash recovery; not compiled into the product.

use std::hint::black_box;

/// Crashes.
#[expect(clippy::panic, reason = "that is what it is for")]
pub(crate) fn crash(way: &str) {
    match way {
        "panic" => panic!("provoked"),
        // SAFETY: ends this process by SIGABRT.
        "abort" => unsafe { libc::abort() },
        "overflow" => {
            black_box(deeper(black_box(1)));
        }
        #[cfg(target_arch = "x86_64")]
        // SAFETY: raises SIGILL, which is the purpose.
        "ill" => unsafe { std::arch::asm!("ud2") },
        // SAFETY: it is not; the purpose is a segmentation violation.
        _ => unsafe { std::ptr::write_volatile(black_box(8) as *mut u8, 0) },
    }
}

#[expect(unconditional_recursion, reason = "until the stack ends")]
fn deeper(depth: u64) -> u64 {
    let words = black_box([depth; 512]);
    black_box(deeper(depth + 1)) + words.iter().sum::<u64>()
}

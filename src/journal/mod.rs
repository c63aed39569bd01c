//! What has happened to init since its last snapshot, written down as it happens, and the state that follows from it.
//!
//! A snapshot of ten thousand entries is a megabyte, too much to be written for every process that ends. So a
//! snapshot is taken now and then, while nothing is at hand, and behind it stands a line for everything since: what
//! was read from the kernel, which event was taken up when, which effect was begun. The supervisor is pure, so the
//! same events at the same times lead to the same state and to the same effects, and an image of init that takes
//! over after a crash knows exactly what is done, what is not, and what was at hand.
//!
//! This module writes the lines ([`Mark`]) and reads them ([`mod@replay`]). Where they are kept, and who takes over, is
//! `cmd::init`'s and `sys::crash`'s part; `doc/architecture.md` tells the whole story.
//!
//! ```text
//! 12567362VER... END    the snapshot
//! W e 217 0             this event was read and waits
//! R s 3 218             this event is the answer to the effect at hand and waits
//! B 1969...             bytes were read from the FIFO
//! Q                     the next request was taken from them and waits
//! A                     the beginning of a request was given up
//! T 5000000             the next event (answers first) was taken up at this time
//! H                     the supervisor has answered
//! P                     the next effect was begun, so that the one before is done
//! C 218                 a process was forked for it
//! L 15                  which accounting records are written
//! D                     the effect at hand is done
//! G 3 219               the minimal init has started a process for an entry
//! XCR5000 11 1 0 4f20   init crashed (XCD: was asked to, XCM: had no memory)
//! ```
#![forbid(unsafe_code)]

mod crash;
mod event;
mod replay;
#[cfg(test)]
mod tests;

pub use crash::{
    Cause, Crash, is_recent, last_crash, pause_after, recent_crashes, recent_shortages,
};
pub use replay::{Recovered, replay};

use crate::process::Pid;
use crate::snapshot::{Written, hex};
use crate::supervisor::Event;
use crate::uptime::Uptime;

/// One thing to write down.
#[derive(Debug, Clone, Copy)]
pub enum Mark<'a> {
    /// An event was read from the kernel and waits.
    Queued(&'a Event),
    /// An effect has brought about an event, which waits.
    Answered(&'a Event),
    /// Bytes were read from the FIFO.
    Read(&'a [u8]),
    /// The next request was taken from them and waits.
    Served,
    /// The beginning of a request was given up.
    Abandoned,
    /// The next event was taken up.
    Taken(Uptime),
    /// The supervisor has said what follows from it.
    Handled,
    /// The next effect was begun.
    Begun,
    /// A process was forked for the effect at hand.
    Forked(Pid),
    /// Which accounting records have reached their files.
    Recorded(Written),
    /// The effect at hand is done: it was the last, or must not be begun again.
    Done,
    /// The minimal init has started a process for the entry of this key.
    Kept(u64, Pid),
}

impl Mark<'_> {
    /// Adds its lines to a text.
    pub fn write(self, text: &mut Vec<u8>) {
        let line = match self {
            Self::Queued(event) => {
                event::write_table(event, text);
                format!("W {}", event::words(event))
            }
            Self::Answered(event) => {
                event::write_table(event, text);
                format!("R {}", event::words(event))
            }
            Self::Read(bytes) => format!("B {}", hex(bytes)),
            Self::Served => "Q".to_owned(),
            Self::Abandoned => "A".to_owned(),
            Self::Taken(now) => format!("T {}", now.0.as_nanos()),
            Self::Handled => "H".to_owned(),
            Self::Begun => "P".to_owned(),
            Self::Forked(pid) => format!("C {pid}"),
            Self::Recorded(written) => format!("L {}", bits(written)),
            Self::Done => "D".to_owned(),
            Self::Kept(key, pid) => format!("G {key} {pid}"),
        };
        text.extend_from_slice(line.as_bytes());
        text.push(b'\n');
    }
}

fn bits(written: Written) -> u8 {
    u8::from(written.boot_to_wtmp)
        | u8::from(written.boot_to_utmp) << 1
        | u8::from(written.level_to_wtmp) << 2
        | u8::from(written.level_to_utmp) << 3
}

fn of_bits(bits: u8) -> Written {
    Written {
        boot_to_wtmp: bits & 1 != 0,
        boot_to_utmp: bits & 2 != 0,
        level_to_wtmp: bits & 4 != 0,
        level_to_utmp: bits & 8 != 0,
    }
}

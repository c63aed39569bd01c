//! The console for a program that passes on what others say: what is to be shown there, and what waits because it is not
//! taken yet.
//!
//! Nothing here waits for a console that is stopped. Whoever speaks is held up by a slow one, as by one that is written to
//! directly, but only as long as it takes anything at all.

use std::io::{self, ErrorKind};
use std::os::fd::{AsFd, BorrowedFd};
use std::time::Duration;

use crate::bootlog::Waiting;
use crate::sys;
use crate::sys::output::{Outgoing, wait};
use crate::uptime::Uptime;

/// How much may wait before whoever speaks is held up.
const ROOM: usize = 32 * 1024;
/// How much may wait at most. What is read in one go has to fit between the two.
const MOST: usize = 64 * 1024;
/// How long a console may take nothing before it counts as stopped, and nobody is held up any longer.
const PATIENCE: Duration = Duration::from_secs(5);

/// Standard output and what it has not taken yet.
#[derive(Debug)]
pub(crate) struct Console {
    /// Who tells there what was lost.
    name: &'static str,
    outgoing: Option<Outgoing>,
    waiting: Waiting,
    /// Since when it has taken nothing, if something waits.
    stuck_since: Option<Uptime>,
}

impl Console {
    /// A console that cannot be opened takes everything and shows nothing.
    pub(crate) fn new(name: &'static str, outgoing: io::Result<Outgoing>) -> Self {
        Self {
            name,
            outgoing: outgoing.ok(),
            waiting: Waiting::new(MOST),
            stuck_since: None,
        }
    }

    /// Shows a text, as soon as it can be.
    pub(crate) fn show(&mut self, bytes: &[u8]) {
        if bytes.is_empty() {
            return;
        }
        self.waiting.add(bytes);
        self.advance();
    }

    /// Writes what is taken now.
    pub(crate) fn advance(&mut self) {
        if let Err(error) = self.write()
            && error.kind() != ErrorKind::WouldBlock
        {
            // Its reader has gone away, or the device has.
            self.outgoing = None;
        }
        if self.outgoing.is_none() {
            self.waiting = Waiting::new(MOST);
        }
        if self.waiting.is_empty() {
            self.stuck_since = None;
        } else {
            self.stuck_since.get_or_insert(sys::clock::now());
        }
    }

    fn write(&mut self) -> io::Result<()> {
        let Some(outgoing) = &mut self.outgoing else {
            return Ok(());
        };
        while !self.waiting.is_empty() {
            if self.waiting.lost() > 0 {
                let lost = self.waiting.lost();
                let note = format!("\n({}: {lost} bytes were not shown here)\n", self.name);
                let count = outgoing.write(note.as_bytes())?;
                self.waiting.take_lost();
                let rest = note.as_bytes().get(count..);
                self.waiting.put_first(rest.unwrap_or_default());
            } else {
                let count = outgoing.write(self.waiting.next())?;
                if count == 0 {
                    return Err(ErrorKind::WriteZero.into());
                }
                self.waiting.written(count);
            }
            self.stuck_since = None;
        }
        Ok(())
    }

    /// Tells whether there is room for more.
    pub(crate) fn has_room(&self, now: Uptime) -> bool {
        self.waiting.len() < ROOM || self.is_stopped(now)
    }

    fn is_stopped(&self, now: Uptime) -> bool {
        self.stuck_since
            .is_some_and(|since| now >= since.after(PATIENCE))
    }

    /// Returns when a console that takes nothing will count as stopped.
    pub(crate) fn due(&self, now: Uptime) -> Option<Uptime> {
        let stopped = self.stuck_since.map(|since| since.after(PATIENCE));
        stopped.filter(|&stopped| stopped > now)
    }

    /// Returns what becomes writable when more can be shown.
    pub(crate) fn sink(&self) -> Option<BorrowedFd<'_>> {
        let outgoing = self.outgoing.as_ref().filter(|_| !self.waiting.is_empty());
        outgoing.map(AsFd::as_fd)
    }

    /// Waits until everything has been shown, or the console takes nothing any more.
    pub(crate) fn finish(&mut self) {
        self.advance();
        loop {
            let now = sys::clock::now();
            if self.waiting.is_empty() || self.is_stopped(now) {
                return;
            }
            wait(&[], self.sink(), self.due(now));
            self.advance();
        }
    }
}

//! One script while it runs: its output on the way to the console and into the record, its deadline, its end.

use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use super::late::Late;
use crate::cmd::console::Console;
use crate::process::Pid;
use crate::rcdir::deadline::Deadline;
use crate::rcdir::ending::Ending;
use crate::rcdir::screen::Screen;
use crate::record::Kept;
use crate::sys;
use crate::sys::output::{Arrived, Channel};
use crate::sys::usage::Reaped;
use crate::uptime::Uptime;

/// How long a script may be silent before its name is shown.
pub(super) const SILENCE: Duration = Duration::from_secs(2);
/// How much is read at once: less than what a console takes beyond the point where scripts are held up.
pub(super) const PIECE: usize = 16 * 1024;
/// How often that is repeated before others have their turn.
const PIECES: usize = 8;

/// When the output of a script is shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shows {
    /// As it comes.
    Live,
    /// In one piece, at the end.
    Whole,
    /// It writes to the console itself.
    Itself,
}

/// A script that has been started.
#[derive(Debug)]
pub(super) struct Script {
    /// Its place in the plan.
    pub(super) step: usize,
    pub(super) pid: Pid,
    /// What it is called on the console, such as `Starting cron`.
    pub(super) title: Vec<u8>,
    pub(super) shows: Shows,
    pub(super) deadline: Option<Deadline>,
    /// When to look whether it is silent.
    pub(super) look: Option<Uptime>,
    /// Somebody has interrupted it.
    pub(super) is_interrupted: bool,
    pub(super) kept: Kept,
    channel: Option<Channel>,
    /// Our own hold on what it writes to. As long as it runs there is one, so that letting go of it is no news: rc would be
    /// woken up twice by each script that ends.
    taker: Option<OwnedFd>,
    /// The channel when nobody is left who could write to it.
    spent: Option<Channel>,
    end: Option<(Ending, Option<Reaped>)>,
    /// How much has been read since it has ended, in pieces; none when there is nothing left.
    left: Option<usize>,
}

impl Script {
    pub(super) fn new(
        step: usize,
        pid: Pid,
        title: Vec<u8>,
        output: Option<(Channel, OwnedFd)>,
    ) -> Self {
        let (channel, taker) = output.unzip();
        Self {
            step,
            pid,
            title,
            shows: if channel.is_some() {
                Shows::Live
            } else {
                Shows::Itself
            },
            deadline: None,
            look: None,
            is_interrupted: false,
            kept: Kept::default(),
            left: channel.as_ref().map(|_| 2 * PIECES),
            channel,
            taker,
            spent: None,
            end: None,
        }
    }

    /// Returns what becomes readable when it says something.
    pub(super) fn source(&self) -> Option<BorrowedFd<'_>> {
        self.channel.as_ref().map(AsFd::as_fd)
    }

    /// Hears that it has ended, or that it is waited for no longer.
    pub(super) fn ended(&mut self, ending: Ending, reaped: Option<Reaped>) {
        self.end = Some((ending, reaped));
        self.taker = None;
    }

    pub(super) fn is_running(&self) -> bool {
        self.end.is_none()
    }

    /// Tells whether it has ended and everything it has said was read.
    pub(super) fn is_over(&self) -> bool {
        self.end.is_some() && self.left.is_none()
    }

    /// Reads what it says into a buffer of [`PIECE`] bytes and from there, as long as the console has room for that.
    pub(super) fn read(&mut self, buffer: &mut [u8], screen: &mut Screen, console: &mut Console) {
        for _ in 0..PIECES {
            let Some(channel) = &self.channel else { return };
            if !console.has_room(sys::clock::now()) {
                return;
            }
            match channel.read(buffer) {
                Arrived::Bytes(count) => {
                    let bytes = buffer.get(..count).unwrap_or_default();
                    self.kept.push(bytes);
                    if self.shows == Shows::Live {
                        console.show(&screen.output(bytes));
                    }
                }
                Arrived::Nothing => {
                    if self.end.is_some() {
                        self.left = None;
                    }
                    return;
                }
                Arrived::End => {
                    self.spent = self.channel.take();
                    self.left = None;
                    return;
                }
            }
            // Somebody that it has left behind may go on for ever.
            if self.end.is_some() {
                self.left = self.left.and_then(|left| left.checked_sub(1));
            }
        }
    }

    /// Shows from now on as it comes what it says.
    pub(super) fn go_live(&mut self, screen: &mut Screen, console: &mut Console) {
        if self.shows == Shows::Whole {
            self.shows = Shows::Live;
            screen.begin(&self.title);
            console.show(&screen.output(&self.kept.to_bytes()));
        }
    }

    /// Takes it apart: how it ended, and the output that somebody still holds.
    pub(super) fn finish(self) -> Finished {
        let (ending, reaped) = self
            .end
            .unwrap_or((Ending::NotStarted("not waited for".to_owned()), None));
        Finished {
            ending,
            reaped,
            kept: self.kept,
            late: self.channel.map(Late::new),
            spent: self.spent,
        }
    }
}

/// What is left of a script.
#[derive(Debug)]
pub(super) struct Finished {
    pub(super) ending: Ending,
    pub(super) reaped: Option<Reaped>,
    pub(super) kept: Kept,
    pub(super) late: Option<Late>,
    /// An output that nobody holds any more.
    pub(super) spent: Option<Channel>,
}

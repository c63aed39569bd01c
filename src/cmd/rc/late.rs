//! Outputs that somebody holds on to after the script has ended, as a daemon does that was started without closing
//! them. It must neither be killed nor held up by what it says, and what it says is shown.

use std::os::fd::{AsFd, BorrowedFd};

use crate::cmd::console::Console;
use crate::sys;
use crate::sys::output::{Arrived, Channel, wait};

/// A line that is longer is shown in pieces.
const LONGEST_LINE: usize = 4096;

/// One such output.
#[derive(Debug)]
pub(super) struct Late {
    channel: Channel,
    /// What has come of a line that has not ended.
    begun: Vec<u8>,
    has_ended: bool,
}

impl Late {
    pub(super) fn new(channel: Channel) -> Self {
        Self {
            channel,
            begun: Vec::new(),
            has_ended: false,
        }
    }

    pub(super) fn has_ended(&self) -> bool {
        self.has_ended
    }

    /// Reads once and returns the lines that are complete.
    pub(super) fn lines(&mut self) -> Vec<u8> {
        let mut buffer = [0; LONGEST_LINE];
        match self.channel.read(&mut buffer) {
            Arrived::Nothing => Vec::new(),
            Arrived::End => {
                self.has_ended = true;
                std::mem::take(&mut self.begun)
            }
            Arrived::Bytes(count) => {
                self.begun.extend(buffer.iter().take(count));
                let end = self.begun.iter().rposition(|&byte| byte == b'\n');
                let whole = match end {
                    Some(end) => end.saturating_add(1),
                    None if self.begun.len() >= LONGEST_LINE => self.begun.len(),
                    None => 0,
                };
                let rest = self.begun.split_off(whole);
                std::mem::replace(&mut self.begun, rest)
            }
        }
    }
}

impl AsFd for Late {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.channel.as_fd()
    }
}

/// Leaves a process behind that goes on showing these outputs until the last one ends, if there is any left.
pub(super) fn relay(mut outputs: Vec<Late>, console: &mut Console) {
    outputs.retain_mut(|output| {
        console.show(&output.lines());
        !output.has_ended
    });
    if outputs.is_empty() {
        return;
    }
    // Before there is another process: the end of this one, if it leads a session, hangs up its terminal. And what a
    // daemon says while killall5 ends it is the last thing to lose.
    sys::signal::ignore_all();
    // Where no process can be had, the outputs end here.
    sys::child::fork_and_call(|| go_on(outputs, console))
        .map(drop)
        .unwrap_or_default();
}

/// What that process does.
fn go_on(mut outputs: Vec<Late>, console: &mut Console) {
    sys::process::lead_session();
    // Nobody shall wait for it, or be unable to unmount what it stands on.
    std::env::set_current_dir("/").unwrap_or_default();
    sys::background::let_go_of_standard_files().unwrap_or_default();
    for output in &mut outputs {
        console.show(&std::mem::take(&mut output.begun));
    }
    while !outputs.is_empty() {
        let now = sys::clock::now();
        let has_room = console.has_room(now);
        let sources = outputs.iter().filter(|_| has_room).map(AsFd::as_fd);
        let sources: Vec<BorrowedFd<'_>> = sources.collect();
        let ready = wait(&sources, console.sink(), console.due(now));
        console.advance();
        for (output, _) in outputs.iter_mut().zip(ready).filter(|(_, ready)| *ready) {
            let mut buffer = [0; LONGEST_LINE];
            match output.channel.read(&mut buffer) {
                Arrived::Bytes(count) => console.show(buffer.get(..count).unwrap_or_default()),
                Arrived::Nothing => {}
                Arrived::End => output.has_ended = true,
            }
        }
        outputs.retain(|output| !output.has_ended);
    }
    console.finish();
}

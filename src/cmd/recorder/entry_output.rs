//! What the process of an inittab entry prints, on its way into a file of its own: `/run/initlog/output/ID.PID`.
//!
//! The file is written soon after something was said and at most once a second, so that the words of what runs for months
//! can be read while it runs. Of each entry the outputs of three processes are left, so that what is started again and again
//! fills no /run; and of each output the beginning and the end.

use crate::paths::Paths;
use crate::process::Pid;
use crate::record::{Kept, entry_output_name, process_of_output};
use crate::sys;
use crate::uptime::Uptime;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::time::Duration;

/// The least time between two writings.
const INTERVAL: Duration = Duration::from_secs(1);
/// The most time until the next attempt after one that failed: /run may never be there, and nothing shall wake up often for
/// that.
const LONGEST_PAUSE: Duration = Duration::from_secs(3600);
/// How long it is tried when the output has ended: /run is mounted sooner or later during a boot.
const LAST_TRIES: Duration = Duration::from_secs(60);
/// How many outputs of earlier processes of the entry are left: enough to see what it said before it was started anew.
const EARLIER: usize = 2;
/// More files than any machine has scripts and entries.
const MOST_OUTPUTS: usize = 10_000;

/// The output of one process.
#[derive(Debug)]
pub(crate) struct EntryOutput {
    paths: Paths,
    id: Vec<u8>,
    pid: Pid,
    kept: Kept,
    is_there: bool,
    /// When it is written next, if there is anything to write.
    due: Option<Uptime>,
    /// Not before this time.
    earliest: Uptime,
    /// How long to wait after the next failure.
    pause: Duration,
}

impl EntryOutput {
    /// Nothing has been said yet, and there is no file.
    pub(crate) fn new(paths: &Paths, id: &[u8], pid: Pid) -> Self {
        Self {
            paths: paths.clone(),
            id: id.to_owned(),
            pid,
            kept: Kept::default(),
            is_there: false,
            due: None,
            earliest: Uptime::default(),
            pause: INTERVAL,
        }
    }

    /// Takes what was said.
    pub(crate) fn take(&mut self, now: Uptime, bytes: &[u8]) {
        self.kept.push(bytes);
        let soon = now.max(self.earliest);
        self.due = Some(self.due.map_or(soon, |due| due.min(soon)));
    }

    /// When [`write`](Self::write) has something to do.
    pub(crate) fn due(&self) -> Option<Uptime> {
        self.due
    }

    /// Writes what is kept, if it is time. What cannot be written is tried again, less and less often.
    pub(crate) fn write(&mut self, now: Uptime) {
        if self.due.is_none_or(|due| due > now) {
            return;
        }
        self.earliest = now.after(INTERVAL);
        if self.store().is_ok() {
            self.due = None;
            self.pause = INTERVAL;
        } else {
            self.due = Some(now.after(self.pause));
            self.pause = self.pause.saturating_mul(2).min(LONGEST_PAUSE);
        }
    }

    /// Writes it for the last time. Once more if it was written already: it may be below a file system by now that was
    /// mounted over /run.
    pub(crate) fn end(&mut self) {
        if self.kept.total() > 0 {
            self.pause = INTERVAL;
            self.due = Some(Uptime::default());
            self.write(sys::clock::now());
        }
    }

    /// Waits until that has been written, or is not worth waiting for any longer.
    pub(crate) fn finish(&mut self) {
        let until = sys::clock::now().after(LAST_TRIES);
        while let Some(due) = self.due.filter(|&due| due < until) {
            sys::poll::wait([None], Some(due.since(sys::clock::now())));
            self.write(sys::clock::now());
        }
    }

    fn store(&mut self) -> io::Result<()> {
        let path = self.path(&entry_output_name(&self.id, self.pid));
        let text = self.kept.to_bytes();
        sys::files::replace(&path, &text).or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            sys::files::make_folder(&self.paths.boot_log())?;
            sys::files::make_folder(&self.paths.kept_output())?;
            sys::files::replace(&path, &text)
        })?;
        if !std::mem::replace(&mut self.is_there, true) {
            self.make_room();
        }
        Ok(())
    }

    fn path(&self, name: &[u8]) -> PathBuf {
        self.paths.kept_output().join(OsStr::from_bytes(name))
    }

    /// Removes the outputs of earlier processes, the last ones apart.
    fn make_room(&self) {
        let names = sys::files::names(&self.paths.kept_output(), MOST_OUTPUTS).unwrap_or_default();
        let is_earlier = |name: &OsStr| {
            let pid = process_of_output(name.as_bytes(), &self.id);
            pid.is_some_and(|pid| pid != self.pid)
        };
        let mut earlier: Vec<_> = names
            .iter()
            .filter(|name| is_earlier(name))
            .map(|name| {
                let path = self.path(name.as_bytes());
                let modified = sys::files::metadata(&path).and_then(|file| file.modified());
                (modified.ok(), path)
            })
            .collect();
        earlier.sort_unstable();
        for (_, path) in earlier.iter().rev().skip(EARLIER) {
            // One that is gone meanwhile has made room, too.
            sys::files::remove(path).unwrap_or_default();
        }
    }
}

//! The initctl FIFO as PID 1 keeps it: made, opened, watched, made again when somebody removes it.

use super::journal::Journal;
use super::report::Reporter;
use crate::initctl::{Received, Request, RequestStream};
use crate::journal::Mark;
use crate::paths::Paths;
use crate::supervisor::Sink;
use crate::sys;
use crate::sys::crash::Whole;
use crate::sys::fifo::{Fifo, Watch};
use crate::uptime::Uptime;
use std::io;
use std::os::fd::{AsFd, BorrowedFd};
use std::path::PathBuf;
use std::time::Duration;

/// How long to wait before another attempt where the FIFO cannot be opened and nothing can be watched.
const RETRY: Duration = Duration::from_secs(5);
/// A request that has begun must be whole within this time, or its beginning is given up: writers send all of
/// it in one write.
const QUIET: Duration = Duration::from_secs(1);
/// The least time between two looks at the path without much reason.
const BETWEEN_LOOKS: Duration = Duration::from_secs(1);
/// Readings without a request among them before something else is looked at: some kilobytes that are none.
const MOST_READINGS: usize = 32;

/// The FIFO and what has been read from it.
#[derive(Debug)]
pub(super) struct Control {
    path: PathBuf,
    directory: PathBuf,
    fifo: Option<Fifo>,
    /// On the FIFO while it is open, on its directory while it is not, and on nothing while it is to stay closed.
    watch: Option<Watch>,
    stream: RequestStream,
    wanted: Wanted,
    /// When to look again without being told.
    retry_at: Option<Uptime>,
    /// Whether the watch has told something since the last look.
    is_told: bool,
    looked_at: Option<Uptime>,
    /// When the beginning of a request is given up.
    abandon_at: Option<Uptime>,
    /// The last complaint, so that it is not repeated at each attempt.
    complaint: String,
}

/// Whether the FIFO is to be open (SIGUSR1) or closed (SIGUSR2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Open,
    Closed,
}

/// What has happened since the last look at the FIFO that may have moved it. Its watch does not tell of a mount over the
/// directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Happened {
    /// Nothing.
    Nothing,
    /// Something, but hardly a mount: a look now and then is enough.
    Something,
    /// Mounts, most likely.
    Mounts,
}

impl Control {
    pub(super) fn new(paths: &Paths) -> Self {
        let path = paths.initctl();
        Self {
            directory: path.parent().map(PathBuf::from).unwrap_or_default(),
            path,
            fifo: None,
            watch: None,
            stream: RequestStream::new(),
            wanted: Wanted::Open,
            retry_at: None,
            is_told: false,
            looked_at: None,
            abandon_at: None,
            complaint: String::new(),
        }
    }

    /// Goes on with what an image that crashed had read, and with its FIFO closed or open.
    pub(super) fn resume(&mut self, stream: RequestStream, closed: bool) {
        self.stream = stream;
        if closed {
            self.close();
        }
    }

    /// What was read and is not used yet.
    pub(super) fn unread(&self) -> &[u8] {
        self.stream.kept()
    }

    /// Whether the FIFO is to stay closed.
    pub(super) fn is_to_be_closed(&self) -> bool {
        self.wanted == Wanted::Closed
    }

    /// Closes the FIFO until told to reopen it.
    pub(super) fn close(&mut self) {
        self.wanted = Wanted::Closed;
        sys::crash::set_fifo(None);
        self.fifo = None;
        self.watch_nothing();
    }

    fn watch_nothing(&mut self) {
        if let Some(watch) = &mut self.watch {
            watch.lift();
        }
        self.retry_at = None;
    }

    /// Closes the FIFO, if it is open, and opens it again.
    pub(super) fn reopen(&mut self, now: Uptime, report: &mut Reporter) {
        // Let go of only when it is open again: a FIFO that nobody holds forgets the requests in it. Until then it is what
        // another image would get.
        let held = self.fifo.take();
        self.watch_nothing();
        self.wanted = Wanted::Open;
        self.look(now, report);
        drop(held);
    }

    /// Sees to it that the FIFO at the path is the one that is open, as often as there is reason to look.
    pub(super) fn keep_open(&mut self, now: Uptime, happened: Happened, report: &mut Reporter) {
        let is_due = self.retry_at.is_some_and(|at| at <= now);
        let last = self.looked_at.filter(|_| self.fifo.is_some());
        let next = last.map(|at| at.after(BETWEEN_LOOKS));
        match happened {
            Happened::Nothing if !is_due && !self.is_told => {}
            Happened::Something if !is_due && !self.is_told && next.is_some_and(|at| at > now) => {
                self.retry_at = self.retry_at.or(next);
            }
            Happened::Nothing | Happened::Something | Happened::Mounts => self.look(now, report),
        }
    }

    /// Sees to it now. Costs a stat(2) where all is well and nothing was told.
    pub(super) fn look(&mut self, now: Uptime, report: &mut Reporter) {
        let was_told = std::mem::take(&mut self.is_told);
        self.looked_at = Some(now);
        if self.fifo.is_some() {
            self.retry_at = None;
        }
        if self.wanted == Wanted::Closed || self.is_well(was_told) {
            return;
        }
        // As in `reopen`: the path may only have been hard to look at for a moment.
        let held = self.fifo.take();
        let opened = Fifo::open(&self.path);
        self.take(opened, now, report);
        drop(held);
    }

    /// Tells whether the FIFO at the path is the one that is open.
    fn is_well(&self, was_told: bool) -> bool {
        self.fifo.as_ref().is_some_and(|fifo| {
            if was_told {
                fifo.is_left_at(&self.path)
            } else {
                fifo.is_at(&self.path)
            }
        })
    }

    /// Goes on with the FIFO that was opened at the path, or waits for another chance to open it.
    fn take(&mut self, opened: io::Result<Fifo>, now: Uptime, report: &mut Reporter) {
        let opened = self.watch_for(opened);
        sys::crash::set_fifo(opened.as_ref().ok().map(AsFd::as_fd));
        match opened {
            Ok(fifo) => {
                // Whatever took its place before the watch was put on is what is watched, and does not tell that it came.
                self.retry_at = (!fifo.is_left_at(&self.path)).then_some(now.after(BETWEEN_LOOKS));
                self.fifo = Some(fifo);
                self.complaint.clear();
            }
            Err(error) => {
                self.retry_at = Some(now.after(RETRY));
                self.complain(&error, report);
            }
        }
    }

    /// Watches the FIFO that was opened, or the directory for a chance to try again.
    fn watch_for(&mut self, opened: io::Result<Fifo>) -> io::Result<Fifo> {
        let watch = match &mut self.watch {
            Some(watch) => watch,
            none => none.insert(Watch::new()?),
        };
        let opened = opened.and_then(|fifo| watch.put_on_file(&self.path).map(|()| fifo));
        if opened.is_err() && !watch.is_of(&self.directory) {
            // Without a directory there is nothing to watch, and the retry has to do.
            watch.put_on_directory(&self.directory).unwrap_or_default();
        }
        opened
    }

    /// Prepares for the end of this image of init.
    pub(super) fn outlive_image(&self) {
        if self.watch.is_some() {
            // Where it cannot be had, the next image begins some milliseconds later.
            Watch::outlive_image().unwrap_or_default();
        }
    }

    /// Says why there is no FIFO, once for each reason.
    fn complain(&mut self, error: &io::Error, report: &mut Reporter) {
        let complaint = format!("{} {error}", self.path.display());
        // Before /run is mounted read-write there is nothing to complain about.
        let is_expected = matches!(
            error.kind(),
            io::ErrorKind::NotFound | io::ErrorKind::ReadOnlyFilesystem
        );
        if !is_expected && complaint != self.complaint {
            report.say(Sink::Both, &complaint);
        }
        self.complaint = complaint;
    }

    /// The descriptor to wait for when requests are served.
    pub(super) fn fifo(&self) -> Option<BorrowedFd<'_>> {
        self.fifo.as_ref().map(AsFd::as_fd)
    }

    /// The descriptor that tells that the FIFO has gone, or may come.
    pub(super) fn watch(&self) -> Option<BorrowedFd<'_>> {
        self.watch.as_ref().map(AsFd::as_fd)
    }

    /// Takes note of what the watch has told; the look follows in [`keep_open`](Self::keep_open).
    pub(super) fn drain_watch(&mut self) {
        self.is_told = true;
        if let Some(watch) = &self.watch {
            watch.drain();
        }
    }

    /// When to try again to open the FIFO.
    pub(super) fn retry_at(&self) -> Option<Uptime> {
        self.retry_at
    }

    /// When to ask for a request again although none has come: the beginning of one is given up then.
    pub(super) fn abandon_at(&self) -> Option<Uptime> {
        self.abandon_at
    }

    /// Tells whether there may be a request, or the rest of one to be given up, although nothing new can be read.
    pub(super) fn has_more(&self, now: Uptime) -> bool {
        self.stream.kept().len() >= crate::initctl::REQUEST_SIZE
            || self.abandon_at.is_some_and(|at| at <= now)
    }

    /// Takes the next request. Reads the FIFO only when nothing whole is left of what was read before.
    pub(super) fn next(
        &mut self,
        now: Uptime,
        report: &mut Reporter,
        journal: &mut Journal,
    ) -> Option<Request> {
        if self.abandon_at.is_some_and(|at| at <= now) {
            journal.note(Mark::Abandoned);
            self.stream.abandon_partial();
            self.abandon_at = None;
        }
        let mut is_said = false;
        let mut readings = 0;
        loop {
            while let Some(received) = self.stream.next() {
                match received {
                    Received::Request(request) => {
                        journal.note(Mark::Served);
                        return Some(request);
                    }
                    Received::Discarded { .. } if is_said => {}
                    Received::Discarded { .. } => {
                        is_said = true;
                        report.say(Sink::Both, "got bogus initrequest");
                    }
                }
            }
            if readings == MOST_READINGS {
                return None;
            }
            readings += 1;
            let mut bytes = [0_u8; crate::initctl::REQUEST_SIZE];
            let whole = Whole::begin();
            let read = self.fifo.as_ref()?.read(&mut bytes);
            if let Ok(length @ 1..) = read {
                journal.note(Mark::Read(bytes.get(..length).unwrap_or_default()));
            }
            drop(whole);
            let read = match read {
                Ok(read) => read,
                Err(error) => {
                    sys::crash::set_fifo(None);
                    report.say(Sink::Both, &format!("error reading initrequest: {error}"));
                    self.fifo = None;
                    self.retry_at = Some(now.after(RETRY));
                    return None;
                }
            };
            if read == 0 {
                self.abandon_at = match (self.stream.has_partial(), self.abandon_at) {
                    (true, None) => Some(now.after(QUIET)),
                    (true, at) => at,
                    (false, _) => None,
                };
                return None;
            }
            self.abandon_at = None;
            let left = self.stream.push(bytes.get(..read).unwrap_or_default());
            // The stream has room for a whole request whenever it has none to give.
            debug_assert!(
                left.is_empty(),
                "{} bytes of a request were lost",
                left.len()
            );
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::container::Realm;
    use std::fs;

    const NOW: Uptime = Uptime(Duration::from_secs(10));

    /// A FIFO that has been opened, is not watched yet, and has lost its name; the last keeps its directory.
    fn scene() -> (Control, Reporter, io::Result<Fifo>, tempfile::TempDir) {
        let root = tempfile::tempdir().unwrap();
        let paths = Paths::new(root.path());
        let control = Control::new(&paths);
        fs::create_dir_all(&control.directory).unwrap();
        let opened = Fifo::open(&control.path);
        fs::remove_file(&control.path).unwrap();
        (control, Reporter::new(&paths, Realm::Machine), opened, root)
    }

    #[test]
    fn what_takes_the_place_of_the_fifo_before_it_is_watched_is_looked_at() {
        let (mut control, mut report, opened, _root) = scene();
        fs::create_dir(&control.path).unwrap();
        control.take(opened, NOW, &mut report);
        let later = control.retry_at().unwrap();
        control.keep_open(later, Happened::Nothing, &mut report);
        assert!(control.fifo().is_none());
        assert!(control.complaint.ends_with("is not a fifo"));
        fs::remove_dir(&control.path).unwrap();
        control.drain_watch();
        control.keep_open(later, Happened::Nothing, &mut report);
        assert!(control.fifo().is_some());
        assert_eq!(control.retry_at(), None);
    }

    #[test]
    fn another_fifo_that_takes_its_place_before_it_is_watched_is_taken() {
        let (mut control, mut report, opened, _root) = scene();
        let another = Fifo::open(&control.path).unwrap();
        control.take(opened, NOW, &mut report);
        let later = control.retry_at().unwrap();
        control.keep_open(later, Happened::Nothing, &mut report);
        assert_eq!(control.retry_at(), None);
        assert!(control.fifo.is_some_and(|fifo| fifo.is_at(&control.path)));
        drop(another);
    }
}

//! utmp and wtmp as init keeps them, with the records that could not be written yet made up for.
//!
//! Early in a boot `/var` may be read-only or not mounted. init remembers that the boot and level records are
//! missing from a file and writes them before the next record that file takes.
//!
//! wtmp is the only file that PID 1 writes to on a disk, and one that does not answer would keep it for ever. On the way
//! down that must not be, so a child writes it then.

use crate::paths::Paths;
use crate::process::Pid;
use crate::runlevel::Runlevel;
use crate::snapshot::Written;
use crate::supervisor::Occurrence;
use crate::sys;
use crate::sys::bounded::{Outcome, within};
use crate::sys::utmp::{Account, Patience};
use crate::utmp::Record;
use std::time::Duration;

/// How long a child may take to write one record: a disk that answers takes far less.
const PATIENCE: Duration = Duration::from_millis(200);

/// Who writes the history.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Writer {
    /// Who has something to write.
    Itself,
    /// A child of PID 1, for which it waits only so long.
    Child,
}

impl Writer {
    /// Who does so on the way to a level, or in it.
    pub(super) fn towards(level: Option<Runlevel>) -> Self {
        match level {
            Some(Runlevel::HALT | Runlevel::REBOOT) => Self::Child,
            Some(_) | None => Self::Itself,
        }
    }
}

/// The two files and what they lack.
#[derive(Debug)]
pub(super) struct Ledger {
    paths: Paths,
    written: Written,
    boot_over: bool,
    level: Option<(Option<Runlevel>, Runlevel)>,
    /// Whether a child that writes to the history has not come back.
    is_stuck: bool,
}

impl Ledger {
    pub(super) fn new(paths: &Paths) -> Self {
        Self {
            paths: paths.clone(),
            written: Written::default(),
            boot_over: false,
            level: None,
            is_stuck: false,
        }
    }

    /// Takes up the accounts of a running system: what the image before this one has written.
    pub(super) fn resume(
        &mut self,
        written: Written,
        boot_over: bool,
        level: Option<(Option<Runlevel>, Runlevel)>,
    ) {
        self.written = written;
        self.boot_over = boot_over;
        self.level = level;
    }

    /// Which records have reached their files.
    pub(super) fn written(&self) -> Written {
        self.written
    }

    /// Empties utmp: nobody is logged in on a machine that was just started.
    pub(super) fn begin(&self) {
        // Before /run is writable there is nothing to empty; the records are made up for later.
        sys::utmp::create(&self.paths.utmp()).unwrap_or_default();
    }

    /// Records an occurrence in both files, as far as they can be written.
    pub(super) fn record(&mut self, occurrence: &Occurrence) {
        match occurrence {
            Occurrence::BootTime => {
                self.boot_over = true;
                self.written.boot_to_wtmp = false;
                self.written.boot_to_utmp = false;
                self.catch_up();
            }
            Occurrence::RunlevelChange { new, previous } => {
                self.level = Some((*previous, *new));
                self.written.level_to_wtmp = false;
                self.written.level_to_utmp = false;
                self.catch_up();
            }
            Occurrence::ProcessEnded { id, pid } => {
                self.catch_up();
                self.end(id.as_bytes(), *pid);
            }
        }
    }

    fn end(&mut self, id: &[u8], pid: Pid) {
        let record = Record::dead_process(id, pid);
        // The line that the login's record named is needed in wtmp to close the session there.
        let record =
            sys::utmp::replace(&self.paths.utmp(), &record, Patience::Init).unwrap_or(record);
        self.append(&record);
    }

    /// Records the start of a process that has not recorded it in the history itself.
    pub(super) fn start(&mut self, id: &[u8], pid: Pid, writer: Writer) {
        if writer == Writer::Child {
            self.append(&Record::init_process(id, pid));
        }
    }

    fn writer(&self) -> Writer {
        Writer::towards(self.level.map(|(_, new)| new))
    }

    /// Adds a record to the history. Tells whether it is there.
    fn append(&mut self, record: &Record) -> bool {
        let wtmp = self.paths.wtmp();
        let append = || sys::utmp::append(&wtmp, record);
        match self.writer() {
            Writer::Itself => append().is_ok(),
            Writer::Child if self.is_stuck => false,
            Writer::Child => match within(PATIENCE, append) {
                Ok(Outcome::Done) => true,
                Ok(Outcome::Late(_)) => {
                    self.is_stuck = true;
                    false
                }
                Ok(Outcome::Failed(_)) | Err(_) => false,
            },
        }
    }

    /// Writes boot and level records again if something has emptied utmp since.
    pub(super) fn repair(&mut self) {
        let mut records = sys::utmp::read(&self.paths.utmp()).ok();
        let is_empty = records
            .as_mut()
            .is_none_or(|records| records.next().is_none());
        if is_empty {
            if records.is_none() {
                self.begin();
            }
            self.written.boot_to_utmp = false;
            self.written.level_to_utmp = false;
            self.catch_up();
        }
    }

    /// Writes what the files lack, boot before level.
    fn catch_up(&mut self) {
        let utmp = self.paths.utmp();
        let into_table =
            |record: &Record| sys::utmp::replace(&utmp, record, Patience::Init).is_ok();
        let boot = self.boot_over.then(Record::boot_time);
        let level = self
            .level
            .map(|(previous, new)| Record::runlevel(previous, new));
        let mut written = self.written;
        written.boot_to_utmp = written.boot_to_utmp || boot.as_ref().is_some_and(into_table);
        written.boot_to_wtmp = written.boot_to_wtmp || boot.is_some_and(|boot| self.append(&boot));
        written.level_to_utmp = written.level_to_utmp || level.as_ref().is_some_and(into_table);
        written.level_to_wtmp =
            written.level_to_wtmp || level.is_some_and(|level| self.append(&level));
        self.written = written;
    }
}

/// What a process that is started for an entry records of that itself. The history is left out where it is another's to write.
pub(super) fn account(paths: &Paths, id: &[u8], writer: Writer) -> Option<Account> {
    let wtmp = (writer == Writer::Itself).then(|| paths.wtmp());
    // The paths have no NUL in them.
    Account::new(id, &paths.utmp(), wtmp.as_deref()).ok()
}

//! utmp and wtmp as init keeps them, with the records that could not be written yet made up for.
//!
//! Early in a boot `/var` may be read-only or not mounted. init remembers that the boot and level records are
//! missing from a file and writes them before the next record that file takes.

use crate::paths::Paths;
use crate::process::Pid;
use crate::runlevel::Runlevel;
use crate::snapshot::Written;
use crate::supervisor::Occurrence;
use crate::sys;
use crate::sys::utmp::Patience;
use crate::utmp::Record;

/// The two files and what they lack.
#[derive(Debug)]
pub(super) struct Ledger {
    paths: Paths,
    written: Written,
    boot_over: bool,
    level: Option<(Option<Runlevel>, Runlevel)>,
}

impl Ledger {
    pub(super) fn new(paths: &Paths) -> Self {
        Self {
            paths: paths.clone(),
            written: Written::default(),
            boot_over: false,
            level: None,
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

    fn end(&self, id: &[u8], pid: Pid) {
        let record = Record::dead_process(id, pid);
        // The line that the login's record named is needed in wtmp to close the session there.
        let record =
            sys::utmp::replace(&self.paths.utmp(), &record, Patience::Init).unwrap_or(record);
        sys::utmp::append(&self.paths.wtmp(), &record).unwrap_or_default();
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
        let (utmp, wtmp) = (self.paths.utmp(), self.paths.wtmp());
        let into_table =
            |record: &Record| sys::utmp::replace(&utmp, record, Patience::Init).is_ok();
        let into_history = |record: &Record| sys::utmp::append(&wtmp, record).is_ok();
        let boot = self.boot_over.then(Record::boot_time);
        let level = self
            .level
            .map(|(previous, new)| Record::runlevel(previous, new));
        let owed = |record: Option<&Record>, done: bool, write: &dyn Fn(&Record) -> bool| {
            done || record.is_some_and(write)
        };
        let mut written = self.written;
        written.boot_to_utmp = owed(boot.as_ref(), written.boot_to_utmp, &into_table);
        written.boot_to_wtmp = owed(boot.as_ref(), written.boot_to_wtmp, &into_history);
        written.level_to_utmp = owed(level.as_ref(), written.level_to_utmp, &into_table);
        written.level_to_wtmp = owed(level.as_ref(), written.level_to_wtmp, &into_history);
        self.written = written;
    }
}

/// Records that a process is about to be executed for an entry; runs in that process, so that its own record
/// as a login can only come later.
pub(super) fn record_start(paths: &Paths, id: &[u8], pid: Pid) {
    let record = Record::init_process(id, pid);
    sys::utmp::replace(&paths.utmp(), &record, Patience::Child)
        .map(drop)
        .unwrap_or_default();
    sys::utmp::append(&paths.wtmp(), &record).unwrap_or_default();
}

//! utmp and wtmp as init keeps them, with the records that could not be written yet made up for.
//!
//! Early in a boot `/var` may be read-only or not mounted. init remembers that the boot and level records are
//! missing from a file and writes them before the next record that file takes.

use crate::paths::Paths;
use crate::process::Pid;
use crate::runlevel::Runlevel;
use crate::supervisor::Occurrence;
use crate::sys;
use crate::utmp::Record;
use std::io;

/// Which of the two records a boot must leave in a file are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Written {
    pub(super) boot: bool,
    pub(super) level: bool,
}

/// The two files and what they lack.
#[derive(Debug)]
pub(super) struct Ledger {
    paths: Paths,
    pub(super) utmp: Written,
    pub(super) wtmp: Written,
    boot_over: bool,
    level: Option<(Option<Runlevel>, Runlevel)>,
}

impl Ledger {
    pub(super) fn new(paths: &Paths) -> Self {
        Self {
            paths: paths.clone(),
            utmp: Written::default(),
            wtmp: Written::default(),
            boot_over: false,
            level: None,
        }
    }

    /// Takes up the accounts of a running system: what the image before this one has written.
    pub(super) fn resume(&mut self, boot_over: bool, level: Option<(Option<Runlevel>, Runlevel)>) {
        self.boot_over = boot_over;
        self.level = level;
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
                self.wtmp.boot = false;
                self.utmp.boot = false;
                self.catch_up();
            }
            Occurrence::RunlevelChange { new, previous } => {
                self.level = Some((*previous, *new));
                self.wtmp.level = false;
                self.utmp.level = false;
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
        let record = sys::utmp::replace(&self.paths.utmp(), &record).unwrap_or(record);
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
            self.utmp = Written::default();
            self.catch_up();
        }
    }

    /// Writes what the files lack, boot before level.
    fn catch_up(&mut self) {
        let (utmp, wtmp) = (self.paths.utmp(), self.paths.wtmp());
        let into_table = |record: &Record| sys::utmp::replace(&utmp, record).map(drop);
        let into_history = |record: &Record| sys::utmp::append(&wtmp, record);
        let boot = self.boot_over.then(Record::boot_time);
        let level = self
            .level
            .map(|(previous, new)| Record::runlevel(previous, new));
        self.utmp
            .catch_up(boot.as_ref(), level.as_ref(), into_table);
        self.wtmp
            .catch_up(boot.as_ref(), level.as_ref(), into_history);
    }
}

impl Written {
    fn catch_up(
        &mut self,
        boot: Option<&Record>,
        level: Option<&Record>,
        write: impl Fn(&Record) -> io::Result<()>,
    ) {
        for (done, record) in [(&mut self.boot, boot), (&mut self.level, level)] {
            if !*done && let Some(record) = record {
                *done = write(record).is_ok();
                if !*done {
                    return;
                }
            }
        }
    }
}

/// Records that a process is about to be executed for an entry; runs in that process, so that its own record
/// as a login can only come later.
pub(super) fn record_start(paths: &Paths, id: &[u8], pid: Pid) {
    let record = Record::init_process(id, pid);
    sys::utmp::replace(&paths.utmp(), &record)
        .map(drop)
        .unwrap_or_default();
    sys::utmp::append(&paths.wtmp(), &record).unwrap_or_default();
}

//! The journal as PID 1 keeps it: a snapshot and a line for everything since, in memory that outlives this image.

use crate::journal::Mark;
use crate::process::Pid;
use crate::snapshot::{Phase, Snapshot};
use crate::sys::journal_file::JournalFile;
use crate::uptime::Uptime;

/// A journal shorter than this is not begun anew, however small the snapshot is.
const SHORT: usize = 64 << 10;

/// The file, and whether it is time for a new one.
#[derive(Debug)]
pub(super) struct Journal {
    /// None where the kernel has no memory for it, or is too old: then a crash is only reported.
    file: Option<JournalFile>,
    /// Length of the snapshot it begins with.
    begins_with: usize,
    /// Length of what was added.
    added: usize,
    /// Whether a new one is wanted: something is missing from it, or a table was put into force.
    is_stale: bool,
    /// The phase or level its snapshot is of.
    phase: Option<Phase>,
    /// When init has crashed in the last minute.
    crashes: Vec<Uptime>,
}

impl Journal {
    /// None yet, or that of the image before.
    pub(super) fn new(file: Option<JournalFile>, crashes: Vec<Uptime>) -> Self {
        Self {
            is_stale: file.is_none(),
            phase: None,
            file,
            begins_with: 0,
            added: 0,
            crashes,
        }
    }

    /// Writes something down. What a full memory refuses is made up for by a new snapshot.
    pub(super) fn note(&mut self, mark: Mark<'_>) {
        let Some(file) = &self.file else { return };
        let mut lines = Vec::new();
        mark.write(&mut lines);
        self.added = self.added.saturating_add(lines.len());
        self.is_stale |= file.add(&lines).is_err();
    }

    /// Writes down which process was forked.
    pub(super) fn note_forked(&mut self, pid: Pid) {
        self.note(Mark::Forked(pid));
    }

    /// Has the next look begin it anew.
    pub(super) fn outdate(&mut self) {
        self.is_stale = true;
    }

    /// Begins anew with a snapshot where enough has come together, and with each table and level, so that also one who
    /// cannot replay the lines (`rescue`) knows what runs. Only called where nothing is at hand. Tells whether it has.
    pub(super) fn keep(
        &mut self,
        now: Uptime,
        phase: Phase,
        snapshot: impl FnOnce() -> Snapshot,
    ) -> bool {
        let is_short = self.added < SHORT.max(self.begins_with);
        if !self.is_stale && is_short && self.phase == Some(phase) {
            return false;
        }
        self.crashes
            .retain(|crash| crate::journal::is_recent(*crash, now));
        let text = Snapshot {
            crashes: self.crashes.clone(),
            ..snapshot()
        }
        .to_text();
        self.begins_with = text.len();
        self.added = 0;
        // Without a new one the old one tells what it knows, and the next attempt is not far.
        let Ok(file) = JournalFile::begin(&text) else {
            return false;
        };
        self.file = Some(file);
        self.is_stale = false;
        self.phase = Some(phase);
        true
    }
}

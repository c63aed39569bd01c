//! `/run/init.state`: the snapshot for everybody to read, replaced when something has changed.

use crate::supervisor::Supervisor;
use crate::sys;
use crate::uptime::Uptime;
use std::path::PathBuf;
use std::time::Duration;

/// How many times as long as it took to write the state nothing is written again. A machine with ten thousand entries
/// would otherwise spend its boot writing megabytes after every one of them.
const REST: u32 = 100;
/// Longest pause: who reads the file wants to know what is, not what was.
const LONGEST_REST: Duration = Duration::from_secs(1);

/// The file, and whether it is behind.
#[derive(Debug)]
pub(super) struct StateFile {
    path: PathBuf,
    /// Generation of the state that was written last.
    written: Option<u64>,
    /// Not before this time is it written again.
    earliest: Uptime,
}

impl StateFile {
    pub(super) fn new(path: PathBuf) -> Self {
        Self {
            path,
            written: None,
            earliest: Uptime::default(),
        }
    }

    /// Writes the file if it is behind and due. `text` makes its content.
    pub(super) fn keep(
        &mut self,
        now: Uptime,
        supervisor: &Supervisor,
        text: impl FnOnce() -> Vec<u8>,
    ) {
        let generation = supervisor.generation();
        if self.written == Some(generation) || now < self.earliest {
            return;
        }
        let text = text();
        // A read-only or missing /run costs nothing but the file; the next change tries again.
        sys::files::replace(&self.path, &text).unwrap_or_default();
        self.written = Some(generation);
        let end = sys::clock::now();
        let rest = end.since(now).saturating_mul(REST);
        self.earliest = end.after(rest.min(LONGEST_REST));
    }

    /// When the file must be written although nothing happens.
    pub(super) fn deadline(&self, supervisor: &Supervisor) -> Option<Uptime> {
        (self.written != Some(supervisor.generation())).then_some(self.earliest)
    }
}

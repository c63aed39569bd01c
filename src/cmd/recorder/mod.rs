//! Writing the boot record: PID 1 and `rc` each hold a [`Recorder`] and give it lines.
//!
//! A line is appended to `/run/initlog/record` at once where that can be written. Where it cannot, because /run is
//! read-only or not there yet, it is held and goes with the next one. And what was written already is held for a
//! while too: a boot script mounts a file system over /run sooner or later, and the record begun below it is out
//! of reach then. The new file gets all that is held.
//!
//! The file may be there from an earlier boot, where /run is on a disk. It is set aside then; the kernel's boot id
//! tells, which is to be had only once /proc is mounted. Until then a file that was found is left alone, and one that
//! was not is begun.
//!
//! Nothing here waits, and no failure is more than a line that comes later or never.

pub(crate) mod carry;
pub(crate) mod entry_output;
pub(crate) mod reading;
#[cfg(test)]
mod tests;

use crate::paths::Paths;
use crate::process::Pid;
use crate::record::{Boot, Kept, Line, Subject, boot_id, id_in, is_same_boot, output_name};
use crate::sys;
use crate::sys::appending::{Appending, FileId, Origin};
use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// How long the file may grow before it is set aside and begun anew. That, and the one set aside before, is all a
/// getty that is respawned for years can cost.
const LARGEST: u64 = 1 << 20;
/// The most of a file that is looked at: one that has just not been set aside, and what was added since.
const MOST_READ: u64 = LARGEST + (256 << 10);
/// So many gathered lines are written at once: a few kilobytes.
const TOGETHER: usize = 32;
/// The most that the kernel's name for a boot may take: a UUID of 36 letters (random(4)).
const LONGEST_BOOT_ID: u64 = 128;

/// Writes the record of one program.
#[derive(Debug)]
pub(crate) struct Recorder {
    paths: Paths,
    /// How many bytes of lines, and how many of outputs, may be held.
    most: usize,
    /// Oldest first; the last `unwritten` of them have not reached the file.
    held: VecDeque<Vec<u8>>,
    /// How many bytes those are.
    size: usize,
    unwritten: usize,
    outputs: VecDeque<Output>,
    /// How many bytes those are.
    output_size: usize,
    /// Whether there may be one among them that is not written.
    has_unwritten_output: bool,
    /// The file that has all lines but the unwritten ones.
    file: Option<FileId>,
    /// Which boot this is, once that is known.
    boot: Option<Box<[u8]>>,
    /// Whether the file tells it.
    names_boot: bool,
    /// The last write broke off in the middle of a line.
    is_torn: bool,
    /// Whether written lines are held.
    holding: Holding,
}

/// What a script has printed.
#[derive(Debug)]
struct Output {
    name: Vec<u8>,
    bytes: Vec<u8>,
    is_written: bool,
}

/// Which lines are held.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Holding {
    /// All that there is room for.
    All,
    /// Those that have not been written.
    Unwritten,
}

/// What is in the file that was opened.
enum Content {
    /// Nothing, or nothing of this program's: all that is held belongs into it.
    Foreign,
    /// What this program has written.
    Own,
}

impl Recorder {
    /// Begins without a line. `most` bounds the memory for lines, and again that for outputs.
    pub(crate) fn new(paths: &Paths, most: usize) -> Self {
        Self {
            paths: paths.clone(),
            most,
            held: VecDeque::new(),
            size: 0,
            unwritten: 0,
            outputs: VecDeque::new(),
            output_size: 0,
            has_unwritten_output: false,
            file: None,
            boot: None,
            names_boot: false,
            is_torn: false,
            holding: Holding::All,
        }
    }

    /// Adds a line, and writes it if that is possible.
    pub(crate) fn add(&mut self, line: &Line) {
        self.take(line);
        self.catch_up();
    }

    /// Adds a line that is written by the next [`catch_up`](Self::catch_up), or with enough others.
    pub(crate) fn gather(&mut self, line: &Line) {
        self.take(line);
        if self.unwritten.is_multiple_of(TOGETHER) {
            self.catch_up();
        }
    }

    fn take(&mut self, line: &Line) {
        let line = line.to_line();
        self.size = self.size.saturating_add(line.len());
        self.held.push_back(line);
        self.unwritten = self.unwritten.saturating_add(1);
    }

    /// Keeps what a script has printed for `initctl log`, in the place of what it printed the last time. It is written with
    /// the next line, and before it.
    pub(crate) fn keep_output(&mut self, subject: &Subject, kept: &Kept) {
        let name = output_name(subject);
        let earlier = self.outputs.iter().position(|output| output.name == name);
        if let Some(earlier) = earlier.and_then(|place| self.outputs.remove(place)) {
            self.output_size = self.output_size.saturating_sub(earlier.bytes.len());
        }
        let bytes = kept.to_bytes();
        self.output_size = self.output_size.saturating_add(bytes.len());
        self.outputs.push_back(Output {
            name,
            bytes,
            is_written: false,
        });
        self.has_unwritten_output = true;
        self.stay_bounded();
    }

    /// Writes what could not be written before, if it can be now.
    pub(crate) fn catch_up(&mut self) {
        if self.unwritten == 0 && !self.has_unwritten_output {
            return;
        }
        // Who reads that a script has ended finds what it has printed.
        self.write_outputs();
        // A failure is the reason for holding lines; there is nobody to tell.
        self.write_lines().unwrap_or_default();
        self.write_outputs();
        self.stay_bounded();
    }

    /// Holds no longer what is written: the boot is over, and nothing will be mounted over /run any more.
    pub(crate) fn settle(&mut self) {
        self.holding = Holding::Unwritten;
        self.stay_bounded();
    }

    fn write_lines(&mut self) -> io::Result<()> {
        if self.boot.is_none() {
            self.boot = this_boot(&self.paths);
        }
        let mut file = self.open()?;
        if !self.is_usable(&file)? {
            file.set_aside(&self.paths.record(), &self.paths.older_record())?;
            file = self.open()?;
        }
        let content = self.content_of(&file);
        let count = match content {
            Content::Foreign => self.held.len(),
            Content::Own => self.unwritten,
        };
        let mut text = Vec::new();
        if self.is_torn && self.file == Some(file.id) {
            text.push(b'\n');
        }
        if file.origin == Origin::Made || (self.boot.is_some() && !self.names_boot) {
            let boot = Boot {
                id: self.boot.clone(),
                at: sys::clock::moment(),
            };
            text.extend(Line::Boot(boot).to_line());
        }
        let skipped = self.held.len().saturating_sub(count);
        for line in self.held.iter().skip(skipped) {
            text.extend_from_slice(line);
        }
        if !text.is_empty() {
            let written = file.write(&text);
            self.is_torn = written
                .as_ref()
                .is_err_and(|error| error.kind() == io::ErrorKind::WriteZero);
            written?;
        }
        if matches!(content, Content::Foreign) {
            for output in &mut self.outputs {
                output.is_written = false;
            }
            self.has_unwritten_output = !self.outputs.is_empty();
        }
        self.names_boot |= self.boot.is_some();
        self.file = Some(file.id);
        self.unwritten = 0;
        Ok(())
    }

    fn open(&self) -> io::Result<Appending> {
        let path = self.paths.record();
        Appending::open(&path).or_else(|error| {
            if error.kind() != io::ErrorKind::NotFound {
                return Err(error);
            }
            sys::files::make_folder(&self.paths.boot_log())?;
            Appending::open(&path)
        })
    }

    /// Tells whether the file is of this boot and has room. Finds out whether it names the boot.
    ///
    /// # Errors
    /// It was there before, and nobody knows yet which boot this is.
    fn is_usable(&mut self, file: &Appending) -> io::Result<bool> {
        if file.length >= LARGEST {
            return Ok(false);
        }
        if self.file == Some(file.id) {
            return Ok(true);
        }
        self.names_boot = false;
        if file.origin == Origin::Made {
            return Ok(true);
        }
        let Some(boot) = &self.boot else {
            return Err(io::ErrorKind::WouldBlock.into());
        };
        let id = id_in(&read(&self.paths.record())?);
        self.names_boot = id.is_some();
        Ok(id.is_none_or(|id| is_same_boot(&id, boot)))
    }

    /// Tells what is in the file already. Where the one that was written last is still there under its other name, this
    /// is its continuation, and else one that has come in its place.
    fn content_of(&self, file: &Appending) -> Content {
        let is_written = |id: FileId| self.file == Some(id);
        let older = || FileId::at(&self.paths.older_record());
        if is_written(file.id) || older().is_ok_and(is_written) {
            Content::Own
        } else {
            Content::Foreign
        }
    }

    fn write_outputs(&mut self) {
        if !self.has_unwritten_output || self.file.is_none() {
            return;
        }
        let mut all_written = true;
        let folder = self.paths.kept_output();
        for output in self.outputs.iter_mut().filter(|output| !output.is_written) {
            let path = folder.join(OsStr::from_bytes(&output.name));
            let replace = || sys::files::replace(&path, &output.bytes);
            // As a rule the folder is there.
            let written = match replace() {
                Err(error) if error.kind() == io::ErrorKind::NotFound => {
                    sys::files::make_folder(&folder).and_then(|()| replace())
                }
                written => written,
            };
            output.is_written = written.is_ok();
            all_written &= output.is_written;
        }
        self.has_unwritten_output = !all_written;
    }

    /// Lets go of the oldest of what is held, until it is no more than it may be.
    fn stay_bounded(&mut self) {
        if self.holding == Holding::Unwritten {
            let written = self.held.len().saturating_sub(self.unwritten);
            let size: usize = self.held.drain(..written).map(|line| line.len()).sum();
            self.size = self.size.saturating_sub(size);
            self.outputs.retain(|output| !output.is_written);
            self.output_size = self.outputs.iter().map(|output| output.bytes.len()).sum();
        }
        while self.size > self.most
            && let Some(line) = self.held.pop_front()
        {
            self.size = self.size.saturating_sub(line.len());
        }
        self.unwritten = self.unwritten.min(self.held.len());
        while self.output_size > self.most
            && let Some(output) = self.outputs.pop_front()
        {
            self.output_size = self.output_size.saturating_sub(output.bytes.len());
        }
    }
}

/// Which boot this is, where /proc tells.
pub(super) fn this_boot(paths: &Paths) -> Option<Box<[u8]>> {
    let kernel = sys::files::read(&paths.boot_id(), LONGEST_BOOT_ID).ok()?;
    let init = Pid::new(1)?;
    let stat = sys::proc::stat(&paths.process(init)).ok();
    Some(boot_id(&kernel, stat.as_deref()))
}

/// Reads a file of the record, as far as it is one.
fn read(path: &Path) -> io::Result<Vec<u8>> {
    sys::files::read(path, MOST_READ)
}

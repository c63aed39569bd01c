//! The loop of bootlogd: from the terminal that takes the console's output to the real consoles and the log.
//!
//! Nothing in it waits for a console or for the log to appear; each has what it has not taken yet put by.

#[cfg(test)]
mod tests;

use std::fs::File;
use std::io::{self, ErrorKind, Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use crate::bootlog::escapes::{Besides, Filter};
use crate::bootlog::{KEPT, Lines, Waiting};
use crate::process::Signal;
use crate::sys;
use crate::sys::redirect::{Terminal, give_back, open_console, open_log, wait};
use crate::sys::signal::SignalQueue;

/// How long to wait between two looks for a log that is not there, in milliseconds.
const LOOK_AGAIN: u16 = 500;
/// How long a console that takes nothing may hold up the end, in steps of this many milliseconds.
const PATIENCE: (u16, u16) = (20, 100);
/// How much of a console's text is put by while it takes nothing.
const PUT_BY: usize = 64 * 1024;

/// A real console.
#[derive(Debug)]
pub(super) struct Console {
    device: PathBuf,
    terminal: File,
    waiting: Waiting,
    /// The last thing that happened to it was a hang-up.
    hung_up: bool,
}

impl Console {
    pub(super) fn open(device: PathBuf) -> io::Result<Self> {
        Ok(Self {
            terminal: open_console(&device)?,
            device,
            waiting: Waiting::new(PUT_BY),
            hung_up: false,
        })
    }

    /// Writes what it takes now. A hang-up, as a getty causes it, is survived once at a time; an error is the end of
    /// this console.
    fn advance(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        while !self.waiting.is_empty() {
            let lost = self.waiting.lost();
            // Said before the rest, once it takes something again.
            let note = format!("\r\n(bootlogd: {lost} bytes were not shown here)\r\n");
            let text = match lost {
                0 => self.waiting.next(),
                _ => note.as_bytes(),
            };
            match self.terminal.write(text) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => {
                    if lost == 0 {
                        self.waiting.written(count);
                    } else {
                        self.waiting.take_lost();
                        let rest = note.as_bytes().get(count..);
                        self.waiting.put_first(rest.unwrap_or_default());
                    }
                    self.hung_up = false;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) if error.kind() == ErrorKind::WouldBlock => return Ok(()),
                Err(error) if is_hang_up(&error) && !self.hung_up => {
                    self.hung_up = true;
                    self.terminal = open_console(&self.device)?;
                }
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn is_hang_up(error: &io::Error) -> bool {
    error.raw_os_error() == Some(Errno::EIO as i32)
}

/// How the log is kept: bootlogd(8).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "four switches of bootlogd(8), and none excludes another"
)]
pub(super) struct Keeping {
    pub(super) create: bool,
    pub(super) rename: bool,
    pub(super) sync: bool,
    pub(super) escapes: bool,
}

/// The log.
#[derive(Debug)]
pub(super) struct Log {
    path: PathBuf,
    keeping: Keeping,
    file: Option<File>,
    was_open: bool,
    waiting: Waiting,
    lines: Lines,
    filter: Option<Filter>,
}

impl Log {
    pub(super) fn new(path: PathBuf, keeping: Keeping) -> Self {
        let filter = (!keeping.escapes).then(|| Filter::new(Besides::Returns));
        Self {
            path,
            keeping,
            file: None,
            was_open: false,
            waiting: Waiting::new(KEPT),
            lines: Lines::default(),
            filter,
        }
    }

    fn add(&mut self, text: &[u8], stamp: &str) {
        let added = match &mut self.filter {
            Some(filter) => self.lines.add(&filter.pass(text), stamp),
            None => self.lines.add(text, stamp),
        };
        // What is as good as written need not fit into the room for what has to wait.
        for piece in added.chunks(KEPT / 2) {
            self.waiting.add(piece);
            if self.file.is_some() {
                self.advance().unwrap_or_default();
            }
        }
    }

    /// Writes what waits, if the log can be opened.
    fn advance(&mut self) -> io::Result<()> {
        if self.waiting.is_empty() {
            return Ok(());
        }
        let file = match self.file.take() {
            Some(file) => file,
            None => self.open()?,
        };
        self.write(&file)?;
        self.file = Some(file);
        Ok(())
    }

    fn open(&mut self) -> io::Result<File> {
        let mut create = self.keeping.create;
        if self.keeping.rename && !self.was_open && sys::files::metadata(&self.path).is_ok() {
            let mut name = self.path.clone().into_os_string();
            name.push("~");
            std::fs::rename(&self.path, Path::new(&name))?;
            // It was there, so it shall be there.
            create = true;
        }
        let file = open_log(&self.path, create)?;
        self.was_open = true;
        let lost = self.waiting.take_lost();
        if lost > 0 {
            let note = format!("(bootlogd: {lost} bytes were lost before this)\n");
            self.waiting.put_first(note.as_bytes());
        }
        Ok(file)
    }

    /// Writes what waits. After a failure the rest waits on, for a log that is opened anew.
    fn write(&mut self, mut file: &File) -> io::Result<()> {
        while !self.waiting.is_empty() {
            match file.write(self.waiting.next()) {
                Ok(0) => return Err(ErrorKind::WriteZero.into()),
                Ok(count) => self.waiting.written(count),
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        if self.keeping.sync {
            // What cannot be synchronised, such as a FIFO, is as safe as it gets.
            file.sync_data().unwrap_or_default();
        }
        Ok(())
    }
}

/// How the work ended.
#[derive(Debug)]
pub(super) enum Ended {
    AllWritten,
    /// Something was left that nobody will read.
    LogLost(PathBuf, io::Error),
}

/// Whether there may be more to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum More {
    Now,
    Later,
    Never,
}

/// Everything together.
#[derive(Debug)]
pub(super) struct Relay {
    /// Where the console's output is taken to, as long as it is.
    taker: Option<OwnedFd>,
    reader: File,
    consoles: Vec<Console>,
    log: Log,
}

impl Relay {
    pub(super) fn new(terminal: Terminal, consoles: Vec<Console>, log: Log) -> Self {
        Self {
            taker: Some(terminal.taker),
            reader: terminal.reader,
            consoles,
            log,
        }
    }

    /// Works until it is told to end, then has the output go to the console again.
    pub(super) fn run(mut self, signals: &SignalQueue, console: &Path) -> anyhow::Result<Ended> {
        while !asked_to_end(signals) {
            let busy: Vec<&File> = self.busy().collect();
            let look_again = (!self.log.waiting.is_empty()).then_some(LOOK_AGAIN);
            let readers: [&dyn AsFd; 2] = [&self.reader, signals];
            wait(&readers, &busy, look_again)?;
            if self.pass_on() == More::Never {
                break;
            }
        }
        give_back(console).unwrap_or_default();
        Ok(self.end())
    }

    /// Takes one load of output to where it belongs.
    fn pass_on(&mut self) -> More {
        let mut text = [0; 8192];
        let read = self.reader.read(&mut text);
        let more = match &read {
            Ok(0) => More::Never,
            Ok(_) => More::Now,
            Err(error) if error.kind() == ErrorKind::WouldBlock => More::Later,
            Err(error) if error.kind() == ErrorKind::Interrupted => More::Now,
            Err(_) => More::Never,
        };
        let text = read.ok().and_then(|count| text.get(..count));
        if let Some(text) = text.filter(|text| !text.is_empty()) {
            for console in &mut self.consoles {
                console.waiting.add(text);
            }
            self.log.add(text, &stamp());
        }
        self.consoles
            .retain_mut(|console| console.advance().is_ok());
        // One that cannot be opened yet is looked for again.
        self.log.advance().unwrap_or_default();
        more
    }

    /// Brings home what is still on its way, once the console's output has been given back.
    fn end(mut self) -> Ended {
        // Once this end is closed, the kernel hands out what it has, and then says that there will be no more. Where
        // it could not be given back, it is when we are gone; nothing more can be waited for.
        self.taker = None;
        while self.pass_on() == More::Now {}
        let (steps, milliseconds) = PATIENCE;
        for _ in 0..steps {
            let busy: Vec<&File> = self.busy().collect();
            if busy.is_empty() || wait(&[], &busy, Some(milliseconds)).is_err() {
                break;
            }
            self.consoles
                .retain_mut(|console| console.advance().is_ok());
        }
        match self.log.advance() {
            Ok(()) => Ended::AllWritten,
            Err(error) => Ended::LogLost(self.log.path, error),
        }
    }

    /// Consoles that have not taken everything yet.
    fn busy(&self) -> impl Iterator<Item = &File> {
        let busy = self.consoles.iter();
        busy.filter(|console| !console.waiting.is_empty())
            .map(|console| &console.terminal)
    }
}

fn asked_to_end(signals: &SignalQueue) -> bool {
    let ends = [Signal::TERM, Signal::INT, Signal::QUIT];
    signals
        .take()
        .is_some_and(|(signal, _)| ends.contains(&signal))
}

/// The time of day, as ctime(3) writes it.
fn stamp() -> String {
    let now = sys::calendar::now().and_then(|now| {
        // The rule for local time may appear while the machine boots.
        sys::calendar::read_time_zone();
        sys::calendar::local(now)
    });
    now.map(|now| now.to_string()).unwrap_or_default()
}

//! The accounting files: utmp is a table with a slot for each line, wtmp a history that only grows (utmp(5)).
//!
//! Nothing here can wait for another process for long. A file is only used if it is a regular one, so that a FIFO
//! or a terminal put in its place is an error. The lock the C library takes is taken too, so that two writers that
//! need a new slot in the same instant do not take the same one; but whoever may read utmp can hold it for ever, and
//! a machine must not lose its records to that, so that after a while the record is written without it.
//!
//! The time, and in wtmp the kernel's release, are filled in here.
//!
//! What is written is written without the C library's help and without memory from the heap (`bare`), so that a child which
//! shares init's memory can record its own start.

use std::ffi::{CStr, CString, c_int};
use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::OFlag;

use super::bare;
use crate::utmp::{Kind, RECORD_SIZE, Record, Text};

const SLOT: u64 = RECORD_SIZE as u64;
/// How much of utmp is read at once. It lies on the stack, which is small in a child that shares init's memory.
const READ_AHEAD: usize = 8 * RECORD_SIZE;
/// The most slots that are searched: those of the largest inittab, and of as many logins. Who may write utmp can make it as
/// long as he likes.
const MOST_SLOTS: u64 = 1 << 18;

/// How long a writer waits for the lock before it writes without.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// A hundredth of a second: PID 1 has more to do. Who writes a record holds the lock much shorter.
    Init,
    /// A second: a child that is about to be executed waits for nobody but itself.
    Child,
}

impl Patience {
    /// In looks at the lock, a millisecond apart.
    fn looks(self) -> u16 {
        match self {
            Self::Init => 10,
            Self::Child => 1000,
        }
    }
}

/// Empties utmp, or creates it for everybody to read.
pub(crate) fn create(path: &Path) -> io::Result<()> {
    let file = open(
        path,
        OpenOptions::new().write(true).create(true).mode(0o644),
    )?;
    bare::try_lock(file.as_raw_fd());
    file.set_len(0)
}

/// Puts the record into its slot of utmp, or at the end where it has none yet. Returns it as written: with the
/// time, and with what it took over from the record that stood there.
pub(crate) fn replace(path: &Path, record: &Record, patience: Patience) -> io::Result<Record> {
    Ok(replace_in(&with_nul(path)?, record.clone(), patience)?)
}

/// Adds the record to wtmp, which is never created: who wants a history makes the file.
pub(crate) fn append(path: &Path, record: &Record) -> io::Result<()> {
    Ok(append_to(&with_nul(path)?, record.clone())?)
}

/// What a child of init records of its own start, made before there is a child.
#[derive(Debug)]
pub(crate) struct Account {
    utmp: CString,
    wtmp: Option<CString>,
    /// All of it but the number of the process.
    record: Record,
}

impl Account {
    /// The start of a process for the entry with this id, in utmp, and in wtmp where it is given.
    pub(crate) fn new(id: &[u8], utmp: &Path, wtmp: Option<&Path>) -> io::Result<Self> {
        Ok(Self {
            utmp: with_nul(utmp)?,
            wtmp: wtmp.map(with_nul).transpose()?,
            record: Record {
                id: Text::new(id),
                ..Record::new(Kind::InitProcess)
            },
        })
    }

    /// Writes it, in the process itself, so that its own record as a login can only come later. What cannot be written is
    /// left out.
    pub(super) fn write(&self) {
        let mut record = self.record.clone();
        record.pid = bare::own_pid();
        let wtmp = self.wtmp.as_deref();
        let _written = replace_in(&self.utmp, record.clone(), Patience::Child);
        let _appended = wtmp.map(|wtmp| append_to(wtmp, record));
    }
}

fn with_nul(path: &Path) -> io::Result<CString> {
    Ok(CString::new(path.as_os_str().as_bytes())?)
}

/// A regular file that is open for writing. It is closed when this goes away.
struct Opened(c_int);

impl Opened {
    /// Opens one without waiting for anything.
    fn new(path: &CStr, flags: c_int) -> Result<Self, Errno> {
        let flags = flags | libc::O_NONBLOCK | libc::O_NOCTTY | libc::O_CLOEXEC;
        let file = Self(bare::open(path, flags).map_err(Errno::from_raw)?);
        bare::length_if_regular(file.0)?.ok_or(Errno::EINVAL)?;
        Ok(file)
    }

    /// Takes the lock when it becomes free, or goes on without.
    fn lock(&self, patience: Patience) {
        for _ in 0..patience.looks() {
            if bare::try_lock(self.0) {
                return;
            }
            bare::pause();
        }
    }
}

impl Drop for Opened {
    fn drop(&mut self) {
        bare::close(self.0);
    }
}

fn replace_in(path: &CStr, mut record: Record, patience: Patience) -> Result<Record, Errno> {
    let file = Opened::new(path, libc::O_RDWR)?;
    file.lock(patience);
    stamp(&mut record)?;
    let mut bytes = [0; READ_AHEAD];
    let (mut offset, mut filled) = (0, 0);
    let (record, offset) = 'search: loop {
        let room = bytes.get_mut(filled..).unwrap_or_default();
        let read = match bare::read(file.0, room) {
            Ok(0) => break (record, offset),
            Ok(read) => read,
            Err(Errno::EINTR) => continue,
            Err(error) => return Err(error),
        };
        filled += read;
        let (whole, part) = bytes.get(..filled).unwrap_or_default().as_chunks();
        for old in whole {
            if record.may_replace(old) {
                let old = Record::decode(old);
                if record.replaces(&old) {
                    break 'search (record.inheriting(&old), offset);
                }
            }
            offset += SLOT;
            if offset >= MOST_SLOTS * SLOT {
                return Err(Errno::EFBIG);
            }
        }
        let (behind, left) = (filled - part.len(), part.len());
        bytes.copy_within(behind..filled, 0);
        filled = left;
    };
    match bare::write_at(file.0, &record.encode(), offset)? {
        RECORD_SIZE => Ok(record),
        _ => Err(Errno::ENOSPC),
    }
}

fn append_to(path: &CStr, mut record: Record) -> Result<(), Errno> {
    let file = Opened::new(path, libc::O_WRONLY | libc::O_APPEND)?;
    stamp(&mut record)?;
    if record.host.is_empty() {
        record.host = Text::new(bare::names()?.release.map(c_char_to_byte));
    }
    let is_locked = bare::try_lock(file.0);
    let length = bare::length_if_regular(file.0)?.unwrap_or(0);
    let whole = length - length % SLOT;
    if is_locked && whole != length {
        // Half a record, left by a full disk, would put all later ones out of step.
        bare::set_length(file.0, whole)?;
    }
    let written = bare::write(file.0, &record.encode())?;
    if written < RECORD_SIZE {
        if is_locked {
            bare::set_length(file.0, whole)?;
        }
        return Err(Errno::ENOSPC);
    }
    Ok(())
}

fn c_char_to_byte(character: std::ffi::c_char) -> u8 {
    character.to_ne_bytes()[0]
}

/// Reads utmp or wtmp from its beginning, record by record.
pub(crate) fn read(path: &Path) -> io::Result<Records> {
    open(path, OpenOptions::new().read(true)).map(|file| Records(BufReader::new(file)))
}

/// The records of a file. Half a record at the end is none.
#[derive(Debug)]
pub(crate) struct Records(BufReader<File>);

/// Reads the next record; what is less than one is the end.
fn read_whole(reader: &mut impl Read, bytes: &mut [u8; RECORD_SIZE]) -> io::Result<bool> {
    match reader.read_exact(bytes) {
        Ok(()) => Ok(true),
        Err(error) if error.kind() == ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

impl Iterator for Records {
    type Item = io::Result<Record>;

    fn next(&mut self) -> Option<Self::Item> {
        let mut bytes = [0; RECORD_SIZE];
        match read_whole(&mut self.0, &mut bytes) {
            Ok(true) => Some(Ok(Record::decode(&bytes))),
            Ok(false) => None,
            Err(error) => Some(Err(error)),
        }
    }
}

/// Opens a regular file without waiting for anything. The standard library adds close-on-exec.
fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let flags = (OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits();
    let file = options.clone().custom_flags(flags).open(path)?;
    if file.metadata()?.is_file() {
        Ok(file)
    } else {
        Err(io::Error::new(
            ErrorKind::InvalidInput,
            "not a regular file",
        ))
    }
}

fn stamp(record: &mut Record) -> Result<(), Errno> {
    let (seconds, nanoseconds) = bare::wall_clock()?;
    // The fields have 32 bits; a clock beyond 2038 leaves them at their end. One before 1970 has nothing to take away from.
    record.seconds = i32::try_from(seconds.max(0)).unwrap_or(i32::MAX);
    record.microseconds = i32::try_from(nanoseconds / 1000).unwrap_or(0);
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Pid;
    use crate::runlevel::Runlevel;
    use nix::sys::utsname::uname;
    use std::fs;
    use std::path::PathBuf;
    use tempfile::TempDir;

    fn scratch() -> (TempDir, PathBuf) {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("utmp");
        (folder, path)
    }

    fn all(path: &Path) -> Vec<Record> {
        read(path).unwrap().map(Result::unwrap).collect()
    }

    fn started(id: &str, pid: i32) -> Record {
        Record::init_process(id, Pid::new(pid).unwrap())
    }

    #[test]
    fn created_utmp_is_empty_and_readable_by_all() {
        use std::os::unix::fs::PermissionsExt;
        let (_folder, path) = scratch();
        create(&path).unwrap();
        let metadata = fs::metadata(&path).unwrap();
        assert_eq!(
            (metadata.len(), metadata.permissions().mode() & 0o444),
            (0, 0o444)
        );
        replace(&path, &Record::boot_time(), Patience::Init).unwrap();
        create(&path).unwrap();
        assert_eq!(all(&path), []);
    }

    #[test]
    fn a_record_takes_the_slot_of_its_id_and_leaves_the_others() {
        let (_folder, path) = scratch();
        create(&path).unwrap();
        for record in [Record::boot_time(), started("1", 11), started("2", 12)] {
            replace(&path, &record, Patience::Init).unwrap();
        }
        replace(&path, &started("1", 21), Patience::Init).unwrap();
        let pids: Vec<i32> = all(&path).iter().map(|record| record.pid).collect();
        assert_eq!(pids, [0, 21, 12]);
    }

    #[test]
    fn what_was_written_is_returned_with_the_line_the_login_had() {
        let (_folder, path) = scratch();
        create(&path).unwrap();
        let login = Record {
            line: Text::new("tty1"),
            kind: Kind::UserProcess,
            ..started("1", 11)
        };
        replace(&path, &login, Patience::Init).unwrap();
        let dead = replace(
            &path,
            &Record::dead_process("1", Pid::new(11).unwrap()),
            Patience::Init,
        )
        .unwrap();
        assert_eq!(dead.line.as_bytes(), b"tty1");
        assert!(dead.seconds > 0);
        assert_eq!(all(&path), [dead]);
    }

    #[test]
    fn wtmp_grows_and_names_the_kernel() {
        let (_folder, path) = scratch();
        fs::write(&path, [b'?'; 400]).unwrap();
        let level = Runlevel::from_byte(b'2').unwrap();
        append(&path, &Record::runlevel(None, level)).unwrap();
        append(&path, &Record::shutdown()).unwrap();
        let records = all(&path);
        assert_eq!(records.len(), 3);
        assert_eq!(records[1].user.as_bytes(), b"runlevel");
        assert_eq!(
            records[2].host.as_bytes(),
            uname().unwrap().release().as_encoded_bytes()
        );
    }

    #[test]
    fn a_table_that_is_far_too_large_is_not_searched_to_its_end() {
        let (_folder, path) = scratch();
        let file = File::create(&path).unwrap();
        file.set_len(1 << 40).unwrap();
        let error = replace(&path, &started("1", 11), Patience::Init).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::FileTooLarge);
    }

    #[test]
    fn no_history_is_kept_that_nobody_asked_for() {
        let (_folder, path) = scratch();
        let error = append(&path, &Record::shutdown()).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        let error = replace(&path, &Record::shutdown(), Patience::Init).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::NotFound);
        assert!(!path.exists());
    }

    #[test]
    fn a_process_records_its_own_start_in_both_files() {
        let (folder, path) = scratch();
        create(&path).unwrap();
        let history = folder.path().join("wtmp");
        fs::write(&history, "").unwrap();
        Account::new(b"1", &path, Some(&history)).unwrap().write();
        Account::new(b"2", &path, None).unwrap().write();
        let own = i32::try_from(std::process::id()).unwrap();
        let ids = |path: &Path| -> Vec<(Vec<u8>, i32)> {
            let one = |record: Record| (record.id.as_bytes().to_vec(), record.pid);
            all(path).into_iter().map(one).collect()
        };
        assert_eq!(ids(&path), [(b"1".to_vec(), own), (b"2".to_vec(), own)]);
        assert_eq!(ids(&history), [(b"1".to_vec(), own)]);
    }

    #[test]
    fn a_table_longer_than_what_is_read_at_once_is_searched_whole() {
        let (_folder, path) = scratch();
        create(&path).unwrap();
        for number in 0..100 {
            replace(
                &path,
                &started(&format!("{number}"), 1 + number),
                Patience::Init,
            )
            .unwrap();
        }
        // Half a record at the end is overwritten.
        let file = File::options().append(true).open(&path).unwrap();
        io::Write::write_all(&mut &file, &[b'?'; 100]).unwrap();
        for number in [0, 7, 8, 9, 63, 99, 100] {
            replace(
                &path,
                &started(&format!("{number}"), 1000 + number),
                Patience::Init,
            )
            .unwrap();
        }
        let records = all(&path);
        assert_eq!(records.len(), 101);
        for (number, record) in (0..).zip(&records) {
            let again = [0, 7, 8, 9, 63, 99, 100].contains(&number);
            assert_eq!(record.pid, number + if again { 1000 } else { 1 });
        }
    }

    #[test]
    fn a_fifo_or_folder_in_place_of_the_file_is_an_error() {
        let (folder, path) = scratch();
        nix::unistd::mkfifo(&path, nix::sys::stat::Mode::from_bits_truncate(0o600)).unwrap();
        for path in [path.as_path(), folder.path()] {
            assert!(replace(path, &Record::shutdown(), Patience::Init).is_err());
            assert!(append(path, &Record::shutdown()).is_err());
            assert!(create(path).is_err());
            assert!(read(path).is_err());
        }
    }

    #[test]
    fn writers_of_one_instant_get_a_slot_each() {
        let (_folder, path) = scratch();
        create(&path).unwrap();
        std::thread::scope(|scope| {
            for number in 1..=30 {
                let path = &path;
                scope.spawn(move || {
                    let record = started(&format!("g{number}"), number);
                    replace(path, &record, Patience::Child).unwrap();
                });
            }
        });
        assert_eq!(all(&path).len(), 30);
    }

    #[test]
    fn somebody_elses_lock_holds_nothing_up() {
        let (_folder, path) = scratch();
        create(&path).unwrap();
        let holder = File::options().write(true).open(&path).unwrap();
        assert!(bare::try_lock(holder.as_raw_fd()));
        replace(&path, &Record::boot_time(), Patience::Init).unwrap();
        append(&path, &Record::shutdown()).unwrap();
        assert_eq!(all(&path).len(), 2);
        let other = File::options().write(true).open(&path).unwrap();
        assert!(!bare::try_lock(other.as_raw_fd()));
    }
}

//! The accounting files: utmp is a table with a slot for each line, wtmp a history that only grows (utmp(5)).
//!
//! Nothing here can wait for another process for long. A file is only used if it is a regular one, so that a FIFO
//! or a terminal put in its place is an error. The lock the C library takes is taken too, so that two writers that
//! need a new slot in the same instant do not take the same one; but whoever may read utmp can hold it for ever, and
//! a machine must not lose its records to that, so that after a while the record is written without it.
//!
//! The time, and in wtmp the kernel's release, are filled in here.

use std::fs::{File, OpenOptions};
use std::io::{self, BufReader, ErrorKind, Read};
use std::os::unix::fs::{FileExt, OpenOptionsExt};
use std::path::Path;
use std::time::Duration;

use nix::fcntl::{FcntlArg, OFlag, fcntl};
use nix::sys::utsname::uname;

use crate::utmp::{RECORD_SIZE, Record, Text};

const SLOT: u64 = RECORD_SIZE as u64;
/// How much of utmp is read at once: a usual one whole.
const READ_AHEAD: usize = 32 * RECORD_SIZE;
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
    try_lock(&file);
    file.set_len(0)
}

/// Puts the record into its slot of utmp, or at the end where it has none yet. Returns it as written: with the
/// time, and with what it took over from the record that stood there.
pub(crate) fn replace(path: &Path, record: &Record, patience: Patience) -> io::Result<Record> {
    let file = open(path, OpenOptions::new().read(true).write(true))?;
    lock(&file, patience);
    let mut record = stamped(record.clone())?;
    let mut offset = 0;
    let mut old = [0; RECORD_SIZE];
    let mut reader = BufReader::with_capacity(READ_AHEAD, &file);
    while read_whole(&mut reader, &mut old)? {
        if record.may_replace(&old) {
            let old = Record::decode(&old);
            if record.replaces(&old) {
                record = record.inheriting(&old);
                break;
            }
        }
        offset += SLOT;
        if offset >= MOST_SLOTS * SLOT {
            return Err(ErrorKind::FileTooLarge.into());
        }
    }
    file.write_all_at(&record.encode(), offset)?;
    Ok(record)
}

/// Adds the record to wtmp, which is never created: who wants a history makes the file.
pub(crate) fn append(path: &Path, record: &Record) -> io::Result<()> {
    let file = open(path, OpenOptions::new().append(true))?;
    let mut record = stamped(record.clone())?;
    if record.host.is_empty() {
        record.host = Text::new(uname()?.release().as_encoded_bytes());
    }
    let is_locked = try_lock(&file);
    let length = file.metadata()?.len();
    let whole = length - length % SLOT;
    if is_locked && whole != length {
        // Half a record, left by a full disk, would put all later ones out of step.
        file.set_len(whole)?;
    }
    let written = io::Write::write(&mut &file, &record.encode())?;
    if written < RECORD_SIZE {
        if is_locked {
            file.set_len(whole)?;
        }
        return Err(ErrorKind::StorageFull.into());
    }
    Ok(())
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

/// Takes the lock when it becomes free, or goes on without.
fn lock(file: &File, patience: Patience) {
    for _ in 0..patience.looks() {
        if try_lock(file) {
            return;
        }
        super::poll::wait([None], Some(Duration::from_millis(1)));
    }
}

/// Takes the lock that utmp's other writers take, if it is free. It ends with the descriptor.
fn try_lock(file: &File) -> bool {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both constants are below 3"
    )]
    let (kind, whence) = (libc::F_WRLCK as i16, libc::SEEK_SET as i16);
    let lock = libc::flock {
        l_type: kind,
        l_whence: whence,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    fcntl(file, FcntlArg::F_OFD_SETLK(&lock)).is_ok()
}

fn stamped(mut record: Record) -> io::Result<Record> {
    let now = super::calendar::now()?;
    // The fields have 32 bits; a clock beyond 2038 leaves them at their end.
    record.seconds = i32::try_from(now.as_secs()).unwrap_or(i32::MAX);
    record.microseconds = i32::try_from(now.subsec_micros()).unwrap_or(0);
    Ok(record)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::Pid;
    use crate::runlevel::Runlevel;
    use crate::utmp::Kind;
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
        assert!(try_lock(&holder));
        replace(&path, &Record::boot_time(), Patience::Init).unwrap();
        append(&path, &Record::shutdown()).unwrap();
        assert_eq!(all(&path).len(), 2);
        assert!(!try_lock(&File::options().write(true).open(&path).unwrap()));
    }
}

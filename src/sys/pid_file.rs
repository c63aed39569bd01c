//! A pid file that its owner keeps locked, so that the kernel, and not a number in a file, tells who it belongs to.
//!
//! The lock is fcntl(2)'s, which goes with the process, is not inherited, and names its holder.

use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind};
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::Path;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, OFlag, fcntl};

use crate::process::Pid;

/// How often a file is opened anew that its last owner removes at the same moment.
const TRIES: usize = 100;

/// The file of this process. Closing any other descriptor of the same file would end the lock, so nothing in the
/// process may read it meanwhile.
#[derive(Debug)]
pub(crate) struct PidFile {
    _locked: File,
}

/// Whose the file is.
#[derive(Debug)]
pub(crate) enum Taken {
    /// This process's, from now on.
    Ours(PidFile),
    /// That of another process, which lives.
    Held,
}

/// Locks the file and writes this process's number into it.
pub(crate) fn take(path: &Path) -> io::Result<Taken> {
    for _ in 0..TRIES {
        let file = OpenOptions::new()
            .read(true)
            .write(true)
            .create(true)
            .truncate(false)
            .mode(0o644)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_NOFOLLOW).bits())
            .open(path)?;
        let opened = file.metadata()?;
        if !opened.is_file() {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        match fcntl(&file, FcntlArg::F_SETLK(&whole_file())) {
            Err(Errno::EACCES | Errno::EAGAIN) => return Ok(Taken::Held),
            Err(error) => return Err(error.into()),
            Ok(_) => {}
        }
        let is_in_place = fs::symlink_metadata(path)
            .is_ok_and(|now| (now.dev(), now.ino()) == (opened.dev(), opened.ino()));
        if is_in_place {
            let text = format!("{}\n", std::process::id());
            file.write_all_at(text.as_bytes(), 0)?;
            file.set_len(text.len().try_into().unwrap_or(0))?;
            return Ok(Taken::Ours(PidFile { _locked: file }));
        }
    }
    Err(ErrorKind::ResourceBusy.into())
}

/// Returns the process that holds the file locked.
pub(crate) fn holder(path: &Path) -> io::Result<Option<Pid>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_NOFOLLOW).bits())
        .open(path)?;
    let mut lock = whole_file();
    fcntl(&file, FcntlArg::F_GETLK(&mut lock))?;
    let is_free = i32::from(lock.l_type) == libc::F_UNLCK;
    Ok(if is_free { None } else { Pid::new(lock.l_pid) })
}

fn whole_file() -> libc::flock {
    #[expect(
        clippy::cast_possible_truncation,
        reason = "both constants are below 3"
    )]
    let (kind, whence) = (libc::F_WRLCK as i16, libc::SEEK_SET as i16);
    libc::flock {
        l_type: kind,
        l_whence: whence,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_taken_over_from_one_who_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("pid");
        fs::write(&path, "4194303 and more\n").unwrap();
        assert_eq!(holder(&path).unwrap(), None);
        let Taken::Ours(_file) = take(&path).unwrap() else {
            panic!("held by nobody");
        };
        let own = fs::metadata(&path).unwrap().len();
        assert_eq!(own, format!("{}\n", std::process::id()).len() as u64);
    }

    #[test]
    fn what_is_no_file_is_refused() {
        let folder = tempfile::tempdir().unwrap();
        assert!(take(folder.path()).is_err());
        assert!(holder(&folder.path().join("nothing")).is_err());
    }
}

//! Whole small files: read with a bound, replaced in one step, listed.

use nix::fcntl::OFlag;
use std::ffi::OsString;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

/// Room for a file whose length is not known, where it may be as long.
const UNKNOWN: u64 = 1024;

/// Reads a file of at most `most` bytes; more is an error, and so is anything but a regular file (which proc's
/// files count as). Never waits for a FIFO's or a terminal's other end.
pub(crate) fn read(path: &Path, most: u64) -> io::Result<Vec<u8>> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY).bits())
        .open(path)?;
    let metadata = file.metadata()?;
    if !metadata.is_file() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "not a regular file",
        ));
    }
    let length = metadata.len();
    // A file of proc has no length that could be known.
    let expected = if length == 0 { UNKNOWN } else { length };
    // Room for all of it, and to see its end with the same call; no more, because a buffer that is given back stays in the
    // heap, where the C library keeps it for the next of its size.
    let room = usize::try_from(expected.min(most).saturating_add(1)).unwrap_or(0);
    let mut bytes = vec![0; room];
    let mut file = file.take(most.saturating_add(1));
    let count = loop {
        match file.read(&mut bytes) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => break result?,
        }
    };
    bytes.truncate(count);
    let is_whole = u64::try_from(count).is_ok_and(|count| length > 0 && count >= length);
    if !is_whole || count == room {
        file.read_to_end(&mut bytes)?;
    }
    if u64::try_from(bytes.len()).is_ok_and(|length| length > most) {
        return Err(io::Error::new(
            io::ErrorKind::FileTooLarge,
            format!("larger than {most} bytes"),
        ));
    }
    Ok(bytes)
}

/// Replaces a file in one step, so that readers see the old text or the new and nothing between.
///
/// An empty text needs no second file for that, which is half of what it costs on a disk.
pub(crate) fn replace(path: &Path, text: &[u8]) -> io::Result<()> {
    if text.is_empty() && write(path, text).is_ok() {
        return Ok(());
    }
    let mut name = path.file_name().map(OsString::from).unwrap_or_default();
    name.push(".new");
    let beside = path.with_file_name(name);
    write(&beside, text)?;
    fs::rename(&beside, path)
}

/// Writes a file anew; for the one-byte files whose readers open them afresh.
pub(crate) fn write(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file: File = OpenOptions::new()
        .write(true)
        .create(true)
        .truncate(true)
        .mode(0o644)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_NOFOLLOW).bits())
        .open(path)?;
    file.write_all(text)
}

/// Empties a file that is there.
pub(crate) fn empty(path: &Path) -> io::Result<()> {
    OpenOptions::new()
        .write(true)
        .truncate(true)
        .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_NOFOLLOW).bits())
        .open(path)
        .map(drop)
}

/// Writes a file that is not there yet; that there is one is an error.
pub(crate) fn create(path: &Path, text: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o644)
        .open(path)?;
    file.write_all(text)
}

/// Makes a folder for everybody to read. That it is there already is no error.
pub(crate) fn make_folder(path: &Path) -> io::Result<()> {
    match fs::DirBuilder::new().mode(0o755).create(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists && path.is_dir() => Ok(()),
        made => made,
    }
}

/// Gives a file or folder another name, in the place of a file that has it.
pub(crate) fn rename(from: &Path, to: &Path) -> io::Result<()> {
    fs::rename(from, to)
}

/// Removes a folder with all that is in it.
pub(crate) fn remove_folder(path: &Path) -> io::Result<()> {
    fs::remove_dir_all(path)
}

/// Removes a file.
pub(crate) fn remove(path: &Path) -> io::Result<()> {
    fs::remove_file(path)
}

/// Lists the names in a directory, unsorted, at most `most` of them.
pub(crate) fn names(path: &Path, most: usize) -> io::Result<Vec<OsString>> {
    fs::read_dir(path)?
        .take(most)
        .map(|entry| entry.map(|entry| entry.file_name()))
        .collect()
}

/// Tells whether this program may write to a file or a directory.
pub(crate) fn is_writable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::W_OK).is_ok()
}

/// Tells whether a file is there to be read.
pub(crate) fn is_readable(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::R_OK).is_ok()
}

/// Says what a path leads to, links followed.
pub(crate) fn metadata(path: &Path) -> io::Result<fs::Metadata> {
    fs::metadata(path)
}

/// Tells whether there is such a folder.
pub(crate) fn is_folder(path: &Path) -> bool {
    path.is_dir()
}

/// Tells whether a path may be executed, or searched where it is a folder.
pub(crate) fn may_execute(path: &Path) -> bool {
    nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// Tells whether there is anything by this name, a link that leads nowhere included.
pub(crate) fn is_there(path: &Path) -> bool {
    path.symlink_metadata().is_ok()
}

/// Tells whether a path leads to a regular file.
pub(crate) fn is_file(path: &Path) -> bool {
    path.is_file()
}

/// Tells whether a path leads to a regular file with nothing in it.
pub(crate) fn is_empty(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|metadata| metadata.is_file() && metadata.len() == 0)
}

/// Tells whether this is a symbolic link.
pub(crate) fn is_link(path: &Path) -> bool {
    path.is_symlink()
}

/// Makes a folder the one that relative paths begin in.
pub(crate) fn change_to(folder: &Path) -> io::Result<()> {
    Ok(nix::unistd::chdir(folder)?)
}

/// Tells whether a path leads to a regular file that may be executed.
pub(crate) fn is_executable(path: &Path) -> bool {
    path.is_file() && nix::unistd::access(path, nix::unistd::AccessFlags::X_OK).is_ok()
}

/// Returns the text of a symbolic link, without following it; of anything else an error.
pub(crate) fn link_text(path: &Path) -> io::Result<PathBuf> {
    fs::read_link(path)
}

/// Makes a symbolic link, in place of whatever has that name.
pub(crate) fn replace_link(text: &Path, path: &Path) -> io::Result<()> {
    let error = match std::os::unix::fs::symlink(text, path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => error,
        done => return done,
    };
    // A name that nobody takes for a link, for the moment until the old one is replaced.
    let Some(name) = path.file_name() else {
        return Err(error);
    };
    let mut beside = OsString::from(".");
    beside.push(name);
    beside.push(".new");
    let beside = path.with_file_name(beside);
    remove(&beside).or_else(missing_is_fine)?;
    std::os::unix::fs::symlink(text, &beside)?;
    fs::rename(&beside, path)
}

fn missing_is_fine(error: io::Error) -> io::Result<()> {
    if error.kind() == io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

/// Tells which file a path leads to, links followed: its device and number there.
pub(crate) fn identity(path: &Path) -> io::Result<(u64, u64)> {
    fs::metadata(path).map(|metadata| (metadata.dev(), metadata.ino()))
}

//! A file that several programs append to, and which may be replaced by another at the same path.

use nix::fcntl::{Flock, FlockArg, OFlag};
use std::fs::{self, File, OpenOptions};
use std::io::{self, ErrorKind, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::Path;

/// Tells a file from every other one that is there now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct FileId {
    device: u64,
    number: u64,
}

impl FileId {
    /// The file at a path.
    pub(crate) fn at(path: &Path) -> io::Result<Self> {
        fs::symlink_metadata(path).map(|metadata| Self::of(&metadata))
    }

    fn of(metadata: &fs::Metadata) -> Self {
        Self {
            device: metadata.dev(),
            number: metadata.ino(),
        }
    }
}

/// Whether a file was there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Origin {
    /// It was.
    Found,
    /// It was made by being opened.
    Made,
}

/// A file that is open for appending.
#[derive(Debug)]
pub(crate) struct Appending {
    file: File,
    /// Which file it is.
    pub(crate) id: FileId,
    /// Whether it was there.
    pub(crate) origin: Origin,
    /// How long it is.
    pub(crate) length: u64,
}

impl Appending {
    /// Opens a regular file, or makes it for everybody to read. Never waits, and follows no link.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let mut options = OpenOptions::new();
        options
            .append(true)
            .mode(0o644)
            .custom_flags((OFlag::O_NONBLOCK | OFlag::O_NOCTTY | OFlag::O_NOFOLLOW).bits());
        let (file, origin) = match options.open(path) {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                (options.create_new(true).open(path)?, Origin::Made)
            }
            found => (found?, Origin::Found),
        };
        let metadata = file.metadata()?;
        if !metadata.is_file() {
            return Err(io::Error::new(
                ErrorKind::InvalidInput,
                "not a regular file",
            ));
        }
        Ok(Self {
            file,
            id: FileId::of(&metadata),
            origin,
            length: metadata.len(),
        })
    }

    /// Writes all in one go, so that the text of two writers never mixes. What only a part was written of is an
    /// error.
    pub(crate) fn write(&mut self, text: &[u8]) -> io::Result<()> {
        if self.file.write(text)? < text.len() {
            return Err(ErrorKind::WriteZero.into());
        }
        Ok(())
    }

    /// Gives the file another name, unless somebody else does so just now or has done so already.
    pub(crate) fn set_aside(self, path: &Path, aside: &Path) -> io::Result<()> {
        let id = self.id;
        let _lock =
            Flock::lock(self.file, FlockArg::LockExclusiveNonblock).map_err(|(_, error)| error)?;
        if FileId::at(path)? == id {
            fs::rename(path, aside)?;
        }
        Ok(())
    }
}

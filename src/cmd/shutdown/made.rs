//! The files a shutdown has made, so that calling it off removes these and no others.

use std::io::{self, ErrorKind};
use std::path::PathBuf;

use crate::sys;

/// The files this process has made.
#[derive(Debug, Default)]
pub(super) struct Made {
    paths: Vec<PathBuf>,
}

impl Made {
    /// Makes a file, unless there is one.
    pub(super) fn create(&mut self, path: PathBuf, text: &[u8]) -> io::Result<()> {
        match sys::files::create(&path, text) {
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Ok(()),
            Err(error) => Err(error),
            Ok(()) => {
                self.paths.push(path);
                Ok(())
            }
        }
    }

    /// Replaces a file that is nobody else's.
    pub(super) fn replace(&mut self, path: PathBuf, text: &[u8]) -> io::Result<()> {
        sys::files::replace(&path, text)?;
        self.paths.push(path);
        Ok(())
    }

    /// Removes them all.
    pub(super) fn remove(&mut self) {
        for path in self.paths.drain(..) {
            // Somebody may have been quicker, which comes to the same.
            drop(sys::files::remove(&path));
        }
    }
}

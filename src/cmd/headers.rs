//! Reads what says how rc scripts depend on each other: their headers, the overrides of headers, and the system
//! facilities of insserv.conf(5).

use std::ffi::OsStr;
use std::io::ErrorKind;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::paths::Paths;
use crate::rcdir::facilities::Facilities;
use crate::rcdir::lsb::{self, Diagnostic, Header};
use crate::sys;

/// More than a script or a configuration file ever has.
const LONGEST_FILE: u64 = 1 << 20;

/// Where headers and facilities are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Sources {
    /// The file of the facilities; the directory of more of them has `.d` behind its name.
    pub(super) facilities: PathBuf,
    /// Directories of headers that count instead of those in the scripts; the first that has one counts.
    pub(super) overrides: Vec<PathBuf>,
}

impl Sources {
    /// The usual places.
    pub(super) fn new(paths: &Paths) -> Self {
        Self {
            facilities: paths.facilities(),
            overrides: paths.header_overrides().into(),
        }
    }

    /// Reads the facilities, and says what is wrong with them, a line each. Without a file there are none.
    pub(super) fn facilities(&self) -> (Facilities, Vec<String>) {
        let mut facilities = Facilities::default();
        let mut said = Vec::new();
        let mut folder = self.facilities.clone().into_os_string();
        folder.push(".d");
        let folder = PathBuf::from(folder);
        let mut more = sys::files::names(&folder, usize::MAX).unwrap_or_default();
        more.retain(|name| !name.as_bytes().starts_with(b"."));
        more.sort();
        let files = more.into_iter().map(|name| folder.join(name));
        for file in std::iter::once(self.facilities.clone()).chain(files) {
            let shown = file.display();
            match sys::files::read(&file, LONGEST_FILE) {
                Ok(text) => {
                    let wrong = facilities.read(&text).into_iter();
                    said.extend(wrong.map(|diagnostic| format!("{shown}:{diagnostic}")));
                }
                Err(error) => said.push(format!("{shown}: {error}")),
            }
        }
        (facilities, said)
    }

    /// Reads the header that counts for the script of that name in init.d; none if there is none.
    ///
    /// # Errors
    /// The script cannot be read.
    pub(super) fn header(
        &self,
        name: &OsStr,
        script: &Path,
    ) -> std::io::Result<(Option<Header>, Vec<Diagnostic>)> {
        let instead = self.overrides.iter().find_map(|folder| {
            let text = sys::files::read(&folder.join(name), LONGEST_FILE).ok()?;
            Some(lsb::parse(&text)).filter(|(_, wrong)| is_there(wrong))
        });
        let (header, wrong) = match instead {
            Some(read) => read,
            None => lsb::parse(&sys::files::read(script, LONGEST_FILE)?),
        };
        let header = Some(header).filter(|_| is_there(&wrong));
        Ok((header, wrong))
    }
}

fn is_there(wrong: &[Diagnostic]) -> bool {
    wrong
        .iter()
        .all(|diagnostic| diagnostic.problem != lsb::Problem::NoHeader)
}

/// Reads a file that need not be there.
pub(super) fn optional(path: &Path) -> std::io::Result<Vec<u8>> {
    match sys::files::read(path, LONGEST_FILE) {
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        read => read,
    }
}

//! A root that Debian's programs run in, with a tree that each case makes anew.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// Links to the unpacked packages, and `etc` of its own.
pub(crate) struct Root(tempfile::TempDir);

impl Root {
    pub(crate) fn new() -> Self {
        let testbed = Path::new(env!("CARGO_MANIFEST_DIR")).join("target/testbed");
        let original = testbed.join("insserv-original");
        let setup = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/setup/insserv-original");
        let done = Command::new(&setup).arg(&original).status().unwrap();
        assert!(done.success(), "{}: {done}", setup.display());
        // In the same file system, so that links do for copies.
        let root = Self(tempfile::tempdir_in(testbed).unwrap());
        let from = format!("{}/.", original.display());
        let copied = Command::new("cp")
            .args(["-al", &from])
            .arg(root.path())
            .status()
            .unwrap();
        assert!(copied.success());
        root
    }

    pub(crate) fn path(&self) -> &Path {
        self.0.path()
    }

    /// Removes what a case has made.
    pub(crate) fn clear(&self) {
        for folder in ["etc", "usr/share/insserv/overrides"] {
            let folder: PathBuf = self.path().join(folder);
            fs::remove_dir_all(&folder).unwrap();
            fs::create_dir(&folder).unwrap();
        }
    }
}

/// Runs one of Debian's programs on the tree it sees as `/`.
pub(crate) fn run(root: &Path, words: &[String]) -> std::process::Output {
    crate::tree::bare("chroot")
        .arg(root)
        .args(words)
        .output()
        .unwrap()
}

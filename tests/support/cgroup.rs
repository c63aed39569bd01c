//! A control group of its own for one machine, of either version of cgroups(7).

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicUsize, Ordering};

/// One group. It goes away with the value, once nothing is in it any more.
pub(crate) struct Group {
    folder: PathBuf,
    is_first_version: bool,
}

impl Group {
    /// The name of the memory limit, as the second version has it.
    pub(crate) const MEMORY: &str = "memory.max";

    /// Makes a group of this controller.
    pub(crate) fn new(controller: &str) -> Self {
        static COUNT: AtomicUsize = AtomicUsize::new(0);
        let first = Path::new("/sys/fs/cgroup").join(controller);
        let second = Path::new("/sys/fs/cgroup");
        let controllers = fs::read_to_string(second.join("cgroup.controllers")).unwrap_or_default();
        let is_first_version = first.join("cgroup.procs").exists();
        assert!(
            is_first_version || controllers.split_whitespace().any(|one| one == controller),
            "no control groups with the {controller} controller below /sys/fs/cgroup; this test needs root and them"
        );
        let parent = if is_first_version { &first } else { second };
        if !is_first_version {
            let subtree = second.join("cgroup.subtree_control");
            fs::write(&subtree, format!("+{controller}")).unwrap();
        }
        let folder = parent.join(format!(
            "sysvinit-rs-test-{}-{}",
            std::process::id(),
            COUNT.fetch_add(1, Ordering::SeqCst)
        ));
        fs::create_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
        Group {
            folder,
            is_first_version,
        }
    }

    /// Moves a process into the group; what it forks from then on is there too.
    pub(crate) fn take(&self, pid: i32) {
        self.write("cgroup.procs", &pid.to_string());
    }

    /// Sets a limit by its name in the second version.
    pub(crate) fn limit(&self, name: &str, value: &str) {
        if self.is_first_version && name == Self::MEMORY {
            self.write("memory.limit_in_bytes", value);
        } else {
            self.write(name, value);
        }
    }

    fn write(&self, name: &str, value: &str) {
        let path = self.folder.join(name);
        fs::write(&path, value).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        // The machine may go after the group does; then the empty folder stays, which costs nothing.
        super::wait_a_moment(|| fs::remove_dir(&self.folder).is_ok());
    }
}

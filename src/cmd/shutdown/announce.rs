//! Telling people: on their terminals, in the log, and at the login prompt.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use super::args::Plan;
use super::made::Made;
use crate::paths::Paths;
use crate::schedule;
use crate::sys;
use crate::utmp::{Kind, Record};

/// How long terminals may take to show a text.
const PATIENCE: Duration = Duration::from_secs(2);

/// Larger than what a shutdown writes; a longer text is an administrator's own.
const LARGEST_NOLOGIN: u64 = 1024;

/// Tells people of one shutdown.
#[derive(Debug)]
pub(super) struct Announcer<'paths> {
    paths: &'paths Paths,
}

impl<'paths> Announcer<'paths> {
    pub(super) fn new(paths: &'paths Paths) -> Self {
        Self { paths }
    }

    /// Says how many minutes are left; 0 says that it is now.
    pub(super) fn warn(&self, plan: &Plan, minutes: u32) {
        self.broadcast(&schedule::warning_text(&plan.message, plan.ending, minutes));
    }

    /// Writes a text to the terminals of all who are logged in. Who cannot be reached does not hold up the rest.
    pub(super) fn broadcast(&self, text: &[u8]) {
        let Ok(now) = sys::calendar::now().and_then(sys::calendar::local) else {
            return;
        };
        let tty = sys::terminals::own_name();
        let host = sys::identity::host_name();
        // Only root gets here.
        let mut whole = schedule::banner("root", &host, tty.as_deref(), &now).into_bytes();
        whole.extend(schedule::visible(text));
        let terminals: Vec<PathBuf> = logged_in(self.paths)
            .iter()
            .filter_map(|record| terminal(self.paths, record))
            .collect();
        write(&terminals, &whole);
    }

    /// Writes a text to the console.
    pub(super) fn tell_console(&self, text: &[u8]) {
        write(&[self.paths.at("/dev/console")], text);
    }

    /// Writes a line to the system log, if there is one.
    pub(super) fn log(&self, text: String) {
        let socket = self.paths.at("/dev/log");
        let tag = format!("shutdown[{}]", std::process::id());
        drop(sys::syslog::send(
            &socket,
            sys::syslog::USER_NOTICE,
            &tag,
            &text,
        ));
    }
}

/// Writes the file that keeps everybody but root from logging in. Somebody else's is left as it is, as it does the
/// same; one that a shutdown has left which was killed is replaced.
pub(super) fn deny_logins(
    plan: &Plan,
    left: Duration,
    paths: &Paths,
    made: &mut Made,
) -> io::Result<()> {
    let path = nologin(paths);
    if sys::files::read(&path, LARGEST_NOLOGIN).is_ok_and(|text| schedule::is_deny_text(&text)) {
        sys::files::remove(&path)?;
    }
    let end = sys::calendar::local(sys::calendar::now()?.saturating_add(left))?;
    made.create(path, &schedule::deny_text(&plan.message, &end))
}

/// Returns the path of that file: nologin(5).
///
/// It stands in /run, where a crash cannot leave it for the next boot, or in /etc on systems without /run. A login
/// program that knows only the latter is served by a link `/etc/nologin -> /run/nologin`.
pub(super) fn nologin(paths: &Paths) -> PathBuf {
    let run = paths.run();
    if sys::files::is_folder(&run) {
        run.join("nologin")
    } else {
        paths.at("/etc/nologin")
    }
}

/// A terminal that cannot be written to, and a machine that cannot fork, must not stop the shutdown.
fn write(terminals: &[PathBuf], text: &[u8]) {
    if !terminals.is_empty() {
        drop(sys::terminals::write_to_all(terminals, text, PATIENCE));
    }
}

/// Returns the records of all who are logged in; none where no utmp is kept.
pub(super) fn logged_in(paths: &Paths) -> Vec<Record> {
    sys::utmp::read(&paths.utmp())
        .into_iter()
        .flatten()
        .map_while(Result::ok)
        .filter(|record| record.kind == Kind::UserProcess && !record.user.is_empty())
        .collect()
}

/// Returns the terminal of a record. A line that leads out of /dev is somebody's trap.
pub(super) fn terminal(paths: &Paths, record: &Record) -> Option<PathBuf> {
    let line = Path::new(OsStr::from_bytes(record.line.as_bytes()));
    let stays_inside = line
        .components()
        .all(|part| matches!(part, Component::Normal(_)));
    (stays_inside && !record.line.is_empty()).then(|| paths.at("/dev").join(line))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::utmp::Text;

    fn on(line: &str) -> Record {
        Record {
            line: Text::new(line),
            ..Record::new(Kind::UserProcess)
        }
    }

    #[test]
    fn a_line_names_a_terminal_below_dev() {
        let paths = Paths::default();
        let terminal = |line| terminal(&paths, &on(line));
        assert_eq!(terminal("tty1"), Some("/dev/tty1".into()));
        assert_eq!(terminal("pts/3"), Some("/dev/pts/3".into()));
        for line in ["", "../etc/passwd", "pts/../../x", "/etc/passwd"] {
            assert_eq!(terminal(line), None, "{line}");
        }
    }
}

//! `takedown`: the last steps before the machine goes down, each of which ends (takedown(8)).
//!
//! rc scripts call it in levels 0 and 6, and `halt` and `shutdown -n` do the same from within. Whatever can wait for
//! ever - sync(2), umount(2), a process that does not end - is waited for only so long, and who is in the way is named.

mod obstacles;

use std::ffi::OsString;
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::Invocation;
use crate::paths::Paths;
use crate::process::Pid;
use crate::procs::obstacle::{Mount, removable, root_to_protect};
use crate::procs::{Omission, Spared, omissions};
use crate::sys;
use crate::sys::bounded::{Outcome, within};

/// How long everything that is written may take to reach the disks.
const SYNC: Duration = Duration::from_secs(60);
/// How long one file system may take to be unmounted or made read-only.
const UNMOUNT: Duration = Duration::from_secs(20);
/// How long processes may take to be gone after KILL.
const AFTER_KILL: Duration = Duration::from_secs(3);
/// How often processes are looked for again: one may have forked in between.
const ROUNDS: usize = 3;
/// Most processes that are named for one file system, or that are left.
const MOST_NAMED: usize = 10;

const USAGE: &str = "usage: takedown processes [-o PID[,PID...]]... | sync | filesystems | root";
const HELP: &str = "
The last steps of rc scripts in levels 0 and 6. Each of them ends, and names who
is in the way.

  processes    kill all processes outside this session, for good
  sync         write what is held for the disks
  filesystems  unmount all but the root and the kernel's; read-only where busy
  root         make the root file system read-only
  -o PID       pass over this process; several with a comma, or with further -o
  --help, --version   only as the single argument

Exit code: 0 done, 1 not all of it, or wrong words.
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let help = format!("{USAGE}\n{HELP}");
    if let Some(standard) = super::answer_standard_options(call, &help)? {
        return Ok(standard);
    }
    let Some((step, rest)) = call.arguments.split_first() else {
        anyhow::bail!("say what is to be done\n{USAGE}");
    };
    anyhow::ensure!(sys::identity::is_superuser(), "must be superuser.");
    let mut takedown = Takedown::new(&Paths::default());
    match (step.to_str(), rest) {
        (Some("processes"), rest) => takedown.processes(&omitted(rest)?)?,
        (Some("sync"), []) => takedown.sync(),
        (Some("filesystems"), []) => takedown.file_systems(),
        (Some("root"), []) => takedown.root(),
        _ => anyhow::bail!("`{}' is no step of it\n{USAGE}", step.display()),
    }
    for line in &takedown.lines {
        sys::print::text(&format!("{line}\n"))?;
    }
    Ok(if takedown.is_whole {
        ExitCode::SUCCESS
    } else {
        ExitCode::FAILURE
    })
}

fn omitted(words: &[OsString]) -> anyhow::Result<Vec<i32>> {
    let mut parser = lexopt::Parser::from_args(words);
    let mut found = Vec::new();
    while let Some(argument) = parser.next()? {
        anyhow::ensure!(
            argument == lexopt::Arg::Short('o'),
            "{}\n{USAGE}",
            argument.unexpected()
        );
        for omission in omissions(&parser.value()?.to_string_lossy()) {
            match omission {
                Omission::Pid(pid) => found.push(pid),
                Omission::Parent => anyhow::bail!("`%PPID' is no process number"),
                Omission::Illegal(text) => anyhow::bail!("`{text}' is no process number"),
            }
        }
    }
    Ok(found)
}

/// What has been done, in words, and whether all of it was.
pub(crate) struct Takedown {
    paths: Paths,
    pub(crate) lines: Vec<String>,
    pub(crate) is_whole: bool,
}

impl Takedown {
    pub(crate) fn new(paths: &Paths) -> Self {
        Self {
            paths: paths.clone(),
            lines: Vec::new(),
            is_whole: true,
        }
    }

    fn say(&mut self, line: impl Into<String>) {
        self.lines.push(line.into());
    }

    /// Kills everybody outside this session, and names who is left.
    pub(crate) fn processes(&mut self, omitted: &[i32]) -> anyhow::Result<()> {
        let folder = self.paths.processes();
        let own = sys::proc::own_number(&folder)?;
        anyhow::ensure!(
            u32::try_from(own) == Ok(std::process::id()),
            "/proc is that of another PID namespace; nobody was killed"
        );
        let spared = Spared {
            own,
            session: sys::proc::own_session()?,
            omitted: omitted.to_vec(),
        };
        let mut killed: Vec<Pid> = Vec::new();
        for _ in 0..ROUNDS {
            let found = obstacles::meant(&folder, &spared);
            let fresh: Vec<Pid> = found
                .iter()
                .filter_map(|stat| Pid::new(stat.pid))
                .filter(|pid| !killed.contains(pid))
                .collect();
            if fresh.is_empty() {
                break;
            }
            for pid in &fresh {
                sys::bounded::kill(*pid);
            }
            sys::bounded::wait_for_end(&fresh, AFTER_KILL);
            killed.extend(fresh);
        }
        let left = obstacles::meant(&folder, &spared);
        for stat in left.iter().take(MOST_NAMED) {
            self.is_whole = false;
            let obstacle = obstacles::describe(&folder, stat.clone(), Vec::new());
            self.say(format!("does not end: {obstacle}"));
        }
        Ok(())
    }

    /// Writes what is held for the disks.
    pub(crate) fn sync(&mut self) {
        let outcome = within(SYNC, || {
            sys::reboot::sync();
            Ok(())
        });
        if let Ok(Outcome::Late(pid)) = outcome {
            self.is_whole = false;
            let place = obstacles::place(&self.paths.processes(), pid);
            let seconds = SYNC.as_secs();
            self.say(format!(
                "what is held for the disks is not written after {seconds} s{place}: going on"
            ));
        }
    }

    /// Unmounts everything but the root, the last mount first.
    pub(crate) fn file_systems(&mut self) {
        let table = self.mounts();
        self.sync();
        for mount in removable(&table) {
            self.remove(&mount);
        }
    }

    fn remove(&mut self, mount: &Mount) {
        let (point, name) = (&mount.point, mount.point.escape_ascii().to_string());
        let busy = match within(UNMOUNT, || sys::unmount::unmount(point)) {
            Ok(Outcome::Done) => {
                self.say(format!("{name} unmounted"));
                return;
            }
            Ok(Outcome::Failed(error)) | Err(error) => super::reason(&error),
            Ok(Outcome::Late(pid)) => self.lateness(pid),
        };
        self.is_whole = false;
        self.say(format!("{name} stays mounted: {busy}"));
        self.name_holders(point, obstacles::Use::Any);
        if !mount.is_read_only {
            self.protect(mount);
        }
    }

    /// Makes the root read-only, where it has something to lose.
    pub(crate) fn root(&mut self) {
        let table = self.mounts();
        self.sync();
        if let Some(root) = root_to_protect(&table) {
            self.protect(&root);
        }
    }

    fn protect(&mut self, mount: &Mount) {
        let (point, name) = (&mount.point, mount.point.escape_ascii().to_string());
        let writable = match within(UNMOUNT, || sys::unmount::make_read_only(point)) {
            Ok(Outcome::Done) => {
                self.say(format!("{name} is read-only"));
                return;
            }
            Ok(Outcome::Failed(error)) | Err(error) => super::reason(&error),
            Ok(Outcome::Late(pid)) => self.lateness(pid),
        };
        self.is_whole = false;
        self.say(format!("{name} stays writable: {writable}"));
        self.name_holders(point, obstacles::Use::Writing);
    }

    fn lateness(&self, pid: Pid) -> String {
        let place = obstacles::place(&self.paths.processes(), pid);
        format!("no answer after {} s{place}", UNMOUNT.as_secs())
    }

    fn name_holders(&mut self, point: &[u8], way: obstacles::Use) {
        let folder = self.paths.processes();
        for obstacle in obstacles::holders(&folder, point, way, MOST_NAMED) {
            self.say(format!("in use by {obstacle}"));
        }
    }

    fn mounts(&self) -> Vec<u8> {
        let own = self.paths.processes().join("self");
        read_mounts(&own)
    }
}

/// The mounts as a process sees them; none where /proc does not tell.
fn read_mounts(process: &Path) -> Vec<u8> {
    const MANY_MOUNTS: u64 = 16 << 20;
    sys::files::read(&process.join("mounts"), MANY_MOUNTS).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn processes_to_pass_over_come_in_lists() {
        let words =
            |text: &str| -> Vec<OsString> { text.split_whitespace().map(OsString::from).collect() };
        assert_eq!(omitted(&words("-o 1,2 -o3")).unwrap(), [1, 2, 3]);
        assert!(omitted(&words("5")).is_err());
        assert!(omitted(&words("-o x")).is_err());
    }
}

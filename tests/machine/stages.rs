//! From a launcher's child to PID 1: namespaces, mounts, and the exec of the machine's init.
//!
//! Each stage is this program run again, because a new user or PID namespace is joined by a fresh process only.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File, OpenOptions};
use std::io::{BufRead, Write};
use std::os::fd::AsRawFd;
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt, symlink};
use std::os::unix::process::{CommandExt, ExitStatusExt};
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use anyhow::{Context, bail};
use nix::errno::Errno;
use nix::libc;
use nix::mount::{MntFlags, MsFlags, mount, umount2};
use nix::sched::{CloneFlags, unshare};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::stat::{Mode, SFlag, makedev, mknod, umask};
use nix::unistd::{Uid, pivot_root, setsid};

use crate::identity::{Ids, refusal};

/// The booter's exit code when the machine asked for a reboot; 0 is halt and power-off.
const REBOOT: u8 = 64;

/// The device nodes that a machine cannot be without: name, major, minor.
const NODES: [(&str, u64, u64); 6] = [
    ("null", 1, 3),
    ("zero", 1, 5),
    ("full", 1, 7),
    ("random", 1, 8),
    ("urandom", 1, 9),
    ("tty", 5, 0),
];

/// How file systems that only show the kernel are mounted.
const LOCKED: MsFlags = MsFlags::MS_NOSUID
    .union(MsFlags::MS_NOEXEC)
    .union(MsFlags::MS_NODEV);

/// What of /proc reaches beyond the namespaces: root in the machine may look, and change nothing.
const READ_ONLY: [&str; 5] = ["sys", "sysrq-trigger", "irq", "bus", "fs"];

/// One of the launcher's descendants.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Stage {
    /// Owns the user namespace and the root, over all boots.
    Keeper,
    /// Owns the other namespaces, for one boot.
    Booter,
    /// Becomes the machine's init.
    Init,
}

impl Stage {
    /// The first argument that leads to this stage.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Keeper => "@keeper",
            Self::Booter => "@booter",
            Self::Init => "@init",
        }
    }

    /// The reverse of [`Self::word`].
    pub(crate) fn named(word: &str) -> Option<Self> {
        [Self::Keeper, Self::Booter, Self::Init]
            .into_iter()
            .find(|stage| stage.word() == word)
    }
}

/// What every stage is told: where the system is, where its console is, what becomes PID 1.
struct Order {
    root: PathBuf,
    console: PathBuf,
    program: OsString,
    words: Vec<OsString>,
}

impl Order {
    fn from_arguments(arguments: &[OsString]) -> anyhow::Result<Self> {
        let [root, console, program, words @ ..] = arguments else {
            bail!("a stage is started by the launcher only");
        };
        Ok(Self {
            root: root.into(),
            console: console.into(),
            program: program.clone(),
            words: words.to_vec(),
        })
    }

    /// The command for the next stage, with the system at `root`.
    fn next(&self, stage: Stage, root: &Path) -> Command {
        let mut command = command(stage, root, &self.console, &self.program, &self.words);
        command.stdin(Stdio::null()).stdout(Stdio::null());
        command
    }
}

/// The command that runs this program again as `stage`.
pub(crate) fn command(
    stage: Stage,
    root: &Path,
    console: &Path,
    program: &OsStr,
    words: &[OsString],
) -> Command {
    let mut command = Command::new("/proc/self/exe");
    command
        .arg0("machine")
        .arg(stage.word())
        .arg(root)
        .arg(console)
        .arg(program)
        .args(words);
    command
}

/// Runs one stage.
pub(crate) fn run(stage: Stage, arguments: &[OsString]) -> anyhow::Result<ExitCode> {
    let order = Order::from_arguments(arguments)?;
    // The launcher blocks the signals it reads from a descriptor, and a child inherits that.
    SigSet::all().thread_unblock()?;
    // The kernel's own, whatever the user's is.
    umask(Mode::S_IWGRP | Mode::S_IWOTH);
    end_with_parent()?;
    match stage {
        Stage::Keeper => keep(&order),
        Stage::Booter => boot(&order),
        Stage::Init => start(&order),
    }
}

fn end_with_parent() -> anyhow::Result<()> {
    nix::sys::prctl::set_pdeathsig(Signal::SIGKILL).context("asking to be killed with our parent")
}

/// Prepares the root, then boots the machine until it is powered off.
fn keep(order: &Order) -> anyhow::Result<ExitCode> {
    setsid().context("leaving the terminal's session")?;
    let template = OpenOptions::new()
        .read(true)
        .custom_flags(libc::O_PATH | libc::O_DIRECTORY)
        .open(&order.root)
        .with_context(|| format!("opening {}", order.root.display()))?;
    // The work area covers the template for us alone; the descriptor still leads below it.
    let work = order.root.as_path();
    let is_outside_root = Uid::effective().is_root();
    if is_outside_root {
        // Only outside the user namespace can device nodes be made. Binding the machine's own would do, were it not that
        // root inside is root outside to them: one chmod there would break every program here.
        unshare(CloneFlags::CLONE_NEWNS).context("making a mount namespace")?;
        make_private()?;
        mount_new("tmpfs", work, "mode=755")?;
        make_nodes(&work.join("nodes"))?;
    }
    let ids = enter_user_namespace()?;
    make_private()?;
    if !is_outside_root {
        mount_new("tmpfs", work, "mode=755")?;
    }
    let root = work.join("root");
    fs::create_dir(&root)?;
    mount_new("tmpfs", &root, "mode=755")?;
    copy(&template, &root)?;
    if ids == Ids::One {
        let login = root.join("bin/login");
        fs::remove_file(&login).or_else(ignore_missing)?;
        fs::write(&login, include_str!("login-one-user"))?;
        fs::set_permissions(&login, fs::Permissions::from_mode(0o755))?;
    }
    fs::write(work.join("empty"), "")?;
    fs::write(work.join("ids"), ids.word())?;
    loop {
        let status = order
            .next(Stage::Booter, work)
            .status()
            .context("starting the booter")?;
        match status.code() {
            Some(0) => return Ok(ExitCode::SUCCESS),
            Some(code) if code == i32::from(REBOOT) => {}
            Some(_) => return Ok(ExitCode::FAILURE),
            None => bail!("the booter ended by {status}"),
        }
    }
}

/// Makes the user namespace and waits until the launcher, who stays outside, has given it ids.
fn enter_user_namespace() -> anyhow::Result<Ids> {
    match unshare(CloneFlags::CLONE_NEWUSER) {
        Ok(()) => {}
        Err(Errno::EPERM | Errno::ENOSPC | Errno::EUSERS | Errno::EINVAL | Errno::ENOSYS) => {
            bail!(refusal())
        }
        Err(error) => return Err(error).context("making a user namespace"),
    }
    writeln!(std::io::stdout(), "ready")?;
    let mut answer = String::new();
    std::io::stdin().lock().read_line(&mut answer)?;
    let ids = [Ids::Many, Ids::One]
        .into_iter()
        .find(|ids| ids.word() == answer.trim())
        .context("the launcher gave no user ids")?;
    // New credentials may have cleared it.
    end_with_parent()?;
    // Some distributions permit the namespace and then forbid all that it is for.
    unshare(CloneFlags::CLONE_NEWNS).map_err(|_| anyhow::anyhow!(refusal()))?;
    Ok(ids)
}

/// Keeps what is mounted here from spreading to the machine outside.
fn make_private() -> anyhow::Result<()> {
    change_mount(Path::new("/"), MsFlags::MS_REC | MsFlags::MS_PRIVATE)
}

fn change_mount(target: &Path, flags: MsFlags) -> anyhow::Result<()> {
    mount(None::<&str>, target, None::<&str>, flags, None::<&str>)
        .with_context(|| format!("changing the mount {}", target.display()))
}

fn mount_new(kind: &str, target: &Path, options: &str) -> anyhow::Result<()> {
    let flags = match kind {
        "tmpfs" => MsFlags::MS_NOSUID,
        // A pty is a device, and here is where it is opened.
        "devpts" => MsFlags::MS_NOSUID | MsFlags::MS_NOEXEC,
        _ => LOCKED,
    };
    mount(Some(kind), target, Some(kind), flags, Some(options))
        .with_context(|| format!("mounting {kind} on {}", target.display()))
}

fn bind(source: &Path, target: &Path) -> anyhow::Result<()> {
    mount(
        Some(source),
        target,
        None::<&str>,
        MsFlags::MS_BIND,
        None::<&str>,
    )
    .with_context(|| format!("binding {} to {}", source.display(), target.display()))
}

/// Makes the device nodes, which everybody may read and write whatever our umask. There will be no directory where
/// that is forbidden: root of a container does not own the nodes that it sees either, so those can be bound.
fn make_nodes(directory: &Path) -> anyhow::Result<()> {
    fs::create_dir(directory)?;
    for (name, major, minor) in NODES {
        let path = directory.join(name);
        match mknod(&path, SFlag::S_IFCHR, Mode::empty(), makedev(major, minor)) {
            Ok(()) => fs::set_permissions(&path, fs::Permissions::from_mode(0o666))?,
            Err(Errno::EPERM) => return Ok(fs::remove_dir(directory)?),
            Err(error) => {
                return Err(error).with_context(|| format!("making {}", path.display()));
            }
        }
    }
    Ok(())
}

fn ignore_missing(error: std::io::Error) -> std::io::Result<()> {
    if error.kind() == std::io::ErrorKind::NotFound {
        Ok(())
    } else {
        Err(error)
    }
}

/// Copies the tree that `template` holds open. Everything becomes root's: the template's owner may have no id inside.
fn copy(template: &File, root: &Path) -> anyhow::Result<()> {
    let from = format!("/proc/{}/fd/{}/.", std::process::id(), template.as_raw_fd());
    let status = Command::new("cp")
        .args(["-dR", "--preserve=mode,timestamps,links", &from])
        .arg(root)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .context("running cp")?;
    anyhow::ensure!(status.success(), "copying the system into memory failed");
    Ok(())
}

/// Runs the machine from its init's first instruction to its last, and tells a reboot from an end.
fn boot(order: &Order) -> anyhow::Result<ExitCode> {
    unshare(
        CloneFlags::CLONE_NEWPID
            | CloneFlags::CLONE_NEWNS
            | CloneFlags::CLONE_NEWUTS
            | CloneFlags::CLONE_NEWIPC
            | CloneFlags::CLONE_NEWNET,
    )
    .context("making the machine's namespaces")?;
    let status = order
        .next(Stage::Init, &order.root)
        .status()
        .context("starting the machine's first process")?;
    match status.signal().map(Signal::try_from) {
        Some(Ok(Signal::SIGHUP)) => Ok(ExitCode::from(REBOOT)),
        Some(Ok(Signal::SIGINT)) => Ok(ExitCode::SUCCESS),
        _ => bail!("init ended ({status}); here a kernel would panic"),
    }
}

/// Becomes the machine's init: mounts what a kernel and its first file system would provide, and executes it.
fn start(order: &Order) -> anyhow::Result<ExitCode> {
    anyhow::ensure!(
        std::process::id() == 1,
        "not the first process of a namespace"
    );
    let work = order.root.as_path();
    let root = work.join("root");
    let ids = fs::read_to_string(work.join("ids"))?;
    for name in ["dev", "proc", "sys", "run"] {
        fs::create_dir_all(root.join(name))?;
    }
    mount_devices(order, &root.join("dev"), &ids)?;
    mount_proc(work, &root.join("proc"))?;
    // Without it most things work; a container around us may have hidden it.
    if mount_new("sysfs", &root.join("sys"), "").is_ok() {
        change_mount(
            &root.join("sys"),
            MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | LOCKED,
        )?;
    }
    mount_new("tmpfs", &root.join("run"), "mode=755")?;

    std::env::set_current_dir(&root)?;
    pivot_root(".", ".").context("taking the machine's root")?;
    umount2(".", MntFlags::MNT_DETACH).context("letting go of the old root")?;
    std::env::set_current_dir("/")?;

    let console = || {
        OpenOptions::new()
            .read(true)
            .write(true)
            .custom_flags(libc::O_NOCTTY)
            .open("/dev/console")
            .context("opening /dev/console")
    };
    // To an init of ours a PID namespace is a container, which it leaves by an exit; here it is to do as on a machine.
    let machine = (order.program == "/sbin/init").then_some("--no-container");
    let error = Command::new(&order.program)
        .args(machine)
        .args(&order.words)
        .env_clear()
        .env("HOME", "/")
        .env("TERM", "linux")
        .stdin(console()?)
        .stdout(console()?)
        .stderr(console()?)
        .exec();
    Err(error).with_context(|| format!("executing {} in the machine", order.program.display()))
}

/// Fills /dev: the nodes that exist in every machine, terminals of its own, and the launcher's pty as its console.
fn mount_devices(order: &Order, dev: &Path, ids: &str) -> anyhow::Result<()> {
    mount_new("tmpfs", dev, "mode=755")?;
    let own = order.root.join("nodes");
    let nodes = if own.exists() {
        own.as_path()
    } else {
        Path::new("/dev")
    };
    for (name, _, _) in NODES {
        let node = dev.join(name);
        File::create(&node)?;
        bind(&nodes.join(name), &node)?;
    }
    let console = dev.join("console");
    File::create(&console)?;
    bind(&order.console, &console)?;
    for (name, target) in [
        ("fd", "/proc/self/fd"),
        ("stdin", "fd/0"),
        ("stdout", "fd/1"),
        ("stderr", "fd/2"),
        ("ptmx", "pts/ptmx"),
    ] {
        symlink(target, dev.join(name))?;
    }
    fs::create_dir(dev.join("pts"))?;
    let group = if ids == Ids::Many.word() {
        ",gid=5"
    } else {
        ""
    };
    mount_new(
        "devpts",
        &dev.join("pts"),
        &format!("newinstance,ptmxmode=0666,mode=620{group}"),
    )?;
    fs::create_dir(dev.join("shm"))?;
    mount_new("tmpfs", &dev.join("shm"), "mode=1777")
}

/// Mounts /proc for the new PID namespace, with all that is not the machine's own out of its reach.
fn mount_proc(work: &Path, proc: &Path) -> anyhow::Result<()> {
    mount_new("proc", proc, "")?;
    for name in READ_ONLY {
        let path = proc.join(name);
        if path.exists() {
            bind(&path, &path)?;
            change_mount(
                &path,
                MsFlags::MS_REMOUNT | MsFlags::MS_BIND | MsFlags::MS_RDONLY | LOCKED,
            )?;
        }
    }
    // The network namespace is the machine's own, and so are its settings.
    let net = proc.join("sys/net");
    bind(&net, &net)?;
    change_mount(&net, MsFlags::MS_REMOUNT | MsFlags::MS_BIND | LOCKED)?;
    // The swap areas outside are none of its business: `swapoff -a` shall find none.
    let swaps = proc.join("swaps");
    if swaps.exists() {
        bind(&work.join("empty"), &swaps)?;
    }
    Ok(())
}

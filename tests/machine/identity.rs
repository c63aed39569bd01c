//! Which user ids the machine has: the launcher's side of a new user namespace.
//!
//! See `user_namespaces(7)` and `newuidmap(1)`.

use std::fs;
use std::process::{Command, Stdio};

use anyhow::Context;
use nix::unistd::{Gid, Pid, Uid};

/// How many ids the machine got.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ids {
    /// Enough for every account: login(1) can change to any user and group.
    Many,
    /// Root's alone. setgroups(2) is forbidden then, and with it every ordinary login(1).
    One,
}

impl Ids {
    /// The word by which the launcher tells the keeper.
    pub(crate) fn word(self) -> &'static str {
        match self {
            Self::Many => "many",
            Self::One => "one",
        }
    }
}

/// Gives the user namespace of `keeper` its ids: all of ours as root, else what subuid(5) grants, else just the user's own.
pub(crate) fn map(keeper: Pid) -> anyhow::Result<Ids> {
    if Uid::effective().is_root() {
        for kind in ["uid_map", "gid_map"] {
            let ours = fs::read_to_string(format!("/proc/self/{kind}"))
                .with_context(|| format!("reading our {kind}"))?;
            write_map(keeper, kind, &identity(&ours))?;
        }
        return Ok(Ids::Many);
    }
    if map_by_helpers(keeper) {
        return Ok(Ids::Many);
    }
    fs::write(format!("/proc/{keeper}/setgroups"), "deny").context("denying setgroups")?;
    write_map(keeper, "uid_map", &format!("0 {} 1\n", Uid::effective()))?;
    write_map(keeper, "gid_map", &format!("0 {} 1\n", Gid::effective()))?;
    Ok(Ids::One)
}

fn write_map(keeper: Pid, kind: &str, map: &str) -> anyhow::Result<()> {
    fs::write(format!("/proc/{keeper}/{kind}"), map)
        .with_context(|| format!("writing the {kind} of the machine"))
}

/// Maps each id that exists here to itself; the middle column of `map` means ids further out.
fn identity(map: &str) -> String {
    map.lines()
        .filter_map(|line| {
            let mut words = line.split_whitespace();
            let (first, _, count) = (words.next()?, words.next()?, words.next()?);
            Some(format!("{first} {first} {count}\n"))
        })
        .collect()
}

/// Maps the ids that `/etc/subuid` and `/etc/subgid` grant, by the set-uid helpers made for it.
fn map_by_helpers(keeper: Pid) -> bool {
    let Ok(Some(user)) = nix::unistd::User::from_uid(Uid::effective()) else {
        return false;
    };
    let range = |path: &str| {
        let table = fs::read_to_string(path).ok()?;
        granted(&table, &user.name, &user.uid.to_string())
    };
    let (Some(uids), Some(gids)) = (range("/etc/subuid"), range("/etc/subgid")) else {
        return false;
    };
    let run = |helper: &str, own: String, (first, count): (u64, u64)| {
        Command::new(helper)
            .args([keeper.to_string(), "0".into(), own, "1".into()])
            .args(["1".into(), first.to_string(), count.to_string()])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null())
            .status()
            .is_ok_and(|status| status.success())
    };
    run("newuidmap", Uid::effective().to_string(), uids)
        && run("newgidmap", Gid::effective().to_string(), gids)
}

/// The first range of at least 65,534 ids that a subuid(5) table grants to the user: fewer would leave out `nobody`.
fn granted(table: &str, name: &str, uid: &str) -> Option<(u64, u64)> {
    table.lines().find_map(|line| {
        let mut fields = line.trim().split(':');
        let owner = fields.next()?;
        let (first, count) = (
            fields.next()?.parse().ok()?,
            fields.next()?.parse::<u64>().ok()?,
        );
        ((owner == name || owner == uid) && count >= 65_534).then_some((first, count))
    })
}

/// Why this machine gives us no user namespace, and what its administrator can do.
pub(crate) fn refusal() -> String {
    let setting = |path: &str| {
        fs::read_to_string(path)
            .ok()
            .map(|text| text.trim().to_owned())
    };
    let advice = if setting("/proc/sys/user/max_user_namespaces").as_deref() == Some("0") {
        "run as root: sysctl -w user.max_user_namespaces=10000"
    } else if setting("/proc/sys/kernel/unprivileged_userns_clone").as_deref() == Some("0") {
        "run as root: sysctl -w kernel.unprivileged_userns_clone=1"
    } else if setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns").as_deref()
        == Some("1")
    {
        "run as root: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"
    } else {
        "a container has to be started with a seccomp profile that permits unshare(2) and mount(2)"
    };
    format!("user namespaces are forbidden here ({advice}); or use: make qemu")
}

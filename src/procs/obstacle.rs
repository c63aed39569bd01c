//! Who is in the way of a shutdown, in words: which process, what it does, where in the kernel it waits, what it holds.
#![forbid(unsafe_code)]

use super::Stat;
use super::mounts::is_below;
use std::fmt;

/// The most files that are named for one process.
const MOST_FILES: usize = 3;

/// A process that does not end, or that keeps a file system from being unmounted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Obstacle {
    /// What the kernel says of it.
    pub stat: Stat,
    /// The function of the kernel it waits in, or nothing where that is not told.
    pub waits_in: Vec<u8>,
    /// What it holds.
    pub files: Vec<Vec<u8>>,
}

impl fmt::Display for Obstacle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.stat.command.escape_ascii();
        write!(
            f,
            "pid {} ({name}), {}",
            self.stat.pid,
            state(self.stat.state)
        )?;
        let place = self.waits_in.trim_ascii();
        if !matches!(place, b"" | b"0") {
            write!(f, ", waits in {}", place.escape_ascii())?;
        }
        for (index, file) in self.files.iter().take(MOST_FILES).enumerate() {
            let before = if index == 0 { ", holds " } else { ", " };
            write!(f, "{before}{}", file.escape_ascii())?;
        }
        match self.files.len().checked_sub(MOST_FILES) {
            None | Some(0) => Ok(()),
            Some(more) => write!(f, " and {more} more"),
        }
    }
}

/// What a state's letter stands for: proc(5).
fn state(letter: u8) -> &'static str {
    match letter {
        b'R' => "running",
        b'S' => "sleeping",
        b'D' => "in uninterruptible sleep",
        b'T' => "stopped",
        b't' => "traced",
        b'Z' => "a zombie",
        _ => "idle",
    }
}

/// One mount that can be taken away, as `/proc/self/mounts` tells of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where.
    pub point: Vec<u8>,
    /// Which kind of file system.
    pub kind: Vec<u8>,
    /// Whether it is read-only.
    pub is_read_only: bool,
}

/// The mounts that go before the root, the last one first. Kernel file systems and /run stay: programs need them to the
/// end, and they have nothing to lose.
pub fn removable(table: &[u8]) -> Vec<Mount> {
    const KERNEL: [&[u8]; 9] = [
        b"proc",
        b"sysfs",
        b"devtmpfs",
        b"devpts",
        b"cgroup",
        b"cgroup2",
        b"securityfs",
        b"rootfs",
        b"nsfs",
    ];
    let stays = ["/proc", "/sys", "/dev", "/run"].map(|path| path.as_bytes().to_vec());
    let mut found = mounts(table);
    found.retain(|mount| {
        mount.point != b"/"
            && !is_below(&mount.point, &stays)
            && !KERNEL.contains(&mount.kind.as_slice())
    });
    found.reverse();
    found
}

/// What is mounted on the root, where that has anything to lose by staying writable.
pub fn root_to_protect(table: &[u8]) -> Option<Mount> {
    const NOTHING_TO_LOSE: [&[u8]; 5] = [b"rootfs", b"tmpfs", b"ramfs", b"overlay", b"squashfs"];
    let mut all = mounts(table).into_iter();
    let root = all.rfind(|mount| mount.point == b"/");
    root.filter(|root| !root.is_read_only && !NOTHING_TO_LOSE.contains(&root.kind.as_slice()))
}

fn mounts(table: &[u8]) -> Vec<Mount> {
    table
        .split(|&byte| byte == b'\n')
        .filter_map(|line| {
            let mut fields = line.split(|&byte| byte == b' ').skip(1);
            let (point, kind, options) = (fields.next()?, fields.next()?, fields.next()?);
            Some(Mount {
                point: crate::fstab::decode(point),
                kind: kind.to_vec(),
                is_read_only: options
                    .split(|&byte| byte == b',')
                    .any(|word| word == b"ro"),
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn obstacle(state: char, waits_in: &str, files: &[&str]) -> String {
        let line = format!(
            "42 (cat) {state} 1 42 42 0 -1 4194304 0 0 0 0 0 0 0 0 20 0 1 0 1 1 1 1 1 1 1 0 0 0 0 0 0 0 0 0 0 0 0 0 0 0"
        );
        let obstacle = Obstacle {
            stat: Stat::parse(line.as_bytes()).unwrap(),
            waits_in: waits_in.as_bytes().to_vec(),
            files: files.iter().map(|file| file.as_bytes().to_vec()).collect(),
        };
        obstacle.to_string()
    }

    #[test]
    fn who_is_in_the_way_is_told_with_what_it_does_and_holds() {
        assert_eq!(obstacle('R', "0", &[]), "pid 42 (cat), running");
        assert_eq!(
            obstacle('D', "nfs_wait_bit\n", &[]),
            "pid 42 (cat), in uninterruptible sleep, waits in nfs_wait_bit"
        );
        assert_eq!(
            obstacle('T', "", &["/a", "/b", "/c", "/d", "/e"]),
            "pid 42 (cat), stopped, holds /a, /b, /c and 2 more"
        );
    }

    const TABLE: &[u8] = b"rootfs / rootfs rw 0 0\n/dev/vda / ext4 rw,relatime 0 0\nproc /proc proc rw 0 0\n\
        tmpfs /run tmpfs rw 0 0\n/dev/vdb /mnt/a\\040b ext4 rw 0 0\n/dev/vdc /srv xfs ro,noatime 0 0\n\
        x /run/user/0 tmpfs rw 0 0\n";

    #[test]
    fn mounts_go_last_first_and_those_of_the_kernel_stay() {
        let found = removable(TABLE);
        let points: Vec<&[u8]> = found.iter().map(|mount| &*mount.point).collect();
        assert_eq!(points, [b"/srv".as_slice(), b"/mnt/a b"]);
        assert!(found[0].is_read_only && !found[1].is_read_only);
    }

    #[test]
    fn a_root_that_is_read_only_or_in_memory_needs_no_protection() {
        assert_eq!(root_to_protect(TABLE).unwrap().kind, b"ext4");
        assert_eq!(root_to_protect(b"/dev/vda / ext4 ro 0 0\n"), None);
        assert_eq!(root_to_protect(b"rootfs / rootfs rw 0 0\n"), None);
    }
}

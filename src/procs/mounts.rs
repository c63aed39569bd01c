//! Which places of the file tree may make a program wait for another machine.
#![forbid(unsafe_code)]

use std::collections::BTreeMap;

/// File systems behind which there is a network or another program, as proc(5) names their types.
const REMOTE: [&str; 19] = [
    "9p",
    "afs",
    "autofs",
    "beegfs",
    "ceph",
    "cifs",
    "coda",
    "fuse",
    "gfs2",
    "glusterfs",
    "lustre",
    "ncpfs",
    "nfs",
    "nfs4",
    "ocfs2",
    "orangefs",
    "smb3",
    "smbfs",
    "virtiofs",
];

/// Returns the mount points of such file systems; `table` is `/proc/self/mountinfo`.
///
/// The root is none of them: what runs from it has no need to wait for it, and were it gone, so were this program.
pub fn remote(table: &[u8]) -> Vec<Vec<u8>> {
    // A later mount hides an earlier one on the same place.
    let mut mounts = BTreeMap::new();
    for line in table.split(|&byte| byte == b'\n') {
        if let Some((point, kind)) = mount(line) {
            mounts.insert(point, is_remote(kind));
        }
    }
    mounts
        .into_iter()
        .filter(|(point, remote)| *remote && point != b"/")
        .map(|(point, _)| point)
        .collect()
}

/// Returns what is mounted on the root: device and folder of the file system, or nothing for a root that is no
/// mount point.
pub fn root(table: &[u8]) -> Option<Vec<u8>> {
    let mut lines = table.rsplit(|&byte| byte == b'\n');
    lines.find_map(|line| {
        let mut fields = line.split(|&byte| byte == b' ').skip(2);
        let (device, folder, point) = (fields.next()?, fields.next()?, fields.next()?);
        (point == b"/").then(|| [device, folder].join(&b' '))
    })
}

/// Mount point and type.
fn mount(line: &[u8]) -> Option<(Vec<u8>, &[u8])> {
    let mut fields = line.split(|&byte| byte == b' ');
    let point = fields.nth(4)?;
    fields.find(|field| *field == b"-")?;
    Some((crate::fstab::decode(point), fields.next()?))
}

fn is_remote(kind: &[u8]) -> bool {
    // A subtype of FUSE says which program is behind it. Block devices are this machine's own.
    let kind = kind.split(|&byte| byte == b'.').next().unwrap_or(kind);
    REMOTE.iter().any(|name| name.as_bytes() == kind)
}

/// Tells whether a path lies in one of these places.
pub fn is_below(path: &[u8], points: &[Vec<u8>]) -> bool {
    points.iter().any(|point| {
        path.strip_prefix(point.as_slice())
            .is_some_and(|rest| rest.is_empty() || rest.starts_with(b"/"))
    })
}

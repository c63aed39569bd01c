//! Disks whose driver leaves starting and stopping them to the system.

use std::fs::{self, OpenOptions};
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use nix::fcntl::OFlag;

/// Request of the ATA drivers' own ioctl: command, sector, feature, count.
type Command = [u8; 4];

/// ATA: write the cache and stop the motor at once.
const STANDBY_IMMEDIATE: u8 = 0xe0;
/// The kernel's headers call it `HDIO_DRIVE_CMD`.
const DRIVE_COMMAND: libc::c_int = 0x031f;
/// Files of a disk that hold `1` where the driver manages its motor; the name changed with Linux 6.6.
const MANAGED: [&str; 2] = ["manage_start_stop", "manage_system_start_stop"];

nix::ioctl_readwrite_bad!(drive_command, DRIVE_COMMAND, Command);

/// Returns the names of these disks. `class` is sysfs' folder of SCSI disks, where SATA disks stand too.
pub(crate) fn managed(class: &Path) -> io::Result<Vec<String>> {
    let mut names = Vec::new();
    for disk in fs::read_dir(class)? {
        let disk = disk?.path();
        let says_yes = |file: &&str| {
            fs::read(disk.join(file)).is_ok_and(|content| content.trim_ascii() == b"1")
        };
        if MANAGED.iter().any(says_yes) {
            for device in fs::read_dir(disk.join("device/block"))? {
                names.push(device?.file_name().to_string_lossy().into_owned());
            }
        }
    }
    Ok(names)
}

/// Stops the disk's motor; its cache is written first.
pub(crate) fn stand_by(device: &Path) -> io::Result<()> {
    let flags = OFlag::O_NONBLOCK | OFlag::O_NOCTTY;
    let disk = OpenOptions::new()
        .read(true)
        .custom_flags(flags.bits())
        .open(device)?;
    let mut command: Command = [STANDBY_IMMEDIATE, 0, 0, 0];
    // SAFETY: the kernel reads and writes the four bytes of `command`; a count of zero means no more follow.
    unsafe { drive_command(disk.as_raw_fd(), &raw mut command) }?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_disks_whose_driver_says_so_are_managed() {
        let class = tempfile::tempdir().unwrap();
        for (place, name, manages) in [("0:0:0:0", "sda", "1\n"), ("1:0:0:0", "sdb", "0\n")] {
            let disk = class.path().join(place);
            fs::create_dir_all(disk.join("device/block").join(name)).unwrap();
            fs::write(disk.join("manage_start_stop"), manages).unwrap();
        }
        assert_eq!(managed(class.path()).unwrap(), ["sda"]);
    }
}

//! Network interfaces: which there are, and taking them down (netdevice(7)).

use std::fs;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::net::UnixDatagram;
use std::path::Path;

nix::ioctl_readwrite_bad!(read_flags, libc::SIOCGIFFLAGS, libc::ifreq);
nix::ioctl_readwrite_bad!(write_flags, libc::SIOCSIFFLAGS, libc::ifreq);

/// Reads the names of all interfaces from the kernel's table, which is /proc/net/dev.
pub(crate) fn names(table: &Path) -> io::Result<Vec<String>> {
    let table = fs::read_to_string(table)?;
    // Two lines of headings, then `  name: counters`.
    let names = table.lines().skip(2).filter_map(|line| {
        let (name, _) = line.split_once(':')?;
        Some(name.trim().to_owned())
    });
    Ok(names.collect())
}

/// Takes an interface down, unless it is down or the loopback.
pub(crate) fn take_down(name: &str) -> io::Result<()> {
    // Any socket will do to talk about interfaces; this kind is there in kernels without IPv4 too.
    let socket = UnixDatagram::unbound()?;
    let mut request = request(name);
    // SAFETY: the kernel reads the name and writes the flags of the `ifreq` it is given, which is borrowed for
    // the whole call.
    unsafe { read_flags(socket.as_raw_fd(), &raw mut request) }?;
    // SAFETY: the call above has written this member of the union.
    let flags = i32::from(unsafe { request.ifr_ifru.ifru_flags });
    if flags & libc::IFF_UP == 0 || flags & libc::IFF_LOOPBACK != 0 {
        return Ok(());
    }
    #[expect(
        clippy::cast_possible_truncation,
        reason = "one bit less than the 16 the kernel gave"
    )]
    let down = (flags & !libc::IFF_UP) as i16;
    request.ifr_ifru.ifru_flags = down;
    // SAFETY: the kernel reads name and flags of the `ifreq`, which is borrowed for the whole call.
    unsafe { write_flags(socket.as_raw_fd(), &raw mut request) }?;
    Ok(())
}

fn request(name: &str) -> libc::ifreq {
    // The last place keeps the NUL; the kernel's names are shorter anyway.
    let mut text: [libc::c_char; libc::IFNAMSIZ] = [0; libc::IFNAMSIZ];
    let places = text.iter_mut().take(libc::IFNAMSIZ - 1);
    for (place, byte) in places.zip(name.bytes()) {
        *place = libc::c_char::from_ne_bytes([byte]);
    }
    libc::ifreq {
        ifr_name: text,
        ifr_ifru: libc::__c_anonymous_ifr_ifru { ifru_flags: 0 },
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stand_before_the_colon_below_two_headings() {
        let folder = tempfile::tempdir().unwrap();
        let table = folder.path().join("dev");
        fs::write(
            &table,
            "Inter-| Receive\n face |bytes\n    lo: 1 2\nenp0s3:12 0\n",
        )
        .unwrap();
        assert_eq!(names(&table).unwrap(), ["lo", "enp0s3"]);
    }
}

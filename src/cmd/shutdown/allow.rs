//! `-a`: whether somebody who may shut the machine down sits at it. Meant for Ctrl-Alt-Del (shutdown(8)).

use std::io::ErrorKind;

use super::announce::{logged_in, terminal};
use crate::paths::Paths;
use crate::sys;

/// As many names as the file may hold.
const MOST_NAMES: usize = 32;
/// A list that is longer is none.
const LONGEST_LIST: u64 = 65_536;

/// Tells whether root, or a user named in /etc/shutdown.allow, is logged in on a virtual console. Without the file
/// everybody may.
pub(super) fn is_somebody_allowed(paths: &Paths) -> bool {
    let list = match sys::files::read(&paths.at("/etc/shutdown.allow"), LONGEST_LIST) {
        Ok(list) => list,
        Err(error) => return error.kind() == ErrorKind::NotFound,
    };
    let names = names(&list);
    logged_in(paths).iter().any(|record| {
        let user = record.user.as_bytes();
        (user == b"root" || names.contains(&user))
            && terminal(paths, record).is_some_and(|path| sys::terminals::is_virtual_console(&path))
    })
}

/// Reads the file: a name a line, empty lines and comments aside.
fn names(list: &[u8]) -> Vec<&[u8]> {
    list.split(|&byte| byte == b'\n')
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .take(MOST_NAMES)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comments_and_empty_lines_name_nobody() {
        assert_eq!(
            names(b"# who may\n\nadam\neve"),
            [b"adam".as_slice(), b"eve".as_slice()]
        );
        assert_eq!(names("x\n".repeat(40).as_bytes()).len(), 32);
    }
}

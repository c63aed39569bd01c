//! Who has called the shutdown, for those who ask what is scheduled.

use super::announce::logged_in;
use crate::paths::Paths;
use crate::sys;

/// Larger than any table of users that is kept in a file.
const LARGEST_TABLE: u64 = 16 << 20;

/// A user at a terminal.
#[derive(Debug)]
pub(super) struct Operator {
    pub(super) name: Vec<u8>,
    /// Without `/dev/`; none for a program that has no terminal.
    pub(super) terminal: Option<Vec<u8>>,
}

/// Finds out who runs this program: who is logged in on its terminal, whoever they have become since, or else the
/// user it runs as. To be asked before it becomes root.
pub(super) fn find(paths: &Paths) -> Operator {
    let terminal = sys::terminals::own_name().map(String::into_bytes);
    let by_login = terminal.as_deref().and_then(|terminal| {
        let records = logged_in(paths);
        let record = records
            .iter()
            .find(|record| record.line.as_bytes() == terminal)?;
        Some(record.user.as_bytes().to_vec())
    });
    let number = sys::identity::user();
    let name = by_login.unwrap_or_else(|| {
        let table = sys::files::read(&paths.users(), LARGEST_TABLE).unwrap_or_default();
        name_of(number, &table).unwrap_or_else(|| format!("user {number}").into_bytes())
    });
    Operator { name, terminal }
}

/// Looks a number up in passwd(5).
fn name_of(number: u32, table: &[u8]) -> Option<Vec<u8>> {
    let number = number.to_string();
    table.split(|&byte| byte == b'\n').find_map(|line| {
        let mut fields = line.split(|&byte| byte == b':');
        let name = fields.next()?;
        (fields.nth(1)? == number.as_bytes()).then(|| name.to_vec())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_looked_up_in_the_third_field() {
        let table = b"root:x:0:0::/:/bin/sh\n# 7:7\neve:7:1000:7:::\n";
        assert_eq!(name_of(0, table), Some(b"root".to_vec()));
        assert_eq!(name_of(1000, table), Some(b"eve".to_vec()));
        assert_eq!(name_of(7, table), None);
    }
}

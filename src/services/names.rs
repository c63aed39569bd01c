//! Names of services: which files in /etc/init.d are none, and which one may have been meant.
#![forbid(unsafe_code)]

/// Files that service(8) passes over in its list: they belong to the system, or are no scripts.
const PASSED_OVER: [&[u8]; 12] = [
    b"README",
    b"bootclean.sh",
    b"functions",
    b"halt",
    b"killall",
    b"kudzu",
    b"linuxconf",
    b"rc",
    b"rcS",
    b"reboot",
    b"single",
    b"skeleton",
];

/// Tells whether a file of this name is listed as a service. Compat: service(8) passes over copies of dpkg's, but over
/// no others; whoever prints more than it does leaves those out with [`crate::rcdir::is_put_aside`].
pub fn is_listed(name: &[u8]) -> bool {
    !PASSED_OVER.contains(&name)
        && !name.starts_with(b".")
        && ![b".dpkg-dist".as_slice(), b".dpkg-old"]
            .iter()
            .any(|ending| name.ends_with(ending))
}

/// Returns the name that differs least from the one that is not there, if any is near enough to have been meant.
pub fn nearest<'names>(
    wanted: &[u8],
    names: impl IntoIterator<Item = &'names [u8]>,
) -> Option<&'names [u8]> {
    let near = names.into_iter().filter_map(|name| {
        let changes = changes(wanted, name);
        let is_short_for_it = wanted.len() >= 3 && name.starts_with(wanted);
        let is_near = changes.saturating_mul(3) <= wanted.len().max(name.len());
        (is_near || is_short_for_it).then_some((changes, name))
    });
    near.min().map(|(_, name)| name)
}

/// Counts the letters to insert, remove, change or swap to make one name of the other.
fn changes(one: &[u8], other: &[u8]) -> usize {
    let mut before_last: Vec<usize> = Vec::new();
    let mut last: Vec<usize> = (0..=other.len()).collect();
    let mut previous = None;
    for (row, &byte) in (1..).zip(one) {
        let mut now = vec![row];
        for (column, &letter) in (0..).zip(other) {
            let at = |line: &[usize], place: usize| line.get(place).copied().unwrap_or(usize::MAX);
            let replaced = at(&last, column).saturating_add(usize::from(byte != letter));
            let removed = at(&last, column + 1).saturating_add(1);
            let inserted = at(&now, column).saturating_add(1);
            let is_swap = column > 0
                && previous == Some(letter)
                && other.get(column - 1).copied() == Some(byte);
            let swapped = if is_swap {
                at(&before_last, column - 1).saturating_add(1)
            } else {
                usize::MAX
            };
            now.push(replaced.min(removed).min(inserted).min(swapped));
        }
        before_last = std::mem::replace(&mut last, now);
        previous = Some(byte);
    }
    last.last().copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_of_the_system_and_old_copies_are_no_services() {
        for name in ["rc", "functions", "a.dpkg-old", ".depend.boot", "skeleton"] {
            assert!(!is_listed(name.as_bytes()), "{name}");
        }
        for name in ["cron", "rc.local", "halt2", "a.bak"] {
            assert!(is_listed(name.as_bytes()), "{name}");
        }
    }

    #[test]
    fn a_misspelt_name_leads_to_the_nearest() {
        let names = ["cron", "ssh", "sshd", "networking", "rsyslog", "a"];
        for (wanted, expected) in [
            ("corn", Some("cron")),
            ("crond", Some("cron")),
            ("network", Some("networking")),
            ("syslog", Some("rsyslog")),
            ("sssh", Some("ssh")),
            ("apache2", None),
            ("x", None),
            ("", None),
        ] {
            let near = nearest(wanted.as_bytes(), names.iter().map(|name| name.as_bytes()));
            assert_eq!(near, expected.map(str::as_bytes), "{wanted}");
        }
    }

    #[test]
    fn changes_are_counted_as_people_make_them() {
        for (one, other, expected) in [
            ("", "", 0),
            ("", "abc", 3),
            ("abc", "abc", 0),
            ("abc", "acb", 1),
            ("abc", "abd", 1),
            ("abc", "bc", 1),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(
                changes(one.as_bytes(), other.as_bytes()),
                expected,
                "{one} {other}"
            );
        }
    }
}

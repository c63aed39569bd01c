//! Which files of init.d are scripts that may be linked, by their names (insserv(8), NOTE).
#![forbid(unsafe_code)]

/// Beginnings that editors, version control and shells give a meaning to.
const FIRST: &[u8] = b"$.#%_+-\\*[]^:()~";

/// Parts of a name from a dot on that package managers and editors give to what they put aside.
const PUT_ASIDE: [&[u8]; 4] = [b"dpkg", b"rpm", b"ucf", b"ba"];

/// Endings of what is put aside.
const ENDINGS: [&[u8]; 8] = [
    b".old", b".new", b".org", b".orig", b".save", b".swp", b".core", b"~",
];

/// What lies in init.d and is no script of a service: rc itself, and what distributions put beside the scripts.
const NO_SERVICE: [&[u8]; 7] = [
    b"core",
    b"skeleton",
    b"rc",
    b"rcS",
    b"rx",
    b"powerfail",
    b"Makefile",
];

/// Reads the endings, one a line, that an administrator has put into `/etc/insserv/file-filters`.
pub fn filters(text: &[u8]) -> Vec<Box<[u8]>> {
    let lines = text.split(|&byte| byte == b'\n').map(<[u8]>::trim_ascii);
    lines
        .filter(|line| !line.is_empty() && !line.starts_with(b"#"))
        .map(Into::into)
        .collect()
}

/// Tells whether a script of this name may be linked.
pub fn is_valid(name: &[u8], filters: &[Box<[u8]>]) -> bool {
    let Some(first) = name.first() else {
        return false;
    };
    // What follows any dot but a leading one, which is refused as it is.
    let mut tails = name.split(|&byte| byte == b'.').skip(1);
    let mut parts = tails.clone();
    let last = name.rsplit(|&byte| byte == b'.').next().unwrap_or_default();
    !(FIRST.contains(first)
        || name.starts_with(b"README")
        || NO_SERVICE.contains(&name)
        || ENDINGS.iter().any(|ending| name.ends_with(ending))
        || parts.any(|part| PUT_ASIDE.iter().any(|aside| part.starts_with(aside)))
        || (tails.next().is_some() && filters.iter().any(|filter| **filter == *last)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_services_are_valid() {
        for name in [
            "cron",
            "rc.local",
            "x.sh",
            "functions",
            "core.x",
            "x.bk",
            "x.disabled",
            "halt",
            "Xbak",
            "a,b",
        ] {
            assert!(is_valid(name.as_bytes(), &[]), "{name}");
        }
    }

    #[test]
    fn other_names_are_not() {
        for name in [
            "",
            ".depend.boot",
            "#x",
            "_x",
            "-x",
            "%x",
            "x~",
            "x.dpkg-old",
            "x.rpmsave",
            "x.ucf-1",
            "x.bak",
            "x.baz",
            "x.backup",
            "x.old",
            "x.new",
            "x.org",
            "x.orig",
            "x.save",
            "x.swp",
            "x.core",
            "core",
            "README",
            "README.x",
            "skeleton",
            "rc",
            "rcS",
            "rx",
            "powerfail",
            "Makefile",
        ] {
            assert!(!is_valid(name.as_bytes(), &[]), "{name}");
        }
    }

    #[test]
    fn an_administrator_can_refuse_endings() {
        let filters = filters(b"# endings\ngit\n svn \n\n");
        assert!(!is_valid(b"x.git", &filters));
        assert!(!is_valid(b"x.svn", &filters));
        assert!(is_valid(b"git", &filters));
        assert!(is_valid(b"x.git.sh", &filters));
    }
}

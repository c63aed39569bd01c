//! Headers as scripts have them: those of this package, odd but legal ones, and wrong ones.

use super::*;
use proptest::prelude::*;

const COMPLETE: &str = "\
#!/bin/sh
### BEGIN INIT INFO
# Provides:          crond cron
# Required-Start:    $local_fs $remote_fs
# Required-Stop:     $local_fs
# Should-Start:      $syslog
# Should-Stop:
# X-Start-Before:    late
# X-Stop-After:      later
# Default-Start:     2 3 4 5
# Default-Stop:      0 1 6
# X-Interactive:     true
# Short-Description: Run commands at times
# Description:       Runs what
#\tthe tables
#  ask for
### END INIT INFO
# Provides: nothing here
";

fn problems(script: &str) -> Vec<String> {
    let (_, diagnostics) = parse(script.as_bytes());
    diagnostics.iter().map(ToString::to_string).collect()
}

/// A header with the lines given and no other fault.
fn with(lines: &str) -> String {
    let keywords = "# Required-Start:\n# Required-Stop:\n# Default-Start:\n# Default-Stop:\n";
    format!("### BEGIN INIT INFO\n{keywords}{lines}### END INIT INFO\n")
}

fn words(names: &Names) -> Vec<String> {
    names
        .iter()
        .map(|name| name.escape_ascii().to_string())
        .collect()
}

#[test]
fn every_keyword_is_read() {
    let (header, diagnostics) = parse(COMPLETE.as_bytes());
    assert_eq!(diagnostics, []);
    assert_eq!(words(&header.provides), ["crond", "cron"]);
    assert_eq!(words(&header.required_start), ["$local_fs", "$remote_fs"]);
    assert_eq!(words(&header.required_stop), ["$local_fs"]);
    assert_eq!(words(&header.should_start), ["$syslog"]);
    assert!(header.should_stop.is_empty());
    assert_eq!(words(&header.start_before), ["late"]);
    assert_eq!(words(&header.stop_after), ["later"]);
    assert_eq!(header.default_start, RunlevelSet::parse(b"2345"));
    assert_eq!(header.default_stop, RunlevelSet::parse(b"016"));
    assert!(header.interactive);
    assert_eq!(&*header.short_description, b"Run commands at times");
    assert_eq!(&*header.description, b"Runs what the tables ask for");
}

#[test]
fn keywords_are_taken_in_any_case_with_either_dash_and_without_blanks() {
    let (header, diagnostics) =
        parse(with("#PROVIDES:a\r\n#  should_start : b\n# x-vendor-stop_after: c\n").as_bytes());
    assert_eq!(words(&header.provides), ["a"]);
    assert_eq!(words(&header.stop_after), ["c"]);
    let texts: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
    assert_eq!(texts, Vec::<String>::new());
    assert_eq!(words(&header.should_start), ["b"]);
}

#[test]
fn a_vendors_prefix_is_taken_off_where_the_standard_has_it() {
    let (header, _) = parse(
        with("# Provides: a\n# X-UnitedLinux-Should-Start: b\n# X-Start-Before: c\n").as_bytes(),
    );
    assert_eq!(words(&header.should_start), ["b"]);
    assert_eq!(words(&header.start_before), ["c"]);
}

#[test]
fn other_vendors_keywords_are_nobodys_business() {
    assert_eq!(
        problems(&with(
            "# Provides: a\n# X-Foo: bar\n# X-Required-Start: b\n"
        )),
        Vec::<String>::new()
    );
}

#[test]
fn only_true_makes_a_script_interactive() {
    for (value, expected) in [("true", true), ("TRUE", true), ("yes", false), ("", false)] {
        let (header, _) = parse(with(&format!("# X-Interactive: {value}\n")).as_bytes());
        assert_eq!(header.interactive, expected, "{value}");
    }
}

#[test]
fn the_first_of_two_counts_and_the_second_is_reported() {
    let script = with("# Provides: a\n# Provides: b\n");
    assert_eq!(words(&parse(script.as_bytes()).0.provides), ["a"]);
    assert_eq!(
        problems(&script),
        ["7: Provides is given again; the first one counts"]
    );
}

#[test]
fn a_script_without_a_header_is_reported() {
    assert_eq!(problems("#!/bin/sh\n"), ["1: there is no LSB header"]);
    assert_eq!(
        problems("# ### BEGIN INIT INFO\n"),
        ["1: there is no LSB header"]
    );
}

#[test]
fn what_is_missing_is_reported_at_the_begin_line() {
    assert_eq!(
        problems("#!/bin/sh\n### BEGIN INIT INFO\n"),
        [
            "2: the LSB header does not end",
            "2: Provides is missing; it may be empty",
            "2: Required-Start is missing; it may be empty",
            "2: Required-Stop is missing; it may be empty",
            "2: Default-Start is missing; it may be empty",
            "2: Default-Stop is missing; it may be empty",
        ]
    );
}

#[test]
fn each_wrong_line_is_reported_and_costs_itself_only() {
    let script = "\
### BEGIN INIT INFO
# Provides: $net good
# Required-Start
# Required-Start: x
exit 0
# Requires: y
# Required-Stop:

#
# Default-Start: 2 three 3
# Default-Stop: 3
### END INIT INFO
";
    assert_eq!(
        problems(script),
        [
            "2: $net: a script cannot provide a facility",
            "3: this line of the LSB header has no keyword",
            "5: this line of the LSB header has no keyword",
            "6: Requires: unknown keyword",
            "10: three: no such runlevel",
            "1: runlevel 3 is in both Default-Start and Default-Stop",
        ]
    );
    let (header, _) = parse(script.as_bytes());
    assert_eq!(words(&header.provides), ["good"]);
    assert_eq!(words(&header.required_start), ["x"]);
    assert_eq!(header.default_start, RunlevelSet::parse(b"23"));
}

#[test]
fn a_script_that_provides_nothing_is_reported() {
    assert_eq!(
        problems(&with("# Provides:\n")),
        ["1: Provides names nothing"]
    );
}

#[test]
fn a_description_ends_with_the_next_keyword() {
    let (header, diagnostics) =
        parse(with("# Description: a\n#   b\n# Provides: x\n#   Should-Start: y\n").as_bytes());
    assert_eq!(diagnostics, []);
    assert_eq!(&*header.description, b"a b");
    assert_eq!(words(&header.should_start), ["y"]);
}

#[test]
fn every_script_of_this_package_has_a_header_without_fault() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("init.d");
    let mut scripts = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        // What the scripts share is read by them and never run.
        if path.ends_with("functions") {
            continue;
        }
        scripts += 1;
        let name = path.file_name().unwrap().as_encoded_bytes().to_vec();
        let (header, diagnostics) = parse(&std::fs::read(&path).unwrap());
        let texts: Vec<String> = diagnostics.iter().map(ToString::to_string).collect();
        assert_eq!(texts, Vec::<String>::new(), "{}", path.display());
        assert_eq!(&*header.provides[0], name, "{}", path.display());
        assert!(!header.short_description.is_empty(), "{}", path.display());
    }
    assert!(scripts > 10, "found only {scripts}");
}

proptest! {
    #[test]
    fn random_bytes_never_panic(script in proptest::collection::vec(any::<u8>(), 0..400)) {
        let (_, diagnostics) = parse(&script);
        prop_assert!(!diagnostics.is_empty());
    }

    #[test]
    fn random_lines_in_a_header_never_panic(lines in "([#\tA-Za-z:_ $-]{0,20}\n){0,8}") {
        let (_, diagnostics) = parse(with(&lines).as_bytes());
        let last = lines.lines().count() + 6;
        prop_assert!(diagnostics.iter().all(|found| (1..=last).contains(&found.line)));
    }
}

//! The manual pages: whole, readable, and in agreement with what the programs say and do.
//!
//! Programs are only ever asked for `--help`. They run as a user who could do no harm even if one of them took the
//! word for something else: `halt` is among them.

#![allow(
    clippy::allow_attributes,
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "a test fails loudly"
)]

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use sysvinit::initctl::{REQUEST_SIZE, Request};
use sysvinit::inittab::Action;
use sysvinit::inittab::parse::{Parsed, Source, SourceKind, parse};
use sysvinit::record::Line;
use sysvinit::snapshot::Snapshot;
use tempfile::TempDir;

/// Pages of others that ours point to, as Debian has them.
const PAGES_OF_OTHERS: [&str; 25] = [
    "bootparam(7)",
    "clock_gettime(2)",
    "dd(1)",
    "fifo(7)",
    "fstab(5)",
    "fstat(2)",
    "getty(8)",
    "agetty(8)",
    "kexec(8)",
    "mount(8)",
    "nologin(5)",
    "reboot(2)",
    "sh(1)",
    "signal(7)",
    "startpar(8)",
    "sulogin(8)",
    "umount(8)",
    "utmp(5)",
    "wait(2)",
    "dmesg(1)",
    "wall(1)",
    "who(1)",
    "write(2)",
    "wtmp(5)",
    "mandoc(1)",
];
/// What a reader looks for in a page of any kind, and in one about a program besides.
const SECTIONS: [&str; 7] = [
    "NAME",
    "SYNOPSIS",
    "DESCRIPTION",
    "FILES",
    "EXAMPLES",
    "COMPATIBILITY",
    "SEE ALSO",
];
const SECTIONS_OF_PROGRAMS: [&str; 2] = ["OPTIONS", "EXIT STATUS"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("man")
}

/// Every page by its file name, links as what they lead to.
fn pages() -> BTreeMap<String, String> {
    let pages: BTreeMap<String, String> = fs::read_dir(folder())
        .unwrap()
        .map(|entry| {
            let entry = entry.unwrap();
            let name = entry.file_name().into_string().unwrap();
            let text = fs::read_to_string(entry.path())
                .unwrap_or_else(|error| panic!("man/{name}: {error}"));
            (name, text)
        })
        .collect();
    assert!(pages.contains_key("init.8"), "{pages:?}");
    pages
}

/// The page about a program: for administrators, or for everybody.
fn page_of<'pages>(pages: &'pages BTreeMap<String, String>, name: &str) -> &'pages str {
    let page = ["8", "1"]
        .iter()
        .find_map(|number| pages.get(&format!("{name}.{number}")));
    page.unwrap_or_else(|| panic!("man/{name}.8 is missing"))
}

/// The lines of a section, up to the next one.
fn section<'page>(page: &'page str, title: &str) -> Option<Vec<&'page str>> {
    let mut lines = page.lines();
    lines.find(|line| line.strip_prefix(".Sh ") == Some(title))?;
    Some(lines.take_while(|line| !line.starts_with(".Sh ")).collect())
}

/// The literal blocks, each behind a comment that says that this test reads it.
fn examples(page: &str) -> Vec<String> {
    let mut examples = Vec::new();
    let mut lines = page.lines();
    while lines.any(|line| line.starts_with(".\\\" The test `documents'")) {
        assert!(lines.any(|line| line.starts_with(".Bd -literal")));
        let block: Vec<String> = lines
            .by_ref()
            .take_while(|line| *line != ".Ed")
            .map(|line| line.replace("\\e", "\\"))
            .collect();
        examples.push(block.join("\n") + "\n");
    }
    examples
}

/// Copies of the programs, each tool under its name, for a user without any rights.
struct Programs {
    folder: TempDir,
}

impl Programs {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::set_permissions(folder.path(), Permissions::from_mode(0o755)).unwrap();
        for program in [env!("CARGO_BIN_EXE_init"), env!("CARGO_BIN_EXE_sysvtools")] {
            // Not by this process: what another test forks meanwhile would hold the copy open for writing, and the
            // kernel executes no such file.
            let copied = Command::new("cp").arg(program).arg(folder.path()).status();
            assert!(copied.unwrap().success(), "copying {program}");
        }
        symlink("init", folder.path().join("telinit")).unwrap();
        let programs = Self { folder };
        for tool in programs.tools() {
            symlink("sysvtools", programs.folder.path().join(tool)).unwrap();
        }
        programs
    }

    /// The names `sysvtools` answers to, by its own account.
    fn tools(&self) -> Vec<String> {
        let help = self.help(&["sysvtools"]);
        let tools = help
            .lines()
            .find_map(|line| line.strip_prefix("Tools: "))
            .expect("sysvtools --help lists the tools");
        tools.split_whitespace().map(str::to_owned).collect()
    }

    /// What a program says when its words end in `--help`.
    fn help(&self, words: &[&str]) -> String {
        let (name, words) = words.split_first().unwrap();
        let mut command = Command::new(self.folder.path().join(name));
        command.args(words).arg("--help");
        command.stdin(Stdio::null()).env_clear();
        if nix::unistd::geteuid().is_root() {
            command.uid(65534).gid(65534);
        }
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{name} --help as nobody: {error}"));
        assert!(
            output.status.success() && output.stderr.is_empty(),
            "{name} --help: {output:?}"
        );
        String::from_utf8(output.stdout).unwrap()
    }
}

/// The options in the lists of a help text: words that begin a column, and those that follow one with a comma.
fn listed_options(help: &str) -> BTreeSet<String> {
    let mut options = BTreeSet::new();
    for line in help.lines() {
        for column in line.split("  ") {
            for word in column.trim_start().split(", ") {
                let word = word.split([' ', '=', '[']).next().unwrap_or_default();
                if is_option(word) {
                    options.insert(word.to_owned());
                } else {
                    break;
                }
            }
        }
    }
    options
}

/// The options in any place of a help text.
fn mentioned_options(help: &str) -> BTreeSet<String> {
    help.split(|character: char| !character.is_alphanumeric() && character != '-')
        .filter(|word| is_option(word))
        .map(str::to_owned)
        .collect()
}

fn is_option(word: &str) -> bool {
    let name = word.trim_start_matches('-');
    match word.len() - name.len() {
        1 => name.len() == 1,
        2 => name.len() > 1,
        _ => false,
    }
}

/// The options in the lists of a page's OPTIONS.
fn options_of_page(page: &str) -> BTreeSet<String> {
    let lines = section(page, "OPTIONS").unwrap_or_default();
    let items = lines.iter().filter_map(|line| line.strip_prefix(".It "));
    items
        .flat_map(|item| item.split(" , "))
        .filter_map(|item| item.strip_prefix("Fl "))
        .map(|item| {
            let name = item.split(' ').next().unwrap_or_default();
            format!("-{name}")
        })
        .collect()
}

fn read(table: &str) -> Parsed {
    parse(&[Source {
        path: "/etc/inittab",
        text: table.as_bytes(),
        kind: SourceKind::Inittab,
    }])
}

#[test]
fn every_program_has_a_page() {
    let pages = pages();
    let mut names = Programs::new().tools();
    names.extend(["init", "telinit", "sysvtools"].map(str::to_owned));
    for name in names {
        let page = page_of(&pages, &name);
        let title = section(page, "NAME").unwrap();
        assert!(
            title
                .iter()
                .filter_map(|line| line.strip_prefix(".Nm "))
                .any(|line| line.trim_end_matches(" ,") == name),
            "man/{name}.8 is about {title:?}"
        );
    }
}

#[test]
fn help_and_page_list_the_same_options() {
    let (pages, programs) = (pages(), Programs::new());
    let mut of_pages: BTreeMap<&str, BTreeSet<String>> = BTreeMap::new();
    let mut names = programs.tools();
    names.extend(["telinit", "sysvtools"].map(str::to_owned));
    for name in &names {
        let page = page_of(&pages, name);
        let help = programs.help(&[name]);
        let in_page = options_of_page(page);
        let only_in_help: Vec<_> = listed_options(&help)
            .difference(&in_page)
            .cloned()
            .collect();
        assert!(
            only_in_help.is_empty(),
            "man/{name}.8 lacks {only_in_help:?}"
        );
        let mut mentioned = mentioned_options(&help);
        // Tools without options of their own say nothing of these two.
        mentioned.extend(["--help", "--version"].map(str::to_owned));
        let only_in_page: Vec<_> = in_page.difference(&mentioned).collect();
        assert!(
            only_in_page.is_empty(),
            "{name} --help lacks {only_in_page:?}"
        );
        of_pages.insert(name, in_page);
    }
    let init = options_of_page(&pages["init.8"]);
    let client = &of_pages["telinit"];
    assert!(client.is_subset(&init), "init.8 lacks options of telinit.8");
    let check = programs.help(&["init", "--check"]);
    assert!(listed_options(&check).is_subset(&init), "{check}");
    let mut told: BTreeSet<String> = mentioned_options(&check);
    let own_help = programs.help(&["init"]);
    assert!(listed_options(&own_help).is_subset(&init), "{own_help}");
    told.extend(mentioned_options(&own_help));
    // For init's own use; no help needs to tell of them.
    told.extend(["-i", "--init"].map(str::to_owned));
    let own: BTreeSet<String> = init.difference(client).cloned().collect();
    assert!(
        own.is_subset(&told),
        "init.8 has {own:?}, the help {told:?}"
    );
}

#[test]
fn options_are_found_in_help_texts_of_every_form() {
    let help = "usage: x [-n] [-w]\n\n  -r  reboot, -z no option     -t SEC  time\n  -n, --dry-run   not -f\n      --root DIR  there\n  --help, --version\nWithout -q nothing.\n";
    let options: Vec<String> = listed_options(help).into_iter().collect();
    assert_eq!(
        options,
        [
            "--dry-run",
            "--help",
            "--root",
            "--version",
            "-n",
            "-r",
            "-t"
        ]
    );
}

#[test]
fn every_page_passes_the_lint() {
    for name in pages().keys() {
        let output = Command::new("mandoc")
            .args(["-T", "lint", "-W", "warning"])
            .arg(folder().join(name))
            .output()
            .unwrap_or_else(|error| {
                panic!("mandoc: {error}; install the package mandoc: tests/setup/need mandoc")
            });
        assert!(
            output.status.success(),
            "{}",
            String::from_utf8_lossy(&output.stdout)
        );
    }
}

#[test]
fn every_page_has_the_sections_readers_look_for() {
    for (name, page) in pages() {
        let program = name.ends_with(".8") || name.ends_with(".1");
        let more = SECTIONS_OF_PROGRAMS.iter().filter(|_| program);
        for title in SECTIONS.iter().chain(more) {
            let lines = section(&page, title).unwrap_or_default();
            assert!(!lines.is_empty(), "man/{name}: {title}");
        }
    }
}

#[test]
fn every_reference_leads_to_a_page() {
    let pages = pages();
    for (name, page) in &pages {
        for line in page.lines().filter_map(|line| line.strip_prefix(".Xr ")) {
            let mut words = line.split(' ');
            let (title, number) = (words.next().unwrap(), words.next().unwrap());
            let is_ours = pages.contains_key(&format!("{title}.{number}"));
            let reference = format!("{title}({number})");
            assert!(
                is_ours || PAGES_OF_OTHERS.contains(&reference.as_str()),
                "man/{name}: {reference} is no page that we know"
            );
        }
    }
}

#[test]
fn inittab_5_lists_every_action() {
    let pages = pages();
    for (name, action) in Action::NAMES {
        let waited_for = match action {
            Action::Off | Action::InitDefault => "\\-",
            _ if action.is_waited_for() => "yes",
            _ => "no",
        };
        let row = pages["inittab.5"]
            .lines()
            .find(|line| line.starts_with(&format!(".It Cm {name} Ta ")))
            .unwrap_or_else(|| panic!("{name} has no row"));
        assert!(row.ends_with(&format!(" Ta {waited_for}")), "{row}");
    }
}

#[test]
fn the_example_of_inittab_5_is_without_mistake() {
    let page = &pages()["inittab.5"];
    let example = &examples(page)[0];
    let Parsed { table, diagnostics } = read(example);
    assert_eq!(diagnostics, [], "{diagnostics:?}");
    let lines = example
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'));
    // No entry for single-user mode had to be added either.
    assert_eq!(table.entries.len(), lines.count());
}

#[test]
fn inittab_5_shows_the_messages_that_its_table_gives() {
    let page = &pages()["inittab.5"];
    let examples = examples(page);
    let [_, table, messages] = examples.as_slice() else {
        panic!("{examples:?}");
    };
    let given: Vec<String> = read(table)
        .diagnostics
        .iter()
        .map(ToString::to_string)
        .collect();
    assert_eq!(given, messages.lines().collect::<Vec<_>>());
}

#[cfg(target_endian = "little")]
#[test]
fn the_request_of_initctl_5_asks_for_runlevel_3() {
    let page = &pages()["initctl.5"];
    let folder = tempfile::tempdir().unwrap();
    let fifo = folder.path().join("initctl");
    let script = examples(page)[0].replace("/run/initctl", fifo.to_str().unwrap());
    let status = Command::new("/bin/sh").args(["-c", &script]).status();
    assert!(status.unwrap().success());
    let bytes = fs::read(fifo).unwrap();
    let request: &[u8; REQUEST_SIZE] = bytes.as_slice().try_into().unwrap();
    let expected = Request::ChangeLevel {
        level: b'3',
        grace: std::time::Duration::from_secs(3),
    };
    assert_eq!(Request::decode(request), Some(expected));
}

#[test]
fn the_record_of_initlog_5_is_one_that_can_be_read() {
    let page = &pages()["initlog.5"];
    let [text] = examples(page).try_into().unwrap();
    let (lines, problems) = sysvinit::record::parse(text.as_bytes());
    assert_eq!(problems, []);
    assert_eq!(lines.len(), text.lines().count());
    let written: Vec<u8> = lines.iter().flat_map(Line::to_line).collect();
    assert_eq!(String::from_utf8(written).unwrap(), text);
}

#[test]
fn the_text_of_init_state_5_is_one_that_init_reads() {
    let page = &pages()["init.state.5"];
    let text = &examples(page)[0];
    let (snapshot, problems) = Snapshot::from_text(text.as_bytes()).unwrap();
    assert_eq!(problems, [], "{problems:?}");
    assert_eq!(snapshot.records.len(), 1);
    assert!(snapshot.records[0].started.is_some());
}

//! A tree of scripts and links, the commands run on it, and what came of them in a form that can be compared.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::{Command, Output};

/// Whose programs run on the tree below a root.
pub(crate) enum Subject<'a> {
    Debian(&'a Path),
    Ours(&'a Path),
}

/// What a command has left behind.
pub(crate) struct State {
    /// `exit`, `links`, `depend` and `stdout`.
    pub(crate) aspects: BTreeMap<String, String>,
    /// Standard error, for whoever reads the report.
    pub(crate) said: String,
}

const LEVELS: &str = "S0123456";

impl Subject<'_> {
    fn root(&self) -> &Path {
        match self {
            Self::Debian(root) | Self::Ours(root) => root,
        }
    }

    /// Makes the folders of a Debian, and its insserv.conf.
    pub(crate) fn prepare(&self) {
        for folder in ["init.d", "insserv/overrides", "insserv.conf.d"] {
            fs::create_dir_all(self.root().join("etc").join(folder)).unwrap();
        }
        for level in LEVELS.chars() {
            fs::create_dir_all(self.root().join(format!("etc/rc{level}.d"))).unwrap();
        }
        let conf = Path::new(env!("CARGO_MANIFEST_DIR"))
            .join("target/testbed/insserv-original/usr/share/insserv/insserv.conf");
        fs::copy(conf, self.root().join("etc/insserv.conf")).unwrap();
    }

    pub(crate) fn write(&self, path: &str, text: &str, mode: u32) {
        let path = self.root().join(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, text).unwrap();
        fs::set_permissions(&path, fs::Permissions::from_mode(mode)).unwrap();
    }

    pub(crate) fn link(&self, text: &str, path: &str) {
        symlink(text, self.root().join("etc").join(path)).unwrap();
    }

    pub(crate) fn remove(&self, path: &str) {
        let path = self.root().join(path);
        if path.is_dir() {
            fs::remove_dir_all(path).unwrap();
        } else {
            fs::remove_file(path).unwrap();
        }
    }

    /// Runs a command and looks at what has become of the tree.
    pub(crate) fn run(&self, words: &[String]) -> State {
        let output = match self {
            Self::Debian(root) => crate::debian::run(root, words),
            Self::Ours(root) => crate::ours::run(root, words),
        };
        self.state(&output)
    }

    fn state(&self, output: &Output) -> State {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let aspects = [
            (
                "exit",
                output
                    .status
                    .code()
                    .map_or_else(|| "killed".to_owned(), |code| code.to_string()),
            ),
            ("links", self.links()),
            ("depend", self.depend()),
            ("stdout", sorted(&text(&output.stdout))),
        ];
        State {
            aspects: aspects.map(|(name, value)| (name.to_owned(), value)).into(),
            said: text(&output.stderr),
        }
    }

    /// The names in each level's directory, those that do not lead where they say with their text.
    fn links(&self) -> String {
        let mut shown = Vec::new();
        for level in LEVELS.chars() {
            let folder = self.root().join(format!("etc/rc{level}.d"));
            let Ok(entries) = fs::read_dir(&folder) else {
                continue;
            };
            let names: BTreeSet<String> = entries
                .map(|entry| entry.unwrap().file_name().into_string().unwrap())
                .collect();
            let names: Vec<String> = names
                .into_iter()
                .map(|name| match fs::read_link(folder.join(&name)) {
                    Ok(text)
                        if text.to_str()
                            == Some(&format!("../init.d/{}", crate::case::script_of(&name))) =>
                    {
                        name
                    }
                    Ok(text) => format!("{name}@{}", text.display()),
                    Err(_) => format!("{name}*"),
                })
                .collect();
            if !names.is_empty() {
                shown.push(format!("{level}: {}", names.join(" ")));
            }
        }
        shown.join(", ")
    }

    /// The dependency files. Within a line, and between the lines of scripts, order means nothing, but for the first
    /// one, where it is free among scripts of one number.
    fn depend(&self) -> String {
        let mut shown = Vec::new();
        for name in [".depend.boot", ".depend.start", ".depend.stop"] {
            let Ok(text) = fs::read_to_string(self.root().join("etc/init.d").join(name)) else {
                continue;
            };
            let mut lines: Vec<String> = text
                .lines()
                .map(|line| {
                    let mut words = line.split_whitespace();
                    let first = words.next().unwrap();
                    let rest: BTreeSet<&str> = words.collect();
                    let rest: Vec<&str> = rest.into_iter().collect();
                    format!("{first} {}", rest.join(" "))
                })
                .collect();
            lines.sort();
            shown.push(format!("[{}]", lines.join(", ")));
        }
        shown.join(" ")
    }
}

/// Debian's lists scripts as they lie on disk.
fn sorted(text: &str) -> String {
    let lines: BTreeSet<&str> = text.lines().collect();
    lines.into_iter().collect::<Vec<_>>().join("\n")
}

/// The command with nothing of the environment that a program could heed.
pub(crate) fn bare(program: impl AsRef<std::ffi::OsStr>) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("LC_ALL", "C")
        .env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin")
        .current_dir("/");
    command
}

//! What is seen of a machine, as text in which nothing differs by chance: no pids, no times, no version numbers.

use crate::support::accounting::{BOOT_TIME, DEAD_PROCESS, INIT_PROCESS, RUN_LVL, Record};
use crate::support::namespace::{Machine, Process};
use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{FileTypeExt, MetadataExt};

/// Names for pids, in the order in which they are first seen.
#[derive(Default)]
pub(crate) struct Names(BTreeMap<u32, usize>);

impl Names {
    pub(crate) fn of(&mut self, pid: u32) -> String {
        let next = self.0.len() + 1;
        match pid {
            0 => "none".to_owned(),
            pid => format!("P{}", self.0.entry(pid).or_insert(next)),
        }
    }

    /// Takes out of a message what differs by its nature: where in inittab, which version, which pid.
    pub(crate) fn normalised(&mut self, text: &str) -> String {
        let text = without_place(text);
        let text = without_outcome(&text).to_owned();
        let text = with_one_version(&text);
        match text.split_once("Pid ") {
            Some((before, rest)) => match rest.split_once(' ') {
                Some((pid, after)) => match pid.parse() {
                    Ok(pid) => format!("{before}Pid {} {after}", self.of(pid)),
                    Err(_) => text.clone(),
                },
                None => text,
            },
            None => text,
        }
    }
}

/// `/etc/inittab[3]:` of the original and `/etc/inittab:3:7:` of ours are the same place.
fn without_place(text: &str) -> String {
    let Some((before, rest)) = text.split_once("/etc/inittab") else {
        return text.to_owned();
    };
    let Some((place, words)) = rest.split_once(": ") else {
        return text.to_owned();
    };
    let numbers: Vec<&str> = place
        .split([':', '[', ']'])
        .filter(|part| !part.is_empty())
        .collect();
    match numbers.as_slice() {
        [line] | [line, _] if line.parse::<usize>().is_ok() => {
            format!("{before}/etc/inittab line {line}: {words}")
        }
        _ => text.to_owned(),
    }
}

/// Ours adds to a complaint about inittab what became of the line.
fn without_outcome(text: &str) -> &str {
    text.split_once("; line ignored")
        .map_or(text, |(words, _)| words)
}

fn with_one_version(text: &str) -> String {
    if let Some(rest) = text.strip_prefix("version ") {
        let last = rest.rsplit(' ').next().unwrap_or_default();
        return format!("version VERSION {last}");
    }
    match text.split_once("INIT_VERSION=sysvinit-") {
        Some((before, _)) => format!("{before}INIT_VERSION=sysvinit-VERSION"),
        None => text.to_owned(),
    }
}

/// Lines in the log that the original never had: who sent a signal, and why a process ended.
pub(crate) fn is_our_addition(line: &str) -> bool {
    let words = line.split_once(" init: ").map_or(line, |(_, words)| words);
    (words.starts_with("Id \"") && words.contains(" has ended: "))
        || (words.starts_with("SIG") && words.contains(" from "))
}

/// init's own messages on the console, one a line, without what surrounds them.
pub(crate) fn messages(transcript: &str) -> Vec<String> {
    transcript
        .split(['\r', '\n'])
        .filter_map(|line| line.strip_prefix("INIT: "))
        .map(str::to_owned)
        .collect()
}

/// The command lines of everything init has started and what that has started, sorted.
pub(crate) fn processes(machine: &Machine) -> Vec<String> {
    let mut commands: Vec<String> = machine
        .descendants()
        .into_iter()
        .filter(|process| process.state != 'Z')
        .map(|process| process.command)
        .collect();
    commands.sort();
    commands
}

/// Whether init has forked a child that has not executed its program yet. The one that watches over a process on the
/// console never does, but has that process.
pub(crate) fn has_half_started(machine: &Machine) -> bool {
    let all = machine.descendants();
    all.iter().any(|process| {
        let has_child = all.iter().any(|other| other.parent == process.pid);
        process.state != 'Z' && process.command.starts_with("init ") && !has_child
    })
}

/// A record of utmp or wtmp without its time, with the kernel's release under a common name.
pub(crate) fn record(record: &Record, pids: &mut Names) -> String {
    let pid = match record.kind {
        RUN_LVL if record.pid != 0 => {
            let letter = |code: u32| char::from_u32(code).unwrap_or('?');
            format!(
                "{} after {}",
                letter(record.pid % 256),
                letter(record.pid / 256)
            )
        }
        _ => pids.of(record.pid),
    };
    let kind = match record.kind {
        RUN_LVL => "RUN_LVL",
        BOOT_TIME => "BOOT_TIME",
        INIT_PROCESS => "INIT_PROCESS",
        DEAD_PROCESS => "DEAD_PROCESS",
        other => return format!("a record of type {other}"),
    };
    let release = fs::read_to_string("/proc/sys/kernel/osrelease").unwrap_or_default();
    let host = match record.host.as_str() {
        "" => "",
        host if host == release.trim() => " host=RELEASE",
        _ => " host=OTHER",
    };
    let time = if record.seconds == 0 {
        " without time"
    } else {
        ""
    };
    let (id, line, user) = (&record.id, &record.line, &record.user);
    format!("{kind} id={id} line={line} user={user} pid={pid}{host}{time}")
}

/// Everything a process has got from the one who started it.
pub(crate) fn profile(machine: &Machine, process: &Process) -> Vec<String> {
    let mut lines = vec![format!("command {}", process.command)];
    let environment = process.environment();
    lines.extend(
        environment
            .iter()
            .map(|(name, value)| format!("variable {name}={value}")),
    );
    let proc = format!("/proc/{}", process.pid);
    let cwd = fs::read_link(format!("{proc}/cwd")).unwrap();
    let root = fs::read_link(format!("{proc}/root")).unwrap();
    lines.push(format!("in the root directory {}", cwd == root));
    for name in [
        "Umask",
        "SigBlk",
        "SigIgn",
        "SigCgt",
        "ShdPnd",
        "Uid",
        "Gid",
        "NoNewPrivs",
    ] {
        lines.push(format!(
            "{name} {}",
            process.status(name).replace('\t', " ")
        ));
    }
    for (number, what) in descriptors(machine, process) {
        lines.push(format!("descriptor {number} {what}"));
    }
    let own = |pid: i32| pid == process.pid;
    let relation = |pid: i32| match pid {
        _ if own(pid) => "itself",
        _ if pid == process.parent => "its parent",
        0 | -1 => "none",
        _ => "another",
    };
    // Outside pids in /proc/PID/stat, as it is read from outside.
    lines.push(format!("session {}", relation(process.session)));
    lines.push(format!("group {}", relation(process.group)));
    let console = console_number(machine);
    lines.push(format!(
        "terminal {}",
        match process.terminal {
            0 => "none",
            number if Some(number) == console => "the console",
            _ => "another",
        }
    ));
    lines.push(format!("foreground {}", relation(process.foreground)));
    let limits = fs::read_to_string(format!("{proc}/limits")).unwrap();
    let here = fs::read_to_string("/proc/self/limits").unwrap();
    for (limit, own) in limits.lines().zip(here.lines()) {
        if limit != own {
            let words: Vec<&str> = limit.split_whitespace().collect();
            lines.push(format!("limit that is not ours: {}", words.join(" ")));
        }
    }
    lines
}

/// What the descriptors of a process are, by their kind.
pub(crate) fn descriptors(machine: &Machine, process: &Process) -> Vec<(u32, String)> {
    let console = fs::metadata(machine.at("/dev/console"))
        .ok()
        .map(|one| one.rdev());
    process
        .descriptors()
        .keys()
        .filter_map(|&number| {
            let file = fs::metadata(format!("/proc/{}/fd/{number}", process.pid)).ok()?;
            let kind = file.file_type();
            let what = if kind.is_char_device() && Some(file.rdev()) == console {
                "the console"
            } else if kind.is_char_device() {
                match file.rdev() {
                    0x103 => "the null device",
                    _ => "a device",
                }
            } else if kind.is_fifo() {
                "a pipe or FIFO"
            } else {
                "a file"
            };
            let flags = process.descriptor_flags(number) & 0o3;
            let mode = ["read", "write", "read and write", "?"][flags as usize];
            Some((number, format!("{what}, {mode}")))
        })
        .collect()
}

/// The console as `tty_nr` of proc(5) gives it.
fn console_number(machine: &Machine) -> Option<i64> {
    let device = fs::metadata(machine.at("/dev/console")).ok()?.rdev();
    let (major, minor) = (device >> 8 & 0xfff, device & 0xff | device >> 12 & 0xfff00);
    i64::try_from(major << 8 | minor & 0xff | (minor & 0xfff00) << 12).ok()
}

/// The settings of the console, a kind a line.
pub(crate) fn terminal_settings(machine: &Machine) -> Vec<String> {
    let settings = machine.console_settings();
    vec![
        format!("input {:?}", settings.input_flags),
        format!("output {:?}", settings.output_flags),
        format!("control {:?}", settings.control_flags),
        format!("local {:?}", settings.local_flags),
        format!("keys {:?}", settings.control_chars),
    ]
}

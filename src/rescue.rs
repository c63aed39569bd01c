//! What is kept of a system whose init has crashed three times in a minute: its gettys, and the way down.
//!
//! Decides what the state text and the journal behind it still say about that, looking at single lines only: whatever
//! made init crash may stand in them, so nothing here shares anything with the modules that understand them.
#![forbid(unsafe_code)]

use crate::container::Realm;
use crate::initctl::{REQUEST_SIZE, Request};
use crate::process::{Pid, Signal};

/// A line of the table that a login depends on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Getty {
    /// Its command.
    pub command: Box<[u8]>,
    /// What answers about its process name it by.
    pub key: Option<u64>,
    /// The process it had when init crashed.
    pub pid: Option<Pid>,
}

/// What can still be asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    /// Level 0: halt, or switch the power off.
    Halt,
    /// Level 6.
    Reboot,
    /// Have the whole init try again.
    TryAgain,
}

impl Order {
    /// What a request asks for, if it is one of these.
    pub fn of_request(bytes: &[u8; REQUEST_SIZE]) -> Option<Self> {
        match Request::decode(bytes) {
            Some(Request::ChangeLevel { level: b'0', .. }) => Some(Self::Halt),
            Some(Request::ChangeLevel { level: b'6', .. }) => Some(Self::Reboot),
            Some(Request::ChangeLevel {
                level: b'u' | b'U', ..
            }) => Some(Self::TryAgain),
            _ => None,
        }
    }

    /// What a signal asks for, if anything.
    pub fn of_signal(signal: Signal, realm: Realm) -> Option<Self> {
        match (realm, signal) {
            (Realm::Machine, Signal::INT)
            | (Realm::Container, Signal::RESTART | Signal::RESTART_NOW) => Some(Self::Reboot),
            (_, Signal::POWER_OFF)
            | (
                Realm::Container,
                Signal::TERM
                | Signal::INT
                | Signal::PWR
                | Signal::HALT
                | Signal::HALT_NOW
                | Signal::POWER_OFF_NOW,
            ) => Some(Self::Halt),
            _ => None,
        }
    }

    /// The level that leads there.
    pub fn level(self) -> u8 {
        match self {
            Self::Halt => b'0',
            Self::Reboot | Self::TryAgain => b'6',
        }
    }
}

/// One record, as far as it matters here.
#[derive(Debug, Default)]
struct Line<'a> {
    id: &'a [u8],
    levels: &'a [u8],
    action: &'a [u8],
    command: &'a [u8],
    pid: Option<Pid>,
    runs: bool,
    key: &'a [u8],
}

/// The respawn entries of the level that init was in.
pub fn gettys(text: &[u8]) -> Vec<Getty> {
    let mut level = b'S';
    for line in text.split(|&byte| byte == b'\n') {
        if let Some([byte, ..]) = line.strip_prefix(b"-RL") {
            level = *byte;
        }
    }
    records(text)
        .into_iter()
        .filter(|line| line.action == b"respawn" && belongs_to(line.levels, level))
        .map(|line| Getty {
            command: line.command.into(),
            key: number(line.key),
            pid: latest(text, line.key).or(line.pid.filter(|_| line.runs)),
        })
        .collect()
}

/// The commands that a level waits for, in their order.
pub fn commands(text: &[u8], level: u8) -> Vec<Box<[u8]>> {
    records(text)
        .into_iter()
        .filter(|line| line.action == b"wait" && line.levels.contains(&level))
        .map(|line| line.command.into())
        .collect()
}

/// The process of the command that a container is there for.
pub fn command(text: &[u8]) -> Option<Pid> {
    let line = records(text).into_iter().find(|line| line.id == b"--")?;
    latest(text, line.key).or(line.pid.filter(|_| line.runs))
}

/// The exit status of that command, where the state has it.
pub fn command_status(text: &[u8]) -> Option<u8> {
    let mut lines = text.split(|&byte| byte == b'\n');
    lines.find_map(|line| number(line.strip_prefix(b"XCS")?))
}

fn belongs_to(levels: &[u8], level: u8) -> bool {
    levels.contains(&level) || (levels.is_empty() && level.is_ascii_digit())
}

fn records(text: &[u8]) -> Vec<Line<'_>> {
    let mut found: Vec<Line<'_>> = Vec::new();
    for line in text.split(|&byte| byte == b'\n') {
        if line == b"END" {
            break;
        }
        let Some((token, value)) = line.split_at_checked(3) else {
            continue;
        };
        if token == b"REC" {
            found.push(Line {
                id: value,
                ..Line::default()
            });
        }
        let Some(record) = found.last_mut() else {
            continue;
        };
        match token {
            b"LEV" => record.levels = value,
            b"AC " => record.action = value,
            b"CMD" => record.command = value,
            b"PID" => record.pid = pid(value),
            b"FL " if value == b"RU" => record.runs = true,
            b"XKY" => record.key = value,
            _ => {}
        }
    }
    found
}

/// The process that the journal says was started last for an entry.
fn latest(text: &[u8], key: &[u8]) -> Option<Pid> {
    let mut found = None;
    for line in text.split(|&byte| byte == b'\n') {
        let Some(rest) = line.strip_prefix(b"R s ") else {
            continue;
        };
        let mut words = rest.split(|&byte| byte == b' ');
        if words.next() == Some(key) {
            found = words.next().and_then(pid);
        }
    }
    found
}

fn pid(word: &[u8]) -> Option<Pid> {
    Pid::new(number(word)?)
}

fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &[u8] = b"12567362VERx\n-RL3\nRECl3\nLEV3\nPID0\nAC wait\nCMD/etc/init.d/rc 3\nXKY1\nEOR\n\
        RECl0\nLEV0\nPID0\nAC wait\nCMD/etc/init.d/rc 0\nXKY2\nEOR\n\
        REC1\nLEV2345\nFL RU\nPID7\nAC respawn\nCMD/sbin/getty tty1\nXKY3\nEOR\n\
        REC2\nLEV\nPID8\nAC respawn\nCMD/sbin/getty tty2\nXKY4\nEOR\n\
        REC4\nLEV4\nPID0\nAC respawn\nCMD/sbin/getty tty4\nXKY5\nEOR\nEND\nR s 4 21\nR s 4 22\nR s 9 23\n";

    #[test]
    fn the_gettys_of_the_level_are_kept_with_their_latest_processes() {
        let found: Vec<(&[u8], Option<i32>)> = vec![
            (b"/sbin/getty tty1", Some(7)),
            (b"/sbin/getty tty2", Some(22)),
        ];
        let kept = gettys(TEXT);
        let kept: Vec<(&[u8], Option<i32>)> = kept
            .iter()
            .map(|getty| (&*getty.command, getty.pid.map(Pid::get)))
            .collect();
        assert_eq!(kept, found);
    }

    #[test]
    fn the_way_down_is_that_of_the_table() {
        assert_eq!(commands(TEXT, b'0'), [Box::from(*b"/etc/init.d/rc 0")]);
        assert!(commands(TEXT, b'6').is_empty());
    }

    #[test]
    fn bytes_of_any_kind_are_no_reason_to_fail() {
        for length in 0..TEXT.len() {
            gettys(&TEXT[length..]);
            commands(&TEXT[..length], b'0');
        }
    }

    #[test]
    fn only_the_way_down_and_another_attempt_can_be_asked_for() {
        let order = |level| {
            let grace = std::time::Duration::ZERO;
            let request = Request::ChangeLevel { level, grace };
            Order::of_request(&request.encode().unwrap())
        };
        assert_eq!(order(b'0'), Some(Order::Halt));
        assert_eq!(order(b'6'), Some(Order::Reboot));
        assert_eq!(order(b'u'), Some(Order::TryAgain));
        assert_eq!(order(b'3'), None);
        let machine = |signal| Order::of_signal(signal, Realm::Machine);
        assert_eq!(machine(Signal::INT), Some(Order::Reboot));
        assert_eq!(machine(Signal::POWER_OFF), Some(Order::Halt));
        assert_eq!(machine(Signal::TERM), None);
        assert_eq!(machine(Signal::HUP), None);
    }

    #[test]
    fn a_container_is_stopped_by_every_signal_of_its_manager() {
        let container = |number| Order::of_signal(Signal(number), Realm::Container);
        for number in [2, 15, 30, 37, 38, 47, 48] {
            assert_eq!(container(number), Some(Order::Halt), "{number}");
        }
        for number in [39, 49] {
            assert_eq!(container(number), Some(Order::Reboot), "{number}");
        }
        assert_eq!(container(1), None);
    }

    #[test]
    fn the_command_of_a_container_is_known_by_its_latest_process() {
        let text = b"-RL3\nREC--\nLEVS12345789\nFL RU\nPID7\nAC once\nCMDsh\nXKY1\nEOR\nEND\n";
        assert_eq!(command(text), Pid::new(7));
        let started = [&text[..], b"R s 1 21\n"].concat();
        assert_eq!(command(&started), Pid::new(21));
        assert_eq!(command(TEXT), None);
        assert_eq!(command_status(b"-RL0\nXCS7\nEND\n"), Some(7));
        assert_eq!(command_status(text), None);
    }
}

//! What init has begun and not done: the part of a snapshot that only tokens of ours tell.
//!
//! The original re-executes itself only where nothing is under way. A crash asks nobody, so whoever goes on after one
//! has to know which processes are on their way out, what was asked for, and who was asked.
#![forbid(unsafe_code)]

use super::read::Reader;
use super::write::{Text, hex, unhex};
use crate::initctl::{REQUEST_SIZE, Request};
use crate::inittab::EntryId;
use crate::process::Pid;
use crate::uptime::Uptime;
use std::time::Duration;

/// The most members of one list that are taken from a text.
const MOST: usize = super::MAX_RECORDS;

/// The part of the state that is about what has been begun.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
#[expect(
    clippy::struct_excessive_bools,
    reason = "independent facts, each with a token of its own"
)]
pub struct UnderWay {
    /// The last key that was given to an entry.
    pub last_key: u64,
    /// Whether SIGTSTP has paused init.
    pub paused: bool,
    /// Whether the emergency shell comes before everything else.
    pub emergency: bool,
    /// Nothing is started before this time.
    pub pause_until: Option<Uptime>,
    /// When the present round of level S began.
    pub single_since: Uptime,
    /// Whether it has been said that nothing is left to run in the level.
    pub said_nothing_left: bool,
    /// Whether the table is to be read anew.
    pub reread_wanted: bool,
    /// The question for a runlevel.
    pub asking: Helper,
    /// The emergency shell.
    pub emergency_shell: Helper,
    /// The shutdown that a container's manager has asked for.
    pub power_off: Helper,
    /// The shutdown without rc, in level 0 or 6.
    pub taking_down: Helper,
    /// When something has happened last on the way down.
    pub down_since: Option<Uptime>,
    /// What must end before the table in force takes effect.
    pub stop: Option<Stop>,
    /// The leaders that the last change has ended.
    pub departed: Vec<Pid>,
    /// Groups whose leader has ended, and until when their members have to follow.
    pub outliving: Vec<(Pid, Uptime)>,
    /// Requests that wait.
    pub requests: Vec<Request>,
    /// Bytes that were read from the FIFO and belong to no whole request yet.
    pub unread: Vec<u8>,
    /// Whether the FIFO is to stay closed (SIGUSR2).
    pub fifo_closed: bool,
    /// Whether init is the first process of a container.
    pub in_container: bool,
    /// The exit status of the container's command, when it has ended.
    pub command_status: Option<u8>,
}

/// A process of init's own that no line of the table stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Helper {
    /// None is wanted.
    #[default]
    None,
    /// It is wanted, and has to be started again.
    Wanted,
    /// It runs.
    Running(Pid),
}

/// Processes that have been told to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stop {
    /// Whether KILL has been sent, and not only TERM.
    pub killed: bool,
    /// Until when they have time.
    pub deadline: Uptime,
    /// Those that have not ended.
    pub leaving: Vec<Leaving>,
}

/// One process that has been told to end.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leaving {
    /// The entry it was started for.
    pub id: EntryId,
    /// Its number.
    pub pid: Pid,
    /// Whether its end is recorded in utmp and wtmp.
    pub accounted: bool,
}

impl UnderWay {
    /// Writes a line for everything that is not as it is at rest.
    pub(super) fn write(&self, text: &mut Text) {
        text.number("XLK", self.last_key);
        let marks = [
            ("XPA", self.paused),
            ("XEM", self.emergency),
            ("XSN", self.said_nothing_left),
            ("XRR", self.reread_wanted),
            ("XFC", self.fifo_closed),
            ("XCN", self.in_container),
        ];
        for (token, _) in marks.iter().filter(|(_, is_set)| *is_set) {
            text.number(token, true);
        }
        if let Some(status) = self.command_status {
            text.number("XCS", status);
        }
        text.time("XPU", self.pause_until);
        text.time("XDS", self.down_since);
        if self.single_since != Uptime::default() {
            text.time("XSS", Some(self.single_since));
        }
        for (token, helper) in [
            ("XHA", self.asking),
            ("XHE", self.emergency_shell),
            ("XHP", self.power_off),
            ("XHD", self.taking_down),
        ] {
            match helper {
                Helper::None => {}
                Helper::Wanted => text.number(token, false),
                Helper::Running(pid) => text.words(token, &[&pid]),
            }
        }
        if let Some(stop) = &self.stop {
            let token = if stop.killed { "XGK" } else { "XGT" };
            text.time(token, Some(stop.deadline));
            for process in &stop.leaving {
                let mut value = format!("{} {} ", process.pid, u8::from(process.accounted));
                value.push_str(&hex(process.id.as_bytes()));
                text.line("XGP", value.as_bytes());
            }
        }
        for pid in &self.departed {
            text.words("XGD", &[pid]);
        }
        for (pid, until) in &self.outliving {
            text.words("XGO", &[pid, &until.0.as_nanos()]);
        }
        for request in self.requests.iter().filter_map(|asked| asked.encode().ok()) {
            text.line("XRQ", hex(&request).as_bytes());
        }
        if !self.unread.is_empty() {
            text.line("XFB", hex(&self.unread).as_bytes());
        }
    }

    /// Takes one line, if it is one of these.
    pub(super) fn read(&mut self, token: &[u8], value: &[u8], reader: &mut Reader) {
        match token {
            b"XLK" => self.last_key = reader.number("XLK", value),
            b"XPA" => self.paused = reader.is_set("XPA", value),
            b"XEM" => self.emergency = reader.is_set("XEM", value),
            b"XSN" => self.said_nothing_left = reader.is_set("XSN", value),
            b"XRR" => self.reread_wanted = reader.is_set("XRR", value),
            b"XFC" => self.fifo_closed = reader.is_set("XFC", value),
            b"XHD" => self.taking_down = helper(reader.number("XHD", value)),
            b"XDS" => self.down_since = reader.time("XDS", value),
            b"XCN" => self.in_container = reader.is_set("XCN", value),
            b"XCS" => self.command_status = Some(reader.number("XCS", value)),
            b"XPU" => self.pause_until = reader.time("XPU", value),
            b"XSS" => self.single_since = reader.time("XSS", value).unwrap_or_default(),
            b"XHA" => self.asking = helper(reader.number("XHA", value)),
            b"XHE" => self.emergency_shell = helper(reader.number("XHE", value)),
            b"XHP" => self.power_off = helper(reader.number("XHP", value)),
            b"XGT" | b"XGK" => {
                self.stop = reader.time("XGT", value).map(|deadline| Stop {
                    killed: token == b"XGK",
                    deadline,
                    leaving: Vec::new(),
                });
            }
            _ => self.read_list(token, value),
        }
    }

    /// Takes one member of a list. What cannot be read is nothing anybody could wait for.
    fn read_list(&mut self, token: &[u8], value: &[u8]) {
        let mut words = value.split(|&byte| byte == b' ');
        let mut number = || -> Option<u64> {
            let word = std::str::from_utf8(words.next()?).ok()?;
            word.parse().ok()
        };
        let pid = |number: Option<u64>| Pid::new(i32::try_from(number?).ok()?);
        match token {
            b"XGP" => {
                let (pid, accounted) = (pid(number()), number());
                let id = words.next().and_then(unhex);
                if let (Some(stop), Some(pid), Some(id)) = (&mut self.stop, pid, id) {
                    let process = Leaving {
                        id: EntryId::new(id),
                        pid,
                        accounted: accounted == Some(1),
                    };
                    push(&mut stop.leaving, process);
                }
            }
            b"XGD" => {
                if let Some(pid) = pid(number()) {
                    push(&mut self.departed, pid);
                }
            }
            b"XGO" => {
                if let (Some(pid), Some(until)) = (pid(number()), number()) {
                    push(
                        &mut self.outliving,
                        (pid, Uptime(Duration::from_nanos(until))),
                    );
                }
            }
            b"XRQ" => {
                let bytes: Option<[u8; REQUEST_SIZE]> =
                    unhex(value).and_then(|bytes| bytes.try_into().ok());
                if let Some(request) = bytes.and_then(|bytes| Request::decode(&bytes)) {
                    push(&mut self.requests, request);
                }
            }
            b"XFB" => self.unread = unhex(value).unwrap_or_default(),
            _ => {}
        }
    }
}

fn push<T>(list: &mut Vec<T>, member: T) {
    if list.len() < MOST {
        list.push(member);
    }
}

fn helper(number: i32) -> Helper {
    Pid::new(number).map_or(Helper::Wanted, Helper::Running)
}

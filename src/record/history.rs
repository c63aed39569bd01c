//! Beginnings and ends put together: what ran, what runs, and what nobody knows the end of.
#![forbid(unsafe_code)]

use super::{Begin, Boot, End, Kind, Line, Note, Subject};
use crate::process::Pid;
use crate::uptime::Uptime;
use std::collections::BTreeMap;
use std::time::Duration;

/// One process of the record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Whose it was.
    pub subject: Subject,
    /// Its number.
    pub pid: Option<Pid>,
    /// Its beginning. Unknown where the file that told it is gone.
    pub begin: Option<Begin>,
    /// What became of it.
    pub fate: Fate,
}

/// What became of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// No end is known, and nothing tells that there was one.
    Running,
    /// It has ended.
    Ended(End),
    /// It has ended, and how was not recorded: whoever would have done so was gone.
    Lost,
}

impl Item {
    /// When it began.
    pub fn began(&self) -> Option<Uptime> {
        self.begin.as_ref().map(|begin| begin.at.up)
    }

    /// How it ended, where that is known.
    pub fn end(&self) -> Option<&End> {
        match &self.fate {
            Fate::Ended(end) => Some(end),
            Fate::Running | Fate::Lost => None,
        }
    }

    /// How long it ran, where both ends are known.
    pub fn duration(&self) -> Option<Duration> {
        Some(self.end()?.at.up.since(self.began()?))
    }
}

/// What a record tells, in the order in which things began.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct History {
    /// The boot it is of.
    pub boot: Option<Boot>,
    /// The processes.
    pub items: Vec<Item>,
    /// Everything else.
    pub notes: Vec<Note>,
}

impl History {
    /// Puts lines together. A line that is there twice counts once: its writer was not sure that the first one
    /// has lasted.
    pub fn of(lines: impl IntoIterator<Item = Line>) -> Self {
        let mut pairing = Pairing::default();
        for line in lines {
            match line {
                Line::Boot(boot) => pairing.take_boot(boot),
                Line::Note(note) => pairing.take_note(note),
                Line::Begin(begin) => pairing.take_begin(begin),
                Line::End(end) => pairing.take_end(end),
            }
        }
        pairing.history
    }

    /// Gives up those that run no more, although nobody has recorded their end.
    pub fn settle(&mut self, is_alive: impl Fn(Pid) -> bool) {
        for item in &mut self.items {
            if item.fate == Fate::Running && !item.pid.is_some_and(&is_alive) {
                item.fate = Fate::Lost;
            }
        }
    }
}

/// A history that is being put together.
#[derive(Default)]
struct Pairing {
    history: History,
    /// Where the latest item of each subject and process is.
    latest: BTreeMap<(Subject, Option<Pid>), usize>,
    /// Where the latest item of each process number is.
    by_pid: BTreeMap<Pid, usize>,
}

impl Pairing {
    fn take_boot(&mut self, boot: Boot) {
        match &mut self.history.boot {
            Some(known) if known.id.is_none() => known.id = boot.id,
            Some(_) => {}
            None => self.history.boot = Some(boot),
        }
    }

    fn take_note(&mut self, note: Note) {
        if !self.history.notes.contains(&note) {
            self.history.notes.push(note);
        }
    }

    fn take_begin(&mut self, begin: Begin) {
        let key = (begin.subject.clone(), begin.pid);
        if self
            .item(&key)
            .is_some_and(|item| item.begin.as_ref() == Some(&begin))
        {
            return;
        }
        let place = self.history.items.len();
        self.latest.insert(key, place);
        // A run is told of by the process of an entry, under the same number.
        if let Some(pid) = begin.pid
            && begin.subject.kind != Kind::Run
            && let Some(before) = self.by_pid.insert(pid, place)
            && let Some(before) = self.history.items.get_mut(before)
            && before.fate == Fate::Running
        {
            // A number is given again only when its last owner has ended.
            before.fate = Fate::Lost;
        }
        self.history.items.push(Item {
            subject: begin.subject.clone(),
            pid: begin.pid,
            begin: Some(begin),
            fate: Fate::Running,
        });
    }

    fn take_end(&mut self, end: End) {
        let key = (end.subject.clone(), end.pid);
        match self.item(&key) {
            Some(item) if item.end() == Some(&end) => {}
            Some(item) if item.end().is_none() => item.fate = Fate::Ended(end),
            _ => {
                self.latest.insert(key, self.history.items.len());
                self.history.items.push(Item {
                    subject: end.subject.clone(),
                    pid: end.pid,
                    begin: None,
                    fate: Fate::Ended(end),
                });
            }
        }
    }

    fn item(&mut self, key: &(Subject, Option<Pid>)) -> Option<&mut Item> {
        let place = self.latest.get(key)?;
        self.history.items.get_mut(*place)
    }
}

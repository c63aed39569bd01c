//! A table of processes, and which of them killall5(8) and pidof(8) mean.
//!
//! The numbers and texts are those of proc(5); `sys::proc` reads them. Nothing here looks at a file.
#![forbid(unsafe_code)]

pub mod matching;
pub mod mounts;
pub mod obstacle;
#[cfg(test)]
mod tests;
pub mod tree;

/// Marks a process that runs in the kernel alone (`PF_KTHREAD`), among the flags of proc(5).
const KERNEL_THREAD: u64 = 0x0020_0000;

/// What the kernel says of a process in one line: `/proc/PID/stat`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stat {
    /// Its number, as this /proc counts.
    pub pid: i32,
    /// The name of its command, any bytes, at most 15 of them except for kernel threads.
    pub command: Vec<u8>,
    /// One letter: running, sleeping, zombie and so on.
    pub state: u8,
    /// Its parent's number.
    pub parent: i32,
    /// The process group it belongs to; 0 where its leader is in an outer namespace.
    pub group: i32,
    /// The session it belongs to; 0 where its leader is in an outer namespace.
    pub session: i32,
    /// How many threads it has; one that has not ended yet counts.
    pub threads: u64,
    /// When it was started, in clock ticks since the machine was.
    pub started: u64,
    /// The kernel says that it is one of its threads, or it has no memory of its own. A process whose first thread
    /// has ended shows none either, but has other threads.
    pub is_kernel_thread: bool,
}

impl Stat {
    /// Reads the line. The name stands in parentheses and may hold blanks and parentheses itself, so that only the
    /// last closing one ends it.
    pub fn parse(line: &[u8]) -> Option<Self> {
        let open = line.iter().position(|&byte| byte == b'(')?;
        let close = line.iter().rposition(|&byte| byte == b')')?;
        let number = |text: &[u8]| std::str::from_utf8(text).ok()?.trim().parse::<i32>().ok();
        let rest: Vec<&str> = std::str::from_utf8(line.get(close.checked_add(1)?..)?)
            .ok()?
            .split_whitespace()
            .collect();
        // The state is the third field of proc(5).
        let field = |place: usize| rest.get(place.checked_sub(3)?).copied();
        let wide = |place: usize| field(place)?.parse::<u64>().ok();
        let (start, end) = (wide(26)?, wide(27)?);
        let threads = wide(20)?;
        Some(Self {
            pid: number(line.get(..open)?)?,
            command: line.get(open.checked_add(1)?..close)?.to_vec(),
            state: *field(3)?.as_bytes().first()?,
            parent: number(field(4)?.as_bytes())?,
            group: number(field(5)?.as_bytes())?,
            session: number(field(6)?.as_bytes())?,
            threads,
            started: wide(22)?,
            is_kernel_thread: wide(9)? & KERNEL_THREAD != 0
                || (start == 0 && end == 0 && threads <= 1),
        })
    }

    /// Tells whether nothing of the process is left but its exit status. A process whose first thread has ended
    /// is shown as a zombie too, and goes on in the others.
    pub fn is_zombie(&self) -> bool {
        self.state == b'Z' && self.threads <= 1
    }
}

/// The processes that descend from one of the table.
pub fn descendants(table: &[Stat], ancestor: i32) -> Vec<i32> {
    let mut found = Vec::new();
    let mut waiting = vec![ancestor];
    while let Some(parent) = waiting.pop() {
        let children = table.iter().filter(|process| process.parent == parent);
        for child in children {
            // A table is no snapshot: a number that was given anew while it was read could close a circle.
            if child.pid != ancestor && !found.contains(&child.pid) {
                found.push(child.pid);
                waiting.push(child.pid);
            }
        }
    }
    found
}

/// Whom killall5 passes over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spared {
    /// The number of killall5 itself.
    pub own: i32,
    /// Its session, with the script that has called it.
    pub session: i32,
    /// Those named by `-o`.
    pub omitted: Vec<i32>,
}

impl Spared {
    /// Tells whether a process gets the signal: killall5(8).
    pub fn is_meant(&self, process: &Stat) -> bool {
        let lives = !process.is_zombie();
        process.pid != 1
            && process.pid != self.own
            && process.session != self.session
            && lives
            && !process.is_kernel_thread
            && !self.omitted.contains(&process.pid)
    }
}

/// One item of a list for `-o`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Omission {
    /// A process number.
    Pid(i32),
    /// `%PPID`: the process that has called pidof.
    Parent,
    /// No process number at all.
    Illegal(String),
}

/// Takes a list of process numbers apart, as `-o` has it: separated by comma, semicolon or colon.
pub fn omissions(list: &str) -> Vec<Omission> {
    list.split([',', ';', ':'])
        .filter(|item| !item.is_empty())
        .map(|item| match item.parse::<i32>() {
            Ok(pid) if pid > 0 => Omission::Pid(pid),
            _ if item == "%PPID" => Omission::Parent,
            _ => Omission::Illegal(item.to_owned()),
        })
        .collect()
}

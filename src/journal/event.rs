//! Events to the words of one line, and back.
#![forbid(unsafe_code)]

use crate::initctl::{PowerStatus, REQUEST_SIZE, Request};
use crate::inittab::{Action, Entry, EntryId, Inittab};
use crate::process::{ExitStatus, Pid, Signal};
use crate::snapshot::{hex, unhex};
use crate::supervisor::{Event, SlotKey};

/// What an event is as words. The table that was loaded stands in lines of its own before it.
pub(super) fn words(event: &Event) -> String {
    match event {
        Event::Booted => "b".to_owned(),
        Event::Resumed => "r".to_owned(),
        Event::DeadlinePassed => "d".to_owned(),
        Event::TableLoaded(_) => "t".to_owned(),
        Event::TableUnreadable => "u".to_owned(),
        Event::ReExecFailed => "n".to_owned(),
        Event::Spawned { key, pid } => format!("s {} {pid}", key.0),
        Event::SpawnFailed { key, reason } => format!("f {} {}", key.0, hex(reason.as_bytes())),
        Event::ExecFailed { program } => format!("x {}", hex(program)),
        Event::Exited { pid, status } => format!("e {pid} {}", status.to_word()),
        Event::GroupOutlives { leader } => format!("g {leader}"),
        Event::TerminalMissing { key, terminal } => format!("m {} {}", key.0, hex(terminal)),
        Event::Requested(request) => {
            format!("q {}", hex(&request.encode().unwrap_or([0; REQUEST_SIZE])))
        }
        Event::Signalled(signal) => format!("k {}", signal.0),
        Event::PowerChanged(status) => {
            let letter = match status {
                PowerStatus::Failing => 'F',
                PowerStatus::Low => 'L',
                PowerStatus::Restored => 'R',
            };
            format!("p {letter}")
        }
    }
}

/// Writes the lines of a table that was loaded.
pub(super) fn write_table(event: &Event, text: &mut Vec<u8>) {
    let Event::TableLoaded(table) = event else {
        return;
    };
    for entry in &table.entries {
        let line = format!(
            "I {} {} {} {}\n",
            hex(entry.id.as_bytes()),
            hex(&entry.levels),
            entry.action.name(),
            hex(&entry.process)
        );
        text.extend_from_slice(line.as_bytes());
    }
    for id in &table.broken {
        text.extend_from_slice(format!("K {}\n", hex(id.as_bytes())).as_bytes());
    }
}

/// Takes one line of a table.
pub(super) fn read_table_line(table: &mut Inittab, line: &[u8]) -> Option<()> {
    let mut words = line.split(|&byte| byte == b' ');
    match words.next()? {
        b"I" => {
            let (id, levels) = (unhex(words.next()?)?, unhex(words.next()?)?);
            let action = Action::from_name(words.next()?)?;
            let process = unhex(words.next()?)?;
            let entry = Entry::new(EntryId::new(id), &levels, action, &process);
            table.entries.push(entry);
        }
        _ => table.broken.push(EntryId::new(unhex(words.next()?)?)),
    }
    Some(())
}

/// Reads the words of an event; `table` is what stood before it.
pub(super) fn read(line: &[u8], table: &mut Inittab) -> Option<Event> {
    let mut words = line.split(|&byte| byte == b' ');
    let kind = words.next()?;
    let mut word = || words.next();
    Some(match kind {
        b"b" => Event::Booted,
        b"r" => Event::Resumed,
        b"d" => Event::DeadlinePassed,
        b"t" => Event::TableLoaded(std::mem::take(table)),
        b"u" => Event::TableUnreadable,
        b"n" => Event::ReExecFailed,
        b"s" => Event::Spawned {
            key: SlotKey(number(word()?)?),
            pid: pid(word()?)?,
        },
        b"f" => Event::SpawnFailed {
            key: SlotKey(number(word()?)?),
            reason: String::from_utf8(unhex(word()?)?).ok()?,
        },
        b"x" => Event::ExecFailed {
            program: unhex(word()?)?.into(),
        },
        b"e" => Event::Exited {
            pid: pid(word()?)?,
            status: ExitStatus::from_word(number(word()?)?),
        },
        b"g" => Event::GroupOutlives {
            leader: pid(word()?)?,
        },
        b"m" => Event::TerminalMissing {
            key: SlotKey(number(word()?)?),
            terminal: unhex(word()?)?.into(),
        },
        b"q" => {
            let bytes: [u8; REQUEST_SIZE] = unhex(word()?)?.try_into().ok()?;
            Event::Requested(Request::decode(&bytes)?)
        }
        b"k" => Event::Signalled(Signal(number(word()?)?)),
        b"p" => Event::PowerChanged(match word()? {
            b"F" => PowerStatus::Failing,
            b"L" => PowerStatus::Low,
            b"R" => PowerStatus::Restored,
            _ => return None,
        }),
        _ => return None,
    })
}

/// Reads a number.
pub(super) fn number<T: std::str::FromStr>(word: &[u8]) -> Option<T> {
    std::str::from_utf8(word).ok()?.parse().ok()
}

/// Reads a process number.
pub(super) fn pid(word: &[u8]) -> Option<Pid> {
    Pid::new(number(word)?)
}

//! `initctl keep-output ID PID`: shows what arrives at standard input on standard output, and keeps it as the output of an
//! inittab entry's process. Init starts it (`sys::relay`), in the session of that process and in a group of its own.
//!
//! It runs until nobody is left who could write, and no signal but KILL ends it before: what a process says while it is being
//! stopped is the last thing to lose. A console that takes nothing holds up who writes for a few seconds and then no longer;
//! the record is complete all the same, within its bounds.

use std::ffi::OsString;
use std::os::fd::AsFd;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::ExitCode;

use anyhow::{Context, bail};

use crate::cmd::console::Console;
use crate::cmd::recorder::entry_output::EntryOutput;
use crate::paths::Paths;
use crate::process::Pid;
use crate::sys;
use crate::sys::output::{Arrived, Channel, Outgoing, wait};

/// The verb.
pub(super) const VERB: &str = "keep-output";

/// How much is read at once: less than what a console takes beyond the point where whoever speaks is held up.
const PIECE: usize = 16 * 1024;
/// How often that is repeated before the console and the file have their turn.
const PIECES: usize = 8;

/// Does so, with the words behind the verb.
pub(super) fn main(words: &[OsString]) -> anyhow::Result<ExitCode> {
    let [id, pid] = words else {
        bail!("{VERB}: takes the id of an entry and the number of its process");
    };
    let pid = pid.to_str().and_then(|pid| pid.parse().ok());
    let pid = pid.and_then(Pid::new).context("no number of a process")?;
    // Before it is relied upon.
    sys::signal::ignore_all();
    let channel = Channel::standard_input().context("standard input")?;
    let outgoing = Outgoing::standard(Path::new("/proc"), Path::new("/dev/console"));
    let console = Console::new("init", outgoing);
    let output = EntryOutput::new(&Paths::default(), id.as_bytes(), pid);
    sys::relay::be_ready().context("saying that it is ready")?;
    relay(&channel, console, output);
    Ok(ExitCode::SUCCESS)
}

fn relay(channel: &Channel, mut console: Console, mut output: EntryOutput) {
    let mut is_open = true;
    while is_open {
        let now = sys::clock::now();
        let has_room = console.has_room(now);
        let sources = [channel.as_fd()];
        let sources = if has_room { &sources[..] } else { &[] };
        let due = [console.due(now), output.due()];
        wait(sources, console.sink(), due.into_iter().flatten().min());
        console.advance();
        is_open = read(channel, &mut console, &mut output);
        output.write(sys::clock::now());
    }
    output.end();
    console.finish();
    output.finish();
}

/// Takes what has arrived, as long as there is room for it. Tells whether more may come.
fn read(channel: &Channel, console: &mut Console, output: &mut EntryOutput) -> bool {
    let mut buffer = [0; PIECE];
    for _ in 0..PIECES {
        let now = sys::clock::now();
        if !console.has_room(now) {
            break;
        }
        match channel.read(&mut buffer) {
            Arrived::Bytes(count) => {
                let bytes = buffer.get(..count).unwrap_or_default();
                output.take(now, bytes);
                console.show(bytes);
            }
            Arrived::Nothing => break,
            Arrived::End => return false,
        }
    }
    true
}

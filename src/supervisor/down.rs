//! The way down that does not end: what init does when level 0 or 6 has come to nothing for half an hour.
//!
//! In these levels everything is left to rc, whose last script ends the machine. A script that never returns would leave
//! a machine that is neither up nor down, and nobody could log in to help. So after [`LIMIT`] in which no process of an
//! entry has started or ended, init says who it waits for and starts `shutdown -n`, which ends all processes, takes the
//! file systems down in bounded steps, and asks the kernel.
#![forbid(unsafe_code)]

use super::{ConsoleUse, Effect, Helper, Phase, Program, Sink, Supervisor, say};
use crate::inittab::{Action, Entry, EntryId};
use crate::printable::Printable;
use crate::runlevel::Runlevel;
use crate::uptime::Uptime;
use std::time::Duration;

/// How long nothing may happen in level 0 or 6: as long as others give a shutdown as a whole.
pub const LIMIT: Duration = Duration::from_secs(30 * 60);
/// The variable of `telinit -e` that sets another limit in seconds; 0 is none at all.
pub const VARIABLE: &[u8] = b"INIT_DOWN_LIMIT";

impl Supervisor {
    /// How long nothing may happen, or nothing where init is to wait for ever.
    fn down_limit(&self) -> Option<Duration> {
        let set = self.extras.iter().find(|extra| *extra.name == *VARIABLE);
        let seconds = set.and_then(|extra| {
            let value = extra.value.as_deref().unwrap_or_default();
            std::str::from_utf8(value).ok()?.parse::<u64>().ok()
        });
        match seconds {
            None => Some(LIMIT),
            Some(0) => None,
            Some(seconds) => Some(Duration::from_secs(seconds)),
        }
    }

    /// When the way down is taken out of rc's hands, if it is under way.
    pub(super) fn down_deadline(&self) -> Option<Uptime> {
        let since = self.down_since?;
        match self.taking_down {
            Helper::None | Helper::Refused => Some(since.after(self.down_limit()?)),
            Helper::Spawning(_) | Helper::Running(_) => None,
        }
    }

    /// Takes note of when something has happened last on the way down, and ends it by force when that is too long ago.
    pub(super) fn watch_the_way_down(&mut self, now: Uptime, out: &mut Vec<Effect>) {
        let level = match self.phase {
            Phase::Normal(level @ (Runlevel::HALT | Runlevel::REBOOT)) => level,
            Phase::SysInit | Phase::Boot | Phase::Normal(_) => {
                self.down_since = None;
                return;
            }
        };
        if self.down_since.is_none() {
            self.down_since = Some(now);
        }
        if self.down_deadline().is_none_or(|deadline| now < deadline) {
            return;
        }
        // Should it come to nothing, too, it is tried again as late.
        self.down_since = Some(now);
        let waited_for = self.slots.iter().find(|slot| slot.blocks_later_entries());
        let whom = match waited_for.and_then(|slot| Some((slot.pid()?, &slot.entry))) {
            Some((pid, entry)) => format!(
                "pid {pid} [id {}] \"{}\" does not end",
                Printable(entry.id.as_bytes()),
                Printable(&entry.process)
            ),
            None => "nothing runs that would end the machine".to_owned(),
        };
        let text = format!("runlevel {level} comes to nothing: {whom}; going down without it");
        say(out, Sink::Both, text);
        let command: &[u8] = match level {
            Runlevel::HALT => b"/sbin/shutdown -n -hP now",
            _ => b"/sbin/shutdown -n -r now",
        };
        let entry = Entry::new(EntryId::fallback(), b"06", Action::Once, command);
        let key = self.new_key();
        self.taking_down = Helper::Spawning(key);
        out.push(self.start(key, Program::Entry(entry), ConsoleUse::Shared));
    }
}

//! Gettys for the kernel's consoles: `init.autocon=1` on the kernel command line asks for one on each
//! `console=` device that has no entry yet (init(8)).
#![forbid(unsafe_code)]

use super::{Action, Entry, EntryId, Inittab};

/// The word that turns the feature on.
const SWITCH: &[u8] = b"init.autocon=1";
/// What a word that names a console begins with.
const CONSOLE: &[u8] = b"console=";
/// The longest device name taken, as in the original; a longer one is cut and agetty reports it.
const MAX_DEVICE: usize = 31;
/// The longest id made of a device name. Longer than a written id may be: `ttyUSB10` gives `USB10`.
const MAX_ID: usize = 7;

/// A console that got an entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AddedConsole {
    /// The device as `console=` names it, without `/dev/` in front.
    pub device: Box<[u8]>,
    /// The id of its entry.
    pub id: EntryId,
}

/// Adds the missing consoles to the end of the table and returns them for the log.
pub fn add_consoles(table: &mut Inittab, kernel_command_line: &[u8]) -> Vec<AddedConsole> {
    let words = || {
        kernel_command_line
            .split(u8::is_ascii_whitespace)
            .filter(|word| !word.is_empty())
    };
    if !words().any(|word| word == SWITCH) {
        return Vec::new();
    }
    let mut added = Vec::new();
    for word in words() {
        let Some(device) = word.strip_prefix(CONSOLE).map(device_name) else {
            continue;
        };
        let name = device.strip_prefix(b"tty").unwrap_or(device);
        let id = EntryId::new(name.get(..MAX_ID).unwrap_or(name));
        let is_known = table.entries.iter().any(|entry| entry.id == id);
        if is_known || id.as_bytes().is_empty() {
            continue;
        }
        let process = [
            b"/sbin/agetty -L -s 115200,38400,9600 ",
            device,
            b" vt102".as_slice(),
        ]
        .concat();
        let entry = Entry::new(id.clone(), b"2345", Action::Respawn, &process);
        table.entries.push(entry);
        added.push(AddedConsole {
            device: device.into(),
            id,
        });
    }
    added
}

/// Takes the device from `ttyS0,115200n8`: it ends where a character of device names does.
fn device_name(value: &[u8]) -> &[u8] {
    let belongs = |byte: &u8| matches!(byte, b'-'..=b'9' | b'_') || byte.is_ascii_alphabetic();
    let end = value
        .iter()
        .position(|byte| !belongs(byte))
        .unwrap_or(value.len());
    value.get(..end.min(MAX_DEVICE)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::inittab::parse::{Source, SourceKind, parse};

    fn table(text: &str) -> Inittab {
        let source = Source {
            path: "inittab",
            text: text.as_bytes(),
            kind: SourceKind::Inittab,
        };
        parse(&[source]).table
    }

    fn added(text: &str, command_line: &str) -> Vec<(String, String)> {
        let mut table = table(text);
        add_consoles(&mut table, command_line.as_bytes())
            .into_iter()
            .map(|console| {
                (
                    console.device.escape_ascii().to_string(),
                    console.id.to_string(),
                )
            })
            .collect()
    }

    fn pair(device: &str, id: &str) -> (String, String) {
        (device.to_owned(), id.to_owned())
    }

    #[test]
    fn each_console_gets_a_getty_at_the_end_of_the_table() {
        let mut table = table("1:2:respawn:/bin/x\n");
        let consoles = add_consoles(
            &mut table,
            b"quiet console=ttyS0,115200n8 init.autocon=1 console=hvc0\n",
        );
        assert_eq!(consoles.len(), 2);
        let last = table.entries.last().unwrap();
        assert_eq!(
            *last,
            Entry::new(
                EntryId::new(*b"hvc0"),
                b"2345",
                Action::Respawn,
                b"/sbin/agetty -L -s 115200,38400,9600 hvc0 vt102",
            )
        );
    }

    #[test]
    fn nothing_is_added_without_the_word() {
        for line in [
            "",
            "console=ttyS0",
            "console=ttyS0 init.autocon=0",
            "console=ttyS0 init.autocon=10",
            "console=ttyS0 xinit.autocon=1",
        ] {
            assert_eq!(added("", line), [], "{line}");
        }
    }

    #[test]
    fn ids_are_device_names_without_tty() {
        let line = "init.autocon=1 console=ttyS0 console=ttyUSB10 console=tty console=ttyAMAlong99";
        assert_eq!(
            added("", line),
            [
                pair("ttyS0", "S0"),
                pair("ttyUSB10", "USB10"),
                pair("ttyAMAlong99", "AMAlong"),
            ]
        );
    }

    #[test]
    fn a_console_whose_id_exists_is_left_alone() {
        let text = "S0:2:respawn:/sbin/getty ttyS0\n";
        let line = "init.autocon=1 console=ttyS0 console=ttyS1 console=ttyS1,9600";
        assert_eq!(added(text, line), [pair("ttyS1", "S1")]);
    }

    #[test]
    fn nothing_of_a_device_name_reaches_a_shell() {
        let mut table = Inittab::default();
        add_consoles(&mut table, b"init.autocon=1 console=tty1;reboot");
        let process = &table.entries[0].process;
        assert!(!process.contains(&b';'), "{}", process.escape_ascii());
    }
}

//! The work of a machine, in the configuration of every init.

use super::support::root::Root;
use std::fmt::Write;

/// One line of work. No two of a machine have the same command: busybox takes such lines for one.
#[derive(Debug, Clone)]
pub(crate) enum Work {
    /// Run to its end before the next line.
    Wait(String),
    /// Started once, and not waited for.
    Once(String),
    /// Started again when it ends.
    Respawn(String),
}

/// The lines of an inittab. None is recorded in utmp: with a thousand names there, searching it would be most of the time.
pub(crate) fn inittab(work: &[Work]) -> String {
    let mut table = String::from("id:3:initdefault:\n");
    for (number, line) in work.iter().enumerate() {
        let (action, command) = match line {
            Work::Wait(command) => ("wait", command),
            Work::Once(command) => ("once", command),
            Work::Respawn(command) => ("respawn", command),
        };
        writeln!(table, "{number:x}:3:{action}:+{command}").unwrap();
    }
    table
}

/// What busybox's init reads.
pub(crate) fn busybox_table(work: &[Work]) -> String {
    let line = |line: &Work| match line {
        Work::Wait(command) => format!("::wait:{command}\n"),
        Work::Once(command) => format!("::once:{command}\n"),
        Work::Respawn(command) => format!("::respawn:{command}\n"),
    };
    work.iter().map(line).collect()
}

/// What finit reads.
pub(crate) fn finit_table(work: &[Work]) -> String {
    let mut table = String::from("runlevel 2\n");
    for (number, line) in work.iter().enumerate() {
        match line {
            Work::Wait(command) => {
                writeln!(table, "run [2345] name:w{number} :{number} {command} --")
            }
            Work::Once(command) => {
                writeln!(table, "task [2345] name:o{number} :{number} {command} --")
            }
            Work::Respawn(command) => writeln!(
                table,
                "service [2345] name:r{number} :{number} {command} --"
            ),
        }
        .unwrap();
    }
    table
}

/// A folder for each service, as runit and s6 want it.
pub(crate) fn services(root: &Root, folder: &str, work: &[Work]) {
    for (number, line) in work.iter().enumerate() {
        let (Work::Wait(command) | Work::Once(command) | Work::Respawn(command)) = line;
        root.script(
            &format!("/{folder}/s{number}/run"),
            &format!("exec {command}"),
        );
    }
}

/// The same work for a shell.
pub(crate) fn script(work: &[Work]) -> String {
    let line = |line: &Work| match line {
        Work::Wait(command) => format!("{command}\n"),
        Work::Once(command) | Work::Respawn(command) => format!("{command} &\n"),
    };
    work.iter()
        .map(line)
        .chain([String::from("wait\n")])
        .collect()
}

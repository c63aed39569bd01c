//! One short function for each effect the supervisor asks for.

use super::accounting::Writer;
use super::entrypoint::Attendant;
use super::run::Init;
use super::spawn::{OneCommand, Surroundings};
use super::{settings, spawn, table};
use crate::container::entrypoint::Entrypoint;
use crate::container::{Ending, Namespace};
use crate::initctl::PowerStatus;
use crate::inittab::Action;
use crate::inittab::command::{Accounting, served_terminal};
use crate::journal::Mark;
use crate::supervisor::{Effect, Event, Program, Rest, Sink, Start, Title};
use crate::sys;
use crate::sys::console::Console;
use crate::sys::reboot::End;
use crate::uptime::Uptime;
use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

/// More of a power status file is not looked at: its first letter tells all.
const LARGEST_STATUS: u64 = 4096;

impl Init {
    pub(super) fn perform(&mut self, now: Uptime, effect: Effect) {
        match effect {
            Effect::Spawn(start) => self.spawn(&start),
            Effect::SignalGroup { leader, signal } => {
                // A group that is gone already needs no signal; its exit is on the way.
                sys::signal::send_to_group(leader, signal).unwrap_or_default();
            }
            Effect::LookForGroup { leader } => {
                if sys::signal::group_exists(leader) {
                    self.answer(Event::GroupOutlives { leader });
                }
            }
            Effect::ReadTable => self.read_table(),
            Effect::ReadPowerStatus => {
                let status = self.read_power_status();
                self.answer(Event::PowerChanged(status));
            }
            Effect::Account(occurrence) => {
                self.ledger.record(&occurrence);
                self.journal.note(Mark::Recorded(self.ledger.written()));
            }
            Effect::RepairAccounting => {
                self.ledger.repair();
                self.journal.note(Mark::Recorded(self.ledger.written()));
            }
            Effect::WriteRunlevel(byte) => {
                // Without a writable /run there is no file; utmp and the environment say the same.
                sys::files::write(&self.paths.runlevel(), &[byte]).unwrap_or_default();
            }
            Effect::SetTitle(title) => self.set_title(title),
            Effect::Say(sink, text) => self.report.say(sink, &text),
            Effect::Note { id, action, text } => self.recording.note(&id, action, &text),
            Effect::ResetConsole => self.reset_console(),
            Effect::ReopenFifo => self.control.reopen(now, &mut self.report),
            Effect::CloseFifo => self.control.close(),
            Effect::EndContainer {
                ending,
                status,
                rest,
            } => self.end_container(ending, status, rest),
            Effect::ReExec => self.re_exec(),
        }
    }

    /// Reads the table. A machine that boots without one gets its fallback; one that runs keeps what it has.
    fn read_table(&mut self) {
        let report = &mut self.report;
        let mut say = |text: &str| report.say(Sink::Both, text);
        let table = table::read(&self.paths, &mut say);
        let outputs = self.recording.read_outputs(&self.paths, &mut say);
        let event = match table {
            Ok(mut table) => {
                settings::tell_unknown(&self.paths, outputs, &table, &mut say);
                table
                    .entries
                    .extend(self.home.command.as_ref().map(OneCommand::entry));
                Event::TableLoaded(table)
            }
            Err(_) => Event::TableUnreadable,
        };
        self.answer(event);
    }

    fn spawn(&mut self, start: &Start) {
        if let Some(pid) = self.kept.remove(&start.key) {
            let key = start.key;
            self.answer(Event::Spawned { key, pid });
            return;
        }
        if let Some(terminal) = self.missing_terminal(&start.program) {
            self.answer(Event::TerminalMissing {
                key: start.key,
                terminal,
            });
            return;
        }
        let console = self.report.console();
        let environment = &mut self.environment;
        let surroundings = Surroundings {
            paths: &self.paths,
            console,
            nursery: &self.nursery,
            environment: environment.of(console.name(), self.supervisor.extras(), start),
            command: self.home.command.as_ref(),
            outputs: self.recording.outputs(),
        };
        let journal = &mut self.journal;
        let outcome = surroundings
            .spawn(start, &mut |pid| journal.note_forked(pid))
            .map_err(|error| error.to_string());
        if let (Ok(pid), Program::Entry(entry)) = (&outcome, &start.program)
            && Accounting::of(&entry.process) == Accounting::Recorded
        {
            let writer = Writer::towards(spawn::level_of(start.phase));
            self.ledger.start(entry.id.as_bytes(), *pid, writer);
        }
        let told = outcome.as_ref().map(|pid| *pid).map_err(String::as_str);
        self.recording.start(start, told);
        let event = match outcome {
            Ok(pid) => Event::Spawned {
                key: start.key,
                pid,
            },
            Err(reason) => Event::SpawnFailed {
                key: start.key,
                reason,
            },
        };
        self.answer(event);
    }

    /// The terminal of a respawned getty, if it is not there. Where /dev itself is not there nothing is known.
    fn missing_terminal(&self, program: &Program) -> Option<Box<[u8]>> {
        let Program::Entry(entry) = program else {
            return None;
        };
        if !matches!(entry.action, Action::Respawn | Action::OnDemand) {
            return None;
        }
        let devices = self.paths.at("/dev");
        let is_there = |name: &[u8]| devices.join(OsStr::from_bytes(name)).exists();
        served_terminal(entry).filter(|name| is_there(b"null") && !is_there(name))
    }

    /// Reads and removes the power status file. Without one, SIGPWR means that power is failing.
    fn read_power_status(&mut self) -> PowerStatus {
        let path = self.paths.power_status();
        let old = self.paths.old_power_status();
        let text = match self.take_status(&path) {
            None => {
                let text = self.take_status(&old);
                if text.is_some() {
                    self.report.say(
                        Sink::Both,
                        "warning: found obsolete path /etc/powerstatus, use /var/run/powerstatus instead",
                    );
                }
                text
            }
            text => text,
        };
        match text.unwrap_or_default().first() {
            Some(b'O') => PowerStatus::Restored,
            Some(b'L') => PowerStatus::Low,
            Some(_) | None => PowerStatus::Failing,
        }
    }

    /// Reads and removes a power status file. One that cannot be read is as good as none, and that is said.
    fn take_status(&mut self, path: &std::path::Path) -> Option<Vec<u8>> {
        let error = match table::read_file(path, LARGEST_STATUS) {
            Ok(text) => {
                self.remove_status(path);
                return Some(text);
            }
            Err(error) => error,
        };
        if error.kind() != std::io::ErrorKind::NotFound {
            let text = format!("{}: {error}: power is taken to fail", path.display());
            self.report.say(Sink::Both, &text);
        }
        None
    }

    fn remove_status(&mut self, path: &std::path::Path) {
        if let Err(error) = sys::files::remove(path) {
            self.report
                .say(Sink::Both, &format!("{}: {error}", path.display()));
        }
    }

    fn set_title(&mut self, title: Title) {
        let text = match title {
            Title::Boot => "init boot".to_owned(),
            Title::Level(level) => format!("init [{level}]"),
        };
        if let Some(area) = &mut self.title {
            area.set(&text);
        }
    }

    pub(super) fn reset_console(&mut self) {
        // An output that is no console has no settings to give.
        let Console::Device(device) = self.report.console().clone() else {
            return;
        };
        match sys::console::reset(&device) {
            Ok(()) => {}
            // /dev/null stands in where there is no console, and other things that are no terminal have no
            // settings to give.
            Err(error) if error.raw_os_error() == Some(libc::ENOTTY) => {}
            Err(_) => self
                .report
                .say(Sink::Both, &format!("can't open {}", device.display())),
        }
    }

    /// Exits, which ends the container; but where init is the first process of a machine after all, the kernel has to be
    /// asked.
    fn end_container(&mut self, ending: Ending, status: u8, rest: Rest) {
        self.recording.finish();
        if let Rest::AskedToEnd(grace) = rest {
            let (entrypoint, first) = Entrypoint::over(sys::clock::now(), status, grace);
            let attendant = Attendant {
                paths: &self.paths,
                signals: &self.signals,
                namespace: self.home.namespace,
                command: None,
                entrypoint,
            };
            attendant.run(Some(first));
        }
        ask_kernel(ending, self.home.namespace);
        if self.home.namespace == Namespace::Initial {
            self.report.say(Sink::Both, "the kernel refuses to go down");
        } else {
            sys::process::exit(status);
        }
    }

    /// Hands the state to a new image of init. Comes back only if there is none.
    fn re_exec(&mut self) {
        self.recording.finish();
        let state = self.snapshot().to_text();
        let environment = spawn::environment_for_next_image(self.supervisor.extras());
        let program = CString::new(self.paths.init().as_os_str().as_bytes()).unwrap_or_default();
        let argv = [
            vec![program.clone(), c"--init".to_owned()],
            self.home.words(),
        ]
        .concat();
        let fifo = self.control.fifo();
        self.control.outlive_image();
        let error = sys::handover::replace_image(&program, &argv, &environment, &state, fifo);
        self.report.say(
            Sink::Both,
            &format!("{}: {error}", self.paths.init().display()),
        );
        self.answer(Event::ReExecFailed);
    }
}

/// Asks the kernel for the end of a container, as far as that is its to bring about: LXC and systemd-nspawn are told of a
/// restart in no other way. Comes back where it refuses.
pub(super) fn ask_kernel(ending: Ending, namespace: Namespace) {
    match (ending, namespace) {
        (Ending::Restart, _) => drop(sys::reboot::end(End::Restart)),
        (Ending::Halt, Namespace::Initial) => drop(sys::reboot::end(End::PowerOff)),
        (Ending::Halt, Namespace::Made) => {}
    }
}

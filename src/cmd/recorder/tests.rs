//! Writers of a record on a machine whose /run comes and goes.

use super::carry::carry;
use super::entry_output::EntryOutput;
use super::reading::history;
use super::*;
use crate::process::ExitStatus;
use crate::record::{Begin, End, Status, Verdict, parse};
use crate::uptime::Uptime;
use std::fs;
use tempfile::TempDir;

/// A root with /run, /var/log and a kernel that tells its boot.
struct Machine {
    root: TempDir,
    paths: Paths,
}

impl Machine {
    fn new() -> Self {
        let root = TempDir::new().unwrap();
        let paths = Paths::new(root.path());
        let machine = Self { root, paths };
        machine.make("run");
        machine.make("var/log");
        machine
    }

    /// A machine whose /proc is there.
    fn started(boot: &str) -> Self {
        let machine = Self::new();
        machine.mount_proc(boot);
        machine
    }

    fn make(&self, folder: &str) {
        fs::create_dir_all(self.root.path().join(folder)).unwrap();
    }

    fn mount_proc(&self, boot: &str) {
        self.make("proc/sys/kernel/random");
        fs::write(self.paths.boot_id(), boot).unwrap();
    }

    /// Hides /run below another one, as a mount does.
    fn mount_over_run(&self) {
        fs::rename(self.paths.run(), self.root.path().join("hidden")).unwrap();
        self.make("run");
    }

    /// Takes /run away, for everything written there fails then.
    fn hide_run(&self) {
        fs::rename(self.paths.run(), self.root.path().join("gone")).unwrap();
    }

    fn show_run(&self) {
        fs::rename(self.root.path().join("gone"), self.paths.run()).unwrap();
    }

    fn recorder(&self) -> Recorder {
        Recorder::new(&self.paths, 64 << 10)
    }

    fn record(&self) -> String {
        fs::read_to_string(self.paths.record()).unwrap()
    }

    /// The names that begin, in the order of the file.
    fn told(&self) -> Vec<String> {
        let (lines, problems) = parse(self.record().as_bytes());
        assert_eq!(problems, []);
        names(&lines)
    }
}

fn names(lines: &[Line]) -> Vec<String> {
    lines
        .iter()
        .filter_map(|line| match line {
            Line::Begin(begin) => Some(String::from_utf8_lossy(&begin.subject.name).into_owned()),
            _ => None,
        })
        .collect()
}

fn begin(name: &str) -> Line {
    Line::Begin(Begin {
        subject: Subject::script(name.as_bytes(), "start"),
        pid: Pid::new(7),
        at: sys::clock::moment(),
        level: Some(b'2'),
        previous: None,
        what: Box::default(),
    })
}

fn end(name: &str) -> Line {
    Line::End(End {
        subject: Subject::script(name.as_bytes(), "start"),
        pid: Pid::new(7),
        at: sys::clock::moment(),
        status: Status::Ended(ExitStatus::Exited(0)),
        verdict: Verdict::Ok,
        usage: None,
        output: None,
        tally: None,
    })
}

fn kept(text: &str) -> Kept {
    let mut kept = Kept::default();
    kept.push(text.as_bytes());
    kept
}

#[test]
fn a_record_begins_with_the_boot_it_is_of() {
    let machine = Machine::started("aa");
    machine.recorder().add(&begin("a"));
    assert!(machine.record().starts_with("boot id=aa up="));
    assert_eq!(machine.told(), ["a"]);
}

#[test]
fn two_writers_share_a_file_and_head_it_once() {
    let machine = Machine::started("aa");
    let (mut init, mut rc) = (machine.recorder(), machine.recorder());
    init.add(&begin("init"));
    rc.add(&begin("rc"));
    init.add(&begin("later"));
    assert_eq!(machine.told(), ["init", "rc", "later"]);
    assert_eq!(machine.record().matches("boot ").count(), 1);
}

#[test]
fn what_cannot_be_written_goes_with_the_next_line_that_can() {
    let machine = Machine::started("aa");
    machine.hide_run();
    let mut recorder = machine.recorder();
    recorder.add(&begin("a"));
    recorder.add(&begin("b"));
    machine.show_run();
    recorder.add(&begin("c"));
    assert_eq!(machine.told(), ["a", "b", "c"]);
}

#[test]
fn a_file_system_mounted_over_run_gets_everything_again_from_every_writer() {
    let machine = Machine::started("aa");
    let (mut init, mut rc) = (machine.recorder(), machine.recorder());
    init.add(&begin("init"));
    rc.add(&begin("rc"));
    let output = Subject::script(b"rc", "start");
    rc.keep_output(&output, &kept("hello\n"));
    rc.catch_up();
    machine.mount_over_run();
    rc.add(&end("rc"));
    init.add(&end("init"));
    assert_eq!(machine.told(), ["rc", "init"]);
    let output = fs::read(machine.paths.kept_output().join("rc.start")).unwrap();
    assert_eq!(output, b"hello\n");
}

#[test]
fn a_settled_recorder_holds_only_what_is_not_written() {
    let machine = Machine::started("aa");
    let mut recorder = machine.recorder();
    recorder.add(&begin("a"));
    recorder.settle();
    assert!(recorder.held.is_empty());
    machine.hide_run();
    recorder.add(&begin("b"));
    assert_eq!(recorder.held.len(), 1);
    machine.show_run();
    recorder.add(&begin("c"));
    assert_eq!(machine.told(), ["a", "b", "c"]);
    assert!(recorder.held.is_empty());
}

#[test]
fn what_is_held_is_bounded() {
    let machine = Machine::started("aa");
    machine.hide_run();
    let mut recorder = Recorder::new(&machine.paths, 2000);
    for number in 0..1000 {
        recorder.add(&begin(&number.to_string()));
        let output = Subject::script(number.to_string().as_bytes(), "start");
        recorder.keep_output(&output, &kept(&"x".repeat(300)));
    }
    assert!(recorder.held.iter().map(Vec::len).sum::<usize>() <= 2000);
    assert!(recorder.outputs.len() <= 6);
    machine.show_run();
    recorder.catch_up();
    assert_eq!(machine.told().last().map(String::as_str), Some("999"));
}

#[test]
fn a_record_can_begin_before_proc_is_there_and_is_named_later() {
    let machine = Machine::new();
    let (mut init, mut rc) = (machine.recorder(), machine.recorder());
    init.add(&begin("init"));
    assert!(machine.record().starts_with("boot up="));
    rc.add(&begin("rc"));
    assert_eq!(machine.told(), ["init"], "nobody knows whose file it is");
    machine.mount_proc("aa");
    rc.add(&end("rc"));
    init.add(&end("init"));
    assert_eq!(machine.told(), ["init", "rc"]);
    let text = machine.record();
    assert_eq!(text.matches("boot id=aa").count(), 2, "{text}");
    assert_eq!(text.matches("boot ").count(), 3, "{text}");
}

#[test]
fn the_record_of_an_earlier_boot_is_set_aside() {
    let machine = Machine::started("aa");
    machine.recorder().add(&begin("old"));
    machine.mount_proc("bb");
    assert!(history(&machine.paths).is_err());
    machine.recorder().add(&begin("new"));
    assert_eq!(machine.told(), ["new"]);
    let items = history(&machine.paths).unwrap().items;
    assert_eq!(items.len(), 1, "{items:?}");
}

#[test]
fn a_long_record_goes_on_in_a_new_file_and_reads_as_one() {
    let machine = Machine::started("aa");
    let (mut init, mut rc) = (machine.recorder(), machine.recorder());
    init.add(&begin("init"));
    let filling = "# x\n".repeat(300_000);
    fs::write(
        machine.paths.record(),
        format!("{}{filling}", machine.record()),
    )
    .unwrap();
    rc.add(&begin("rc"));
    init.add(&begin("later"));
    assert_eq!(machine.told(), ["rc", "later"]);
    assert_eq!(machine.record().matches("boot ").count(), 1);
    let items = history(&machine.paths).unwrap().items;
    assert_eq!(items.len(), 3);
}

#[test]
fn what_is_no_file_is_left_alone() {
    let machine = Machine::started("aa");
    machine.make("run/initlog/record");
    machine.recorder().add(&begin("a"));
    let target = machine.root.path().join("target");
    fs::remove_dir(machine.paths.record()).unwrap();
    fs::write(&target, "").unwrap();
    std::os::unix::fs::symlink(&target, machine.paths.record()).unwrap();
    machine.recorder().add(&begin("a"));
    assert_eq!(fs::read(&target).unwrap(), b"");
}

#[test]
fn a_record_is_carried_with_its_outputs_and_those_of_four_boots_before() {
    let machine = Machine::new();
    for boot in ["aa", "bb", "cc", "dd", "ee", "ff"] {
        machine.mount_proc(boot);
        let mut recorder = machine.recorder();
        recorder.add(&begin(boot));
        let subject = Subject::script(boot.as_bytes(), "start");
        recorder.keep_output(&subject, &kept(boot));
        carry(&machine.paths).unwrap();
        // Once more, with more: still the same boot.
        recorder.add(&end(boot));
        carry(&machine.paths).unwrap();
        fs::remove_dir_all(machine.paths.boot_log()).unwrap();
    }
    let folder = machine.paths.lasting_boot_log();
    let read = |name: &str| {
        fs::read_to_string(folder.join(name)).map(|text| names(&parse(text.as_bytes()).0))
    };
    assert_eq!(read("record").unwrap(), ["ff"]);
    for (number, boot) in [(1, "ee"), (2, "dd"), (3, "cc"), (4, "bb")] {
        assert_eq!(read(&format!("record.{number}")).unwrap(), [boot]);
    }
    assert!(read("record.5").is_err());
    assert_eq!(fs::read(folder.join("output/ff.start")).unwrap(), b"ff");
    assert_eq!(fs::read(folder.join("output.1/ee.start")).unwrap(), b"ee");
    assert!(!folder.join("output/ee.start").exists());
}

#[test]
fn an_output_in_which_nothing_was_said_is_carried_only_in_place_of_another() {
    let machine = Machine::started("aa");
    let mut recorder = machine.recorder();
    recorder.add(&begin("a"));
    let keep = |recorder: &mut Recorder, name: &str, text: &str| {
        recorder.keep_output(&Subject::script(name.as_bytes(), "start"), &kept(text));
        recorder.add(&end(name));
        carry(&machine.paths).unwrap();
    };
    keep(&mut recorder, "silent", "");
    keep(&mut recorder, "changed", "words");
    keep(&mut recorder, "changed", "");
    let folder = machine.paths.lasting_boot_log().join("output");
    assert_eq!(sys::files::names(&folder, 100).unwrap(), ["changed.start"]);
    assert_eq!(fs::read(folder.join("changed.start")).unwrap(), b"");
}

#[test]
fn outputs_of_entries_that_others_have_replaced_are_not_left_where_they_were_carried_to() {
    let machine = Machine::started("aa");
    let mut recorder = machine.recorder();
    recorder.add(&begin("a"));
    recorder.keep_output(&Subject::script(b"a", "start"), &kept("script"));
    recorder.add(&end("a"));
    for pid in 1..=5 {
        let mut output = EntryOutput::new(&machine.paths, b"r3", Pid::new(pid).unwrap());
        output.take(Uptime::default(), format!("{pid}").as_bytes());
        output.write(Uptime::default());
        carry(&machine.paths).unwrap();
    }
    let folder = machine.paths.lasting_boot_log().join("output");
    let mut names = sys::files::names(&folder, 100).unwrap();
    names.sort();
    assert_eq!(names, ["a.start", "r3.3", "r3.4", "r3.5"]);
    assert_eq!(fs::read(folder.join("r3.5")).unwrap(), b"5");
}

#[test]
fn an_output_is_written_at_once_and_then_once_a_second_and_what_fails_is_tried_again() {
    let machine = Machine::started("aa");
    let file = machine.paths.kept_output().join("r3.7");
    let read = || fs::read_to_string(&file).unwrap_or_default();
    let mut output = EntryOutput::new(&machine.paths, b"r3", Pid::new(7).unwrap());
    assert_eq!(output.due(), None);
    let at = Uptime::from_secs;
    output.take(at(10), b"a");
    output.write(at(10));
    assert_eq!((read().as_str(), output.due()), ("a", None));
    output.take(at(10), b"b");
    output.write(at(10));
    assert_eq!((read().as_str(), output.due()), ("a", Some(at(11))));
    output.write(at(11));
    assert_eq!((read().as_str(), output.due()), ("ab", None));
    machine.hide_run();
    output.take(at(20), b"c");
    for (now, next) in [(20, 21), (21, 23), (23, 27)] {
        output.write(at(now));
        assert_eq!(output.due(), Some(at(next)));
    }
    machine.show_run();
    output.write(at(27));
    assert_eq!((read().as_str(), output.due()), ("abc", None));
}

#[test]
fn nothing_is_carried_where_nothing_can_be_written() {
    let machine = Machine::started("aa");
    assert!(carry(&machine.paths).is_err(), "there is no record");
    machine.recorder().add(&begin("a"));
    fs::remove_dir(machine.root.path().join("var/log")).unwrap();
    assert!(carry(&machine.paths).is_err());
}

//! The loop with pseudo-terminals for everything: what is written to the console arrives on the consoles and in the
//! log. Nothing here touches this machine's console.

use std::fs;

use nix::pty::{OpenptyResult, openpty};
use nix::sys::termios::{SetArg, cfmakeraw, tcgetattr, tcsetattr};
use nix::unistd::ttyname;
use tempfile::TempDir;

use super::*;

const PLAIN: Keeping = Keeping {
    create: true,
    rename: false,
    sync: false,
    escapes: false,
};

/// A relay, the end that stands for the console's output, and where the log is.
struct Scene {
    relay: Relay,
    writer: File,
    folder: TempDir,
}

fn scene(consoles: &[&OpenptyResult], keeping: Keeping) -> Scene {
    let folder = tempfile::tempdir().unwrap();
    let terminal = Terminal::open().unwrap();
    let writer = File::from(terminal.taker.try_clone().unwrap());
    let consoles = consoles
        .iter()
        .map(|pair| Console::open(ttyname(&pair.slave).unwrap()).unwrap())
        .collect();
    let log = Log::new(folder.path().join("boot"), keeping);
    Scene {
        relay: Relay::new(terminal, consoles, log),
        writer,
        folder,
    }
}

impl Scene {
    /// Writes to what takes the place of the console, and has it taken on.
    fn say(&mut self, text: &str) {
        for piece in text.as_bytes().chunks(1024) {
            self.writer.write_all(piece).unwrap();
            wait(&[&self.relay.reader], &[], Some(5000)).unwrap();
            assert_eq!(self.relay.pass_on(), More::Now);
        }
    }

    fn end(self) -> (Ended, TempDir) {
        drop(self.writer);
        (self.relay.end(), self.folder)
    }
}

fn raw_terminal() -> OpenptyResult {
    let pair = openpty(None, None).unwrap();
    let mut settings = tcgetattr(&pair.slave).unwrap();
    cfmakeraw(&mut settings);
    tcsetattr(&pair.slave, SetArg::TCSANOW, &settings).unwrap();
    pair
}

fn shown(pair: &OpenptyResult, length: usize) -> String {
    let mut text = vec![0; length];
    let mut screen = File::from(pair.master.try_clone().unwrap());
    screen.read_exact(&mut text).unwrap();
    String::from_utf8(text).unwrap()
}

/// The lines of a log without their times, which all must have.
fn logged(path: &Path) -> Vec<String> {
    let text = fs::read_to_string(path).unwrap();
    text.lines()
        .map(|line| {
            let (stamp, rest) = line
                .split_at_checked(26)
                .unwrap_or_else(|| panic!("{line}"));
            assert!(stamp.ends_with(": ") && stamp.contains(" 20"), "{line}");
            rest.to_owned()
        })
        .collect()
}

#[test]
fn output_is_shown_on_all_consoles_and_logged_without_escapes() {
    let (one, two) = (raw_terminal(), raw_terminal());
    let mut scene = scene(&[&one, &two], PLAIN);
    scene.say("\x1b[32m ok \x1b[0m\r\npart");
    scene.say("ial\n");
    let (ended, folder) = scene.end();
    assert!(matches!(ended, Ended::AllWritten));
    for console in [&one, &two] {
        assert_eq!(shown(console, 23), "\x1b[32m ok \x1b[0m\r\npartial\n");
    }
    assert_eq!(logged(&folder.path().join("boot")), [" ok ", "partial"]);
}

#[test]
fn what_was_written_before_the_end_is_logged() {
    let mut scene = scene(
        &[],
        Keeping {
            escapes: true,
            ..PLAIN
        },
    );
    for number in 0..100 {
        writeln!(scene.writer, "\x1b[1mline {number}\r").unwrap();
    }
    let (_, folder) = scene.end();
    let lines = logged(&folder.path().join("boot"));
    assert_eq!((lines.len(), lines[99].as_str()), (100, "\x1b[1mline 99"));
}

#[test]
fn a_log_that_is_not_there_yet_gets_the_last_32768_bytes() {
    let mut scene = scene(
        &[],
        Keeping {
            create: false,
            ..PLAIN
        },
    );
    let path = scene.folder.path().join("boot");
    for number in 0..2000 {
        scene.say(&format!("line {number}\n"));
    }
    assert!(!path.exists());
    fs::write(&path, "old\n").unwrap();
    scene.say("now\n");
    let (ended, folder) = scene.end();
    assert!(matches!(ended, Ended::AllWritten));
    let text = fs::read_to_string(&path).unwrap();
    let notes = "old\n(bootlogd: ";
    assert!(text.starts_with(notes), "{text}");
    let (note, rest) = text
        .strip_prefix("old\n")
        .and_then(|text| text.split_once('\n'))
        .unwrap();
    assert!(note.ends_with(" bytes were lost before this)"), "{note}");
    // One written line more than what was kept.
    assert_eq!(rest.len(), KEPT);
    assert!(
        rest.ends_with(": line 1999\n") || rest.ends_with(": now\n"),
        "{rest}"
    );
    drop(folder);
}

#[test]
fn a_log_that_never_appears_is_told() {
    let mut scene = scene(
        &[],
        Keeping {
            create: false,
            ..PLAIN
        },
    );
    scene.say("lost\n");
    let (ended, folder) = scene.end();
    match ended {
        Ended::LogLost(path, error) => {
            assert_eq!(path, folder.path().join("boot"));
            assert_eq!(error.kind(), ErrorKind::NotFound);
        }
        Ended::AllWritten => panic!("nothing was written"),
    }
}

#[test]
fn an_old_log_is_renamed_where_asked_for() {
    let mut scene = scene(
        &[],
        Keeping {
            rename: true,
            create: false,
            sync: true,
            ..PLAIN
        },
    );
    let path = scene.folder.path().join("boot");
    fs::write(&path, "old").unwrap();
    fs::write(path.with_file_name("boot~"), "older").unwrap();
    scene.say("new\n");
    scene.say("newer\n");
    let (_, folder) = scene.end();
    assert_eq!(logged(&path), ["new", "newer"]);
    let kept = fs::read_to_string(folder.path().join("boot~")).unwrap();
    assert_eq!(kept, "old");
}

#[test]
fn a_console_that_takes_nothing_stops_neither_log_nor_the_others() {
    let (stuck, served) = (raw_terminal(), raw_terminal());
    let mut scene = scene(&[&stuck, &served], PLAIN);
    let line = format!("{}\n", "x".repeat(99));
    let mut seen = 0;
    for _ in 0..1000 {
        scene.say(&line);
        // Only one of them has a reader.
        seen += shown(&served, line.len()).len();
    }
    assert_eq!(seen, 100_000);
    assert_eq!(scene.relay.consoles.len(), 2);
    assert!(scene.relay.consoles[0].waiting.next().len() <= PUT_BY);
    // It goes on, and says that something is missing.
    let mut text = String::new();
    while !text.contains(" bytes were not shown here)") {
        text.push_str(&shown(&stuck, 100));
        scene.relay.pass_on();
    }
    let path = scene.folder.path().join("boot");
    assert_eq!(logged(&path).len(), 1000);
}

#[test]
fn a_console_that_was_hung_up_is_opened_again_and_given_up_if_it_is_gone() {
    let pair = raw_terminal();
    let device = ttyname(&pair.slave).unwrap();
    let mut scene = scene(&[&pair], PLAIN);
    // Its terminal is one that is hung up; the device still opens.
    let gone = openpty(None, None).unwrap();
    let dead = open_console(&ttyname(&gone.slave).unwrap()).unwrap();
    drop(gone.master);
    scene.relay.consoles[0].terminal = dead;
    scene.say("again\n");
    assert_eq!(shown(&pair, 6), "again\n");
    assert!(!scene.relay.consoles[0].hung_up);
    assert_eq!(scene.relay.consoles[0].device, device);
    // Now the device itself is gone.
    drop(pair);
    scene.say("lost\n");
    assert!(scene.relay.consoles.is_empty());
    assert_eq!(logged(&scene.folder.path().join("boot")), ["again", "lost"]);
}

#[test]
fn the_console_itself_is_no_place_to_show_its_output() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    for device in [Path::new("/dev/console"), &file, Path::new("/nowhere")] {
        assert!(Console::open(device.to_owned()).is_err(), "{device:?}");
    }
}

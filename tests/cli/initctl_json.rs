//! `initctl --json`, read by a parser that is not ours. The original has nothing like it.

use std::fs;

use serde_json::{Value, json};

use crate::initctl::Machine;
use crate::room::{Room, Subject, read_now};
use crate::{assert_requests, level};

#[track_caller]
fn parsed(text: impl AsRef<[u8]>) -> Value {
    let text = text.as_ref();
    serde_json::from_slice(text).unwrap_or_else(|error| panic!("{error}: {}", text.escape_ascii()))
}

/// A room with scripts that it runs by `initctl`.
fn room(scripts: &[(&str, &str)]) -> Room {
    let room = Room::with(Subject::Ours);
    for (name, body) in scripts {
        room.program(
            &format!("etc/init.d/{name}"),
            &format!("#!/bin/sh\n{body}\n"),
        );
    }
    room
}

/// What one call prints, its exit status, and its words on standard error.
fn called(room: &Room, words: &str) -> (Value, Option<i32>, String) {
    let outcome = room.run(&format!("/sbin/sysvtools initctl --json {words}"));
    (parsed(outcome.output), outcome.code, outcome.errors)
}

#[test]
fn every_verb_that_shows_something_prints_one_value() {
    let machine = Machine::new();
    for words in [
        &["list"][..],
        &["status"],
        &["status", "1"],
        &["show-config"],
        &["show-config", "quick"],
        &["plan", "3"],
        &["log", "quick"],
        &["record"],
        &["blame"],
        &["chart"],
    ] {
        parsed(machine.told(&[&["--json"], words].concat()));
    }
}

#[test]
fn whether_a_service_is_enabled_is_told_as_its_links_say() {
    let machine = Machine::new();
    let enabled = || parsed(machine.run(&["status", "quick", "--json"]).stdout)["enabled"].clone();
    assert_eq!(enabled(), json!(true));
    let link = machine.path("etc/rc3.d/S01quick");
    fs::rename(&link, machine.path("etc/rc3.d/K01quick")).unwrap();
    assert_eq!(enabled(), json!(false));
    fs::remove_file(machine.path("etc/rc3.d/K01quick")).unwrap();
    assert_eq!(enabled(), Value::Null);
}

#[test]
fn what_a_script_has_printed_is_a_string_whatever_it_is() {
    let machine = Machine::new();
    machine.write(
        "run/initlog/output/quick.start",
        b"a \"b\"\\\t\x1b[1m\xff\n",
    );
    machine.write("run/initlog/output/quick.stop", "bye");
    let log = parsed(machine.told(&["log", "quick", "--json"]));
    assert_eq!(
        (&log["kind"], &log["name"], &log["notes"]),
        (&json!("script"), &json!("quick"), &json!([]))
    );
    assert_eq!(
        log["outputs"],
        json!([
            {"argument": "start", "text": "a \"b\"\\\t\u{1b}[1m\u{fffd}\n"},
            {"argument": "stop", "text": "bye"},
        ])
    );
    let process = &log["processes"][0];
    assert_eq!(
        (&process["pid"], &process["result"], &process["end_up"]),
        (&json!(311), &json!("exit 0"), &json!(1.12))
    );
}

#[test]
fn of_an_entry_its_processes_are_told() {
    let machine = Machine::new();
    let log = parsed(machine.run(&["log", "l2", "--json"]).stdout);
    assert_eq!(
        (&log["kind"], &log["outputs"]),
        (&json!("entry"), &json!([]))
    );
    machine.write("run/initlog/output/l2.310", "level 2\n");
    let log = parsed(machine.told(&["log", "l2", "--json"]));
    assert_eq!(log["outputs"], json!([{"pid": 310, "text": "level 2\n"}]));
    assert_eq!(log["processes"][0]["pid"], json!(310));
}

#[test]
fn the_picture_of_a_boot_comes_with_what_is_drawn_or_goes_into_its_file() {
    let machine = Machine::new();
    let chart = parsed(machine.told(&["chart", "--json"]));
    let svg = chart["svg"].as_str().unwrap();
    assert!(svg.starts_with("<svg ") && svg.ends_with("</svg>\n"));
    assert_eq!(chart["file"], Value::Null);
    assert_eq!(chart["processes"][2]["name"], json!("quick"));
    let file = machine.path("boot.svg");
    let name = file.to_str().unwrap();
    let chart = parsed(machine.told(&["chart", "--json", "-o", name]));
    assert_eq!(
        (&chart["file"], &chart["svg"]),
        (&json!(name), &Value::Null)
    );
    assert_eq!(fs::read_to_string(file).unwrap(), svg);
}

#[test]
fn what_goes_wrong_is_told_in_the_answer_and_to_people() {
    let machine = Machine::new();
    for (words, code, why) in [
        (&["log", "nobody"][..], 1, "nobody: no output is recorded"),
        (
            &["start", "quick"],
            1,
            "--root is for the verbs that only look",
        ),
        (&["plan", "x"], 1, "x: not a runlevel"),
        (
            &["status", "nobody"],
            4,
            "nobody: neither an inittab entry nor a service",
        ),
    ] {
        let output = machine.run(&[&["--json"], words].concat());
        assert_eq!(output.status.code(), Some(code), "{words:?}");
        assert_eq!(parsed(&output.stdout), json!({"error": why}));
        assert_eq!(
            String::from_utf8(output.stderr).unwrap(),
            format!("initctl: {why}\n")
        );
    }
}

#[test]
fn a_script_that_is_called_tells_how_it_ended_and_what_it_said() {
    let room = room(&[
        ("good", "echo \"$1 from $PWD with ${SECRET-nothing}\"; cat"),
        ("bad", "echo no >&2; exit 3"),
        ("killed", "kill -9 $$"),
    ]);
    let outcome =
        room.run("cd /tmp; echo input | SECRET=1 /sbin/sysvtools initctl --json restart good");
    assert_eq!((outcome.code, &*outcome.errors), (Some(0), ""));
    assert_eq!(
        parsed(outcome.output),
        json!({
            "verb": "restart", "name": "good", "outcome": "done",
            "exit": 0, "signal": null, "output": "restart from / with nothing\n",
        })
    );
    let (answer, code, errors) = called(&room, "stop bad");
    assert_eq!((code, &*errors), (Some(3), ""));
    assert_eq!(
        answer,
        json!({
            "verb": "stop", "name": "bad", "outcome": "failed",
            "exit": 3, "signal": null, "output": "no\n",
        })
    );
    let (answer, code, _) = called(&room, "reload killed");
    assert_eq!(code, Some(128 + 9));
    assert_eq!(
        (&answer["exit"], &answer["signal"]),
        (&Value::Null, &json!(9))
    );
}

#[test]
fn a_script_that_cannot_be_run_is_an_error() {
    let room = room(&[("fine", "exit 0")]);
    room.program("etc/init.d/broken", "#!/no/such/interpreter\n");
    for (name, why) in [
        ("nobody", "nobody: unrecognized service"),
        ("broken", "/etc/init.d/broken: its interpreter is missing"),
    ] {
        let (answer, code, errors) = called(&room, &format!("start {name}"));
        assert_eq!(answer, json!({"error": why}));
        assert_eq!((code, errors), (Some(1), format!("initctl: {why}\n")));
    }
}

#[test]
fn a_daemon_that_keeps_the_output_of_its_script_is_neither_waited_for_nor_ended() {
    let room = room(&[(
        "daemon",
        "(until [ -e /tmp/go ]; do sleep 0.05; done; echo late; echo lived >/tmp/lived; exec sleep 600) & echo started",
    )]);
    let running = room.start(
        "/sbin/sysvtools initctl --json start daemon >/tmp/answer; touch /tmp/go
        until [ -s /tmp/lived ]; do sleep 0.05; done",
    );
    assert_eq!(running.wait().code, Some(0));
    let answer = parsed(room.read("tmp/answer"));
    assert_eq!(
        (&answer["exit"], &answer["output"]),
        (&json!(0), &json!("started\n"))
    );
    assert_eq!(room.read("tmp/lived"), "lived\n");
}

#[test]
fn init_is_asked_and_that_is_told() {
    let room = Room::with(Subject::Ours);
    let fifo = room.fifo();
    for (words, verb, name) in [
        ("reload-configuration", "reload-configuration", Value::Null),
        ("emit a", "emit", json!("a")),
    ] {
        let (answer, code, errors) = called(&room, words);
        assert_eq!((code, &*errors), (Some(0), ""));
        assert_eq!(
            answer,
            json!({"verb": verb, "name": name, "outcome": "asked"})
        );
    }
    assert_requests(&read_now(&fifo), &[level(b'Q', 3), level(b'a', 3)]);
}

#[test]
fn an_event_that_nobody_can_be_told_of_is_an_error() {
    let room = Room::with(Subject::Ours);
    let (answer, code, _) = called(&room, "emit powerfail");
    assert_eq!(code, Some(1));
    let why = answer["error"].as_str().unwrap();
    assert!(why.starts_with("/run/initctl: "), "{why}");
    let (answer, ..) = called(&room, "emit nothing");
    assert!(answer["error"].as_str().unwrap().contains("no such event"));
}

//! What `rc` leaves in the boot record.

use super::{Root, succeeded};
use std::fs;
use sysvinit::record::{End, History, Kind, Line, Status, Verdict, parse};

/// The ends in a record, of scripts only.
pub(super) fn ends(record: &[u8]) -> Vec<End> {
    let (lines, problems) = parse(record);
    assert!(problems.is_empty(), "{}", record.escape_ascii());
    let ends = lines.into_iter().filter_map(|line| match line {
        Line::End(end) if end.subject.kind == Kind::Script => Some(end),
        _ => None,
    });
    ends.collect()
}

#[test]
fn each_script_is_recorded_with_its_end_its_needs_and_its_words() {
    let root = Root::new();
    fs::create_dir_all(root.path().join("run")).unwrap();
    root.script("ok", "echo some words", &["rc3.d/S01ok"])
        .script("fails", "exit 3", &["rc3.d/S02fails"])
        .script("gone", "exit 5", &["rc3.d/S03gone"])
        .script("crash", "kill -SEGV $$", &["rc3.d/S04crash"])
        .file("etc/rc3.d/S05odd", b"#!/no/such/interpreter\n", 0o755);
    succeeded(&mut root.rc(&["3"]));
    let log = root.path().join("run/initlog");
    let record = fs::read(log.join("record")).unwrap();
    let ends = ends(&record);
    let said: Vec<(&[u8], Verdict, bool)> = ends
        .iter()
        .map(|end| {
            let was_started = matches!(end.status, Status::Ended(_));
            (&*end.subject.name, end.verdict, was_started)
        })
        .collect();
    assert_eq!(
        said,
        [
            (&b"ok"[..], Verdict::Ok, true),
            (b"fails", Verdict::Failed, true),
            (b"gone", Verdict::Skipped, true),
            (b"crash", Verdict::Failed, true),
            (b"odd", Verdict::Failed, false),
        ]
    );
    assert_eq!(ends[0].output, Some(11));
    assert!(ends[0].usage.unwrap().peak > 0);
    assert_eq!(
        fs::read(log.join("output/ok.start")).unwrap(),
        b"some words\n"
    );
    let (lines, _) = parse(&record);
    let history = History::of(lines);
    let run = history
        .items
        .iter()
        .find(|item| item.subject.kind == Kind::Run);
    let tally = run.unwrap().end().unwrap().tally.unwrap();
    assert_eq!((tally.scripts, tally.failed), (5, 3));
}

#[test]
fn a_place_for_the_record_that_appears_later_gets_all_of_it() {
    let root = Root::new();
    let run = root.path().join("run");
    root.echo("first", &["rc3.d/S01first"])
        .script(
            "mount",
            &format!("mkdir {}", run.display()),
            &["rc3.d/S02mount"],
        )
        .echo("last", &["rc3.d/S03last"]);
    succeeded(&mut root.rc(&["3"]));
    let ends = ends(&fs::read(run.join("initlog/record")).unwrap());
    let names: Vec<&[u8]> = ends.iter().map(|end| &*end.subject.name).collect();
    assert_eq!(names, [&b"first"[..], b"mount", b"last"]);
    let output = fs::read(run.join("initlog/output/first.start")).unwrap();
    assert_eq!(output, b"S01first start\n");
}

#[test]
fn an_end_is_recorded_while_others_go_on() {
    let root = Root::new();
    fs::create_dir_all(root.path().join("run")).unwrap();
    let record = root.path().join("run/initlog/record");
    let header =
        |name: &str| format!("### BEGIN INIT INFO\n# Provides: {name}\n### END INIT INFO\n");
    let waits = format!(
        "{}tries=0; until grep -q '^end .*name=quick' {}; do tries=$((tries + 1)); [ $tries -lt 1000 ] || exit 1; \
         sleep 0.01; done",
        header("waits"),
        record.display()
    );
    let quick = format!("{}echo words", header("quick"));
    root.script("quick", &quick, &["rc3.d/S01quick"])
        .script("waits", &waits, &["rc3.d/S01waits"])
        .file("etc/default/rc", b"PARALLEL=yes\n", 0o644);
    succeeded(&mut root.rc(&["3"]));
    let ends = ends(&fs::read(record).unwrap());
    assert!(
        ends.iter().all(|end| end.verdict == Verdict::Ok),
        "{ends:?}"
    );
}

//! The picture of a boot and the list of its slowest parts.

use super::*;

fn entry(id: &str, action: &str, number: i32, seconds: u64) -> Line {
    Line::Begin(Begin {
        subject: Subject::entry(id.as_bytes(), action),
        pid: pid(number),
        at: at(seconds),
        level: Some(b'2'),
        previous: Some(b'N'),
        what: b"/etc/init.d/rc 2".as_slice().into(),
    })
}

fn entry_end(id: &str, action: &str, number: i32, seconds: u64) -> Line {
    let Line::End(end) = end(id, number, seconds, 0) else {
        panic!("no end");
    };
    Line::End(End {
        subject: Subject::entry(id.as_bytes(), action),
        ..end
    })
}

fn run(verb: fn(&str, i32, u64) -> Line, seconds: u64) -> Line {
    let subject = Subject::run(b'2', b'N');
    match verb("2", 9, seconds) {
        Line::Begin(begin) => Line::Begin(Begin { subject, ..begin }),
        Line::End(end) => Line::End(End { subject, ..end }),
        other => other,
    }
}

/// A boot whose level runs some scripts, each a second longer than the one before; the third one fails.
fn boot(scripts: u64) -> History {
    let mut lines = vec![entry("l2", "wait", 9, 1), run(begin, 1)];
    let mut now = 1;
    for number in 0..scripts {
        let name = format!("script{number}");
        let process = 100 + i32::try_from(number).unwrap();
        lines.push(begin(&name, process, now));
        now += 1 + number % 7;
        lines.push(end(&name, process, now, u8::from(number == 2)));
    }
    lines.push(run(
        |name, number, seconds| end(name, number, seconds, 0),
        now,
    ));
    lines.push(entry_end("l2", "wait", 9, now));
    lines.push(entry("1", "respawn", 50, now));
    History::of(lines)
}

/// Whether every element that is opened is closed again, and nothing stands outside.
fn is_well_formed(svg: &str) -> bool {
    let mut open = Vec::new();
    for piece in svg.split('<').skip(1) {
        let Some((tag, _)) = piece.split_once('>') else {
            return false;
        };
        if let Some(name) = tag.strip_prefix('/') {
            if open.pop() != Some(name) {
                return false;
            }
        } else if !tag.ends_with('/') {
            open.extend(tag.split(' ').next());
        }
    }
    open.is_empty() && svg.starts_with("<svg ") && svg.ends_with("</svg>\n")
}

#[test]
fn a_chart_has_a_bar_for_each_script_and_entry_whatever_their_number() {
    for scripts in [0, 1, 40, 200] {
        let svg = chart(&boot(scripts), "Boot", Uptime::from_secs(5000));
        assert!(is_well_formed(&svg), "{svg}");
        // The run is shown as the entry it is the process of.
        let groups = u64::try_from(svg.matches("<g><title>").count()).unwrap();
        assert_eq!(groups, scripts + 2);
        for number in 0..scripts {
            assert!(svg.contains(&format!(">script{number} <tspan")), "{svg}");
        }
        assert_eq!(svg.contains("1 failed: script2"), scripts > 2, "{svg}");
    }
}

#[test]
fn an_empty_record_gives_a_chart_that_says_so() {
    let svg = chart(&History::default(), "Boot", Uptime::from_secs(5));
    assert!(is_well_formed(&svg));
    assert!(svg.contains("Nothing is recorded."));
}

#[test]
fn what_still_runs_is_open_to_the_right_and_what_failed_is_red_and_says_why() {
    let svg = chart(&boot(3), "Boot", Uptime::from_secs(5000));
    assert!(svg.contains("fill=\"url(#on-entry)\""));
    let failed = svg
        .lines()
        .position(|line| line.contains("<title>script script2 "))
        .unwrap();
    let bar = svg.lines().nth(failed + 1).unwrap();
    assert!(bar.contains("class=\"failed\""), "{bar}");
    assert!(svg.contains("<tspan class=\"bad\">exit 1</tspan>"));
    assert!(svg.contains("processor 30 ms, memory 3.3 MiB"));
}

/// The left and the right end of each name, as wide as its letters are at most.
fn ends_of_names(svg: &str) -> Vec<(String, f64, f64)> {
    let labels = svg.lines().filter(|line| line.contains("class=\"time\""));
    labels
        .map(|line| {
            let (_, rest) = line.split_once("x=\"").unwrap();
            let x: f64 = rest.split('"').next().unwrap().parse().unwrap();
            let (head, text) = rest.split_once('>').unwrap();
            let letters = text
                .split('<')
                .enumerate()
                .map(|(number, piece)| match number {
                    0 => piece,
                    _ => piece.split_once('>').unwrap().1,
                });
            let text: String = letters.collect();
            let wide = f64::from(u32::try_from(text.chars().count()).unwrap()) * 6.0;
            if head.contains("\"end\"") {
                (text, x - wide, x)
            } else {
                (text, x, x + wide)
            }
        })
        .collect()
}

#[test]
fn names_stand_in_the_picture_wherever_their_bars_are() {
    let long = "a-service-with-a-name-of-very-many-letters-and-more";
    for (from, to) in [(1, 30), (1, 2), (12, 14), (8, 27), (15, 16), (29, 30)] {
        let mut last = end(long, 2, to, 1);
        if let Line::End(end) = &mut last {
            end.verdict = Verdict::TimedOut;
            end.status = Status::Ended(ExitStatus::Killed(Signal::TERM));
        }
        let lines = [
            begin("a", 1, 1),
            end("a", 1, 30, 0),
            begin(long, 2, from),
            last,
        ];
        let more = [begin("b", 3, 29), end("b", 3, 30, 0)];
        let svg = chart(
            &History::of(lines.into_iter().chain(more)),
            "Boot",
            Uptime::from_secs(31),
        );
        let names = ends_of_names(&svg);
        assert_eq!(names.len(), 3);
        for (text, left, right) in names {
            assert!(
                left >= 0.0 && right <= 1200.0,
                "{from} to {to}: {text}: {left} to {right}"
            );
        }
        // On its bar it has the colour that can be read there.
        assert_eq!(
            svg.contains("class=\"on\""),
            (from, to) == (1, 30) || (from, to) == (8, 27)
        );
    }
}

#[test]
fn a_restart_hours_later_is_no_part_of_the_boot() {
    let mut lines = vec![begin("a", 1, 1), end("a", 1, 3, 0)];
    lines.extend([begin("later", 2, 9000), end("later", 2, 9001, 0)]);
    let svg = chart(&History::of(lines), "Boot", Uptime::from_secs(10_000));
    assert!(!svg.contains("later"), "{svg}");
}

#[test]
fn names_of_any_bytes_do_no_harm_to_the_chart() {
    let mut line = begin("x", 1, 1);
    if let Line::Begin(begin) = &mut line {
        begin.subject.name = b"</text><script>&\"\n\xff\0".as_slice().into();
    }
    let svg = chart(&History::of([line]), "a <b> & c", Uptime::from_secs(5));
    assert!(is_well_formed(&svg), "{svg}");
    assert!(!svg.contains("<script>") && svg.contains("a &lt;b&gt; &amp; c"));
}

#[test]
fn the_slowest_is_blamed_first_and_an_entry_not_for_its_scripts() {
    let history = boot(8);
    let names: Vec<String> = blame(&history, Uptime::from_secs(5000))
        .iter()
        .map(|share| {
            format!(
                "{} {}",
                share.item.subject.name.escape_ascii(),
                share.time.as_secs()
            )
        })
        .collect();
    assert_eq!(
        names,
        [
            "script6 7",
            "script5 6",
            "script4 5",
            "script3 4",
            "script2 3",
            "script1 2",
            "script0 1",
            "script7 1"
        ]
    );
}

#[test]
fn what_still_runs_is_blamed_for_the_time_it_has_taken_so_far() {
    let history = History::of([
        begin("done", 1, 1),
        end("done", 1, 5, 0),
        begin("hangs", 2, 5),
        entry("1", "respawn", 3, 1),
        entry("w", "wait", 4, 2),
        entry_end("w", "wait", 4, 4),
    ]);
    let names: Vec<&[u8]> = blame(&history, Uptime::from_secs(100))
        .iter()
        .map(|share| &*share.item.subject.name)
        .collect();
    assert_eq!(names, [b"hangs".as_slice(), b"done", b"w"]);
}

#[test]
fn durations_and_sizes_are_told_in_few_letters() {
    let told = |millis| took(Duration::from_millis(millis));
    assert_eq!(
        [told(0), told(999), told(1234), told(61_000)],
        ["0 ms", "999 ms", "1.23 s", "61.0 s"]
    );
    assert_eq!([memory(900), memory(3456)], ["900 KiB", "3.3 MiB"]);
}

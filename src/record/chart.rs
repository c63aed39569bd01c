//! The picture of a boot: a bar for each process on a time axis, as SVG.
//!
//! It needs nothing but itself, and takes on the viewer's light or dark colours. What has failed is red, what still
//! runs fades out to the right, and the dark foot of a bar is the processor time that was spent in it.
#![forbid(unsafe_code)]

use super::blame::is_waited_for;
use super::words::{ending, memory, shown, took};
use super::{Fate, History, Item, Kind, Verdict};
use crate::uptime::Uptime;
use std::fmt::Write;
use std::time::Duration;

/// What begins so long after everything before it has ended belongs to the boot no more.
const BOOT_IS_OVER: Duration = Duration::from_secs(20);
/// What is started when the last script has ended, such as gettys, is shown if it comes within this time.
const AFTERWARDS: Duration = Duration::from_secs(1);
/// Measures in pixels.
const WIDTH: u32 = 1200;
const MARGIN: u32 = 24;
const HEADER: u32 = 92;
const FOOTER: u32 = 34;
const ROW: u32 = 19;
const BAR: u32 = 13;
/// Room kept at the right end for names.
const NAMES: u32 = 190;
/// About the width of a letter, by which is decided at which side of a bar its name has room.
const LETTER: f64 = 6.3;
/// Letters of a name that are shown; the whole of it is in the tooltip.
const LONGEST: usize = 48;

const STYLE: &str = "\
text { font: 11px system-ui, 'DejaVu Sans', sans-serif; fill: #1b1f24; }
.title { font-size: 20px; font-weight: 600; }
.sub, .axis { fill: #59636e; }
.time { fill: #59636e; }
.paper { fill: #ffffff; }
.grid { stroke: #d9dee4; stroke-width: 1; }
.stripe { fill: #f5f7f9; }
.script { fill: #4f8fd9; } .script-cpu { fill: #1f5fa8; }
.entry { fill: #9aa7b4; } .entry-cpu { fill: #5c6b7a; }
.failed { fill: #d9372c; } .failed-cpu { fill: #97180f; }
.skipped { fill: #cfd6dd; } .skipped-cpu { fill: #9aa7b4; }
.interrupted { fill: #e0a030; } .interrupted-cpu { fill: #9c6a10; }
.bad { fill: #b3241a; font-weight: 600; }
.on, .on tspan { fill: #ffffff; }
@media (prefers-color-scheme: dark) {
  text { fill: #e6e9ed; } .sub, .axis, .time { fill: #9aa4af; }
  .paper { fill: #14181d; } .stripe { fill: #1a2027; } .grid { stroke: #2c343d; }
  .entry { fill: #66727e; } .entry-cpu { fill: #a9b6c2; }
  .script-cpu { fill: #a9cdf5; } .failed-cpu { fill: #ffb3ad; }
  .skipped { fill: #3a444e; } .skipped-cpu { fill: #66727e; }
  .bad { fill: #ff8a80; } .on, .on tspan { fill: #ffffff; }
}
";

/// One process in the picture.
struct Bar<'a> {
    item: &'a Item,
    from: Duration,
    /// Where it ends, if it does so in the picture.
    to: Option<Duration>,
}

/// Draws the boot. `heading` says which one, `now` is how far the record can tell.
pub fn chart(history: &History, heading: &str, now: Uptime) -> String {
    let end = end_of_boot(history, now);
    let bars = bars(history, end);
    let begin = bars.iter().map(|bar| bar.from).min().unwrap_or_default();
    let last = bars.iter().filter_map(|bar| bar.to).max();
    // Those that run on shall be seen to do so.
    let until = last.unwrap_or(end).max(begin + Duration::from_millis(10));
    let length = until.saturating_sub(begin);
    let axis = Axis::new(begin, until + length / 50);
    let rows = u32::try_from(bars.len()).unwrap_or(u32::MAX / ROW).max(1);
    let height = HEADER + rows.saturating_mul(ROW) + FOOTER;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"{WIDTH}\" height=\"{height}\" \
         viewBox=\"0 0 {WIDTH} {height}\" role=\"img\">\n<title>{0}</title>\n<style>\n{STYLE}</style>\n{1}\
         <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\"/>\n",
        escaped(heading),
        gradients(),
    );
    header(&mut svg, heading, &bars, length);
    grid(&mut svg, &axis, rows);
    for (row, bar) in (0..).zip(&bars) {
        draw(&mut svg, bar, HEADER + row * ROW, &axis);
    }
    if bars.is_empty() {
        let y = HEADER + ROW;
        put(
            &mut svg,
            &format!("<text class=\"sub\" x=\"{MARGIN}\" y=\"{y}\">Nothing is recorded.</text>"),
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// Finds where the boot ends: when all that was waited for has ended, and nothing of the kind follows soon.
fn end_of_boot(history: &History, now: Uptime) -> Duration {
    let waited_for = |item: &&Item| item.subject.kind != Kind::Entry || is_waited_for(item);
    let mut spans: Vec<(Uptime, Uptime)> = history
        .items
        .iter()
        .filter(waited_for)
        .filter_map(|item| {
            let end = match &item.fate {
                Fate::Ended(end) => end.at.up,
                Fate::Running => now,
                Fate::Lost => item.began()?,
            };
            Some((item.began()?, end))
        })
        .collect();
    spans.sort_unstable();
    let mut boot: Option<Uptime> = None;
    for (from, to) in spans {
        match boot {
            Some(end) if from.since(end) > BOOT_IS_OVER => break,
            Some(end) => boot = Some(end.max(to)),
            None => boot = Some(to),
        }
    }
    boot.unwrap_or(now).0
}

/// Chooses what is shown, in the order in which it began. A run is shown as the entry it is the process of.
fn bars(history: &History, end: Duration) -> Vec<Bar<'_>> {
    let mut bars: Vec<Bar<'_>> = history
        .items
        .iter()
        .filter(|item| item.subject.kind != Kind::Run)
        .filter_map(|item| {
            let from = item.began()?.0;
            let to = match &item.fate {
                Fate::Ended(ended) => Some(ended.at.up.0).filter(|to| *to <= end + AFTERWARDS),
                Fate::Running => None,
                Fate::Lost => Some(from),
            };
            (from <= end + AFTERWARDS).then_some(Bar { item, from, to })
        })
        .collect();
    bars.sort_by_key(|bar| bar.from);
    bars
}

/// Time across the picture.
struct Axis {
    begin: Duration,
    end: Duration,
    /// Between two lines.
    step: Duration,
}

impl Axis {
    fn new(begin: Duration, end: Duration) -> Self {
        let steps = [
            1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 10_000, 30_000, 60_000,
        ];
        let length = end.saturating_sub(begin).as_millis();
        let fits = |step: &&u64| length / u128::from(**step) <= 14;
        let step = steps.iter().find(fits).copied().unwrap_or(600_000);
        Self {
            begin,
            end,
            step: Duration::from_millis(step),
        }
    }

    fn x(&self, time: Duration) -> f64 {
        let room = f64::from(WIDTH - 2 * MARGIN - NAMES);
        let part = time.saturating_sub(self.begin).as_secs_f64()
            / self.end.saturating_sub(self.begin).as_secs_f64();
        f64::from(MARGIN) + part.min(1.0) * room
    }

    /// The times at which there is a line.
    fn lines(&self) -> Vec<Duration> {
        let step = self.step.as_millis().max(1);
        let first = self.begin.as_millis().div_ceil(step);
        let last = self.end.as_millis() / step;
        (first..=last)
            .filter_map(|count| u64::try_from(count * step).ok())
            .map(Duration::from_millis)
            .collect()
    }
}

fn put(svg: &mut String, line: &str) {
    svg.push_str(line);
    svg.push('\n');
}

/// Bars that run on fade out.
fn gradients() -> String {
    let mut text = String::from("<defs>\n");
    for (name, colour) in [
        ("entry", "#9aa7b4"),
        ("script", "#4f8fd9"),
        ("failed", "#d9372c"),
    ] {
        // Writing to a String cannot fail.
        writeln!(
            text,
            "<linearGradient id=\"on-{name}\"><stop offset=\"0\" stop-color=\"{colour}\"/>\
             <stop offset=\"1\" stop-color=\"{colour}\" stop-opacity=\"0.15\"/></linearGradient>"
        )
        .unwrap_or_default();
    }
    text + "</defs>\n"
}

/// Title, summary and legend.
fn header(svg: &mut String, heading: &str, bars: &[Bar<'_>], length: Duration) {
    let scripts = bars
        .iter()
        .filter(|bar| bar.item.subject.kind == Kind::Script);
    let (scripts, entries) = (scripts.count(), bars.len());
    let failed: Vec<String> = bars
        .iter()
        .filter(|bar| colour(bar.item) == "failed")
        .map(|bar| shown(&bar.item.subject.name, LONGEST))
        .collect();
    put(
        svg,
        &format!(
            "<text class=\"title\" x=\"{MARGIN}\" y=\"34\">{}</text>",
            escaped(heading)
        ),
    );
    let mut summary = format!(
        "{:.1} s, {scripts} scripts, {} inittab entries",
        length.as_secs_f64(),
        entries - scripts
    );
    if !failed.is_empty() {
        let named = failed
            .iter()
            .take(5)
            .cloned()
            .collect::<Vec<_>>()
            .join(", ");
        let more = failed.len().saturating_sub(5);
        let rest = if more > 0 {
            format!(" and {more} more")
        } else {
            String::new()
        };
        write!(
            summary,
            ", <tspan class=\"bad\">{} failed: {}{rest}</tspan>",
            failed.len(),
            escaped(&named)
        )
        .unwrap_or_default();
    }
    put(
        svg,
        &format!("<text class=\"sub\" x=\"{MARGIN}\" y=\"54\">{summary}</text>"),
    );
    let mut x = WIDTH - MARGIN - 530;
    for (class, word, width) in [
        ("script", "rc script", 78),
        ("entry", "inittab entry", 98),
        ("failed", "failed", 62),
        ("interrupted", "interrupted", 88),
        ("skipped", "skipped", 72),
        ("script-cpu", "foot: processor time", 132),
    ] {
        let (top, tall) = if class == "script-cpu" {
            (31, 3)
        } else {
            (24, 10)
        };
        put(
            svg,
            &format!(
                "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"10\" height=\"{tall}\" rx=\"1\"/>\
                 <text class=\"sub\" x=\"{}\" y=\"33\">{word}</text>",
                x + 14
            ),
        );
        x += width;
    }
}

/// The lines of the axis with their times above and below, and a stripe for every other row.
fn grid(svg: &mut String, axis: &Axis, rows: u32) {
    let bottom = HEADER + rows.saturating_mul(ROW);
    for row in (1..rows).step_by(2) {
        let (y, width) = (HEADER + row * ROW, WIDTH - 2 * MARGIN + 16);
        let x = MARGIN - 8;
        put(
            svg,
            &format!(
                "<rect class=\"stripe\" x=\"{x}\" y=\"{y}\" width=\"{width}\" height=\"{ROW}\"/>"
            ),
        );
    }
    for time in axis.lines() {
        let x = axis.x(time);
        let label = format!("{} s", number(time, axis.step));
        put(
            svg,
            &format!(
                "<line class=\"grid\" x1=\"{x:.1}\" x2=\"{x:.1}\" y1=\"{}\" y2=\"{bottom}\"/>\
                 <text class=\"axis\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>\
                 <text class=\"axis\" x=\"{x:.1}\" y=\"{}\" text-anchor=\"middle\">{label}</text>",
                HEADER - 4,
                HEADER - 9,
                bottom + 15
            ),
        );
    }
}

/// Seconds with as many places as the step between two lines has.
fn number(time: Duration, step: Duration) -> String {
    let places = match step.as_millis() {
        1000.. => 0,
        100..1000 => 1,
        10..100 => 2,
        _ => 3,
    };
    format!("{:.places$}", time.as_secs_f64())
}

fn draw(svg: &mut String, bar: &Bar<'_>, top: u32, axis: &Axis) {
    let class = colour(bar.item);
    let from = axis.x(bar.from);
    let to = bar
        .to
        .map_or_else(|| axis.x(axis.end) + 12.0, |to| axis.x(to));
    let width = (to - from).max(2.0);
    let y = top + (ROW - BAR) / 2;
    put(
        svg,
        &format!("<g><title>{}</title>", escaped(&tooltip(bar))),
    );
    let fill = if bar.to.is_none() && ["entry", "script", "failed"].contains(&class) {
        format!("fill=\"url(#on-{class})\"")
    } else {
        format!("class=\"{class}\"")
    };
    put(
        svg,
        &format!(
            "<rect {fill} x=\"{from:.1}\" y=\"{y}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
        ),
    );
    if let (Some(to), Some(usage)) = (bar.to, bar.item.end().and_then(|end| end.usage)) {
        let spent = (usage.user + usage.system).as_secs_f64();
        let length = to.saturating_sub(bar.from).as_secs_f64();
        let part = if length > 0.0 {
            (spent / length).min(1.0)
        } else {
            0.0
        };
        let foot = y + BAR - 4;
        if part * width >= 0.5 {
            put(
                svg,
                &format!(
                    "<rect class=\"{class}-cpu\" x=\"{from:.1}\" y=\"{foot}\" width=\"{:.1}\" height=\"4\" rx=\"1\"/>",
                    part * width
                ),
            );
        }
    }
    label(svg, bar, top + 13, (from, from + width));
    put(svg, "</g>");
}

/// The name goes behind the bar where there is room, else before it, else onto it.
fn label(svg: &mut String, bar: &Bar<'_>, y: u32, (from, to): (f64, f64)) {
    let name = name(bar.item);
    let time = match (bar.to, bar.item.end()) {
        (None, _) => String::new(),
        (Some(_), None) => "end not recorded".to_owned(),
        (Some(to), Some(_)) => took(to.saturating_sub(bar.from)),
    };
    let end = bar.item.end().filter(|_| colour(bar.item) == "failed");
    let why = end.map_or_else(String::new, |end| shown(ending(end).as_bytes(), LONGEST));
    let letters = name.chars().count() + time.len() + why.len() + 2;
    let wide = f64::from(u32::try_from(letters).unwrap_or(200)) * LETTER;
    let room = (8.0, f64::from(WIDTH - 8));
    let (x, anchor, class) = if to + 6.0 + wide <= room.1 {
        (to + 6.0, "start", "")
    } else if from - 6.0 - wide >= room.0 {
        (from - 6.0, "end", "")
    } else if from + 6.0 + wide <= to && end.is_some() {
        (from + 6.0, "start", " class=\"on\"")
    } else {
        ((from + 6.0).min(room.1 - wide), "start", "")
    };
    let mut text = format!("{} <tspan class=\"time\">{time}</tspan>", escaped(&name));
    if !why.is_empty() {
        let why = escaped(&why);
        write!(text, " <tspan class=\"bad\">{why}</tspan>").unwrap_or_default();
    }
    put(
        svg,
        &format!("<text{class} x=\"{x:.1}\" y=\"{y}\" text-anchor=\"{anchor}\">{text}</text>"),
    );
}

/// Which of the colours an item has.
fn colour(item: &Item) -> &'static str {
    let plain = match item.subject.kind {
        Kind::Script => "script",
        Kind::Entry | Kind::Run => "entry",
    };
    match item.end().map(|end| end.verdict) {
        None | Some(Verdict::Ok) => plain,
        Some(Verdict::Failed | Verdict::TimedOut) => "failed",
        Some(Verdict::Skipped) => "skipped",
        Some(Verdict::Interrupted) => "interrupted",
    }
}

fn name(item: &Item) -> String {
    let name = shown(&item.subject.name, LONGEST);
    match item.subject.kind {
        Kind::Script if *item.subject.argument == *b"start" => name,
        Kind::Script | Kind::Run => format!("{name} {}", shown(&item.subject.argument, 12)),
        Kind::Entry => {
            let process = item.begin.as_ref().map_or(&b""[..], |begin| &begin.what);
            format!("{name}: {}", shown(process, LONGEST))
        }
    }
}

/// Everything there is to say of a bar.
fn tooltip(bar: &Bar<'_>) -> String {
    let item = bar.item;
    let mut text = format!(
        "{} {} {}\nbegan at {:.3} s",
        item.subject.kind.name(),
        shown(&item.subject.name, 200),
        shown(&item.subject.argument, 200),
        bar.from.as_secs_f64()
    );
    if let Some(begin) = item.begin.as_ref().filter(|begin| !begin.what.is_empty()) {
        write!(text, "\n{}", shown(&begin.what, 400)).unwrap_or_default();
    }
    if let Some(pid) = item.pid {
        write!(text, "\npid {pid}").unwrap_or_default();
    }
    match &item.fate {
        Fate::Running => text.push_str("\nstill runs"),
        Fate::Lost => text.push_str("\nits end was not recorded"),
        Fate::Ended(end) => {
            let length = item.duration().unwrap_or_default();
            write!(text, "\n{} after {}", ending(end), took(length)).unwrap_or_default();
            if let Some(usage) = end.usage {
                write!(
                    text,
                    "\nprocessor {}, memory {}",
                    took(usage.user + usage.system),
                    memory(usage.peak)
                )
                .unwrap_or_default();
            }
        }
    }
    text
}

fn escaped(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\n' => escaped.push_str("&#10;"),
            other if other.is_control() => escaped.push('?'),
            other => escaped.push(other),
        }
    }
    escaped
}

//! The lines of the log, what waits, what is taken out, and which consoles there are, by table.

use super::escapes::{Besides, Filter};
use super::*;

const STAMP: &str = "Mon Nov 23 03:01:48 2026";

#[test]
fn every_line_begins_with_the_time_wherever_the_text_is_cut() {
    let mut lines = Lines::default();
    let mut log = Vec::new();
    for piece in ["one\ntw", "o\n\npar", "", "t"] {
        log.extend(lines.add(piece.as_bytes(), STAMP));
    }
    let expected = format!("{STAMP}: one\n{STAMP}: two\n{STAMP}: \n{STAMP}: part");
    assert_eq!(String::from_utf8(log).unwrap(), expected);
}

#[test]
fn what_waits_is_given_up_from_its_beginning() {
    let mut waiting = Waiting::new(8);
    waiting.add(b"0123456");
    assert_eq!(waiting.take_lost(), 0);
    waiting.add(b"789ab");
    assert_eq!(waiting.take_lost(), 4);
    assert_eq!(waiting.next(), b"456789ab");
    waiting.written(6);
    waiting.add(b"cd");
    let mut seen = Vec::new();
    while !waiting.is_empty() {
        let part = waiting.next().to_vec();
        waiting.written(part.len());
        seen.extend(part);
    }
    assert_eq!(seen, b"abcd");
    waiting.add(b"0123456789 is longer than all the room there is");
    assert_eq!(waiting.bytes.len(), 8);
    waiting.put_first(b"lost: ");
    assert_eq!(waiting.bytes.make_contiguous(), b"lost: there is");
}

fn passed(besides: Besides, text: &[u8]) -> String {
    // In one piece and byte by byte it is the same.
    let mut whole = Filter::new(besides);
    let mut left = whole.pass(text);
    left.extend(whole.end());
    let mut single = Filter::new(besides);
    let mut again: Vec<u8> = text.iter().flat_map(|&byte| single.pass(&[byte])).collect();
    again.extend(single.end());
    assert_eq!(left, again);
    left.escape_ascii().to_string()
}

#[test]
fn escape_sequences_of_every_form_are_taken_out() {
    for (text, left) in [
        ("plain text\n", r"plain text\n"),
        ("\x1b[31mred\x1b[0m x\x1b[2K\x1b[?25l\x1b[12;40Hy", "red xy"),
        ("\x1b[1;3%mx", "x"),
        ("\x1b(B\x1b)0\x1b%Gx\x1b#8", "x"),
        ("\x1b7\x1b8\x1bcx\x1bM", "x"),
        ("\x1b]0;title\x07x\x1b]2;title\x1b\\y", "xy"),
        ("\x1b]P1a2b3cdx\x1b]Ry", "xy"),
        ("\x1bPstring\x1b\\x\x1b_s\x07y", "xy"),
        ("cut \x1b[31", "cut "),
        ("\x1b[3\x1b[1mx", "x"),
        ("open \x1b]0;title\nnext", r"open \nnext"),
        ("50%\r60%\r\n", r"50%60%\n"),
    ] {
        assert_eq!(passed(Besides::Returns, text.as_bytes()), left, "{text:?}");
        assert_eq!(passed(Besides::Controls, text.as_bytes()), left, "{text:?}");
    }
}

#[test]
fn the_log_keeps_other_control_characters_and_the_reader_does_not() {
    let text = b"a\x08b\tc\x07d\x00e\x7f\xc3\xa4\xff^Mx^[[1my";
    assert_eq!(
        passed(Besides::Returns, text),
        r"a\x08b\tc\x07d\x00e\x7f\xc3\xa4\xff^Mx^[[1my"
    );
    assert_eq!(passed(Besides::Controls, text), r"ab\tcde\xc3\xa4\xffxy");
}

#[test]
fn a_caret_that_names_no_control_character_stays() {
    for (text, left) in [
        ("2^10 and ^foo", "2^10 and ^foo"),
        ("end^", "end^"),
        ("end^\n", r"end^\n"),
        ("^^x", "x"),
        ("^[[31mred^[[0m^M", "red"),
        (
            "^[[?25l^[7^[[1G[^[[32m ok ^[[39;49m^[8^[[?25h^[[0c.",
            "[ ok .",
        ),
    ] {
        assert_eq!(passed(Besides::Controls, text.as_bytes()), left, "{text}");
    }
}

#[test]
fn consoles_are_those_the_kernel_was_told_the_last_first() {
    for (words, expected) in [
        ("quiet ro\n", &[][..]),
        (
            "console=tty0 console=ttyS0,115200n8 quiet\n",
            &["ttyS0", "tty1"],
        ),
        ("console=ttyS0 console=tty0", &["tty1", "ttyS0"]),
        (
            "console=tty0 console=tty1 console=hvc0 console=tty1",
            &["tty1", "hvc0"],
        ),
        ("xconsole=tty5 earlycon=ttyS3 console=", &[]),
        (
            "console=/dev/ttyS1 console=../sda console=null console=console",
            &["ttyS1"],
        ),
    ] {
        assert_eq!(named_consoles(words.as_bytes()), expected, "{words}");
    }
    assert_eq!(active_consoles(b"ttyS0 tty0\n"), ["tty1", "ttyS0"]);
    let many: Vec<String> = (0..40)
        .map(|number| format!("console=ttyS{number}"))
        .collect();
    let consoles = named_consoles(many.join(" ").as_bytes());
    assert_eq!((consoles.len(), consoles[0].as_str()), (16, "ttyS39"));
}

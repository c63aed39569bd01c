//! Values as JSON (RFC 8259), for programs that read what our tools say.
//!
//! Written by hand: it takes a page, and a library would be larger than the tool that uses it.
#![forbid(unsafe_code)]

use std::fmt::{self, Write};
use std::time::Duration;

/// One value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing is known.
    Null,
    /// Yes or no.
    Bool(bool),
    /// A whole number.
    Number(u64),
    /// Seconds, with six places behind the point.
    Seconds(Duration),
    /// A string.
    Text(String),
    /// Values in their order.
    List(Vec<Value>),
    /// Named values in their order.
    Object(Vec<(&'static str, Value)>),
}

impl Value {
    /// Makes a string of any bytes. What is no UTF-8 is replaced, as JSON has no other strings.
    pub fn bytes(bytes: &[u8]) -> Self {
        Self::Text(String::from_utf8_lossy(bytes).into_owned())
    }

    /// Makes a string.
    pub fn text(text: impl Into<String>) -> Self {
        Self::Text(text.into())
    }

    /// Makes a value of what may not be known.
    pub fn known<T>(known: Option<T>, value: impl FnOnce(T) -> Self) -> Self {
        known.map_or(Self::Null, value)
    }

    /// Prints the value, lists a line an item, with a newline at the end.
    pub fn to_text(&self) -> String {
        match self {
            Self::List(items) if !items.is_empty() => {
                let lines: Vec<String> = items.iter().map(|item| format!("  {item}")).collect();
                format!("[\n{}\n]\n", lines.join(",\n"))
            }
            value => format!("{value}\n"),
        }
    }
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Null => f.write_str("null"),
            Self::Bool(answer) => answer.fmt(f),
            Self::Number(number) => number.fmt(f),
            Self::Seconds(time) => write!(f, "{}.{:06}", time.as_secs(), time.subsec_micros()),
            Self::Text(text) => f.write_str(&literal(text)),
            Self::List(items) => {
                f.write_char('[')?;
                for (place, item) in items.iter().enumerate() {
                    write!(f, "{}{item}", if place == 0 { "" } else { ", " })?;
                }
                f.write_char(']')
            }
            Self::Object(members) => {
                f.write_char('{')?;
                for (place, (name, value)) in members.iter().enumerate() {
                    let comma = if place == 0 { "" } else { ", " };
                    write!(f, "{comma}{}: {value}", literal(name))?;
                }
                f.write_char('}')
            }
        }
    }
}

/// A string literal (RFC 8259, section 7).
pub fn literal(text: &str) -> String {
    let mut literal = String::from("\"");
    for character in text.chars() {
        match character {
            '"' | '\\' => {
                literal.push('\\');
                literal.push(character);
            }
            // Writing to a String cannot fail.
            '\0'..='\x1f' => write!(literal, "\\u{:04x}", u32::from(character)).unwrap_or_default(),
            _ => literal.push(character),
        }
    }
    literal.push('"');
    literal
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn strings_escape_quotes_backslashes_and_control_characters() {
        assert_eq!(literal("a\"b\\c\n"), "\"a\\\"b\\\\c\\u000a\"");
        assert_eq!(Value::bytes(b"a\xff").to_string(), "\"a\u{fffd}\"");
    }

    #[test]
    fn a_list_has_a_line_for_each_item() {
        let item = |pid| {
            Value::Object(vec![
                ("name", Value::text("cron")),
                ("pid", Value::known(pid, Value::Number)),
                ("took", Value::Seconds(Duration::from_millis(1500))),
                (
                    "levels",
                    Value::List(vec![Value::text("2"), Value::text("3")]),
                ),
                ("enabled", Value::Bool(pid.is_some())),
            ])
        };
        assert_eq!(
            Value::List(vec![item(Some(7)), item(None)]).to_text(),
            r#"[
  {"name": "cron", "pid": 7, "took": 1.500000, "levels": ["2", "3"], "enabled": true},
  {"name": "cron", "pid": null, "took": 1.500000, "levels": ["2", "3"], "enabled": false}
]
"#
        );
        assert_eq!(Value::List(vec![]).to_text(), "[]\n");
    }
}

//! Rows of words as a table for people: every column as wide as its widest word, two blanks between columns.
#![forbid(unsafe_code)]

/// What stands between two columns.
const GAP: usize = 2;

/// Sets the rows below each other, a line each. The last word of a row is not filled up. Widths count characters.
pub fn aligned<const N: usize>(rows: &[[String; N]]) -> String {
    let mut widths = [0; N];
    for row in rows {
        for (width, word) in widths.iter_mut().zip(row) {
            *width = word.chars().count().max(*width);
        }
    }
    let mut text = String::new();
    for row in rows {
        let mut line = String::new();
        for (word, width) in row.iter().zip(widths) {
            line.push_str(word);
            let filled = width.saturating_sub(word.chars().count()) + GAP;
            line.extend(std::iter::repeat_n(' ', filled));
        }
        text.push_str(line.trim_end());
        text.push('\n');
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_as_wide_as_their_widest_word_and_lines_end_without_blanks() {
        let rows = [["NAME", "PID"], ["a", "1"], ["größer", ""]].map(|row| row.map(str::to_owned));
        assert_eq!(aligned(&rows), "NAME    PID\na       1\ngrößer\n");
        assert_eq!(aligned::<2>(&[]), "");
    }
}

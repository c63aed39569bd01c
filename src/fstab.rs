//! Words as fstab(5) writes them: blanks and backslashes in octal.
#![forbid(unsafe_code)]

/// What stands for what.
const ESCAPES: [(&[u8], u8); 5] = [
    (b"\\011", b'\t'),
    (b"\\012", b'\n'),
    (b"\\040", b' '),
    (b"\\134", b'\\'),
    (b"\\\\", b'\\'),
];

/// Decodes a word. Any other backslash stays what it is.
pub fn decode(word: &[u8]) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(word.len());
    let mut rest = word;
    while let Some((&first, others)) = rest.split_first() {
        let escape = ESCAPES
            .iter()
            .find_map(|(text, byte)| Some((rest.strip_prefix(*text)?, *byte)));
        let (after, byte) = escape.unwrap_or((others, first));
        decoded.push(byte);
        rest = after;
    }
    decoded
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn blanks_and_backslashes_are_decoded_and_nothing_else() {
        for (word, expected) in [
            ("plain", "plain"),
            ("", ""),
            (r"a\040b\011c\012d", "a b\tc\nd"),
            (r"\\ and \134", r"\ and \"),
            (r"\\040", r"\040"),
            (r"\1340", r"\0"),
            (r"x\0400", "x 0"),
            (r"\041 \04 \", r"\041 \04 \"),
        ] {
            assert_eq!(decode(word.as_bytes()), expected.as_bytes(), "{word}");
        }
        assert_eq!(decode(b"\xff\\040\xfe"), b"\xff \xfe");
    }
}

//! The functions and variables of a program, by nm(1) and readelf(1).

use std::ops::Range;
use std::path::Path;
use std::process::Command;

/// A function or a variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Symbol {
    pub(crate) address: u64,
    /// In bytes; zero where it is not known.
    pub(crate) size: usize,
    /// As a person reads it, and as `link/order` has it.
    pub(crate) name: String,
}

/// What a program consists of, in the order of addresses, each of which is named once.
#[derive(Debug, Default)]
pub(crate) struct Program {
    pub(crate) functions: Vec<Symbol>,
    /// Those that can be written to as long as the program runs. Others the start of the program writes to before they are
    /// protected, and where those are together with its tables they are best left.
    pub(crate) variables: Vec<Symbol>,
}

impl Program {
    /// Reads the symbols of a program.
    ///
    /// # Panics
    /// nm(1) or readelf(1) is not there, or the program has no symbols.
    pub(crate) fn read(file: &Path) -> Self {
        let text = print(
            Command::new("nm")
                .args(["--no-sort", "--defined-only", "--print-size", "--demangle"])
                .arg(file),
        );
        let mut symbols: Vec<(char, Symbol)> = text.lines().filter_map(symbol).collect();
        symbols.sort_by(|(_, one), (_, other)| {
            (one.address, &one.name).cmp(&(other.address, &other.name))
        });
        symbols.dedup_by_key(|(_, symbol)| symbol.address);
        let writable = segments(file, "LOAD", "RW");
        let protected = segments(file, "GNU_RELRO", "R");
        // The address of what each thread has one of is none.
        let is_variable = |at: u64| {
            let is_in = |ranges: &[Range<u64>]| ranges.iter().any(|range| range.contains(&at));
            is_in(&writable) && !is_in(&protected)
        };
        let mut program = Self::default();
        for (kind, symbol) in symbols {
            match kind.to_ascii_lowercase() {
                // Code, weak or not, or what chooses among several for the processor.
                't' | 'w' | 'i' => program.functions.push(symbol),
                'd' | 'b' if is_variable(symbol.address) => program.variables.push(symbol),
                _ => {}
            }
        }
        assert!(
            !program.functions.is_empty() && !program.variables.is_empty(),
            "{}: has no symbols",
            file.display()
        );
        program
    }
}

/// Reads a line as `000000000025a280 0000000000000030 t core::ptr::drop_in_place<u8>`, in which the size can be missing.
fn symbol(line: &str) -> Option<(char, Symbol)> {
    let number = |text: &str| {
        u64::from_str_radix(text, 16)
            .ok()
            .filter(|_| text.len() == 16)
    };
    let (address, rest) = line.split_once(' ')?;
    let (first, after) = rest.split_once(' ')?;
    let (size, rest) = number(first).map_or((0, rest), |size| (size, after));
    let (kind, name) = rest.split_once(' ')?;
    let symbol = Symbol {
        address: number(address)?,
        size: usize::try_from(size).ok()?,
        name: name.to_owned(),
    };
    Some((kind.chars().next()?, symbol))
}

/// The addresses of the segments whose lines begin with this word and have these flags.
fn segments(file: &Path, word: &str, flags: &str) -> Vec<Range<u64>> {
    let text = print(
        Command::new("readelf")
            .args(["--segments", "--wide"])
            .arg(file),
    );
    let number = |field: &str| u64::from_str_radix(field.strip_prefix("0x")?, 16).ok();
    let range = |line: &str| {
        let fields: Vec<&str> = line.split_whitespace().collect();
        // Offset, virtual and physical address, size in the file and in memory, flags, alignment.
        let [_, _, address, _, _, size, have, _] = fields[..] else {
            return None;
        };
        let (address, size) = (number(address)?, number(size)?);
        (fields[0] == word && have == flags).then(|| address..address + size)
    };
    text.lines().filter_map(range).collect()
}

fn print(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?} of binutils: {error}"));
    assert!(output.status.success(), "{command:?}: {output:?}");
    String::from_utf8(output.stdout).unwrap()
}

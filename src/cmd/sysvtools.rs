//! `sysvtools` itself, and any name that is none of its tools: says which ones there are.

use std::process::ExitCode;

use super::{Invocation, TOOLS};

const HELP: &str = "\
Usage: sysvtools TOOL [ARGUMENT...], or TOOL [ARGUMENT...] through a link with the tool's name
";

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    let names: Vec<&str> = TOOLS.iter().map(|(name, _)| *name).collect();
    let names = names.join(" ");
    if call.name != "sysvtools" {
        anyhow::bail!("not a tool of sysvtools; it knows {names}");
    }
    match super::answer_standard_options(call, &format!("{HELP}\nTools: {names}\n"))? {
        Some(code) => Ok(code),
        None => anyhow::bail!("name a tool: {names}"),
    }
}

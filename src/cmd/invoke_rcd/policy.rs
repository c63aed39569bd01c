//! Calls the administrator's policy helper: policy-rc.d.

use std::ffi::OsString;
use std::io;
use std::os::unix::ffi::OsStringExt;
use std::path::Path;

use super::args::Run;
use crate::services::policy::{Verdict, by_helper};
use crate::sys;

/// Asks the helper about an action; returns its verdict, and its exit status where that is an odd one.
pub(super) fn ask(
    helper: &Path,
    run: &Run,
    action: &[u8],
    level: Option<u8>,
) -> io::Result<(Verdict, Option<u8>)> {
    let mut words: Vec<OsString> = Vec::new();
    if run.options.quiet {
        words.push("--quiet".into());
    }
    words.push(run.name.clone());
    words.push(OsString::from_vec(action.to_vec()));
    // Compat: no level at all is handed over as none.
    words.extend(level.map(|level| OsString::from_vec(vec![level])));
    let (output, status) = sys::exec::output_of(helper, &words)?;
    let code = match status {
        crate::process::ExitStatus::Exited(code) => code,
        crate::process::ExitStatus::Killed(signal) => crate::cmd::service::script::killed(signal),
    };
    let (verdict, is_odd) = by_helper(code, &output);
    Ok((verdict, is_odd.then_some(code)))
}

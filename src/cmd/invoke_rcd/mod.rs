//! `invoke-rc.d`: runs an action of an rc script for a package, if links and policy allow it (invoke-rc.d(8)).
//!
//! Maintainer scripts call it. What it says and how it ends is an interface, and `tests/service` compares both
//! with Debian's.

mod args;
mod policy;

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use self::args::{Options, Run, SyntaxError, Wish};
use super::services::{Services, link_folder};
use super::{Invocation, pidof, reason, recorded_level};
use crate::paths::Paths;
use crate::rcdir::Link;
use crate::runlevel::Runlevel;
use crate::services::policy::{ByLinks, Verdict, by_links, code};
use crate::sys;

/// What a status that is not allowed ends with: nobody knows.
const STATUS_UNKNOWN: u8 = 4;

pub(crate) fn main(call: &Invocation) -> anyhow::Result<ExitCode> {
    match args::parse(&call.arguments) {
        Ok(Wish::Help) => sys::print::text(args::HELP)?,
        Ok(Wish::Version) => sys::print::text(&super::version_line(&call.name))?,
        Ok(Wish::Run(run)) => {
            let paths = Paths::default();
            let request = Request {
                call,
                run: &run,
                path: Services::new(paths.clone()).path(&run.name),
                paths: &paths,
            };
            return Ok(ExitCode::from(request.answer()));
        }
        Err(SyntaxError { quiet, text }) => {
            if call.arguments.is_empty() {
                sys::print::text(args::HELP)?;
            }
            if !quiet {
                let line = [call.name.as_bytes(), b": syntax error: ", &text].concat();
                sys::print::error_bytes(&line);
            }
            return Ok(ExitCode::from(code::SYNTAX));
        }
    }
    Ok(ExitCode::SUCCESS)
}

/// A call and what it is about.
struct Request<'a> {
    call: &'a Invocation,
    run: &'a Run,
    paths: &'a Paths,
    path: PathBuf,
}

/// Whether links and policy count.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safety {
    /// They do.
    Usual,
    /// The machine goes down; whatever is called then has to run.
    GoingDown,
}

impl Request<'_> {
    fn options(&self) -> &Options {
        &self.run.options
    }

    /// Says something, whether or not it is to be quiet.
    fn insist(&self, text: &[&[u8]]) {
        let line = [self.call.name.as_bytes(), b": ", &text.concat()].concat();
        sys::print::error_bytes(&line);
    }

    fn say(&self, text: &[&[u8]]) {
        if !self.options().quiet {
            self.insist(text);
        }
    }

    fn action(&self) -> &[u8] {
        self.run.action.as_bytes()
    }

    /// Does what is asked for, and returns the exit status.
    fn answer(&self) -> u8 {
        let options = *self.options();
        if !sys::files::is_file(&self.path) {
            let path = self.path.as_os_str().as_bytes();
            self.say(&[b"unknown initscript, ", path, b" not found."]);
            return self.refuse_script();
        }
        let (level, safety) = self.level();
        let (links, broken) = self.links(level);
        let force = options.force || safety == Safety::GoingDown;
        if broken && !options.try_anyway && !force {
            return code::BROKEN;
        }
        if !sys::files::is_executable(&self.path) {
            return self.refuse_script();
        }
        let (verdict, by_policy) = if safety == Safety::GoingDown {
            (links.verdict(), false)
        } else {
            self.verdict(links, level, force)
        };
        if options.query {
            return verdict.code();
        }
        self.act(verdict, by_policy, force)
    }

    /// Ends with a script that is not there or cannot be run.
    fn refuse_script(&self) -> u8 {
        if self.options().query {
            code::DENIED
        } else if self.options().force {
            code::BROKEN
        } else {
            self.deny()
        }
    }

    /// Ends with an action that is not allowed.
    fn deny(&self) -> u8 {
        if self.options().disclose_deny {
            self.not_executed();
            return code::DENIED;
        }
        if self.action() == b"status" {
            self.say(&[b"emulating initscript action \"status\", returning \"unknown\""]);
            return STATUS_UNKNOWN;
        }
        0
    }

    fn not_executed(&self) {
        self.say(&[b"initscript action \"", self.action(), b"\" not executed."]);
    }

    /// Finds out the current level. Where the machine goes down, says so; where it only comes up, with the level of the
    /// time before still recorded, the level is S.
    fn level(&self) -> (Option<u8>, Safety) {
        let recorded = recorded_level::recorded(&self.paths.utmp(), self.paths);
        let Some(level) = recorded.map(|levels| levels.current) else {
            self.say(&[b"could not determine current runlevel"]);
            return (None, Safety::Usual);
        };
        if level != b'0' && level != b'6' {
            return (Some(level), Safety::Usual);
        }
        if is_booting(self.paths) {
            return (Some(b'S'), Safety::Usual);
        }
        let line = b"-----------------------------------------------------";
        self.insist(&[line]);
        let (name, action) = (self.run.name.as_bytes(), self.action());
        self.insist(&[b"WARNING: 'invoke-rc.d ", name, b" ", action, b"' called"]);
        self.insist(&[b"during shutdown sequence."]);
        self.insist(&[b"enabling safe mode: initscript policy layer disabled"]);
        self.insist(&[line]);
        (Some(level), Safety::GoingDown)
    }

    /// Asks the links of the level and of level S, and complains of those that lead nowhere or are none.
    fn links(&self, level: Option<u8>) -> (ByLinks, bool) {
        let level = level.and_then(Runlevel::from_byte);
        let mut links = crate::services::Links::default();
        let mut broken = false;
        for level in level.into_iter().chain([Runlevel::SINGLE]) {
            let folder = link_folder(self.paths, level);
            let mut names = sys::files::names(&folder, usize::MAX).unwrap_or_default();
            names.sort_unstable();
            for name in names {
                let its = Link::parse(name.as_bytes())
                    .is_ok_and(|link| *link.name == *self.run.name.as_bytes());
                if !its {
                    continue;
                }
                let path = folder.join(&name);
                match problem(&path) {
                    Some(Problem::Dangling) => {
                        broken = true;
                        self.say(&[b"dangling symlink: ", path.as_os_str().as_bytes()]);
                        continue;
                    }
                    Some(Problem::NotALink) => {
                        broken = true;
                        self.say(&[b"not a symlink: ", path.as_os_str().as_bytes()]);
                    }
                    None => {}
                }
                links.add(level, name.as_bytes());
            }
        }
        let levels = links.of(self.run.name.as_bytes());
        (by_links(self.action(), levels, level), broken)
    }

    /// Asks the policy, where there is one; tells whether it was what has decided.
    fn verdict(&self, links: ByLinks, level: Option<u8>, force: bool) -> (Verdict, bool) {
        let helper = self.paths.at("/usr/sbin/policy-rc.d");
        if !sys::files::may_execute(&helper) {
            if sys::files::is_there(&self.paths.init()) {
                return (links.verdict(), false);
            }
            let what: &[u8] = if self.options().force {
                b", but force specified so proceeding."
            } else {
                b"! Defaulting to block."
            };
            let missing = b"WARNING: No init system and policy-rc.d missing";
            self.say(&[missing, what]);
            return (Verdict::Denied, false);
        }
        let action = links.described(self.action());
        let asked = policy::ask(&helper, self.run, &action, level);
        let (verdict, odd) = match asked {
            Ok(answer) => answer,
            Err(error) => {
                let why = reason(&error);
                self.say(&[helper.as_os_str().as_bytes(), b": ", why.as_bytes()]);
                (Verdict::Broken(code::BROKEN), None)
            }
        };
        if let Some(status) = odd {
            let status = status.to_string();
            self.say(&[
                b"WARNING: policy-rc.d returned unexpected error status ",
                status.as_bytes(),
                b", 102 used instead.",
            ]);
        }
        if verdict == Verdict::Denied {
            let overriding: &[u8] = if force { b"Overriding " } else { b"" };
            self.say(&[
                overriding,
                b"policy-rc.d denied execution of ",
                self.action(),
                b".",
            ]);
        }
        (verdict, true)
    }

    /// Carries out the verdict.
    fn act(&self, verdict: Verdict, by_policy: bool, force: bool) -> u8 {
        match verdict {
            Verdict::Uncertain => {
                if by_policy {
                    self.say(&[b"policy-rc.d query returned \"behaviour undefined\","]);
                    self.say(&[b"assuming \"", self.action(), b"\" is allowed."]);
                }
            }
            Verdict::Denied if !force => return self.deny(),
            Verdict::Allowed | Verdict::Denied => {}
            Verdict::Fallback(actions) => {
                let list = actions.join(b", ".as_slice());
                if !force && !self.options().no_fallback {
                    let noun: &[u8] = if actions.len() == 1 {
                        b"action"
                    } else {
                        b"actions"
                    };
                    let why = b"\" instead due to policy-rc.d request.";
                    self.say(&[b"executing ", noun, b" \"", &list, why]);
                    return self.try_all(&actions);
                }
                self.say(&[b"ignoring policy-rc.d fallback request: ", &list, b"."]);
                if !force {
                    return self.deny();
                }
            }
            Verdict::Broken(status) => {
                let text = status.to_string();
                self.say(&[b"policy-rc.d returned error status ", text.as_bytes()]);
                if !force && self.options().try_anyway {
                    self.not_executed();
                    return code::BROKEN;
                }
                if !force {
                    return status;
                }
            }
        }
        let status = self.start(self.action());
        if status != 0 {
            self.failed(self.action());
        }
        status
    }

    /// Tries the policy's actions until one succeeds.
    fn try_all(&self, actions: &[Vec<u8>]) -> u8 {
        let mut status = code::BROKEN;
        let mut left = actions.iter().peekable();
        while let Some(action) = left.next() {
            if actions.len() > 1 {
                self.say(&[b"executing initscript action \"", action, b"\"..."]);
            }
            status = self.start(action);
            if status == 0 {
                return 0;
            }
            if left.peek().is_some() {
                self.say(&[b"action \"", action, b"\" failed, trying next action..."]);
            }
        }
        self.failed(actions.last().map_or(b"", Vec::as_slice));
        status
    }

    fn failed(&self, action: &[u8]) {
        let name = self.run.name.as_bytes();
        self.say(&[b"initscript ", name, b", action \"", action, b"\" failed."]);
    }

    /// Runs the script with an action, as it would run from the caller's shell.
    fn start(&self, action: &[u8]) -> u8 {
        use std::os::unix::ffi::OsStringExt;
        let mut words = vec![OsString::from_vec(action.to_vec())];
        words.extend(self.run.words.iter().cloned());
        let environment: Vec<_> = std::env::vars_os().collect();
        match super::service::script::run_to_end(&self.path, &words, &environment) {
            Ok(status) => status,
            Err(error) => super::service::script::why_not(self.call, &self.path, &error),
        }
    }
}

/// What is wrong with a link.
enum Problem {
    Dangling,
    NotALink,
}

fn problem(path: &Path) -> Option<Problem> {
    if !sys::files::is_link(path) {
        Some(Problem::NotALink)
    } else if sys::files::metadata(path).is_err() {
        Some(Problem::Dangling)
    } else {
        None
    }
}

/// Tells whether PID 1 calls itself `init boot`, as it does before the first level.
fn is_booting(paths: &Paths) -> bool {
    let words = pidof::look::process(&paths.processes().join("1")).map(|init| init.arguments);
    words.is_some_and(|words| words.join(&b' ').trim_ascii_end() == b"init boot")
}

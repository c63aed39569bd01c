//! Which scripts of a level may run side by side, and when each may begin.
//!
//! # The order
//! Before a script may begin, everything that its header ([`super::lsb`]) or another's puts before it has to have
//! ended, well or not: a script that fails holds nothing up. What is named there and does not belong to the level
//! counts as met.
//!
//! All kill links end before the first start link begins. A script without a header says nothing of what it needs,
//! so it keeps its place among the links: all that stand before it have ended when it begins, and it has ended
//! when one that stands behind it begins. So do start links that are run with `stop`, as in levels 0 and 6.
//!
//! A script that talks to whoever sits at the console runs alone. When its turn has come, those that stand behind it
//! wait with it, so that it is not put off for ever.
//!
//! Headers that contradict each other make a loop. Within it the order of the links counts instead.
//!
//! # Use
//! [`Schedule::new`] takes the steps of a [plan](super::plan::Plan) with their headers. Then again and again: run
//! what [`Schedule::ready`] names, tell [`Schedule::started`] and [`Schedule::ended`], until [`Schedule::is_done`].
//! A step that cannot be started is told as ended. As long as it is not done, something runs or is ready.
#![forbid(unsafe_code)]

use super::LinkKind;
use super::facilities::Facilities;
use super::graph::Graph;
use super::lsb::Header;
use super::plan::{Argument, Step};
use super::relations::{Direction, Script, between};
use std::fmt;
use std::num::NonZeroUsize;

/// A step and what its script says of itself.
#[derive(Debug, Clone, Copy)]
pub struct Task<'a> {
    /// The step.
    pub step: &'a Step,
    /// The header that counts for its script; none if there is none.
    pub header: Option<&'a Header>,
}

/// The steps of a level while they are run. They are named by their place in the plan.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    limit: NonZeroUsize,
    steps: Vec<Scheduled>,
    /// How many of the first steps have ended, without a gap. Who looks for others begins behind them, so that a level of
    /// many scripts is not looked through again for each.
    ended: usize,
    /// The places of those that run, in their order.
    running: Vec<usize>,
}

/// One step.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Scheduled {
    kind: LinkKind,
    needs: Vec<usize>,
    interactive: bool,
    stage: Stage,
}

/// How far a step has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Stage {
    Waiting,
    Running,
    Ended,
}

/// Scripts of which each needs the next one to come first, and the last one the first.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Loop {
    /// The scripts' names, each once.
    pub names: Vec<Box<[u8]>>,
}

impl Schedule {
    /// Prepares to run the steps of a plan, at most `limit` at a time. Returns with it the loops it has broken.
    pub fn new(
        tasks: &[Task<'_>],
        facilities: &Facilities,
        limit: NonZeroUsize,
    ) -> (Self, Vec<Loop>) {
        let mut schedule = Self {
            limit,
            steps: Vec::with_capacity(tasks.len()),
            ended: 0,
            running: Vec::new(),
        };
        let mut loops = Vec::new();
        // The plan puts kill links first.
        for tasks in tasks.chunk_by(|a, b| a.step.link.kind == b.step.link.kind) {
            let mut graph = edges(tasks, facilities);
            for places in graph.break_loops() {
                let of_loop = places.into_iter().filter_map(|place| tasks.get(place));
                loops.push(Loop {
                    names: of_loop.map(|task| task.step.link.name.clone()).collect(),
                });
            }
            keep_places(tasks, &mut graph);
            let before = schedule.steps.len();
            for (place, task) in tasks.iter().enumerate() {
                schedule.steps.push(Scheduled {
                    kind: task.step.link.kind,
                    needs: graph.needs(place).map(|needed| needed + before).collect(),
                    interactive: is_interactive(task, facilities),
                    stage: Stage::Waiting,
                });
            }
        }
        (schedule, loops)
    }

    /// Lists the steps to start now, in the order of the plan and no more than the limit allows.
    pub fn ready(&self) -> Vec<usize> {
        let running = self.running.len();
        if self.running().any(|place| self.is_interactive(place)) {
            return Vec::new();
        }
        let kind = self.kind_at_hand();
        let mut ready = Vec::new();
        for (place, step) in self.open() {
            let may_begin = step.stage == Stage::Waiting
                && Some(step.kind) == kind
                && step.needs.iter().all(|&needed| self.has_ended(needed));
            if running + ready.len() >= self.limit.get() {
                break;
            }
            match (may_begin, step.interactive) {
                (true, false) => ready.push(place),
                (true, true) => {
                    if running == 0 && ready.is_empty() {
                        ready.push(place);
                    }
                    break;
                }
                (false, _) => {}
            }
        }
        ready
    }

    /// Hears that a step runs.
    pub fn started(&mut self, step: usize) {
        self.pass(step, Stage::Running);
        self.running.push(step);
        self.running.sort_unstable();
    }

    /// Hears that a step has ended, however it has, or that it is not going to be run.
    pub fn ended(&mut self, step: usize) {
        self.pass(step, Stage::Ended);
        let open = self.open().find(|(_, step)| step.stage != Stage::Ended);
        self.ended = open.map_or(self.steps.len(), |(place, _)| place);
    }

    fn pass(&mut self, place: usize, stage: Stage) {
        self.running.retain(|&running| running != place);
        if let Some(step) = self.steps.get_mut(place) {
            step.stage = stage;
        }
    }

    /// Tells whether there are steps that have not begun.
    pub fn has_waiting(&self) -> bool {
        self.open().any(|(_, step)| step.stage == Stage::Waiting)
    }

    /// Tells whether every step has ended.
    pub fn is_done(&self) -> bool {
        self.open().all(|(_, step)| step.stage == Stage::Ended)
    }

    /// Lists the steps that run.
    pub fn running(&self) -> impl Iterator<Item = usize> + '_ {
        self.running.iter().copied()
    }

    /// Lists what has to have ended before a step may begin; that a start link also waits for all kill links is not
    /// said.
    pub fn needs(&self, step: usize) -> &[usize] {
        self.steps.get(step).map_or(&[], |step| &step.needs)
    }

    /// Tells whether a step is to have the console to itself.
    pub fn is_interactive(&self, step: usize) -> bool {
        self.steps.get(step).is_some_and(|step| step.interactive)
    }

    /// The steps, with their places, but for the first ones that have ended.
    fn open(&self) -> impl Iterator<Item = (usize, &Scheduled)> {
        self.steps.iter().enumerate().skip(self.ended)
    }

    fn has_ended(&self, step: usize) -> bool {
        let stage = self.steps.get(step).map(|step| step.stage);
        stage.is_none_or(|stage| stage == Stage::Ended)
    }

    /// The kind of links that are run at present. Kill links stand first.
    fn kind_at_hand(&self) -> Option<LinkKind> {
        let mut open = self.open().filter(|(_, step)| step.stage != Stage::Ended);
        open.next().map(|(_, step)| step.kind)
    }
}

/// The edges that headers make between steps of one kind.
fn edges(tasks: &[Task<'_>], facilities: &Facilities) -> Graph {
    let scripts: Vec<Script<'_>> = tasks.iter().map(script).collect();
    let direction = match tasks.first().map(|task| task.step.link.kind) {
        Some(LinkKind::Kill) => Direction::Stop,
        _ => Direction::Start,
    };
    between(&scripts, facilities, direction)
}

fn script<'a>(task: &Task<'a>) -> Script<'a> {
    Script {
        name: &task.step.link.name,
        header: task.header.filter(|_| has_place_of_its_own(task)),
    }
}

/// Tells whether the header says where the step belongs; otherwise its link does.
fn has_place_of_its_own(task: &Task<'_>) -> bool {
    let stops_by_start_link =
        task.step.link.kind == LinkKind::Start && task.step.argument == Argument::Stop;
    task.header.is_some() && !stops_by_start_link
}

/// Keeps each step that only its link places between what comes before it and what comes behind it, where the
/// edges there are have the last word.
fn keep_places(tasks: &[Task<'_>], graph: &mut Graph) {
    let mut fence = None;
    let mut since = Vec::new();
    for place in graph.sorted() {
        if let Some(fence) = fence {
            graph.put_before(fence, place);
        }
        if tasks.get(place).is_some_and(has_place_of_its_own) {
            since.push(place);
        } else {
            for earlier in since.drain(..) {
                graph.put_before(earlier, place);
            }
            fence = Some(place);
        }
    }
}

fn is_interactive(task: &Task<'_>, facilities: &Facilities) -> bool {
    let provides = task.header.map_or(&[][..], |header| &header.provides);
    task.header.is_some_and(|header| header.interactive)
        || provides.iter().any(|name| facilities.is_interactive(name))
}

impl fmt::Display for Loop {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for name in &self.names {
            write!(f, "{} -> ", name.escape_ascii())?;
        }
        let first = self.names.first().map_or(&[][..], |name| name);
        write!(f, "{}", first.escape_ascii())
    }
}

#[cfg(test)]
mod tests;

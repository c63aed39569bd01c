//! Whether everybody has what it requires, and what else there is to tell about headers.
#![forbid(unsafe_code)]

use super::super::facilities::{ALL, Facilities, NULL, Need};
use super::super::lsb::{self, Names};
use super::super::relations::{self, Direction, providers};
use super::{Levels, Placed, Problem, Request, Script, Verb, Why, name_of};
use crate::runlevel::{Runlevel, RunlevelSet};
use std::collections::{BTreeMap, BTreeSet};

/// Links what the linked scripts require and is not linked, in its default levels.
pub(super) fn add_required(
    scripts: &[Script],
    known: &[relations::Script<'_>],
    facilities: &Facilities,
    placed: &mut [Placed],
) {
    let providers = providers(known);
    loop {
        let mut wanted: BTreeSet<usize> = BTreeSet::new();
        for (script, _) in scripts
            .iter()
            .zip(&*placed)
            .filter(|(_, placed)| placed.is_linked())
        {
            for service in required(script, facilities) {
                let providers = providers.get(&*service).map_or(&[][..], |places| places);
                let is_linked = |place: &&usize| placed.get(**place).is_some_and(Placed::is_linked);
                if !providers.iter().any(|place| is_linked(&place)) {
                    wanted.extend(providers.first());
                }
            }
        }
        let before: Vec<Placed> = placed.to_vec();
        for place in wanted {
            if let (Some(script), Some(placed)) = (scripts.get(place), placed.get_mut(place)) {
                (placed.start, placed.stop) = script.default_levels();
            }
        }
        if before == placed {
            return;
        }
    }
}

/// Lists all problems but loops.
pub(super) fn problems(
    scripts: &[Script],
    known: &[relations::Script<'_>],
    facilities: &Facilities,
    request: &Request,
    placed: &[Placed],
) -> Vec<Problem> {
    let mut all = Vec::new();
    let providers = providers(known);
    let concerned = |place: &usize| {
        placed.get(*place).is_some_and(Placed::is_linked)
            || request.asks_for(name_of(scripts, *place))
    };
    for (place, (script, placed)) in scripts.iter().zip(placed).enumerate() {
        if concerned(&place) {
            header(script, &mut all);
        }
        if request.asks_for(&script.name) && request.verb != Verb::Remove {
            of_request(script, request, &mut all);
        }
        if placed.is_linked() {
            unknown_facilities(script, facilities, &mut all);
        }
    }
    for (service, places) in &providers {
        let several: Vec<usize> = places.iter().copied().filter(concerned).collect();
        for &place in several.iter().skip(1) {
            all.push(Why::Provided {
                script: name_of(scripts, place).into(),
                service: (*service).into(),
            });
        }
    }
    let check = Check {
        scripts,
        placed,
        providers,
        request,
    };
    for (script, placed) in scripts
        .iter()
        .zip(placed)
        .filter(|(_, placed)| placed.is_linked())
    {
        for service in required(script, facilities) {
            all.extend(check.required(script, placed, &service));
        }
    }
    all.into_iter()
        .map(|why| Problem::new(why, request))
        .collect()
}

/// The services that have to be there before a script can be started.
fn required(script: &Script, facilities: &Facilities) -> Vec<Box<[u8]>> {
    let header = script.header.as_ref();
    let names = header.into_iter().flat_map(|header| &header.required_start);
    let members = names.flat_map(|name| facilities.members(name));
    let needed = members.filter(|member| member.need == Need::Required);
    needed.map(|member| member.name).collect()
}

fn header(script: &Script, all: &mut Vec<Why>) {
    let mut overlaps = false;
    for diagnostic in &script.diagnostics {
        if let lsb::Problem::StartAndStop(_) = diagnostic.problem {
            overlaps = true;
        } else {
            all.push(Why::Header(script.name.clone(), diagnostic.clone()));
        }
    }
    if let Some(header) = script.header.as_ref().filter(|_| overlaps) {
        all.push(Why::Overlap {
            script: script.name.clone(),
            start: header.default_start,
            stop: header.default_stop,
        });
    }
}

/// Tells what does not count of a request for one script.
fn of_request(script: &Script, request: &Request, all: &mut Vec<Why>) {
    let (start, stop) = script.default_levels();
    let is_vain = |asked: &super::Asked| {
        (asked.start.is_some() && !request.counts(start))
            || (asked.stop.is_some() && !request.counts(stop))
    };
    let mut asked = request
        .asked
        .iter()
        .filter(|asked| asked.name == script.name);
    if asked.any(is_vain) {
        all.push(Why::NeedsForce(script.name.clone()));
    }
    if !script.is_linked() || request.levels == Levels::Default {
        return;
    }
    let both = [
        (Direction::Start, script.start, start),
        (Direction::Stop, script.stop, stop),
    ];
    for (direction, current, default) in both {
        if current != default {
            all.push(Why::Overrides {
                script: script.name.clone(),
                direction,
                current,
                default,
            });
        }
    }
}

fn unknown_facilities(script: &Script, facilities: &Facilities, all: &mut Vec<Why>) {
    let header = script.header.iter();
    let lists = header.flat_map(|header| [&header.required_start, &header.required_stop]);
    for name in lists.flatten() {
        let is_unknown = name.starts_with(b"$")
            && **name != *ALL
            && **name != *NULL
            && !facilities.is_known(name);
        let why = Why::UnknownFacility(name.clone());
        if is_unknown && !all.contains(&why) {
            all.push(why);
        }
    }
}

/// What it takes to say whether a service is there.
struct Check<'a> {
    scripts: &'a [Script],
    placed: &'a [Placed],
    providers: BTreeMap<&'a [u8], Vec<usize>>,
    request: &'a Request,
}

impl Check<'_> {
    /// Says what is wrong with a service that a linked script requires.
    fn required(&self, script: &Script, placed: &Placed, service: &[u8]) -> Option<Why> {
        let provided_by = self.providers.get(service).map_or(&[][..], |places| places);
        let names = || -> Names {
            provided_by
                .iter()
                .map(|&place| name_of(self.scripts, place).into())
                .collect()
        };
        let linked = || {
            provided_by
                .iter()
                .filter_map(|&place| self.placed.get(place))
                .filter(|placed| placed.is_linked())
        };
        if linked().next().is_none() {
            // Whoever installs a script is told that the service has to be enabled, be there one or not.
            let is_new = self.request.asks_for(&script.name) && !script.is_linked();
            return Some(if provided_by.is_empty() && !is_new {
                Why::Missing {
                    service: service.into(),
                    script: script.name.clone(),
                }
            } else {
                Why::NotEnabled {
                    service: service.into(),
                    script: script.name.clone(),
                    providers: names(),
                }
            });
        }
        // The levels of a script that has just been linked are those of its header, which is taken at its word.
        if !script.is_linked() || self.request.levels == Levels::Default {
            return None;
        }
        let there = linked().fold(RunlevelSet::EMPTY, |levels, placed| levels.or(placed.start));
        let missed = placed.start.without(there);
        (!missed.is_empty() && !there.contains(Runlevel::SINGLE)).then(|| Why::Missed {
            service: service.into(),
            script: script.name.clone(),
            providers: names(),
            levels: missed,
        })
    }
}

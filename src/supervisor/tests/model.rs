//! Long lives of the model in `properties`: random events of any order, and the invariants after each.
//!
//! A short one runs with the other tests. `make model` asks for ten million steps by `MODEL_STEPS`, shows how far it
//! has come, and names the seed, with which `MODEL_SEED` has the same lives again.

use super::super::properties::{World, entries, options, step};
use crate::supervisor::Event;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, RngAlgorithm, TestRng, TestRunner};
use std::io::Write;

/// How many steps without a word from outside.
const SHORT: u64 = 3_000;
/// A life has so many steps, then another table begins another one.
const LIFE: u64 = 1_000;
/// After so many steps a line tells that the test is alive.
const TELL: u64 = 250_000;

fn number(name: &str) -> Option<u64> {
    let text = std::env::var(name).ok()?;
    Some(
        text.parse()
            .unwrap_or_else(|_| panic!("{name}={text} is no number")),
    )
}

fn random<S: Strategy>(runner: &mut TestRunner, strategy: &S) -> S::Value {
    strategy.new_tree(runner).unwrap().current()
}

#[test]
fn the_invariants_hold_through_long_lives() {
    let steps = number("MODEL_STEPS").unwrap_or(SHORT);
    let seed = number("MODEL_SEED").unwrap_or_else(|| u64::from(std::process::id()));
    let mut bytes = [0; 32];
    bytes[..8].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let mut runner = TestRunner::new_with_rng(Config::default(), rng);
    let (step, entries, options) = (step(), entries(), options());
    // Shown when an invariant is broken.
    writeln!(std::io::stdout(), "MODEL_SEED={seed}").unwrap();
    for done in 0..steps.div_ceil(LIFE) {
        let mut world = World::new(
            random(&mut runner, &entries),
            &random(&mut runner, &options),
        );
        world.happens(Event::Booted);
        for at in 0..LIFE.min(steps - done * LIFE) {
            let step = random(&mut runner, &step);
            world.take(step);
            let count = done * LIFE + at + 1;
            if count.is_multiple_of(TELL) {
                // Not by a macro, whose output the test runner keeps to itself.
                writeln!(std::io::stderr(), "{count} of {steps} steps, seed {seed}").unwrap();
            }
        }
    }
}

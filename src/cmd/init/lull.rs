//! When the ends of other people's children are put off for a moment, to be taken together.
//!
//! On a machine where many processes are left to init and end at once, each of them wakes it up: for the wait, the signal, the
//! child, and the answer that there is no other. That they are reaped changes nothing but a number in the kernel's books, so
//! where they come that fast init looks only every two milliseconds, as a network card's driver does.

use crate::uptime::Uptime;
use std::time::Duration;

/// Wake-ups that follow one another within this time are counted as a storm of them.
const CLOSE: Duration = Duration::from_millis(1);
/// So many of them in a row are one.
const MANY: u32 = 16;
/// How long nobody is reaped then. What init's own children wait for is so much later meanwhile.
const PAUSE: Duration = Duration::from_millis(2);
/// So many taken together are one still.
const FEW: usize = 4;

/// Whether the ends of children are looked at now.
#[derive(Debug, Default)]
pub(super) struct Lull {
    last: Option<Uptime>,
    in_a_row: u32,
    until: Option<Uptime>,
}

impl Lull {
    /// Takes note that so many strangers have been reaped at this time, and whether somebody of init's own was among them.
    pub(super) fn note(&mut self, now: Uptime, strangers: usize, has_own: bool) {
        if strangers == 0 && !has_own {
            return;
        }
        let is_close = strangers >= FEW || self.last.is_some_and(|last| now.since(last) < CLOSE);
        self.in_a_row = if is_close && !has_own {
            self.in_a_row.saturating_add(1)
        } else {
            0
        };
        self.last = Some(now);
        self.until = (self.in_a_row >= MANY).then(|| now.after(PAUSE));
    }

    /// When children are looked at again; none where they are now.
    pub(super) fn until(&self, now: Uptime) -> Option<Uptime> {
        self.until.filter(|&until| until > now)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(micros: u64) -> Uptime {
        Uptime(Duration::from_micros(micros))
    }

    /// A storm that has lasted until this time.
    fn storm(lull: &mut Lull) -> u64 {
        for turn in 0..=u64::from(MANY) {
            lull.note(at(turn * 100), 1, false);
        }
        u64::from(MANY) * 100
    }

    #[test]
    fn a_storm_is_put_off_for_two_milliseconds_and_no_longer() {
        let mut lull = Lull::default();
        let now = storm(&mut lull);
        assert_eq!(lull.until(at(now)), Some(at(now + 2000)));
        assert_eq!(lull.until(at(now + 1999)), Some(at(now + 2000)));
        assert_eq!(lull.until(at(now + 2000)), None);
    }

    #[test]
    fn a_storm_goes_on_as_long_as_several_come_in_each_pause() {
        let mut lull = Lull::default();
        let now = storm(&mut lull) + 2100;
        lull.note(at(now), 20, false);
        assert!(lull.until(at(now)).is_some());
        let now = now + 2100;
        lull.note(at(now), 1, false);
        assert_eq!(lull.until(at(now)), None);
    }

    #[test]
    fn few_that_come_close_together_are_no_storm() {
        let mut lull = Lull::default();
        for turn in 0..u64::from(MANY) {
            lull.note(at(turn * 100), 1, false);
            assert_eq!(lull.until(at(turn * 100)), None);
        }
    }

    #[test]
    fn those_that_come_now_and_then_are_never_put_off() {
        let mut lull = Lull::default();
        for turn in 0..1000 {
            lull.note(at(turn * 1000), 1, false);
            assert_eq!(lull.until(at(turn * 1000)), None);
        }
    }

    #[test]
    fn an_end_of_our_own_is_the_end_of_a_storm() {
        let mut lull = Lull::default();
        let now = storm(&mut lull) + 100;
        lull.note(at(now), 3, true);
        assert_eq!(lull.until(at(now)), None);
    }

    #[test]
    fn a_look_that_finds_nobody_changes_nothing() {
        let mut lull = Lull::default();
        let now = storm(&mut lull);
        lull.note(at(now + 50), 0, false);
        assert_eq!(lull.until(at(now + 50)), Some(at(now + 2000)));
    }
}

//! Crashes on demand, for the tests of crash recovery; not compiled into the product.

use crate::paths::Paths;
use crate::sys;

/// Crashes as the file `/run/crash-now` says: a way, and the beginning of the event or effect at which it happens.
/// Once, unless a third word says otherwise.
pub(super) fn look(paths: &Paths, at_hand: &dyn std::fmt::Debug) {
    let path = paths.at("/run/crash-now");
    let Ok(text) = sys::files::read(&path, 4096) else {
        return;
    };
    let text = String::from_utf8_lossy(&text);
    let mut words = text.split_whitespace();
    let (Some(way), Some(place)) = (words.next(), words.next()) else {
        return;
    };
    if !format!("{at_hand:?}").starts_with(place) {
        return;
    }
    if words.next().is_none() {
        sys::files::remove(&path).unwrap_or_default();
    }
    sys::provoked::crash(way);
}

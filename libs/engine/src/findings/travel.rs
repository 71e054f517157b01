//! R8: a person who is in two places faster than anything flies. Judged only when a source gives coordinates.

use std::time::Duration;

use ops_contract::{FindingSeverity, Timestamp};
use serde::{Deserialize, Serialize};

use super::access::{Access, Who};
use super::found::Found;
use super::recent::apart;

/// Nothing that people travel with is faster.
const KM_PER_HOUR: f64 = 1_000.0;
/// Addresses are not placed more exactly than this.
const NEAR_KM: f64 = 100.0;
const EARTH_KM: f64 = 6_371.0;
/// Two entries of the same moment are this far apart: speeds stay finite.
const SHORTEST: Duration = Duration::from_secs(1);

/// Where a person was last.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Travel(Option<Place>);

/// Millionths of a degree.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
struct Place {
    at: Timestamp,
    seq: u64,
    latitude: i64,
    longitude: i64,
}

impl Travel {
    pub(super) fn judge(&mut self, access: &Access<'_>) -> Option<Found> {
        if access.who == Who::Program {
            return None;
        }
        let (latitude, longitude) = access.place()?;
        let here = Place { at: access.at, seq: access.seq, latitude, longitude };
        let there = self.0.replace(here)?;
        let (km, took) = (distance_km(there, here), apart(here.at, there.at).max(SHORTEST));
        let speed = km / (took.as_secs_f64() / 3_600.0);
        (km > NEAR_KM && speed > KM_PER_HOUR).then(|| {
            let summary = format!(
                "{} was {km:.0} km away {} minutes before: {speed:.0} km/h",
                access.principal,
                took.as_secs() / 60
            );
            let found = Found::declared("R8", "speed", FindingSeverity::Warning, summary);
            found.about_none().shown_by(vec![there.seq])
        })
    }
}

/// Along a great circle.
fn distance_km(from: Place, to: Place) -> f64 {
    let radians = |micro: i64| (micro as f64 / 1e6).to_radians();
    let (from_lat, to_lat) = (radians(from.latitude), radians(to.latitude));
    let north = ((to_lat - from_lat) / 2.0).sin().powi(2);
    let east = (radians(to.longitude - from.longitude) / 2.0).sin().powi(2);
    let half = (north + from_lat.cos() * to_lat.cos() * east).clamp(0.0, 1.0);
    2.0 * EARTH_KM * half.sqrt().asin()
}

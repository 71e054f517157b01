//! Reads details from JSON and refuses a name that stands twice: another reader might show the other value.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry as Place;
use std::fmt;

use serde::Deserializer;
use serde::de::{Error, MapAccess, Visitor};

use super::MAX_DETAILS;

pub(super) fn details<'de, D: Deserializer<'de>>(
    deserializer: D,
) -> Result<BTreeMap<String, String>, D::Error> {
    deserializer.deserialize_map(Details)
}

struct Details;

impl<'de> Visitor<'de> for Details {
    type Value = BTreeMap<String, String>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("details: texts by name")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut details = BTreeMap::new();
        while let Some((name, value)) = map.next_entry::<String, String>()? {
            match details.entry(name) {
                Place::Vacant(place) => place.insert(value),
                Place::Occupied(place) => {
                    return Err(A::Error::custom(format!("the detail {} stands twice", place.key())));
                }
            };
            if details.len() > MAX_DETAILS {
                return Err(A::Error::custom(format!("more than {MAX_DETAILS} details")));
            }
        }
        Ok(details)
    }
}

//! Whatever a device sends, nothing panics, what is read can be written, and no clear value gets through.

use rand::rngs::StdRng;
use rand::{Rng, RngExt, SeedableRng};
use serde_json::{Value, json};

use super::samples::{CLEAR, TEST, denied, read, write};
use super::tests::places;

const ROUNDS: usize = 20_000;

/// What may stand anywhere in a line.
fn anything(random: &mut impl Rng) -> Value {
    match random.random_range(0..9) {
        0 => Value::Null,
        1 => json!(random.random::<i64>()),
        2 => json!(random.random::<bool>()),
        3 => json!(CLEAR),
        4 => json!([CLEAR, { "a": CLEAR }]),
        5 => json!({ "data": { "password": CLEAR, "user": { "x": CLEAR } } }),
        6 => json!(format!("hmac-sha256:{CLEAR}")),
        7 => json!("\u{202e}\n\0".repeat(2_000)),
        _ => json!({}),
    }
}

/// Puts something else in one place below `data`, `accessor`, tokens and the like: where values may stand.
fn change(value: &mut Value, random: &mut impl Rng) {
    match value {
        Value::Object(map) if !map.is_empty() && random.random_range(0..5) != 0 => {
            let at = random.random_range(0..map.len());
            if let Some((_, inner)) = map.iter_mut().nth(at) {
                change(inner, random);
            }
        }
        Value::Array(all) if !all.is_empty() => {
            let at = random.random_range(0..all.len());
            if let Some(inner) = all.get_mut(at) {
                change(inner, random);
            }
        }
        other => *other = anything(random),
    }
}

#[test]
fn nothing_that_is_sent_panics() {
    let (places, mut random) = (places(), StdRng::seed_from_u64(6));
    let samples = [read(), write(), denied(), TEST.to_owned()];
    let mut read = 0;
    for round in 0..ROUNDS {
        let mut bytes = samples[round % samples.len()].clone().into_bytes();
        for _ in 0..random.random_range(1..6) {
            let at = random.random_range(0..bytes.len());
            match random.random_range(0..4) {
                0 => bytes[at] = random.random(),
                1 => bytes.truncate(at.max(1)),
                2 => bytes.insert(at, random.random()),
                _ => {
                    let piece = bytes[at..].to_vec();
                    bytes.extend(piece);
                }
            }
        }
        if let Ok(told) = super::read("bao", &bytes, &places) {
            read += 1;
            assert!(!told.drafts.is_empty());
            for draft in told.drafts {
                draft.at(0, 0).encode().unwrap();
            }
        }
    }
    assert!(read > ROUNDS / 100, "only {read} of the lines could be read: the test looks at nothing");
}

#[test]
fn no_value_in_clear_gets_through() {
    let (places, mut random) = (places(), StdRng::seed_from_u64(7));
    let samples: Vec<Value> =
        [read(), write(), denied()].iter().map(|it| serde_json::from_str(it).unwrap()).collect();
    // Where a store puts what was sent, answered or goes wrong; names and paths stand in clear by design.
    let places_of_values = [
        "/request/data",
        "/response/data",
        "/response/wrap_info",
        "/response/auth/client_token",
        "/auth/accessor",
        "/auth/client_token",
        "/request/client_token",
        "/request/client_token_accessor",
        "/request/headers",
        "/error",
    ];
    let mut read = 0;
    for round in 0..ROUNDS {
        let mut line = samples[round % samples.len()].clone();
        for _ in 0..random.random_range(1..5) {
            let place = places_of_values[random.random_range(0..places_of_values.len())];
            match line.pointer_mut(place) {
                Some(value) => change(value, &mut random),
                None => {
                    let (parent, name) = place.rsplit_once('/').unwrap();
                    if let Some(Value::Object(map)) = line.pointer_mut(parent) {
                        map.insert(name.to_owned(), anything(&mut random));
                    }
                }
            }
        }
        let Ok(told) = super::read("bao", line.to_string().as_bytes(), &places) else { continue };
        read += 1;
        for draft in told.drafts {
            let text = format!("{draft:?}");
            assert!(!text.contains(CLEAR), "{line} gave {text}");
            draft.at(0, 0).encode().unwrap();
        }
    }
    assert!(read > ROUNDS / 4, "only {read} of the lines could be read: the test looks at nothing");
}

#![allow(clippy::unwrap_used)]

use super::*;
use crate::{Labels, STALE, Sample};

fn items(frame: &[u8]) -> Vec<Item<'_>> {
    Decoder::new(frame).unwrap().collect::<Result<_, _>>().unwrap()
}

fn labels(name: &str) -> Labels {
    Labels::new([("__name__", name), ("job", "größe")]).unwrap()
}

#[test]
fn every_value_and_time_comes_back_with_its_bits() {
    let values = [
        0.0,
        -0.0,
        1.0,
        -1.0,
        0.1,
        12.345,
        -7.001,
        1e15,
        9_007_199_254_740_993.0,
        1e300,
        f64::MIN_POSITIVE,
        f64::INFINITY,
        f64::NEG_INFINITY,
        f64::NAN,
        f64::from_bits(0x7ff8_0000_0000_0001),
        f64::from_bits(0xfff0_0000_0000_0003),
        0.5,
        1.5e-7,
        STALE,
        std::f64::consts::PI,
    ];
    let mut encoder = Encoder::new(7);
    let number = encoder.define(&labels("a")).unwrap();
    let mut expected = Vec::new();
    for (value, at_ms) in values.iter().zip([1_700_000_000_000_i64, 1_700_000_000_000, 5, -5].iter().cycle())
    {
        encoder.sample(number, Sample { at_ms: *at_ms, value: *value });
        expected.push((*at_ms, value.to_bits()));
    }
    let frame = encoder.finish().unwrap();
    let found: Vec<_> = items(&frame)
        .into_iter()
        .filter_map(|item| match item {
            Item::Sample(_, sample) => Some((sample.at_ms, sample.value.to_bits())),
            _ => None,
        })
        .collect();
    assert_eq!(found, expected);
    assert!(encoder.finish().is_none());
}

#[test]
fn a_series_is_defined_once_and_then_costs_two_bytes() {
    let mut encoder = Encoder::new(9);
    let numbers: Vec<u32> = (0..1000).map(|i| encoder.define(&labels(&format!("m{i}"))).unwrap()).collect();
    let first = encoder.finish().unwrap();
    assert!(Decoder::new(&first).unwrap().begins());
    assert_eq!(Decoder::new(&first).unwrap().session(), 9);
    assert_eq!(items(&first).get(999), Some(&Item::Define(999, labels("m999"))));
    for number in &numbers {
        encoder.sample(*number, Sample { at_ms: 1_700_000_000_000, value: 3.0 });
    }
    let second = encoder.finish().unwrap();
    assert!(!Decoder::new(&second).unwrap().begins());
    assert_eq!(items(&second).len(), 1000);
    assert!(second.len() < 2_050, "{}", second.len());
}

#[test]
fn everything_is_what_is_not_forgotten() {
    let mut encoder = Encoder::new(1);
    let (a, b) = (encoder.define(&labels("a")).unwrap(), encoder.define(&labels("b")).unwrap());
    encoder.sample(a, Sample { at_ms: 1, value: STALE });
    encoder.forget(a);
    let help = Metadata { metric: "b", kind: "gauge", help: "what it is", unit: "" };
    encoder.metadata(&help);
    let frame = encoder.finish().unwrap();
    let last = items(&frame).split_off(3);
    assert_eq!(last, [Item::Forget(a), Item::Metadata(help)]);
    let all = encoder.everything();
    assert_eq!(items(all.first().unwrap()), [Item::Define(b, labels("b"))]);
    assert_eq!(encoder.series(), 1);
    encoder.reset(2);
    assert_eq!((encoder.series(), encoder.session()), (0, 2));
}

#[test]
fn errors_say_what_is_wrong() {
    assert_eq!(Decoder::new(b"").unwrap_err(), FrameError::Magic);
    assert_eq!(Decoder::new(b"IDSF\x02").unwrap_err(), FrameError::Version(2));
    assert_eq!(Decoder::new(b"IDSF\x01\x00abc").unwrap_err(), FrameError::Short("its header"));
    assert_eq!(Decoder::new(&vec![0; MAX_FRAME + 1]).unwrap_err(), FrameError::Long(MAX_FRAME + 1));
    let after_header = |bytes: &[u8]| {
        let mut frame = Encoder::new(1).everything().concat();
        frame.extend_from_slice(bytes);
        let found: Result<Vec<_>, _> = Decoder::new(&frame).unwrap().map(|it| it.map(|_| ())).collect();
        found.unwrap_err()
    };
    assert_eq!(after_header(&[9]), FrameError::Record(9));
    assert_eq!(after_header(&[SAMPLES, 2, 5]), FrameError::Short("a sample"));
    assert_eq!(after_header(&[SAMPLES, 2, 1, 0x17]), FrameError::Value(7));
    assert_eq!(after_header(&[SAMPLES, 2, 1, 0x01, 1]), FrameError::Range("a sample's number"));
    assert_eq!(after_header(&[DEFINE, 0, 1, 1, 0xff, 1, b'x']), FrameError::Text("a label"));
    assert_eq!(after_header(&[FORGET, 0xff, 0xff, 0xff, 0x7f]), FrameError::Range("a forgotten number"));
    let twice = [DEFINE, 0, 2, 1, b'a', 1, b'x', 1, b'a', 1, b'y'];
    assert!(matches!(after_header(&twice), FrameError::Labels { number: 0, source: LabelsError::Twice(_) }));
}

/// Cut and flipped frames, and pure noise, end in an error or in items; after an error nothing comes.
#[test]
fn rubbish_is_survived() {
    let mut encoder = Encoder::new(3);
    for i in 0..50_u32 {
        let number = encoder.define(&labels(&format!("m{i}"))).unwrap();
        encoder.sample(number, Sample { at_ms: i64::from(i), value: f64::from(i) * 0.37 });
    }
    let good = encoder.finish().unwrap();
    let mut seed = 0x2545_f491_4f6c_dd1d_u64;
    let mut random = move || {
        seed ^= seed << 13;
        seed ^= seed >> 7;
        seed ^= seed << 17;
        seed
    };
    let mut errors = 0;
    for round in 0..20_000_usize {
        let mut bytes = good.clone();
        bytes.truncate(22 + (random() as usize) % (good.len() - 22));
        for _ in 0..round % 7 {
            let at = (random() as usize) % bytes.len();
            *bytes.get_mut(at).unwrap() = random() as u8;
        }
        let Ok(mut decoder) = Decoder::new(&bytes) else { continue };
        if decoder.by_ref().any(|it| it.is_err()) {
            errors += 1;
            assert_eq!(decoder.next(), None);
        }
    }
    assert!(errors > 1_000, "{errors}");
}

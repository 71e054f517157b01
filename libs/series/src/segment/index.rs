use std::collections::HashMap;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;
use ops_samples::Labels;

use crate::bytes::{Bytes, put, put_text};

/// Largest index that is unpacked: ten million series.
const LARGEST: u64 = 1 << 30;

/// Where a chunk is and what it covers.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Place {
    pub(crate) offset: u64,
    pub(crate) length: u32,
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) count: u16,
    pub(crate) sum: u32,
}

/// Label sets and places of a segment, ordered by label set.
#[derive(Debug, Default)]
pub(crate) struct Index {
    pub(crate) series: Vec<(Labels, std::ops::Range<usize>)>,
    pub(crate) places: Vec<Place>,
}

/// Writes an index: compressed, and its length before that.
pub(crate) fn pack(series: &[(Labels, Vec<Place>)], start_ms: i64) -> std::io::Result<(Vec<u8>, usize)> {
    let mut symbols: Vec<&str> = Vec::new();
    let mut numbers: HashMap<&str, u64> = HashMap::new();
    let mut out = Vec::new();
    put(&mut out, series.len() as u64);
    for (labels, places) in series {
        put(&mut out, labels.len() as u64);
        for text in labels.iter().flat_map(|(name, value)| [name, value]) {
            let number = *numbers.entry(text).or_insert_with(|| {
                symbols.push(text);
                symbols.len() as u64 - 1
            });
            put(&mut out, number);
        }
        put(&mut out, places.len() as u64);
        for place in places {
            put(&mut out, (place.first_ms - start_ms).cast_unsigned());
            put(&mut out, (place.last_ms - place.first_ms).cast_unsigned());
            put(&mut out, u64::from(place.count));
            put(&mut out, u64::from(place.length));
            out.extend_from_slice(&place.sum.to_le_bytes());
        }
    }
    let mut all = Vec::with_capacity(out.len());
    put(&mut all, symbols.len() as u64);
    symbols.iter().for_each(|symbol| put_text(&mut all, symbol));
    all.extend_from_slice(&out);
    let mut encoder = DeflateEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(&all)?;
    Ok((encoder.finish()?, all.len()))
}

/// Reads an index; `None` when its bytes make no sense.
pub(crate) fn unpack(packed: &[u8], length: u64, start_ms: i64, data_end: u64) -> Option<Index> {
    if length > LARGEST {
        return None;
    }
    let mut all = Vec::new();
    DeflateDecoder::new(packed).take(length).read_to_end(&mut all).ok()?;
    let mut bytes = Bytes(&all);
    let count = bytes.size()?;
    let mut symbols = Vec::new();
    for _ in 0..count {
        symbols.push(bytes.text()?);
    }
    let mut index = Index::default();
    let mut offset = super::MAGIC.len() as u64;
    for _ in 0..bytes.size()? {
        let labels = labels(&mut bytes, &symbols)?;
        let first = index.places.len();
        for _ in 0..bytes.size()? {
            let first_ms = start_ms.checked_add_unsigned(bytes.unsigned()?)?;
            let last_ms = first_ms.checked_add_unsigned(bytes.unsigned()?)?;
            let count = u16::try_from(bytes.unsigned()?).ok()?;
            let length = u32::try_from(bytes.unsigned()?).ok()?;
            let sum = u32::from_le_bytes(bytes.array()?);
            index.places.push(Place { offset, length, first_ms, last_ms, count, sum });
            offset = offset.checked_add(u64::from(length)).filter(|end| *end <= data_end)?;
        }
        index.series.push((labels, first..index.places.len()));
    }
    Some(index)
}

fn labels(bytes: &mut Bytes<'_>, symbols: &[&str]) -> Option<Labels> {
    let count = bytes.size()?;
    let mut pairs = Vec::new();
    for _ in 0..count {
        let name = symbols.get(bytes.size()?)?;
        pairs.push((*name, *symbols.get(bytes.size()?)?));
    }
    Labels::new(pairs).ok()
}

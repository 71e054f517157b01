//! A record of the log: mark, length, checksum, and definitions of series or samples.

use ops_samples::{Labels, STALE, Sample, is_stale};

use crate::bytes::{Bytes, put, put_signed, put_text};

/// Before each record, so that the next good one is found after a bad one.
const MARK: [u8; 2] = [0xa5, 0x1d];
/// Mark, length and checksum.
const HEAD: usize = 10;
/// Longest record. Larger appends are written as several.
const LONGEST: usize = 1 << 20;

const DEFINE: u8 = 1;
const SAMPLES: u8 = 2;

/// How a value is written: in the lower half of a sample's first byte, with [`TIMED`].
const RAW: u8 = 0;
const INTEGER: u8 = 1;
const ENDED: u8 = 2;
const SINGLE: u8 = 3;
const THOUSANDTHS: u8 = 4;
const KIND: u8 = 0b0111;
const TIMED: u8 = 0b1000;
/// Beyond these, integers are no shorter than raw values.
const SHORT: f64 = (1_u64 << 40) as f64;

/// What a record says.
#[derive(Debug)]
pub(crate) enum Item {
    /// A series has this number in this file.
    Define(u32, Labels),
    /// A sample of the series with that number.
    Sample(u32, Sample),
}

/// Writes records to the end of a buffer.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    out: Vec<u8>,
    start: usize,
    number: u32,
    base_ms: i64,
    kind: u8,
}

impl Writer {
    /// Gives a series its number.
    pub(crate) fn define(&mut self, number: u32, labels: &Labels) {
        self.enter(DEFINE, 0);
        put(&mut self.out, u64::from(number));
        put(&mut self.out, labels.len() as u64);
        for (name, value) in labels {
            put_text(&mut self.out, name);
            put_text(&mut self.out, value);
        }
    }

    /// Adds a sample.
    pub(crate) fn sample(&mut self, number: u32, sample: Sample) {
        self.enter(SAMPLES, sample.at_ms);
        let step = i64::from(number) - i64::from(self.number);
        let later = sample.at_ms - self.base_ms;
        let (kind, whole) = kind(sample.value);
        let near = u8::try_from(step).ok().filter(|it| (1..16).contains(it)).unwrap_or(0);
        self.out.push((near << 4) | kind | if later == 0 { 0 } else { TIMED });
        if near == 0 {
            put_signed(&mut self.out, step);
        }
        match kind {
            RAW => self.out.extend_from_slice(&sample.value.to_bits().to_le_bytes()),
            SINGLE => self.out.extend_from_slice(&(sample.value as f32).to_le_bytes()),
            INTEGER | THOUSANDTHS => put_signed(&mut self.out, whole),
            _ => {}
        }
        if later != 0 {
            put_signed(&mut self.out, later);
        }
        self.number = number;
    }

    /// All records so far.
    pub(crate) fn finish(&mut self) -> &[u8] {
        self.close();
        &self.out
    }

    /// Whether there is so much that it should be written before more comes.
    pub(crate) fn is_long(&self) -> bool {
        self.out.len() >= LONGEST
    }

    /// Forgets them.
    pub(crate) fn clear(&mut self) {
        self.out.clear();
        self.kind = 0;
    }

    fn enter(&mut self, kind: u8, at_ms: i64) {
        if self.kind == kind && self.out.len() - self.start < LONGEST / 2 {
            return;
        }
        self.close();
        self.kind = kind;
        self.start = self.out.len();
        self.out.extend_from_slice(&MARK);
        self.out.extend_from_slice(&[0; HEAD - 2]);
        self.out.push(kind);
        if kind == SAMPLES {
            put_signed(&mut self.out, at_ms);
            self.base_ms = at_ms;
            self.number = 0;
        }
    }

    fn close(&mut self) {
        if self.kind == 0 {
            return;
        }
        self.kind = 0;
        let Some((head, payload)) =
            self.out.get_mut(self.start..).and_then(|it| it.split_first_chunk_mut::<HEAD>())
        else {
            return;
        };
        let length = u32::try_from(payload.len()).unwrap_or(u32::MAX).to_le_bytes();
        let sum = crc32fast::hash(payload).to_le_bytes();
        *head =
            [MARK[0], MARK[1], length[0], length[1], length[2], length[3], sum[0], sum[1], sum[2], sum[3]];
    }
}

fn kind(value: f64) -> (u8, i64) {
    if is_stale(value) {
        return (ENDED, 0);
    }
    // The comparison by bits keeps -0.0 and NaNs out.
    let whole = value as i64;
    if value.abs() < SHORT && (whole as f64).to_bits() == value.to_bits() {
        return (INTEGER, whole);
    }
    let thousandths = (value * 1_000.0).round() as i64;
    if value.abs() < SHORT && (thousandths as f64 / 1_000.0).to_bits() == value.to_bits() {
        return (THOUSANDTHS, thousandths);
    }
    if f64::from(value as f32).to_bits() == value.to_bits() {
        return (SINGLE, 0);
    }
    (RAW, 0)
}

/// Reads the records of a file, whatever became of it.
#[derive(Debug)]
pub(crate) struct Reader<'a> {
    file: &'a [u8],
    /// Where the next record should be.
    at: usize,
    /// The end of the last good record.
    pub(crate) good_to: usize,
    /// Bytes that belong to no good record, the end of the file not included.
    pub(crate) skipped: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(file: &'a [u8], start: usize) -> Self {
        Self { file, at: start, good_to: start, skipped: 0 }
    }

    /// The content of the next good record.
    pub(crate) fn next(&mut self) -> Option<Content<'a>> {
        let from = self.at;
        loop {
            if let Some(payload) = record(self.file, self.at) {
                self.skipped += self.at - from;
                self.at += HEAD + payload.len();
                self.good_to = self.at;
                return Some(Content { rest: Bytes(payload), kind: 0, number: 0, base_ms: 0 });
            }
            let rest = self.file.get(self.at + 1..)?;
            let next = rest.windows(2).position(|pair| pair == MARK)?;
            self.at += 1 + next;
        }
    }
}

fn record(file: &[u8], at: usize) -> Option<&[u8]> {
    let mut bytes = Bytes(file.get(at..)?);
    if bytes.array::<2>()? != MARK {
        return None;
    }
    let length = u32::from_le_bytes(bytes.array()?) as usize;
    let sum = u32::from_le_bytes(bytes.array()?);
    if length > 4 * LONGEST {
        return None;
    }
    let payload = bytes.take(length)?;
    (crc32fast::hash(payload) == sum).then_some(payload)
}

/// The items of one record. It ends early where its bytes make no sense.
#[derive(Debug)]
pub(crate) struct Content<'a> {
    rest: Bytes<'a>,
    kind: u8,
    number: u32,
    base_ms: i64,
}

impl Content<'_> {
    fn define(&mut self) -> Option<Item> {
        let number = u32::try_from(self.rest.unsigned()?).ok()?;
        let count = self.rest.unsigned()?;
        let mut pairs = Vec::new();
        for _ in 0..count {
            pairs.push((self.rest.text()?, self.rest.text()?));
        }
        Some(Item::Define(number, Labels::new(pairs).ok()?))
    }

    #[inline]
    fn sample(&mut self) -> Option<Item> {
        let first = self.rest.byte()?;
        let step = match first >> 4 {
            0 => self.rest.signed()?,
            near => i64::from(near),
        };
        self.number = u32::try_from(i64::from(self.number).checked_add(step)?).ok()?;
        let value = match first & KIND {
            RAW => f64::from_bits(u64::from_le_bytes(self.rest.array()?)),
            INTEGER => self.rest.signed()? as f64,
            ENDED => STALE,
            SINGLE => f64::from(f32::from_le_bytes(self.rest.array()?)),
            THOUSANDTHS => self.rest.signed()? as f64 / 1_000.0,
            _ => return None,
        };
        let later = if first & TIMED == 0 { 0 } else { self.rest.signed()? };
        Some(Item::Sample(self.number, Sample { at_ms: self.base_ms.checked_add(later)?, value }))
    }
}

impl Iterator for Content<'_> {
    type Item = Item;

    #[inline]
    fn next(&mut self) -> Option<Item> {
        if self.kind == 0 {
            self.kind = self.rest.byte()?;
            if self.kind == SAMPLES {
                self.base_ms = self.rest.signed()?;
            }
        }
        if self.rest.is_empty() {
            return None;
        }
        match self.kind {
            DEFINE => self.define(),
            SAMPLES => self.sample(),
            _ => None,
        }
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn written() -> (Vec<u8>, Vec<(u32, Sample)>) {
        let values =
            [0.0, -0.0, 1.5, 17.0, -3.0, 0.001, 1e300, f64::NAN, STALE, f64::NEG_INFINITY, 0.1 + 0.2];
        let mut writer = Writer::default();
        let labels = Labels::new([("__name__", "up"), ("job", "ü")]).unwrap();
        writer.define(7, &labels);
        writer.define(300, &labels);
        let samples: Vec<(u32, Sample)> = (0..200_u32)
            .map(|at| {
                let value = values[at as usize % values.len()];
                (7 + at % 50 * 9, Sample { at_ms: 1_700_000_000_000 + i64::from(at / 100) * 15_000, value })
            })
            .collect();
        samples.iter().for_each(|(number, sample)| writer.sample(*number, *sample));
        writer.define(8, &labels);
        (writer.finish().to_vec(), samples)
    }

    fn read(bytes: &[u8]) -> (Vec<u32>, Vec<(u32, Sample)>, Reader<'_>) {
        let mut reader = Reader::new(bytes, 0);
        let (mut defined, mut samples) = (Vec::new(), Vec::new());
        while let Some(content) = reader.next() {
            for item in content {
                match item {
                    Item::Define(number, _) => defined.push(number),
                    Item::Sample(number, sample) => samples.push((number, sample)),
                }
            }
        }
        (defined, samples, reader)
    }

    #[test]
    fn what_is_written_is_read() {
        let (bytes, samples) = written();
        let (defined, found, reader) = read(&bytes);
        assert_eq!(defined, [7, 300, 8]);
        let bits = |all: &[(u32, Sample)]| -> Vec<(u32, i64, u64)> {
            all.iter().map(|(n, it)| (*n, it.at_ms, it.value.to_bits())).collect()
        };
        assert_eq!(bits(&found), bits(&samples));
        assert_eq!((reader.good_to, reader.skipped), (bytes.len(), 0));
    }

    #[test]
    fn cut_anywhere_the_whole_records_before_are_there() {
        let (bytes, _) = written();
        for end in 0..bytes.len() {
            let (defined, samples, reader) = read(&bytes[..end]);
            assert!(reader.good_to <= end);
            assert!(defined.len() <= 2 && (samples.is_empty() || samples.len() == 200));
        }
    }

    #[test]
    fn a_flipped_bit_costs_its_record_and_no_other() {
        let (bytes, _) = written();
        for at in 0..bytes.len() {
            for bit in [0, 3, 7] {
                let mut bytes = bytes.clone();
                bytes[at] ^= 1 << bit;
                let (defined, samples, _) = read(&bytes);
                let lost = [defined.iter().all(|it| *it != 7), samples.is_empty(), !defined.contains(&8)];
                assert_eq!(lost.iter().filter(|it| **it).count(), 1, "byte {at} bit {bit}: {lost:?}");
            }
        }
    }
}

//! Gorilla chunks: timestamps as differences of differences, values as XOR with the value before.
//!
//! After Pelkonen et al., "Gorilla: a fast, scalable, in-memory time series database" (VLDB 2015). Times are milliseconds; every
//! bit of a value is kept, so that staleness marks and other NaNs survive.

use ops_samples::Sample;

use crate::bits::{BitReader, BitWriter};

/// Samples in a full chunk.
pub(crate) const FULL: u16 = 120;

/// Prefix lengths and widths of a difference of differences.
const WIDTHS: [(u64, u32, u32); 4] = [(0b10, 2, 7), (0b110, 3, 14), (0b1110, 4, 20), (0b11110, 5, 32)];

/// A chunk that still grows.
#[derive(Clone, Debug)]
pub(crate) struct OpenChunk {
    bits: BitWriter,
    first_ms: i64,
    delta: i64,
    leading: u8,
    trailing: u8,
    count: u16,
}

/// A chunk that is full or was ended.
#[derive(Clone, Debug)]
pub(crate) struct Chunk {
    pub(crate) first_ms: i64,
    pub(crate) last_ms: i64,
    pub(crate) count: u16,
    pub(crate) bytes: Box<[u8]>,
}

impl OpenChunk {
    pub(crate) fn new(sample: Sample) -> Self {
        let mut bits = BitWriter::default();
        bits.write(sample.at_ms.cast_unsigned(), 64);
        bits.write(sample.value.to_bits(), 64);
        // 64: there is no window of meaningful bits yet.
        Self { bits, first_ms: sample.at_ms, delta: 0, leading: 64, trailing: 0, count: 1 }
    }

    pub(crate) fn first_ms(&self) -> i64 {
        self.first_ms
    }

    pub(crate) fn is_full(&self) -> bool {
        self.count >= FULL
    }

    pub(crate) fn len(&self) -> usize {
        self.bits.bytes().len()
    }

    /// Adds a sample that is newer than `last`, the one before, which its owner keeps anyway.
    #[inline]
    pub(crate) fn push(&mut self, last: Sample, sample: Sample) {
        let delta = sample.at_ms.wrapping_sub(last.at_ms);
        self.write_time(delta.wrapping_sub(self.delta));
        self.write_value(sample.value.to_bits() ^ last.value.to_bits());
        self.delta = delta;
        self.count += 1;
    }

    fn write_time(&mut self, difference: i64) {
        if difference == 0 {
            return self.bits.write(0, 1);
        }
        for (prefix, length, width) in WIDTHS {
            let half = 1_i64 << (width - 1);
            if (-half..half).contains(&difference) {
                self.bits.write(prefix, length);
                return self.bits.write((difference + half).cast_unsigned(), width);
            }
        }
        self.bits.write(0b11111, 5);
        self.bits.write(difference.cast_unsigned(), 64);
    }

    fn write_value(&mut self, xor: u64) {
        if xor == 0 {
            return self.bits.write(0, 1);
        }
        let leading = xor.leading_zeros().min(31) as u8;
        let trailing = xor.trailing_zeros() as u8;
        if self.leading != 64 && leading >= self.leading && trailing >= self.trailing {
            let width = 64 - u32::from(self.leading) - u32::from(self.trailing);
            self.bits.write(0b10, 2);
            return self.bits.write(xor >> self.trailing, width);
        }
        (self.leading, self.trailing) = (leading, trailing);
        let width = 64 - u32::from(leading) - u32::from(trailing);
        self.bits.write(0b11, 2);
        self.bits.write(u64::from(leading), 5);
        // 64 does not fit six bits and 0 never occurs.
        self.bits.write(u64::from(width & 63), 6);
        self.bits.write(xor >> trailing, width);
    }

    /// Its samples, oldest first.
    pub(crate) fn iter(&self) -> Samples<'_> {
        Samples::new(self.bits.bytes(), self.count)
    }

    /// The chunk, which ends with the sample at `last_ms`.
    pub(crate) fn finish(self, last_ms: i64) -> Chunk {
        Chunk { first_ms: self.first_ms, last_ms, count: self.count, bytes: self.bits.finish() }
    }
}

impl Chunk {
    /// Its samples, oldest first.
    pub(crate) fn iter(&self) -> Samples<'_> {
        Samples::new(&self.bytes, self.count)
    }
}

/// The samples of a chunk's bytes. What is cut off or flipped ends it early or gives other values, and nothing worse.
#[derive(Clone, Debug)]
pub(crate) struct Samples<'a> {
    bits: BitReader<'a>,
    left: u16,
    last: Option<Sample>,
    delta: i64,
    leading: u32,
    trailing: u32,
}

impl<'a> Samples<'a> {
    pub(crate) fn new(bytes: &'a [u8], count: u16) -> Self {
        Self { bits: BitReader::new(bytes), left: count, last: None, delta: 0, leading: 0, trailing: 0 }
    }

    #[inline]
    fn time(&mut self) -> Option<i64> {
        if !self.bits.bit()? {
            return Some(0);
        }
        for (_, _, width) in WIDTHS {
            if !self.bits.bit()? {
                let half = 1_i64 << (width - 1);
                return Some(self.bits.read(width)?.cast_signed() - half);
            }
        }
        Some(self.bits.read(64)?.cast_signed())
    }

    #[inline]
    fn value(&mut self) -> Option<u64> {
        if !self.bits.bit()? {
            return Some(0);
        }
        if self.bits.bit()? {
            self.leading = u32::try_from(self.bits.read(5)?).ok()?;
            let width = match u32::try_from(self.bits.read(6)?).ok()? {
                0 => 64,
                width => width,
            };
            self.trailing = 64_u32.checked_sub(self.leading + width)?;
        }
        let width = 64 - self.leading - self.trailing;
        Some(self.bits.read(width)? << self.trailing)
    }
}

impl Iterator for Samples<'_> {
    type Item = Sample;

    #[inline]
    fn next(&mut self) -> Option<Sample> {
        if self.left == 0 {
            return None;
        }
        let sample = match self.last {
            None => Sample {
                at_ms: self.bits.read(64)?.cast_signed(),
                value: f64::from_bits(self.bits.read(64)?),
            },
            Some(last) => {
                self.delta = self.delta.wrapping_add(self.time()?);
                let value = f64::from_bits(last.value.to_bits() ^ self.value()?);
                Sample { at_ms: last.at_ms.wrapping_add(self.delta), value }
            }
        };
        self.left -= 1;
        self.last = Some(sample);
        Some(sample)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use ops_samples::STALE;

    use super::*;

    fn round_trip(samples: &[Sample]) {
        let mut chunk = OpenChunk::new(samples[0]);
        samples.windows(2).for_each(|pair| chunk.push(pair[0], pair[1]));
        let bits = |all: Vec<Sample>| -> Vec<(i64, u64)> {
            all.iter().map(|it| (it.at_ms, it.value.to_bits())).collect()
        };
        assert_eq!(bits(chunk.iter().collect()), bits(samples.to_vec()));
        let closed = chunk.finish(samples.last().unwrap().at_ms);
        assert_eq!(bits(closed.iter().collect()), bits(samples.to_vec()));
        assert_eq!((closed.first_ms, closed.last_ms), (samples[0].at_ms, samples.last().unwrap().at_ms));
    }

    #[test]
    fn every_bit_comes_back() {
        let odd = [0.0, -0.0, 1.0, f64::NAN, STALE, f64::INFINITY, f64::MIN_POSITIVE, -1e300, 1e-300, 0.1];
        let steps = [15_000, 1, 15_000, 14_999, 100_000, i64::from(u32::MAX), 5, 1 << 50, 63, 64];
        let mut at_ms = -5;
        let samples: Vec<Sample> = odd
            .iter()
            .cycle()
            .zip(steps.iter().cycle())
            .take(100)
            .map(|(value, step)| {
                at_ms += step;
                Sample { at_ms, value: *value }
            })
            .collect();
        round_trip(&samples);
        round_trip(&samples[..1]);
    }

    #[test]
    fn random_values_come_back() {
        let mut seed = 7_u64;
        let mut next = || {
            seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            seed >> 11
        };
        for _ in 0..200 {
            let mut at_ms = 1_700_000_000_000;
            let samples: Vec<Sample> = (0..120)
                .map(|_| {
                    at_ms += 1 + i64::try_from(next() % 20_000).unwrap();
                    Sample { at_ms, value: f64::from_bits((next() << 11) | (next() % 2_048)) }
                })
                .collect();
            round_trip(&samples);
        }
    }

    #[test]
    fn rubbish_ends_and_does_not_panic() {
        let mut seed = 1_u64;
        for length in 0..400_usize {
            let bytes: Vec<u8> = (0..length)
                .map(|_| {
                    seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
                    (seed >> 33) as u8
                })
                .collect();
            assert!(Samples::new(&bytes, u16::MAX).count() <= length * 8);
        }
    }

    #[test]
    fn steady_series_are_small() {
        let sample = |at: i64| Sample { at_ms: at * 15_000, value: 1.0 };
        let mut chunk = OpenChunk::new(sample(0));
        (1..120).for_each(|at| chunk.push(sample(at - 1), sample(at)));
        assert!(chunk.len() < 60, "{}", chunk.len());
    }
}

//! Bits, written and read most significant first.

/// Bytes that are set aside at a time.
const STEP: usize = 24;

/// Writes bits.
#[derive(Clone, Debug, Default)]
pub(crate) struct BitWriter {
    bytes: Vec<u8>,
    /// Free bits of the last byte.
    free: u32,
}

impl BitWriter {
    /// Appends the `count` lowest bits of `value`.
    #[inline]
    pub(crate) fn write(&mut self, value: u64, count: u32) {
        let mut left = count;
        while left > 0 {
            if self.free == 0 {
                if self.bytes.len() == self.bytes.capacity() {
                    // There are as many of these as there are series: doubling would waste a third of the memory.
                    self.bytes.reserve_exact(STEP);
                }
                self.bytes.push(0);
                self.free = 8;
            }
            let take = left.min(self.free);
            let part = (value >> (left - take)) & ((1 << take) - 1);
            if let Some(last) = self.bytes.last_mut() {
                *last |= u8::try_from(part << (self.free - take)).unwrap_or(0);
            }
            self.free -= take;
            left -= take;
        }
    }

    pub(crate) fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The bytes, without what was set aside for more.
    pub(crate) fn finish(self) -> Box<[u8]> {
        self.bytes.into_boxed_slice()
    }
}

/// Reads bits; beyond the end there is nothing.
#[derive(Clone, Copy, Debug)]
pub(crate) struct BitReader<'a> {
    rest: &'a [u8],
    buffer: u64,
    filled: u32,
}

impl<'a> BitReader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes, buffer: 0, filled: 0 }
    }

    #[inline]
    fn fill(&mut self) {
        if let Some((eight, _)) = self.rest.split_first_chunk::<8>()
            && self.filled == 0
        {
            self.buffer = u64::from_be_bytes(*eight);
            self.filled = 64;
            self.rest = self.rest.get(8..).unwrap_or_default();
            return;
        }
        while self.filled <= 56 {
            let Some((byte, rest)) = self.rest.split_first() else { return };
            self.buffer |= u64::from(*byte) << (56 - self.filled);
            self.filled += 8;
            self.rest = rest;
        }
    }

    /// The next `count` bits, at most 64.
    #[inline]
    pub(crate) fn read(&mut self, count: u32) -> Option<u64> {
        if count == 0 {
            return Some(0);
        }
        if count > 32 {
            let high = self.read(count - 32)?;
            return Some(high << 32 | self.read(32)?);
        }
        if self.filled < count {
            self.fill();
            if self.filled < count {
                return None;
            }
        }
        let value = self.buffer >> (64 - count);
        self.buffer = if count == 64 { 0 } else { self.buffer << count };
        self.filled -= count;
        Some(value)
    }

    #[inline]
    pub(crate) fn bit(&mut self) -> Option<bool> {
        self.read(1).map(|bit| bit == 1)
    }
}

use super::bytes::{push_signed, push_text, push_unsigned};
use super::definitions::{Definitions, push_definition};
use super::{
    BEGINS, ENDED, FORGET, INTEGER, MAGIC, MAX_SERIES, METADATA, Metadata, RAW, SAMPLES, SINGLE, THOUSANDTHS,
    TIMED, VERSION,
};
use crate::{Labels, Sample, is_stale};

/// A frame of definitions is closed when it has this many bytes.
const FULL: usize = 1 << 20;
/// Integers up to here are doubles exactly, and take fewer bytes than one.
const SMALL: f64 = 281_474_976_710_656.0;

/// Writes frames, and keeps which series it gave which number.
#[derive(Debug)]
pub struct Encoder {
    session: u128,
    begins: bool,
    series: Definitions,
    next: u32,
    /// Records other than samples, and then the samples of the batch.
    records: Vec<u8>,
    batch: Batch,
}

#[derive(Debug, Default)]
struct Batch {
    base_ms: i64,
    count: u64,
    number: u32,
    bytes: Vec<u8>,
}

impl Encoder {
    /// Begins a session; its name must be one that no other session has.
    #[must_use]
    pub fn new(session: u128) -> Self {
        Self {
            session,
            begins: true,
            series: Definitions::default(),
            next: 0,
            records: Vec::new(),
            batch: Batch::default(),
        }
    }

    /// The session's name.
    #[must_use]
    pub fn session(&self) -> u128 {
        self.session
    }

    /// How many series have a number.
    #[must_use]
    pub fn series(&self) -> usize {
        self.series.len()
    }

    /// Whether the numbers run out, so that [`Encoder::reset`] is due.
    #[must_use]
    pub fn is_worn(&self) -> bool {
        self.next >= MAX_SERIES / 2 && self.series.len() < (self.next / 2) as usize
    }

    /// Gives a series its number. `None`: there are too many series.
    pub fn define(&mut self, labels: &Labels) -> Option<u32> {
        let number = self.next;
        if number >= MAX_SERIES {
            return None;
        }
        self.next += 1;
        self.close_batch();
        push_definition(&mut self.records, number, labels);
        self.series.push(number, labels);
        Some(number)
    }

    /// Says that a number is not used any more; its samples so far stay in the frame.
    pub fn forget(&mut self, number: u32) {
        if number < self.next && self.series.forget(number) {
            self.close_batch();
            self.records.push(FORGET);
            push_unsigned(&mut self.records, u64::from(number));
        }
    }

    /// Adds a sample of a series that has a number; [`crate::STALE`] as value says that the series ended.
    pub fn sample(&mut self, number: u32, sample: Sample) {
        self.batch.push(number, sample);
    }

    /// Adds what a metric is.
    pub fn metadata(&mut self, it: &Metadata<'_>) {
        self.close_batch();
        self.records.push(METADATA);
        for text in [it.metric, it.kind, it.help, it.unit] {
            push_text(&mut self.records, text);
        }
    }

    /// Bytes that the frame has so far, without its header.
    #[must_use]
    pub fn pending(&self) -> usize {
        self.records.len() + self.batch.bytes.len()
    }

    /// The frame, if there is anything to say.
    pub fn finish(&mut self) -> Option<Vec<u8>> {
        self.close_batch();
        if self.records.is_empty() {
            return None;
        }
        let mut frame = header(self.session, self.begins);
        frame.append(&mut self.records);
        self.begins = false;
        Some(frame)
    }

    /// Every definition again, under the same session, for a server that does not know it: frames that were written
    /// before stay valid after these.
    pub fn everything(&mut self) -> Vec<Vec<u8>> {
        let mut frame = header(self.session, true);
        let mut frames = Vec::new();
        self.series.each(|record| {
            if frame.len() >= FULL {
                frames.push(std::mem::replace(&mut frame, header(self.session, false)));
            }
            frame.extend_from_slice(record);
        });
        frames.push(frame);
        self.begins = false;
        frames
    }

    /// Begins another session with no series; what is pending is given up.
    pub fn reset(&mut self, session: u128) {
        *self = Self::new(session);
    }

    fn close_batch(&mut self) {
        let batch = &mut self.batch;
        if batch.count > 0 {
            self.records.push(SAMPLES);
            push_signed(&mut self.records, batch.base_ms);
            push_unsigned(&mut self.records, batch.count);
            self.records.append(&mut batch.bytes);
            (batch.count, batch.number) = (0, 0);
        }
    }
}

impl Batch {
    fn push(&mut self, number: u32, sample: Sample) {
        if self.count == 0 {
            self.base_ms = sample.at_ms;
        }
        self.count += 1;
        let distance = i64::from(number) - i64::from(self.number);
        self.number = number;
        let near = u8::try_from(distance).ok().filter(|it| (1..16).contains(it)).unwrap_or(0);
        let later = sample.at_ms.wrapping_sub(self.base_ms);
        let timed = if later == 0 { 0 } else { TIMED };
        let at = self.bytes.len();
        self.bytes.push(0);
        if near == 0 {
            push_signed(&mut self.bytes, distance);
        }
        let kind = push_value(&mut self.bytes, sample.value);
        if let Some(first) = self.bytes.get_mut(at) {
            *first = near << 4 | timed | kind;
        }
        if later != 0 {
            push_signed(&mut self.bytes, later);
        }
    }
}

/// Writes a value in the shortest way that keeps every bit of it.
fn push_value(out: &mut Vec<u8>, value: f64) -> u8 {
    let same = |other: f64| other.to_bits() == value.to_bits();
    if is_stale(value) {
        return ENDED;
    }
    if value.abs() < SMALL {
        let integer = value as i64;
        if same(integer as f64) {
            push_signed(out, integer);
            return INTEGER;
        }
        let thousandths = (value * 1000.0).round();
        if thousandths.abs() < SMALL && same(thousandths as i64 as f64 / 1000.0) {
            push_signed(out, thousandths as i64);
            return THOUSANDTHS;
        }
    }
    // A NaN's bits would not survive the way to f32 and back.
    let single = value as f32;
    if !value.is_nan() && same(f64::from(single)) {
        out.extend_from_slice(&single.to_le_bytes());
        return SINGLE;
    }
    out.extend_from_slice(&value.to_le_bytes());
    RAW
}

fn header(session: u128, begins: bool) -> Vec<u8> {
    let mut frame = Vec::with_capacity(4096);
    frame.extend_from_slice(&MAGIC);
    frame.extend_from_slice(&[VERSION, if begins { BEGINS } else { 0 }]);
    frame.extend_from_slice(&session.to_le_bytes());
    frame
}

//! What was defined, kept small: it is only read when a server must be told everything again.

use std::collections::BTreeSet;
use std::io::{Read, Write};

use flate2::Compression;
use flate2::read::DeflateDecoder;
use flate2::write::DeflateEncoder;

use super::DEFINE;
use super::bytes::{Bytes, push_text, push_unsigned};
use crate::Labels;

/// Definitions are packed when there are this many bytes of them: series of one target resemble each other.
const BLOCK: usize = 64 << 10;

/// Definitions of the series that have a number, as records of a frame.
#[derive(Debug, Default)]
pub(super) struct Definitions {
    packed: Vec<Box<[u8]>>,
    open: Vec<u8>,
    /// Numbers that were given up, and whose records are still there.
    gone: BTreeSet<u32>,
    alive: usize,
}

impl Definitions {
    pub(super) fn len(&self) -> usize {
        self.alive
    }

    pub(super) fn push(&mut self, number: u32, labels: &Labels) {
        push_definition(&mut self.open, number, labels);
        self.pushed();
    }

    fn pushed(&mut self) {
        self.alive += 1;
        if self.open.len() >= BLOCK {
            self.packed.push(pack(&self.open));
            self.open.clear();
        }
    }

    /// Whether the number was there; each is to be given up once.
    pub(super) fn forget(&mut self, number: u32) -> bool {
        if !self.gone.insert(number) {
            return false;
        }
        self.alive = self.alive.saturating_sub(1);
        // Looking through all of it is paid by as many that went.
        if self.gone.len() > self.alive + 1_000 {
            let mut kept = Self::default();
            self.each(|record| {
                kept.open.extend_from_slice(record);
                kept.pushed();
            });
            *self = kept;
        }
        true
    }

    /// Shows the record of each series that has a number, in the order in which they got it.
    pub(super) fn each(&self, mut show: impl FnMut(&[u8])) {
        let mut block = Vec::with_capacity(BLOCK * 2);
        for packed in &self.packed {
            block.clear();
            // What was packed here can be unpacked, and memory does not fail.
            let _ = DeflateDecoder::new(&packed[..]).read_to_end(&mut block);
            records(&block, |number, record| self.show(number, record, &mut show));
        }
        records(&self.open, |number, record| self.show(number, record, &mut show));
    }

    fn show(&self, number: u32, record: &[u8], show: &mut impl FnMut(&[u8])) {
        if !self.gone.contains(&number) {
            show(record);
        }
    }
}

fn pack(bytes: &[u8]) -> Box<[u8]> {
    let mut out = DeflateEncoder::new(Vec::with_capacity(bytes.len() / 8), Compression::fast());
    // A vector takes every write.
    let _ = out.write_all(bytes);
    out.finish().unwrap_or_default().into_boxed_slice()
}

/// Cuts bytes that were written by [`push_definition`] into records.
fn records(bytes: &[u8], mut show: impl FnMut(u32, &[u8])) {
    let mut rest = Bytes(bytes);
    while !rest.0.is_empty() {
        let whole = rest.0;
        let Some(number) = skip(&mut rest) else { return };
        let length = whole.len() - rest.0.len();
        if let Some(record) = whole.get(..length) {
            show(number, record);
        }
    }
}

fn skip(rest: &mut Bytes<'_>) -> Option<u32> {
    rest.byte("a record").ok()?;
    let number = u32::try_from(rest.unsigned("a number").ok()?).ok()?;
    for _ in 0..rest.unsigned("labels").ok()? {
        rest.text("a label").ok()?;
        rest.text("a value").ok()?;
    }
    Some(number)
}

pub(super) fn push_definition(out: &mut Vec<u8>, number: u32, labels: &Labels) {
    out.push(DEFINE);
    push_unsigned(out, u64::from(number));
    push_unsigned(out, labels.len() as u64);
    for (name, value) in labels {
        push_text(out, name);
        push_text(out, value);
    }
}

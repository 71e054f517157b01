use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use ops_samples::{Labels, Sample};

use super::index::{Index, Place, unpack};
use super::{FOOTER, MAGIC};
use crate::bytes::Bytes;
use crate::chunk::Samples;

/// An open segment.
#[derive(Debug)]
pub(crate) struct Segment {
    pub(crate) path: PathBuf,
    pub(crate) start_ms: i64,
    /// Its samples are older.
    pub(crate) end_ms: i64,
    pub(crate) bytes: u64,
    pub(crate) samples: u64,
    file: File,
    index_at: (u64, usize, u64),
    sum: u32,
    index: Mutex<Option<Arc<Index>>>,
    used: AtomicBool,
}

impl Segment {
    /// Opens a segment; its index is looked through once, so that a bad one is found now.
    pub(crate) fn open(path: &Path) -> io::Result<Self> {
        let bad = |what: &str| io::Error::new(io::ErrorKind::InvalidData, what.to_owned());
        let name = path.file_stem().and_then(|it| it.to_str()).unwrap_or_default();
        // The first character may be the sign of the start.
        let (start_ms, end_ms) = name
            .char_indices()
            .skip(1)
            .find(|(_, c)| *c == '-')
            .and_then(|(at, _)| Some((name.get(..at)?.parse().ok()?, name.get(at + 1..)?.parse().ok()?)))
            .filter(|(start, end): &(i64, i64)| start < end)
            .ok_or_else(|| bad("its name is not START-END.segment"))?;
        let file = File::open(path)?;
        let bytes = file.metadata()?.len();
        let footer_at = bytes.checked_sub(FOOTER as u64).ok_or_else(|| bad("it is too short"))?;
        let mut footer = [0; FOOTER];
        file.read_exact_at(&mut footer, footer_at)?;
        let footer = Footer::read(&footer).ok_or_else(|| bad("its end is damaged"))?;
        let length = usize::try_from(footer.packed).unwrap_or(usize::MAX);
        if footer.offset.checked_add(footer.packed) != Some(footer_at) {
            return Err(bad("its index is not where it should be"));
        }
        let segment = Self {
            path: path.to_owned(),
            start_ms,
            end_ms,
            bytes,
            samples: footer.samples,
            file,
            index_at: (footer.offset, length, footer.length),
            sum: footer.sum,
            index: Mutex::default(),
            used: AtomicBool::new(false),
        };
        segment.index()?;
        segment.used.store(false, Ordering::Relaxed);
        segment.rest();
        Ok(segment)
    }

    /// Its label sets and places, from memory where it was used a moment ago.
    pub(crate) fn index(&self) -> io::Result<Arc<Index>> {
        self.used.store(true, Ordering::Relaxed);
        let mut kept = self.index.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(index) = kept.as_ref() {
            return Ok(index.clone());
        }
        let (offset, packed_length, length) = self.index_at;
        let mut packed = vec![0; packed_length];
        self.file.read_exact_at(&mut packed, offset)?;
        let bad = || io::Error::new(io::ErrorKind::InvalidData, "its index is damaged");
        if crc32fast::hash(&packed) != self.sum {
            return Err(bad());
        }
        let index = unpack(&packed, length, self.start_ms, offset).ok_or_else(bad)?;
        let index = Arc::new(index);
        *kept = Some(index.clone());
        Ok(index)
    }

    /// Forgets the index if nobody asked for it since the last time.
    pub(crate) fn rest(&self) {
        if !self.used.swap(false, Ordering::Relaxed) {
            *self.index.lock().unwrap_or_else(PoisonError::into_inner) = None;
        }
    }

    /// Shows the samples in (`after_ms`, `until_ms`] of the chunks at `places`, oldest first. A damaged chunk is an error.
    pub(crate) fn visit(
        &self,
        places: &[Place],
        (after_ms, until_ms): (i64, i64),
        mut show: impl FnMut(Sample),
    ) -> io::Result<()> {
        let mut bytes = Vec::new();
        for place in places.iter().filter(|it| it.last_ms > after_ms && it.first_ms <= until_ms) {
            bytes.resize(place.length as usize, 0);
            self.file.read_exact_at(&mut bytes, place.offset)?;
            if crc32fast::hash(&bytes) != place.sum {
                return Err(io::Error::new(io::ErrorKind::InvalidData, "a chunk is damaged"));
            }
            let within = |it: &Sample| it.at_ms > after_ms && it.at_ms <= until_ms;
            Samples::new(&bytes, place.count).filter(within).for_each(&mut show);
        }
        Ok(())
    }

    /// Shows every series for which `wanted` says so.
    pub(crate) fn series(
        &self,
        mut wanted: impl FnMut(&Labels) -> bool,
        mut show: impl FnMut(&Labels, &[Place]) -> io::Result<()>,
    ) -> io::Result<()> {
        let index = self.index()?;
        for (labels, range) in index.series.iter().filter(|it| wanted(&it.0)) {
            show(labels, index.places.get(range.clone()).unwrap_or_default())?;
        }
        Ok(())
    }
}

struct Footer {
    offset: u64,
    packed: u64,
    length: u64,
    samples: u64,
    sum: u32,
}

impl Footer {
    fn read(bytes: &[u8; FOOTER]) -> Option<Self> {
        let summed = bytes.get(..44)?;
        let mut rest = Bytes(bytes);
        let mut number = || rest.array().map(u64::from_le_bytes);
        let (offset, packed, length, samples, _series) =
            (number()?, number()?, number()?, number()?, number()?);
        let sum = u32::from_le_bytes(rest.array()?);
        let own = u32::from_le_bytes(rest.array()?);
        (own == crc32fast::hash(summed) && bytes.ends_with(&MAGIC)).then_some(Self {
            offset,
            packed,
            length,
            samples,
            sum,
        })
    }
}

//! What must be done now and then: the disk, segments, and forgetting.

use std::io;
use std::sync::PoisonError;
use std::sync::atomic::Ordering;

use crate::disk::Disk;
use crate::log::Log;
use crate::open::define_all;
use crate::segment::{Segment, SegmentSeries, write};
use crate::{Maintained, Store};

/// Whether a segment is due is looked at this often, in milliseconds of the caller's clock.
const LOOK_MS: i64 = 30_000;

impl Store {
    /// Has the disk hold every sample that was acknowledged.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn sync(&self) -> io::Result<()> {
        self.0.disk.as_ref().map_or(Ok(()), Disk::sync)
    }

    /// Syncs, writes segments that are due, removes old ones, forgets series without samples. To be called each
    /// `sync_interval_ms`.
    ///
    /// # Errors
    /// A disk that fails. Nothing is lost from memory by it, and the next call tries again.
    pub fn maintain(&self, now_ms: i64) -> io::Result<Maintained> {
        let mut maintained = Maintained::default();
        let Some(disk) = &self.0.disk else {
            self.forget_in_memory(now_ms, &mut maintained);
            return Ok(maintained);
        };
        if disk.log().is_broken() {
            self.rotate(disk)?;
        }
        disk.sync()?;
        {
            let mut looked_ms = disk.looked_ms.lock().unwrap_or_else(PoisonError::into_inner);
            if now_ms < looked_ms.saturating_add(LOOK_MS) && now_ms >= *looked_ms {
                return Ok(maintained);
            }
            *looked_ms = now_ms;
        }
        while let Some(window) = self.due(now_ms) {
            self.cut(disk, window)?;
            maintained.written += 1;
        }
        maintained.removed =
            disk.retire(now_ms - self.0.options.retention_ms, self.0.options.retention_bytes)?;
        if maintained.written > 0 {
            let sealed_ms = self.0.sealed_ms.load(Ordering::Relaxed);
            maintained.forgotten = self.head_mut().retain(|series| {
                let data = series.data();
                !data.is_empty() || data.last.is_some_and(|it| it.at_ms >= sealed_ms)
            });
            disk.log().forget(sealed_ms)?;
        }
        disk.segments().iter().for_each(|it| it.rest());
        Ok(maintained)
    }

    /// Writes all that is in memory into segments, whatever the time: for measuring and before a copy is made.
    ///
    /// # Errors
    /// A disk that fails.
    pub fn flush(&self) -> io::Result<usize> {
        let Some(disk) = &self.0.disk else { return Ok(0) };
        let mut written = 0;
        while let Some(window) = self.due(i64::MAX) {
            self.cut(disk, window)?;
            written += 1;
        }
        let sealed_ms = self.0.sealed_ms.load(Ordering::Relaxed);
        disk.log().forget(sealed_ms)?;
        Ok(written)
    }

    /// The oldest window in memory, if it is over for so long that nothing more is taken into it.
    fn due(&self, now_ms: i64) -> Option<(i64, i64)> {
        let length = self.0.options.segment_ms;
        let oldest = self.head().all().map(|(_, series)| series.data().first_ms()).min()?;
        if oldest == i64::MAX {
            return None;
        }
        let start = oldest.div_euclid(length) * length;
        let patience = (length / 2).max(self.0.options.out_of_order_ms);
        (start + length <= now_ms.saturating_sub(patience)).then_some((start, start + length))
    }

    /// Puts a window into a segment.
    fn cut(&self, disk: &Disk, (start_ms, end_ms): (i64, i64)) -> io::Result<()> {
        disk.sync()?;
        // From now on nothing older is taken, so that what is copied is all there is.
        self.0.sealed_ms.fetch_max(end_ms, Ordering::SeqCst);
        self.rotate(disk)?;
        let mut all: Vec<SegmentSeries> = Vec::new();
        for (_, series) in self.head().all() {
            let chunks = series.data().copy_before(end_ms);
            if !chunks.is_empty() {
                all.push((series.labels.clone(), chunks));
            }
        }
        let path = write(&disk.folder.join("segments"), (start_ms, end_ms), all)?;
        let segment = Segment::open(&path)?;
        disk.publish(segment, || {
            for (_, series) in self.head().all() {
                series.data().forget_before(end_ms);
            }
        });
        // The definitions must be safe before the files that had them may go.
        disk.sync()
    }

    /// Goes on in a new file of the log, which begins with the definitions of all series.
    fn rotate(&self, disk: &Disk) -> io::Result<()> {
        let head = self.head();
        let mut log: std::sync::MutexGuard<'_, Log> = disk.log();
        log.rotate()?;
        define_all(&head, &mut log)
    }

    /// Without a disk, what is too old is forgotten.
    fn forget_in_memory(&self, now_ms: i64, maintained: &mut Maintained) {
        let length = self.0.options.segment_ms;
        let oldest_ms = (now_ms - self.0.options.retention_ms).div_euclid(length) * length;
        for (_, series) in self.head().all() {
            series.data().forget_before(oldest_ms);
        }
        maintained.forgotten = self.head_mut().retain(|series| {
            let data = series.data();
            !data.is_empty() || data.last.is_none()
        });
    }
}

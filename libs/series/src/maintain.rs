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
        if disk.log().is_due_again(now_ms) {
            self.log_again(disk)?;
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
                !data.is_empty() || data.last().is_some_and(|it| it.at_ms >= sealed_ms)
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

    /// After a write that failed: what is in memory is logged once more, in a new file.
    fn log_again(&self, disk: &Disk) -> io::Result<()> {
        self.rotate(disk)?;
        let head = self.head();
        let mut log = disk.log();
        for (number, series) in head.all() {
            let mut newest_ms = i64::MIN;
            series.data().visit(i64::MIN, i64::MAX, |sample| {
                log.writer.sample(number, sample);
                newest_ms = sample.at_ms;
            });
            if newest_ms > i64::MIN && log.writer.is_long() {
                log.write(newest_ms)?;
            } else {
                log.note(newest_ms);
            }
        }
        log.write(i64::MIN)?;
        drop((log, head));
        disk.sync()?;
        self.all_logged();
        // The new file has all of them, or a segment has.
        disk.log().forget(i64::MAX)
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
            !data.is_empty() || data.last().is_none()
        });
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use std::fs::File;
    use std::sync::Arc;

    use ops_samples::{Labels, Sample};

    use super::*;
    use crate::{Matcher, Options, Select, Source, Want};

    #[test]
    fn what_the_disk_refused_is_logged_when_it_takes_it_again() {
        let folder = tempfile::tempdir().unwrap();
        let (store, _) = Store::open(folder.path(), Options::default()).unwrap();
        let labels = Labels::new([("__name__", "a")]).unwrap();
        let add =
            |at_ms: i64| store.append_labelled(&[(labels.clone(), Sample { at_ms, value: at_ms as f64 })]);
        add(1_000);
        let disk = store.0.disk.as_ref().unwrap();
        // Opened for reading only: as a disk that takes nothing.
        disk.log().lose(Arc::new(File::open("/dev/null").unwrap()));
        assert_eq!(add(2_000).accepted, 1);
        assert_eq!(store.stats().unlogged, 1);
        store.maintain(10_000).unwrap();
        assert_eq!(store.stats().unlogged, 0);
        drop(store);
        let (store, _) = Store::open(folder.path(), Options::default()).unwrap();
        let matchers = [Matcher::equal("__name__", "a")];
        let select =
            Select { matchers: &matchers, after_ms: 0, until_ms: 9_000, want: Want::All, max_samples: 10 };
        assert_eq!(store.select(&select).unwrap().samples(), 2);
    }
}

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use ops_samples::Labels;

use super::index::{Place, pack};
use super::{FOOTER, MAGIC};
use crate::chunk::Chunk;

/// A series and its chunks of one window, oldest first.
pub(crate) type SegmentSeries = (Labels, Vec<Chunk>);

/// Writes a segment for [`start_ms`, `end_ms`) and has the disk hold it; only then it gets its name.
pub(crate) fn write(
    folder: &Path,
    (start_ms, end_ms): (i64, i64),
    mut series: Vec<SegmentSeries>,
) -> io::Result<PathBuf> {
    series.sort_unstable_by(|a, b| a.0.cmp(&b.0));
    let path = folder.join(format!("{start_ms}-{end_ms}.segment"));
    let temporary = path.with_extension("tmp");
    let mut file = BufWriter::with_capacity(1 << 18, File::create(&temporary)?);
    file.write_all(&MAGIC)?;
    let mut offset = MAGIC.len() as u64;
    let mut samples = 0_u64;
    let mut index = Vec::with_capacity(series.len());
    for (labels, chunks) in series {
        let mut places = Vec::with_capacity(chunks.len());
        for chunk in chunks {
            file.write_all(&chunk.bytes)?;
            let length = u32::try_from(chunk.bytes.len()).unwrap_or(u32::MAX);
            places.push(Place {
                offset,
                length,
                first_ms: chunk.first_ms,
                last_ms: chunk.last_ms,
                count: chunk.count,
                sum: crc32fast::hash(&chunk.bytes),
            });
            offset += u64::from(length);
            samples += u64::from(chunk.count);
        }
        index.push((labels, places));
    }
    let (packed, length) = pack(&index, start_ms)?;
    file.write_all(&packed)?;
    let mut footer = Vec::with_capacity(FOOTER);
    for number in [offset, packed.len() as u64, length as u64, samples, index.len() as u64] {
        footer.extend_from_slice(&number.to_le_bytes());
    }
    footer.extend_from_slice(&crc32fast::hash(&packed).to_le_bytes());
    let sum = crc32fast::hash(&footer);
    footer.extend_from_slice(&sum.to_le_bytes());
    footer.resize(FOOTER - MAGIC.len(), 0);
    footer.extend_from_slice(&MAGIC);
    file.write_all(&footer)?;
    file.into_inner().map_err(io::IntoInnerError::into_error)?.sync_all()?;
    fs::rename(&temporary, &path)?;
    File::open(folder)?.sync_all()?;
    Ok(path)
}

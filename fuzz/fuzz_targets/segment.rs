#![no_main]
use std::io::Write;

use libfuzzer_sys::fuzz_target;
use ops_series::{Matcher, Options, Select, Source, Store, Want};

const MAGIC: [u8; 8] = *b"OPSSEG1\n";

// What a bad disk leaves as segment: a store opens over it, and answers or says that it is damaged. With an odd first byte the
// rest is chunks and an index with good checksums, so that what is within is reached too.
fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(folder) = tempfile::tempdir() else { return };
    let file = if first % 2 == 1 { whole(rest) } else { rest.to_vec() };
    std::fs::create_dir_all(folder.path().join("segments")).expect("a folder");
    std::fs::write(folder.path().join("segments/0-7200000.segment"), file).expect("a file");
    let (store, _) = Store::open(folder.path(), Options::default()).expect("it opens over any segment");
    let matchers = [Matcher::equal("", "")];
    let select =
        Select { matchers: &matchers, after_ms: i64::MIN, until_ms: i64::MAX, want: Want::All, max_samples: 100_000 };
    let _ = store.select(&select);
    let _ = store.label_names(&[], i64::MIN, i64::MAX);
});

/// Chunks of 64 bytes, and the rest as index.
fn whole(data: &[u8]) -> Vec<u8> {
    let (chunks, index) = data.split_at(data.len().min(64));
    let mut file = MAGIC.to_vec();
    file.extend_from_slice(chunks);
    let offset = file.len() as u64;
    let mut encoder = flate2::write::DeflateEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(index).expect("memory takes it");
    let packed = encoder.finish().expect("memory takes it");
    file.extend_from_slice(&packed);
    let mut footer = Vec::new();
    for number in [offset, packed.len() as u64, index.len() as u64, 1, 1] {
        footer.extend_from_slice(&number.to_le_bytes());
    }
    footer.extend_from_slice(&crc32fast::hash(&packed).to_le_bytes());
    let sum = crc32fast::hash(&footer);
    footer.extend_from_slice(&sum.to_le_bytes());
    footer.resize(64 - MAGIC.len(), 0);
    footer.extend_from_slice(&MAGIC);
    file.extend_from_slice(&footer);
    file
}

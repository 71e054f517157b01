#![no_main]
use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use ops_samples::exposition::{Cache, Entry, Format, Found, Parser};

// Twice with one cache, as two answers of a target: the first line of the second is expected.
fuzz_target!(|data: &[u8]| {
    for format in [Format::Text, Format::OpenMetrics] {
        let mut cache: Cache<()> = Cache::default();
        for _ in 0..2 {
            cache.begin();
            let mut parser = Parser::new(data, format);
            while let Some(entry) = parser.next_expecting(cache.expected()) {
                let Ok(Entry::Series(series)) = entry else { continue };
                let _ = black_box(series.pairs().map(|pairs| pairs.len()));
                if matches!(cache.find(&series), Found::New) {
                    cache.insert(series.raw, ());
                }
            }
            cache.finish(drop);
        }
    }
});

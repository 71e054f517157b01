#![no_main]
use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use ops_samples::otlp::{Converter, Encoding};

fuzz_target!(|data: &[u8]| {
    let mut converter = Converter::new(100);
    for encoding in [Encoding::Protobuf, Encoding::Json] {
        let _ = black_box(converter.read(encoding, data, 1_700_000_000_000));
    }
});

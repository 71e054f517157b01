#![no_main]
use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use ops_samples::remote_write::{Version, decode};

// As it comes, and packed first, so that what is within is reached too.
fuzz_target!(|data: &[u8]| {
    let packed = snap::raw::Encoder::new().compress_vec(data).unwrap_or_default();
    for version in [Version::V1, Version::V2] {
        let _ = black_box(decode(version, data, 1 << 20));
        let _ = black_box(decode(version, &packed, 1 << 20));
    }
});

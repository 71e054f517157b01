#![no_main]
use libfuzzer_sys::fuzz_target;
use ops_samples::frames::Decoder;

fuzz_target!(|data: &[u8]| {
    let Ok(decoder) = Decoder::new(data) else { return };
    for item in decoder {
        let _ = std::hint::black_box(item);
    }
});

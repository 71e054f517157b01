#![no_main]
use libfuzzer_sys::fuzz_target;
use ops_series::{Options, Store};

// What a crash or a bad disk leaves as log: a store opens over it, takes samples, and opens again. With an odd first byte the
// rest is put into a record with a good checksum, so that what is within is reached too.
fuzz_target!(|data: &[u8]| {
    let Some((first, rest)) = data.split_first() else { return };
    let Ok(folder) = tempfile::tempdir() else { return };
    let mut file = b"OPSLOG1\n".to_vec();
    if first % 2 == 1 {
        file.extend_from_slice(&[0xa5, 0x1d]);
        file.extend_from_slice(&(rest.len() as u32).to_le_bytes());
        file.extend_from_slice(&crc32fast::hash(rest).to_le_bytes());
    }
    file.extend_from_slice(rest);
    std::fs::create_dir_all(folder.path().join("log")).expect("a folder");
    std::fs::write(folder.path().join("log/0000000001.log"), file).expect("a file");
    for _ in 0..2 {
        let (store, _) = Store::open(folder.path(), Options::default()).expect("it opens over any log");
        store.maintain(1_700_000_000_000).expect("it can be kept");
    }
});

#![no_main]
use std::hint::black_box;

use libfuzzer_sys::fuzz_target;
use ops_alerts::rules::{RuleFile, RuleSet, Settings};

fuzz_target!(|text: &str| {
    let Ok(file) = RuleFile::parse("fuzz.yml", text) else { return };
    black_box(RuleSet::new(vec![file], &Settings::default()).len());
});

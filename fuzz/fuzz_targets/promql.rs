#![no_main]
use libfuzzer_sys::fuzz_target;
use ops_promql::{Limits, Query};
use ops_samples::{Labels, Sample};
use ops_series::Memory;

fuzz_target!(|text: &str| {
    let Ok(query) = Query::parse(text) else { return };
    let mut source = Memory::default();
    for (name, instance) in [("up", "a"), ("up", "b"), ("x_total", "a"), ("x_bucket", "a")] {
        let Ok(labels) = Labels::new([("__name__", name), ("instance", instance), ("le", "1")]) else { return };
        for at in 0..20_i32 {
            source.push(&labels, Sample { at_ms: i64::from(at) * 15_000, value: f64::from(at % 7) });
        }
    }
    let limits = Limits { max_samples: 100_000, max_steps: 100, ..Limits::default() };
    let _ = query.instant(&source, 300_000, &limits);
    let _ = query.range(&source, (0, 300_000, 60_000), &limits);
});

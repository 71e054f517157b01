#![no_main]
use libfuzzer_sys::fuzz_target;
use ops_promql::template::{Context, Template};
use ops_samples::Labels;

fuzz_target!(|text: &str| {
    let Ok(template) = Template::parse(text) else { return };
    let Ok(labels) = Labels::new([("job", "api"), ("instance", "a:1")]) else { return };
    let query = |_: &str| Ok(Vec::new());
    let context = Context {
        labels: &labels,
        value: 0.5,
        external_labels: &labels,
        external_url: "http://localhost",
        query: &query,
    };
    let _ = template.render(&context);
});

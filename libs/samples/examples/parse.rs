//! How fast a steady answer is read: `cargo run --release -p ops-samples --example parse`.

use std::io::Write;
use std::time::Instant;

use ops_samples::exposition::{Cache, Entry, Format, Found, Parser};
use ops_samples::frames::Encoder;
use ops_samples::{Labels, Sample};

const SERIES: u32 = 100_000;
const ROUNDS: u32 = 50;

fn main() -> std::io::Result<()> {
    let bodies: Vec<String> = (0..4).map(body).collect();
    let (mut cache, mut encoder, mut bytes) = (Cache::default(), Encoder::new(1), 0);
    let first = read(&bodies[0], &mut cache, &mut encoder);
    encoder.finish();
    let mut parse_s = 0.0;
    let began = Instant::now();
    for round in 0..ROUNDS {
        let at = Instant::now();
        let samples = read(&bodies[round as usize % 4], &mut cache, &mut encoder);
        parse_s += at.elapsed().as_secs_f64();
        bytes += encoder.finish().map_or(0, |frame| frame.len());
        assert_eq!(samples, first);
    }
    let (all_s, count) = (began.elapsed().as_secs_f64(), f64::from(first * ROUNDS));
    let plain = plain(&bodies);
    let size = bodies[0].len() as f64 / f64::from(SERIES);
    writeln!(
        std::io::stdout(),
        "{size:.0} bytes a line; plain parser {:.1} M samples/s; with cache and encoder {:.1} M samples/s; {:.3} CPU s a million; \
         {:.2} bytes a sample on the wire",
        f64::from(SERIES) * f64::from(ROUNDS) / plain / 1e6,
        count / parse_s / 1e6,
        all_s / count * 1e6,
        bytes as f64 / count,
    )
}

fn body(round: u32) -> String {
    let mut text = String::new();
    for i in 0..SERIES {
        if i % 1000 == 0 {
            text.push_str(&format!(
                "# HELP http_requests_{}_total Requests.\n# TYPE http_requests_{}_total counter\n",
                i / 1000,
                i / 1000
            ));
        }
        let value = match i % 4 {
            0 => format!("{}", i + round * 7),
            1 => format!("{}.{:03}", i, round * 13),
            2 => "0".to_owned(),
            _ => format!("{:e}", f64::from(i * 31 + round) * 1.000_123_4),
        };
        text.push_str(&format!(
            "http_requests_{}_total{{method=\"GET\",path=\"/api/v1/things/{}\",status=\"200\",le=\"0.25\"}} {value}\n",
            i / 1000,
            i % 1000
        ));
    }
    text
}

fn plain(bodies: &[String]) -> f64 {
    let began = Instant::now();
    let mut sum = 0.0;
    for round in 0..ROUNDS {
        for entry in Parser::new(bodies[round as usize % 4].as_bytes(), Format::Text) {
            if let Ok(Entry::Series(series)) = entry {
                sum += series.value;
            }
        }
    }
    assert!(sum > 0.0);
    began.elapsed().as_secs_f64()
}

fn read(body: &str, cache: &mut Cache<u32>, encoder: &mut Encoder) -> u32 {
    let mut parser = Parser::new(body.as_bytes(), Format::Text);
    cache.begin();
    let mut samples = 0;
    while let Some(Ok(entry)) = parser.next_expecting(cache.expected()) {
        let Entry::Series(series) = entry else { continue };
        let number = match cache.find(&series) {
            Found::Known(number) | Found::Again(number) => *number,
            Found::New => {
                let pairs = series.pairs().unwrap_or_default();
                let labels = Labels::from_sorted(pairs.iter().map(|(a, b)| (&**a, &**b))).unwrap_or_default();
                let number = encoder.define(&labels).unwrap_or_default();
                cache.insert(series.raw, number);
                number
            }
        };
        encoder.sample(number, Sample { at_ms: 1_700_000_000_000, value: series.value });
        samples += 1;
    }
    cache.finish(|_| {});
    samples
}

//! Three hours of series as fleets have them: resets, gaps, late starts, early ends, histograms, numbers that are none.

/// Seconds between two samples.
pub(super) const STEP_S: i64 = 15;
/// How many samples a series without gaps has.
const COUNT: i64 = 720;
/// Samples lie off the grid of whole seconds, so that no range begins at one: ranges were closed in Prometheus 2. An eighth
/// of a second has no rest in binary: OpenMetrics tells times as floating seconds.
const OFF_GRID_MS: i64 = 125;

/// A label set and its samples: milliseconds since the epoch, oldest first, and values.
pub(super) struct Series {
    pub(super) labels: Vec<(String, String)>,
    pub(super) samples: Vec<(i64, f64)>,
}

/// All series; `begin_s` is a whole number of seconds.
pub(super) fn series(begin_s: i64) -> Vec<Series> {
    let mut all = Vec::new();
    let mut add = |labels: &[(&str, &str)], value: &dyn Fn(i64) -> Option<f64>| {
        let at = |index: i64| (begin_s + index * STEP_S) * 1_000 + OFF_GRID_MS;
        let samples: Vec<_> =
            (0..COUNT).filter_map(|index| value(index).map(|value| (at(index), value))).collect();
        let mut labels: Vec<_> =
            labels.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        labels.sort();
        all.push(Series { labels, samples });
    };
    requests(&mut add);
    durations(&mut add);
    gauges(&mut add);
    oddities(&mut add);
    all
}

type Add<'a> = dyn FnMut(&[(&str, &str)], &dyn Fn(i64) -> Option<f64>) + 'a;

/// Counters; instance 1 of `api` is not seen for ten minutes, 2 is restarted, `web` starts late and ends early.
fn requests(add: &mut Add<'_>) {
    let mut number = 0;
    for job in ["api", "web"] {
        for instance in ["0", "1", "2"] {
            for code in ["200", "404", "500"] {
                for method in ["GET", "POST"] {
                    number += 1;
                    let slope = 0.37 * f64::from(number) + if code == "200" { 40.0 } else { 0.1 };
                    let labels = [
                        ("__name__", "http_requests_total"),
                        ("job", job),
                        ("instance", instance),
                        ("code", code),
                        ("method", method),
                    ];
                    add(&labels, &|index| {
                        let seen = match (job, instance) {
                            ("api", "1") => !(200..240).contains(&index),
                            ("web", "1") => index >= 400,
                            ("web", "2") => index < 500,
                            _ => true,
                        };
                        let since = if instance == "2" { index % 301 } else { index };
                        let wobble = (index * i64::from(number)) % 7;
                        seen.then(|| {
                            (slope * since as f64).floor() + if since > 7 { wobble as f64 } else { 0.0 }
                        })
                    });
                }
            }
        }
    }
}

fn durations(add: &mut Add<'_>) {
    for (job, factor) in [("api", 3_i64), ("web", 5)] {
        let grown = move |index: i64, share: i64| (index * factor * share / 100) as f64;
        for (bound, share) in
            [("0.05", 11), ("0.1", 31), ("0.25", 62), ("0.5", 83), ("1", 95), ("2.5", 99), ("+Inf", 100)]
        {
            let labels = [("__name__", "request_duration_seconds_bucket"), ("job", job), ("le", bound)];
            add(&labels, &|index| Some(grown(index, share)));
        }
        add(&[("__name__", "request_duration_seconds_sum"), ("job", job)], &|index| Some(grown(index, 27)));
        add(&[("__name__", "request_duration_seconds_count"), ("job", job)], &|index| {
            Some(grown(index, 100))
        });
    }
}

fn gauges(add: &mut Add<'_>) {
    for (room, phase) in [("attic", 0.0), ("cellar", 1.1), ("küche", 2.3), ("a b", 3.7)] {
        add(&[("__name__", "temperature"), ("room", room)], &|index| {
            Some((index as f64 / 37.0 + phase).sin() * 20.0 + phase * 2.0 - (index % 5) as f64 / 8.0)
        });
    }
    for (job, instance) in [("api", "0"), ("api", "1"), ("web", "0")] {
        let number =
            f64::from(instance.len() as u32 + job.as_bytes()[0] as u32) + instance.parse::<f64>().unwrap();
        let place = |name| [("__name__", name), ("job", job), ("instance", instance)];
        add(&place("memory_bytes"), &|index| {
            Some(((index * 7_919) % 100_003) as f64 * 4_096.0 + number * 1e6)
        });
        add(&place("memory_limit_bytes"), &|_| Some(number * 5e6));
        let version = if job == "api" { "1" } else { "2" };
        let [name, job, instance] = place("build_info");
        add(&[name, job, instance, ("version", version)], &|_| Some(1.0));
    }
    for (queue, every) in [("mail", 3), ("report", 11), ("ai", 1)] {
        add(&[("__name__", "queue_depth"), ("queue", queue)], &|index| Some(((index / every) % 6) as f64));
    }
    for (disk, per_step) in [("a", 1.5e6), ("b", 4.0e5)] {
        add(&[("__name__", "disk_free"), ("disk", disk)], &|index| {
            Some(1.2e9 - per_step * index as f64 + (index % 3) as f64 * 1e4)
        });
    }
    add(&[("__name__", "lonely")], &|index| Some(2.0 + (index % 2) as f64));
}

fn oddities(add: &mut Add<'_>) {
    for (kind, value) in
        [("nan", f64::NAN), ("inf", f64::INFINITY), ("neg_inf", f64::NEG_INFINITY), ("zero", 0.0)]
    {
        add(&[("__name__", "weird"), ("kind", kind)], &|_| Some(value));
    }
    add(&[("__name__", "weird"), ("kind", "now_and_then")], &|index| {
        Some(if index % 4 == 0 { f64::NAN } else { index as f64 })
    });
    add(&[("__name__", "sparse")], &|index| (index % 6 == 0).then_some(index as f64));
    add(&[("__name__", "very_sparse")], &|index| (index % 28 == 0).then_some(index as f64));
    add(&[("__name__", "late")], &|index| (index >= 600).then_some((index - 600) as f64));
    add(&[("__name__", "ended")], &|index| (index < 500).then_some(index as f64 * 2.0));
    add(&[("__name__", "young_total")], &|index| (index >= 300).then_some((index - 300) as f64 * 3.0));
    add(&[("__name__", "newcomer_total")], &|index| {
        (index >= 300).then_some((index - 300) as f64 * 3.0 + 2.0)
    });
    add(&[("__name__", "lines"), ("path", "one\ntwo")], &|_| Some(1.0));
    for (bound, value) in
        [("-1", 2.0), ("1", 10.0), ("2", 8.0), ("4", 15.0), ("+Inf", 20.0), ("rubbish", 1.0)]
    {
        add(&[("__name__", "odd_bucket"), ("le", bound)], &|_| Some(value));
    }
}

/// As OpenMetrics text with times, for `promtool tsdb create-blocks-from openmetrics`.
pub(super) fn openmetrics(all: &[Series]) -> String {
    use std::fmt::Write;

    let mut text = String::new();
    for series in all {
        let quoted = |it: &str| it.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n");
        let name = &series.labels.iter().find(|(name, _)| name == "__name__").unwrap().1;
        let labels: Vec<String> = series
            .labels
            .iter()
            .filter(|(name, _)| name != "__name__")
            .map(|(name, value)| format!("{name}=\"{}\"", quoted(value)))
            .collect();
        let labels = labels.join(",");
        for (at_ms, value) in &series.samples {
            let value =
                if value.is_nan() { "NaN".to_owned() } else { value.to_string().replace("inf", "Inf") };
            writeln!(text, "{name}{{{labels}}} {value} {}.{:03}", at_ms / 1_000, at_ms % 1_000).unwrap();
        }
    }
    text + "# EOF\n"
}

/// As remote writes 1.0, each ten minutes of all series, oldest first.
pub(super) fn remote_writes(all: &[Series]) -> Vec<Vec<u8>> {
    let last = all.iter().filter_map(|it| it.samples.last()).map(|(at, _)| *at).max().unwrap_or(0);
    let first = all.iter().filter_map(|it| it.samples.first()).map(|(at, _)| *at).min().unwrap_or(0);
    let mut writes = Vec::new();
    let mut from = first;
    while from <= last {
        let until = from + 600_000;
        let mut request = Vec::new();
        for series in all {
            let within = series.samples.iter().filter(|(at, _)| (from..until).contains(at));
            let samples: Vec<_> = within.collect();
            if !samples.is_empty() {
                field(&mut request, 1, &time_series(&series.labels, &samples));
            }
        }
        writes.push(literal_snappy(&request));
        from = until;
    }
    writes
}

fn time_series(labels: &[(String, String)], samples: &[&(i64, f64)]) -> Vec<u8> {
    let mut series = Vec::new();
    for (name, value) in labels {
        let mut label = Vec::new();
        field(&mut label, 1, name.as_bytes());
        field(&mut label, 2, value.as_bytes());
        field(&mut series, 1, &label);
    }
    for (at_ms, value) in samples {
        let mut sample = vec![1 << 3 | 1];
        sample.extend_from_slice(&value.to_le_bytes());
        sample.push(2 << 3);
        varint(&mut sample, *at_ms as u64);
        field(&mut series, 2, &sample);
    }
    series
}

/// A field of protobuf that has a length.
fn field(message: &mut Vec<u8>, number: u8, bytes: &[u8]) {
    message.push(number << 3 | 2);
    varint(message, bytes.len() as u64);
    message.extend_from_slice(bytes);
}

fn varint(message: &mut Vec<u8>, mut value: u64) {
    while value >= 0x80 {
        message.push(value as u8 | 0x80);
        value >>= 7;
    }
    message.push(value as u8);
}

/// Snappy's block format without compressing anything: the length, then literals.
fn literal_snappy(bytes: &[u8]) -> Vec<u8> {
    let mut block = Vec::new();
    varint(&mut block, bytes.len() as u64);
    for chunk in bytes.chunks(65_536) {
        block.push(61 << 2);
        block.extend_from_slice(&((chunk.len() - 1) as u16).to_le_bytes());
        block.extend_from_slice(chunk);
    }
    block
}

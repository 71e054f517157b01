use std::time::Duration;

use ops_contract::FindingsSpec;

use crate::reader::quoted;
use crate::section::Section;

/// `[audit.findings]`: the figures of the rules.
pub(super) fn read(section: &Section<'_, '_>) -> FindingsSpec {
    let mut spec = FindingsSpec::default();
    for at in section.strings("off").map(|at| at.value).unwrap_or_default() {
        let number = at.value.strip_prefix('R').and_then(|it| it.parse::<u8>().ok());
        if number.is_some_and(|it| (1..=11).contains(&it)) {
            spec.off.insert(at.value);
        } else {
            section.reader.wrong(&at, format!("there is no rule {}", quoted(&at.value)), "write R1 to R11");
        }
    }
    figures(section, &mut spec);
    if let Some(list) = section.strings("hours") {
        let hours: Vec<Option<u8>> = list.value.iter().map(|at| hour(&at.value)).collect();
        match hours.as_slice() {
            [Some(from), Some(to)] if from < to => spec.hours = Some([*from, *to]),
            _ => section.reader.wrong(
                &list,
                "these are no hours",
                "write hours = [\"07:00\", \"19:00\"] (UTC)",
            ),
        }
    }
    for at in section.strings("service_networks").map(|at| at.value).unwrap_or_default() {
        if is_network(&at.value) {
            spec.service_networks.push(at.value);
        } else {
            let fix = "write \"10.0.0.0/8\" or \"fd00::/8\"";
            section.reader.wrong(&at, format!("{} is no network", quoted(&at.value)), fix);
        }
    }
    spec
}

fn figures(section: &Section<'_, '_>, spec: &mut FindingsSpec) {
    let day = Duration::from_secs(86_400);
    let spans: [(&str, Duration, &mut Duration); 3] = [
        ("learning", Duration::ZERO, &mut spec.learning),
        ("memory", day, &mut spec.memory),
        ("silence", Duration::from_secs(1), &mut spec.silence),
    ];
    for (key, least, span) in spans {
        if let Some(at) = section.long_duration(key, least) {
            *span = at.value;
        }
    }
    let figures: [(&str, &mut u32); 4] = [
        ("spread", &mut spec.spread),
        ("volume", &mut spec.volume),
        ("denied", &mut spec.denied),
        ("denied_secrets", &mut spec.denied_secrets),
    ];
    for (key, figure) in figures {
        if let Some(at) = section.integer(key, 1..=u16::MAX) {
            *figure = u32::from(at.value);
        }
    }
    if let Some(at) = section.integer("volume_deviations", 1..=1_000) {
        spec.volume_deviations = f64::from(at.value);
    }
}

/// `07:00`; whole hours, up to 24.
fn hour(text: &str) -> Option<u8> {
    text.strip_suffix(":00")?.parse().ok().filter(|it| *it <= 24)
}

fn is_network(text: &str) -> bool {
    text.split_once('/').is_some_and(|(address, bits)| {
        let most = match address.parse::<std::net::IpAddr>() {
            Ok(std::net::IpAddr::V4(_)) => 32,
            Ok(std::net::IpAddr::V6(_)) => 128,
            Err(_) => return false,
        };
        bits.parse::<u8>().is_ok_and(|bits| bits <= most)
    })
}

//! Figures side by side, and how ours compare with the better peer's.

use serde_json::{Map, Value, json};

use crate::questions::Answered;

/// What was measured of one peer. Every figure is better when it is smaller.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// As in [`crate::peers::Kind::name`].
    pub peer: &'static str,
    /// Names, with their units, and values, in the order of the table.
    pub figures: Vec<(String, f64)>,
    /// How its queries went.
    pub answers: Vec<Answered>,
}

impl Measured {
    /// Adds a figure.
    pub fn put(&mut self, name: &str, value: f64) {
        self.figures.push((name.to_owned(), value));
    }

    fn figure(&self, name: &str) -> Option<f64> {
        self.figures.iter().find(|(it, _)| it == name).map(|(_, value)| *value)
    }

    fn answer(&self, name: &str, way: &str) -> Option<&Answered> {
        self.answers.iter().find(|it| it.query == name && it.way == way)
    }
}

/// Two Markdown tables over all peers; the last columns say how many times better ours is than the better peer.
pub fn markdown(peers: &[Measured]) -> String {
    let heads: Vec<&str> = peers.iter().map(|it| it.peer).collect();
    let rule = " --- |".repeat(heads.len());
    let mut text = format!("| figure | {} | better peer ÷ ours |\n| --- |{rule} --- |\n", heads.join(" | "));
    for name in names(peers) {
        let cells: Vec<String> = peers.iter().map(|it| cell(it.figure(&name))).collect();
        text += &format!("| {name} | {} | {} |\n", cells.join(" | "), times(figure_ratio(peers, &name)));
    }
    text += &format!(
        "\n| query: p50 / p99 / CPU, in ms | {} | better p50 ÷ ours | better CPU ÷ ours | series |\n| --- |{rule} --- | --- | --- |\n",
        heads.join(" | ")
    );
    for (name, way) in questions(peers) {
        let of = |it: &Measured| match it.answer(name, way) {
            Some(it) => {
                format!("{} / {} / {}", cell(Some(it.p50_ms)), cell(Some(it.p99_ms)), cell(Some(it.cpu_ms)))
            }
            None => "–".to_owned(),
        };
        let cells: Vec<String> = peers.iter().map(of).collect();
        let [p50, _, cpu] = answer_ratios(peers, name, way);
        // As many for all, unless the answer depends on the moment.
        let mut series: Vec<String> =
            peers.iter().filter_map(|it| Some(it.answer(name, way)?.series.to_string())).collect();
        series.dedup();
        let (cells, series) = (cells.join(" | "), series.join(", "));
        text += &format!("| {name}, {way} | {cells} | {} | {} | {series} |\n", times(p50), times(cpu));
    }
    text
}

/// The same as JSON: all figures, and the ratios.
pub fn json(peers: &[Measured]) -> Value {
    let figures = |it: &Measured| -> Map<String, Value> {
        it.figures.iter().map(|(name, value)| (name.clone(), json!(value))).collect()
    };
    let all: Map<String, Value> = peers
        .iter()
        .map(|it| {
            let queries: Vec<Value> = it.answers.iter().map(Answered::json).collect();
            (it.peer.to_owned(), json!({ "figures": figures(it), "queries": queries }))
        })
        .collect();
    let mut ratios = Map::new();
    for name in names(peers) {
        ratios.insert(name.clone(), json!(figure_ratio(peers, &name)));
    }
    for (name, way) in questions(peers) {
        let [p50, p99, cpu] = answer_ratios(peers, name, way);
        ratios.insert(format!("{name}, {way}"), json!({ "p50": p50, "p99": p99, "cpu": cpu }));
    }
    json!({ "peers": all, "better_peer_over_ours": ratios })
}

fn names(peers: &[Measured]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for (name, _) in peers.iter().flat_map(|it| &it.figures) {
        if !names.contains(name) {
            names.push(name.clone());
        }
    }
    names
}

fn questions(peers: &[Measured]) -> Vec<(&'static str, &'static str)> {
    let longest = peers.iter().map(|it| &it.answers).max_by_key(|it| it.len());
    longest.into_iter().flatten().map(|it| (it.query, it.way)).collect()
}

fn figure_ratio(peers: &[Measured], name: &str) -> Option<f64> {
    ratio(peers, |it| it.figure(name))
}

fn answer_ratios(peers: &[Measured], name: &str, way: &str) -> [Option<f64>; 3] {
    [|it: &Answered| it.p50_ms, |it: &Answered| it.p99_ms, |it: &Answered| it.cpu_ms]
        .map(|of| ratio(peers, |it| it.answer(name, way).map(of)))
}

/// The better peer's figure over ours; none where one of them is nothing.
fn ratio(peers: &[Measured], of: impl Fn(&Measured) -> Option<f64>) -> Option<f64> {
    let figure = |it: &Measured| of(it).filter(|value| *value > 0.0);
    let ours = peers.iter().find(|it| it.peer == "ours").and_then(figure)?;
    let others = peers.iter().filter(|it| it.peer != "ours").filter_map(figure);
    Some(others.reduce(f64::min)? / ours)
}

fn times(ratio: Option<f64>) -> String {
    ratio.map_or_else(|| "–".to_owned(), |it| format!("{it:.2}"))
}

fn cell(value: Option<f64>) -> String {
    match value {
        None => "–".to_owned(),
        Some(it) if it.abs() >= 100.0 => format!("{it:.0}"),
        Some(it) if it.abs() >= 1.0 => format!("{it:.2}"),
        Some(it) => format!("{it:.3}"),
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn measured(peer: &'static str, figures: &[(&str, f64)], p50_ms: f64) -> Measured {
        let answer = Answered { query: "max by", way: "instant", p50_ms, series: 5, ..Answered::default() };
        let figures = figures.iter().map(|(name, value)| ((*name).to_owned(), *value)).collect();
        Measured { peer, figures, answers: vec![answer] }
    }

    #[test]
    fn ours_is_measured_against_the_better_peer() {
        let peers = [
            measured("one", &[("cpu", 4.0), ("log", 8.2)], 30.0),
            measured("other", &[("cpu", 1.5), ("log", 0.0)], 20.0),
            measured("ours", &[("cpu", 0.5), ("disk", 2.0)], 40.0),
        ];
        let text = markdown(&peers);
        for row in [
            "| cpu | 4.00 | 1.50 | 0.500 | 3.00 |",
            "| log | 8.20 | 0.000 | – | – |",
            "| disk | – | – | 2.00 | – |",
            "| max by, instant | 30.00 / 0.000 / 0.000 | 20.00 / 0.000 / 0.000 | 40.00 / 0.000 / 0.000 | 0.50 | – | 5 |",
        ] {
            assert!(text.contains(row), "{row} is not in {text}");
        }
        let json = json(&peers);
        assert_eq!(json["better_peer_over_ours"]["cpu"], 3.0);
        assert_eq!(json["better_peer_over_ours"]["max by, instant"]["p50"], 0.5);
        assert_eq!(json["peers"]["one"]["figures"]["log"], 8.2);
    }
}

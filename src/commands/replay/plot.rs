//! A picture of one comparison: what waited, the replicas, and the oldest wait, over time. One SVG without scripts, readable
//! in light and in dark.

mod axis;

use std::fmt::Write;

use ops_engine::simulate::{Outcome, Point};

use super::comparison::{CLAIRVOYANT, Comparison, OURS, Row};
use super::report::{percent, terms, time};
use super::summary;
use axis::{Axis, hours};

const WIDTH: f64 = 1000.0;
const LEFT: f64 = 70.0;
/// Room for the labels at the lines' ends.
const RIGHT: f64 = 210.0;
const TOP: f64 = 80.0;
const PANEL: f64 = 170.0;
const GAP: f64 = 46.0;
/// Points of a line; more cannot be seen.
const POINTS: usize = 740;
/// Least distance of two labels.
const LABEL: f64 = 15.0;

const STYLE: &str = "\
svg{background:#fff;font:12px system-ui,sans-serif}text{fill:#1f2328}.mute{fill:#59636e}\
.grid{stroke:#d1d9e0;stroke-width:1}.line{fill:none;stroke-width:1.6;stroke-linejoin:round}\
.ours{stroke:#0550ae}.peer{stroke:#bc4c00}.bound{stroke:#6e7781;stroke-dasharray:5 3}.target{stroke:#cf222e;stroke-dasharray:2 3}\
text.ours{fill:#0550ae;stroke:none}text.peer{fill:#bc4c00;stroke:none}text.bound{fill:#59636e;stroke:none}\
text.target{fill:#cf222e;stroke:none}\
@media(prefers-color-scheme:dark){svg{background:#0d1117}text{fill:#e6edf3}.mute{fill:#9198a1}.grid{stroke:#30363d}\
.ours{stroke:#6cb6ff}.peer{stroke:#ffa657}.bound{stroke:#9198a1}.target{stroke:#ff7b72}\
text.ours{fill:#6cb6ff}text.peer{fill:#ffa657}text.bound{fill:#9198a1}text.target{fill:#ff7b72}}";

/// One line of a panel.
struct Line<'a> {
    class: &'static str,
    name: &'a str,
    points: Vec<(f64, f64)>,
}

/// One panel.
struct Panel<'a> {
    title: &'static str,
    /// What a line's label says besides the policy's name.
    note: fn(&Outcome) -> String,
    lines: Vec<Line<'a>>,
    target: Option<f64>,
}

/// Draws ours, the cheapest peer that is in time, and the bound; without ours the two best peers.
pub(super) fn svg(comparison: &Comparison) -> String {
    let chosen = chosen(comparison);
    let panel = |title, note, value: fn(&Point) -> f64, target, bound: bool| Panel {
        title,
        note,
        lines: chosen
            .iter()
            .filter(|(class, _)| bound || *class != "bound")
            .map(|(class, row)| Line {
                class,
                name: &row.name,
                points: sampled(row, comparison.length_s, value),
            })
            .filter(|line| !line.points.is_empty())
            .collect(),
        target,
    };
    let target = Some(comparison.setting.target_wait_s);
    let panels = [
        panel("jobs that wait", |_| String::new(), |point| point.waiting as f64, None, false),
        panel("replicas", |it| format!(" {:.2}x", it.cost_ratio), |point| f64::from(point.ready), None, true),
        panel(
            "oldest wait in seconds",
            |it| format!(" {} late", percent(it.late_share)),
            |point| point.oldest_wait_s,
            target,
            false,
        ),
    ];
    let height = TOP + panels.len() as f64 * (PANEL + GAP);
    let title = terms(comparison);
    let mut out = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" aria-label=\"{}\">\
         <style>{STYLE}</style><title>{}</title>",
        escaped(&comparison.trace),
        escaped(&title),
    );
    let _ = write!(
        out,
        "<text x=\"{LEFT}\" y=\"24\" font-size=\"16\" font-weight=\"600\">{}</text>",
        escaped(&comparison.trace)
    );
    let _ = write!(out, "<text class=\"mute\" x=\"{LEFT}\" y=\"42\">{}</text>", escaped(&title));
    for (index, panel) in panels.iter().enumerate() {
        draw(&mut out, panel, TOP + index as f64 * (PANEL + GAP), comparison.length_s, &chosen);
    }
    out.push_str("</svg>\n");
    out
}

fn chosen(comparison: &Comparison) -> Vec<(&'static str, &Row)> {
    let ours = comparison.rows.iter().find(|row| row.name == OURS);
    let mut peers: Vec<&Row> =
        comparison.rows.iter().filter(|row| summary::scales(row) && row.name != OURS).collect();
    peers.sort_by(|one, other| rank(comparison, one).total_cmp(&rank(comparison, other)));
    let bound = comparison.rows.iter().find(|row| row.name == CLAIRVOYANT);
    let mut peers = peers.into_iter();
    let first = ours.or_else(|| peers.next()).or_else(|| comparison.rows.first());
    let lines = [("ours", first), ("peer", peers.next()), ("bound", bound)];
    lines.into_iter().filter_map(|(class, row)| Some((class, row?))).collect()
}

/// Those in time by their cost, then the others by how many are late.
fn rank(comparison: &Comparison, row: &Row) -> f64 {
    match summary::in_time(comparison, row) {
        true => row.outcome.cost_ratio,
        false => 1e9 * (1.0 + row.outcome.late_share),
    }
}

/// The largest value of each stretch: a peak must not vanish between two points.
fn sampled(row: &Row, length_s: f64, value: fn(&Point) -> f64) -> Vec<(f64, f64)> {
    let stretch_s = length_s / POINTS as f64;
    let mut points: Vec<(f64, f64)> = Vec::new();
    let mut current = None;
    for point in row.outcome.timeline.iter().filter(|point| point.at_s <= length_s) {
        let stretch = (point.at_s / stretch_s) as u64;
        let value = value(point);
        match points.last_mut() {
            Some(last) if current == Some(stretch) => last.1 = last.1.max(value),
            _ => points.push((point.at_s, value)),
        }
        current = Some(stretch);
    }
    points
}

fn draw(out: &mut String, panel: &Panel<'_>, top: f64, length_s: f64, chosen: &[(&str, &Row)]) {
    let (bottom, right) = (top + PANEL, WIDTH - RIGHT);
    let values = panel.lines.iter().flat_map(|line| line.points.iter().map(|(_, value)| *value));
    let axis = Axis::over(values, panel.target);
    let x = |at_s: f64| LEFT + at_s / length_s.max(1e-9) * (right - LEFT);
    let y = |value: f64| bottom - axis.place(value) * PANEL;
    let scale = if axis.logarithmic { " (logarithmic)" } else { "" };
    let _ = write!(
        out,
        "<text x=\"{LEFT}\" y=\"{:.0}\" font-weight=\"600\">{}{scale}</text>",
        top - 8.0,
        panel.title
    );
    for tick in axis.ticks() {
        let at = y(tick);
        let _ =
            write!(out, "<line class=\"grid\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>");
        let _ = write!(
            out,
            "<text class=\"mute\" text-anchor=\"end\" x=\"{}\" y=\"{:.1}\">{}</text>",
            LEFT - 8.0,
            at + 4.0,
            axis::number(tick)
        );
    }
    for (at_s, label) in hours(length_s) {
        let _ = write!(
            out,
            "<text class=\"mute\" text-anchor=\"middle\" x=\"{:.1}\" y=\"{:.0}\">{label}</text>",
            x(at_s),
            bottom + 16.0
        );
    }
    let mut labels: Vec<(f64, &str, String)> = Vec::new();
    if let Some(target) = panel.target {
        let at = y(target);
        let _ = write!(
            out,
            "<line class=\"line target\" x1=\"{LEFT}\" x2=\"{right}\" y1=\"{at:.1}\" y2=\"{at:.1}\"/>"
        );
        labels.push((at, "target", format!("target {}", time(target))));
    }
    for line in panel.lines.iter().rev() {
        let mut path = String::new();
        for (index, (at_s, value)) in line.points.iter().enumerate() {
            let _ = match index {
                0 => write!(path, "M{:.1} {:.1}", x(*at_s), y(*value)),
                _ => write!(path, "H{:.1}V{:.1}", x(*at_s), y(*value)),
            };
        }
        let _ = write!(out, "<path class=\"line {}\" d=\"{path}H{right}\"/>", line.class);
        let last = line.points.last().map_or(bottom, |(_, value)| y(*value));
        let row = chosen.iter().find(|(_, row)| row.name == line.name);
        let note = row.map_or_else(String::new, |(_, row)| (panel.note)(&row.outcome));
        labels.push((last, line.class, format!("{}{note}", line.name)));
    }
    label(out, labels, right + 8.0, bottom);
}

/// Labels at the ends of their lines, pushed apart.
fn label(out: &mut String, mut labels: Vec<(f64, &str, String)>, x: f64, bottom: f64) {
    labels.sort_by(|one, other| other.0.total_cmp(&one.0));
    let mut below = bottom + LABEL;
    for (at, class, text) in labels {
        let at = at.min(below - LABEL);
        below = at;
        let _ =
            write!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{:.1}\">{}</text>", at + 4.0, escaped(&text));
    }
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

#[cfg(test)]
mod tests {
    use super::super::summary::tests::comparison;
    use super::*;

    fn drawn(trace: &str) -> String {
        let mut comparison = comparison(&[
            ("insightdesk", 0.0, 1.5),
            ("keda", 0.3, 1.2),
            ("wpa", 0.0, 2.0),
            ("knative", 0.0, 1.8),
        ]);
        comparison.trace = trace.to_owned();
        for row in &mut comparison.rows {
            let point = |at: u32| Point {
                at_s: f64::from(at) * 10.0,
                waiting: u64::from(at % 50) * 100,
                ready: at % 20,
                desired: at % 20,
                oldest_wait_s: f64::from(at % 40),
            };
            row.outcome.timeline = (0..360).map(point).collect();
        }
        svg(&comparison)
    }

    #[test]
    fn it_shows_ours_and_the_cheapest_peer_in_time() {
        let svg = drawn("a");
        assert!(svg.contains("insightdesk 1.50x") && svg.contains("knative 1.80x"));
        assert!(svg.contains("insightdesk 0.0 % late"));
        assert!(!svg.contains("keda") && !svg.contains("wpa"));
        assert!(svg.contains("prefers-color-scheme:dark") && svg.contains("target 30 s"));
        assert!(!svg.contains("NaN") && !svg.contains("inf"), "{svg}");
    }

    #[test]
    fn a_name_from_a_file_cannot_break_out() {
        let svg = drawn("<script>alert(\"1\")</script>&");
        assert!(!svg.contains("<script>"));
    }

    #[test]
    fn a_trace_without_a_moment_is_still_a_picture() {
        let mut empty = comparison(&[("keda", 0.0, 1.0)]);
        empty.length_s = 0.0;
        let svg = super::svg(&empty);
        assert!(svg.ends_with("</svg>\n") && !svg.contains("NaN"));
    }
}

//! Series over a range as lines. What was not measured is not drawn; words and the table say the same.

use leptos::prelude::*;
use ops_contract::{ExploreRow, ExploreView, Timestamp};

use crate::words;

/// More lines than this cannot be told apart.
pub(crate) const LINES: usize = 20;
/// The drawing's own measure; it is stretched to the page's width.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 200.0;

/// What a drawing spans.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Frame {
    /// Seconds since the epoch at the right edge.
    end: f64,
    /// Seconds from the left edge to the right one.
    span: f64,
    low: f64,
    high: f64,
    /// Points further apart than this, in seconds, are not joined.
    gap: f64,
}

/// How a line looks: its colour and its dashes, the same in the drawing and in the table.
pub(crate) fn class(index: usize) -> String {
    format!("line c{} d{}", index % 5, index / 5 % 4)
}

/// The drawing and its summary; nothing when there is nothing to draw.
pub(crate) fn chart(view: &ExploreView) -> Option<impl IntoView + use<>> {
    let drawn = view.rows.get(..LINES).unwrap_or(&view.rows);
    let frame = frame(drawn, view.range_s, view.at)?;
    let paths: Vec<_> = drawn
        .iter()
        .enumerate()
        .map(|(index, row)| (class(index), path(&row.points, frame)))
        .filter(|(_, path)| !path.is_empty())
        .map(|(class, path)| view! { <path class=class d=path/> })
        .collect();
    let summary = summary(view, frame, paths.len());
    let span = view.range_s;
    let ago = |seconds: u64| format!("{} ago", words::span(seconds));
    Some(view! {
        <figure class="chart">
            <figcaption id="drawn">{summary}</figcaption>
            <div class="panels">
                <span class="scale" aria-hidden="true">{words::significant(frame.high)}</span>
                <svg class="tall" role="img" aria-labelledby="drawn" viewBox=format!("0 -2 {WIDTH} {}", HEIGHT + 4.0)
                    preserveAspectRatio="none" focusable="false">{paths}</svg>
                <span class="scale" aria-hidden="true">{words::significant(frame.low)}</span>
                <span class="axis" aria-hidden="true"><span>{ago(span)}</span><span>{ago(span / 2)}</span><span>"now"</span></span>
            </div>
        </figure>
    })
}

fn summary(view: &ExploreView, frame: Frame, lines: usize) -> String {
    let which = match view.rows.len() {
        all if all > LINES => format!("the first {LINES} of {}", words::number(view.total.max(all as u64))),
        _ => lines.to_string(),
    };
    format!(
        "{which} series over the last {}, from {} to {}; gaps are where nothing was measured. The table holds each one's figures.",
        words::span(view.range_s),
        words::significant(frame.low),
        words::significant(frame.high)
    )
}

/// Points that can be drawn: numbers, and within the range.
fn drawable(row: &ExploreRow, range_s: u64, at: Timestamp) -> impl Iterator<Item = (f64, f64)> + '_ {
    let (end, span) = (at.as_seconds(), range_s as f64);
    row.points
        .iter()
        .copied()
        .filter(move |(at, value)| value.is_finite() && *at <= end + 1.0 && *at >= end - span - 1.0)
}

fn frame(rows: &[ExploreRow], range_s: u64, at: Timestamp) -> Option<Frame> {
    let values = || rows.iter().flat_map(|row| drawable(row, range_s, at)).map(|(_, value)| value);
    let (low, high) = (values().reduce(f64::min)?, values().reduce(f64::max)?);
    // The usual distance of two points is the shortest there is: no step is told.
    let step = rows
        .iter()
        .flat_map(|row| row.points.windows(2))
        .filter_map(|pair| Some(pair.last()?.0 - pair.first()?.0))
        .filter(|step| *step > 0.0)
        .reduce(f64::min)
        .unwrap_or(0.0);
    let span = (range_s as f64).max(1.0);
    Some(Frame { end: at.as_seconds(), span, low, high, gap: step * 1.5 })
}

impl Frame {
    fn x(self, at: f64) -> f64 {
        (WIDTH * (1.0 - (self.end - at) / self.span)).clamp(0.0, WIDTH)
    }

    /// Halves are taken so that the widest range of numbers there is still has a size.
    fn y(self, value: f64) -> f64 {
        let size = self.high / 2.0 - self.low / 2.0;
        let share = if size > 0.0 { (value / 2.0 - self.low / 2.0) / size } else { 0.5 };
        HEIGHT * (1.0 - share.clamp(0.0, 1.0))
    }
}

/// A line through the points, broken where one is missing; a point alone is a dash.
fn path(points: &[(f64, f64)], frame: Frame) -> String {
    let mut path = String::new();
    let mut before: Option<f64> = None;
    for (at, value) in points.iter().copied() {
        if !value.is_finite() || at > frame.end + 1.0 || at < frame.end - frame.span - 1.0 {
            before = None;
            continue;
        }
        let (x, y) = (frame.x(at), frame.y(value));
        match before {
            Some(last) if at - last <= frame.gap => path += &format!("L{x:.1} {y:.1}"),
            _ => path += &format!("M{x:.1} {y:.1}h.5"),
        }
        before = Some(at);
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    fn frame() -> Frame {
        Frame { end: 1_000.0, span: 720.0, low: 0.0, high: 2.0, gap: 15.0 }
    }

    #[test]
    fn a_line_breaks_where_points_are_missing_or_are_no_numbers() {
        let points =
            [(280.0, 0.0), (290.0, 1.0), (400.0, 2.0), (410.0, f64::NAN), (420.0, 2.0), (430.0, 1.0)];
        let expected = "M0.0 200.0h.5L10.0 100.0M120.0 0.0h.5M140.0 0.0h.5L150.0 100.0";
        assert_eq!(path(&points, frame()), expected);
    }

    #[test]
    fn what_lies_outside_the_range_is_not_drawn() {
        assert_eq!(path(&[(1.0, 1.0), (5_000.0, 1.0)], frame()), "");
    }

    #[test]
    fn values_of_any_size_stay_within_the_drawing() {
        let row =
            |value: f64| ExploreRow { series: String::new(), value: None, points: vec![(990.0, value)] };
        let rows = [row(f64::MAX), row(f64::MIN), row(f64::INFINITY), row(0.0)];
        let frame = super::frame(&rows, 720, Timestamp(1_000_000_000))
            .map(|it| (it.y(f64::MAX), it.y(0.0), it.y(f64::MIN)));
        assert_eq!(frame, Some((0.0, HEIGHT / 2.0, HEIGHT)));
        assert_eq!(super::frame(&rows[2..3], 720, Timestamp(1_000_000_000)), None);
    }

    #[test]
    fn twenty_lines_look_twenty_ways() {
        let ways: std::collections::BTreeSet<String> = (0..LINES).map(class).collect();
        assert_eq!(ways.len(), LINES);
    }
}

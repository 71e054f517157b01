//! The last hour of a service: wanted and ready replicas, over the jobs that waited. Words and a table say the same.

use leptos::prelude::*;
use ops_contract::{ScalingPoint, Timestamp};

use crate::words;

/// How far back, in seconds.
const SPAN_S: f64 = 3_600.0;
/// Points further apart than this are not joined: nothing was known between them.
const GAP_S: f64 = 60.0;
/// The drawing's own measure; it is stretched to the page's width.
const WIDTH: f64 = 720.0;
const HEIGHT: f64 = 100.0;
/// Rows of the table are at least so far apart, unless a number of replicas changed.
const ROW_S: f64 = 60.0;

/// Both panels, a summary, and the table.
pub(crate) fn chart(
    name: &str,
    history: &[ScalingPoint],
    most: u16,
    now: Timestamp,
) -> impl IntoView + use<> {
    let summary = summary(history, now);
    let drawing = (history.len() > 1).then(|| drawing(history, most, now));
    let table = (!history.is_empty()).then(|| table(name, history, now));
    view! {
        <figure class="chart">
            <figcaption>{summary}</figcaption>
            {drawing}
            {table}
        </figure>
    }
}

fn drawing(history: &[ScalingPoint], most: u16, now: Timestamp) -> impl IntoView + use<> {
    let highest = history.iter().map(|it| it.desired.max(it.ready)).max().unwrap_or(0).max(most).max(1);
    let deepest = history.iter().filter_map(|it| it.backlog).max().unwrap_or(0);
    let replicas =
        |of: fn(&ScalingPoint) -> u16| steps(history, now, |it| Some(f64::from(of(it)) / f64::from(highest)));
    let backlog = steps(history, now, |it| Some(it.backlog? as f64 / deepest.max(1) as f64));
    let frame = format!("0 -2 {WIDTH} {}", HEIGHT + 4.0);
    // The words above say all of it: the drawing is for eyes alone.
    view! {
        <div class="panels" aria-hidden="true">
            <span class="scale">{format!("replicas, 0 to {highest}: solid wanted, dashed ready")}</span>
            <svg viewBox=frame.clone() preserveAspectRatio="none" focusable="false">
                <path class="desired" d=replicas(|it| it.desired)/>
                <path class="ready-line" d=replicas(|it| it.ready)/>
            </svg>
            <span class="scale">{format!("jobs that wait, 0 to {}", words::number(deepest))}</span>
            <svg viewBox=frame preserveAspectRatio="none" focusable="false"><path class="backlog" d=backlog/></svg>
            <span class="axis"><span>"60 min ago"</span><span>"30 min"</span><span>"now"</span></span>
        </div>
    }
}

/// A path of steps; `height` is a share of the panel, absent where nothing is known.
fn steps(history: &[ScalingPoint], now: Timestamp, height: impl Fn(&ScalingPoint) -> Option<f64>) -> String {
    let mut path = String::new();
    let mut last: Option<(Timestamp, f64, f64)> = None;
    for point in history {
        let age_s = now.since(point.at).as_secs_f64();
        let place = height(point)
            .filter(|_| age_s <= SPAN_S)
            .map(|share| (point.at, WIDTH * (1.0 - age_s / SPAN_S), HEIGHT * (1.0 - share.clamp(0.0, 1.0))));
        match (last, place) {
            (Some((before, _, level)), Some((at, x, y))) if at.since(before).as_secs_f64() <= GAP_S => {
                if (y - level).abs() > 0.01 {
                    path += &format!("H{x:.1}V{y:.1}");
                }
            }
            (_, next) => {
                path += &end(last);
                if let Some((_, x, y)) = next {
                    path += &format!("M{x:.1} {y:.1}h1");
                }
            }
        }
        last = place;
    }
    path + &end(last)
}

/// A level is drawn up to the last point that had it.
fn end(last: Option<(Timestamp, f64, f64)>) -> String {
    last.map(|(_, x, _)| format!("H{x:.1}")).unwrap_or_default()
}

fn summary(history: &[ScalingPoint], now: Timestamp) -> String {
    let range = |of: fn(&ScalingPoint) -> u16| {
        let (least, most) = (history.iter().map(of).min(), history.iter().map(of).max());
        match (least, most) {
            (Some(least), Some(most)) if least != most => format!("{least} to {most}"),
            (_, most) => most.unwrap_or(0).to_string(),
        }
    };
    let (Some(first), Some(last)) = (history.first(), history.last()) else {
        return "The chart begins with the autoscaler's first decision.".to_owned();
    };
    let span = words::span(now.since(first.at).as_secs());
    let replicas = format!(
        "In the last {span} {} replicas were wanted and {} ready",
        range(|it| it.desired),
        range(|it| it.ready)
    );
    let deepest = history.iter().filter_map(|it| Some((it.backlog?, it.at))).max_by_key(|(jobs, _)| *jobs);
    let waiting = match deepest {
        None => "how many jobs waited is not known".to_owned(),
        Some((0, _)) => "no job waited".to_owned(),
        Some((jobs, at)) => {
            let present = last.backlog.map_or_else(|| "unknown".to_owned(), words::number);
            format!(
                "at most {} jobs waited (at {}), {present} now",
                words::number(jobs),
                words::clock(at, now)
            )
        }
    };
    format!("{replicas}; {waiting}.")
}

fn table(name: &str, history: &[ScalingPoint], now: Timestamp) -> impl IntoView + use<> {
    let unknown = || "–".to_owned();
    let rows: Vec<_> = told(history)
        .into_iter()
        .map(|it| {
            view! {
                <tr>
                    <th scope="row">{words::clock(it.at, now).replace(" UTC", "")}</th>
                    <td class="number">{it.desired}</td>
                    <td class="number">{it.ready}</td>
                    <td class="number">{it.backlog.map_or_else(unknown, words::number)}</td>
                    <td class="number">{it.oldest_age_s.map_or_else(unknown, words::seconds)}</td>
                </tr>
            }
        })
        .collect();
    view! {
        <details>
            <summary>"The last hour as a table"</summary>
            <table class="compact">
                <caption class="visually-hidden">{format!("Replicas of {name} and jobs that waited, newest first")}</caption>
                <thead>
                    <tr>
                        <th scope="col">"UTC"</th>
                        <th scope="col" class="number">"wanted"</th>
                        <th scope="col" class="number">"ready"</th>
                        <th scope="col" class="number">"waiting"</th>
                        <th scope="col" class="number">"oldest"</th>
                    </tr>
                </thead>
                <tbody>{rows}</tbody>
            </table>
        </details>
    }
}

/// Points worth a row, newest first: where a number of replicas changed, and one a minute.
fn told(history: &[ScalingPoint]) -> Vec<ScalingPoint> {
    let mut rows: Vec<ScalingPoint> = Vec::new();
    for point in history {
        let news = rows.last().is_none_or(|last| {
            (last.desired, last.ready) != (point.desired, point.ready)
                || point.at.since(last.at).as_secs_f64() >= ROW_S
        });
        if news {
            rows.push(*point);
        }
    }
    rows.reverse();
    rows
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const NOW: Timestamp = Timestamp(1_792_065_600_000_000);

    fn point(seconds_ago: u64, desired: u16, backlog: Option<u64>) -> ScalingPoint {
        let at = NOW - Duration::from_secs(seconds_ago);
        ScalingPoint { at, desired, ready: 1, backlog, oldest_age_s: None }
    }

    #[test]
    fn a_path_steps_and_breaks_where_nothing_is_known() {
        let history = [
            point(3_600, 1, Some(0)),
            point(3_590, 2, None),
            point(1_800, 2, Some(4)),
            point(1_790, 2, Some(2)),
        ];
        let replicas = steps(&history, NOW, |it| Some(f64::from(it.desired) / 2.0));
        assert_eq!(replicas, "M0.0 50.0h1H2.0V0.0H2.0M360.0 0.0h1H362.0");
        let backlog = steps(&history, NOW, |it| Some(it.backlog? as f64 / 4.0));
        assert_eq!(backlog, "M0.0 100.0h1H0.0M360.0 0.0h1H362.0V50.0H362.0");
    }

    #[test]
    fn the_table_has_a_row_for_each_change_and_each_minute() {
        let history: Vec<_> =
            (0..30).rev().map(|index| point(index * 10, u16::from(index < 2), None)).collect();
        assert_eq!(told(&history).len(), 6);
    }
}

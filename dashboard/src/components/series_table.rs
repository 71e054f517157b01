//! Series with their value now and what they were over the range: the chart in words.

use leptos::prelude::*;
use ops_contract::{ExploreRow, ExploreView};

use super::series_chart;
use crate::words;

/// One row per series; nothing when no series answered.
pub(crate) fn table(view: &ExploreView) -> Option<impl IntoView + use<>> {
    let rows: Vec<_> = view.rows.iter().enumerate().map(|(index, it)| row(index, it)).collect();
    let more = view.total.saturating_sub(rows.len() as u64);
    (!rows.is_empty()).then(|| {
        view! {
            <section>
                <h2 id="series">"Series"</h2>
                <table aria-labelledby="series">
                    <thead>
                        <tr>
                            <th scope="col">"series"</th>
                            <th scope="col" class="number">"now"</th>
                            <th scope="col" class="number">"lowest"</th>
                            <th scope="col" class="number">"highest"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
                {(more > 0).then(|| view! { <p class="quiet">{format!("and {} more series", words::number(more))}</p> })}
            </section>
        }
    })
}

fn row(index: usize, row: &ExploreRow) -> impl IntoView + use<> {
    let drawn = index < series_chart::LINES && row.points.iter().any(|(_, value)| value.is_finite());
    let sample = drawn.then(|| {
        view! {
            <svg class="sample" viewBox="0 0 32 8" aria-hidden="true" focusable="false">
                <path class=series_chart::class(index) d="M0 4h32"/>
            </svg>
        }
    });
    let values = || row.points.iter().map(|(_, value)| *value).filter(|it| it.is_finite());
    let figure = |value: Option<f64>| value.map_or_else(|| "–".to_owned(), words::significant);
    let now = match &row.value {
        Some(value) => view! { <bdi>{value.clone()}</bdi> }.into_any(),
        None => view! { <span class="quiet">"no value"</span> }.into_any(),
    };
    view! {
        <tr>
            <th scope="row">{sample}<code><bdi>{row.series.clone()}</bdi></code></th>
            <td class="number" data-name="now">{now}</td>
            <td class="number" data-name="lowest">{figure(values().reduce(f64::min))}</td>
            <td class="number" data-name="highest">{figure(values().reduce(f64::max))}</td>
        </tr>
    }
}

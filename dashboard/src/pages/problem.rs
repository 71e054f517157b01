use leptos::prelude::*;
use ops_contract::Problem;

use super::document::Document;

/// What went wrong, for people.
pub fn problem_page(problem: &Problem, nonce: &str) -> String {
    let head =
        Document {
            title: format!("{} · InsightDesk Ops", problem.title), glyph: "▲", refresh: None, nonce
        };
    let id = problem
        .request_id
        .clone()
        .map(|id| view! { <p class="quiet">"In the server's log as " <code>{id}</code></p> });
    head.render(view! {
        <header class="bar"><span class="brand">"InsightDesk Ops"</span></header>
        <main class="narrow">
            <h1>{format!("{} · {}", problem.status, problem.title)}</h1>
            <p><bdi>{problem.detail.clone()}</bdi></p>
            {id}
            <p><a href="/">"To the first page"</a></p>
        </main>
    })
}

use leptos::prelude::*;
use ops_contract::{QueueStoreView, Tone};

use super::state;
use crate::words;

/// What is to be said loudly of the stores: what cannot be read, and what loses jobs.
pub(crate) fn banners(stores: &[QueueStoreView]) -> Vec<impl IntoView + use<>> {
    let unwell = stores.iter().filter(|it| it.tone > Tone::Stopped);
    let said = unwell.flat_map(|store| store.findings.iter().map(move |finding| (store, finding)));
    said.map(|(store, finding)| {
        // A policy that throws jobs away is red even while the store cannot be read.
        let tone = if finding.starts_with("maxmemory-policy") { Tone::Down } else { store.tone };
        let look = state::of_tone(tone);
        view! {
            <p class=format!("banner {}", look.class) role="status">
                <span class="glyph" aria-hidden="true">{look.glyph}</span>
                <span class="visually-hidden">{format!("{}: ", look.word)}</span>
                <bdi>{format!("{}: {finding}", store.name)}</bdi>
            </p>
        }
    })
    .collect()
}

/// The stores that hold the queues.
pub(crate) fn table(stores: &[QueueStoreView]) -> Option<impl IntoView + use<>> {
    let rows: Vec<_> = stores.iter().map(row).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section>
                <h2 id="stores">"Where they are kept"</h2>
                <table aria-labelledby="stores">
                    <thead>
                        <tr>
                            <th scope="col">"store"</th>
                            <th scope="col">"state"</th>
                            <th scope="col">"when memory is full"</th>
                            <th scope="col">"seen"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
    })
}

fn row(store: &QueueStoreView) -> impl IntoView + use<> {
    let seen = store.age_s.map_or_else(|| "never".to_owned(), |age| format!("{} ago", words::seconds(age)));
    let policy = store.maxmemory_policy.clone().unwrap_or_else(|| "not known".to_owned());
    view! {
        <tr>
            <th scope="row"><bdi>{store.name.clone()}</bdi></th>
            <td>{state::mark(state::of_tone(store.tone))}</td>
            <td><bdi>{policy}</bdi></td>
            <td>{seen}</td>
        </tr>
    }
}

use leptos::prelude::*;
use ops_contract::{DependencyState, Timestamp};

use super::{state, time};

/// The data stores that everything stands on.
pub(crate) fn table(stores: &[(String, DependencyState)], now: Timestamp) -> Option<impl IntoView + use<>> {
    let rows: Vec<_> = stores.iter().map(|(name, store)| row(name, store, now)).collect();
    (!rows.is_empty()).then(|| {
        view! {
            <section>
                <h2 id="stores">"Data stores"</h2>
                <table aria-labelledby="stores">
                    <thead>
                        <tr>
                            <th scope="col">"store"</th>
                            <th scope="col">"state"</th>
                            <th scope="col">"since"</th>
                            <th scope="col" class="number">"answer"</th>
                            <th scope="col">"seen"</th>
                        </tr>
                    </thead>
                    <tbody>{rows}</tbody>
                </table>
            </section>
        }
    })
}

fn row(name: &str, store: &DependencyState, now: Timestamp) -> impl IntoView + use<> {
    let latency = store.latency_ms.map_or_else(|| "–".to_owned(), |ms| format!("{ms:.1} ms"));
    view! {
        <tr>
            <th scope="row"><bdi>{name.to_owned()}</bdi></th>
            <td>{state::mark(state::of_store(store.status))}</td>
            <td>{time::since(store.since, now)}</td>
            <td class="number">{latency}</td>
            <td><bdi class="detail">{store.detail.clone()}</bdi></td>
        </tr>
    }
}

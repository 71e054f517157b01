use leptos::prelude::*;

/// A figure and what it is, for a `<dl class="figures">`.
pub(crate) fn figure(name: &'static str, value: String) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd><bdi>{value}</bdi></dd>
        </div>
    }
}

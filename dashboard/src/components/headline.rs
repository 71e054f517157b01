use leptos::prelude::*;

use super::state::Look;

/// A page's answer in one sentence, as its only first heading.
pub(crate) fn headline(look: Look, sentence: String) -> impl IntoView {
    view! {
        <section class=format!("verdict {}", look.class)>
            <h1>
                <span class="glyph" aria-hidden="true">{look.glyph}</span>
                <span class="visually-hidden">{format!("{}: ", look.word)}</span>
                <bdi>{sentence}</bdi>
            </h1>
        </section>
    }
}

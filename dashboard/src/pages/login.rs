use leptos::prelude::*;

use super::document::Document;

/// Asks for an operator's token; posts the field `token` to `/login`. `error` says why the last try failed.
pub fn login_page(error: Option<&str>, nonce: &str) -> String {
    let error = error.map(|text| view! { <p class="banner" role="alert">{text.to_owned()}</p> });
    page(
        "Sign in",
        nonce,
        view! {
            {error}
            <form method="post" action="/login" class="sheet">
                <label for="token">"Operator token"</label>
                <input id="token" name="token" type="password" autocomplete="current-password" required autofocus/>
                <button>"Sign in"</button>
            </form>
            <p class="quiet">"No token at hand? " <code>"insightdesk login"</code> " prints a link that is good once."</p>
        },
    )
}

/// Asks whether to sign in by a one-time link; posts the field `code` to `/login`, so that a look-ahead of a mail
/// program does not use it up.
pub fn confirm_link_page(code: &str, nonce: &str) -> String {
    page(
        "Sign in by link",
        nonce,
        view! {
            <form method="post" action="/login" class="sheet">
                <input type="hidden" name="code" value=code.to_owned()/>
                <p>"This link signs you in once."</p>
                <button autofocus>"Sign in"</button>
            </form>
        },
    )
}

fn page(title: &'static str, nonce: &str, body: impl IntoView + 'static) -> String {
    let head = Document { title: format!("{title} · InsightDesk Ops"), glyph: "◇", refresh: None, nonce };
    head.render(view! {
        <header class="bar"><span class="brand">"InsightDesk Ops"</span></header>
        <main class="narrow">
            <h1>{title}</h1>
            {body}
        </main>
    })
}
